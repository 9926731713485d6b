//! `/metrics`: what the engine and the HTTP surface count, under the reference's names.
//!
//! Families of the reference that have no counterpart here (channels between goroutines, durations of its garbage
//! collections) are left out rather than made up.

mod exposition;
mod process;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use alerting::config::{Config, Route};
use alerting::silence::SilenceState;
use alerting::stats::{FAILURE_REASONS, IntegrationStats, LATENCY_BOUNDS, Stats};
use alerting::view::ClusterView;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::api::{Api, ApiOptions, ApiState, HttpStats, Refusal};
use crate::reload::ReloadStatus;
use crate::store::StorageStats;
use exposition::Exposition;

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

/// What is asked of the engine.
struct Snapshot {
    stats: Stats,
    alerts: (u64, u64),
    groups: usize,
    log_entries: usize,
    /// Active, pending, expired.
    silences: [u64; 3],
    cluster: ClusterView,
    config: Option<Arc<Config>>,
}

/// `GET`: the text format, whatever `Accept` says.
pub(crate) async fn show(State(api): State<Api>) -> Result<Response, Refusal> {
    let look = api.state.handle.view(|view| {
        let mut silences = [0; 3];
        for state in view.silence_states() {
            silences[match state {
                SilenceState::Active => 0,
                SilenceState::Pending => 1,
                SilenceState::Expired => 2,
            }] += 1;
        }
        Snapshot {
            stats: view.stats().clone(),
            alerts: view.alert_counts(),
            groups: view.group_count(),
            log_entries: view.nflog_len(),
            silences,
            cluster: view.cluster(),
            config: view.config().cloned(),
        }
    });
    let seen = look.await?;
    let reload = api.state.reload_status.borrow().clone();
    let text = write(&seen, &api.http, &reload, &api.state);
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}

fn write(seen: &Snapshot, http: &HttpStats, reload: &ReloadStatus, state: &ApiState) -> String {
    let options = &state.options;
    let mut out = Exposition::default();
    alerts(&mut out, seen, http, options);
    build(&mut out, options);
    cluster(&mut out, seen);
    config(&mut out, seen.config.as_deref(), reload);
    groups(&mut out, seen);
    requests(&mut out, http);
    log(&mut out, seen);
    notifications(&mut out, &seen.stats);
    silences(&mut out, seen);
    storage(&mut out, &state.storage);
    process::write(&mut out, options.started_at);
    out.finish()
}

fn alerts(out: &mut Exposition, seen: &Snapshot, http: &HttpStats, options: &ApiOptions) {
    let stats = &seen.stats;
    let (active, suppressed) = seen.alerts;
    out.gauge("alertmanager_alerts", "Alerts in aggregation groups that aren't resolved.")
        .with(&[("state", "active")], active)
        .with(&[("state", "suppressed")], suppressed)
        .with(&[("state", "unprocessed")], 0_u64);
    let (firing, resolved) = http.invalid();
    out.counter("alertmanager_alerts_received_total", "Alerts that were posted, invalid ones too.")
        .with(&[("status", "firing"), ("version", "v2")], stats.alerts_received_firing + firing)
        .with(&[("status", "resolved"), ("version", "v2")], stats.alerts_received_resolved + resolved);
    out.counter("alertmanager_alerts_invalid_total", "Posted alerts that were refused as invalid.")
        .with(&[("version", "v2")], firing + resolved);
    out.gauge("alertmanager_alerts_per_alert_limit", "Most alerts of one name, 0 for any number.")
        .is(options.alerts_per_name_max);
    out.counter("alertmanager_alerts_limited_total", "Alerts dropped by the limit per name.").is(stats.alerts_limited);
}

fn build(out: &mut Exposition, options: &ApiOptions) {
    let info = &options.version;
    let labels = [
        ("branch", info.branch.as_str()),
        ("goarch", go_arch()),
        ("goos", std::env::consts::OS),
        ("goversion", &info.go_version),
        ("revision", &info.revision),
        ("tags", ""),
        ("version", &info.version),
    ];
    out.gauge("alertmanager_build_info", "Always 1; the labels say what was built from what.").with(&labels, 1_u64);
}

