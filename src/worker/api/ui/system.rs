//! `system`: the process, its configuration and how its receivers do.

use std::sync::Arc;

use alerting::stats::{FAILURE_REASONS, IntegrationStats};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use base64::Engine;
use serde::Serialize;

use super::super::refusal::Refusal;
use super::super::{Api, json};
use super::tagged;

/// As oauth2-proxy, Authelia and others call it.
const PROXY_HEADERS: [&str; 4] = ["x-forwarded-user", "x-auth-request-user", "remote-user", "x-forwarded-email"];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct System {
    member: String,
    /// Who asks, as the password or a proxy before us says: what the page calls the author of a silence.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
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
        user: user(&headers),
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

/// The name of HTTP authentication, which was checked if it is asked for; else that of a header by which proxies tell it.
/// It is a suggestion and no right: whoever may make silences may call themselves anything.
fn user(headers: &HeaderMap) -> Option<String> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let basic = text("authorization").and_then(|value| value.strip_prefix("Basic "));
    let basic = basic.and_then(|coded| base64::engine::general_purpose::STANDARD.decode(coded).ok());
    let basic = basic.and_then(|pair| String::from_utf8(pair).ok());
    let basic = basic.and_then(|pair| Some(pair.split_once(':')?.0.to_owned()));
    let told = PROXY_HEADERS.iter().find_map(|name| text(name)).map(str::to_owned);
    basic.or(told).map(|name| name.trim().to_owned()).filter(|name| !name.is_empty())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_is_known_by_password_or_proxy() {
        let of = |pairs: &[(&'static str, &'static str)]| {
            let pairs = pairs.iter().map(|(name, value)| {
                (axum::http::HeaderName::from_static(name), axum::http::HeaderValue::from_static(value))
            });
            user(&pairs.collect())
        };
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[("x-forwarded-user", "bob")]).as_deref(), Some("bob"));
        // ann:secret
        let basic = ("authorization", "Basic YW5uOnNlY3JldA==");
        assert_eq!(of(&[("x-forwarded-user", "bob"), basic]).as_deref(), Some("ann"));
        assert_eq!(of(&[("authorization", "Basic %")]), None);
        assert_eq!(of(&[("remote-user", " ")]), None);
    }
}
