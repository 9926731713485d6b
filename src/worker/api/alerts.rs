//! `/api/v2/alerts`: what fires, and where Prometheus posts.

use alerting::effects::{Answer, Input};
use alerting::time::Timestamp;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

use super::posted::{self, Batch, ENDS_BEFORE_START, Refused};
use super::query::Query;
use super::request::{JsonBody, TakesJson};
use super::{Api, dto, json, refusal};
use crate::clock::now;

/// From as many alerts on an answer is worth a thread of its own.
pub(super) const MANY: usize = 2_000;

/// From as many bytes on a body is worth a thread of its own.
const BIG: usize = 1 << 20;

/// `GET`: alerts that aren't resolved, sorted by fingerprint.
pub(super) async fn list(State(api): State<Api>, _: TakesJson, RawQuery(query): RawQuery) -> Response {
    let filter = match Query::new(query.as_deref()).alert_filter(api.state.options.mode) {
        Ok(filter) => filter,
        Err(refused) => return refused,
    };
    match api.state.handle.view(move |view| view.alerts(&filter)).await {
        Ok(rows) => json::response_aside(StatusCode::OK, rows.len() >= MANY, dto::Alerts(rows)).await,
        Err(stopped) => stopped.into_response(),
    }
}

/// `POST`: takes what is valid, then complains about the rest.
pub(super) async fn add(State(api): State<Api>, JsonBody(body): JsonBody) -> Response {
    let Some(body) = body else { return refusal::required("alerts") };
    let now = now();
    let mut batch = match read(&api, body, now).await {
        Ok(batch) => batch,
        Err(Refused::Field(code, text)) => return refusal::coded(code, &text),
        Err(Refused::Malformed(text)) => {
            return refusal::coded(400, &format!("parsing alerts body from \"\" failed, because {text}"));
        }
    };
    refuse_late_starts(&api, &mut batch, now).await;
    api.http.count_invalid(batch.invalid_firing, batch.invalid_resolved);
    if !batch.alerts.is_empty() {
        let alerts = batch.alerts;
        match api.state.handle.ask(move |ticket| Input::Alerts { ticket, alerts }).await {
            Ok(Answer::Done | Answer::Silence(_)) => {}
            Ok(Answer::Refused(error)) => return refusal::said(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
            Err(stopped) => return stopped.into_response(),
        }
    }
    if batch.errors.is_empty() {
        return StatusCode::OK.into_response();
    }
    let errors = batch.errors.join("\n");
    tracing::error!(errors, "alerts are invalid");
    refusal::bad_request(&errors)
}

async fn read(api: &Api, body: Bytes, now: Timestamp) -> Result<Batch, Refused> {
    let mode = api.state.options.mode;
    if body.len() < BIG {
        return posted::read(&body, mode, now);
    }
    let read = tokio::task::spawn_blocking(move || posted::read(&body, mode, now));
    read.await.unwrap_or_else(|_| Err(Refused::Malformed("the process is stopping".into())))
}

/// An alert without an end gets one from the config; one that starts after that is as wrong as any other that ends
/// before it starts. Nearly never is there one, so that the config is looked up only then.
async fn refuse_late_starts(api: &Api, batch: &mut Batch, now: Timestamp) {
    let late = |starts_at: Option<Timestamp>, limit: Timestamp| starts_at.is_some_and(|start| start > limit);
    if !batch.alerts.iter().any(|a| a.ends_at.is_none() && late(a.starts_at, now)) {
        return;
    }
    let Ok(Some(timeout)) = api.state.handle.view(|view| view.config().map(|c| c.resolve_timeout)).await else {
        return;
    };
    let before = batch.alerts.len();
    batch.alerts.retain(|a| !(a.ends_at.is_none() && late(a.starts_at, now + timeout)));
    let refused = before - batch.alerts.len();
    batch.errors.extend(std::iter::repeat_n(ENDS_BEFORE_START.to_owned(), refused));
    batch.invalid_firing += refused as u64;
}
