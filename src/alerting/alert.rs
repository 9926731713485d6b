//! What an alert is, when it is resolved, and how two reports of it become one.

use std::sync::Arc;
use std::time::Duration;

use crate::label::{Fingerprint, LabelSet};
use crate::time::Timestamp;

/// One alert as this member knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Identity of the alert.
    pub labels: LabelSet,
    /// Hash of `labels`, by which the API names the alert.
    pub fingerprint: Fingerprint,
    /// Hash of `labels`, by which the notification log names the alert.
    pub log_hash: u64,
    /// Free text about it.
    pub annotations: LabelSet,
    /// Where it came from; `""` if not given.
    pub generator_url: Arc<str>,
    /// Since when it fires.
    pub starts_at: Timestamp,
    /// When it stops, or stopped, to fire.
    pub ends_at: Timestamp,
    /// When this report of it was received.
    pub updated_at: Timestamp,
    /// `ends_at` was not given but is `updated_at + resolve_timeout`.
    pub timeout: bool,
}

/// An alert as it was posted, with its labels packed and hashed by the thread that read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostedAlert {
    /// Non-empty, values non-empty, names valid.
    pub labels: LabelSet,
    /// Of `labels`.
    pub fingerprint: Fingerprint,
    /// Of `labels`.
    pub log_hash: u64,
    /// Free text about it.
    pub annotations: LabelSet,
    /// `""` if not given.
    pub generator_url: Arc<str>,
    /// Unset: see [`PostedAlert::received`].
    pub starts_at: Option<Timestamp>,
    /// Unset: see [`PostedAlert::received`].
    pub ends_at: Option<Timestamp>,
}

impl PostedAlert {
    /// Hashes `labels`; the other fields are as posted.
    pub fn new(
        labels: LabelSet,
        annotations: LabelSet,
        generator_url: Arc<str>,
        starts_at: Option<Timestamp>,
        ends_at: Option<Timestamp>,
    ) -> Self {
        let (fingerprint, log_hash) = (labels.fingerprint(), labels.log_hash());
        Self { labels, fingerprint, log_hash, annotations, generator_url, starts_at, ends_at }
    }

    /// Fills in what was not given: no start means the end, or `now`; no end means `now + resolve_timeout`
    /// (reference behaviour).
    pub fn received(self, now: Timestamp, resolve_timeout: Duration) -> Alert {
        let starts_at = self.starts_at.or(self.ends_at).unwrap_or(now);
        Alert {
            labels: self.labels,
            fingerprint: self.fingerprint,
            log_hash: self.log_hash,
            annotations: self.annotations,
            generator_url: self.generator_url,
            starts_at,
            ends_at: self.ends_at.unwrap_or(now + resolve_timeout),
            updated_at: now,
            timeout: self.ends_at.is_none(),
        }
    }
}

impl Alert {
    /// Whether it has stopped firing at `now`; the end itself counts as stopped.
    pub fn resolved_at(&self, now: Timestamp) -> bool {
        self.ends_at <= now
    }

    /// The `alertname` label, or `""`.
    pub fn name(&self) -> &str {
        self.labels.value("alertname")
    }

    /// Whether the times in which the two fire overlap, as the reference tests it: one's end or start lies strictly
    /// inside of the other.
    fn overlaps(&self, newer: &Self) -> bool {
        (newer.ends_at > self.starts_at && newer.ends_at < self.ends_at)
            || (newer.starts_at > self.starts_at && newer.starts_at < self.ends_at)
    }

    /// What is known after `newer` was reported for the same labels.
    ///
    /// Reports whose times overlap are one firing: the earlier start stays, and an end that was stated outlives one
    /// that was only a timeout. Otherwise the new report replaces the old (reference behaviour).
    pub fn merged_with(&self, newer: Self) -> Self {
        if !self.overlaps(&newer) {
            return newer;
        }
        if newer.updated_at < self.updated_at {
            return newer.absorbing(self);
        }
        self.absorbing(&newer)
    }

    /// `self` is the report received earlier.
    fn absorbing(&self, later: &Self) -> Self {
        let mut merged = later.clone();
        merged.starts_at = self.starts_at.min(later.starts_at);
        if later.resolved_at(later.updated_at) {
            // both resolved: the latest end
            if self.resolved_at(later.updated_at) {
                merged.ends_at = self.ends_at.max(later.ends_at);
            }
        } else if self.ends_at > later.ends_at && !self.timeout {
            merged.ends_at = self.ends_at;
        }
        merged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(start: i64, end: i64, updated: i64, timeout: bool) -> Alert {
        let posted = PostedAlert::new(LabelSet::new([("a", "b")]), LabelSet::empty(), "".into(), None, None);
        let mut alert = posted.received(Timestamp::from_secs(updated), Duration::from_secs(300));
        alert.starts_at = Timestamp::from_secs(start);
        alert.ends_at = Timestamp::from_secs(end);
        alert.timeout = timeout;
        alert
    }

    #[test]
    fn overlapping_reports_keep_the_first_start() {
        let merged = alert(10, 300, 20, true).merged_with(alert(50, 400, 60, true));
        assert_eq!((merged.starts_at, merged.ends_at), (Timestamp::from_secs(10), Timestamp::from_secs(400)));
    }

    #[test]
    fn reports_apart_replace() {
        let merged = alert(10, 30, 20, false).merged_with(alert(50, 400, 60, true));
        assert_eq!(merged.starts_at, Timestamp::from_secs(50));
    }

    #[test]
    fn a_stated_end_outlives_a_timeout() {
        let stated = alert(10, 500, 20, false).merged_with(alert(50, 400, 60, true));
        assert_eq!(stated.ends_at, Timestamp::from_secs(500));
        let timeout = alert(10, 500, 20, true).merged_with(alert(50, 400, 60, true));
        assert_eq!(timeout.ends_at, Timestamp::from_secs(400));
    }

    #[test]
    fn a_resolve_ends_it_now() {
        let merged = alert(10, 300, 20, true).merged_with(alert(10, 60, 60, false));
        assert_eq!(merged.ends_at, Timestamp::from_secs(60));
        assert!(merged.resolved_at(Timestamp::from_secs(60)));
    }
}
