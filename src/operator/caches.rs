//! What the operator remembers of the API server: copies of the objects that are its own, kept by watching. A look at a
//! cluster costs no request for them.

mod copies;

use std::fmt::Debug;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures::{Stream, StreamExt, TryStreamExt};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{
    ConfigMap, Container, ContainerStatus, PersistentVolumeClaim, Pod, PodSpec, Secret, Service, ServiceAccount,
};
use k8s_openapi::api::networking::v1::{Ingress, NetworkPolicy};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::core::{ObjectMeta, PartialObjectMeta};
use kube::runtime::reflector::store::WriterDropped;
use kube::runtime::reflector::{self, ObjectRef, Store};
use kube::runtime::utils::Backoff;
use kube::runtime::{Controller, WatchStreamExt, watcher};
use kube::{Api, Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;

pub(crate) use self::copies::Copies;
use self::copies::Index;
use crate::plan::{LABEL_BACKUP_OF, LABEL_CLUSTER, LABEL_MANAGED_BY, MANAGER};
use crate::reconcile::Guarded;

/// How long one watch lasts. Also bounds how long it goes unnoticed that nothing comes because the other end is gone.
const WATCH_SECONDS: u32 = 60;

/// Copies of all that operators look at, of one namespace or of all.
#[derive(Clone, Debug)]
pub struct Caches {
    pub(crate) service_accounts: Copies<ServiceAccount>,
    pub(crate) services: Copies<Service>,
    pub(crate) secrets: Copies<Secret>,
    pub(crate) stateful_sets: Copies<StatefulSet>,
    pub(crate) budgets: Copies<PodDisruptionBudget>,
    pub(crate) policies: Copies<NetworkPolicy>,
    pub(crate) ingresses: Copies<Ingress>,
    pub(crate) autoscalers: Copies<HorizontalPodAutoscaler>,
    pub(crate) pods: Copies<Pod>,
    pub(crate) claims: Copies<PersistentVolumeClaim>,
    /// Those that take backups.
    pub(crate) jobs: Copies<Job>,
    /// Names and versions of all, without what is in them.
    config_maps: Copies<PartialObjectMeta<ConfigMap>>,
    /// The same.
    all_secrets: Copies<PartialObjectMeta<Secret>>,
}

/// Where the operator looks.
#[derive(Clone)]
pub(crate) struct Scope {
    pub(crate) client: Client,
    /// `None` for everywhere.
    pub(crate) namespace: Option<String>,
}

impl Scope {
    /// Objects of one kind.
    pub(crate) fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        match &self.namespace {
            Some(namespace) => Api::namespaced(self.client.clone(), namespace),
            None => Api::all(self.client.clone()),
        }
    }
}

impl Caches {
    /// Has a controller fill them, and look at a cluster whenever something of it changes.
    pub(crate) fn new(scope: &Scope) -> (Self, Controller<Guarded>) {
        let (clusters, stream) = watched(scope.api::<Guarded>(), watcher::Config::default(), |_| {});
        let clusters = clusters.store;
        let controller = Controller::for_stream(stream, clusters);
        let (service_accounts, controller) = all(scope, controller);
        let (services, controller) = all(scope, controller);
        let (secrets, controller) = owned(scope, controller);
        let (stateful_sets, controller) = all(scope, controller);
        let (budgets, controller) = all(scope, controller);
        let (policies, controller) = owned(scope, controller);
        let (ingresses, controller) = owned(scope, controller);
        let (autoscalers, controller) = owned(scope, controller);
        let (pods, stream) = watched(scope.api(), labelled(LABEL_CLUSTER), slim);
        let clusters = controller.store();
        let controller = controller.watches_stream(stream, move |pod| cluster_of(&clusters, &pod));
        let (claims, stream) = watched(scope.api(), labelled(LABEL_CLUSTER), |_| {});
        let clusters = controller.store();
        let controller = controller.watches_stream(stream, move |claim| cluster_of(&clusters, &claim));
        let (jobs, stream) = watched(scope.api(), labelled(LABEL_BACKUP_OF), |job: &mut Job| job.spec = None);
        let clusters = controller.store();
        let controller = controller.watches_stream(stream, move |job| cluster_of(&clusters, &job));
        let (config_maps, stream) = listed(scope);
        let clusters = controller.store();
        let controller = controller.watches_stream(stream, move |map: PartialObjectMeta<ConfigMap>| {
            referring(&clusters, &map, |object, name| object.spec.config.refers_to_config_map(name))
        });
        let (all_secrets, stream) = listed(scope);
        let clusters = controller.store();
        let controller = controller.watches_stream(stream, move |secret: PartialObjectMeta<Secret>| {
            referring(&clusters, &secret, |object, name| object.spec.refers_to_secret(name))
        });
        let caches = Self {
            service_accounts,
            services,
            secrets,
            stateful_sets,
            budgets,
            policies,
            ingresses,
            autoscalers,
            pods,
            claims,
            jobs,
            config_maps,
            all_secrets,
        };
        (caches, controller)
    }

    /// Waits until each has been filled once.
    ///
    /// # Errors
    /// When the operator is ending.
    pub(crate) async fn filled(&self) -> Result<(), WriterDropped> {
        tokio::try_join!(
            self.service_accounts.read(),
            self.services.read(),
            self.secrets.read(),
            self.stateful_sets.read(),
            self.budgets.read(),
            self.policies.read(),
            self.ingresses.read(),
            self.autoscalers.read(),
            self.pods.read(),
            self.claims.read(),
            self.jobs.read(),
            self.config_maps.read(),
            self.all_secrets.read(),
        )?;
        Ok(())
    }
}

