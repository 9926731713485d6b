//! `/api/v2/receivers`: names and labels of the configured receivers.

use alerting::json::Labels;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use super::query::Query;
use super::refusal::Refusal;
use super::request::TakesJson;
use super::{Api, json};

#[derive(Serialize)]
struct Receiver<'a> {
    labels: Labels<'a>,
    name: &'a str,
}

/// `GET`: in the order of the config.
pub(super) async fn list(State(api): State<Api>, _: TakesJson, RawQuery(query): RawQuery) -> Result<Response, Refusal> {
    let matchers = Query::new(query.as_deref()).receiver_matchers(api.state.options.mode)?;
    let config = api.state.handle.view(|view| view.config().cloned()).await?;
    let receivers = config.iter().flat_map(|config| &config.receivers);
    let shown = receivers.filter(|receiver| matchers.iter().all(|m| m.matches(&receiver.labels)));
    let shown: Vec<_> = shown.map(|r| Receiver { labels: Labels(&r.labels), name: &r.name }).collect();
    Ok(json::response(StatusCode::OK, &shown))
}
