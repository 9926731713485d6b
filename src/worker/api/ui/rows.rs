//! `rows`: a window of the alerts of one group.

use alerting::json::Labels;
use alerting::label::Fingerprint;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;

use super::super::query::Query;
use super::super::refusal::Refusal;
use super::super::{Api, json};
use super::arrange::Arranged;
use super::ask::{self, Ask, Window};
use super::board::Board;
use super::show::{self, AlertRow};

#[derive(Serialize)]
struct Rows<'a> {
    version: String,
    /// Alerts of the group.
    total: usize,
    offset: usize,
    /// Labels that all of them have.
    common: Labels<'a>,
    rows: Vec<AlertRow<'a>>,
}

/// `GET`: `of` names the group, `anchor` an alert that the window is to begin with if it's there, whatever `offset` says.
pub(super) async fn list(
    State(api): State<Api>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let question = ("rows", query.clone().unwrap_or_default());
    let query = Query::new(query.as_deref());
    let (ask, window) = (Ask::read(&query, api.state.options.mode)?, Window::read(&query)?);
    let hex = |name: &str| {
        let Some(text) = query.last(name) else { return Ok(None) };
        let number = Some(text).filter(|text| text.len() == 16).and_then(|text| u64::from_str_radix(text, 16).ok());
        number.map(Some).ok_or_else(|| ask::refuse(name, text, "16 hex digits"))
    };
    let Some(of) = hex("of")? else { return Err(Refusal::bad_request("`of` is missing: the id of a group")) };
    let anchor = hex("anchor")?.map(Fingerprint);
    let boards = api.boards.clone();
    super::answer(&api, &headers, question, move |board| {
        rows(board, &boards.arranged(board, &ask), of, anchor, window).map(|rows| json::encode(&rows))
    })
    .await
}

fn rows<'a>(
    board: &'a Board,
    list: &'a Arranged,
    of: u64,
    anchor: Option<Fingerprint>,
    mut window: Window,
) -> Result<Rows<'a>, Refusal> {
    let Some(section) = list.section(of) else {
        return Err(Refusal::Coded(404, format!("there is no group {} with such alerts now", show::id(of))));
    };
    let at = |fingerprint| {
        let of = |index: &u32| board.rows[*index as usize].alert.alert.fingerprint;
        section.rows.iter().position(|index| of(index) == fingerprint)
    };
    if let Some(place) = anchor.and_then(at) {
        window.offset = place;
    }
    let row = |index: &u32| AlertRow::new(board, &board.rows[*index as usize]);
    Ok(Rows {
        version: show::version(board),
        total: section.rows.len(),
        offset: window.offset,
        common: Labels(section.common(board)),
        rows: window.of(&section.rows).iter().map(row).collect(),
    })
}
