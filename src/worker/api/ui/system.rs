//! `system`: the process, its configuration and how its receivers do.

use std::sync::Arc;

use alerting::stats::{FAILURE_REASONS, IntegrationStats};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;

use super::super::refusal::Refusal;
use super::super::{Api, json};
use super::tagged;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct System {
    member: String,
    version: String,
    revision: String,
    branch: String,
    started_at: String,
    external_url: String,
    /// Why this member isn't ready; absent when it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    waits_for: Option<String>,
    config: Config,
    /// By kind and receiver; of all receivers together unless asked otherwise on the command line.
    receivers: Vec<Receiver>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    hash: String,
    /// When it was taken into use.
    loaded_at: String,
    /// Why the last one that was tried isn't in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    original: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Receiver {
    name: Arc<str>,
    integration: &'static str,
    /// Requests that receivers took.
    sent: u64,
    /// Requests that failed; each is tried again for a while.
    attempts_failed: u64,
    /// Notifications that were given up.
    failed: u64,
    /// Of those, how many for which reason.
    reasons: std::collections::BTreeMap<&'static str, u64>,
}

/// `GET`.
pub(super) async fn show(State(api): State<Api>, headers: HeaderMap) -> Result<Response, Refusal> {
    let look = api.state.handle.view(|view| {
        let config = view.config().map(|config| config.original.clone());
        (view.cluster().name, view.readiness(), config, view.stats().integrations.clone())
    });
    let (member, readiness, original, integrations) = look.await?;
    let reload = api.state.reload_status.borrow().clone();
    let options = &api.state.options;
    let system = System {
        member,
        version: options.version.version.clone(),
        revision: options.version.revision.clone(),
        branch: options.version.branch.clone(),
        started_at: options.started_at.rfc3339_millis(),
        external_url: options.external_url.clone(),
        waits_for: match readiness {
            alerting::view::Readiness::Ready => None,
            alerting::view::Readiness::Waiting(text) => Some(text),
        },
        config: Config {
            hash: reload.hash.to_string(),
            loaded_at: reload.last_success_time.rfc3339_millis(),
            error: reload.error,
            original: original.map(|text| text.to_string()).unwrap_or_default(),
        },
        receivers: integrations.iter().map(receiver).collect(),
    };
    Ok(tagged(&headers, json::encode(&system)))
}

fn receiver(stats: &IntegrationStats) -> Receiver {
    let reasons = FAILURE_REASONS.into_iter().zip(stats.failed).filter(|(_, count)| *count > 0);
    Receiver {
        name: stats.receiver.clone(),
        integration: stats.kind,
        sent: stats.requests.saturating_sub(stats.requests_failed),
        attempts_failed: stats.requests_failed,
        failed: stats.failed.iter().sum(),
        reasons: reasons.collect(),
    }
}