fn go_arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn cluster(out: &mut Exposition, seen: &Snapshot) {
    let (cluster, stats) = (&seen.cluster, &seen.stats);
    out.gauge("alertmanager_cluster_enabled", "Whether high availability is on.").is(cluster.enabled);
    if !cluster.enabled {
        return;
    }
    out.gauge("alertmanager_cluster_members", "Members that are alive, this one included.").is(cluster.peers.len());
    out.gauge("alertmanager_cluster_failed_peers", "Known peers that don't answer.").is(cluster.failed_peers);
    out.gauge("alertmanager_cluster_peer_info", "Always 1; the label is the name of this member.")
        .with(&[("peer", &cluster.name)], 1_u64);
    out.gauge("alertmanager_peer_position", "Position of this member in the order of notifying.").is(cluster.position);
    out.counter("alertmanager_cluster_peers_joined_total", "Members that came.").is(stats.peers_joined);
    out.counter("alertmanager_cluster_peers_left_total", "Members that went.").is(stats.peers_left);
    let mut messages = |name: &str, help: &str, count: fn(&(u64, u64)) -> u64, of: &[(u64, u64); 2]| {
        let [update, full] = of;
        out.counter(name, help)
            .with(&[("msg_type", "full_state")], count(full))
            .with(&[("msg_type", "update")], count(update));
    };
    let count = |of: &(u64, u64)| of.0;
    let size = |of: &(u64, u64)| of.1;
    messages("alertmanager_cluster_messages_sent_total", "Messages to peers.", count, &stats.cluster_sent);
    messages("alertmanager_cluster_messages_sent_size_total", "Bytes to peers.", size, &stats.cluster_sent);
    messages("alertmanager_cluster_messages_received_total", "Messages from peers.", count, &stats.cluster_received);
    messages("alertmanager_cluster_messages_received_size_total", "Bytes from peers.", size, &stats.cluster_received);
    out.counter(
        "alertmanager_cluster_duplicate_notifications_total",
        "Notifications that a peer had sent too, as its log showed afterwards.",
    )
    .is(stats.duplicates_seen);
}

fn config(out: &mut Exposition, config: Option<&Config>, reload: &ReloadStatus) {
    out.gauge("alertmanager_config_hash", "Short hash of the running config file.").is(reload.md5_hash);
    out.gauge("alertmanager_config_last_reload_successful", "Whether the last attempt to load a config succeeded.")
        .is(reload.last_success);
    out.gauge("alertmanager_config_last_reload_success_timestamp_seconds", "When a config was last taken into use.")
        .is(reload.last_success_time.as_nanos() as f64 / 1e9);
    let Some(config) = config else { return };
    let mut used = BTreeSet::new();
    receivers_of(&config.route, &mut used);
    let receivers = config.receivers.iter().filter(|receiver| used.contains(&*receiver.name));
    let integrations: usize = receivers.clone().map(|receiver| receiver.integrations.len()).sum();
    out.gauge("alertmanager_receivers", "Receivers that routes lead to.").is(receivers.count());
    out.gauge("alertmanager_integrations", "Integrations of those receivers.").is(integrations);
    out.gauge("alertmanager_inhibition_rules", "Inhibition rules in the config.").is(config.inhibit_rules.len());
}

fn receivers_of<'a>(route: &'a Route, names: &mut BTreeSet<&'a str>) {
    names.insert(&route.receiver);
    route.routes.iter().for_each(|child| receivers_of(child, names));
}

fn groups(out: &mut Exposition, seen: &Snapshot) {
    out.gauge("alertmanager_dispatcher_aggregation_groups", "Aggregation groups that exist.").is(seen.groups);
    out.counter("alertmanager_dispatcher_flushes_total", "Times that a group was looked at for a notification.")
        .is(seen.stats.flushes);
    // neither can happen here; alerting rules on them stay valid
    out.counter("alertmanager_dispatcher_aggregation_group_limit_reached_total", "Never rises: there is no limit.")
        .is(0_u64);
    out.counter(
        "alertmanager_dispatcher_aggregation_group_creation_given_up_total",
        "Never rises: making a group can't fail.",
    )
    .is(0_u64);
}

fn requests(out: &mut Exposition, http: &HttpStats) {
    let series = http.series();
    let mut durations = out.histogram("alertmanager_http_request_duration_seconds", "Time to answer HTTP requests.");
    for (request, histogram) in &series.durations {
        let code = request.code.to_string();
        let labels = [("code", code.as_str()), ("handler", request.handler), ("method", request.method)];
        durations.observed(&labels, histogram);
    }
    let mut sizes = out.histogram("alertmanager_http_response_size_bytes", "Sizes of answers outside of the API.");
    for ((handler, method), histogram) in &series.sizes {
        sizes.observed(&[("handler", handler), ("method", method)], histogram);
    }
    out.gauge("alertmanager_http_requests_in_flight", "Requests that are being answered.")
        .with(&[("method", "get")], http.in_flight());
    out.counter("alertmanager_http_concurrency_limit_exceeded_total", "Requests refused for the limit of concurrency.")
        .with(&[("method", "get")], http.over_limit());
}

