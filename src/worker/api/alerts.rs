//! `/api/v2/alerts`: what fires, and where Prometheus posts.

use alerting::effects::{Answer, Input};
use alerting::time::Timestamp;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

use super::posted::{self, Batch, ENDS_BEFORE_START, Refused};
use super::query::Query;
use super::refusal::Refusal;
use super::request::{JsonBody, TakesJson};
use super::{Api, dto, json};
use crate::clock::now;

/// From as many alerts on an answer is worth a thread of its own.
pub(super) const MANY: usize = 2_000;

/// From as many bytes on a body is worth a thread of its own.
const BIG: usize = 1 << 20;

/// `GET`: alerts that aren't resolved, sorted by fingerprint.
pub(super) async fn list(State(api): State<Api>, _: TakesJson, RawQuery(query): RawQuery) -> Result<Response, Refusal> {
    let filter = Query::new(query.as_deref()).alert_filter(api.state.options.mode)?;
    let rows = api.state.handle.view(move |view| view.alerts(&filter)).await?;
    Ok(json::response_aside(StatusCode::OK, rows.len() >= MANY, dto::Alerts(rows)).await)
}

/// `POST`: takes what is valid, then complains about the rest.
pub(super) async fn add(State(api): State<Api>, JsonBody(body, _share): JsonBody) -> Result<Response, Refusal> {
    let body = body.ok_or_else(|| Refusal::required("alerts"))?;
    let now = now();
    let mut batch = read(&api, body, now).await.map_err(|refused| match refused {
        Refused::Field(code, text) => Refusal::Coded(code, text),
        Refused::Malformed(text) => {
            Refusal::Coded(400, format!("parsing alerts body from \"\" failed, because {text}"))
        }
    })?;
    refuse_late_starts(&api, &mut batch, now).await;
    api.http.count_invalid(batch.invalid_firing, batch.invalid_resolved);
    if !batch.alerts.is_empty() {
        let alerts = batch.alerts;
        let answer = api.state.handle.ask(move |ticket| Input::Alerts { ticket, alerts }).await?;
        if let Answer::Refused(error) = answer {
            return Err(Refusal::internal(error.to_string()));
        }
    }
    if batch.errors.is_empty() {
        return Ok(StatusCode::OK.into_response());
    }
    let errors = batch.errors.join("\n");
    tracing::error!(errors, "alerts are invalid");
    Err(Refusal::bad_request(errors))
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
