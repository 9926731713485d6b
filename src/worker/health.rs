//! `/-/…`: whether the process lives, whether it's ready for traffic, which config it runs, and the wish for a new one.

use std::sync::atomic::Ordering;

use alerting::view::Readiness;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::sync::oneshot;

use crate::api::{Api, json_response, text_response};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RunningConfig {
    hash: String,
    ready: bool,
    last_reload_successful: bool,
    error: Option<String>,
    peers: Vec<String>,
}

/// `/-/healthy`: the process answers.
pub(crate) fn healthy() -> std::future::Ready<&'static str> {
    std::future::ready("OK")
}

/// `/-/ready`: the config is loaded and the state of the peers merged (unlike the reference, which is always ready).
pub(crate) async fn ready(State(api): State<Api>) -> Response {
    match readiness(&api).await {
        Readiness::Ready => "OK".into_response(),
        Readiness::Waiting(reason) => text_response(StatusCode::SERVICE_UNAVAILABLE, &reason),
    }
}

/// `/-/config`: what the operator compares with what it wrote, and whom this member sees, itself included.
pub(crate) async fn config(State(api): State<Api>) -> Response {
    let ready = readiness(&api).await == Readiness::Ready;
    let peers = api.state.handle.view(|view| view.cluster().peers.into_iter().map(|peer| peer.name).collect());
    let status = api.state.reload_status.borrow().clone();
    let shown = RunningConfig {
        hash: status.hash.to_string(),
        ready,
        last_reload_successful: status.last_success,
        error: status.error,
        peers: peers.await.unwrap_or_default(),
    };
    json_response(StatusCode::OK, &shown)
}

/// `/-/nflog`: the notification log as its file has it, for backups; who restores it pages nobody again.
pub(crate) async fn notification_log(State(api): State<Api>) -> Response {
    match api.state.handle.view(|view| view.notification_log()).await {
        Ok(log) => ([(header::CONTENT_TYPE, "application/octet-stream")], log).into_response(),
        Err(_) => text_response(StatusCode::SERVICE_UNAVAILABLE, "the process is stopping"),
    }
}

/// `/-/reload`: answers when the new config runs, or why it doesn't.
pub(crate) async fn reload(State(api): State<Api>) -> Response {
    let (reply, outcome) = oneshot::channel();
    let stopped = || text_response(StatusCode::SERVICE_UNAVAILABLE, "the process is stopping");
    if api.state.reload.send(reply).await.is_err() {
        return stopped();
    }
    match outcome.await {
        Ok(Ok(())) => StatusCode::OK.into_response(),
        Ok(Err(error)) => {
            text_response(StatusCode::INTERNAL_SERVER_ERROR, &format!("failed to reload config: {error}"))
        }
        Err(_) => stopped(),
    }
}

async fn readiness(api: &Api) -> Readiness {
    if api.state.leaving.load(Ordering::Relaxed) {
        return Readiness::Waiting("the process is about to end".to_owned());
    }
    let look = api.state.handle.view(|view| match view.config() {
        Some(_) => view.readiness(),
        None => Readiness::Waiting("waiting for the configuration".to_owned()),
    });
    look.await.unwrap_or_else(|stopped| Readiness::Waiting(stopped.to_string()))
}
