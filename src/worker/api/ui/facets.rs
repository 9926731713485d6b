//! `facets`: which labels alerts have, and how many have which value.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;

use serde::Serialize;

use super::super::query::Query;
use super::super::refusal::Refusal;
use super::super::{Api, json};
use super::arrange::{self, Arranged, Facet};
use super::ask::{Ask, Window};
use super::board::Board;
use super::show;

#[derive(Serialize)]
struct Facets<'a> {
    version: String,
    alerts: usize,
    labels: Vec<Label<'a>>,
    /// Alerts by receiver; one counts for each.
    receivers: BTreeMap<Arc<str>, usize>,
}

#[derive(Serialize)]
struct Label<'a> {
    name: &'a str,
    /// Different values.
    distinct: usize,
    /// Alerts that have it.
    alerts: usize,
    /// The most frequent ones first.
    values: Vec<Value<'a>>,
}

#[derive(Serialize)]
struct Value<'a> {
    value: &'a str,
    alerts: usize,
}

/// `GET`: of alerts as in `groups`; `label` for one label only, `prefix` for values or, without `label`, names that
/// contain it, `limit` for so many values of each.
pub(super) async fn list(
    State(api): State<Api>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let question = ("facets", query.clone().unwrap_or_default());
    let query = Query::new(query.as_deref());
    let (ask, window) = (Ask::read(&query, api.state.options.mode)?, Window::read(&query)?);
    let label = query.last("label").map(str::to_owned);
    let part = query.last("prefix").unwrap_or_default().to_lowercase();
    let boards = api.boards.clone();
    super::answer(&api, &headers, question, move |board| {
        let list = boards.arranged(board, &ask);
        Ok(json::encode(&facets(board, &list, label.as_deref(), &part, window.limit)))
    })
    .await
}

fn facets<'a>(board: &Board, list: &'a Arranged, label: Option<&str>, part: &str, limit: usize) -> Facets<'a> {
    let contains = |text: &str| part.is_empty() || text.to_lowercase().contains(part);
    let wanted = |facet: &&Facet| label.map_or_else(|| contains(&facet.name), |name| facet.name == name);
    let show = |facet: &'a Facet| {
        let values = facet.values.iter().filter(|(value, _)| label.is_none() || contains(value));
        Label {
            name: &facet.name,
            distinct: facet.values.len(),
            alerts: facet.values.iter().map(|(_, alerts)| alerts).sum(),
            values: most_frequent(values.collect(), limit),
        }
    };
    let mut labels: Vec<_> = list.facets(board).iter().filter(wanted).map(show).collect();
    // what tells alerts apart without telling each one apart comes first
    labels.sort_by_key(|label| (label.distinct < 2, label.distinct * 4 > label.alerts * 3, Reverse(label.alerts)));
    Facets { version: show::version(board), alerts: list.alerts, labels, receivers: arrange::receivers(board) }
}

/// So many of them, in order; there may be as many values as alerts.
fn most_frequent(mut values: Vec<&(String, usize)>, limit: usize) -> Vec<Value<'_>> {
    let order = |a: &&(String, usize), b: &&(String, usize)| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0));
    if limit < values.len() {
        values.select_nth_unstable_by(limit, order);
        values.truncate(limit);
    }
    values.sort_unstable_by(order);
    values.into_iter().map(|(value, alerts)| Value { value, alerts: *alerts }).collect()
}
