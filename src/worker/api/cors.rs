//! `--web.cors.origin`: which pages of browsers may use API v2.

use alerting::matcher::Matcher;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Api;

/// How long a browser may remember what a preflight said, seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// Headers for origins that match; a preflight is answered here.
pub(super) async fn allow(State(api): State<Api>, request: Request, next: Next) -> Response {
    let is_v2 = request.uri().path().strip_prefix(&*api.prefix).is_some_and(|path| path.starts_with("/api/v2/"));
    let Some(origins) = api.state.options.cors_origin.as_ref().filter(|_| is_v2) else {
        return next.run(request).await;
    };
    let origin = allowed_origin(origins, request.headers());
    if request.method() == Method::OPTIONS && asked(request.headers()).is_some_and(|method| !method.is_empty()) {
        return preflight(origin, request.headers());
    }
    let allowed = origin.filter(|_| may(request.method().as_str()));
    let mut response = next.run(request).await;
    response.headers_mut().append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = allowed {
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    response
}

fn preflight(origin: Option<HeaderValue>, asked_for: &HeaderMap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    let vary = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";
    headers.insert(header::VARY, HeaderValue::from_static(vary));
    let method = asked(asked_for).filter(|method| method.to_str().is_ok_and(may));
    if let (Some(origin), Some(method)) = (origin, method) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, method.clone());
        if let Some(wanted) = asked_for.get(header::ACCESS_CONTROL_REQUEST_HEADERS).filter(|text| !text.is_empty()) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
        }
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    }
    response
}

fn asked(headers: &HeaderMap) -> Option<&HeaderValue> {
    headers.get(header::ACCESS_CONTROL_REQUEST_METHOD)
}

fn allowed_origin(origins: &Matcher, headers: &HeaderMap) -> Option<HeaderValue> {
    let origin = headers.get(header::ORIGIN).filter(|origin| !origin.is_empty())?;
    origin.to_str().is_ok_and(|text| origins.matches_value(text)).then(|| origin.clone())
}

fn may(method: &str) -> bool {
    matches!(method, "GET" | "POST" | "DELETE" | "OPTIONS")
}
