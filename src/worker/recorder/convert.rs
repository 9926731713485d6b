//! From what the engine says to what is written.

use std::time::Duration;

use alerting::alert;
use alerting::label::LabelSet;
use alerting::matcher::{self, Op};
use alerting::nflog::SendReason;
use alerting::record::{self, Record};
use alerting::silence;
use alerting::time::Timestamp;
use sha2::{Digest, Sha256};

use super::schema::{
    Alert, AlertCreated, AlertInGroup, Data, Event, GroupInfo, GroupedAlert, InhibitRule, InhibitionMuted, Integration,
    Kind, LabelPair, Labels, Matcher, MatcherSet, MatcherType, MutedAlert, Notification, Reason, Silence,
    SilenceChanged, SilenceMuted, Span, Time,
};

/// The event of a record; `process` distinguishes this process from all others.
pub(super) fn kind(record: &Record, now: Timestamp, process: &str) -> Kind {
    match record {
        Record::AlertCreated(alert) => Kind::AlertCreated(AlertCreated { alert: Some(details(alert, now)) }),
        Record::AlertGrouped { alert, group } => Kind::AlertGrouped(in_group(alert, group, now)),
        Record::AlertResolved { alert, group } => Kind::AlertResolved(in_group(alert, group, now)),
        Record::Notification(notification) => Kind::Notification(sent(notification, process)),
        Record::SilenceCreated(silence) => Kind::SilenceCreated(SilenceChanged { silence: Some(of_silence(silence)) }),
        Record::SilenceUpdated(silence) => Kind::SilenceUpdated(SilenceChanged { silence: Some(of_silence(silence)) }),
        Record::SilenceMuted { silence, alert } => Kind::SilenceMutedAlert(SilenceMuted {
            silence: Some(of_silence(silence)),
            muted_alert: Some(muted(alert)),
        }),
        Record::InhibitionMuted { rule, alert, by } => Kind::InhibitionMutedAlert(InhibitionMuted {
            inhibit_rules: vec![InhibitRule {
                source_matchers: rule.source.iter().map(of_matcher).collect(),
                target_matchers: rule.target.iter().map(of_matcher).collect(),
                equal_labels: rule.equal.iter().map(|name| name.to_string()).collect(),
                name: rule.name.as_deref().unwrap_or_default().to_owned(),
            }],
            muted_alert: Some(muted(alert)),
            inhibiting_fingerprints: vec![by.0],
        }),
    }
}

/// Puts the envelope around.
pub(super) fn event(kind: Kind, now: Timestamp, instance: &str, position: u32) -> Event {
    Event {
        timestamp: Some(time(now)),
        instance: instance.to_owned(),
        data: Some(Data { kind: Some(kind) }),
        cluster_position: position,
    }
}

fn time(time: Timestamp) -> Time {
    Time { seconds: time.as_secs(), nanos: time.subsec_nanos() }
}

