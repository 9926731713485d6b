//! What an engine counts; the shell prints it under the reference's metric names.

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
    /// Alerts dropped by the limit per name.
    pub alerts_limited: u64,
    /// Alerts kept from notifications by inhibition.
    pub suppressed_inhibition: u64,
    /// … because no active time interval holds.
    pub suppressed_active_interval: u64,
    /// … because a mute time interval holds.
    pub suppressed_mute_interval: u64,
    /// … by silences.
    pub suppressed_silence: u64,
    /// Per integration kind, sorted by kind.
    pub integrations: Vec<IntegrationStats>,
    /// Rounds of maintenance of the notification log.
    pub nflog_maintenance: u64,
    /// Look-ups in the notification log.
    pub nflog_queries: u64,
    /// Bytes of the last snapshot of the notification log.
    pub nflog_snapshot_bytes: u64,
    /// Entries broadcast to peers.
    pub nflog_propagated: u64,
    /// Rounds of maintenance of the silences.
    pub silences_maintenance: u64,
    /// Queries for silences.
    pub silences_queries: u64,
    /// Bytes of the last snapshot of the silences.
    pub silences_snapshot_bytes: u64,
    /// Silences broadcast to peers.
    pub silences_propagated: u64,
    /// Members that came.
    pub peers_joined: u64,
    /// Members that went.
    pub peers_left: u64,
    /// Updates (index 0) and full states (index 1) sent to peers: messages, bytes.
    pub cluster_sent: [(u64, u64); 2],
    /// Updates (index 0) and full states (index 1) received from peers: messages, bytes.
    pub cluster_received: [(u64, u64); 2],
    /// Notifications found in a peer's log after this member had sent the same: honest duplicates.
    pub duplicates_seen: u64,
    /// Flushes of groups.
    pub flushes: u64,
}

/// Counters of one kind of integration.
#[derive(Debug, Clone)]
pub struct IntegrationStats {
    /// `webhook`, …
    pub kind: &'static str,
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
    /// The counters of a kind, made when new.
    pub fn integration(&mut self, kind: &'static str) -> &mut IntegrationStats {
        let at = match self.integrations.binary_search_by(|i| i.kind.cmp(kind)) {
            Ok(at) => at,
            Err(at) => {
                self.integrations.insert(at, IntegrationStats::new(kind));
                at
            }
        };
        &mut self.integrations[at]
    }
}

impl IntegrationStats {
    fn new(kind: &'static str) -> Self {
        Self {
            kind,
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

    /// Counts the time from the first attempt to the end of a run.
    pub fn latency(&mut self, took: Duration) {
        let secs = took.as_secs_f64();
        let at = LATENCY_BOUNDS.iter().position(|bound| secs <= *bound).unwrap_or(LATENCY_BOUNDS.len());
        self.latency_buckets[at] += 1;
        self.latency_sum += secs;
    }
}
