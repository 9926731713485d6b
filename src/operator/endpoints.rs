//! What the operator serves about itself: `/healthz`, `/readyz`, `/metrics`.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use kube::runtime::reflector::Store;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::controller::OperatorError;
use crate::metrics::Metrics;
use crate::reconcile::Guarded;

/// Whether the operator does what it is there for: working, or standing by.
#[derive(Clone, Default)]
pub(crate) struct Readiness(Arc<Mutex<Stage>>);

#[derive(Clone, Default)]
enum Stage {
    #[default]
    Starting,
    StandingBy,
    /// Ready once the clusters in these are known.
    Working(Vec<Store<Guarded>>),
}

impl Readiness {
    pub(crate) fn standing_by(&self) {
        self.set(Stage::StandingBy);
    }

    pub(crate) fn working(&self, stores: Vec<Store<Guarded>>) {
        self.set(Stage::Working(stores));
    }

    fn set(&self, stage: Stage) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = stage;
    }

    fn stage(&self) -> Stage {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Serves at `address` until the task is aborted.
///
/// # Errors
/// When the address can't be listened on.
pub(crate) async fn serve(
    address: SocketAddr,
    counted: Arc<Metrics>,
    readiness: Readiness,
) -> Result<JoinHandle<()>, OperatorError> {
    let listener = TcpListener::bind(address).await.map_err(|source| OperatorError::Listen { address, source })?;
    let router = Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready).with_state(readiness))
        .route("/metrics", get(metrics).with_state(counted));
    Ok(tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "endpoints ended");
        }
    }))
}

async fn ready(State(readiness): State<Readiness>) -> (StatusCode, &'static str) {
    let stores = match readiness.stage() {
        Stage::Starting => return (StatusCode::SERVICE_UNAVAILABLE, "starting\n"),
        Stage::StandingBy => return (StatusCode::OK, "ok: standing by for another operator\n"),
        Stage::Working(stores) => stores,
    };
    let known = futures::future::join_all(stores.iter().map(Store::wait_until_ready));
    match tokio::time::timeout(Duration::from_millis(100), known).await {
        Ok(known) if known.iter().all(Result::is_ok) => (StatusCode::OK, "ok\n"),
        Ok(_) | Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the clusters are not known yet\n"),
    }
}

async fn metrics(State(counted): State<Arc<Metrics>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], counted.text())
}
