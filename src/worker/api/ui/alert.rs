//! `/api/ui/v1/alerts/{fingerprint}`: why an alert notifies, or doesn't. Our own addition; it may change between versions
//! but for the codes.

use std::sync::Arc;

use alerting::alert::Alert;
use alerting::explain::{Explanation, GroupVerdict, IntegrationVerdict};
use alerting::json::Labels;
use alerting::label::Fingerprint;
use alerting::ledger::Line;
use alerting::silence::{Silence, SilenceState};
use alerting::time::Timestamp;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;

use super::super::refusal::Refusal;
use super::super::request::TakesJson;
use super::super::{Api, json};
use super::show::SilenceRow;
use super::tagged;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Explained<'a> {
    fingerprint: String,
    labels: Labels<'a>,
    annotations: Labels<'a>,
    #[serde(skip_serializing_if = "str::is_empty", rename = "generatorURL")]
    generator_url: &'a str,
    state: &'static str,
    starts_at: String,
    ends_at: String,
    updated_at: String,
    silenced_by: Vec<String>,
    /// The same in full.
    silences: Vec<SilenceRow<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inhibited_by: Option<Inhibited<'a>>,
    groups: Vec<Group<'a>>,
    /// The member that says so.
    member: String,
}

#[derive(Serialize)]
struct Inhibited<'a> {
    fingerprint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<Labels<'a>>,
    rule: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Group<'a> {
    receiver: &'a str,
    key: &'a str,
    labels: Labels<'a>,
    next_flush: String,
    integrations: Vec<Verdict<'a>>,
}

#[derive(Serialize)]
struct Verdict<'a> {
    integration: &'a str,
    index: u32,
    code: &'static str,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<Last>,
    history: Vec<Told>,
}

#[derive(Serialize)]
struct Told {
    at: String,
    outcome: &'static str,
    text: String,
}

#[derive(Serialize)]
struct Last {
    at: String,
    said: &'static str,
}

/// What was seen in one look.
struct Known {
    now: Timestamp,
    member: String,
    explanation: Explanation,
    inhibitor: Option<Arc<Alert>>,
    silences: Vec<(Arc<Silence>, SilenceState)>,
}

/// `GET`: what this member knows.
pub(super) async fn show(
    State(api): State<Api>,
    _: TakesJson,
    headers: HeaderMap,
    Path(fingerprint): Path<String>,
) -> Result<Response, Refusal> {
    let Some(number) = Some(&fingerprint).filter(|text| text.len() == 16).and_then(|t| u64::from_str_radix(t, 16).ok())
    else {
        let message = format!("`{fingerprint}` is no fingerprint: 16 hex digits, as /api/v2/alerts shows them");
        return Err(Refusal::Coded(400, message));
    };
    let look = api.state.handle.view(move |view| {
        let explanation = view.explain(Fingerprint(number))?;
        let inhibitor = explanation.inhibited_by.as_ref().and_then(|inhibition| view.explain(inhibition.by));
        let silences = explanation.silenced_by.iter().filter_map(|id| view.silence(id)).collect();
        let inhibitor = inhibitor.map(|explanation| explanation.alert);
        Some(Known { now: view.now(), member: view.cluster().name, explanation, inhibitor, silences })
    });
    let Some(known) = look.await? else {
        return Err(Refusal::Coded(404, format!("no alert with fingerprint {fingerprint} is known here")));
    };
    Ok(tagged(&headers, json::encode(&explained(&known))))
}

fn explained(known: &Known) -> Explained<'_> {
    let time = Timestamp::rfc3339_millis;
    let of = &known.explanation;
    Explained {
        fingerprint: of.alert.fingerprint.to_string(),
        labels: Labels(&of.alert.labels),
        annotations: Labels(&of.alert.annotations),
        generator_url: &of.alert.generator_url,
        state: if of.resolved { "resolved" } else { "firing" },
        starts_at: time(of.alert.starts_at),
        ends_at: time(of.alert.ends_at),
        updated_at: time(of.alert.updated_at),
        silenced_by: of.silenced_by.iter().map(ToString::to_string).collect(),
        inhibited_by: of.inhibited_by.as_ref().map(|inhibition| Inhibited {
            fingerprint: inhibition.by.to_string(),
            labels: known.inhibitor.as_ref().map(|alert| Labels(&alert.labels)),
            rule: inhibition.rule,
            name: inhibition.name.as_deref().map(str::to_owned),
        }),
        // how many others each keeps quiet isn't asked here
        silences: known.silences.iter().map(|(silence, state)| SilenceRow::new(silence, *state, None)).collect(),
        groups: of.groups.iter().map(|verdict| group(known.now, of, verdict)).collect(),
        member: known.member.clone(),
    }
}

fn told(line: &Line) -> Told {
    Told { at: line.at.rfc3339_millis(), outcome: line.outcome.code(), text: line.outcome.sentence() }
}

fn group<'a>(now: Timestamp, of: &Explanation, verdict: &'a GroupVerdict) -> Group<'a> {
    let integration = |one: &'a IntegrationVerdict| Verdict {
        integration: one.integration,
        index: one.index,
        code: one.reason.code(),
        text: of.sentence(now, verdict, one),
        last: one.last.map(|last| Last { at: last.at.rfc3339_millis(), said: last.said.code() }),
        history: one.history.iter().map(told).collect(),
    };
    Group {
        receiver: &verdict.receiver,
        key: &verdict.key,
        labels: Labels(&verdict.labels),
        next_flush: verdict.next_flush.rfc3339_millis(),
        integrations: verdict.integrations.iter().map(integration).collect(),
    }
}
