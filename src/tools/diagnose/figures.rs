//! How a member does, in figures: what it has, what it uses, what went through it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::member::{Metrics, Said, label};

/// From so many seconds on an attempt to notify is slow: a bound of the histogram that members have.
pub(super) const SLOW_SECONDS: &str = "5";
/// Characters of a digest: enough to tell two apart.
const DIGEST_CHARACTERS: usize = 10;
const MEBI: f64 = 1_048_576.0;
const GIBI: f64 = 1024.0 * MEBI;

/// Of one member, since its process began where they count. What it doesn't tell is left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Figures {
    /// Of the configuration as the member prints it: the same, the same configuration but for secrets.
    pub(crate) config_digest: String,
    /// Of the silences that haven't ended, with when they were changed.
    pub(crate) silences_digest: String,
    /// Of the notification log's entries that all members should know by now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) log_digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) memory_bytes: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) memory_limit_bytes: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cpu_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) open_files: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) open_files_max: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) storage_available_bytes: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) storage_size_bytes: Option<f64>,
    /// Alerts that were posted.
    pub(crate) received: u64,
    /// Those of them that were refused (the reference counts them as received, too).
    pub(crate) invalid: u64,
    /// By kind, and by receiver where the metrics name them.
    pub(crate) receivers: BTreeMap<String, Delivered>,
}

/// What one kind of receiver got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Delivered {
    /// Notifications that were to be sent.
    pub(crate) notifications: u64,
    /// Those that were given up.
    pub(crate) failed: u64,
    /// Attempts to send them.
    pub(crate) attempts: u64,
    /// Those that took more than [`SLOW_SECONDS`].
    pub(crate) slow: u64,
}

impl Figures {
    /// From what it said.
    pub(super) fn of(said: &Said) -> Self {
        let metrics = &said.metrics;
        let silences = said.silences.iter().map(|(id, changed)| format!("{id} {changed}\n"));
        let log = said.log.as_ref().map(|log| {
            let settled = log.iter().filter(|(_, entry)| entry.settled);
            digest(settled.map(|(key, entry)| format!("{key} {}\n", entry.at.rfc3339_millis())))
        });
        Self {
            config_digest: digest([said.config.clone()].into_iter()),
            silences_digest: digest(silences),
            log_digest: log,
            memory_bytes: metrics.value("process_resident_memory_bytes"),
            memory_limit_bytes: metrics.value("alertmanager_memory_limit_bytes"),
            cpu_seconds: metrics.value("process_cpu_seconds_total"),
            open_files: metrics.value("process_open_fds"),
            open_files_max: metrics.value("process_max_fds"),
            storage_available_bytes: metrics.value("alertmanager_storage_available_bytes"),
            storage_size_bytes: metrics.value("alertmanager_storage_size_bytes"),
            received: metrics.sum("alertmanager_alerts_received_total") as u64,
            invalid: metrics.sum("alertmanager_alerts_invalid_total") as u64,
            receivers: receivers(metrics),
        }
    }
}

/// As people read it, a line for each subject.
pub(super) fn text(said: &Said) -> String {
    let figures = Figures::of(said);
    let log = figures.log_digest.map(|digest| format!(", log {digest}")).unwrap_or_default();
    let mut out = format!("config {}, silences {}{log}\n", figures.config_digest, figures.silences_digest);
    // without a date in its answers nothing is known of its clock
    if said.clock_within_ms < i64::MAX {
        let (ahead, within) = (said.clock_ahead_ms as f64 / 1e3, said.clock_within_ms as f64 / 1e3);
        let _ = writeln!(out, "clock {ahead:+.1} s (± {within:.1} s)");
    }
    let mut uses = Vec::new();
    if let Some(memory) = figures.memory_bytes {
        let limit = figures.memory_limit_bytes.map(|limit| format!(" of {:.0}", limit / MEBI)).unwrap_or_default();
        uses.push(format!("{:.0}{limit} MiB of memory", memory / MEBI));
    }
    uses.extend(figures.cpu_seconds.map(|seconds| format!("{seconds:.1} s of CPU")));
    if let (Some(open), Some(max)) = (figures.open_files, figures.open_files_max) {
        uses.push(format!("{open} of {max} files"));
    }
    if let (Some(left), Some(size)) = (figures.storage_available_bytes, figures.storage_size_bytes) {
        uses.push(format!("{:.1} of {:.1} GiB of disk left", left / GIBI, size / GIBI));
    }
    if !uses.is_empty() {
        out += &format!("{}\n", uses.join(", "));
    }
    let _ = write!(out, "{} alerts received, {} invalid", figures.received, figures.invalid);
    for (name, Delivered { notifications, failed, attempts, slow }) in figures.receivers {
        let _ = write!(out, "; {name}: {notifications} notifications, {failed} failed, {slow} of {attempts} slow");
    }
    out + "\n"
}

