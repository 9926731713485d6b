//! `groups`: the headers of groups, without their alerts.

use std::collections::BTreeMap;
use std::sync::Arc;

use alerting::json::Labels;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;

use super::super::query::Query;
use super::super::refusal::Refusal;
use super::super::{Api, json};
use super::arrange::{Arranged, Counts, Section};
use super::ask::{Ask, Window};
use super::board::Board;
use super::show;

#[derive(Serialize)]
struct Groups<'a> {
    version: String,
    /// The member that says so.
    member: String,
    at: String,
    /// Alerts in the list, each once.
    alerts: usize,
    /// Alerts that there are at all.
    all: usize,
    /// Alerts that pass whatever isn't about states.
    states: Counts,
    /// Groups in the list.
    total: usize,
    offset: usize,
    groups: Vec<Header<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Header<'a> {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    receiver: Option<&'a str>,
    /// The group key, by which logs and receivers know it.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    labels: Labels<'a>,
    alerts: usize,
    states: Counts,
    severities: &'a BTreeMap<String, usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_flush: Option<String>,
    muted_by: &'a [Arc<str>],
}

/// `GET`.
pub(super) async fn list(
    State(api): State<Api>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let question = ("groups", query.clone().unwrap_or_default());
    let query = Query::new(query.as_deref());
    let (ask, window) = (Ask::read(&query, api.state.options.mode)?, Window::read(&query)?);
    let boards = api.boards.clone();
    super::answer(&api, &headers, question, move |board| {
        Ok(json::encode(&groups(board, &boards.arranged(board, &ask), window)))
    })
    .await
}

fn groups<'a>(board: &'a Board, list: &'a Arranged, window: Window) -> Groups<'a> {
    Groups {
        version: show::version(board),
        member: board.cluster.name.clone(),
        at: board.at.rfc3339_millis(),
        alerts: list.alerts,
        all: list.all,
        states: list.states,
        total: list.groups.len(),
        offset: window.offset,
        groups: window.of(&list.groups).iter().map(|section| header(board, section)).collect(),
    }
}

fn header<'a>(board: &'a Board, section: &'a Section) -> Header<'a> {
    let group = section.group.map(|group| &board.groups[group as usize]);
    // all alerts of a group as it is notified are muted, or none
    let muted_by = section.rows.first().filter(|_| group.is_some());
    Header {
        id: show::id(section.id),
        receiver: group.map(|group| &*group.receiver),
        key: group.map(|group| &*group.key),
        labels: Labels(&section.labels),
        alerts: section.rows.len(),
        states: section.states,
        severities: &section.severities,
        next_flush: group.map(|group| group.next_flush.rfc3339_millis()),
        muted_by: muted_by.map(|row| &*board.rows[*row as usize].alert.status.muted_by).unwrap_or_default(),
    }
}
