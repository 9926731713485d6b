//! `/api/v2/receivers`: names and labels of the configured receivers.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::dto::Labels;
use super::query::Query;
use super::request::TakesJson;
use super::{Api, json};

#[derive(Serialize)]
struct Receiver<'a> {
    labels: Labels<'a>,
    name: &'a str,
}

/// `GET`: in the order of the config.
pub(super) async fn list(State(api): State<Api>, _: TakesJson, RawQuery(query): RawQuery) -> Response {
    let matchers = match Query::new(query.as_deref()).receiver_matchers(api.state.options.mode) {
        Ok(matchers) => matchers,
        Err(refused) => return refused,
    };
    let config = match api.state.handle.view(|view| view.config().cloned()).await {
        Ok(config) => config,
        Err(stopped) => return stopped.into_response(),
    };
    let receivers = config.iter().flat_map(|config| &config.receivers);
    let shown = receivers.filter(|receiver| matchers.iter().all(|m| m.matches(&receiver.labels)));
    let shown: Vec<_> = shown.map(|r| Receiver { labels: Labels(&r.labels), name: &r.name }).collect();
    json::response(StatusCode::OK, &shown)
}
