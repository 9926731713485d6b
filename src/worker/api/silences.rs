//! `/api/v2/silences` and `/api/v2/silence/{id}`.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use alerting::effects::{Answer, Input};
use alerting::label::GoQuoted;
use alerting::matcher::{Matcher, Mode, Op, valid_label_name};
use alerting::silence::{Silence, SilenceDraft, SilenceError, SilenceId, SilenceState};
use alerting::time::Timestamp;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::dto::GettableSilence;
use super::query::Query;
use super::request::{JsonBody, TakesJson};
use super::{Api, json, refusal, time};
use crate::clock::now;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct PostableSilence {
    id: Option<String>,
    matchers: Option<Vec<Option<PostableMatcher>>>,
    starts_at: Option<String>,
    ends_at: Option<String>,
    created_by: Option<String>,
    comment: Option<String>,
    annotations: Option<BTreeMap<String, Option<String>>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct PostableMatcher {
    name: Option<String>,
    value: Option<String>,
    is_regex: Option<bool>,
    is_equal: Option<bool>,
}

#[derive(Serialize)]
struct Created<'a> {
    #[serde(rename = "silenceID")]
    silence_id: &'a str,
}

/// `GET`: those in the states asked for whose matchers include all `filter`s, letter by letter.
pub(super) async fn list(State(api): State<Api>, _: TakesJson, RawQuery(query): RawQuery) -> Response {
    let query = Query::new(query.as_deref());
    let matchers = match query.matchers(api.state.options.mode) {
        Ok(matchers) => matchers,
        Err(refused) => return refused,
    };
    let mut silences = match api.state.handle.view(|view| view.silences()).await {
        Ok(silences) => silences,
        Err(stopped) => return stopped.into_response(),
    };
    let (active, pending, expired) = (query.flag("active"), query.flag("pending"), query.flag("expired"));
    silences.retain(|(silence, state)| {
        let wanted = match state {
            SilenceState::Active => active,
            SilenceState::Pending => pending,
            SilenceState::Expired => expired,
        };
        wanted && silence.matcher_sets.iter().any(|set| matchers.iter().all(|m| set.contains(m)))
    });
    silences.sort_by_key(order);
    let shown: Result<Vec<_>, _> = silences.iter().map(|(s, state)| GettableSilence::new(s, *state)).collect();
    match shown {
        Ok(shown) => json::response(StatusCode::OK, &shown),
        Err(error) => refusal::said(StatusCode::INTERNAL_SERVER_ERROR, &error),
    }
}

/// `GET` of one.
pub(super) async fn show(State(api): State<Api>, Path(id): Path<String>, _: TakesJson) -> Response {
    if !is_uuid(&id) {
        return not_a_uuid(&id);
    }
    let id = SilenceId(id.into());
    match api.state.handle.view(move |view| view.silence(&id)).await {
        Ok(Some((silence, state))) => match GettableSilence::new(&silence, state) {
            Ok(shown) => json::response(StatusCode::OK, &shown),
            Err(error) => refusal::said(StatusCode::INTERNAL_SERVER_ERROR, &error),
        },
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(stopped) => stopped.into_response(),
    }
}