impl Caches {
    /// The version in which a ConfigMap was seen last.
    pub(crate) fn config_map_version(&self, namespace: &str, name: &str) -> Option<String> {
        self.config_maps.one(namespace, name)?.resource_version()
    }

    /// The version in which a Secret was seen last.
    pub(crate) fn secret_version(&self, namespace: &str, name: &str) -> Option<String> {
        self.all_secrets.one(namespace, name)?.resource_version()
    }
}

fn owned<K>(scope: &Scope, controller: Controller<Guarded>) -> (Copies<K>, Controller<Guarded>)
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
        + Clone
        + Debug
        + DeserializeOwned
        + Send
        + Sync
        + 'static,
{
    let (store, stream) = watched(scope.api(), labelled(&format!("{LABEL_MANAGED_BY}={MANAGER}")), |_| {});
    (store, controller.owns_stream(stream))
}

/// All objects of a kind: of others' only that they are there. A name that is not among them is free, and need not be
/// asked for before an object of that name is made.
fn all<K>(scope: &Scope, controller: Controller<Guarded>) -> (Copies<K>, Controller<Guarded>)
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
        + Default
        + Clone
        + Debug
        + DeserializeOwned
        + Send
        + Sync
        + 'static,
{
    let slim = |object: &mut K| {
        if object.labels().get(LABEL_MANAGED_BY).is_none_or(|manager| manager != MANAGER) {
            let metadata = std::mem::take(object.meta_mut());
            *object = K::default();
            *object.meta_mut() = ObjectMeta { annotations: None, ..metadata };
        }
    };
    let (store, stream) = watched(scope.api(), watcher::Config::default(), slim);
    (store, controller.owns_stream(stream))
}

/// All objects of a kind, by name and version only: the operator keeps no copies of what is in others' objects.
fn listed<K>(
    scope: &Scope,
) -> (Copies<PartialObjectMeta<K>>, impl Stream<Item = Result<PartialObjectMeta<K>, watcher::Error>> + Send + 'static)
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + Debug + Send + Sync + 'static,
{
    watched(scope.api(), watcher::Config::default(), |object: &mut PartialObjectMeta<K>| {
        let all = std::mem::take(&mut object.metadata);
        object.metadata = ObjectMeta {
            name: all.name,
            namespace: all.namespace,
            resource_version: all.resource_version,
            ..ObjectMeta::default()
        };
    })
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

/// A watch that goes on whatever happens. Its errors end here: a controller would have all its watches pause for each
/// of them, longer every time, and an API server that was away gives many at once.
fn watched<K>(
    api: Api<K>,
    config: watcher::Config,
    slim: impl Fn(&mut K) + Send + 'static,
) -> (Copies<K>, impl Stream<Item = Result<K, watcher::Error>> + Send + 'static)
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    let (store, writer) = reflector::store();
    let stream = watcher(api, config.timeout(WATCH_SECONDS)).backoff(Steady);
    let kept = stream.modify(move |object| {
        object.managed_fields_mut().clear();
        slim(object);
    });
    let index = Index::default();
    let copies = Copies::new(store, index.clone());
    let told = kept.inspect_ok(move |event| index.apply(event));
    let touched = told.reflect(writer).touched_objects();
    let good = touched.filter_map(|touched| {
        let kind = K::kind(&());
        let told = touched.inspect_err(|error| match error {
            // after a while the API server has forgotten what came in between, and all is read anew
            watcher::Error::WatchError(status) if status.code == 410 => {}
            error => tracing::warn!(%kind, error = crate::error_chain(error), "watching failed, trying again"),
        });
        std::future::ready(told.ok().map(Ok))
    });
    (copies, good.boxed())
}

fn labelled(selector: &str) -> watcher::Config {
    watcher::Config::default().labels(selector)
}

/// Between two attempts to watch: the same time again and again, and not the same for all.
struct Steady;

impl Iterator for Steady {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.subsec_nanos());
        Some(Duration::from_millis(1000 + u64::from(now % 1000)))
    }
}

impl Backoff for Steady {
    fn reset(&mut self) {}
}

/// What nobody looks at is most of a pod.
fn slim(pod: &mut Pod) {
    let PodSpec { volumes, containers, .. } = pod.spec.take().unwrap_or_default();
    let ports = |container: Container| Container { ports: container.ports, ..Container::default() };
    let containers = containers.into_iter().map(ports).collect();
    pod.spec = Some(PodSpec { volumes, containers, ..PodSpec::default() });
    if let Some(status) = &mut pod.status {
        // of containers only what may keep them from running
        for status in
            [&mut status.init_container_statuses, &mut status.container_statuses].into_iter().flatten().flatten()
        {
            let ContainerStatus { name, image, state, last_state, .. } = std::mem::take(status);
            *status = ContainerStatus { name, image, state, last_state, ..ContainerStatus::default() };
        }
    }
}

fn cluster_of<K: Resource<DynamicType = ()>>(clusters: &Store<Guarded>, object: &K) -> Option<ObjectRef<Guarded>> {
    let cluster = ObjectRef::new(object.labels().get(LABEL_CLUSTER)?).within(&object.namespace()?);
    clusters.get(&cluster).map(|_| cluster)
}
