//! A cluster in Kubernetes by its name: the object, its pods, and their ports, reached through the API server wherever one
//! is, as who the kubeconfig says.

mod forward;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::api::ListParams;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config, ResourceExt};
use operator::crd::AlertmanagerCluster;
use operator::plan::{ClusterPlan, MANAGEMENT_PORT, Names, WEB_PORT, WEB_TOKEN_FILE, selector_text};
use tokio::sync::Mutex;

/// Why the cluster can't be looked at.
#[derive(Debug, thiserror::Error)]
pub enum KubernetesError {
    /// It has no such form.
    #[error("`{0}` names no cluster: NAMESPACE/NAME of an AlertmanagerCluster is expected")]
    Name(String),
    /// There is no way to an API server.
    #[error("finding the Kubernetes API server")]
    Config(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The API server doesn't say, or doesn't do.
    #[error("{doing}")]
    Api {
        /// What was asked of it.
        doing: String,
        /// Why not.
        #[source]
        source: Box<kube::Error>,
    },
    /// There is no such object.
    #[error("there is no AlertmanagerCluster {0}")]
    Absent(String),
    /// It has no members.
    #[error("{0} has no pods: it hibernates, or the operator has not made them")]
    NoPods(String),
    /// Its API is protected, and there is nothing to get past that.
    #[error("Secret {0} has no token of the operator's, which the members of a protected cluster let through")]
    NoToken(String),
    /// Connections can't be passed on.
    #[error("listening on loopback, to pass connections on")]
    Listen(#[source] std::io::Error),
}

/// A cluster, and the way there.
pub(crate) struct Cluster {
    client: Client,
    namespace: String,
    name: String,
    /// Where connections to a port of a pod are passed on, as long as this program runs.
    forwards: Mutex<BTreeMap<(String, u16), SocketAddr>>,
}

impl Cluster {
    /// By `NAMESPACE/NAME`, with the kubeconfig that `kubectl` would use, or another.
    pub(crate) async fn new(name: &str, kubeconfig: Option<&Path>) -> Result<Self, KubernetesError> {
        let (namespace, object) = name.split_once('/').ok_or_else(|| KubernetesError::Name(name.to_owned()))?;
        // whoever came first in this process has decided already
        let _ = rustls::crypto::ring::default_provider().install_default();
        let failed = |error: Box<dyn std::error::Error + Send + Sync>| KubernetesError::Config(error);
        let config = match kubeconfig {
            Some(path) => {
                let given = Kubeconfig::read_from(path).map_err(|error| failed(error.into()))?;
                let options = KubeConfigOptions::default();
                Config::from_custom_kubeconfig(given, &options).await.map_err(|error| failed(error.into()))?
            }
            None => Config::infer().await.map_err(|error| failed(error.into()))?,
        };
        let client = Client::try_from(config).map_err(|error| failed(error.into()))?;
        let (namespace, name) = (namespace.to_owned(), object.to_owned());
        Ok(Self { client, namespace, name, forwards: Mutex::default() })
    }

    /// `NAMESPACE/NAME`.
    pub(crate) fn full_name(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    /// What its things are called.
    pub(crate) fn names(&self) -> Names {
        Names::new(&self.name)
    }

    /// Objects of a kind in its namespace.
    pub(crate) fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// The object.
    pub(crate) async fn object(&self) -> Result<AlertmanagerCluster, KubernetesError> {
        let found = self.api().get_opt(&self.name).await;
        let found = found.map_err(failed(format!("reading AlertmanagerCluster {}", self.full_name())))?;
        found.ok_or_else(|| KubernetesError::Absent(self.full_name()))
    }

    /// Its members' pods, by name.
    pub(crate) async fn pods(&self) -> Result<Vec<Pod>, KubernetesError> {
        let listed = self.api::<Pod>().list(&ListParams::default().labels(&selector_text(&self.name))).await;
        let mut pods = listed.map_err(failed(format!("listing the pods of {}", self.full_name())))?.items;
        pods.sort_by_key(|pod| pod.name_any());
        if pods.is_empty() { Err(KubernetesError::NoPods(self.full_name())) } else { Ok(pods) }
    }

    /// URLs of its members' APIs by the names of their pods. A protected cluster is reached where the operator reaches it:
    /// at the management port, whose [`token`](Self::token) is for who may read its Secret.
    pub(crate) async fn urls(&self) -> Result<Vec<(String, String)>, KubernetesError> {
        let (object, pods) = (self.object().await?, self.pods().await?);
        let (port, prefix) = match object.spec.web.is_protected() {
            true => (MANAGEMENT_PORT, String::new()),
            false => (WEB_PORT, ClusterPlan::new(&self.namespace, &self.name, &object.spec, None).prefix),
        };
        let mut urls = Vec::new();
        for pod in pods {
            let name = pod.name_any();
            let address = self.forward(&name, port).await?;
            urls.push((name, format!("http://{address}{prefix}")));
        }
        Ok(urls)
    }

    /// What gets through to members of a protected cluster; `None` where there is no protection.
    pub(crate) async fn token(&self) -> Result<Option<String>, KubernetesError> {
        if !self.object().await?.spec.web.is_protected() {
            return Ok(None);
        }
        let name = self.names().web_secret();
        let secret = self.api::<Secret>().get(&name).await;
        let secret = secret.map_err(failed(format!("reading the token to get past passwords, in Secret {name}")))?;
        let token = secret.data.and_then(|mut data| data.remove(WEB_TOKEN_FILE));
        let token = token.and_then(|token| String::from_utf8(token.0).ok()).filter(|token| !token.is_empty());
        token.map(Some).ok_or(KubernetesError::NoToken(name))
    }

    /// An address on loopback; whoever connects there reaches that port of the pod, now or when there is one again.
    pub(crate) async fn forward(&self, pod: &str, port: u16) -> Result<SocketAddr, KubernetesError> {
        let mut forwards = self.forwards.lock().await;
        let key = (pod.to_owned(), port);
        if let Some(address) = forwards.get(&key) {
            return Ok(*address);
        }
        let address = forward::listen(self.api(), pod.to_owned(), port).await.map_err(KubernetesError::Listen)?;
        forwards.insert(key, address);
        Ok(address)
    }
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Cluster").field(&self.full_name()).finish()
    }
}

/// With what was asked of the API server.
pub(crate) fn failed(doing: impl Into<String>) -> impl FnOnce(kube::Error) -> KubernetesError {
    let doing = doing.into();
    move |source| KubernetesError::Api { doing, source: Box::new(source) }
}
