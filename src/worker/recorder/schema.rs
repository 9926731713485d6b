//! The events as the reference writes them: one set of types for protobuf and for its JSON form.

use serde::{Serialize, Serializer};

/// One event with where and when it happened.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Event {
    #[prost(message, optional, tag = "1")]
    #[serde(rename = "@timestamp", skip_serializing_if = "Option::is_none")]
    pub(crate) timestamp: Option<Time>,
    #[prost(string, tag = "2")]
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) instance: String,
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<Data>,
    #[prost(uint32, tag = "4")]
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) cluster_position: u32,
}

/// What happened.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(crate) struct Data {
    #[prost(oneof = "Kind", tags = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10")]
    #[serde(flatten)]
    pub(crate) kind: Option<Kind>,
}

/// One of these.
#[derive(Clone, PartialEq, prost::Oneof, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Kind {
    #[prost(message, tag = "1")]
    AlertmanagerStartupEvent(Startup),
    #[prost(message, tag = "2")]
    AlertmanagerShutdownEvent(Shutdown),
    #[prost(message, tag = "3")]
    AlertCreated(AlertCreated),
    #[prost(message, tag = "4")]
    AlertResolved(AlertInGroup),
    #[prost(message, tag = "5")]
    AlertGrouped(AlertInGroup),
    #[prost(message, tag = "6")]
    Notification(Notification),
    #[prost(message, tag = "7")]
    SilenceCreated(SilenceChanged),
    #[prost(message, tag = "8")]
    SilenceUpdated(SilenceChanged),
    #[prost(message, tag = "9")]
    SilenceMutedAlert(SilenceMuted),
    #[prost(message, tag = "10")]
    InhibitionMutedAlert(InhibitionMuted),
}

impl Kind {
    /// Label of the metrics.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::AlertmanagerStartupEvent(_) => "alertmanager_startup_event",
            Self::AlertmanagerShutdownEvent(_) => "alertmanager_shutdown_event",
            Self::AlertCreated(_) => "alert_created",
            Self::AlertResolved(_) => "alert_resolved",
            Self::AlertGrouped(_) => "alert_grouped",
            Self::Notification(_) => "notification",
            Self::SilenceCreated(_) => "silence_created",
            Self::SilenceUpdated(_) => "silence_updated",
            Self::SilenceMutedAlert(_) => "silence_muted_alert",
            Self::InhibitionMutedAlert(_) => "inhibition_muted_alert",
        }
    }
}

/// The process has started.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Startup {
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) version: String,
    #[prost(string, tag = "2")]
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) build_context: String,
}

/// The process ends.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(crate) struct Shutdown {}

/// One label.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(crate) struct LabelPair {
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) key: String,
    #[prost(string, tag = "2")]
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) value: String,
}

/// Labels, sorted by name.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(crate) struct Labels {
    #[prost(message, repeated, tag = "1")]
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) labels: Vec<LabelPair>,
}

/// An alert as it was then.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Alert {
    #[prost(uint64, tag = "1")]
    #[serde(skip_serializing_if = "is_default", serialize_with = "text")]
    pub(crate) fingerprint: u64,
    #[prost(string, tag = "2")]
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) name: String,
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) labels: Option<Labels>,
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) annotations: Option<Labels>,
    #[prost(message, optional, tag = "5")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) starts_at: Option<Time>,
    #[prost(message, optional, tag = "6")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ends_at: Option<Time>,
    #[prost(bool, tag = "7")]
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) resolved: bool,
}

/// An alert of a group, by its hash in the notification log.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(crate) struct GroupedAlert {
    #[prost(uint64, tag = "1")]
    #[serde(skip_serializing_if = "is_default", serialize_with = "text")]
    pub(crate) hash: u64,
    #[prost(message, optional, tag = "2")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) details: Option<Alert>,
}

/// An aggregation group.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GroupInfo {
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) group_key: String,
    #[prost(message, optional, tag = "2")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) group_labels: Option<Labels>,
    #[prost(string, tag = "3")]
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) group_id: String,
    #[prost(string, tag = "4")]
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) receiver_name: String,
    #[prost(message, repeated, tag = "5")]
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) matchers: Vec<Matcher>,
    #[prost(string, tag = "6")]
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) group_uuid: String,
}

/// A new alert.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(crate) struct AlertCreated {
    #[prost(message, optional, tag = "1")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) alert: Option<Alert>,
}