/// `DELETE`: ends it; one that has ended already stays as it is.
pub(super) async fn expire(State(api): State<Api>, Path(id): Path<String>, _: TakesJson) -> Response {
    if !is_uuid(&id) {
        return not_a_uuid(&id);
    }
    let id = SilenceId(id.into());
    match api.state.handle.ask(move |ticket| Input::ExpireSilence { ticket, id }).await {
        Ok(Answer::Done | Answer::Silence(_)) => StatusCode::OK.into_response(),
        Ok(Answer::Refused(SilenceError::NotFound)) => StatusCode::NOT_FOUND.into_response(),
        Ok(Answer::Refused(error)) => refusal::said(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
        Err(stopped) => stopped.into_response(),
    }
}

/// `POST`: makes one, or changes the one whose id is given.
pub(super) async fn set(State(api): State<Api>, JsonBody(body): JsonBody) -> Response {
    let Some(body) = body else { return refusal::required("silence") };
    let draft = match read(&String::from_utf8_lossy(&body), api.state.options.mode, now()) {
        Ok(draft) => draft,
        Err(refused) => return refused,
    };
    match api.state.handle.ask(move |ticket| Input::SetSilence { ticket, draft }).await {
        Ok(Answer::Silence(id)) => json::response(StatusCode::OK, &Created { silence_id: &id.0 }),
        Ok(Answer::Refused(error @ SilenceError::NotFound)) => refusal::said(StatusCode::NOT_FOUND, &error.to_string()),
        Ok(Answer::Refused(error)) => refusal::bad_request(&error.to_string()),
        Ok(Answer::Done) => refusal::said(StatusCode::INTERNAL_SERVER_ERROR, "the silence has no id"),
        Err(stopped) => stopped.into_response(),
    }
}

/// Active ones by their end, then pending ones by their start, then expired ones by their end, the latest first.
fn order(row: &(Arc<Silence>, SilenceState)) -> (SilenceState, Timestamp, Reverse<Timestamp>) {
    let (silence, state) = row;
    match state {
        SilenceState::Active => (*state, silence.ends_at, Reverse(Timestamp::EPOCH)),
        SilenceState::Pending => (*state, silence.starts_at, Reverse(Timestamp::EPOCH)),
        SilenceState::Expired => (*state, Timestamp::EPOCH, Reverse(silence.ends_at)),
    }
}

fn read(body: &str, mode: Mode, now: Timestamp) -> Result<SilenceDraft, Response> {
    let malformed = |text: &str| refusal::coded(400, &format!("parsing silence body from \"\" failed, because {text}"));
    // what follows the object is ignored (reference behaviour)
    let mut json = serde_json::Deserializer::from_str(body);
    let posted = Option::<PostableSilence>::deserialize(&mut json).map_err(|error| match error.is_eof() {
        true => malformed("unexpected EOF"),
        false => malformed(&error.to_string()),
    })?;
    let posted = posted.unwrap_or_default();
    let parse_time = |text: &Option<String>| match text {
        Some(text) => time::parse(text).map(Some).map_err(|error| malformed(&error.to_string())),
        None => Ok(None),
    };
    let (starts_at, ends_at) = (parse_time(&posted.starts_at)?, parse_time(&posted.ends_at)?);
    let comment = posted.comment.ok_or_else(|| refusal::required("comment"))?;
    let created_by = posted.created_by.ok_or_else(|| refusal::required("createdBy"))?;
    let ends_at = ends_at.ok_or_else(|| refusal::required("endsAt"))?;
    let matchers = posted.matchers.ok_or_else(|| refusal::required("matchers"))?;
    let matchers = read_matchers(matchers)?;
    let starts_at = starts_at.ok_or_else(|| refusal::required("startsAt"))?;
    let failed = |text| refusal::bad_request(&format!("Failed to create silence: {text}"));
    // the unset time lies before all others
    let Some(ends_at) = ends_at.filter(|end| starts_at.is_none_or(|start| start < *end)) else {
        return Err(failed("start time must be before end time"));
    };
    if ends_at < now {
        return Err(failed("end time can't be in the past"));
    }
    let annotations = posted.annotations.unwrap_or_default().into_iter();
    Ok(SilenceDraft {
        id: posted.id.filter(|id| !id.is_empty()).map(|id| SilenceId(id.into())),
        matchers: compile(matchers, mode)?,
        starts_at,
        ends_at,
        created_by,
        comment,
        annotations: annotations.map(|(name, value)| (name, value.unwrap_or_default())).collect(),
    })
}

fn read_matchers(posted: Vec<Option<PostableMatcher>>) -> Result<Vec<(Op, String, String)>, Response> {
    if posted.is_empty() {
        return Err(refusal::coded(612, "matchers in body should have at least 1 items"));
    }
    let read = posted.into_iter().enumerate().map(|(at, posted)| {
        let posted = posted.unwrap_or_default();
        let required = |field: &str| refusal::required(&format!("matchers.{at}.{field}"));
        let is_regex = posted.is_regex.ok_or_else(|| required("isRegex"))?;
        let name = posted.name.ok_or_else(|| required("name"))?;
        let value = posted.value.ok_or_else(|| required("value"))?;
        let op = match (posted.is_equal.unwrap_or(true), is_regex) {
            (true, false) => Op::Equal,
            (false, false) => Op::NotEqual,
            (true, true) => Op::Regex,
            (false, true) => Op::NotRegex,
        };
        Ok((op, name, value))
    });
    read.collect()
}

fn compile(matchers: Vec<(Op, String, String)>, mode: Mode) -> Result<Vec<Matcher>, Response> {
    let compiled = matchers.into_iter().enumerate().map(|(at, (op, name, value))| {
        let invalid = |what: String| {
            refusal::bad_request(&format!("invalid silence: invalid label matcher {at} in set 0: {what}"))
        };
        if !valid_label_name(mode, &name) {
            return Err(invalid(format!("invalid label name {}", GoQuoted(&name))));
        }
        Matcher::new(op, name, value.as_str())
            .map_err(|error| invalid(format!("invalid regular expression {}: {error}", GoQuoted(&value))))
    });
    compiled.collect()
}

/// With hyphens or without, in any case.
fn is_uuid(text: &str) -> bool {
    let bytes = text.as_bytes();
    match bytes.len() {
        32 => bytes.iter().all(u8::is_ascii_hexdigit),
        36 => bytes.iter().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => *b == b'-',
            _ => b.is_ascii_hexdigit(),
        }),
        _ => false,
    }
}

fn not_a_uuid(id: &str) -> Response {
    refusal::coded(601, &format!("silenceID in path must be of type uuid: {}", GoQuoted(id)))
}
