//! What is checked of every request below `/api/v2` before its operation sees it: media types and the size of bodies.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::refusal::Refusal;

/// Longer bodies are refused: no Prometheus posts so much at once, and it must be held in memory.
pub(super) const BODY_MAX: usize = 64 << 20;

/// The client takes JSON for an answer.
pub(super) struct TakesJson;

/// A JSON body, not empty. Status 415, 406, 413 or 422 otherwise, with `NAME in body is required` for the last.
pub(super) struct JsonBody(pub(super) Option<Bytes>);

impl<S: Send + Sync> FromRequestParts<S> for TakesJson {
    type Rejection = Refusal;

    fn from_request_parts(parts: &mut Parts, _state: &S) -> impl Future<Output = Result<Self, Self::Rejection>> + Send {
        std::future::ready(check_accept(&parts.headers).map(|()| Self))
    }
}

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = Refusal;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Self::Rejection> {
        let (parts, body) = request.into_parts();
        let body = read(body).await?;
        if !body.is_empty() {
            check_content_type(&parts.headers)?;
        }
        check_accept(&parts.headers)?;
        Ok(Self(Some(body).filter(|b| !b.is_empty())))
    }
}

async fn read(body: Body) -> Result<Bytes, Refusal> {
    match Limited::new(body, BODY_MAX).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.downcast_ref::<LengthLimitError>().is_some() => {
            Err(Refusal::Coded(413, format!("body is longer than {BODY_MAX} bytes")))
        }
        Err(error) => Err(Refusal::Coded(400, format!("reading the body: {error}"))),
    }
}

fn check_content_type(headers: &HeaderMap) -> Result<(), Refusal> {
    let given = headers.get(header::CONTENT_TYPE).map_or(Ok(""), |v| v.to_str()).unwrap_or("?");
    let media_type = given.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let shown = if given.is_empty() { "application/octet-stream" } else { media_type };
    let message =
        format!("unsupported media type {}, only [application/json] are allowed", alerting::label::GoQuoted(shown));
    Err(Refusal::Coded(415, message))
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
