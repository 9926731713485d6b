//! `events`: tells that something changed, not what. A client that missed one has missed nothing: it asks for what it shows.

use std::convert::Infallible;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream;
use serde::Serialize;

use super::super::refusal::Refusal;
use super::super::{Api, json};
use super::arrange::{Arranged, Counts};
use super::ask::Ask;
use super::board::Board;
use super::show;

/// Between two looks.
const INTERVAL: Duration = Duration::from_millis(500);

/// Between two words that say only that this end is still there.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// A client comes back after so long; not all at the same time.
const RETRY_MIN: u64 = 1_000;
const RETRY_SPREAD: u64 = 4_000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    version: String,
    at: String,
    member: String,
    alerts: usize,
    states: Counts,
    config_hash: Option<String>,
    settled: bool,
    peers: usize,
}

/// `GET`: server-sent events named `changed`, the first at once.
pub(super) async fn stream(State(api): State<Api>) -> Response {
    let Some(room) = api.boards.stream() else {
        let text = "too many pages are following already, ask now and then instead".to_owned();
        return Refusal::Coded(StatusCode::SERVICE_UNAVAILABLE.as_u16(), text).into_response();
    };
    // for the state to be in the stream, which ends when it's dropped
    let first = (api, room, None::<u64>);
    let events = stream::unfold(first, |(api, room, mut told)| async move {
        loop {
            if api.state.leaving.load(Ordering::Relaxed) {
                return None;
            }
            if told.is_some() {
                tokio::time::sleep(INTERVAL).await;
            }
            let board = api.boards.now(&api.state.handle).await.ok()?;
            if told == Some(board.version) {
                continue;
            }
            let first = told.is_none();
            told = Some(board.version);
            let data = String::from_utf8(json::encode(&tell(&api, &board))).ok()?;
            let mut event = Event::default().event("changed").data(data);
            if first {
                event = event.retry(Duration::from_millis(RETRY_MIN + rand::random_range(0..RETRY_SPREAD)));
            }
            return Some((Ok::<_, Infallible>(event), (api, room, told)));
        }
    });
    let keep = KeepAlive::new().interval(SIGN_OF_LIFE);
    let headers = [(header::CACHE_CONTROL, "no-store"), (HeaderName::from_static("x-accel-buffering"), "no")];
    (headers, Sse::new(events).keep_alive(keep)).into_response()
}

fn tell(api: &Api, board: &Board) -> Told {
    let list: std::sync::Arc<Arranged> = api.boards.arranged(board, &Ask::default());
    Told {
        version: show::version(board),
        at: board.at.rfc3339_millis(),
        member: board.cluster.name.clone(),
        alerts: list.all,
        states: list.states,
        config_hash: board.config.as_ref().map(|config| config.hash.to_string()),
        settled: board.cluster.settled,
        peers: board.cluster.peers.len(),
    }
}
