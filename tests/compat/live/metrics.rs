//! `/metrics`: the same families, types, labels and label values; the same counts after the same traffic.

use std::collections::{BTreeMap, BTreeSet};

use super::{ALERTS, Life, Sink, config, silence};
use crate::wait::{same, until};

/// What only the reference has, or only this program; see `differences.md`.
const ONLY_THEIRS: [&str; 2] = ["go_", "net_conntrack_"];
const ONLY_OURS: [&str; 13] = [
    "alertmanager_cpu_throttled_seconds_total",
    "alertmanager_memory_limit_bytes",
    "alertmanager_udp_receive_buffer_errors_total",
    "alertmanager_cluster_settled",
    "alertmanager_cluster_peers_awaited",
    "alertmanager_cluster_duplicate_notifications_total",
    "alertmanager_dispatcher_flushes_total",
    "alertmanager_http_requests_refused_total",
    "alertmanager_journal_failures_total",
    "alertmanager_journal_size_bytes",
    "alertmanager_storage_available_bytes",
    "alertmanager_storage_size_bytes",
    "alertmanager_nflog_entries",
];

/// Labels whose values are a process's own.
const OWN_LABELS: [&str; 6] = ["peer", "goversion", "revision", "branch", "tags", "le"];

/// Counts that depend on the traffic only.
const EQUAL: [&str; 30] = [
    "alertmanager_alerts",
    "alertmanager_alerts_invalid_total",
    "alertmanager_alerts_limited_total",
    "alertmanager_alerts_per_alert_limit",
    "alertmanager_alerts_received_total",
    "alertmanager_cluster_enabled",
    "alertmanager_cluster_failed_peers",
    "alertmanager_cluster_health_score",
    "alertmanager_cluster_members",
    "alertmanager_cluster_peers_joined_total",
    "alertmanager_cluster_peers_left_total",
    "alertmanager_config_hash",
    "alertmanager_config_last_reload_successful",
    "alertmanager_dispatcher_aggregation_groups",
    "alertmanager_http_concurrency_limit_exceeded_total",
    "alertmanager_http_requests_in_flight",
    "alertmanager_inhibition_rules",
    "alertmanager_integrations",
    "alertmanager_nflog_queries_total",
    "alertmanager_nflog_query_errors_total",
    "alertmanager_notification_requests_failed_total",
    "alertmanager_notification_requests_total",
    "alertmanager_notifications_failed_total",
    "alertmanager_notifications_suppressed_total",
    "alertmanager_notifications_total",
    "alertmanager_peer_position",
    "alertmanager_receivers",
    "alertmanager_silences",
    "alertmanager_silences_state_size",
    "alertmanager_silences_version_index_size",
];

/// What the official mixin's rules and dashboard use: families and the labels that they are joined or summed by.
const MIXIN: [(&str, &[&str]); 12] = [
    ("alertmanager_alerts", &["state"]),
    ("alertmanager_alerts_invalid_total", &[]),
    ("alertmanager_alerts_received_total", &["status"]),
    ("alertmanager_cluster_failed_peers", &[]),
    ("alertmanager_cluster_members", &[]),
    ("alertmanager_config_hash", &[]),
    ("alertmanager_config_last_reload_successful", &[]),
    ("alertmanager_notification_latency_seconds", &["integration", "le"]),
    ("alertmanager_notifications_failed_total", &["integration", "reason"]),
    ("alertmanager_notifications_total", &["integration"]),
    ("process_cpu_seconds_total", &[]),
    ("process_start_time_seconds", &[]),
];

type Labels = BTreeMap<String, String>;

/// One family.
#[derive(Debug, Default)]
struct Family {
    kind: String,
    help: bool,
    /// Suffix of the name (`_sum`, …), labels and value.
    samples: Vec<(String, Labels, f64)>,
}

/// Reads the text format.
fn parse(text: &str) -> BTreeMap<String, Family> {
    let mut all = BTreeMap::<String, Family>::new();
    let mut name = String::new();
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (of, help) = help.split_once(' ').unwrap();
            name = of.to_owned();
            all.entry(name.clone()).or_default().help = !help.is_empty();
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (of, kind) = kind.split_once(' ').unwrap();
            assert_eq!(of, name);
            all.get_mut(of).unwrap().kind = kind.to_owned();
        } else {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let (metric, labels) = series.split_once('{').unwrap_or((series, ""));
            let suffix = metric.strip_prefix(&*name).unwrap_or_else(|| panic!("`{line}` under {name}"));
            let value = value.parse().unwrap();
            all.get_mut(&name).unwrap().samples.push((suffix.to_owned(), pairs(labels.trim_end_matches('}')), value));
        }
    }
    all
}

