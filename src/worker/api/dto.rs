//! Wire types of answers. The order of the fields is the reference's.

use std::collections::BTreeMap;

use alerting::json::Labels;
use alerting::label::Fingerprint;
use alerting::matcher::Matcher;
use alerting::silence::{Silence, SilenceId, SilenceState};
use alerting::view::{AlertRow, GroupRow};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

use super::time::Millis;

struct Hex(Fingerprint);

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = [0; 16];
        for (at, digit) in text.iter_mut().enumerate() {
            *digit = b"0123456789abcdef"[(self.0.0 >> (60 - 4 * at)) as usize & 15];
        }
        serializer.serialize_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

#[derive(Serialize)]
pub(super) struct Named<'a> {
    pub(super) name: &'a str,
}

/// Alerts as an array.
pub(super) struct Alerts(pub(super) Vec<AlertRow>);

impl Serialize for Alerts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_each(serializer, &self.0, GettableAlert::new)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GettableAlert<'a> {
    annotations: Labels<'a>,
    ends_at: Millis,
    fingerprint: Hex,
    receivers: Names<'a>,
    starts_at: Millis,
    status: AlertStatus<'a>,
    updated_at: Millis,
    #[serde(rename = "generatorURL", skip_serializing_if = "str::is_empty")]
    generator_url: &'a str,
    labels: Labels<'a>,
}

struct Names<'a>(&'a AlertRow);

impl Serialize for Names<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_each(serializer, &self.0.receivers, |name| Named { name })
    }
}

struct AlertStatus<'a>(&'a AlertRow);

impl Serialize for AlertStatus<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let status = &self.0.status;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("inhibitedBy", &List(&status.inhibited_by, |f: &Fingerprint| Hex(*f)))?;
        map.serialize_entry("mutedBy", &List(&status.muted_by, |name: &std::sync::Arc<str>| name.clone()))?;
        map.serialize_entry("silencedBy", &List(&status.silenced_by, |id: &SilenceId| id.0.clone()))?;
        map.serialize_entry("state", if status.suppressed() { "suppressed" } else { "active" })?;
        map.end()
    }
}

impl<'a> GettableAlert<'a> {
    fn new(row: &'a AlertRow) -> Self {
        let alert = &*row.alert;
        Self {
            annotations: Labels(&alert.annotations),
            ends_at: Millis(alert.ends_at),
            fingerprint: Hex(alert.fingerprint),
            receivers: Names(row),
            starts_at: Millis(alert.starts_at),
            status: AlertStatus(row),
            updated_at: Millis(alert.updated_at),
            generator_url: &alert.generator_url,
            labels: Labels(&alert.labels),
        }
    }
}

/// Groups as an array.
pub(super) struct Groups(pub(super) Vec<GroupRow>);

impl Serialize for Groups {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_each(serializer, &self.0, |group| Group {
            alerts: List(&group.alerts, GettableAlert::new),
            labels: Labels(&group.labels),
            receiver: Named { name: &group.receiver },
            route_labels: Labels(&group.route_labels),
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Group<'a, L: Serialize> {
    alerts: L,
    labels: Labels<'a>,
    receiver: Named<'a>,
    route_labels: Labels<'a>,
}

/// A silence, with one list of matchers.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GettableSilence<'a> {
    id: &'a str,
    status: State,
    updated_at: Millis,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: &'a BTreeMap<String, String>,
    comment: &'a str,
    created_by: &'a str,
    ends_at: Millis,
    matchers: Vec<GettableMatcher<'a>>,
    starts_at: Millis,
}

#[derive(Serialize)]
struct State {
    state: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GettableMatcher<'a> {
    is_equal: bool,
    is_regex: bool,
    name: &'a str,
    value: &'a str,
}

impl<'a> GettableSilence<'a> {
    /// # Errors
    /// When the silence has several lists of matchers, which this API can't show.
    pub(super) fn new(silence: &'a Silence, state: SilenceState) -> Result<Self, String> {
        let matchers: &[Matcher] = match silence.matcher_sets.as_slice() {
            [] => &[],
            [matchers] => matchers,
            _ => {
                let id = &silence.id;
                return Err(format!(
                    "silence '{id}' has multiple matcher sets which is not supported by this API version"
                ));
            }
        };
        let matchers = matchers.iter().map(|m| GettableMatcher {
            is_equal: m.op.is_positive(),
            is_regex: m.op.is_regex(),
            name: &m.name,
            value: &m.value,
        });
        Ok(Self {
            id: &silence.id.0,
            status: State { state: state.name() },
            updated_at: Millis(silence.updated_at),
            annotations: &silence.annotations,
            comment: &silence.comment,
            created_by: &silence.created_by,
            ends_at: Millis(silence.ends_at),
            matchers: matchers.collect(),
            starts_at: Millis(silence.starts_at),
        })
    }
}

/// A slice whose elements are turned into something that serialises, one at a time.
struct List<'a, T, F>(&'a [T], F);

impl<'a, T, S: Serialize, F: Fn(&'a T) -> S> Serialize for List<'a, T, F> {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        serialize_each(serializer, self.0, &self.1)
    }
}

fn serialize_each<'a, Z: Serializer, T, S: Serialize>(
    serializer: Z,
    items: &'a [T],
    show: impl Fn(&'a T) -> S,
) -> Result<Z::Ok, Z::Error> {
    let mut seq = serializer.serialize_seq(None)?;
    for item in items {
        seq.serialize_element(&show(item))?;
    }
    seq.end()
}
