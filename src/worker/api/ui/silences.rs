//! `silences`: with how many alerts each keeps quiet.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use alerting::silence::{Silence, SilenceState};
use alerting::time::Timestamp;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;

use super::super::query::Query;
use super::super::refusal::Refusal;
use super::super::{Api, json};
use super::ask::{self, Window};
use super::board::Board;
use super::show::{self, SilenceRow};

#[derive(Serialize)]
struct List<'a> {
    version: String,
    at: String,
    /// Of those that pass the filters, whatever their state.
    states: BTreeMap<&'static str, usize>,
    /// How many each author has, whatever passes.
    authors: BTreeMap<String, usize>,
    total: usize,
    offset: usize,
    silences: Vec<SilenceRow<'a>>,
}

struct Wanted {
    state: Option<SilenceState>,
    by: Option<String>,
    text: String,
}

/// `GET`: `state` (`active`, `pending`, `expired`), `by` for one author, `q` for those that contain a text.
pub(super) async fn list(
    State(api): State<Api>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let question = ("silences", query.clone().unwrap_or_default());
    let query = Query::new(query.as_deref());
    let window = Window::read(&query)?;
    let state = match query.last("state") {
        None => None,
        Some("active") => Some(SilenceState::Active),
        Some("pending") => Some(SilenceState::Pending),
        Some("expired") => Some(SilenceState::Expired),
        Some(other) => return Err(ask::refuse("state", other, "active, pending or expired")),
    };
    let by = query.last("by").map(str::to_owned).filter(|by| !by.is_empty());
    let text = query.last("q").unwrap_or_default().to_lowercase();
    let wanted = Wanted { state, by, text };
    super::answer(&api, &headers, question, move |board| Ok(json::encode(&show(board, &wanted, window)))).await
}

fn show<'a>(board: &'a Board, wanted: &Wanted, window: Window) -> List<'a> {
    let passing = board.silences.iter().filter(|(silence, _)| passes(silence, wanted));
    let mut states = BTreeMap::from([("active", 0), ("pending", 0), ("expired", 0)]);
    let mut authors = BTreeMap::new();
    for (silence, state) in &board.silences {
        if *state != SilenceState::Expired {
            *authors.entry(silence.created_by.clone()).or_default() += 1;
        }
    }
    let mut listed = Vec::new();
    for (silence, state) in passing {
        *states.entry(state.name()).or_default() += 1;
        if wanted.state.is_none_or(|wanted| wanted == *state) {
            listed.push((silence, *state));
        }
    }
    // soonest end first; of those that have ended, the last one
    listed.sort_by_key(|(silence, state)| match state {
        SilenceState::Expired => (*state, Timestamp::EPOCH, Reverse(silence.ends_at)),
        SilenceState::Pending => (*state, silence.starts_at, Reverse(silence.ends_at)),
        SilenceState::Active => (*state, silence.ends_at, Reverse(silence.updated_at)),
    });
    let hits = board.hits();
    let count = |silence: &Silence, state| match state {
        SilenceState::Active => hits.get(&silence.id).copied().unwrap_or(0),
        SilenceState::Pending => would_hit(board, silence),
        SilenceState::Expired => 0,
    };
    List {
        version: show::version(board),
        at: board.at.rfc3339_millis(),
        states,
        authors,
        total: listed.len(),
        offset: window.offset,
        silences: window
            .of(&listed)
            .iter()
            .map(|(silence, state)| SilenceRow::new(silence, *state, Some(count(silence, *state))))
            .collect(),
    }
}

fn passes(silence: &Silence, wanted: &Wanted) -> bool {
    let contains = |text: &str| text.to_lowercase().contains(&wanted.text);
    wanted.by.as_ref().is_none_or(|by| *by == silence.created_by)
        && (wanted.text.is_empty()
            || contains(&silence.comment)
            || contains(&silence.created_by)
            || silence.id.0.starts_with(&*wanted.text)
            || silence.matcher_sets.iter().flatten().any(|matcher| contains(&matcher.to_string())))
}

fn would_hit(board: &Board, silence: &Silence) -> usize {
    let hit = |set: &Vec<_>, labels| set.iter().all(|matcher: &alerting::matcher::Matcher| matcher.matches(labels));
    board.each_alert().filter(|row| silence.matcher_sets.iter().any(|set| hit(set, row.labels()))).count()
}