/// An alert that came to a group, or was resolved in it.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AlertInGroup {
    #[prost(message, optional, tag = "1")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) alert: Option<GroupedAlert>,
    #[prost(message, optional, tag = "2")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) group_info: Option<GroupInfo>,
}

/// Why a notification was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, prost::Enumeration)]
#[repr(i32)]
pub(crate) enum Reason {
    Unspecified = 0,
    FirstNotification = 1,
    NewAlertsInGroup = 2,
    NewResolvedAlerts = 3,
    AllAlertsResolved = 4,
    RepeatIntervalElapsed = 5,
}

/// An integration of a receiver.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(crate) struct Integration {
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) name: String,
    #[prost(int64, tag = "2")]
    #[serde(skip_serializing_if = "is_default", serialize_with = "text")]
    pub(crate) index: i64,
}

/// A notification that went out.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Notification {
    #[prost(message, repeated, tag = "1")]
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) alerts: Vec<GroupedAlert>,
    #[prost(message, repeated, tag = "2")]
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) firing_alerts: Vec<GroupedAlert>,
    #[prost(message, repeated, tag = "3")]
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) resolved_alerts: Vec<GroupedAlert>,
    #[prost(message, repeated, tag = "4")]
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) muted_alerts: Vec<GroupedAlert>,
    #[prost(message, optional, tag = "5")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) group_info: Option<GroupInfo>,
    #[prost(message, optional, tag = "6")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) repeat_interval: Option<Span>,
    #[prost(enumeration = "Reason", tag = "7")]
    #[serde(skip_serializing_if = "is_default", serialize_with = "reason_name")]
    pub(crate) reason: i32,
    #[prost(uint64, tag = "8")]
    #[serde(skip_serializing_if = "is_default", serialize_with = "text")]
    pub(crate) flush_id: u64,
    #[prost(message, optional, tag = "9")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) integration: Option<Integration>,
}

/// A silence as it was then.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Silence {
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) id: String,
    #[prost(message, repeated, tag = "2")]
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) matchers: Vec<Matcher>,
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) annotations: Option<Labels>,
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) starts_at: Option<Time>,
    #[prost(message, optional, tag = "5")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ends_at: Option<Time>,
    #[prost(message, optional, tag = "6")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) updated_at: Option<Time>,
    #[prost(string, tag = "7")]
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) created_by: String,
    #[prost(string, tag = "8")]
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) comment: String,
    #[prost(message, repeated, tag = "9")]
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) matcher_sets: Vec<MatcherSet>,
}

/// One condition on a label.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(crate) struct Matcher {
    #[prost(enumeration = "MatcherType", tag = "1")]
    #[serde(rename = "type", skip_serializing_if = "is_default", serialize_with = "type_name")]
    pub(crate) kind: i32,
    #[prost(string, tag = "2")]
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) name: String,
    #[prost(string, tag = "3")]
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) pattern: String,
    #[prost(string, tag = "4")]
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) rendered: String,
}

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, prost::Enumeration)]
#[repr(i32)]
pub(crate) enum MatcherType {
    Unspecified = 0,
    Equal = 1,
    Regexp = 2,
    NotEqual = 3,
    NotRegexp = 4,
}

/// Conditions that all must hold.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(crate) struct MatcherSet {
    #[prost(message, repeated, tag = "1")]
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) matchers: Vec<Matcher>,
}

/// A silence was made or changed.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(crate) struct SilenceChanged {
    #[prost(message, optional, tag = "1")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) silence: Option<Silence>,
}

/// An alert that was kept quiet.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(crate) struct MutedAlert {
    #[prost(message, optional, tag = "1")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) labels: Option<Labels>,
    #[prost(uint64, tag = "2")]
    #[serde(skip_serializing_if = "is_default", serialize_with = "text")]
    pub(crate) fingerprint: u64,
}

/// By a silence.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SilenceMuted {
    #[prost(message, optional, tag = "1")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) silence: Option<Silence>,
    #[prost(message, optional, tag = "2")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) muted_alert: Option<MutedAlert>,
}

/// A rule of inhibition.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InhibitRule {
    #[prost(message, repeated, tag = "1")]
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) source_matchers: Vec<Matcher>,
    #[prost(message, repeated, tag = "2")]
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) target_matchers: Vec<Matcher>,
    #[prost(string, repeated, tag = "3")]
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) equal_labels: Vec<String>,
    #[prost(string, tag = "4")]
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) name: String,
}

