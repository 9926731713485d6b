//! Requests that were refused before they could cost much, by reason.

use std::sync::atomic::{AtomicU64, Ordering};

/// Why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The body is longer than a body may be.
    BodyTooLarge,
    /// The body stopped coming.
    BodyTooSlow,
    /// All bodies that are being read are too much together.
    BodiesTooMany,
    /// The head is no HTTP.
    HeadMalformed,
    /// The head, or one of its parts, is too long, or there are too many headers.
    HeadTooLarge,
    /// The head did not come in time.
    HeadTooSlow,
    /// User or password is wrong or missing.
    LoginWrong,
    /// Too many passwords are waiting to be checked.
    LoginsTooMany,
    /// A silence has more matchers than a silence may have.
    MatchersTooMany,
    /// The rate limit of the web config.
    RateLimit,
    /// TLS was not agreed upon.
    TlsHandshake,
}

const ALL: [Refused; 11] = [
    Refused::BodyTooLarge,
    Refused::BodyTooSlow,
    Refused::BodiesTooMany,
    Refused::HeadMalformed,
    Refused::HeadTooLarge,
    Refused::HeadTooSlow,
    Refused::LoginWrong,
    Refused::LoginsTooMany,
    Refused::MatchersTooMany,
    Refused::RateLimit,
    Refused::TlsHandshake,
];

impl Refused {
    fn label(self) -> &'static str {
        match self {
            Self::BodyTooLarge => "body_too_large",
            Self::BodyTooSlow => "body_too_slow",
            Self::BodiesTooMany => "bodies_too_many",
            Self::HeadMalformed => "head_malformed",
            Self::HeadTooLarge => "head_too_large",
            Self::HeadTooSlow => "head_too_slow",
            Self::LoginWrong => "login_wrong",
            Self::LoginsTooMany => "logins_too_many",
            Self::MatchersTooMany => "matchers_too_many",
            Self::RateLimit => "rate_limit",
            Self::TlsHandshake => "tls_handshake",
        }
    }
}

/// A count for each reason.
#[derive(Debug, Default)]
pub(super) struct Counts([AtomicU64; ALL.len()]);

impl Counts {
    pub(super) fn add(&self, reason: Refused) {
        if let Some(at) = ALL.iter().position(|known| *known == reason) {
            self.0[at].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Labels and counts, all of them.
    pub(super) fn all(&self) -> impl Iterator<Item = (&'static str, u64)> {
        ALL.iter().zip(&self.0).map(|(reason, count)| (reason.label(), count.load(Ordering::Relaxed)))
    }
}
