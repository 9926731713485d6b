//! One mapping of a config, read strictly: known keys only, each once, of the right type.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use super::error::ConfigError;
use super::node::{Content, Node};
use super::scalar::{Resolved, mismatch, resolve};
use crate::duration::{parse_go, parse_prometheus};
use crate::label::GoQuoted;

/// Texts of a list with their places.
pub(super) type Texts<'a> = Vec<(&'a str, String, &'a Node)>;

/// A mapping with its place in the document.
pub(super) struct Section<'a> {
    path: String,
    node: &'a Node,
    entries: Vec<(&'a str, &'a Node, &'a Node)>,
}

impl<'a> Section<'a> {
    /// Opens a mapping that may have the given keys; a null counts as an empty one. `kind` is the reference's name
    /// of the type, for its error texts.
    pub(super) fn open(node: &'a Node, path: &str, kind: &str, known: &[&str]) -> Result<Self, ConfigError> {
        let section = Self::open_any(node, path, kind)?;
        section.refuse_others(known, kind)?;
        Ok(section)
    }

    /// Opens a mapping that may have any keys.
    pub(super) fn open_any(node: &'a Node, path: &str, kind: &str) -> Result<Self, ConfigError> {
        let mut entries: Vec<(&str, &Node, &Node)> = Vec::new();
        for (name, key, value) in pairs(node, path, kind)? {
            if entries.iter().any(|(seen, _, _)| *seen == name) {
                return Err(key.error(path, format!("field {name} already set in type {kind}")));
            }
            entries.push((name, key, value));
        }
        Ok(Self { path: path.to_owned(), node, entries })
    }

    /// Refuses keys that are not known.
    pub(super) fn refuse_others(&self, known: &[&str], kind: &str) -> Result<(), ConfigError> {
        match self.entries.iter().find(|(name, _, _)| !known.contains(name)) {
            Some((name, key, _)) => Err(key.error(&self.path, format!("field {name} not found in type {kind}"))),
            None => Ok(()),
        }
    }

    /// Where a field of it is in the document.
    pub(super) fn path(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// The value of a field, if it is there and not null.
    pub(super) fn get(&self, name: &str) -> Option<&'a Node> {
        self.raw(name).filter(|node| !node.is_null())
    }

    /// Whether a field is there, maybe as a null.
    pub(super) fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// An error about a field, or about the section when the field is not there.
    pub(super) fn error(&self, name: &str, message: impl Into<String>) -> ConfigError {
        match self.raw(name) {
            Some(node) => node.error(&self.path(name), message),
            None => self.node.error(&self.path, message),
        }
    }

