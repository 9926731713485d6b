//! Silences as API v2 writes them, and as a member's file has them.

use std::collections::BTreeMap;
use std::time::Duration;

use alerting::matcher::{Matcher, Op};
use alerting::silence::{Silence, SilenceId, encode_silence};
use alerting::time::{Timestamp, parse_rfc3339};
use bytes::{Bytes, BytesMut};
use serde::{Deserialize, Serialize};

/// One silence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) matchers: Vec<MatcherRow>,
    pub(super) starts_at: String,
    pub(super) ends_at: String,
    pub(super) updated_at: String,
    pub(super) created_by: String,
    pub(super) comment: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) annotations: BTreeMap<String, String>,
}

/// One of its matchers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MatcherRow {
    name: String,
    value: String,
    is_regex: bool,
    #[serde(default = "yes")]
    is_equal: bool,
}

const fn yes() -> bool {
    true
}

impl Row {
    /// `None`: it has several lists of matchers, which this form can't say.
    pub(super) fn of(silence: &Silence) -> Option<Self> {
        let [matchers] = silence.matcher_sets.as_slice() else { return None };
        let matcher = |matcher: &Matcher| MatcherRow {
            name: matcher.name.to_string(),
            value: matcher.value.to_string(),
            is_regex: matcher.op.is_regex(),
            is_equal: matcher.op.is_positive(),
        };
        Some(Self {
            id: silence.id.to_string(),
            matchers: matchers.iter().map(matcher).collect(),
            starts_at: silence.starts_at.rfc3339_millis(),
            ends_at: silence.ends_at.rfc3339_millis(),
            updated_at: silence.updated_at.rfc3339_millis(),
            created_by: silence.created_by.clone(),
            comment: silence.comment.clone(),
            annotations: silence.annotations.clone(),
        })
    }

    /// Whether it has ended.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        time(&self.ends_at).is_none_or(|ends| ends <= now)
    }

    /// Whether the two keep the same quiet for as long, whatever their ids and their beginnings.
    pub(super) fn does_the_same(&self, other: &Self) -> bool {
        let sorted = |row: &Self| {
            let mut matchers = row.matchers.clone();
            matchers.sort();
            matchers
        };
        time(&self.ends_at) == time(&other.ends_at) && sorted(self) == sorted(other)
    }

    /// The same as a member keeps it for `retention` after its end; the error names what can't be read.
    pub(super) fn silence(&self, retention: Duration) -> Result<Silence, String> {
        let read = |field, text: &str| time(text).ok_or_else(|| format!("silence {}: {field} is `{text}`", self.id));
        let (starts_at, ends_at) = (read("startsAt", &self.starts_at)?, read("endsAt", &self.ends_at)?);
        let updated_at = read("updatedAt", &self.updated_at)?;
        let matcher = |row: &MatcherRow| {
            let op = match (row.is_regex, row.is_equal) {
                (false, true) => Op::Equal,
                (false, false) => Op::NotEqual,
                (true, true) => Op::Regex,
                (true, false) => Op::NotRegex,
            };
            Matcher::new(op, row.name.as_str(), row.value.as_str())
                .map_err(|error| format!("silence {}: {}: {}", self.id, error.pattern, error.reason))
        };
        let matchers: Result<Vec<Matcher>, String> = self.matchers.iter().map(matcher).collect();
        let mut silence = Silence::new(SilenceId(self.id.as_str().into()), vec![matchers?], starts_at, ends_at);
        silence.updated_at = updated_at;
        silence.expires_at = ends_at + retention;
        silence.created_by.clone_from(&self.created_by);
        silence.comment.clone_from(&self.comment);
        silence.annotations.clone_from(&self.annotations);
        Ok(silence)
    }
}

fn time(text: &str) -> Option<Timestamp> {
    parse_rfc3339(text).ok().flatten()
}

/// All of them once; of two versions of one the later.
pub(super) fn union(lists: impl IntoIterator<Item = Vec<Row>>) -> Vec<Row> {
    let mut all = BTreeMap::<String, Row>::new();
    for row in lists.into_iter().flatten() {
        match all.get(&row.id) {
            Some(known) if time(&known.updated_at) >= time(&row.updated_at) => {}
            _ => drop(all.insert(row.id.clone(), row)),
        }
    }
    all.into_values().collect()
}

/// The content of the file `silences`.
pub(super) fn file(silences: &[Silence]) -> Bytes {
    let mut buffer = BytesMut::new();
    silences.iter().for_each(|silence| encode_silence(silence, &mut buffer));
    buffer.freeze()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn row(id: &str, updated: &str) -> Row {
        serde_json::from_value(serde_json::json!({
            "id": id, "matchers": [{"name": "a", "value": "x|y", "isRegex": true}, {"name": "b", "value": "", "isRegex": false, "isEqual": false}],
            "startsAt": "2026-01-01T00:00:00.000Z", "endsAt": "2026-01-02T00:00:00.000Z", "updatedAt": updated,
            "createdBy": "ann", "comment": "c", "status": {"state": "active"},
        }))
        .unwrap()
    }

    #[test]
    fn a_silence_goes_to_a_file_and_back() {
        let given = row("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "2026-01-01T00:00:00.000Z");
        let silence = given.silence(Duration::from_secs(3600)).unwrap();
        assert_eq!(silence.expires_at.rfc3339_millis(), "2026-01-02T01:00:00.000Z");
        let read = alerting::silence::read_file(file(&[silence])).unwrap();
        assert_eq!(read.iter().filter_map(|silence| Row::of(silence)).collect::<Vec<_>>(), [given]);
    }

    #[test]
    fn the_later_version_counts() {
        let (old, new) = (row("1", "2026-01-01T00:00:00.000Z"), row("1", "2026-01-01T05:00:00+01:00"));
        assert_eq!(union([vec![new.clone(), row("2", "2026-01-01T00:00:00Z")], vec![old]])[0], new);
    }

    #[test]
    fn the_same_by_what_it_does() {
        let mut other = row("2", "2026-01-01T10:00:00.000Z");
        other.matchers.reverse();
        other.starts_at = "2026-01-01T12:00:00.000Z".into();
        assert!(row("1", "2026-01-01T00:00:00.000Z").does_the_same(&other));
        other.ends_at = "2026-01-03T00:00:00.000Z".into();
        assert!(!row("1", "2026-01-01T00:00:00.000Z").does_the_same(&other));
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let mut bad = row("1", "soon");
        assert_eq!(bad.silence(Duration::ZERO).unwrap_err(), "silence 1: updatedAt is `soon`");
        bad.updated_at = bad.starts_at.clone();
        bad.matchers[0].value = "(".into();
        assert!(bad.silence(Duration::ZERO).unwrap_err().starts_with("silence 1: ^(?:()$"));
    }
}
