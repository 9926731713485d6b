//! Families of notifications.

use std::collections::BTreeSet;
use std::sync::Arc;

use alerting::config::Config;
use alerting::stats::{FAILURE_REASONS, IntegrationStats, LATENCY_BOUNDS};

use super::exposition::Exposition;
use super::{Snapshot, receivers_of};
use crate::api::MetricLabels;

/// All that the reference can notify through: their series exist from the start, so that rates see the first failure.
const INTEGRATIONS: [&str; 18] = [
    "discord",
    "email",
    "incidentio",
    "jira",
    "mattermost",
    "msteams",
    "msteamsv2",
    "opsgenie",
    "pagerduty",
    "pushover",
    "rocketchat",
    "slack",
    "sns",
    "telegram",
    "victorops",
    "webex",
    "webhook",
    "wechat",
];

/// All families `alertmanager_notification*`.
pub(super) fn write(out: &mut Exposition, seen: &Snapshot, labels: MetricLabels) {
    let all = match labels.receiver_names {
        true => by_receiver(&seen.stats.integrations, seen.config.as_deref()),
        false => by_kind(&seen.stats.integrations),
    };
    let named = |i: &'_ IntegrationStats| -> Vec<(&'static str, String)> {
        let receiver = labels.receiver_names.then(|| ("receiver_name", i.receiver.to_string()));
        [("integration", i.kind.to_owned())].into_iter().chain(receiver).collect()
    };
    let all: Vec<(Vec<(&'static str, String)>, IntegrationStats)> = all.into_iter().map(|i| (named(&i), i)).collect();
    let mut counts = |name: &str, help: &str, count: fn(&IntegrationStats) -> u64| {
        let mut family = out.counter(name, help);
        for (labels, integration) in &all {
            family.with(&borrowed(labels), count(integration));
        }
    };
    counts("alertmanager_notifications_total", "Notifications attempted.", |i| i.notifications);
    counts("alertmanager_notification_requests_total", "Single requests to receivers.", |i| i.requests);
    counts("alertmanager_notification_requests_failed_total", "Those that failed.", |i| i.requests_failed);
    let mut failed = out.counter("alertmanager_notifications_failed_total", "Notifications that failed, and why.");
    for (labels, integration) in &all {
        for (reason, count) in FAILURE_REASONS.iter().zip(integration.failed) {
            let mut labels = borrowed(labels);
            labels.insert(1, ("reason", reason));
            failed.with(&labels, count);
        }
    }
    let mut latency = out.histogram("alertmanager_notification_latency_seconds", "Time that single requests took.");
    for (labels, i) in &all {
        latency.buckets(&borrowed(labels), &LATENCY_BOUNDS, &i.latency_buckets, i.latency_sum);
    }
    let stats = &seen.stats;
    out.counter("alertmanager_notifications_suppressed_total", "Alerts kept from notifications, and by what.")
        .with(&[("reason", "active_time_interval")], stats.suppressed_active_interval)
        .with(&[("reason", "inhibition")], stats.suppressed_inhibition)
        .with(&[("reason", "mute_time_interval")], stats.suppressed_mute_interval)
        .with(&[("reason", "silence")], stats.suppressed_silence);
}

fn borrowed<'a>(labels: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    labels.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// One for each kind, over all receivers that ever were.
fn by_kind(stats: &[IntegrationStats]) -> Vec<IntegrationStats> {
    let sum = |kind: &'static str| {
        let mut sum = IntegrationStats::new(kind, Arc::from(""));
        stats.iter().filter(|one| one.kind == kind).for_each(|one| sum.add(one));
        sum
    };
    INTEGRATIONS.into_iter().map(sum).collect()
}

/// One for each kind in each receiver that a route leads to now.
fn by_receiver(stats: &[IntegrationStats], config: Option<&Config>) -> Vec<IntegrationStats> {
    let Some(config) = config else { return Vec::new() };
    let mut used = BTreeSet::new();
    receivers_of(&config.route, &mut used);
    let receivers = config.receivers.iter().filter(|receiver| used.contains(&*receiver.name));
    let pairs: BTreeSet<(&'static str, &Arc<str>)> =
        receivers.flat_map(|receiver| receiver.integrations.iter().map(|i| (i.kind, &receiver.name))).collect();
    let counted = |(kind, name): (&'static str, &Arc<str>)| {
        let found = stats.iter().find(|one| one.kind == kind && one.receiver == *name);
        found.cloned().unwrap_or_else(|| IntegrationStats::new(kind, name.clone()))
    };
    pairs.into_iter().map(counted).collect()
}
