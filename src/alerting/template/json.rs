//! `toJson`: values as Go's encoder writes them.

use std::sync::Arc;

use serde::ser::{Serialize, SerializeMap, SerializeSeq, SerializeStruct, Serializer};

use super::data::{AlertData, Data};
use super::gotime::{GoTime, NANOS};
use super::value::Value;
use crate::label::LabelSet;
use crate::notify::webhook::go_json;

/// The text, or the reference's complaint.
pub(super) fn encode(value: &Value) -> Result<String, String> {
    if let Value::Float(float) = value
        && !float.is_finite()
    {
        return Err(format!("json: unsupported value: {}", super::print::float(*float)));
    }
    let json = go_json(&Json(value));
    Ok(String::from_utf8_lossy(json.strip_suffix(b"\n").unwrap_or(&json)).into_owned())
}

struct Json<'a>(&'a Value);
struct Labels<'a>(&'a LabelSet);
struct Time<'a>(&'a GoTime);

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Nil => s.serialize_unit(),
            Value::Bool(value) => s.serialize_bool(*value),
            Value::Int(_)
            | Value::Int64(_)
            | Value::Byte(_)
            | Value::Duration(_)
            | Value::Month(_)
            | Value::Weekday(_) => s.serialize_i64(self.0.as_int().unwrap_or_default()),
            Value::Float(value) => s.serialize_f64(*value),
            Value::Text(text) | Value::Html(text) | Value::Url(text) => s.serialize_str(text),
            Value::Data(data) => data.serialize(s),
            Value::Alerts(alerts) | Value::AlertList(alerts) => s.collect_seq(alerts.iter().map(|a| &**a)),
            Value::Alert(alert) => alert.serialize(s),
            Value::Kv(labels) => Labels(labels).serialize(s),
            Value::Pairs(pairs) => {
                let pairs = pairs.iter().map(|(name, value)| Value::Pair(name.clone(), value.clone()));
                let mut seq = s.serialize_seq(None)?;
                for pair in pairs {
                    seq.serialize_element(&Json(&pair))?;
                }
                seq.end()
            }
            Value::Pair(name, value) => {
                let mut pair = s.serialize_struct("Pair", 2)?;
                pair.serialize_field("Name", &**name)?;
                pair.serialize_field("Value", &**value)?;
                pair.end()
            }
            Value::Strings(list) | Value::TextList(list) => s.collect_seq(list.iter().map(|text: &Arc<str>| &**text)),
            Value::List(list) => s.collect_seq(list.iter().map(Json)),
            Value::Map(map) => s.collect_map(map.iter().map(|(key, value)| (&**key, Json(value)))),
            Value::Time(time) => Time(time).serialize(s),
            Value::Location(_) => s.serialize_map(Some(0))?.end(),
        }
    }
}

impl Serialize for Labels<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_map(self.0.iter())
    }
}

impl Serialize for Time<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let layout = if self.0.nanos.rem_euclid(NANOS) == 0 { "2006-01-02T15:04:05Z07:00" } else { RFC3339_NANO };
        s.serialize_str(&self.0.format(layout))
    }
}

const RFC3339_NANO: &str = "2006-01-02T15:04:05.999999999Z07:00";

impl Serialize for AlertData {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut alert = s.serialize_struct("Alert", 7)?;
        alert.serialize_field("status", &*self.status)?;
        alert.serialize_field("labels", &Labels(&self.labels))?;
        alert.serialize_field("annotations", &Labels(&self.annotations))?;
        alert.serialize_field("startsAt", &Time(&self.starts_at))?;
        alert.serialize_field("endsAt", &Time(&self.ends_at))?;
        alert.serialize_field("generatorURL", &*self.generator_url)?;
        alert.serialize_field("fingerprint", &*self.fingerprint)?;
        alert.end()
    }
}

impl Serialize for Data {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut data = s.serialize_struct("Data", 9)?;
        data.serialize_field("receiver", &*self.receiver)?;
        data.serialize_field("status", &*self.status)?;
        data.serialize_field("alerts", &Json(&Value::Alerts(self.alerts.clone())))?;
        data.serialize_field("notification_reason", &*self.notification_reason)?;
        data.serialize_field("groupLabels", &Labels(&self.group_labels))?;
        data.serialize_field("commonLabels", &Labels(&self.common_labels))?;
        data.serialize_field("commonAnnotations", &Labels(&self.common_annotations))?;
        data.serialize_field("routeLabels", &Labels(&self.route_labels))?;
        data.serialize_field("externalURL", &*self.external_url)?;
        data.end()
    }
}