    /// A text; any scalar is one.
    pub(super) fn text(&self, name: &str) -> Result<Option<&'a str>, ConfigError> {
        self.get(name).map(|node| text_of(node, &self.path(name), "string")).transpose()
    }

    /// A boolean. Null is `false`, even where the default is `true` (reference behaviour).
    pub(super) fn flag(&self, name: &str, default: bool) -> Result<bool, ConfigError> {
        let Some(node) = self.raw(name) else { return Ok(default) };
        match resolve(node, &self.path(name), "bool")? {
            Resolved::Bool(value) => Ok(value),
            Resolved::Null => Ok(false),
            _ => Err(mismatch(node, &self.path(name), "bool")),
        }
    }

    /// A whole number, not negative. Null is 0.
    pub(super) fn count(&self, name: &str, default: u64) -> Result<u64, ConfigError> {
        let Some(node) = self.raw(name) else { return Ok(default) };
        let wrong = || mismatch(node, &self.path(name), "uint64");
        match resolve(node, &self.path(name), "uint64")? {
            Resolved::Null => Ok(0),
            Resolved::Int(value) => u64::try_from(value).map_err(|_| wrong()),
            Resolved::Float(value) if (0.0..1.8e19).contains(&value) => Ok(value as u64),
            _ => Err(wrong()),
        }
    }

    /// A whole number. Absent and null are 0. `kind`: the reference's type.
    pub(super) fn int(&self, name: &str, kind: &str) -> Result<i64, ConfigError> {
        let Some(node) = self.get(name) else { return Ok(0) };
        let wrong = || mismatch(node, &self.path(name), kind);
        match resolve(node, &self.path(name), kind)? {
            Resolved::Null => Ok(0),
            Resolved::Int(value) => i64::try_from(value).map_err(|_| wrong()),
            // Go cuts the fraction off
            Resolved::Float(value) if value.abs() < 9.2e18 => Ok(value as i64),
            _ => Err(wrong()),
        }
    }

    /// A number. Absent and null are 0.
    pub(super) fn float(&self, name: &str) -> Result<f64, ConfigError> {
        let Some(node) = self.get(name) else { return Ok(0.0) };
        match resolve(node, &self.path(name), "float64")? {
            Resolved::Null => Ok(0.0),
            Resolved::Int(value) => Ok(value as f64),
            Resolved::Float(value) => Ok(value),
            _ => Err(mismatch(node, &self.path(name), "float64")),
        }
    }

    /// A duration in Prometheus' form; `None` for null.
    pub(super) fn duration(&self, name: &str) -> Result<Option<Duration>, ConfigError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        parse_prometheus(text).map(Some).map_err(|e| self.error(name, e.to_string()))
    }

    /// A duration in Go's form, or a number of nanoseconds. Absent and null are 0.
    pub(super) fn go_duration(&self, name: &str) -> Result<Duration, ConfigError> {
        let Some(node) = self.get(name) else { return Ok(Duration::ZERO) };
        let path = self.path(name);
        let wrong = || mismatch(node, &path, "time.Duration");
        match resolve(node, &path, "time.Duration")? {
            Resolved::Int(nanos) => Ok(Duration::from_nanos(u64::try_from(nanos).map_err(|_| wrong())?)),
            Resolved::Float(nanos) if (0.0..9.2e18).contains(&nanos) => Ok(Duration::from_nanos(nanos as u64)),
            Resolved::Text(text) => parse_go(text)
                .map_err(|e| if text.starts_with('-') { node.error(&path, e.to_string()) } else { wrong() }),
            _ => Err(wrong()),
        }
    }

    /// The items of a list with their paths; `None` when it is absent or null.
    pub(super) fn list(&self, name: &str, kind: &str) -> Result<Option<Vec<(String, &'a Node)>>, ConfigError> {
        let Some(node) = self.get(name) else { return Ok(None) };
        let path = self.path(name);
        items_of(node, &path, kind).map(Some)
    }

    /// A list of texts with their nodes; null items are empty texts.
    pub(super) fn texts(&self, name: &str) -> Result<Option<Texts<'a>>, ConfigError> {
        self.get(name).map(|node| texts_in(node, &self.path(name), "[]string", "string")).transpose()
    }

    /// A map of texts by their keys; null values are empty texts. `None` when it is absent or null.
    pub(super) fn text_map(&self, name: &str) -> Result<BTreeMap<&'a str, &'a str>, ConfigError> {
        self.text_map_of(name, "map[string]string", "string")
    }

    /// The same; `kind` and `item_kind`: the reference's types.
    pub(super) fn text_map_of(
        &self,
        name: &str,
        kind: &str,
        item_kind: &str,
    ) -> Result<BTreeMap<&'a str, &'a str>, ConfigError> {
        let mut map = BTreeMap::new();
        for (key, node, path) in self.map(name, kind)? {
            let text = if node.is_null() { "" } else { text_of(node, &path, item_kind)? };
            map.insert(key, text);
        }
        Ok(map)
    }

    /// The entries of a map with their paths, keys unique; empty when it is absent or null.
    pub(super) fn map(&self, name: &str, kind: &str) -> Result<Vec<(&'a str, &'a Node, String)>, ConfigError> {
        let Some(node) = self.get(name) else { return Ok(Vec::new()) };
        let path = self.path(name);
        let mut entries: Vec<(&str, &Node, String)> = Vec::new();
        for (key, _, value) in pairs(node, &path, kind)? {
            if entries.iter().any(|(seen, _, _)| *seen == key) {
                return Err(value.error(&path, format!("key {} already set in map", GoQuoted(key))));
            }
            entries.push((key, value, format!("{path}.{key}")));
        }
        Ok(entries)
    }

    fn raw(&self, name: &str) -> Option<&'a Node> {
        self.entries.iter().find(|(key, _, _)| *key == name).map(|(_, _, node)| *node)
    }
}

/// The items of a list with their paths.
fn items_of<'a>(node: &'a Node, path: &str, kind: &str) -> Result<Vec<(String, &'a Node)>, ConfigError> {
    match &node.content {
        Content::Sequence(items) => {
            Ok(items.iter().enumerate().map(|(at, item)| (format!("{path}[{at}]"), Rc::as_ref(item))).collect())
        }
        _ if node.is_null() => Ok(Vec::new()),
        // a tag that is wrong in itself comes first
        _ => resolve(node, path, kind).and_then(|_| Err(mismatch(node, path, kind))),
    }
}

/// The texts of a list; null items are empty texts. `kind` and `item_kind`: the reference's types.
pub(super) fn texts_in<'a>(node: &'a Node, path: &str, kind: &str, item_kind: &str) -> Result<Texts<'a>, ConfigError> {
    let read = |(path, node): (String, &'a Node)| {
        let text = if node.is_null() { "" } else { text_of(node, &path, item_kind)? };
        Ok((text, path, node))
    };
    items_of(node, path, kind)?.into_iter().map(read).collect()
}

/// The text of a scalar.
pub(super) fn text_of<'a>(node: &'a Node, path: &str, wanted: &str) -> Result<&'a str, ConfigError> {
    resolve(node, path, wanted)?;
    match &node.content {
        Content::Scalar { text, .. } => Ok(text),
        _ => Err(mismatch(node, path, wanted)),
    }
}

/// Keys as texts, with their nodes and values.
fn pairs<'a>(node: &'a Node, path: &str, kind: &str) -> Result<Vec<(&'a str, &'a Node, &'a Node)>, ConfigError> {
    match &node.content {
        Content::Mapping(entries) => {
            entries.iter().map(|(key, value)| Ok((text_of(key, path, "string")?, &**key, &**value))).collect()
        }
        _ if node.is_null() => Ok(Vec::new()),
        _ => resolve(node, path, kind).and_then(|_| Err(mismatch(node, path, kind))),
    }
}
