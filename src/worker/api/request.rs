//! What is checked of every request below `/api/v2` before its operation sees it: media types and the size of bodies.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use bytes::BytesMut;
use http_body_util::BodyExt;
use tokio::sync::OwnedSemaphorePermit;

use super::Api;
use super::refusal::Refusal;
use super::refused::Refused;

/// Longer bodies are refused: no Prometheus posts so much at once, and it must be held in memory.
pub(super) const BODY_MAX: usize = 64 << 20;

/// Bytes that are counted as one of [`BODY_UNITS_MAX`]; bodies up to that size are not counted.
pub(super) const BODY_UNIT: usize = 64 << 10;

/// All longer bodies that are in memory at the same time: half a GiB.
pub(super) const BODY_UNITS_MAX: usize = (512 << 20) / BODY_UNIT;

/// How long a body may make no progress.
const BODY_PAUSE_MAX: Duration = Duration::from_secs(30);

/// The client takes JSON for an answer.
pub(super) struct TakesJson;

/// A JSON body, `None` for one without a value; the reference looks at `Accept` only where there is none. Status 400, 408, 413,
/// 415 or 503 otherwise.
pub(super) struct JsonBody(pub(super) Option<Bytes>, pub(super) Share);

/// What a body takes of the memory for all bodies, until it's dropped.
pub(super) struct Share(Option<OwnedSemaphorePermit>);

impl<S: Send + Sync> FromRequestParts<S> for TakesJson {
    type Rejection = Refusal;

    fn from_request_parts(parts: &mut Parts, _state: &S) -> impl Future<Output = Result<Self, Self::Rejection>> + Send {
        std::future::ready(check_accept(&parts.headers).map(|()| Self))
    }
}

impl FromRequest<Api> for JsonBody {
    type Rejection = Refusal;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Self::Rejection> {
        let (parts, body) = request.into_parts();
        let (body, share) = read(api, body).await?;
        if !body.is_empty() {
            check_content_type(&parts.headers)?;
        }
        Ok(Self(Some(body).filter(|body| !body.iter().all(u8::is_ascii_whitespace)), share))
    }
}

async fn read(api: &Api, mut body: Body) -> Result<(Bytes, Share), Refusal> {
    let refuse = |reason, code: StatusCode, text: String| {
        api.http.refuse(reason);
        Refusal::Coded(code.as_u16(), text)
    };
    let too_large = || {
        let text = format!("body is longer than {BODY_MAX} bytes");
        refuse(Refused::BodyTooLarge, StatusCode::PAYLOAD_TOO_LARGE, text)
    };
    // what is announced too long needs not come first
    if body.size_hint().lower() > BODY_MAX as u64 {
        return Err(too_large());
    }
    let mut share = Share(None);
    // most bodies come in one piece
    let (mut first, mut all) = (Bytes::new(), BytesMut::new());
    loop {
        let frame = tokio::time::timeout(BODY_PAUSE_MAX, body.frame()).await.map_err(|_| {
            let text = format!("nothing of the body came for {} seconds", BODY_PAUSE_MAX.as_secs());
            refuse(Refused::BodyTooSlow, StatusCode::REQUEST_TIMEOUT, text)
        })?;
        let Some(frame) = frame else { break };
        let frame = frame.map_err(|error| Refusal::Coded(400, format!("reading the body: {error}")))?;
        let Ok(data) = frame.into_data() else { continue };
        let length = first.len() + all.len() + data.len();
        if length > BODY_MAX {
            return Err(too_large());
        }
        if !share.grow(api, length) {
            let text = "too many bytes of other bodies are being read; try again".to_owned();
            return Err(refuse(Refused::BodiesTooMany, StatusCode::SERVICE_UNAVAILABLE, text));
        }
        if length == data.len() {
            first = data;
        } else {
            all.extend_from_slice(&std::mem::take(&mut first));
            all.extend_from_slice(&data);
        }
    }
    Ok((if all.is_empty() { first } else { all.freeze() }, share))
}

impl Share {
    /// Makes room for a body of this length, if there is.
    fn grow(&mut self, api: &Api, length: usize) -> bool {
        let have = self.0.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let want = if length <= BODY_UNIT { 0 } else { length.div_ceil(BODY_UNIT) };
        let more = u32::try_from(want.saturating_sub(have)).unwrap_or(u32::MAX);
        if more == 0 {
            return true;
        }
        let Ok(permit) = Arc::clone(&api.bodies).try_acquire_many_owned(more) else { return false };
        match &mut self.0 {
            Some(held) => held.merge(permit),
            None => self.0 = Some(permit),
        }
        true
    }
}

fn check_content_type(headers: &HeaderMap) -> Result<(), Refusal> {
    let given = headers.get(header::CONTENT_TYPE).map_or(Ok(""), |v| v.to_str()).unwrap_or("?");
    let given = if given.trim().is_empty() { "application/octet-stream" } else { given };
    let Some(media_type) = media_type(given) else {
        let given = alerting::label::GoQuoted(given);
        let text = format!("parsing Content-Type header from {given} failed, because it is no media type");
        return Err(Refusal::Coded(400, text));
    };
    if media_type.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let shown = alerting::label::GoQuoted(media_type);
    Err(Refusal::Coded(415, format!("unsupported media type {shown}, only [application/json] are allowed")))
}

/// `type/subtype` in front of parameters like `; name=value`; `None` when it's something else.
fn media_type(given: &str) -> Option<&str> {
    let is_token = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&b))
    };
    let mut parts = given.split(';').map(str::trim);
    let media_type = parts.next()?;
    let (main, sub) = media_type.split_once('/')?;
    let mut seen = Vec::new();
    for part in parts.filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=')?;
        let quoted = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        if !is_token(name) || (quoted.is_none_or(|text| text.contains('"')) && !is_token(value)) || seen.contains(&name)
        {
            return None;
        }
        seen.push(name);
    }
    (is_token(main) && is_token(sub)).then_some(media_type)
}

fn check_accept(headers: &HeaderMap) -> Result<(), Refusal> {
    let mut ranges = headers.get_all(header::ACCEPT).iter().peekable();
    if ranges.peek().is_none() || ranges.filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(',')).any(takes_json) {
        return Ok(());
    }
    Err(Refusal::Coded(406, "unsupported media type requested, only [application/json] are available".into()))
}

/// One range of an `Accept` header.
fn takes_json(range: &str) -> bool {
    let mut parts = range.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default();
    let wanted = ["*/*", "application/*", "application/json"].iter().any(|m| media_type.eq_ignore_ascii_case(m));
    let refused = parts.filter_map(|p| p.strip_prefix("q=")).any(|q| q.trim().parse::<f32>().is_ok_and(|q| q <= 0.0));
    wanted && !refused
}
