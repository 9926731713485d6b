//! What the response to a request decides: whether the notification is delivered, what follows, or what went wrong.

use std::collections::VecDeque;
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::{REPLY_LOGGED, Request, Response, Step, jira, pagerduty, rocketchat, slack, sns, telegram, wechat};
use crate::config::Secret;

/// How a response is read; holds what the rest of the attempt needs.
#[derive(Debug, Clone)]
pub enum Then {
    /// Nothing follows, the status says it all: 2xx is done, 5xx and 429 are tried again, the rest is final.
    Status,
    /// The same, with the service's own words for what is wrong, read from status and body.
    Explained(fn(u16, &str) -> String),
    /// The same for each of several requests, of which these follow.
    Each(VecDeque<Request>),
    /// The next step towards a Jira issue.
    Jira(Box<jira::Plan>),
    /// As PagerDuty's first version means it.
    PagerdutyV1,
    /// What Rocket.Chat says in JSON counts as well.
    Rocketchat,
    /// What Slack says in its body counts as well.
    Slack {
        /// Whether the message will be changed.
        keep: bool,
    },
    /// As AWS's library means it for SNS.
    Sns,
    /// What Telegram says in JSON counts, and only that.
    Telegram,
    /// The code that WeChat says in JSON counts as well.
    Wechat,
    /// WeChat's token, with which the message is sent.
    WechatToken(Box<wechat::Waiting>),
}

/// What an attempt comes to.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// Delivered.
    Done {
        /// What the next notification of the group is to find again, by name.
        keep: Vec<(&'static str, String)>,
    },
    /// The attempt goes on.
    Next(Box<Step>),
    /// The same, and there is a token that later notifications of the integration can use as well.
    Learned {
        /// Good for [`super::TOKEN_LIFE`].
        token: Secret,
        /// What is next.
        step: Box<Step>,
    },
    /// Worth another attempt, but without the token that was learned.
    Expired {
        /// For the log.
        error: String,
    },
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

impl Verdict {
    /// Delivered, with nothing to find again.
    pub(super) const DONE: Self = Self::Done { keep: Vec::new() };
}

impl Then {
    /// What the response to the request decides.
    pub fn verdict(self, response: &Response) -> Verdict {
        match self {
            Self::Status => by_status(response, logged(&response.body)),
            Self::Explained(details) => by_status(response, &details(response.status, &response.body)),
            Self::Each(mut rest) => match (by_status(response, logged(&response.body)), rest.pop_front()) {
                (Verdict::Done { .. }, Some(request)) => {
                    Verdict::Next(Box::new(Step { request: request.into(), then: Self::Each(rest) }))
                }
                (verdict, _) => verdict,
            },
            Self::Jira(plan) => plan.verdict(response),
            Self::PagerdutyV1 => pagerduty::verdict_v1(response),
            Self::Rocketchat => rocketchat::verdict(response),
            Self::Slack { keep } => slack::verdict(keep, response),
            Self::Sns => sns::verdict(response),
            Self::Telegram => telegram::verdict(response),
            Self::Wechat => wechat::verdict(response),
            Self::WechatToken(waiting) => waiting.verdict(response),
        }
    }
}

/// The usual judgement; `details` are the receiver's words.
pub(super) fn by_status(response: &Response, details: &str) -> Verdict {
    let reason = failure_reason(response.status);
    let error = unexpected(response.status, details);
    match response.status {
        200..=299 => Verdict::DONE,
        429 | 500..=599 => Verdict::Retry { after: response.retry_after, reason, error },
        _ => Verdict::GiveUp { reason, error },
    }
}

/// The text for a status that is none of success.
pub(super) fn unexpected(status: u16, details: &str) -> String {
    let before = if details.is_empty() { "" } else { ": " };
    format!("unexpected status code {status}{before}{details}")
}

/// The first JSON value of a text.
pub(super) fn first_json<T: DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    T::deserialize(&mut serde_json::Deserializer::from_str(text))
}

/// As much of a body as a log should show.
pub(super) fn logged(body: &str) -> &str {
    body[..body.floor_char_boundary(REPLY_LOGGED)].trim()
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
