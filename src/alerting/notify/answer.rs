//! What the response to a request decides: whether the notification is delivered, what follows, or what went wrong.

use std::collections::VecDeque;
use std::time::Duration;

use super::{REPLY_LOGGED, Request, Response, Step, pagerduty, rocketchat, slack, telegram};

/// How a response is read; holds what the rest of the attempt needs.
#[derive(Debug, Clone)]
pub enum Then {
    /// Nothing follows, the status says it all: 2xx is done, 5xx and 429 are tried again, the rest is final.
    Status,
    /// The same, with the service's own words for what is wrong, read from status and body.
    Explained(fn(u16, &str) -> String),
    /// The same for each of several requests, of which these follow.
    Each(VecDeque<Request>),
    /// As PagerDuty's first version means it.
    PagerdutyV1,
    /// What Rocket.Chat says in JSON counts as well.
    Rocketchat,
    /// What Slack says in its body counts as well.
    Slack {
        /// Whether the message will be changed.
        keep: bool,
    },
    /// What Telegram says in JSON counts, and only that.
    Telegram,
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
                    Verdict::Next(Box::new(Step { request, then: Self::Each(rest) }))
                }
                (verdict, _) => verdict,
            },
            Self::PagerdutyV1 => pagerduty::verdict_v1(response),
            Self::Rocketchat => rocketchat::verdict(response),
            Self::Slack { keep } => slack::verdict(keep, response),
            Self::Telegram => telegram::verdict(response),
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