fn pairs(mut text: &str) -> Labels {
    let mut labels = Labels::new();
    while let Some((name, rest)) = text.split_once("=\"") {
        let mut end = 0;
        let bytes = rest.as_bytes();
        while bytes[end] != b'"' {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        labels.insert(name.trim_start_matches(',').to_owned(), rest[..end].to_owned());
        text = &rest[end + 1..];
    }
    labels
}

impl Family {
    /// Suffix and labels of each series, without what is a process's own.
    fn series(&self) -> BTreeSet<(String, Labels)> {
        let shown = |(name, value): (&String, &String)| {
            let value = if OWN_LABELS.contains(&name.as_str()) { "" } else { value };
            (name.clone(), value.to_owned())
        };
        self.samples.iter().map(|(suffix, labels, _)| (suffix.clone(), labels.iter().map(shown).collect())).collect()
    }

    /// Values by labels; a series at 0 is as good as none.
    fn values(&self) -> BTreeMap<Labels, u64> {
        let some = self.samples.iter().filter(|(_, _, value)| *value != 0.0);
        some.map(|(_, labels, value)| (labels.clone(), value.to_bits())).collect()
    }

    fn bounds(&self) -> BTreeSet<String> {
        self.samples.iter().filter_map(|(_, labels, _)| labels.get("le").cloned()).collect()
    }

    fn sum(&self, label: &str, value: &str) -> f64 {
        let wanted = |labels: &Labels| labels.get(label).is_some_and(|is| is == value);
        self.samples.iter().filter(|(_, labels, _)| wanted(labels)).map(|(.., value)| value).sum()
    }
}

/// The same traffic for a program that was just started; what it shows then.
fn after_traffic(life: &Life) -> BTreeMap<String, Family> {
    life.post("/-/reload", "").unwrap();
    silence(life);
    life.post("/api/v2/alerts", ALERTS).unwrap();
    life.post("/api/v2/alerts", r#"[{"labels":{"":"x"}}]"#).unwrap_err();
    life.get("/api/v2/alerts").unwrap();
    life.get("/api/v2/silences").unwrap();
    life.get("/api/v2/status").unwrap();
    life.get("/api/v2/silence/00000000-0000-0000-0000-000000000000").unwrap_err();
    life.configure("nonsense");
    life.post("/-/reload", "").unwrap_err();
    until("the fate of every alert", || {
        let seen = parse(&life.get("/metrics").unwrap());
        let count = |name: &str, label: &str, value: &str| seen.get(name).map_or(0.0, |f| f.sum(label, value));
        let suppressed = |reason| count("alertmanager_notifications_suppressed_total", "reason", reason);
        let fates = (
            count("alertmanager_notification_requests_total", "integration", "webhook"),
            count("alertmanager_notifications_failed_total", "reason", "clientError"),
            suppressed("inhibition"),
            suppressed("silence"),
            suppressed("mute_time_interval"),
            count("alertmanager_alerts", "state", "unprocessed"),
        );
        same(fates, &(3.0, 1.0, 1.0, 1.0, 1.0, 0.0))
    });
    parse(&life.get("/metrics").unwrap())
}

fn compare(args: &[&str]) -> BTreeMap<String, Family> {
    let sink = Sink::start();
    let config = config(&sink);
    let [ours, theirs] = Life::both(&config, args);
    let (ours, theirs) = std::thread::scope(|scope| {
        let ours = scope.spawn(|| after_traffic(&ours));
        (ours.join().unwrap(), after_traffic(&theirs))
    });
    let theirs: BTreeMap<String, Family> =
        theirs.into_iter().filter(|(name, _)| !ONLY_THEIRS.iter().any(|start| name.starts_with(start))).collect();
    let mut wrong = Vec::new();
    let names = |of: &BTreeMap<String, Family>| -> BTreeSet<String> {
        of.keys().filter(|name| !ONLY_OURS.contains(&name.as_str())).cloned().collect()
    };
    if names(&ours) != names(&theirs) {
        wrong.push(format!("families differ: {:?}", names(&ours).symmetric_difference(&names(&theirs))));
    }
    for (name, theirs) in &theirs {
        let Some(ours) = ours.get(name) else { continue };
        if ours.kind != theirs.kind || !ours.help {
            wrong.push(format!("{name}: {} instead of {}, help: {}", ours.kind, theirs.kind, ours.help));
        }
        let (mine, its) = (ours.series(), theirs.series());
        // reasons that didn't occur are at 0 here, and missing there
        let more = mine.difference(&its).filter(|_| name != "alertmanager_notifications_suppressed_total");
        let more: Vec<_> = more.collect();
        let less: Vec<_> = its.difference(&mine).collect();
        if !(more.is_empty() && less.is_empty()) {
            wrong.push(format!("{name}: series only here {more:?}, only there {less:?}"));
        }
        if ours.bounds() != theirs.bounds() {
            wrong.push(format!("{name}: buckets {:?} instead of {:?}", ours.bounds(), theirs.bounds()));
        }
        if EQUAL.contains(&name.as_str()) && ours.values() != theirs.values() {
            wrong.push(format!("{name}: {:?} instead of {:?}", ours.samples, theirs.samples));
        }
    }
    assert!(wrong.is_empty(), "{args:?}:\n{}", wrong.join("\n"));
    ours
}

#[test]
fn alone_and_with_labels_only_if_asked_for() {
    compare(&["--cluster.listen-address="]);
    let features = "alert-names-in-metrics,receiver-name-in-metrics,group-key-in-metrics";
    compare(&["--cluster.listen-address=", &format!("--enable-feature={features}"), "--alerts.per-alertname-limit=9"]);
}

#[test]
fn with_high_availability_and_all_that_the_mixin_uses() {
    let ours = compare(&["--cluster.listen-address=@CLUSTER@", "--cluster.settle-timeout=1s"]);
    for (name, labels) in MIXIN {
        let family = ours.get(name).unwrap_or_else(|| panic!("the mixin uses {name}"));
        let names: BTreeSet<&str> = family.samples.iter().flat_map(|(_, l, _)| l.keys().map(String::as_str)).collect();
        assert_eq!(names.intersection(&labels.iter().copied().collect()).count(), labels.len(), "{name}: {names:?}");
    }
    // `ignoring (reason) group_left` joins these two
    let keys = |name: &str| -> BTreeSet<Labels> {
        let labels = ours[name].samples.iter().map(|(_, labels, _)| labels.clone());
        labels
            .map(|mut labels| {
                labels.remove("reason");
                labels
            })
            .collect()
    };
    assert_eq!(keys("alertmanager_notifications_failed_total"), keys("alertmanager_notifications_total"));
}