/// Those that anything was to be sent to.
fn receivers(metrics: &Metrics) -> BTreeMap<String, Delivered> {
    let mut all = BTreeMap::<String, Delivered>::new();
    let mut add = |metric: &str, only: &dyn Fn(&str) -> bool, to: &dyn Fn(&mut Delivered, u64)| {
        for (labels, value) in metrics.samples(metric).iter().filter(|(labels, value)| *value > 0.0 && only(labels)) {
            let kind = label(labels, "integration").unwrap_or_default();
            let name = label(labels, "receiver_name").filter(|name| !name.is_empty());
            to(
                all.entry(name.map_or_else(|| kind.to_owned(), |name| format!("{name}/{kind}"))).or_default(),
                *value as u64,
            );
        }
    };
    let any = |_: &str| true;
    add("alertmanager_notifications_total", &any, &|all, value| all.notifications += value);
    add("alertmanager_notifications_failed_total", &any, &|all, value| all.failed += value);
    add("alertmanager_notification_latency_seconds_count", &any, &|all, value| {
        all.attempts += value;
        all.slow += value;
    });
    let quick = |labels: &str| label(labels, "le") == Some(SLOW_SECONDS);
    add("alertmanager_notification_latency_seconds_bucket", &quick, &|all, value| {
        all.slow = all.slow.saturating_sub(value)
    });
    all
}

fn digest(parts: impl Iterator<Item = String>) -> String {
    let mut sum = Sha256::new();
    parts.for_each(|part| sum.update(part));
    let mut text = sum.finalize().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    text.truncate(DIGEST_CHARACTERS);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_a_member() {
        let text = "process_resident_memory_bytes 24117248\nalertmanager_memory_limit_bytes 67108864\n\
            process_cpu_seconds_total 1.25\nprocess_open_fds 15\nprocess_max_fds 1024\n\
            alertmanager_storage_available_bytes 1073741824\nalertmanager_storage_size_bytes 2147483648\n\
            alertmanager_alerts_received_total{status=\"firing\",version=\"v2\"} 7\n\
            alertmanager_alerts_received_total{status=\"resolved\",version=\"v2\"} 2\n\
            alertmanager_alerts_invalid_total{version=\"v2\"} 1\n\
            alertmanager_notifications_total{integration=\"webhook\"} 4\n\
            alertmanager_notifications_total{integration=\"email\"} 0\n\
            alertmanager_notifications_failed_total{integration=\"webhook\",reason=\"other\"} 1\n\
            alertmanager_notification_latency_seconds_bucket{integration=\"webhook\",le=\"1\"} 2\n\
            alertmanager_notification_latency_seconds_bucket{integration=\"webhook\",le=\"5\"} 5\n\
            alertmanager_notification_latency_seconds_bucket{integration=\"webhook\",le=\"+Inf\"} 6\n\
            alertmanager_notification_latency_seconds_count{integration=\"webhook\"} 6\n";
        let mut said = Said { metrics: Metrics::read(text), config: "route:\n".to_owned(), ..Said::default() };
        let figures = Figures::of(&said);
        let expected = format!(
            "config {}, silences {}\nclock +0.0 s (± 0.0 s)\n\
             23 of 64 MiB of memory, 1.2 s of CPU, 15 of 1024 files, 1.0 of 2.0 GiB of disk left\n\
             9 alerts received, 1 invalid; webhook: 4 notifications, 1 failed, 1 of 6 slow\n",
            figures.config_digest, figures.silences_digest
        );
        assert_eq!(super::text(&said), expected);
        assert_eq!(figures.receivers.len(), 1, "who gets nothing is left out");
        said.silences.insert(("id".to_owned(), "t".to_owned()));
        let other = Figures::of(&said);
        assert_eq!(other.config_digest, figures.config_digest);
        assert_ne!(other.silences_digest, figures.silences_digest);
    }

    #[test]
    fn receivers_are_told_apart_where_the_metrics_name_them() {
        let text = "alertmanager_notifications_total{integration=\"webhook\",receiver_name=\"a\"} 4\n\
            alertmanager_notifications_total{integration=\"webhook\",receiver_name=\"b\"} 5\n";
        let said = Said { metrics: Metrics::read(text), ..Said::default() };
        let figures = Figures::of(&said);
        let names: Vec<&str> = figures.receivers.keys().map(String::as_str).collect();
        assert_eq!(names, ["a/webhook", "b/webhook"]);
    }
}
