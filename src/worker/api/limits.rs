//! How many GET requests run at the same time, how long any request may take, and the header that `/api/v2` has.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::{Api, refusal};

/// Refuses GET requests over the limit, and answers for those that take too long.
///
/// Probes (`/-/…`) are not limited, unlike the reference's: a flood of dashboards must not make the kubelet kill us. What
/// the page asks for has limits of its own, and takes nothing from API v2.
pub(super) async fn limit(State(api): State<Api>, request: Request, next: Next) -> Response {
    let inner = request.uri().path().strip_prefix(&*api.prefix).unwrap_or_default();
    let own = ["/-/", "/api/ui/v1/"];
    let limited = request.method() == Method::GET && !own.iter().any(|start| inner.starts_with(start));
    let is_v2 = inner.starts_with("/api/v2/");
    let permit = if limited { api.gets.free.try_acquire().ok() } else { None };
    if limited && permit.is_none() {
        api.http.count_over_limit();
        let most = api.gets.most;
        let message = format!("Limit of concurrent GET requests reached ({most}), try again later.\n");
        return refusal::text(StatusCode::SERVICE_UNAVAILABLE, &message);
    }
    let asks_options = request.method() == Method::OPTIONS;
    let _in_flight = permit.is_some().then(|| api.http.enter());
    let mut response = match api.state.options.timeout.filter(|t| !t.is_zero()) {
        None => next.run(request).await,
        Some(timeout) => match tokio::time::timeout(timeout, next.run(request)).await {
            Ok(response) => response,
            Err(_) => return timed_out(timeout),
        },
    };
    // a preflight and the redirect of an untidy path are answered before the API itself
    let before = match response.status() {
        StatusCode::NO_CONTENT => asks_options,
        status => status == StatusCode::TEMPORARY_REDIRECT,
    };
    if is_v2 && !before {
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

fn timed_out(timeout: Duration) -> Response {
    let body = format!("Exceeded configured timeout of {}.\n", alerting::duration::print_go(timeout));
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response
}
