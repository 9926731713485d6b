//! `/api/v2/silences` and `/api/v2/silence/{id}`.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use alerting::effects::{Answer, Input};
use alerting::label::GoQuoted;
use alerting::matcher::{Matcher, Mode, Op, valid_label_name};
use alerting::silence::{Silence, SilenceDraft, SilenceError, SilenceId, SilenceState};
use alerting::time::Timestamp;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::dto::GettableSilence;
use super::query::Query;
use super::refusal::Refusal;
use super::refused::Refused;
use super::request::{JsonBody, TakesJson};
use super::{Api, json, time};
use crate::clock::now;

/// A silence needs fewer matchers than an alert has labels; each is compared with every alert.
pub(super) const MATCHERS_MAX: usize = 1000;

/// From as many bytes on a body is worth a thread of its own: its regular expressions take time.
const BIG: usize = 64 << 10;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct PostableSilence {
    id: Option<String>,
    matchers: Option<Vec<Option<Object<PostableMatcher>>>>,
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

/// A JSON object and nothing else: left alone, serde takes an array for a struct too.
#[derive(Default)]
struct Object<T>(T);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);

        impl<'de, T: DeserializeOwned> Visitor<'de> for Fields<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }
        deserializer.deserialize_any(Fields(PhantomData))
    }
}

#[derive(Serialize)]
struct Created<'a> {
    #[serde(rename = "silenceID")]
    silence_id: &'a str,
}

/// `GET`: those in the states asked for whose matchers include all `filter`s, letter by letter.
pub(super) async fn list(State(api): State<Api>, _: TakesJson, RawQuery(query): RawQuery) -> Result<Response, Refusal> {
    let query = Query::new(query.as_deref());
    let matchers = query.matchers(api.state.options.mode)?;
    let mut silences = api.state.handle.view(|view| view.silences()).await?;
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
    Ok(json::response(StatusCode::OK, &shown.map_err(Refusal::internal)?))
}

/// `GET` of one.
pub(super) async fn show(State(api): State<Api>, Path(id): Path<String>, _: TakesJson) -> Result<Response, Refusal> {
    let id = silence_id(id)?;
    let Some((silence, state)) = api.state.handle.view(move |view| view.silence(&id)).await? else {
        return Ok(StatusCode::NOT_FOUND.into_response());
    };
    let shown = GettableSilence::new(&silence, state).map_err(Refusal::internal)?;
    Ok(json::response(StatusCode::OK, &shown))
}

/// `DELETE`: ends it; one that has ended already stays as it is.
pub(super) async fn expire(State(api): State<Api>, Path(id): Path<String>, _: TakesJson) -> Result<Response, Refusal> {
    let id = silence_id(id)?;
    let answer = api.state.handle.ask(move |ticket| Input::ExpireSilence { ticket, id }).await?;
    api.boards.changed();
    match answer {
        Answer::Done | Answer::Silence(_) => Ok(StatusCode::OK.into_response()),
        Answer::Refused(SilenceError::NotFound) => Ok(StatusCode::NOT_FOUND.into_response()),
        Answer::Refused(error) => Err(Refusal::internal(error.to_string())),
        Answer::NotDurable { cause } => Err(not_durable("expired", &cause)),
    }
}

/// It is in force, but can't be promised.
fn not_durable(what: &str, cause: &str) -> Refusal {
    Refusal::internal(format!(
        "the silence is {what}, but that could not be written to disk, so a restart would undo it: {cause}"
    ))
}

