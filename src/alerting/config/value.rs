//! Free-form YAML inside a config: the payload of a webhook, details, custom fields, claims.

use std::rc::Rc;

use super::error::ConfigError;
use super::node::{self, Content, Node};
use super::out::Out;
use super::scalar::{Resolved, resolve};

/// A value without a schema.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A boolean.
    Bool(bool),
    /// A whole number of 64 bits, with or without sign.
    Int(i128),
    /// A number.
    Float(f64),
    /// A text, maybe a template.
    Text(String),
    /// Items in order.
    List(Vec<Self>),
    /// Keys, which may be any scalar, in the order of the file, each once.
    Map(Vec<(Self, Self)>),
}

impl Value {
    /// Reads the first document of a text, as the reference reads data that no config holds: of two equal keys the later
    /// one counts. `None` if it is no YAML.
    pub fn from_yaml(text: &str) -> Option<Self> {
        match node::read(text).ok()? {
            Some(node) => Self::read_lax(&node),
            None => Some(Self::Null),
        }
    }

    fn read_lax(node: &Node) -> Option<Self> {
        Some(match &node.content {
            Content::Scalar { .. } => return Self::read(node, "").ok(),
            Content::Sequence(items) => {
                Self::List(items.iter().map(|item| Self::read_lax(item)).collect::<Option<_>>()?)
            }
            Content::Mapping(entries) => {
                let mut map: Vec<(Self, Self)> = Vec::with_capacity(entries.len());
                for (key, value) in entries {
                    let (key, value) = (Self::read_lax(key)?, Self::read_lax(value)?);
                    if matches!(key, Self::List(_) | Self::Map(_)) {
                        return None;
                    }
                    map.push((key, value));
                }
                Self::Map(map)
            }
        })
    }

    /// Reads a node; keys must be unique scalars.
    pub(super) fn read(node: &Node, path: &str) -> Result<Self, ConfigError> {
        Ok(match &node.content {
            Content::Scalar { text, .. } => match resolve(node, path, "interface {}")? {
                Resolved::Null => Self::Null,
                Resolved::Bool(value) => Self::Bool(value),
                Resolved::Int(value) => Self::Int(value),
                Resolved::Float(value) => Self::Float(value),
                Resolved::Timestamp(_) | Resolved::Text(_) => Self::Text(text.clone()),
            },
            Content::Sequence(items) => {
                let items = items.iter().enumerate();
                Self::List(
                    items.map(|(at, item)| Self::read(item, &format!("{path}[{at}]"))).collect::<Result<_, _>>()?,
                )
            }
            Content::Mapping(entries) => {
                let mut map: Vec<(Self, Self)> = Vec::with_capacity(entries.len());
                for (key, value) in entries {
                    let (key_node, value): (&Rc<Node>, &Rc<Node>) = (key, value);
                    let key = Self::read(key_node, path)?;
                    if matches!(key, Self::List(_) | Self::Map(_)) {
                        return Err(key_node.error(path, "yaml: invalid map key: only scalars can be keys"));
                    }
                    let read = Self::read(value, &format!("{path}.{}", key.name()))?;
                    if map.iter().any(|(seen, _)| *seen == key) {
                        return Err(value.error(path, format!("key {} already set in map", key.quoted())));
                    }
                    map.push((key, read));
                }
                Self::Map(map)
            }
        })
    }

    /// A scalar as text, as the reference prints keys.
    pub fn name(&self) -> String {
        match self {
            Self::Null => "null".into(),
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::Float(value) => print_float(*value),
            Self::Text(text) => text.clone(),
            Self::List(_) | Self::Map(_) => String::new(),
        }
    }

    fn quoted(&self) -> String {
        match self {
            Self::Text(text) => crate::label::GoQuoted(text).to_string(),
            other => other.name(),
        }
    }

    pub(super) fn out(&self) -> Out {
        match self {
            Self::Null => Out::Null,
            Self::Bool(_) | Self::Int(_) | Self::Float(_) => Out::Bare(self.name()),
            Self::Text(text) => Out::text(text),
            Self::List(items) => Out::List(items.iter().map(Self::out).collect()),
            Self::Map(entries) => Out::Any(entries.iter().map(|(key, value)| (key.clone(), value.out())).collect()),
        }
    }
}

/// As Go prints a float in its shortest form.
pub(super) fn print_float(value: f64) -> String {
    if value.is_nan() {
        return ".nan".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { ".inf" } else { "-.inf" }.into();
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..6).contains(&exponent) {
        return value.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}
