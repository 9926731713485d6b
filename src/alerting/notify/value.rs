//! Free-form values of a config with the texts in them rendered, and as JSON.

use std::collections::BTreeMap;

use serde::ser::{Serialize, Serializer};

use super::render::{Fields, Unsendable};
use crate::config::Value;

/// A value whose texts are rendered.
#[derive(Debug, Clone)]
pub(super) struct Rendered(Value);

impl Rendered {
    /// A text as it is.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self(Value::Text(text.into()))
    }

    /// Renders all texts of a value. A rendered text that is YAML becomes what it stands for, `3` a number and `[1]` a
    /// list, an empty one nothing (reference behaviour).
    ///
    /// # Errors
    /// When a text can't be rendered, or stands for a number that JSON doesn't have.
    pub(super) fn new(fields: &Fields<'_>, field: &'static str, value: &Value) -> Result<Self, Unsendable> {
        let rendered = render(fields, field, value)?;
        if is_finite(&rendered) { Ok(Self(rendered)) } else { Err(Unsendable::Number(field)) }
    }

    /// All values of a mapping.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub(super) fn all(
        fields: &Fields<'_>,
        field: &'static str,
        values: &BTreeMap<String, Value>,
    ) -> Result<BTreeMap<String, Self>, Unsendable> {
        values.iter().map(|(name, value)| Ok((name.clone(), Self::new(fields, field, value)?))).collect()
    }
}

fn render(fields: &Fields<'_>, field: &'static str, value: &Value) -> Result<Value, Unsendable> {
    Ok(match value {
        Value::Text(template) => {
            let text = fields.text(field, template)?;
            match Value::from_yaml(&text) {
                None | Some(Value::Text(_)) => Value::Text(text),
                Some(value) => value,
            }
        }
        Value::List(items) => {
            Value::List(items.iter().map(|item| render(fields, field, item)).collect::<Result<_, _>>()?)
        }
        Value::Map(entries) => {
            let mut map = Vec::with_capacity(entries.len());
            for (key, value) in entries {
                // JSON has no other keys
                let Value::Text(key) = key else { continue };
                map.push((Value::Text(fields.text(field, key)?), render(fields, field, value)?));
            }
            Value::Map(map)
        }
        value => value.clone(),
    })
}

/// A value as JSON; `None` if a number in it has no place there.
pub(super) fn json(value: &Value) -> Option<serde_json::Value> {
    serde_json::to_value(Json(value)).ok().filter(|_| is_finite(value))
}

fn is_finite(value: &Value) -> bool {
    match value {
        Value::Float(value) => value.is_finite(),
        Value::List(items) => items.iter().all(is_finite),
        Value::Map(entries) => entries.iter().all(|(_, value)| is_finite(value)),
        _ => true,
    }
}

struct Json<'a>(&'a Value);

impl Serialize for Rendered {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        Json(&self.0).serialize(s)
    }
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Null => s.serialize_unit(),
            Value::Bool(value) => s.serialize_bool(*value),
            Value::Int(value) => s.serialize_i128(*value),
            Value::Float(value) => s.serialize_f64(*value),
            Value::Text(text) => s.serialize_str(text),
            Value::List(items) => s.collect_seq(items.iter().map(Json)),
            Value::Map(entries) => {
                let texts = entries.iter().filter_map(|(key, value)| match key {
                    Value::Text(key) => Some((key.as_str(), Json(value))),
                    _ => None,
                });
                s.collect_map(texts.collect::<BTreeMap<_, _>>())
            }
        }
    }
}
