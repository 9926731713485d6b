//! How alerts and silences look in answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use alerting::json::Labels;
use alerting::matcher::Matcher;
use alerting::silence::{Silence, SilenceState};
use alerting::time::Timestamp;
use serde::Serialize;

use super::board::{Board, Row};

/// An alert in a list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AlertRow<'a> {
    fingerprint: String,
    labels: Labels<'a>,
    annotations: Labels<'a>,
    starts_at: String,
    receivers: &'a [Arc<str>],
    #[serde(skip_serializing_if = "str::is_empty", rename = "generatorURL")]
    generator_url: &'a str,
    silenced_by: Vec<Quiet<'a>>,
    inhibited_by: Vec<Inhibitor<'a>>,
    muted_by: &'a [Arc<str>],
}

/// A silence that keeps an alert quiet.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Quiet<'a> {
    id: &'a str,
    created_by: &'a str,
    comment: &'a str,
    ends_at: String,
}

/// An alert that keeps another one quiet.
#[derive(Serialize)]
struct Inhibitor<'a> {
    fingerprint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<Labels<'a>>,
}

/// A silence in a list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SilenceRow<'a> {
    id: &'a str,
    state: &'static str,
    matchers: Vec<MatcherText>,
    starts_at: String,
    ends_at: String,
    updated_at: String,
    created_by: &'a str,
    comment: &'a str,
    annotations: &'a BTreeMap<String, String>,
    /// Alerts that it keeps quiet; of one that doesn't work yet those that it would.
    #[serde(skip_serializing_if = "Option::is_none")]
    hits: Option<usize>,
}

/// A matcher, as text and in parts.
#[derive(Debug, Serialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "camelCase")]
pub(super) struct MatcherText {
    name: String,
    op: &'static str,
    value: String,
    text: String,
}

impl<'a> AlertRow<'a> {
    pub(super) fn new(board: &'a Board, row: &'a Row) -> Self {
        let alert = &*row.alert.alert;
        let status = &row.alert.status;
        let quiet = |silence: &'a Silence| Quiet {
            id: &silence.id.0,
            created_by: &silence.created_by,
            comment: &silence.comment,
            ends_at: silence.ends_at.rfc3339_millis(),
        };
        let silences = status.silenced_by.iter().filter_map(|id| board.silence(id));
        let inhibitors = status.inhibited_by.iter().map(|by| Inhibitor {
            fingerprint: by.to_string(),
            labels: board.row(*by).map(|row| Labels(row.labels())),
        });
        Self {
            fingerprint: alert.fingerprint.to_string(),
            labels: Labels(&alert.labels),
            annotations: Labels(&alert.annotations),
            starts_at: alert.starts_at.rfc3339_millis(),
            receivers: &row.alert.receivers,
            generator_url: &alert.generator_url,
            silenced_by: silences.map(|(silence, _)| quiet(silence)).collect(),
            inhibited_by: inhibitors.collect(),
            muted_by: &status.muted_by,
        }
    }
}

impl<'a> SilenceRow<'a> {
    pub(super) fn new(silence: &'a Silence, state: SilenceState, hits: Option<usize>) -> Self {
        let time = Timestamp::rfc3339_millis;
        let mut matchers: Vec<_> = silence.matcher_sets.iter().flatten().map(MatcherText::from).collect();
        matchers.sort();
        Self {
            id: &silence.id.0,
            state: state.name(),
            matchers,
            starts_at: time(silence.starts_at),
            ends_at: time(silence.ends_at),
            updated_at: time(silence.updated_at),
            created_by: &silence.created_by,
            comment: &silence.comment,
            annotations: &silence.annotations,
            hits,
        }
    }
}

impl From<&Matcher> for MatcherText {
    fn from(matcher: &Matcher) -> Self {
        Self {
            name: matcher.name.to_string(),
            op: matcher.op.as_str(),
            value: matcher.value.to_string(),
            text: matcher.to_string(),
        }
    }
}

/// 16 hex digits.
pub(super) fn id(number: u64) -> String {
    format!("{number:016x}")
}

/// A version, for who compares two.
pub(super) fn version(board: &Board) -> String {
    id(board.version)
}
