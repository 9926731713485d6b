//! `facets`: which labels alerts have, and how many have which value.

use std::collections::{BTreeMap, HashMap, HashSet};

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;

use serde::Serialize;

use super::super::query::Query;
use super::super::refusal::Refusal;
use super::super::{Api, json};
use super::arrange;
use super::ask::{Ask, Window};
use super::board::Board;
use super::show;

#[derive(Serialize)]
struct Facets {
    version: String,
    alerts: usize,
    labels: Vec<Label>,
    /// Alerts by receiver; one counts for each.
    receivers: BTreeMap<String, usize>,
}

#[derive(Serialize)]
struct Label {
    name: String,
    /// Different values.
    distinct: usize,
    /// Alerts that have it.
    alerts: usize,
    /// The most frequent ones first.
    values: Vec<Value>,
}

#[derive(Serialize)]
struct Value {
    value: String,
    alerts: usize,
}

/// `GET`: of alerts as in `groups`; `label` for one label only, `prefix` for values or, without `label`, names that
/// contain it, `limit` for so many values of each.
pub(super) async fn list(
    State(api): State<Api>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let query = Query::new(query.as_deref());
    let (ask, window) = (Ask::read(&query, api.state.options.mode)?, Window::read(&query)?);
    let label = query.last("label").map(str::to_owned);
    let part = query.last("prefix").unwrap_or_default().to_lowercase();
    let boards = api.boards.clone();
    super::answer(&api, &headers, move |board| {
        let list = boards.arranged(board, &ask);
        let indices = list.groups.iter().flat_map(|section| &section.rows).copied();
        Ok(json::encode(&facets(board, indices, label.as_deref(), &part, window.limit)))
    })
    .await
}

fn facets(board: &Board, rows: impl Iterator<Item = u32>, label: Option<&str>, part: &str, limit: usize) -> Facets {
    let mut seen = HashSet::new();
    let mut labels: BTreeMap<&str, HashMap<&str, usize>> = BTreeMap::new();
    for index in rows {
        let row = &board.rows[index as usize];
        if !seen.insert(row.alert.alert.fingerprint) {
            continue;
        }
        for (name, value) in row.labels().iter().filter(|(name, _)| label.is_none_or(|wanted| wanted == *name)) {
            *labels.entry(name).or_default().entry(value).or_default() += 1;
        }
    }
    let contains = |text: &str| part.is_empty() || text.to_lowercase().contains(part);
    let show = |(name, values): (&str, HashMap<&str, usize>)| {
        let (distinct, alerts) = (values.len(), values.values().sum());
        let mut values: Vec<_> = values.into_iter().filter(|(value, _)| label.is_none() || contains(value)).collect();
        values.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        values.truncate(limit);
        let values = values.into_iter().map(|(value, alerts)| Value { value: value.to_owned(), alerts }).collect();
        Label { name: name.to_owned(), distinct, alerts, values }
    };
    let mut labels: Vec<_> =
        labels.into_iter().filter(|(name, _)| label.is_some() || contains(name)).map(show).collect();
    // what tells alerts apart without telling each one apart comes first
    labels.sort_by_key(|label| {
        (label.distinct < 2, label.distinct * 4 > label.alerts * 3, std::cmp::Reverse(label.alerts))
    });
    let receivers = arrange::receivers(board).into_iter().map(|(name, count)| (name.to_string(), count)).collect();
    Facets { version: show::version(board), alerts: seen.len(), labels, receivers }
}
