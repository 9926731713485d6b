//! `silences/preview`: what a silence would keep quiet, before it's made.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use alerting::matcher::{Matcher, Op};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;

use super::super::refusal::Refusal;
use super::super::request::JsonBody;
use super::super::{Api, json, silences};
use super::arrange::rank;
use super::board::Board;
use super::show::{self, AlertRow, MatcherText};

/// So many alerts are shown.
const SHOWN: usize = 50;

/// Alerts of which a part is told of as much.
const FEW: usize = 10;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Preview<'a> {
    version: String,
    /// Alerts that it would keep quiet.
    alerts: usize,
    /// Alerts that there are.
    all: usize,
    /// Of the former, those that a silence keeps quiet now.
    already_silenced: usize,
    matchers: Vec<Count>,
    /// Alerts of each receiver.
    receivers: BTreeMap<Arc<str>, usize>,
    warnings: Vec<Warning>,
    /// The worst ones.
    rows: Vec<AlertRow<'a>>,
}

/// How many alerts one of the matchers lets pass.
#[derive(Serialize)]
struct Count {
    #[serde(flatten)]
    matcher: MatcherText,
    alerts: usize,
}

/// What its maker may not have meant.
#[derive(Debug, Serialize, PartialEq, Eq)]
struct Warning {
    /// The same in all versions.
    code: &'static str,
    text: String,
}

/// `POST`: a silence as `POST /api/v2/silences` takes it; only its matchers count.
pub(super) async fn show(
    State(api): State<Api>,
    headers: HeaderMap,
    JsonBody(body, _share): JsonBody,
) -> Result<Response, Refusal> {
    let body = body.ok_or_else(|| Refusal::required("silence"))?;
    let matchers = silences::matchers(&body, api.state.options.mode)?;
    let question = ("silences/preview", format!("{matchers:?}"));
    super::answer(&api, &headers, question, move |board| Ok(json::encode(&preview(board, &matchers)))).await
}

fn preview<'a>(board: &'a Board, matchers: &[Matcher]) -> Preview<'a> {
    let mut counts = vec![0; matchers.len()];
    let (mut hit, mut all, mut already_silenced) = (Vec::new(), 0, 0);
    let mut receivers = BTreeMap::new();
    for row in board.each_alert() {
        all += 1;
        let mut matches = true;
        for (matcher, count) in matchers.iter().zip(&mut counts) {
            let passes = matcher.matches(row.labels());
            *count += usize::from(passes);
            matches &= passes;
        }
        if matches {
            already_silenced += usize::from(!row.alert.status.silenced_by.is_empty());
            for name in row.alert.receivers.iter() {
                *receivers.entry(name.clone()).or_default() += 1;
            }
            hit.push(row);
        }
    }
    hit.sort_by_cached_key(|row| {
        let alert = &row.alert.alert;
        (rank(row.labels().value("severity")), Reverse(alert.starts_at), alert.fingerprint)
    });
    let count = |(matcher, alerts): (&Matcher, usize)| Count { matcher: matcher.into(), alerts };
    Preview {
        version: show::version(board),
        alerts: hit.len(),
        all,
        already_silenced,
        warnings: warnings(matchers, hit.len(), all),
        matchers: matchers.iter().zip(counts).map(count).collect(),
        receivers,
        rows: hit.iter().take(SHOWN).map(|row| AlertRow::new(board, row)).collect(),
    }
}

fn warnings(matchers: &[Matcher], hit: usize, all: usize) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut warn = |code, text| warnings.push(Warning { code, text });
    let contradicting = matchers.iter().enumerate().find(|(at, matcher)| {
        let same = |other: &&Matcher| other.op == Op::Equal && other.name == matcher.name;
        matcher.op == Op::Equal && matchers[..*at].iter().filter(same).any(|other| other.value != matcher.value)
    });
    if let Some((_, matcher)) = contradicting {
        warn("never", format!("no alert has two values of `{}` at once: this matches nothing, ever", matcher.name));
    } else if hit == 0 {
        warn("matches_nothing", "matches no alert that is there now".to_owned());
    }
    if hit > FEW && hit * 5 > all {
        let share = hit * 100 / all.max(1);
        warn("matches_much", format!("matches {hit} of {all} alerts, {share} %"));
    }
    for matcher in matchers.iter().filter(|matcher| matcher.op.is_positive() && matcher.matches_value("")) {
        warn("matches_empty", format!("`{matcher}` also matches alerts without `{}`", matcher.name));
    }
    warnings
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn codes(matchers: &[(Op, &str, &str)], hit: usize, all: usize) -> Vec<&'static str> {
        let matchers: Vec<_> =
            matchers.iter().map(|(op, name, value)| Matcher::new(*op, *name, *value).unwrap()).collect();
        warnings(&matchers, hit, all).iter().map(|warning| warning.code).collect()
    }

    #[test]
    fn what_was_hardly_meant_is_told_of() {
        let (equal, regex) = (Op::Equal, Op::Regex);
        assert!(codes(&[(equal, "a", "b")], 1, 100).is_empty());
        assert_eq!(codes(&[(equal, "a", "b")], 0, 100), ["matches_nothing"]);
        assert_eq!(codes(&[(equal, "a", "b"), (equal, "a", "c")], 0, 100), ["never"]);
        assert!(codes(&[(equal, "a", "b"), (equal, "a", "b")], 1, 100).is_empty());
        assert_eq!(codes(&[(regex, "a", "b|.*")], 90, 100), ["matches_much", "matches_empty"]);
        assert!(codes(&[(equal, "a", "b")], 3, 4).is_empty(), "few are few");
        assert!(codes(&[(Op::NotEqual, "a", "b")], 1, 100).is_empty(), "meant to be so");
    }
}
