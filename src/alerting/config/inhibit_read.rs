//! Reads the inhibition rules.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::error::ConfigError;
use super::matchers::Reader;
use super::model::InhibitRule;
use super::node::Node;
use super::out::{Fields, Out};
use super::section::Section;
use crate::label::GoQuoted;
use crate::matcher::valid_label_name;

const FIELDS: [&str; 8] = [
    "name",
    "source_match",
    "source_match_re",
    "source_matchers",
    "target_match",
    "target_match_re",
    "target_matchers",
    "equal",
];

/// Reads one rule; an empty one is legal.
pub(super) fn read(node: &Node, path: &str, reader: &mut Reader) -> Result<(InhibitRule, Out), ConfigError> {
    let section = Section::open(node, path, "common.plain", &FIELDS)?;
    let mut printed = Fields::default();
    let name = section.text("name")?.filter(|name| !name.is_empty());
    printed.put_some("name", Out::text(name.unwrap_or_default()));
    let source = reader.all(&section, ["source_match", "source_match_re", "source_matchers"], &mut printed)?;
    let target = reader.all(&section, ["target_match", "target_match_re", "target_matchers"], &mut printed)?;
    let names = section.texts("equal")?.unwrap_or_default();
    printed.put_some("equal", Out::texts(names.iter().map(|(name, _, _)| name)));
    for (name, path, node) in &names {
        if !valid_label_name(reader.mode, name) {
            return Err(node.error(path, format!("invalid label name {} in equal list", GoQuoted(name))));
        }
    }
    let equal: BTreeSet<Arc<str>> = names.iter().map(|(name, _, _)| Arc::from(*name)).collect();
    let rule = InhibitRule { name: name.map(Arc::from), source, target, equal: equal.into_iter().collect() };
    Ok((rule, printed.done()))
}
