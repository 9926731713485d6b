//! `/metrics`: what the engine and the HTTP surface count, under the reference's names.
//!
//! Every family that the reference has without gossip TLS is here, by name, type and labels; those whose events can't
//! happen here stay at 0, so that rules and dashboards over them stay valid.

mod cluster;
mod exposition;
mod notifications;
mod process;
mod recorder;
mod state;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use alerting::config::{Config, Route};
use alerting::silence::SilenceState;
use alerting::stats::Stats;
use alerting::view::{AlertCounts, ClusterView};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::api::{Api, ApiOptions, ApiState, HttpStats, Refusal};
use crate::observed::Times;
use crate::reload::ReloadStatus;
use crate::store::StorageStats;
use exposition::Exposition;

/// What is asked of the engine.
struct Snapshot {
    stats: Stats,
    alerts: Alerts,
    groups: usize,
    log_entries: usize,
    /// Active, pending, expired.
    silences: [u64; 3],
    cluster: ClusterView,
    config: Option<Arc<Config>>,
    times: Times,
}

/// Alerts by state, as a whole or in each group.
enum Alerts {
    All(AlertCounts),
    Groups(Vec<(Arc<str>, AlertCounts)>),
}

/// `GET`: the text format, whatever `Accept` says.
pub(crate) async fn show(State(api): State<Api>) -> Result<Response, Refusal> {
    let times = api.state.observed.times();
    let by_group = api.state.options.metric_labels.group_keys;
    let look = api.state.handle.view(move |view| {
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
            alerts: match by_group {
                true => Alerts::Groups(view.alert_counts_by_group()),
                false => Alerts::All(view.alert_counts()),
            },
            groups: view.group_count(),
            log_entries: view.nflog_len(),
            silences,
            cluster: view.cluster(),
            config: view.config().cloned(),
            times,
        }
    });
    let seen = look.await?;
    let reload = api.state.reload_status.borrow().clone();
    let mut out = write(&seen, &api.http, &reload, &api.state);
    if let Some((counts, waiting)) = api.state.recorder.counts() {
        recorder::write(&mut out, &counts, waiting);
    }
    let text = out.finish();
    api.http.count_scrape();
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}

fn write(seen: &Snapshot, http: &HttpStats, reload: &ReloadStatus, state: &ApiState) -> Exposition {
    let options = &state.options;
    let mut out = Exposition::default();
    alerts(&mut out, seen, http, options);
    build(&mut out, options);
    cluster::write(&mut out, seen);
    config(&mut out, seen.config.as_deref(), reload);
    dispatcher(&mut out, seen);
    requests(&mut out, http);
    state::log(&mut out, seen);
    state::silences(&mut out, seen);
    notifications::write(&mut out, seen, options.metric_labels);
    storage(&mut out, &state.storage);
    process::write(&mut out, options.started_at);
    out
}

