//! Running the operator: which objects are watched, and what a change of each sets off.

use std::sync::Arc;
use std::time::SystemTime;

use futures::channel::mpsc;
use futures::future::join_all;
use futures::{FutureExt, StreamExt};
use kube::Client;
use kube::runtime::controller::{Config, Controller};
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::watcher;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::caches::{Caches, Scope};
use crate::context::{Context, Shared};
use crate::crd::{ConditionStatus, ConditionType};
use crate::endpoints::{self, Readiness};
use crate::lease::Election;
use crate::members::{MemberClient, MemberError};
use crate::options::{Format, Level, OperatorOptions};
use crate::plan::MANAGER;
use crate::reconcile::{Guarded, on_error, reconcile};

/// How many clusters are looked at at the same time.
const CONCURRENCY: u16 = 16;

/// Why the operator could not run.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// There is no way to an API server.
    #[error("finding the Kubernetes API server")]
    Config(#[source] kube::Error),
    /// Members could not be spoken to.
    #[error("preparing to speak to members")]
    Members(#[source] MemberError),
    /// The address is taken, or not ours.
    #[error("listening on {address}")]
    Listen {
        /// Where.
        address: std::net::SocketAddr,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// There may be another operator at work now.
    #[error("keeping the lease: another operator has it, or it could not be renewed in time")]
    Deposed,
}

/// Runs the operator until SIGTERM or Ctrl-C.
///
/// # Errors
/// When it cannot start, or another operator has taken over. What else happens later is logged and tried again.
pub async fn run(options: OperatorOptions) -> Result<(), OperatorError> {
    start_log(options.log_level, options.log_format);
    // an error means that the process has one already
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::try_default().await.map_err(OperatorError::Config)?;
    let members = MemberClient::new().map_err(OperatorError::Members)?;
    let shared = Shared::new(client.clone(), members, options.worker_image.clone(), options.certificate_overlap);
    let readiness = Readiness::default();
    let endpoints = endpoints::serve(options.listen_address, shared.metrics.clone(), readiness.clone()).await?;
    tracing::info!(
        listen = %options.listen_address,
        worker_image = options.worker_image,
        namespaces = if options.namespaces.is_empty() { "(all)".to_owned() } else { options.namespaces.join(",") },
        "operator started"
    );
    let ended = work(&options, client, &shared, &readiness).await;
    endpoints.abort();
    tracing::info!("operator stopped");
    ended
}

/// Works once this operator leads, as long as it does and nobody ends it.
async fn work(
    options: &OperatorOptions,
    client: Client,
    shared: &Shared,
    readiness: &Readiness,
) -> Result<(), OperatorError> {
    let election = (!options.lease.is_empty()).then(|| {
        let namespace = options.lease_namespace.clone().unwrap_or_else(|| client.default_namespace().to_owned());
        Election::new(client.clone(), &namespace, &options.lease, &identity(options))
    });
    let Some(election) = election else {
        control(options, client, shared, readiness, signalled()).await;
        return Ok(());
    };
    readiness.standing_by();
    tokio::select! {
        () = election.won() => {}
        () = signalled() => return Ok(()),
    }
    tokio::select! {
        () = election.lost() => Err(OperatorError::Deposed),
        () = control(options, client, shared, readiness, signalled()) => {
            election.give_up().await;
            Ok(())
        }
    }
}

/// Controls the clusters of all namespaces until `end`.
async fn control(
    options: &OperatorOptions,
    client: Client,
    shared: &Shared,
    readiness: &Readiness,
    end: impl Future<Output = ()> + Send + Sync + 'static,
) {
    let end = end.shared();
    let mut namespaces: Vec<Option<String>> = options.namespaces.iter().cloned().map(Some).collect();
    namespaces.sort();
    namespaces.dedup();
    if namespaces.is_empty() {
        namespaces.push(None);
    }
    let mut stores = Vec::new();
    let mut running = Vec::new();
    let mut triggers = Vec::new();
    for namespace in namespaces {
        let scope = Scope { client: client.clone(), namespace };
        let (caches, controller) = Caches::new(&scope);
        let (trigger, triggered) = mpsc::unbounded();
        triggers.push((scope.namespace.clone(), trigger));
        stores.push(controller.store());
        let (fill, filled) = watch::channel(false);
        let context = Arc::new(Context::new(shared, caches, filled));
        running.push(control_scope(context, controller, fill, triggered, stores.clone(), end.clone()));
    }
    readiness.working(stores);
    let (changed, news) = mpsc::unbounded();
    let pulse = shared.health.clone().run(shared.members.clone(), changed);
    let passing_on = news.for_each(|object: ObjectRef<Guarded>| {
        let concerned = |of: &Option<String>| of.is_none() || *of == object.namespace;
        for (_, trigger) in triggers.iter().filter(|(namespace, _)| concerned(namespace)) {
            // an error means that this namespace's controller has ended
            let _ = trigger.unbounded_send(object.clone());
        }
        std::future::ready(())
    });
    tokio::select! {
        _ = join_all(running) => {}
        ((), ()) = async { tokio::join!(pulse, passing_on) } => {}
    }
}

async fn control_scope(
    context: Arc<Context>,
    controller: Controller<Guarded>,
    fill: watch::Sender<bool>,
    triggered: mpsc::UnboundedReceiver<ObjectRef<Guarded>>,
    stores: Vec<Store<Guarded>>,
    end: impl Future<Output = ()> + Send + Sync + 'static,
) {
    let controller = controller.with_config(Config::default().concurrency(CONCURRENCY));
    // once, for all: many that wait for the same store keep each other waiting
    let filling = async {
        if context.caches.filled().await.is_ok() {
            fill.send_replace(true);
        }
    };
    let controlling = controller
        .reconcile_on(triggered)
        .graceful_shutdown_on(end)
        .run(reconcile, on_error, context.clone())
        .for_each(|result| {
            count_clusters(&context, &stores);
            if let Err(error) = result {
                log_failure(&error);
            }
            std::future::ready(())
        });
    tokio::join!(filling, controlling);
}

async fn signalled() {
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = terminated => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

/// No two operators that run at the same time may have the same: pods have names of their own, hosts may run several.
fn identity(options: &OperatorOptions) -> String {
    if let Some(pod) = &options.identity {
        return pod.clone();
    }
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").map(|name| name.trim().to_owned());
    let name = host.unwrap_or_else(|_| MANAGER.to_owned());
    let nanos = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    format!("{name}_{:08x}", (nanos as u32) ^ std::process::id())
}

fn count_clusters(context: &Context, stores: &[Store<Guarded>]) {
    let all: Vec<_> = stores.iter().flat_map(Store::state).collect();
    let is_ready = |guarded: &&Arc<Guarded>| {
        let status = guarded.0.as_ref().ok().and_then(|object| object.status.as_ref());
        let ready = status.and_then(|status| status.condition(ConditionType::Ready));
        ready.is_some_and(|ready| ready.status == ConditionStatus::True)
    };
    context.metrics.clusters(all.len(), all.iter().filter(is_ready).count());
}

fn log_failure(error: &kube::runtime::controller::Error<crate::reconcile::ReconcileError, watcher::Error>) {
    use kube::runtime::controller::Error;
    match error {
        // told by `on_error`
        Error::ReconcilerFailed(..) => {}
        // deleted between the trigger and its turn
        Error::ObjectNotFound(object) => tracing::debug!(%object, "object is gone"),
        error => tracing::warn!(error = crate::error_chain(error), "watching failed, trying again"),
    }
}

fn start_log(level: Level, format: Format) {
    let level = match level {
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
    };
    // the libraries' own words matter only when somebody asks for them
    let filter = tracing_subscriber::EnvFilter::new(format!("warn,operator={level}"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    // an error means that the process logs already
    let _ = match format {
        Format::Json => builder.json().flatten_event(true).try_init(),
        Format::Logfmt => builder.with_ansi(false).try_init(),
    };
}
