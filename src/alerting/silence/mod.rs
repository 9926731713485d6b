//! Silences: what one is, when it may be changed in place, and the store of them that merges between peers.

mod plain;
mod record;
mod store;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::label::LabelSet;
use crate::matcher::{Matcher, Op};
use crate::time::Timestamp;

pub use record::{DecodeError, encode_silence};
pub(crate) use record::{Stored, Unknown, decode, decode_each, decode_record};
pub use store::{Changed, SilenceCache, SilenceLimits, Silences};

/// Names a silence: a UUID in lower case.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SilenceId(pub Arc<str>);

impl fmt::Display for SilenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for SilenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Keeps the alerts that it matches quiet for a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Silence {
    /// Its id.
    pub id: SilenceId,
    /// It matches what any of these lists matches; API v2 knows one list only.
    pub matcher_sets: Vec<Vec<Matcher>>,
    /// From when on.
    pub starts_at: Timestamp,
    /// Until when, inclusive.
    pub ends_at: Timestamp,
    /// When it was changed last: the later version wins between peers.
    pub updated_at: Timestamp,
    /// When it may be forgotten, on every member.
    pub expires_at: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// Why.
    pub comment: String,
    /// Free text.
    pub annotations: BTreeMap<String, String>,
    /// Kept for newer versions.
    pub(crate) unknown: Option<Box<Unknown>>,
}

/// Whether a silence works at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SilenceState {
    /// It works.
    Active,
    /// It will.
    Pending,
    /// It did.
    Expired,
}

impl SilenceState {
    /// As in the API: `active`, `pending`, `expired`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Pending => "pending",
            Self::Expired => "expired",
        }
    }
}

/// A silence as asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct SilenceDraft {
    /// Of the silence to change; `None` makes a new one.
    pub id: Option<SilenceId>,
    /// All of them must match.
    pub matchers: Vec<Matcher>,
    /// `None`: now.
    pub starts_at: Option<Timestamp>,
    /// Until when.
    pub ends_at: Timestamp,
    /// Who asks.
    pub created_by: String,
    /// Why.
    pub comment: String,
    /// Free text.
    pub annotations: BTreeMap<String, String>,
}

/// Why a silence isn't made or ended. The texts are the reference's, since clients show and compare them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SilenceError {
    /// There is none of that id.
    #[error("silence not found")]
    NotFound,
    /// It would match nothing, everything, or end before it starts.
    #[error("invalid silence: {0}")]
    Invalid(String),
    /// There are too many.
    #[error("exceeded maximum number of silences: {count} (limit: {limit})")]
    TooMany {
        /// How many there are.
        count: usize,
        /// How many may be.
        limit: usize,
    },
    /// It's too long.
    #[error("silence exceeded maximum size: {bytes} bytes (limit: {limit} bytes)")]
    TooBig {
        /// Its stored size.
        bytes: usize,
        /// What it may be.
        limit: usize,
    },
}

/// The silences of a file of the reference's format that this version can use; the others are left out.
///
/// # Errors
/// When the file is damaged.
pub fn read_file(data: Bytes) -> Result<Vec<Arc<Silence>>, DecodeError> {
    let usable = |stored| match stored {
        Stored::Usable(silence) => Some(silence),
        Stored::Unusable(_) => None,
    };
    Ok(decode(data)?.into_iter().filter_map(usable).collect())
}

impl Silence {
    /// One without author, comment and annotations, changed when it starts and forgotten when it ends.
    pub fn new(id: SilenceId, matcher_sets: Vec<Vec<Matcher>>, starts_at: Timestamp, ends_at: Timestamp) -> Self {
        Self {
            id,
            matcher_sets,
            starts_at,
            ends_at,
            updated_at: starts_at,
            expires_at: ends_at,
            created_by: String::new(),
            comment: String::new(),
            annotations: BTreeMap::new(),
            unknown: None,
        }
    }

    /// Its state at `now`; the end itself is still active.
    pub fn state_at(&self, now: Timestamp) -> SilenceState {
        if now < self.starts_at {
            SilenceState::Pending
        } else if now > self.ends_at {
            SilenceState::Expired
        } else {
            SilenceState::Active
        }
    }

    /// Whether its matchers match, at whatever time.
    pub fn matches(&self, labels: &LabelSet) -> bool {
        self.matcher_sets.iter().any(|set| set.iter().all(|m| m.matches(labels)))
    }

    /// Whether `draft` may become this silence's new version under the same id (reference behaviour).
    fn may_become(&self, draft: &SilenceDraft, starts_at: Timestamp, now: Timestamp) -> bool {
        let same = matches!(self.matcher_sets.as_slice(), [set] if *set == draft.matchers);
        same && match self.state_at(now) {
            SilenceState::Active => self.starts_at.as_secs() == starts_at.as_secs() && draft.ends_at >= now,
            SilenceState::Pending => starts_at >= now,
            SilenceState::Expired => false,
        }
    }
}

/// Refuses drafts that can't have been meant.
fn validate(draft: &SilenceDraft, starts_at: Timestamp) -> Result<(), SilenceError> {
    let invalid = |text: &str| Err(SilenceError::Invalid(text.to_owned()));
    if draft.matchers.is_empty() {
        return invalid("matcher set 0 is empty");
    }
    if draft.matchers.iter().all(matches_empty) {
        return invalid("matcher set 0: at least one matcher must not match the empty string");
    }
    if draft.ends_at < starts_at {
        return invalid("end time must not be before start time");
    }
    Ok(())
}

/// Only positive matchers count here: `a!="b"` is taken for a restriction (reference behaviour).
fn matches_empty(matcher: &Matcher) -> bool {
    match matcher.op {
        Op::Equal | Op::Regex => matcher.matches_value(""),
        Op::NotEqual | Op::NotRegex => false,
    }
}
