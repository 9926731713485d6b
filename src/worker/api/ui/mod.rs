//! `/api/ui/v1`: what the page asks for beside API v2, and other tools may. It reads only: whatever changes something goes
//! through API v2. Documented by `/api/ui/v1/openapi.json`.
//!
//! Dashboards must not slow down what they look at. The engine is asked for a picture of itself (a [`Board`]) now and then,
//! however many look; questions are answered from that, on other threads, a few at a time.

mod alert;
mod arrange;
mod ask;
mod board;
mod boards;
mod cluster;
mod events;
mod facets;
mod groups;
mod preview;
mod routes;
mod rows;
mod show;
mod silences;
mod system;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::refusal::Refusal;
use super::{Api, gzip, plain};
use board::Board;
pub(crate) use boards::Boards;
use boards::Question;

const OPENAPI: &str = include_str!("openapi.json");

/// All paths below the prefix, with what serves them.
pub(super) fn paths() -> Vec<(&'static str, MethodRouter<Api>)> {
    let read = |methods| plain("GET, OPTIONS", methods).layer(middleware::from_fn(gzip::compress));
    let preview = plain("OPTIONS, POST", post(preview::show)).layer(middleware::from_fn(gzip::compress));
    vec![
        ("/api/ui/v1/groups", read(get(groups::list))),
        ("/api/ui/v1/rows", read(get(rows::list))),
        ("/api/ui/v1/facets", read(get(facets::list))),
        ("/api/ui/v1/alerts/{fingerprint}", read(get(alert::show))),
        ("/api/ui/v1/silences", read(get(silences::list))),
        ("/api/ui/v1/silences/preview", preview),
        ("/api/ui/v1/routes", read(get(routes::show))),
        ("/api/ui/v1/routes/test", read(get(routes::test))),
        ("/api/ui/v1/cluster", read(get(cluster::show))),
        ("/api/ui/v1/system", read(get(system::show))),
        // a stream has no end to wait for
        ("/api/ui/v1/events", plain("GET, OPTIONS", get(events::stream))),
        ("/api/ui/v1/openapi.json", read(get(openapi))),
    ]
}

async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI).into_response()
}

/// Answers from the picture of the moment, on a thread where it holds up nobody. `of` gives JSON, and the same for the same
/// question and picture.
async fn answer(
    api: &Api,
    headers: &HeaderMap,
    question: Question,
    of: impl FnOnce(&Board) -> Result<Vec<u8>, Refusal> + Send + 'static,
) -> Result<Response, Refusal> {
    let board = api.boards.now(&api.state.handle).await?;
    let Some(_turn) = api.boards.turn().await else {
        return Err(Refusal::Coded(503, "too many questions are waiting, ask again later".to_owned()));
    };
    let boards = api.boards.clone();
    let work = tokio::task::spawn_blocking(move || boards.answer(&board, question, of));
    let body = work.await.map_err(|_| Refusal::internal("the process is stopping"))??;
    Ok(tagged(headers, body))
}

/// An answer that who has it already needn't get again.
fn tagged(headers: &HeaderMap, body: impl Into<Bytes>) -> Response {
    let body = body.into();
    let hash = Sha256::digest(&body);
    let tag = format!("\"{}\"", hash.iter().take(12).map(|byte| format!("{byte:02x}")).collect::<String>());
    let known = headers.get_all(header::IF_NONE_MATCH).iter().any(|seen| seen.as_bytes() == tag.as_bytes());
    let mut response = match known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => ([(header::CONTENT_TYPE, "application/json")], Body::from(body)).into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}
