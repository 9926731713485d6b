//! What the operator counts, in the text format of Prometheus.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Counters since the start.
#[derive(Debug, Default)]
pub struct Metrics {
    succeeded: AtomicU64,
    failed: AtomicU64,
    micros: AtomicU64,
    objects_written: AtomicU64,
    statuses_written: AtomicU64,
    configs_refused: AtomicU64,
    reloads: AtomicU64,
    restarts: AtomicU64,
    clusters: AtomicU64,
    clusters_ready: AtomicU64,
}

impl Metrics {
    /// Counts a reconcile that took `took`.
    pub fn reconciled(&self, success: bool, took: Duration) {
        let result = if success { &self.succeeded } else { &self.failed };
        result.fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Counts objects that were applied.
    pub fn objects_written(&self, count: usize) {
        self.objects_written.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// Counts a status that was written.
    pub fn status_written(&self) {
        self.statuses_written.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a configuration that was refused.
    pub fn config_refused(&self) {
        self.configs_refused.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a request to a member to reload.
    pub fn reload_asked(&self) {
        self.reloads.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a member that was restarted because it was beyond help.
    pub fn member_restarted(&self) {
        self.restarts.fetch_add(1, Ordering::Relaxed);
    }

    /// Sets how many clusters there are, and how many of them are ready.
    pub fn clusters(&self, all: usize, ready: usize) {
        self.clusters.store(all as u64, Ordering::Relaxed);
        self.clusters_ready.store(ready as u64, Ordering::Relaxed);
    }

    /// All of them as text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut family = |name: &str, kind: &str, help: &str, samples: &[(&str, String)]| {
            let name = format!("alertmanager_operator_{name}");
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for (labels, value) in samples {
                let _ = writeln!(text, "{name}{labels} {value}");
            }
        };
        let value = |counter: &AtomicU64| counter.load(Ordering::Relaxed).to_string();
        let results = [("{result=\"success\"}", value(&self.succeeded)), ("{result=\"error\"}", value(&self.failed))];
        let micros = self.micros.load(Ordering::Relaxed);
        let seconds = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
        family("reconciles_total", "counter", "Reconciles by result.", &results);
        family("reconcile_seconds_total", "counter", "Time spent in reconciles.", &[("", seconds)]);
        let one = |counter: &AtomicU64| [("", value(counter))];
        family(
            "objects_written_total",
            "counter",
            "Objects applied because they differed.",
            &one(&self.objects_written),
        );
        family(
            "statuses_written_total",
            "counter",
            "Statuses written because they changed.",
            &one(&self.statuses_written),
        );
        family("configs_refused_total", "counter", "Configurations newly refused.", &one(&self.configs_refused));
        family("member_reloads_total", "counter", "Requests to members to reload.", &one(&self.reloads));
        family("member_restarts_total", "counter", "Members restarted because they were stuck.", &one(&self.restarts));
        family("clusters", "gauge", "AlertmanagerCluster objects.", &one(&self.clusters));
        family("clusters_ready", "gauge", "AlertmanagerCluster objects that are Ready.", &one(&self.clusters_ready));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_each_family_once() {
        let metrics = Metrics::default();
        metrics.reconciled(true, Duration::from_millis(1500));
        metrics.clusters(2, 1);
        let text = metrics.text();
        assert!(text.contains("alertmanager_operator_reconciles_total{result=\"success\"} 1\n"), "{text}");
        assert!(text.contains("alertmanager_operator_reconcile_seconds_total 1.500000\n"), "{text}");
        assert!(text.contains("alertmanager_operator_clusters 2\n"), "{text}");
        assert_eq!(text.matches("# TYPE ").count(), 9);
    }
}