fn span(span: Duration) -> Span {
    Span {
        seconds: i64::try_from(span.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(span.subsec_nanos()).unwrap_or_default(),
    }
}

fn labels(set: &LabelSet) -> Labels {
    let pair = |(key, value): (&str, &str)| LabelPair { key: key.to_owned(), value: value.to_owned() };
    Labels { labels: set.iter().map(pair).collect() }
}

fn details(alert: &alert::Alert, now: Timestamp) -> Alert {
    Alert {
        fingerprint: alert.fingerprint.0,
        name: alert.name().to_owned(),
        labels: Some(labels(&alert.labels)),
        annotations: Some(labels(&alert.annotations)),
        starts_at: Some(time(alert.starts_at)),
        ends_at: Some(time(alert.ends_at)),
        resolved: alert.resolved_at(now),
    }
}

fn in_group(alert: &alert::Alert, group: &record::GroupInfo, now: Timestamp) -> AlertInGroup {
    AlertInGroup {
        alert: Some(GroupedAlert { hash: alert.log_hash, details: Some(details(alert, now)) }),
        group_info: Some(of_group(group)),
    }
}

fn of_group(group: &record::GroupInfo) -> GroupInfo {
    GroupInfo {
        group_key: group.key.to_string(),
        group_labels: Some(labels(&group.labels)),
        group_id: hex(&Sha256::digest(group.key.as_bytes())),
        receiver_name: group.receiver.to_string(),
        matchers: Vec::new(),
        group_uuid: String::new(),
    }
}

fn muted(alert: &alert::Alert) -> MutedAlert {
    MutedAlert { labels: Some(labels(&alert.labels)), fingerprint: alert.fingerprint.0 }
}

fn of_matcher(matcher: &matcher::Matcher) -> Matcher {
    let kind = match matcher.op {
        Op::Equal => MatcherType::Equal,
        Op::NotEqual => MatcherType::NotEqual,
        Op::Regex => MatcherType::Regexp,
        Op::NotRegex => MatcherType::NotRegexp,
    };
    Matcher {
        kind: kind.into(),
        name: matcher.name.to_string(),
        pattern: matcher.value.to_string(),
        rendered: matcher.to_string(),
    }
}

/// The reference leaves the annotations of a silence out.
fn of_silence(silence: &silence::Silence) -> Silence {
    let sets = silence.matcher_sets.iter().map(|set| MatcherSet { matchers: set.iter().map(of_matcher).collect() });
    let matcher_sets: Vec<MatcherSet> = sets.collect();
    Silence {
        id: silence.id.to_string(),
        matchers: matcher_sets.first().map(|set| set.matchers.clone()).unwrap_or_default(),
        annotations: None,
        starts_at: Some(time(silence.starts_at)),
        ends_at: Some(time(silence.ends_at)),
        updated_at: Some(time(silence.updated_at)),
        created_by: silence.created_by.clone(),
        comment: silence.comment.clone(),
        matcher_sets,
    }
}

fn sent(notification: &record::Notification, process: &str) -> Notification {
    let hashes = |hashes: &[u64]| hashes.iter().map(|hash| GroupedAlert { hash: *hash, details: None }).collect();
    let grouped = |alert: &std::sync::Arc<alert::Alert>| {
        let mut details = details(alert, notification.at);
        if !details.resolved {
            // what fires is told without an end
            details.ends_at = Some(Time::ZERO);
        }
        GroupedAlert { hash: alert.log_hash, details: Some(details) }
    };
    let mut group = of_group(&notification.group);
    group.matchers = notification.matchers.iter().map(of_matcher).collect();
    group.group_uuid = uuid(process, &group.group_key, notification.group_serial);
    let reason = match notification.reason {
        SendReason::FirstNotification => Reason::FirstNotification,
        SendReason::NewAlerts => Reason::NewAlertsInGroup,
        SendReason::SomeResolved => Reason::NewResolvedAlerts,
        SendReason::AllResolved => Reason::AllAlertsResolved,
        SendReason::Repeat => Reason::RepeatIntervalElapsed,
    };
    Notification {
        alerts: notification.alerts.iter().map(grouped).collect(),
        firing_alerts: hashes(&notification.firing),
        resolved_alerts: hashes(&notification.resolved),
        muted_alerts: hashes(&notification.muted),
        group_info: Some(group),
        repeat_interval: Some(span(notification.repeat_interval)),
        reason: reason.into(),
        flush_id: notification.flush,
        integration: Some(Integration {
            name: notification.integration.to_owned(),
            index: i64::from(notification.index),
        }),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// In the form of a UUID of version 4.
fn uuid(process: &str, key: &str, serial: u64) -> String {
    let digest =
        Sha256::new().chain_update(process).chain_update([0]).chain_update(key).chain_update(serial.to_le_bytes());
    let mut hex = hex(&digest.finalize()[..16]);
    hex.replace_range(12..13, "4");
    hex.replace_range(16..17, "a");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}