fn log(out: &mut Exposition, seen: &Snapshot) {
    let stats = &seen.stats;
    out.gauge("alertmanager_nflog_entries", "Entries of the notification log.").is(seen.log_entries);
    out.counter("alertmanager_nflog_maintenance_total", "Rounds of maintenance of the notification log.")
        .is(stats.nflog_maintenance);
    out.counter("alertmanager_nflog_queries_total", "Look-ups in the notification log.").is(stats.nflog_queries);
    out.gauge("alertmanager_nflog_snapshot_size_bytes", "Size of the last snapshot of the notification log.")
        .is(stats.nflog_snapshot_bytes);
    out.counter("alertmanager_nflog_gossip_messages_propagated_total", "Entries told to peers.")
        .is(stats.nflog_propagated);
}

fn notifications(out: &mut Exposition, stats: &Stats) {
    let mut stats = stats.clone();
    for kind in INTEGRATIONS {
        // made when new
        stats.integration(kind);
    }
    let all = &stats.integrations;
    let mut counts = |name: &str, help: &str, count: fn(&IntegrationStats) -> u64| {
        let mut family = out.counter(name, help);
        for integration in all {
            family.with(&[("integration", integration.kind)], count(integration));
        }
    };
    counts("alertmanager_notifications_total", "Notifications attempted.", |i| i.notifications);
    counts("alertmanager_notification_requests_total", "Single requests to receivers.", |i| i.requests);
    counts("alertmanager_notification_requests_failed_total", "Those that failed.", |i| i.requests_failed);
    let mut failed = out.counter("alertmanager_notifications_failed_total", "Notifications that failed, and why.");
    for integration in all {
        for (reason, count) in FAILURE_REASONS.iter().zip(integration.failed) {
            failed.with(&[("integration", integration.kind), ("reason", reason)], count);
        }
    }
    let mut latency = out.histogram("alertmanager_notification_latency_seconds", "Time until a notification was out.");
    for i in all {
        latency.buckets(&[("integration", i.kind)], &LATENCY_BOUNDS, &i.latency_buckets, i.latency_sum);
    }
    out.counter("alertmanager_notifications_suppressed_total", "Alerts kept from notifications, and by what.")
        .with(&[("reason", "active_time_interval")], stats.suppressed_active_interval)
        .with(&[("reason", "inhibition")], stats.suppressed_inhibition)
        .with(&[("reason", "mute_time_interval")], stats.suppressed_mute_interval)
        .with(&[("reason", "silence")], stats.suppressed_silence);
}

fn silences(out: &mut Exposition, seen: &Snapshot) {
    let stats = &seen.stats;
    let [active, pending, expired] = seen.silences;
    out.gauge("alertmanager_silences", "Silences by state.")
        .with(&[("state", "active")], active)
        .with(&[("state", "expired")], expired)
        .with(&[("state", "pending")], pending);
    out.gauge("alertmanager_silences_state_size", "Silences that are kept.").is(active + pending + expired);
    out.counter("alertmanager_silences_maintenance_total", "Rounds of maintenance of the silences.")
        .is(stats.silences_maintenance);
    out.counter("alertmanager_silences_queries_total", "Queries for silences.").is(stats.silences_queries);
    out.gauge("alertmanager_silences_snapshot_size_bytes", "Size of the last snapshot of the silences.")
        .is(stats.silences_snapshot_bytes);
    out.counter("alertmanager_silences_gossip_messages_propagated_total", "Silences told to peers.")
        .is(stats.silences_propagated);
}

fn storage(out: &mut Exposition, stats: &StorageStats) {
    let failed = stats.snapshot_failures.load(Relaxed);
    out.counter("alertmanager_nflog_maintenance_errors_total", "Rounds of maintenance that failed.").is(failed);
    out.counter("alertmanager_silences_maintenance_errors_total", "Rounds of maintenance that failed.").is(failed);
    out.gauge("alertmanager_journal_size_bytes", "Size of the journal of what came after the last state files.")
        .is(stats.journal_bytes.load(Relaxed));
    out.counter("alertmanager_journal_failures_total", "Times that something could not be added to the journal.")
        .is(stats.journal_failures.load(Relaxed));
}
