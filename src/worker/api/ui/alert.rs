//! `/api/ui/v1/alerts/{fingerprint}`: why an alert notifies, or doesn't. Our own addition; it may change between versions
//! but for the codes.

use alerting::explain::{Explanation, GroupVerdict, IntegrationVerdict};
use alerting::json::Labels;
use alerting::label::Fingerprint;
use alerting::time::Timestamp;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use super::refusal::Refusal;
use super::request::TakesJson;
use super::{Api, json};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Explained<'a> {
    fingerprint: String,
    labels: Labels<'a>,
    state: &'static str,
    starts_at: String,
    ends_at: String,
    updated_at: String,
    silenced_by: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inhibited_by: Option<Inhibited>,
    groups: Vec<Group<'a>>,
    /// The member that says so.
    member: String,
}

#[derive(Serialize)]
struct Inhibited {
    fingerprint: String,
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
}

#[derive(Serialize)]
struct Last {
    at: String,
    said: &'static str,
}

/// `GET`: what this member knows.
pub(super) async fn show(
    State(api): State<Api>,
    _: TakesJson,
    Path(fingerprint): Path<String>,
) -> Result<Response, Refusal> {
    let Some(number) = Some(&fingerprint).filter(|text| text.len() == 16).and_then(|t| u64::from_str_radix(t, 16).ok())
    else {
        let message = format!("`{fingerprint}` is no fingerprint: 16 hex digits, as /api/v2/alerts shows them");
        return Err(Refusal::Coded(400, message));
    };
    let look = api.state.handle.view(move |view| {
        let member = view.cluster().name;
        view.explain(Fingerprint(number)).map(|explanation| (view.now(), member, explanation))
    });
    let Some((now, member, explanation)) = look.await? else {
        return Err(Refusal::Coded(404, format!("no alert with fingerprint {fingerprint} is known here")));
    };
    Ok(json::response(StatusCode::OK, &explained(now, member, &explanation)))
}

fn explained(now: Timestamp, member: String, of: &Explanation) -> Explained<'_> {
    let time = Timestamp::rfc3339_millis;
    Explained {
        fingerprint: of.alert.fingerprint.to_string(),
        labels: Labels(&of.alert.labels),
        state: if of.resolved { "resolved" } else { "firing" },
        starts_at: time(of.alert.starts_at),
        ends_at: time(of.alert.ends_at),
        updated_at: time(of.alert.updated_at),
        silenced_by: of.silenced_by.iter().map(ToString::to_string).collect(),
        inhibited_by: of.inhibited_by.as_ref().map(|inhibition| Inhibited {
            fingerprint: inhibition.by.to_string(),
            rule: inhibition.rule,
            name: inhibition.name.as_deref().map(str::to_owned),
        }),
        groups: of.groups.iter().map(|verdict| group(now, of, verdict)).collect(),
        member,
    }
}

fn group<'a>(now: Timestamp, of: &Explanation, verdict: &'a GroupVerdict) -> Group<'a> {
    let integration = |one: &'a IntegrationVerdict| Verdict {
        integration: one.integration,
        index: one.index,
        code: one.reason.code(),
        text: of.sentence(now, verdict, one),
        last: one.last.map(|last| Last { at: last.at.rfc3339_millis(), said: last.said.code() }),
    };
    Group {
        receiver: &verdict.receiver,
        key: &verdict.key,
        labels: Labels(&verdict.labels),
        next_flush: verdict.next_flush.rfc3339_millis(),
        integrations: verdict.integrations.iter().map(integration).collect(),
    }
}