/// By rules.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InhibitionMuted {
    #[prost(message, repeated, tag = "1")]
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) inhibit_rules: Vec<InhibitRule>,
    #[prost(message, optional, tag = "2")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) muted_alert: Option<MutedAlert>,
    #[prost(uint64, repeated, tag = "3")]
    #[serde(skip_serializing_if = "is_default", serialize_with = "texts")]
    pub(crate) inhibiting_fingerprints: Vec<u64>,
}

/// `google.protobuf.Timestamp`.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(crate) struct Time {
    #[prost(int64, tag = "1")]
    pub(crate) seconds: i64,
    #[prost(int32, tag = "2")]
    pub(crate) nanos: i32,
}

/// `google.protobuf.Duration`.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(crate) struct Span {
    #[prost(int64, tag = "1")]
    pub(crate) seconds: i64,
    #[prost(int32, tag = "2")]
    pub(crate) nanos: i32,
}

impl Time {
    /// Go's zero time: the year 1.
    pub(crate) const ZERO: Self = Self { seconds: -62_135_596_800, nanos: 0 };
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if *self == Self::ZERO {
            return serializer.serialize_str("0001-01-01T00:00:00Z");
        }
        let whole = alerting::time::Timestamp::from_secs(self.seconds).rfc3339_nano();
        serializer.collect_str(&format_args!("{}{}Z", whole.trim_end_matches('Z'), fraction(self.nanos)))
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}{}s", self.seconds, fraction(self.nanos)))
    }
}

/// None, 3, 6 or 9 digits.
fn fraction(nanos: i32) -> String {
    match nanos {
        0 => String::new(),
        nanos if nanos % 1_000_000 == 0 => format!(".{:03}", nanos / 1_000_000),
        nanos if nanos % 1_000 == 0 => format!(".{:06}", nanos / 1_000),
        nanos => format!(".{nanos:09}"),
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Numbers of 64 bits are texts in protobuf's JSON.
fn text<T: std::fmt::Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

fn texts<S: Serializer>(values: &[u64], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.iter().map(u64::to_string))
}

fn reason_name<S: Serializer>(value: &i32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match Reason::try_from(*value).unwrap_or(Reason::Unspecified) {
        Reason::Unspecified => "NOTIFY_REASON_UNSPECIFIED",
        Reason::FirstNotification => "NOTIFY_REASON_FIRST_NOTIFICATION",
        Reason::NewAlertsInGroup => "NOTIFY_REASON_NEW_ALERTS_IN_GROUP",
        Reason::NewResolvedAlerts => "NOTIFY_REASON_NEW_RESOLVED_ALERTS",
        Reason::AllAlertsResolved => "NOTIFY_REASON_ALL_ALERTS_RESOLVED",
        Reason::RepeatIntervalElapsed => "NOTIFY_REASON_REPEAT_INTERVAL_ELAPSED",
    })
}

fn type_name<S: Serializer>(value: &i32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match MatcherType::try_from(*value).unwrap_or(MatcherType::Unspecified) {
        MatcherType::Unspecified => "TYPE_UNSPECIFIED",
        MatcherType::Equal => "TYPE_EQUAL",
        MatcherType::Regexp => "TYPE_REGEXP",
        MatcherType::NotEqual => "TYPE_NOT_EQUAL",
        MatcherType::NotRegexp => "TYPE_NOT_REGEXP",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_as_many_digits_as_protobufs_json() {
        let time = |seconds, nanos| serde_json::to_string(&Time { seconds, nanos }).unwrap_or_default();
        assert_eq!(time(0, 0), "\"1970-01-01T00:00:00Z\"");
        assert_eq!(time(1, 72_000_000), "\"1970-01-01T00:00:01.072Z\"");
        assert_eq!(time(1, 1_000), "\"1970-01-01T00:00:01.000001Z\"");
        assert_eq!(time(1, 1), "\"1970-01-01T00:00:01.000000001Z\"");
        assert_eq!(serde_json::to_string(&Time::ZERO).unwrap_or_default(), "\"0001-01-01T00:00:00Z\"");
        let span = Span { seconds: 14_400, nanos: 0 };
        assert_eq!(serde_json::to_string(&span).unwrap_or_default(), "\"14400s\"");
    }
}
