//! What the shell measures and the core can't: durations. Read by `/metrics`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alerting::effects::StateFile;

/// Upper bounds of durations unless told otherwise, seconds.
pub(crate) const DURATIONS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Upper bounds of the time that a peer takes to answer, seconds.
const PINGS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5];

/// Peers whose answers are measured; beyond that, new ones are not.
const PEERS_MAX: usize = 1024;

/// Observations in buckets.
#[derive(Debug, Clone)]
pub(crate) struct Histogram {
    /// Upper bounds, ascending.
    pub(crate) bounds: &'static [f64],
    /// Not cumulative; one more than bounds.
    pub(crate) counts: Vec<u64>,
    /// Of all observations.
    pub(crate) sum: f64,
}

/// Observations without buckets.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Summary {
    /// Of all observations.
    pub(crate) sum: f64,
    /// How many there were.
    pub(crate) count: u64,
}

/// All measurements of a process.
#[derive(Debug, Default)]
pub(crate) struct Observed(Mutex<Times>);

/// A copy of the measurements.
#[derive(Debug, Clone, Default)]
pub(crate) struct Times {
    /// Per alert that was taken in, seconds.
    pub(crate) alerts: Summary,
    /// Forgetting what has expired and packing the rest, seconds.
    pub(crate) maintenance: Summary,
    /// Writing each state file, seconds.
    pub(crate) snapshots: BTreeMap<StateFile, Summary>,
    /// State files that could not be written.
    pub(crate) snapshot_errors: BTreeMap<StateFile, u64>,
    /// Calls to peers that were answered, seconds.
    pub(crate) pings: BTreeMap<SocketAddr, Histogram>,
    /// What members exchange by TLS; `None`: they don't.
    pub(crate) tls: Option<TlsCounts>,
}

/// What members exchange by TLS.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct TlsCounts {
    /// In packets, without their lengths.
    pub(crate) packet_bytes_sent: u64,
    /// In packets, without their lengths.
    pub(crate) packet_bytes_received: u64,
    /// Connections for calls that this member opened.
    pub(crate) connections_sent: u64,
    /// Connections that peers opened.
    pub(crate) connections_received: u64,
    /// Connections of peers that ended badly.
    pub(crate) read_errors: u64,
    /// Packets that could not be sent.
    pub(crate) packet_write_errors: u64,
    /// Calls that could not be sent.
    pub(crate) stream_write_errors: u64,
}

impl Histogram {
    /// Without observations.
    pub(crate) fn new(bounds: &'static [f64]) -> Self {
        Self { bounds, counts: vec![0; bounds.len() + 1], sum: 0.0 }
    }

    /// Counts one observation.
    pub(crate) fn observe(&mut self, value: f64) {
        self.counts[self.bounds.partition_point(|bound| *bound < value)] += 1;
        self.sum += value;
    }
}

impl Summary {
    fn observe(&mut self, took: Duration, count: u64) {
        self.sum += took.as_secs_f64();
        self.count += count;
    }
}

impl Observed {
    /// A copy of everything.
    pub(crate) fn times(&self) -> Times {
        self.lock().clone()
    }

    /// So many alerts were taken in.
    pub(crate) fn alerts(&self, count: usize, took: Duration) {
        self.lock().alerts.observe(took, count as u64);
    }

    /// A round of maintenance.
    pub(crate) fn maintenance(&self, took: Duration) {
        self.lock().maintenance.observe(took, 1);
    }

    /// A state file was written, or not.
    pub(crate) fn snapshot(&self, file: StateFile, took: Duration, good: bool) {
        let mut times = self.lock();
        times.snapshots.entry(file).or_default().observe(took, 1);
        *times.snapshot_errors.entry(file).or_default() += u64::from(!good);
    }

    /// A peer answered a call.
    pub(crate) fn ping(&self, peer: SocketAddr, took: Duration) {
        let mut times = self.lock();
        if times.pings.len() < PEERS_MAX || times.pings.contains_key(&peer) {
            times.pings.entry(peer).or_insert_with(|| Histogram::new(PINGS)).observe(took.as_secs_f64());
        }
    }

    /// Counts something about TLS between members.
    pub(crate) fn tls(&self, count: impl FnOnce(&mut TlsCounts)) {
        count(self.lock().tls.get_or_insert_default());
    }

    /// Only counters are inside: a panic elsewhere leaves nothing half done.
    fn lock(&self) -> MutexGuard<'_, Times> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_its_bucket() {
        let mut histogram = Histogram::new(&[1.0, 2.0]);
        for value in [0.5, 1.0, 1.5, 3.0] {
            histogram.observe(value);
        }
        assert_eq!((histogram.counts, histogram.sum), (vec![2, 1, 1], 6.0));
    }

    #[test]
    fn a_batch_of_alerts_counts_each() {
        let observed = Observed::default();
        observed.alerts(3, Duration::from_millis(1500));
        observed.alerts(1, Duration::from_millis(500));
        assert_eq!(observed.times().alerts, Summary { sum: 2.0, count: 4 });
    }
}
