//! What an engine counts; the shell prints it under the reference's metric names.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Labels of failed notifications, in the reference's order.
pub const FAILURE_REASONS: [&str; 7] =
    ["other", "clientError", "serverError", "contextCanceled", "contextDeadlineExceeded", "authError", "rateLimited"];

/// Upper bounds of the notification latency histogram, seconds.
pub const LATENCY_BOUNDS: [f64; 5] = [1.0, 5.0, 10.0, 15.0, 20.0];

/// Counters since the start, and a few present sizes.
#[derive(Debug, Clone, Default)]
pub struct Stats {
    /// Posted alerts that fired.
    pub alerts_received_firing: u64,
    /// Posted alerts that were resolved.
    pub alerts_received_resolved: u64,
    /// Alerts dropped by the limit per name, by name.
    pub alerts_limited: BTreeMap<String, u64>,
    /// Alerts that the store took, refreshes included.
    pub alerts_stored: u64,
    /// Alerts kept from notifications by inhibition.
    pub suppressed_inhibition: u64,
    /// … because no active time interval holds.
    pub suppressed_active_interval: u64,
    /// … because a mute time interval holds.
    pub suppressed_mute_interval: u64,
    /// … by silences.
    pub suppressed_silence: u64,
    /// Per kind of integration and receiver, sorted by these.
    pub integrations: Vec<IntegrationStats>,
    /// Rounds of maintenance of the notification log.
    pub nflog_maintenance: u64,
    /// Look-ups in the notification log.
    pub nflog_queries: u64,
    /// Look-ups that found nothing.
    pub nflog_misses: u64,
    /// Bytes of the last snapshot of the notification log.
    pub nflog_snapshot_bytes: u64,
    /// Entries broadcast to peers.
    pub nflog_propagated: u64,
    /// Rounds of maintenance of the silences.
    pub silences_maintenance: u64,
    /// Queries for silences.
    pub silences_queries: u64,
    /// Silences that alerts were matched with.
    pub silences_scanned: u64,
    /// Silences that could not be used when the file was read.
    pub silences_unusable_at_start: u64,
    /// Silences of peers that can't be used here.
    pub silences_unusable: u64,
    /// Bytes of the last snapshot of the silences.
    pub silences_snapshot_bytes: u64,
    /// Silences broadcast to peers.
    pub silences_propagated: u64,
    /// Members that came.
    pub peers_joined: u64,
    /// Members that went.
    pub peers_left: u64,
    /// Times that each peer came to life, by its name.
    pub peers_alive: BTreeMap<String, u64>,
    /// Attempts to reach peers that don't answer: good, failed.
    pub reconnections: (u64, u64),
    /// Attempts to reach peers that were found by their names: good, failed.
    pub joins: (u64, u64),
    /// Calls refused since the caller has this member's name.
    pub name_conflicts: u64,
    /// Updates (index 0) and full states (index 1) sent to peers: messages, bytes.
    pub cluster_sent: [(u64, u64); 2],
    /// Updates (index 0) and full states (index 1) received from peers: messages, bytes.
    pub cluster_received: [(u64, u64); 2],
    /// Notifications found in a peer's log after this member had sent the same: honest duplicates.
    pub duplicates_seen: u64,
    /// Flushes of groups.
    pub flushes: u64,
}

/// Counters of one kind of integration of one receiver.
#[derive(Debug, Clone)]
pub struct IntegrationStats {
    /// `webhook`, …
    pub kind: &'static str,
    /// Name of the receiver.
    pub receiver: Arc<str>,
    /// Runs of sending, skipped ones included (reference behaviour).
    pub notifications: u64,
    /// Failed runs by [`FAILURE_REASONS`].
    pub failed: [u64; 7],
    /// Single requests.
    pub requests: u64,
    /// Failed single requests.
    pub requests_failed: u64,
    /// Counts per [`LATENCY_BOUNDS`], the last beyond all of them; not cumulative.
    pub latency_buckets: [u64; 6],
    /// Sum of the latencies, seconds.
    pub latency_sum: f64,
}

impl Stats {
    /// The counters of a kind of integration of a receiver, made when new.
    pub fn integration(&mut self, kind: &'static str, receiver: &Arc<str>) -> &mut IntegrationStats {
        let at = match self.integrations.binary_search_by(|i| i.kind.cmp(kind).then_with(|| i.receiver.cmp(receiver))) {
            Ok(at) => at,
            Err(at) => {
                self.integrations.insert(at, IntegrationStats::new(kind, receiver.clone()));
                at
            }
        };
        &mut self.integrations[at]
    }
}

impl IntegrationStats {
    /// Without any counts.
    pub fn new(kind: &'static str, receiver: Arc<str>) -> Self {
        Self {
            kind,
            receiver,
            notifications: 0,
            failed: [0; 7],
            requests: 0,
            requests_failed: 0,
            latency_buckets: [0; 6],
            latency_sum: 0.0,
        }
    }

    /// Counts a failed run.
    pub fn fail(&mut self, reason: &str) {
        let at = FAILURE_REASONS.iter().position(|r| *r == reason).unwrap_or(0);
        self.failed[at] += 1;
    }

    /// Counts the time of one request.
    pub fn latency(&mut self, took: Duration) {
        let secs = took.as_secs_f64();
        let at = LATENCY_BOUNDS.iter().position(|bound| secs <= *bound).unwrap_or(LATENCY_BOUNDS.len());
        self.latency_buckets[at] += 1;
        self.latency_sum += secs;
    }

    /// Adds the counts of another receiver.
    pub fn add(&mut self, other: &Self) {
        self.notifications += other.notifications;
        self.requests += other.requests;
        self.requests_failed += other.requests_failed;
        self.latency_sum += other.latency_sum;
        self.failed.iter_mut().zip(other.failed).for_each(|(sum, count)| *sum += count);
        self.latency_buckets.iter_mut().zip(other.latency_buckets).for_each(|(sum, count)| *sum += count);
    }
}
