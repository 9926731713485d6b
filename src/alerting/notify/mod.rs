//! Notifications as data: each integration makes a [`Request`] and judges a [`Response`]; the shell only carries them.

mod discord;
mod msteams;
mod render;
mod truncate;
mod webex;
pub mod webhook;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::alert::Alert;
use crate::config::{HttpConfig, Settings, UrlSource};
use crate::label::LabelSet;
use crate::nflog::SendReason;
use crate::time::Timestamp;

pub use render::{Notification, Unsendable};

/// An HTTP request to a receiver.
#[derive(Debug, Clone)]
pub struct Request {
    /// `POST`, `GET`, …
    pub method: &'static str,
    /// Secret: never for logs or errors. A file is read by the shell, at each attempt.
    pub url: UrlSource,
    /// Names and values, beyond what `http` adds.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Bytes,
    /// How to connect; shared by all requests of one integration, so that the shell can keep its connections.
    pub http: Arc<HttpConfig>,
    /// For log and metrics, e.g. `team-x/webhook[0]`.
    pub integration: Arc<str>,
}

/// What a receiver said.
#[derive(Debug, Clone)]
pub struct Response {
    /// HTTP status code.
    pub status: u16,
    /// The `Retry-After` header, if it was a number of seconds.
    pub retry_after: Option<Duration>,
    /// The beginning of the body, for the log: at most 1 KiB.
    pub body: String,
}

/// Why there is no response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportError {
    /// What is known of the cause, without the URL.
    pub message: String,
    /// The time for it was over.
    pub timed_out: bool,
}

/// What an attempt comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Delivered.
    Done,
    /// Worth another attempt, not before the time given if the receiver gave one.
    Retry {
        /// The receiver's wish.
        after: Option<Duration>,
        /// Label of the failure metric.
        reason: &'static str,
        /// For the log.
        error: String,
    },
    /// Another attempt would be in vain.
    GiveUp {
        /// Label of the failure metric.
        reason: &'static str,
        /// For the log.
        error: String,
    },
}

/// What a notification is about: the data that every integration and template sees.
#[derive(Debug, Clone)]
pub struct Data {
    /// When.
    pub now: Timestamp,
    /// Name of the receiver, not yet quoted.
    pub receiver: Arc<str>,
    /// Why it is sent.
    pub reason: SendReason,
    /// By which the group is.
    pub group_labels: LabelSet,
    /// Labels of the route.
    pub route_labels: LabelSet,
    /// The group key.
    pub group_key: Arc<str>,
    /// Link base, without a trailing slash.
    pub external_url: String,
    /// In the order to print; resolved ones as of `now`.
    pub alerts: Vec<Arc<Alert>>,
}

/// The request that tells an integration of a notification.
///
/// # Errors
/// When it can't be made, now or later.
pub fn request(settings: &Settings, of: &Notification<'_>) -> Result<Request, Unsendable> {
    match settings {
        Settings::Discord(config) => discord::request(config, of),
        Settings::MsTeams(config) => msteams::request(config, of),
        Settings::MsTeamsV2(config) => msteams::request_v2(config, of),
        Settings::Webex(config) => webex::request(config, of),
        Settings::Webhook(config) => webhook::request(config, of),
        _ => Err(Unsendable::Unsupported),
    }
}

/// How long one attempt may take at most, if the integration says so.
pub fn timeout(settings: &Settings) -> Option<Duration> {
    match settings {
        Settings::Webhook(config) => Some(config.timeout).filter(|timeout| !timeout.is_zero()),
        _ => None,
    }
}

/// What a response comes to: 2xx is done, 5xx and 429 are tried again, the rest is final.
pub fn verdict(response: &Response) -> Verdict {
    let reason = failure_reason(response.status);
    let body = response.body.trim();
    let body = if body.is_empty() { String::new() } else { format!(": {body}") };
    let error = format!("unexpected status code {}{body}", response.status);
    match response.status {
        200..=299 => Verdict::Done,
        429 | 500..=599 => Verdict::Retry { after: response.retry_after, reason, error },
        _ => Verdict::GiveUp { reason, error },
    }
}

/// The failure label of an HTTP status (reference behaviour).
pub fn failure_reason(status: u16) -> &'static str {
    match status {
        401 | 403 => "authError",
        429 => "rateLimited",
        400..=499 => "clientError",
        500..=599 => "serverError",
        _ => "other",
    }
}
