//! What the operator serves about itself: `/healthz`, `/readyz`, `/metrics`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use kube::runtime::reflector::Store;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::context::Context;
use crate::controller::OperatorError;
use crate::reconcile::Guarded;

/// Serves at `address` until the task is aborted.
///
/// # Errors
/// When the address can't be listened on.
pub(crate) async fn serve(
    address: SocketAddr,
    context: Arc<Context>,
    store: Store<Guarded>,
) -> Result<JoinHandle<()>, OperatorError> {
    let listener = TcpListener::bind(address).await.map_err(|source| OperatorError::Listen { address, source })?;
    let router = Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready).with_state(store))
        .route("/metrics", get(metrics).with_state(context));
    Ok(tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "endpoints ended");
        }
    }))
}

/// Ready once the clusters are known.
async fn ready(State(store): State<Store<Guarded>>) -> (StatusCode, &'static str) {
    match tokio::time::timeout(Duration::from_millis(100), store.wait_until_ready()).await {
        Ok(Ok(())) => (StatusCode::OK, "ok\n"),
        Ok(Err(_)) | Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the clusters are not known yet\n"),
    }
}

async fn metrics(State(context): State<Arc<Context>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], context.metrics.text())
}
