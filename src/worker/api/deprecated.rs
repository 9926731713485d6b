//! `/api/v1`, which went away in Alertmanager 0.27: its paths still say so.

use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{MethodRouter, get};
use serde::Serialize;

use super::{Api, json, plain};

/// The text that the reference answers with.
const GONE: &str = "The Alertmanager v1 API was deprecated in version 0.16.0 and is removed as of version 0.27.0 - \
                    please use the equivalent route in the v2 API";

#[derive(Serialize)]
struct Deprecated {
    status: &'static str,
    error: &'static str,
}

/// The paths that there were.
pub(super) fn paths() -> [(&'static str, MethodRouter<Api>); 5] {
    [
        ("/api/v1/status", plain("GET, OPTIONS", get(gone))),
        ("/api/v1/receivers", plain("GET, OPTIONS", get(gone))),
        ("/api/v1/alerts", plain("GET, OPTIONS, POST", get(gone).post(gone))),
        ("/api/v1/silences", plain("GET, OPTIONS, POST", get(gone).post(gone))),
        ("/api/v1/silence/{id}", plain("DELETE, GET, OPTIONS", get(gone).delete(gone))),
    ]
}

fn gone() -> std::future::Ready<Response> {
    tracing::warn!("a client uses API v1, which is gone");
    std::future::ready(json::response(StatusCode::GONE, &Deprecated { status: "deprecated", error: GONE }))
}
