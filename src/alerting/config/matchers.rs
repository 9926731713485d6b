//! The three ways to write matchers in a config: `match`, `match_re` and `matchers`.

use super::error::ConfigError;
use super::out::{Fields, Out};
use super::section::Section;
use crate::label::GoQuoted;
use crate::matcher::{Matcher, Mode, Op, parse_list, valid_classic_name};

/// Reads matchers and collects what to warn about.
pub(super) struct Reader {
    pub(super) mode: Mode,
    pub(super) warnings: Vec<String>,
}

impl Reader {
    /// All matchers of a section, sorted. `names`: of the fields for equality, regexes and lists.
    pub(super) fn all(
        &mut self,
        section: &Section<'_>,
        names: [&'static str; 3],
        printed: &mut Fields,
    ) -> Result<Vec<Matcher>, ConfigError> {
        let [equal, regex, lists] = names;
        let mut matchers = Vec::new();
        for (op, field) in [(Op::Equal, equal), (Op::Regex, regex)] {
            for (name, node, path) in section.map(field, "map[string]string")? {
                if !valid_classic_name(name) {
                    return Err(node.error(&path, format!("invalid label name {}", GoQuoted(name))));
                }
                if op == Op::Regex && node.is_null() {
                    return Err(node.error(&path, format!("invalid regexp value for {}", GoQuoted(name))));
                }
            }
            let map = section.text_map(field)?;
            for (name, value) in &map {
                // the anchors are part of the value, and so of the group key
                let whole = if op == Op::Regex { format!("^(?:{value})$") } else { (*value).to_owned() };
                let matcher = Matcher::new(op, *name, whole.as_str()).map_err(|e| {
                    let message = format!("error parsing regexp: {}: `{whole}`", e.reason);
                    section.error(field, message)
                })?;
                matchers.push(matcher);
            }
            let shown = |value: &str| if op == Op::Regex && value.is_empty() { Out::Null } else { Out::text(value) };
            let entries = map.iter().map(|(name, value)| ((*name).to_owned(), shown(value)));
            printed.put_some(field, Out::Map(entries.collect()));
        }
        let mut listed = Vec::new();
        for (text, path, node) in section.texts(lists)?.unwrap_or_default() {
            let (found, warning) = parse_list(self.mode, text).map_err(|e| node.error(&path, e.to_string()))?;
            self.warnings.extend(warning.map(|w| format!("line {}: {path}: {}", node.line, w.message)));
            listed.extend(found);
        }
        listed.sort();
        printed.put_some(lists, Out::texts(listed.iter().map(ToString::to_string)));
        matchers.extend(listed);
        matchers.sort();
        Ok(matchers)
    }
}

/// `{a="b",c=~"d"}`: one level of a route's key.
pub(super) fn key(matchers: &[Matcher]) -> String {
    let texts: Vec<String> = matchers.iter().map(ToString::to_string).collect();
    format!("{{{}}}", texts.join(","))
}
