//! Answers to requests that can't be served, in the reference's shapes: `{"code":…}` for what its generated server
//! refuses, a JSON string for what its handlers refuse, plain text outside of `/api/v2`.

use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::json;
use super::silences::MATCHERS_MAX;
use crate::handle::Stopped;

const NO_SNIFF: (HeaderName, &str) = (header::X_CONTENT_TYPE_OPTIONS, "nosniff");

/// Why a request below `/api/v2` isn't served.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// `{"code":…,"message":"…"}` without a newline. Codes above 599 are details of 422.
    Coded(u16, String),
    /// A JSON string.
    Said(StatusCode, String),
    /// Status 400: so many are more than a silence may have.
    TooManyMatchers(usize),
}

#[derive(Serialize)]
struct Coded<'a> {
    code: u16,
    message: &'a str,
}

impl Refusal {
    /// A field is not there: code 602.
    pub(super) fn required(field: &str) -> Self {
        Self::Coded(602, format!("{field} in body is required"))
    }

    /// Status 400 with a JSON string.
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::Said(StatusCode::BAD_REQUEST, message.into())
    }

    /// Status 500 with a JSON string.
    pub(super) fn internal(message: impl Into<String>) -> Self {
        Self::Said(StatusCode::INTERNAL_SERVER_ERROR, message.into())
    }
}

impl From<Stopped> for Refusal {
    fn from(stopped: Stopped) -> Self {
        Self::Said(StatusCode::SERVICE_UNAVAILABLE, stopped.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Coded(code, message) => {
                let status = StatusCode::from_u16(code).ok().filter(|s| s.as_u16() < 600);
                let body = json::encode(&Coded { code, message: &message });
                let content_type = [(header::CONTENT_TYPE, "application/json")];
                (status.unwrap_or(StatusCode::UNPROCESSABLE_ENTITY), content_type, body).into_response()
            }
            Self::Said(status, message) => json::response(status, &message),
            Self::TooManyMatchers(count) => {
                let text = format!("invalid silence: {count} matchers, at most {MATCHERS_MAX} are allowed");
                json::response(StatusCode::BAD_REQUEST, &text)
            }
        }
    }
}

/// Plain text and a newline.
pub(crate) fn text(status: StatusCode, message: &str) -> Response {
    (status, [NO_SNIFF], format!("{message}\n")).into_response()
}

/// For an operation below `/api/v2`.
pub(super) fn method_not_allowed(method: &Method, allow: &'static str) -> Response {
    let refusal = Refusal::Coded(405, format!("method {method} is not allowed, but [{allow}] are"));
    with_allow(refusal.into_response(), allow)
}

/// For other paths.
pub(super) fn plain_method_not_allowed(method: &Method, allow: &'static str) -> Response {
    let response = match *method {
        Method::OPTIONS => StatusCode::OK.into_response(),
        _ => text(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed"),
    };
    with_allow(response, allow)
}

/// A redirect with the little page that browsers don't show.
pub(super) fn redirect(status: StatusCode, method: &Method, to: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(to) else { return not_found() };
    let mut response = match *method {
        Method::GET => {
            let page = format!("<a href=\"{to}\">{}</a>.\n\n", status.canonical_reason().unwrap_or_default());
            (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
        }
        Method::HEAD => (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")]).into_response(),
        _ => status.into_response(),
    };
    response.headers_mut().insert(header::LOCATION, location);
    response
}

/// Outside of `/api/v2`.
pub(super) fn not_found() -> Response {
    text(StatusCode::NOT_FOUND, "404 page not found")
}

fn with_allow(mut response: Response, allow: &'static str) -> Response {
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
    response
}
