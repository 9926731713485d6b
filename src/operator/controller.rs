//! Running the operator: which objects are watched, and what a change of each sets off.

use std::sync::Arc;

use futures::StreamExt;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret, Service, ServiceAccount};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::core::PartialObjectMeta;
use kube::runtime::controller::{Config, Controller};
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::watcher;
use kube::{Api, Client, Resource, ResourceExt};

use crate::context::Context;
use crate::crd::{ConditionStatus, ConditionType};
use crate::endpoints;
use crate::members::{MemberClient, MemberError};
use crate::options::{Format, Level, OperatorOptions};
use crate::plan::{LABEL_CLUSTER, LABEL_MANAGED_BY, MANAGER};
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
}

/// Runs the operator until SIGTERM or Ctrl-C.
///
/// # Errors
/// When it cannot start. What happens later is logged and tried again.
pub async fn run(options: OperatorOptions) -> Result<(), OperatorError> {
    start_log(options.log_level, options.log_format);
    // an error means that the process has one already
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::try_default().await.map_err(OperatorError::Config)?;
    let members = MemberClient::new().map_err(OperatorError::Members)?;
    let context = Arc::new(Context::new(client.clone(), members, options.worker_image.clone()));

    let scope = Scope { client, namespace: options.namespace.clone() };
    let controller = Controller::new(scope.api::<Guarded>(), watcher::Config::default())
        .with_config(Config::default().concurrency(CONCURRENCY));
    let store = controller.store();
    let endpoints = endpoints::serve(options.listen_address, context.clone(), store.clone()).await?;
    tracing::info!(
        listen = %options.listen_address,
        worker_image = options.worker_image,
        namespace = options.namespace.as_deref().unwrap_or("(all)"),
        "operator started"
    );

    let (maps, secrets, pods) = (store.clone(), store.clone(), store.clone());
    let ours = || watcher::Config::default().labels(&format!("{LABEL_MANAGED_BY}={MANAGER}"));
    let all = watcher::Config::default;
    // metadata only: the operator keeps no copies of what is in others' Secrets
    controller
        .owns(scope.metadata::<StatefulSet>(), ours())
        .owns(scope.metadata::<Service>(), ours())
        .owns(scope.metadata::<Secret>(), ours())
        .owns(scope.metadata::<ServiceAccount>(), ours())
        .owns(scope.metadata::<PodDisruptionBudget>(), ours())
        .owns(scope.metadata::<NetworkPolicy>(), ours())
        .watches(scope.metadata::<Pod>(), all().labels(LABEL_CLUSTER), move |pod| cluster_of(&pods, &pod))
        .watches(scope.metadata::<ConfigMap>(), all(), move |map| {
            referring(&maps, &map, |object, name| object.spec.config.refers_to_config_map(name))
        })
        .watches(scope.metadata::<Secret>(), all(), move |secret| {
            referring(&secrets, &secret, |object, name| object.spec.config.refers_to_secret(name))
        })
        .shutdown_on_signal()
        .run(reconcile, on_error, context.clone())
        .for_each(|result| {
            count_clusters(&context, &store);
            if let Err(error) = result {
                log_failure(&error);
            }
            std::future::ready(())
        })
        .await;
    endpoints.abort();
    tracing::info!("operator stopped");
    Ok(())
}

struct Scope {
    client: Client,
    namespace: Option<String>,
}

impl Scope {
    fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        match &self.namespace {
            Some(namespace) => Api::namespaced(self.client.clone(), namespace),
            None => Api::all(self.client.clone()),
        }
    }

    /// Objects of one kind, of which only the metadata are read.
    fn metadata<K>(&self) -> Api<PartialObjectMeta<K>>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        self.api()
    }
}

fn cluster_of<K: Resource>(store: &Store<Guarded>, pod: &PartialObjectMeta<K>) -> Option<ObjectRef<Guarded>> {
    let cluster = ObjectRef::new(pod.labels().get(LABEL_CLUSTER)?).within(&pod.namespace()?);
    store.get(&cluster).map(|_| cluster)
}

/// The clusters in the namespace of `source` that refer to it.
fn referring<K: Resource>(
    store: &Store<Guarded>,
    source: &PartialObjectMeta<K>,
    refers: impl Fn(&crate::crd::AlertmanagerCluster, &str) -> bool,
) -> Vec<ObjectRef<Guarded>> {
    let (name, namespace) = (source.name_any(), source.namespace());
    let matching = |guarded: &Arc<Guarded>| {
        guarded.namespace() == namespace && guarded.0.as_ref().is_ok_and(|object| refers(object, &name))
    };
    store.state().iter().filter(|guarded| matching(guarded)).map(|guarded| ObjectRef::from_obj(&**guarded)).collect()
}

fn count_clusters(context: &Context, store: &Store<Guarded>) {
    let all = store.state();
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
