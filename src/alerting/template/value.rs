//! The values that a template works with: Go's types as far as they show.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::data::{AlertData, Data};
use super::gotime::{Duration, GoTime, Zone};
use crate::label::LabelSet;

/// A value; cheap to clone.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// Nothing, or Go's untyped nil.
    Nil,
    Bool(bool),
    Int(i64),
    /// `int64`: only its name differs.
    Int64(i64),
    /// A byte of a text.
    Byte(u8),
    Float(f64),
    Text(Arc<str>),
    /// `template.HTML`: needs no escaping in HTML.
    Html(Arc<str>),
    /// `template.URL`: needs no escaping in a URL.
    Url(Arc<str>),
    Data(Arc<Data>),
    Alerts(Arc<[Arc<AlertData>]>),
    /// `[]template.Alert`, which has no methods.
    AlertList(Arc<[Arc<AlertData>]>),
    Alert(Arc<AlertData>),
    Kv(LabelSet),
    Pairs(Arc<[(Arc<str>, Arc<str>)]>),
    Pair(Arc<str>, Arc<str>),
    /// `template.Strings`
    Strings(Arc<[Arc<str>]>),
    /// `[]string`, which has no methods.
    TextList(Arc<[Arc<str>]>),
    List(Arc<[Self]>),
    Map(Arc<BTreeMap<Arc<str>, Self>>),
    Time(GoTime),
    Duration(Duration),
    Month(u8),
    Weekday(u8),
    Location(Zone),
}

/// Go's kinds, as far as comparing needs them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Basic {
    Bool,
    Int,
    Uint,
    Float,
    Text,
}

impl Value {
    pub(super) fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(text.into())
    }

    /// Go's name of its type.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Int64(_) => "int64",
            Self::Byte(_) => "uint8",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::Html(_) => "template.HTML",
            Self::Url(_) => "template.URL",
            Self::Data(_) => "*template.Data",
            Self::Alerts(_) => "template.Alerts",
            Self::AlertList(_) => "[]template.Alert",
            Self::Alert(_) => "template.Alert",
            Self::Kv(_) => "template.KV",
            Self::Pairs(_) => "template.Pairs",
            Self::Pair(..) => "template.Pair",
            Self::Strings(_) => "template.Strings",
            Self::TextList(_) => "[]string",
            Self::List(_) => "[]interface {}",
            Self::Map(_) => "map[string]interface {}",
            Self::Time(_) => "time.Time",
            Self::Duration(_) => "time.Duration",
            Self::Month(_) => "time.Month",
            Self::Weekday(_) => "time.Weekday",
            Self::Location(_) => "*time.Location",
        }
    }

    /// Whether `if` takes it for true.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(value) => *value,
            Self::Int(value) | Self::Int64(value) => *value != 0,
            Self::Duration(value) => value.0 != 0,
            Self::Byte(value) | Self::Month(value) | Self::Weekday(value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Data(_) | Self::Alert(_) | Self::Pair(..) | Self::Time(_) | Self::Location(_) => true,
            _ => self.len().is_some_and(|len| len > 0),
        }
    }

    /// Length of what has one.
    pub(super) fn len(&self) -> Option<usize> {
        Some(match self {
            Self::Text(text) | Self::Html(text) | Self::Url(text) => text.len(),
            Self::Alerts(alerts) | Self::AlertList(alerts) => alerts.len(),
            Self::Kv(labels) => labels.len(),
            Self::Pairs(pairs) => pairs.len(),
            Self::Strings(list) | Self::TextList(list) => list.len(),
            Self::List(list) => list.len(),
            Self::Map(map) => map.len(),
            _ => return None,
        })
    }

    /// Element of a list.
    pub(super) fn element(&self, index: usize) -> Option<Self> {
        match self {
            Self::Alerts(alerts) | Self::AlertList(alerts) => alerts.get(index).cloned().map(Self::Alert),
            Self::Pairs(pairs) => pairs.get(index).cloned().map(|(name, value)| Self::Pair(name, value)),
            Self::Strings(list) | Self::TextList(list) => list.get(index).cloned().map(Self::Text),
            Self::List(list) => list.get(index).cloned(),
            Self::Text(text) | Self::Html(text) | Self::Url(text) => {
                text.as_bytes().get(index).copied().map(Self::Byte)
            }
            _ => None,
        }
    }

    /// Its kind, for comparisons.
    pub(super) fn basic(&self) -> Option<Basic> {
        Some(match self {
            Self::Bool(_) => Basic::Bool,
            Self::Int(_) | Self::Int64(_) | Self::Duration(_) | Self::Month(_) | Self::Weekday(_) => Basic::Int,
            Self::Byte(_) => Basic::Uint,
            Self::Float(_) => Basic::Float,
            Self::Text(_) | Self::Html(_) | Self::Url(_) => Basic::Text,
            _ => return None,
        })
    }

    /// Whole numbers of any type.
    pub(super) fn as_int(&self) -> Option<i64> {
        Some(match self {
            Self::Int(value) | Self::Int64(value) => *value,
            Self::Duration(value) => value.0,
            Self::Byte(value) | Self::Month(value) | Self::Weekday(value) => i64::from(*value),
            _ => return None,
        })
    }

    /// Texts of any type.
    pub(super) fn as_text(&self) -> Option<&Arc<str>> {
        match self {
            Self::Text(text) | Self::Html(text) | Self::Url(text) => Some(text),
            _ => None,
        }
    }

    /// Lists of texts of any type.
    pub(super) fn as_texts(&self) -> Option<&Arc<[Arc<str>]>> {
        match self {
            Self::Strings(list) | Self::TextList(list) => Some(list),
            _ => None,
        }
    }
}

/// Pairs in the order of `SortedPairs`: `alertname`, then the others by name.
pub(super) fn sorted_pairs(labels: &LabelSet) -> impl Iterator<Item = (&str, &str)> {
    let first = labels.get("alertname").map(|value| ("alertname", value));
    first.into_iter().chain(labels.iter().filter(|(name, _)| *name != "alertname"))
}
