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
    use proptest::collection::vec;
    use proptest::prelude::*;

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

    /// The reference's rule forgets that the end was stated, so the order of merging counts.
    #[test]
    fn a_stated_end_outlives_one_timeout_and_not_a_second() {
        let (stated, second, third) = (alert(10, 500, 20, false), alert(50, 400, 60, true), alert(60, 450, 90, true));
        let ends = |merged: Alert| merged.ends_at.as_secs();
        assert_eq!(ends(stated.merged_with(second.clone()).merged_with(third.clone())), 450);
        assert_eq!(ends(stated.merged_with(second.merged_with(third))), 500);
    }

    /// Any report: when it starts, how long it lasts, when it was received, whether its end is a timeout.
    fn report() -> impl Strategy<Value = Alert> {
        (0..20_i64, 1..20_i64, 0..40_i64, any::<bool>()).prop_map(|(start, lasts, updated, timeout)| {
            let mut report = alert(start, start + lasts, updated, timeout);
            report.annotations = LabelSet::new([("of", &*updated.to_string())]);
            report
        })
    }

    /// What a sender that states no ends posts again and again, which sometimes fires anew.
    fn refreshes() -> impl Strategy<Value = Vec<Alert>> {
        vec((0..20_i64, 1..20_i64), 1..8).prop_map(|steps| {
            let (mut start, mut updated) = (0, 0);
            let refresh = |(later, wait): (i64, i64)| {
                updated += wait;
                start = updated.min(start + later);
                alert(start, updated + 15, updated, true)
            };
            steps.into_iter().map(refresh).collect()
        })
    }

    // Merging is neither associative nor commutative, since a report replaces one that it doesn't overlap with, and
    // since a kept end counts as the newer report's. These laws hold.
    proptest! {
        #[test]
        fn a_report_merged_with_itself_is_itself(a in report()) {
            prop_assert_eq!(a.merged_with(a.clone()), a);
        }

        #[test]
        fn reports_that_overlap_both_ways_merge_to_the_same_in_any_order(a in report(), b in report()) {
            prop_assume!(a.updated_at != b.updated_at && a.overlaps(&b) && b.overlaps(&a));
            prop_assert_eq!(a.merged_with(b.clone()), b.merged_with(a));
        }

        #[test]
        fn what_comes_of_two_reports_was_said_by_one_of_them(a in report(), b in report()) {
            let merged = a.merged_with(b.clone());
            let later = if a.overlaps(&b) && b.updated_at < a.updated_at { &a } else { &b };
            prop_assert!(merged.starts_at <= b.starts_at && [a.starts_at, b.starts_at].contains(&merged.starts_at));
            prop_assert!([a.ends_at, b.ends_at].contains(&merged.ends_at));
            let texts = |of: &Alert| (of.annotations.clone(), of.updated_at, of.timeout);
            prop_assert_eq!(texts(&merged), texts(later));
        }

        #[test]
        fn the_same_report_again_changes_nothing(a in report(), b in report()) {
            let once = a.merged_with(b.clone());
            // the engine's clock may stand still, and a stated end is not kept twice
            prop_assume!(a.updated_at <= b.updated_at && (once.ends_at == b.ends_at || !b.timeout));
            prop_assert_eq!(once.merged_with(b), once);
        }

        #[test]
        fn refreshes_merge_to_the_same_however_they_are_put_together(reports in refreshes()) {
            let forth = reports.iter().cloned().reduce(|known, newer| known.merged_with(newer));
            let back = reports.iter().rev().cloned().reduce(|newer, known| known.merged_with(newer));
            prop_assert_eq!(forth, back);
        }
    }

    #[test]
    fn a_resolve_ends_it_now() {
        let merged = alert(10, 300, 20, true).merged_with(alert(10, 60, 60, false));
        assert_eq!(merged.ends_at, Timestamp::from_secs(60));
        assert!(merged.resolved_at(Timestamp::from_secs(60)));
    }
}
