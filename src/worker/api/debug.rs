//! `/debug/…`, where the reference has profiles of the Go runtime.

use axum::http::StatusCode;
use axum::response::Response;

use super::text_response;

/// Says that there are none, and what there is instead.
pub(super) fn profiles() -> std::future::Ready<Response> {
    std::future::ready(text_response(
        StatusCode::NOT_IMPLEMENTED,
        "there are no Go profiles: this Alertmanager is not written in Go. Use perf on the process; /metrics has its counters",
    ))
}