/// `POST`: makes one, or changes the one whose id is given.
pub(super) async fn set(State(api): State<Api>, JsonBody(body, _share): JsonBody) -> Result<Response, Refusal> {
    let body = body.ok_or_else(|| Refusal::required("silence"))?;
    let draft = draft(&api, body).await?;
    let answer = api.state.handle.ask(move |ticket| Input::SetSilence { ticket, draft }).await?;
    api.boards.changed();
    match answer {
        Answer::Silence(id) => Ok(json::response(StatusCode::OK, &Created { silence_id: &id.0 })),
        Answer::Refused(error @ SilenceError::NotFound) => Err(Refusal::Said(StatusCode::NOT_FOUND, error.to_string())),
        Answer::Refused(error) => Err(Refusal::bad_request(error.to_string())),
        Answer::Done => Err(Refusal::internal("the silence has no id")),
        Answer::NotDurable { cause } => Err(not_durable("set", &cause)),
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

async fn draft(api: &Api, body: Bytes) -> Result<SilenceDraft, Refusal> {
    let mode = api.state.options.mode;
    let big = body.len() >= BIG;
    let read = move || read(&String::from_utf8_lossy(&body), mode, now());
    let read = match big {
        false => read(),
        true => match tokio::task::spawn_blocking(read).await {
            Ok(read) => read,
            Err(_) => return Err(Refusal::internal("the process is stopping")),
        },
    };
    if let Err(Refusal::TooManyMatchers(_)) = &read {
        api.http.refuse(Refused::MatchersTooMany);
    }
    read
}

pub(super) fn read(body: &str, mode: Mode, now: Timestamp) -> Result<SilenceDraft, Refusal> {
    let malformed = |text: &str| Refusal::Coded(400, format!("parsing silence body from \"\" failed, because {text}"));
    // what follows the object is ignored (reference behaviour)
    let mut reader = serde_json::Deserializer::from_str(body);
    let posted = Option::<Object<PostableSilence>>::deserialize(&mut reader);
    let posted = match (posted, json::mend_surrogates(body)) {
        (Err(_), Some(mended)) => serde_json::from_str(&mended),
        (read, _) => read,
    };
    let posted = posted.map_err(|error| match error.is_eof() {
        true => malformed("unexpected EOF"),
        false => malformed(&error.to_string()),
    })?;
    let Object(posted) = posted.unwrap_or_default();
    let parse_time = |text: &Option<String>| match text {
        Some(text) => time::parse(text).map(Some).map_err(|error| malformed(&error.to_string())),
        None => Ok(None),
    };
    let (starts_at, ends_at) = (parse_time(&posted.starts_at)?, parse_time(&posted.ends_at)?);
    let comment = posted.comment.ok_or_else(|| Refusal::required("comment"))?;
    let created_by = posted.created_by.ok_or_else(|| Refusal::required("createdBy"))?;
    let ends_at = ends_at.ok_or_else(|| Refusal::required("endsAt"))?;
    let matchers = posted.matchers.ok_or_else(|| Refusal::required("matchers"))?;
    let matchers = read_matchers(matchers)?;
    let starts_at = starts_at.ok_or_else(|| Refusal::required("startsAt"))?;
    let failed = |text| Refusal::bad_request(format!("Failed to create silence: {text}"));
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

/// The matchers of a body that may be a silence one day.
pub(super) fn matchers(body: &[u8], mode: Mode) -> Result<Vec<Matcher>, Refusal> {
    let posted: Object<PostableSilence> = serde_json::from_slice(body)
        .map_err(|error| Refusal::Coded(400, format!("parsing the silence failed: {error}")))?;
    compile(read_matchers(posted.0.matchers.ok_or_else(|| Refusal::required("matchers"))?)?, mode)
}

fn read_matchers(posted: Vec<Option<Object<PostableMatcher>>>) -> Result<Vec<(Op, String, String)>, Refusal> {
    if posted.len() > MATCHERS_MAX {
        return Err(Refusal::TooManyMatchers(posted.len()));
    }
    if posted.is_empty() {
        return Err(Refusal::Coded(612, "matchers in body should have at least 1 items".into()));
    }
    let read = posted.into_iter().enumerate().map(|(at, posted)| {
        let Object(posted) = posted.unwrap_or_default();
        let required = |field: &str| Refusal::required(&format!("matchers.{at}.{field}"));
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

fn compile(matchers: Vec<(Op, String, String)>, mode: Mode) -> Result<Vec<Matcher>, Refusal> {
    let compiled = matchers.into_iter().enumerate().map(|(at, (op, name, value))| {
        let invalid = |what: String| {
            Refusal::bad_request(format!("invalid silence: invalid label matcher {at} in set 0: {what}"))
        };
        if !valid_label_name(mode, &name) {
            return Err(invalid(format!("invalid label name {}", GoQuoted(&name))));
        }
        if op.is_regex() && closes_too_much(&value) {
            let quoted = GoQuoted(&value);
            return Err(invalid(format!(
                "invalid regular expression {quoted}: error parsing regexp: unexpected ): `{value}`"
            )));
        }
        Matcher::new(op, name, value.as_str())
            .map_err(|error| invalid(format!("invalid regular expression {}: {error}", GoQuoted(&value))))
    });
    compiled.collect()
}

/// Whether an expression closes a group that it hasn't opened: between anchors, as matchers have it, that would pass.
fn closes_too_much(pattern: &str) -> bool {
    pattern.contains(')') && regex::Regex::new(pattern).is_err_and(|error| error.to_string().contains("unopened group"))
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

fn silence_id(id: String) -> Result<SilenceId, Refusal> {
    if is_uuid(&id) {
        return Ok(SilenceId(id.into()));
    }
    Err(Refusal::Coded(601, format!("silenceID in path must be of type uuid: {}", GoQuoted(&id))))
}
