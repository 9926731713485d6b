//! Matchers: what selects alerts in routes, inhibition rules, silences and API filters.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::label::{GoQuoted, LabelSet};

mod classic;
mod mode;
pub(crate) mod re2;
#[cfg(test)]
mod tests;
mod utf8;

pub use mode::{Mode, ParseError, Warning, parse_list, parse_one, valid_classic_name, valid_label_name};

/// How a value is compared; in the order in which matchers sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Op {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`
    Regex,
    /// `!~`
    NotRegex,
}

impl Op {
    /// As written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Regex => "=~",
            Self::NotRegex => "!~",
        }
    }

    /// Whether the value is a regular expression.
    pub const fn is_regex(self) -> bool {
        matches!(self, Self::Regex | Self::NotRegex)
    }

    /// Whether it is `=` or `=~`.
    pub const fn is_positive(self) -> bool {
        matches!(self, Self::Equal | Self::Regex)
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One condition on one label.
#[derive(Clone, Debug)]
pub struct Matcher {
    /// Name of the label.
    pub name: Arc<str>,
    /// How its value is compared.
    pub op: Op,
    /// With what; for regexes not yet anchored.
    pub value: Arc<str>,
    expression: Option<re2::Expression>,
}

/// Why a matcher cannot be made: its value is no regular expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("error parsing regexp: {reason}: `{pattern}`")]
pub struct MatcherError {
    /// The whole expression, anchors included.
    pub pattern: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Matcher {
    /// Makes a matcher; regexes match the whole value.
    ///
    /// # Errors
    /// When the value is no regular expression but `op` needs one.
    pub fn new(op: Op, name: impl Into<Arc<str>>, value: impl Into<Arc<str>>) -> Result<Self, MatcherError> {
        let (name, value) = (name.into(), value.into());
        let fail = |reason| MatcherError { pattern: format!("^(?:{value})$"), reason };
        let expression = if op.is_regex() { Some(re2::Expression::new(&value).map_err(fail)?) } else { None };
        Ok(Self { name, op, value, expression })
    }

    /// Whether a set of labels fulfils it; an absent label counts as `""`.
    pub fn matches(&self, labels: &LabelSet) -> bool {
        self.matches_value(labels.value(&self.name))
    }

    /// The values that fulfil it, if they are few and the empty one, which stands for no label, isn't among them.
    pub(crate) fn values(&self) -> Option<&[Arc<str>]> {
        let values = match (self.op, &self.expression) {
            (Op::Equal, _) => std::slice::from_ref(&self.value),
            (Op::Regex, Some(re2::Expression::Words(words))) => words,
            _ => return None,
        };
        (!values.iter().any(|value| value.is_empty())).then_some(values)
    }

    /// Whether the label's value fulfils it.
    pub fn matches_value(&self, value: &str) -> bool {
        let found = match &self.expression {
            Some(expression) => expression.is_match(value),
            None => &*self.value == value,
        };
        found == self.op.is_positive()
    }
}

impl fmt::Display for Matcher {
    /// The form of group keys and of the API.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.contains(is_reserved) {
            return write!(f, "{}{}{}", GoQuoted(&self.name), self.op, GoQuoted(&self.value));
        }
        write!(f, "{}{}\"", self.name, self.op)?;
        for c in self.value.chars() {
            match c {
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '"' => f.write_str("\\\"")?,
                c => fmt::Write::write_char(f, c)?,
            }
        }
        f.write_str("\"")
    }
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Matcher {}

impl PartialOrd for Matcher {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Matcher {
    /// By name, value, operator.
    fn cmp(&self, other: &Self) -> Ordering {
        (&self.name, &self.value, self.op).cmp(&(&other.name, &other.value, other.op))
    }
}

impl Hash for Matcher {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.name, &self.value, self.op).hash(state);
    }
}

/// Characters that end an unquoted text in the UTF-8 syntax.
fn is_reserved(c: char) -> bool {
    c.is_whitespace() || matches!(c, '{' | '}' | '!' | '=' | '~' | ',' | '\\' | '"' | '\'' | '`')
}