fn alerts(out: &mut Exposition, seen: &Snapshot, http: &HttpStats, options: &ApiOptions) {
    let stats = &seen.stats;
    let mut family = out.gauge("alertmanager_alerts", "Alerts in aggregation groups that aren't resolved.");
    let mut states = |counts: &AlertCounts, group: Option<(&'static str, &str)>| {
        let each = [("active", counts.active), ("suppressed", counts.suppressed), ("unprocessed", counts.unprocessed)];
        for (state, count) in each {
            let labels: Vec<(&str, &str)> = group.into_iter().chain([("state", state)]).collect();
            family.with(&labels, count);
        }
    };
    match &seen.alerts {
        Alerts::All(counts) => states(counts, None),
        Alerts::Groups(groups) => groups.iter().for_each(|(key, counts)| states(counts, Some(("group_key", key)))),
    }
    let (firing, resolved) = http.invalid();
    out.counter("alertmanager_alerts_received_total", "Alerts that were posted, invalid ones too.")
        .with(&[("status", "firing"), ("version", "v2")], stats.alerts_received_firing + firing)
        .with(&[("status", "resolved"), ("version", "v2")], stats.alerts_received_resolved + resolved);
    out.counter("alertmanager_alerts_invalid_total", "Posted alerts that were refused as invalid.")
        .with(&[("version", "v2")], firing + resolved);
    out.gauge("alertmanager_alerts_per_alert_limit", "Most alerts of one name, 0 for any number.")
        .is(options.alerts_per_name_max);
    let mut limited = out.counter("alertmanager_alerts_limited_total", "Alerts dropped by the limit per name.");
    match options.metric_labels.alert_names {
        true => stats.alerts_limited.iter().for_each(|(name, count)| {
            limited.with(&[("alertname", name)], *count);
        }),
        false if stats.alerts_limited.is_empty() => {}
        false => limited.is(stats.alerts_limited.values().sum::<u64>()),
    }
    let mut writes = out.counter(
        "alertmanager_alerts_subscriber_channel_writes_total",
        "Alerts handed on to grouping and to inhibition.",
    );
    if stats.alerts_stored > 0 {
        writes
            .with(&[("subscriber", "dispatcher")], stats.alerts_stored)
            .with(&[("subscriber", "inhibitor")], stats.alerts_stored);
    }
}

fn build(out: &mut Exposition, options: &ApiOptions) {
    let info = &options.version;
    let labels = [
        ("branch", info.branch.as_str()),
        ("goarch", info.arch()),
        ("goos", std::env::consts::OS),
        ("goversion", &info.go_version),
        ("revision", &info.revision),
        ("tags", ""),
        ("version", &info.version),
    ];
    out.gauge("alertmanager_build_info", "Always 1; the labels say what was built from what.").with(&labels, 1_u64);
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

fn dispatcher(out: &mut Exposition, seen: &Snapshot) {
    out.gauge("alertmanager_dispatcher_aggregation_groups", "Aggregation groups that exist.").is(seen.groups);
    out.counter("alertmanager_dispatcher_flushes_total", "Times that a group was looked at for a notification.")
        .is(seen.stats.flushes);
    out.summary(
        "alertmanager_dispatcher_alert_processing_duration_seconds",
        "Time to take an alert in: store, route and group it.",
        seen.times.alerts,
    );
    // none of these can happen here; alerting rules on them stay valid
    for (what, help) in [
        ("limit_reached", "Never rises: there is no limit of groups."),
        ("creation_given_up", "Never rises: making a group can't fail."),
        ("creation_retries", "Never rises: making a group can't fail."),
    ] {
        out.counter(&format!("alertmanager_dispatcher_aggregation_group_{what}_total"), help).is(0_u64);
    }
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
    out.gauge("promhttp_metric_handler_requests_in_flight", "Scrapes that are being served, this one included.")
        .is(1_u64);
    out.counter("promhttp_metric_handler_requests_total", "Scrapes by the status that they were answered with.")
        .with(&[("code", "200")], http.scrapes())
        .with(&[("code", "500")], 0_u64)
        .with(&[("code", "503")], 0_u64);
    let help = "Requests refused before they could cost much, by reason.";
    let mut refused = out.counter("alertmanager_http_requests_refused_total", help);
    for (reason, count) in http.refused() {
        refused.with(&[("reason", reason)], count);
    }
}

fn storage(out: &mut Exposition, stats: &StorageStats) {
    out.gauge("alertmanager_journal_size_bytes", "Size of the journal of what came after the last state files.")
        .is(stats.journal_bytes.load(Relaxed));
    out.counter("alertmanager_journal_failures_total", "Times that something could not be added to the journal.")
        .is(stats.journal_failures.load(Relaxed));
    if let Some((size, left)) = stats.space() {
        out.gauge("alertmanager_storage_size_bytes", "Size of the file system of the storage directory.").is(size);
        out.gauge("alertmanager_storage_available_bytes", "What is left of it for this process.").is(left);
    }
}
