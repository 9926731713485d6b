//! Notifications as data: each integration makes a [`Request`] and judges a [`Response`]; the shell only carries them.

mod answer;
mod discord;
pub mod email;
mod incidentio;
mod jira;
mod mattermost;
mod msteams;
mod no_proxy;
pub mod oauth2;
mod opsgenie;
mod pagerduty;
mod pushover;
mod render;
mod rocketchat;
mod slack;
mod sns;
mod telegram;
mod truncate;
mod value;
mod victorops;
mod webex;
pub mod webhook;
mod wechat;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::alert::Alert;
use crate::config::{HttpConfig, Secret, SecretSource, Settings, UrlSource};
use crate::label::LabelSet;
use crate::nflog::SendReason;
use crate::time::Timestamp;

pub use answer::{Then, Verdict, failure_reason};
pub use email::Mail;
pub use no_proxy::NoProxy;
pub use render::{Notification, Unsendable};
pub use sns::{Signing, aws_url};
pub use wechat::TOKEN_LIFE;

/// Contents of files, as they are, by path.
pub type Files = BTreeMap<String, String>;

/// One request of an attempt, and what its response decides.
#[derive(Debug, Clone)]
pub struct Step {
    /// To be sent.
    pub request: Outgoing,
    /// How its response is read.
    pub then: Then,
}

/// What leaves for a receiver.
#[derive(Debug, Clone)]
pub enum Outgoing {
    /// Over HTTP.
    Http(Request),
    /// To a mail server; what it answers at last comes as the status of the response.
    Mail(Box<Mail>),
}

/// An HTTP request to a receiver.
#[derive(Debug, Clone)]
pub struct Request {
    /// `POST`, `GET`, …
    pub method: &'static str,
    /// Never for logs or errors. Not checked yet.
    pub url: Secret,
    /// Names and values, beyond what `http` adds.
    pub headers: Vec<(&'static str, String)>,
    /// The same, not for logs. `Authorization` takes the place of what `http` says.
    pub secret_headers: Vec<(&'static str, Secret)>,
    /// The body.
    pub body: Bytes,
    /// How to connect; shared by all requests of one integration, so that the shell can keep its connections.
    pub http: Arc<HttpConfig>,
    /// To be signed for AWS.
    pub sign: Option<Arc<Signing>>,
    /// For log and metrics, e.g. `team-x/webhook[0]`.
    pub integration: Arc<str>,
    /// How much of the response's body is of use, in bytes.
    pub reply_max: usize,
}

impl Outgoing {
    /// The request, unless it's a mail.
    pub fn http(&self) -> Option<&Request> {
        match self {
            Self::Http(request) => Some(request),
            Self::Mail(_) => None,
        }
    }

    /// For log and metrics, e.g. `team-x/webhook[0]`.
    pub fn integration(&self) -> &Arc<str> {
        match self {
            Self::Http(request) => &request.integration,
            Self::Mail(mail) => &mail.integration,
        }
    }
}

impl From<Request> for Outgoing {
    fn from(request: Request) -> Self {
        Self::Http(request)
    }
}

impl From<Mail> for Outgoing {
    fn from(mail: Mail) -> Self {
        Self::Mail(Box::new(mail))
    }
}

/// Of a body that only a log will show.
pub const REPLY_LOGGED: usize = 1 << 10;

/// Of a body that is to be read.
const REPLY_READ: usize = 1 << 20;

/// What a receiver said.
#[derive(Debug, Clone, Default)]
pub struct Response {
    /// HTTP status code.
    pub status: u16,
    /// The `Retry-After` header, if it was a number of seconds.
    pub retry_after: Option<Duration>,
    /// The `Content-Type` header, or nothing.
    pub content_type: String,
    /// The beginning of the body: as much as the request asked for.
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

/// The files whose contents the next request needs, read anew for each attempt; relative to the working directory.
pub fn files(settings: &Settings) -> Vec<&str> {
    let url = match settings {
        Settings::Discord(config) => Some(&config.webhook_url),
        Settings::Incidentio(config) => Some(&config.url),
        Settings::Mattermost(config) => Some(&config.webhook_url),
        Settings::MsTeams(config) => Some(&config.webhook_url),
        Settings::MsTeamsV2(config) => Some(&config.webhook_url),
        Settings::Slack(config) => Some(&config.url),
        Settings::Webhook(config) => Some(&config.url),
        _ => None,
    };
    let url = url.and_then(|url| match url {
        UrlSource::File(path) => Some(path.as_str()),
        UrlSource::Inline(_) => None,
    });
    // those of incident.io and Rocket.Chat are read when a config is taken into use
    let secrets: [Option<&SecretSource>; 2] = match settings {
        Settings::Email(config) => email::files(config),
        Settings::Opsgenie(config) => [Some(&config.api_key), None],
        // the first makes the second superfluous
        Settings::Pagerduty(config) => [config.service_key.as_ref().or(config.routing_key.as_ref()), None],
        Settings::Pushover(config) => [Some(&config.token), Some(&config.user_key)],
        Settings::Telegram(config) => [Some(&config.bot_token), None],
        Settings::Victorops(config) => [Some(&config.api_key), None],
        Settings::Wechat(config) => [Some(&config.api_secret), None],
        _ => [None, None],
    };
    let secrets = secrets.into_iter().flatten().filter_map(|secret| match secret {
        SecretSource::File(path) => Some(path.as_str()),
        SecretSource::Inline(_) => None,
    });
    let other = match settings {
        Settings::Telegram(config) => config.chat_id_file.as_deref(),
        _ => None,
    };
    url.into_iter().chain(secrets).chain(other).collect()
}

/// The first request that tells an integration of a notification.
///
/// # Errors
/// When it can't be made, now or later.
pub fn request(settings: &Settings, of: &Notification<'_>) -> Result<Step, Unsendable> {
    match settings {
        Settings::Discord(config) => discord::request(config, of),
        Settings::Email(config) => email::request(config, of),
        Settings::Incidentio(config) => incidentio::request(config, of),
        Settings::Jira(config) => jira::request(config, of),
        Settings::Mattermost(config) => mattermost::request(config, of),
        Settings::MsTeams(config) => msteams::request(config, of),
        Settings::MsTeamsV2(config) => msteams::request_v2(config, of),
        Settings::Opsgenie(config) => opsgenie::request(config, of),
        Settings::Pagerduty(config) => pagerduty::request(config, of),
        Settings::Pushover(config) => pushover::request(config, of),
        Settings::Rocketchat(config) => rocketchat::request(config, of),
        Settings::Slack(config) => slack::request(config, of),
        Settings::Sns(config) => sns::request(config, of),
        Settings::Telegram(config) => telegram::request(config, of),
        Settings::Victorops(config) => victorops::request(config, of),
        Settings::Webex(config) => webex::request(config, of),
        Settings::Webhook(config) => webhook::request(config, of),
        Settings::Wechat(config) => wechat::request(config, of),
    }
}

/// How long one attempt may take at most, if the integration says so.
pub fn timeout(settings: &Settings) -> Option<Duration> {
    let timeout = match settings {
        Settings::Incidentio(config) => config.timeout,
        Settings::Pagerduty(config) => config.timeout,
        Settings::Slack(config) => config.timeout,
        Settings::Webhook(config) => config.timeout,
        _ => Duration::ZERO,
    };
    Some(timeout).filter(|timeout| !timeout.is_zero())
}
