//! Query parameters: lenient booleans, repeatable matchers, one regular expression.

use alerting::matcher::{Matcher, Mode, Op, parse_one};
use alerting::view::AlertFilter;
use regex::Regex;

use super::refusal::Refusal;

/// Decoded pairs in the order in which they came. What isn't well-formed is left out (reference behaviour).
#[derive(Debug)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn new(text: Option<&str>) -> Self {
        let pairs = text.unwrap_or_default().split('&').filter(|pair| !pair.is_empty() && !pair.contains(';'));
        let pairs = pairs.filter_map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((unescape(name)?, unescape(value)?))
        });
        Self(pairs.collect())
    }

    /// Whether `name` is set; of several the last counts, and none or `""` is yes.
    pub(super) fn flag(&self, name: &str) -> bool {
        const YES: [&str; 11] = ["true", "1", "yes", "ok", "y", "on", "selected", "checked", "t", "enabled", ""];
        self.last(name).is_none_or(|value| YES.iter().any(|yes| yes.eq_ignore_ascii_case(value)))
    }

    /// Each `filter` is one matcher.
    pub(super) fn matchers(&self, mode: Mode) -> Result<Vec<Matcher>, Refusal> {
        self.all_matchers("filter", mode).map_err(Refusal::bad_request)
    }

    /// Each `receiver_matchers` is one matcher.
    pub(super) fn receiver_matchers(&self, mode: Mode) -> Result<Vec<Matcher>, Refusal> {
        self.all_matchers("receiver_matchers", mode)
            .map_err(|error| Refusal::bad_request(format!("failed to parse receiver_matchers param: {error}")))
    }

    /// All that selects alerts.
    pub(super) fn alert_filter(&self, mode: Mode) -> Result<AlertFilter, Refusal> {
        Ok(AlertFilter {
            without_active: !self.flag("active"),
            without_silenced: !self.flag("silenced"),
            without_inhibited: !self.flag("inhibited"),
            without_muted: !self.flag("muted"),
            matchers: self.matchers(mode)?,
            receiver: self.receiver()?,
            receiver_matchers: self.receiver_matchers(mode)?,
        })
    }

    fn receiver(&self) -> Result<Option<Regex>, Refusal> {
        let Some(pattern) = self.last("receiver").filter(|pattern| !pattern.is_empty()) else { return Ok(None) };
        let refuse = |error: String| Refusal::bad_request(format!("failed to parse receiver param: {error}"));
        // for the reference's dialect, and its words
        Matcher::new(Op::Regex, "receiver", pattern).map_err(|error| refuse(error.to_string()))?;
        Regex::new(&format!("^(?:{pattern})$")).map(Some).map_err(|error| refuse(error.to_string()))
    }

    fn all_matchers(&self, name: &str, mode: Mode) -> Result<Vec<Matcher>, String> {
        self.all(name)
            .map(|text| {
                let (matcher, warning) = parse_one(mode, text).map_err(|e| e.to_string())?;
                if let Some(warning) = warning {
                    tracing::warn!(input = text, suggestion = warning.suggestion, "{}", warning.message);
                }
                Ok(matcher)
            })
            .collect()
    }

    /// All values of `name`.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The last value of `name`.
    pub(super) fn last(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// `None` when a `%` isn't followed by two hex digits.
fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        bytes.push(match first {
            b'+' => b' ',
            b'%' => {
                let (hex, tail) = tail.split_at_checked(2)?;
                rest = tail;
                let digit = |b: u8| char::from(b).to_digit(16);
                (digit(hex[0])? << 4 | digit(hex[1])?) as u8
            }
            b => *b,
        });
    }
    Some(String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_lenient() {
        let query = Query::new(Some("a=TRUE&b=no&c=&d&e=false&e=Y&f=%zz&g=x"));
        let flags = ["a", "b", "c", "d", "e", "f", "g", "absent"].map(|name| query.flag(name));
        assert_eq!(flags, [true, false, true, true, true, true, false, true]);
    }

    #[test]
    fn pairs_are_decoded() {
        let query = Query::new(Some("x=a%3D%22b+c%22&y=1;z=2&%78=2"));
        assert_eq!(query.0, [("x".to_owned(), "a=\"b c\"".to_owned()), ("x".into(), "2".into())]);
    }
}
