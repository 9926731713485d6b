//! How what engines do is written down.

use std::collections::BTreeMap;
use std::time::Duration;

use alerting::effects::Event;
use alerting::engine::Engine;
use alerting::silence::{SilenceId, SilenceState};
use alerting::time::Timestamp;
use alerting::view::{AlertFilter, AlertStatus, Readiness};
use serde_json::Value;

/// A time since the start: `1h2m3s`, `10.25s`.
pub(crate) fn since(start: Timestamp, at: Timestamp) -> String {
    let passed = at.since(start);
    let (secs, millis) = (passed.as_secs(), passed.subsec_millis());
    let (hours, minutes, seconds) = (secs / 3600, secs / 60 % 60, secs % 60);
    let mut text = String::new();
    for (count, unit) in [(hours, "h"), (minutes, "m")] {
        if count > 0 {
            text += &format!("{count}{unit}");
        }
    }
    match millis {
        0 if seconds == 0 && !text.is_empty() => text,
        0 => text + &format!("{seconds}s"),
        _ => text + format!("{seconds}.{millis:03}").trim_end_matches('0') + "s",
    }
}

/// `to team {alertname="Down"}: a, b fire; c resolved (first notification)`
pub(crate) fn webhook(url: &str, body: &Value) -> String {
    let receiver = url.trim_start_matches("http://").trim_end_matches('/');
    let group = body["groupKey"].as_str().and_then(|key| key.rsplit_once(":{")).map_or("", |(_, labels)| labels);
    let of = |status: &str| -> Vec<&str> {
        let those = body["alerts"].as_array().into_iter().flatten().filter(|a| a["status"] == status);
        those.map(|a| a["labels"]["instance"].as_str().unwrap_or("-")).collect()
    };
    let (firing, resolved) = (of("firing"), of("resolved"));
    let mut parts = Vec::new();
    if !firing.is_empty() {
        parts.push(format!("{} fire", firing.join(", ")));
    }
    if !resolved.is_empty() {
        parts.push(format!("{} resolved", resolved.join(", ")));
    }
    let more = match body["truncatedAlerts"].as_u64() {
        None | Some(0) => String::new(),
        Some(more) => format!(" and {more} more"),
    };
    let reason = body["notification_reason"].as_str().unwrap_or_default();
    format!("to {receiver} {{{group}: {}{more} ({reason})", parts.join("; "))
}

/// Events that a webhook doesn't show.
pub(crate) fn event(event: &Event) -> Option<String> {
    match event {
        Event::NotifyFailed { attempts, reason, .. } => {
            Some(format!("given up until the next flush, attempts: {attempts} ({reason})"))
        }
        Event::AlertLimited { name } => Some(format!("dropped: {name} has too many alerts")),
        Event::Settled { reason, .. } => Some(format!("may notify: {reason}")),
        Event::MemberLeft { name, .. } => Some(format!("{name} is gone")),
        Event::PeerRejected { error, .. } => Some(format!("refused a peer: {error}")),
        Event::RouteLabelFailed { label, error, .. } => Some(format!("no label {label}: {error}")),
        Event::SilenceUnusable { cause, .. } => Some(format!("unusable silence: {cause}")),
        Event::MemberJoined { name, .. } => Some(format!("knows {name}")),
        Event::Held { by, .. } => Some(format!("holds, {by} is sending")),
        Event::TurnPassed { .. } => Some("leaves it to the next peer".into()),
        Event::TurnTaken { by, .. } => Some(format!("tries now in place of {by}")),
        Event::StoodStill { .. } => Some("stood still, asks the peers".into()),
        Event::Notified { .. } | Event::AttemptFailed { .. } | Event::SilenceChanged { .. } => None,
    }
}

/// What an engine shows of itself.
pub(crate) fn view(
    engine: &mut Engine,
    what: &str,
    start: Timestamp,
    now: Timestamp,
    names: &BTreeMap<SilenceId, String>,
) -> Vec<String> {
    let mut view = engine.view(now);
    match what {
        "alerts" => {
            let rows = view.alerts(&AlertFilter::default());
            let instances: BTreeMap<_, _> =
                rows.iter().map(|r| (r.alert.fingerprint, r.alert.labels.value("instance").to_owned())).collect();
            let mut lines: Vec<String> = rows
                .iter()
                .map(|row| {
                    let starts = since(start, row.alert.starts_at);
                    let old = if row.alert.starts_at < start { "before the start" } else { &starts };
                    let status = status(&row.status, names, &instances);
                    format!("{} since {old}: {status}", row.alert.labels.value("instance"))
                })
                .collect();
            lines.sort();
            lines
        }
        "groups" => {
            let groups = view.groups(&AlertFilter::default());
            let line = |group: &alerting::view::GroupRow| {
                let alerts: Vec<String> = group
                    .alerts
                    .iter()
                    .map(|row| {
                        let instance = row.alert.labels.value("instance");
                        let status = status(&row.status, names, &BTreeMap::new());
                        if status == "active" { instance.to_owned() } else { format!("{instance} ({status})") }
                    })
                    .collect();
                format!("{} {}: {}", group.receiver, group.labels, alerts.join(", "))
            };
            groups.iter().map(line).collect()
        }
        "silences" => {
            let rows = view.silences();
            let mut lines: Vec<String> = rows
                .iter()
                .map(|(silence, state)| {
                    let name = names.get(&silence.id).map_or("?", String::as_str);
                    let (from, to) = (since(start, silence.starts_at), since(start, silence.ends_at));
                    match state {
                        SilenceState::Active => format!("{name} is active until {to}"),
                        SilenceState::Pending => format!("{name} is pending, from {from} until {to}"),
                        SilenceState::Expired => format!("{name} is expired since {to}"),
                    }
                })
                .collect();
            lines.sort();
            lines
        }
        "ready" => vec![match view.readiness() {
            Readiness::Ready => "ready".to_owned(),
            Readiness::Waiting(what) => format!("waits for {what}"),
        }],
        "cluster" => {
            let cluster = view.cluster();
            vec![format!("position {} of {}", cluster.position, cluster.peers.len())]
        }
        "counts" => {
            let (groups, log) = (view.group_count(), view.nflog_len());
            vec![format!("{groups} groups, {log} log entries")]
        }
        _ => panic!("there is no `show {what}`"),
    }
}

fn status(
    status: &AlertStatus,
    names: &BTreeMap<SilenceId, String>,
    instances: &BTreeMap<alerting::label::Fingerprint, String>,
) -> String {
    let mut why = Vec::new();
    for id in &status.silenced_by {
        why.push(format!("silenced by {}", names.get(id).map_or("?", String::as_str)));
    }
    for source in &status.inhibited_by {
        why.push(format!("inhibited by {}", instances.get(source).map_or("another", String::as_str)));
    }
    for interval in &status.muted_by {
        why.push(format!("muted by {interval}"));
    }
    if why.is_empty() { "active".to_owned() } else { why.join(", ") }
}

/// The start of a receiver's answer as it is written down.
pub(crate) fn answer(status: Option<u16>, retry_after: Option<Duration>) -> String {
    match (status, retry_after) {
        (Some(200), _) => String::new(),
        (Some(status), None) => format!(" -> {status}"),
        (Some(status), Some(after)) => format!(" -> {status}, ask again in {}s", after.as_secs()),
        (None, _) => " -> no answer yet".to_owned(),
    }
}
