//! The first step: everything that decisions about one cluster need, read once.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use futures::future::join_all;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{
    ConfigMap, ContainerStatus, PersistentVolumeClaim, Pod, PodStatus, Secret, Service, ServiceAccount,
};
use k8s_openapi::api::networking::v1::{Ingress, NetworkPolicy};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::{Api, Client, ResourceExt};

use crate::apply::Seen;
use crate::caches::Caches;
use crate::crd::{AlertmanagerCluster, ConfigSource, ConfigSpec, TemplateSource};
use crate::kube::DATA_VOLUME;
use crate::members::{Endpoint, MemberClient};
use crate::plan::rollout::{MemberReport, MemberState};
use crate::plan::trouble::{self, ContainerStanding};
use crate::plan::{
    ANNOTATION_CERTIFICATES, ANNOTATION_CONFIG_HASH, ANNOTATION_MOUNTED_DIGEST, ANNOTATION_SOURCES, CONFIG_FILE,
    ClusterPlan, Mounted, Names, PORT_MANAGEMENT, WEB_PORT, WEB_TOKEN_FILE, config_map_dir, secret_dir,
};
use crate::validate::{self, Files, Given, Mounts, Refused, ValidConfig};

/// The StatefulSet controller puts it on each pod.
const LABEL_REVISION: &str = "controller-revision-hash";

/// What was seen.
#[derive(Debug)]
pub struct Observed {
    /// What the source of the configuration gives.
    pub given: Result<Given, Refused>,
    /// The objects as they are.
    pub live: Live,
    /// What the Secret with users of the API holds, if one is asked for and there.
    pub users: Option<BTreeMap<String, Vec<u8>>>,
    /// What is wrong with the Secret with certificates for gossip that somebody else makes.
    pub certificates_lack: Option<String>,
    /// The pods of the cluster with what their members say, in the order of their ordinals.
    pub pods: Vec<ObservedPod>,
}

/// The objects of the cluster as they are; `None` where there is none.
#[derive(Debug, Default)]
pub struct Live {
    /// See [`crate::kube::Objects`].
    pub service_account: Option<ServiceAccount>,
    /// See [`crate::kube::Objects`].
    pub peers_service: Option<Service>,
    /// See [`crate::kube::Objects`].
    pub client_service: Option<Service>,
    /// See [`crate::kube::Objects`].
    pub config_secret: Option<Secret>,
    /// See [`crate::kube::Objects`].
    pub stateful_set: Option<StatefulSet>,
    /// See [`crate::kube::Objects`].
    pub disruption_budget: Option<PodDisruptionBudget>,
    /// See [`crate::kube::Objects`].
    pub network_policy: Option<NetworkPolicy>,
    /// See [`crate::kube::Objects`]. Also those that are not wanted any more.
    pub member_services: Vec<Service>,
    /// See [`crate::kube::Objects`].
    pub ingress: Option<Ingress>,
    /// See [`crate::kube::Objects`].
    pub autoscaler: Option<HorizontalPodAutoscaler>,
    /// The members' volumes.
    pub claims: Vec<PersistentVolumeClaim>,
    /// See [`crate::kube::Objects`].
    pub web_secret: Option<Secret>,
    /// Of [`crate::kube::Objects::gossip_secrets`], the authority's.
    pub authority_secret: Option<Secret>,
    /// Of [`crate::kube::Objects::gossip_secrets`], the members'.
    pub gossip_secret: Option<Secret>,
    /// Whether there is any Secret with one of the names of ours which isn't marked as ours.
    pub strange_secret: bool,
}

/// One pod.
#[derive(Clone, Debug)]
pub struct ObservedPod {
    /// Its place in the order of members.
    pub ordinal: u32,
    /// Where it is asked and told to reload, while it runs.
    pub endpoint: Option<Endpoint>,
    /// Where its API is, while it runs.
    pub api: Option<Endpoint>,
    /// Whether it is being deleted.
    pub terminating: bool,
    /// Which pod of this name it is.
    pub uid: Option<String>,
    /// The revision of the template that it was made from.
    pub revision: Option<String>,
    /// The mark of the certificates that its kubelet was told of.
    pub certificates: Option<String>,
    /// Whether it has a volume of its own.
    pub has_claim: bool,
    /// What decisions are made of.
    pub state: MemberState,
}

/// Why the cluster could not be seen.
#[derive(Debug, thiserror::Error)]
#[error("reading {what}")]
pub struct ObserveError {
    /// What was being read.
    pub what: String,
    /// What the API server answered.
    #[source]
    pub source: kube::Error,
}

/// Reads everything about `object`, which is to be as `plan` says.
///
/// # Errors
/// When the API server does not answer. What is not there is no error, and neither is a silent member.
pub async fn observe(
    client: &Client,
    caches: &Caches,
    members: &MemberClient,
    object: &AlertmanagerCluster,
    plan: &ClusterPlan,
) -> Result<Observed, ObserveError> {
    let (namespace, names) = (plan.namespace.as_str(), &plan.names);
    let live = live(caches, namespace, names);
    let (given, pods, lack, users) = tokio::join!(
        given(client, caches, namespace, object, &live),
        pods(caches, members, plan),
        certificates_lack(client, namespace, object, names),
        users(client, namespace, object)
    );
    Ok(Observed { given: given?, live, users: users?, certificates_lack: lack?, pods })
}

async fn users(
    client: &Client,
    namespace: &str,
    object: &AlertmanagerCluster,
) -> Result<Option<BTreeMap<String, Vec<u8>>>, ObserveError> {
    let Some(name) = &object.spec.web.basic_auth_secret_name else { return Ok(None) };
    let secret = read::<Secret>(client, namespace, name).await?;
    let data = secret.map(|secret| secret.data.unwrap_or_default());
    Ok(data.map(|data| data.into_iter().map(|(user, hash)| (user, hash.0)).collect()))
}

async fn certificates_lack(
    client: &Client,
    namespace: &str,
    object: &AlertmanagerCluster,
    names: &Names,
) -> Result<Option<String>, ObserveError> {
    let tls = &object.spec.cluster.tls;
    let name = match (&tls.secret_name, &tls.issuer_ref) {
        (Some(name), _) => name.clone(),
        (None, Some(_)) => names.gossip_secret(),
        (None, None) => return Ok(None),
    };
    let Some(secret) = read::<Secret>(client, namespace, &name).await?.filter(|_| tls.enabled) else {
        return Ok(tls.enabled.then(|| format!("Secret {name}: there is no such object")));
    };
    let has = |key: &str| secret.data.as_ref().is_some_and(|data| data.contains_key(key));
    Ok(["tls.crt", "tls.key", "ca.crt"]
        .into_iter()
        .find(|key| !has(key))
        .map(|key| format!("Secret {name}, key {key}: there is no such key")))
}

impl Live {
    /// One of the Secrets, with how sure it is that there is none.
    pub(crate) const fn seen_secret<'a>(&self, live: Option<&'a Secret>) -> Seen<'a, Secret> {
        if self.strange_secret { Seen::ours(live) } else { Seen::surely(live) }
    }

    /// The operator's own token for members whose API is protected.
    pub fn web_token(&self) -> Option<String> {
        let token = self.web_secret.as_ref()?.data.as_ref()?.get(WEB_TOKEN_FILE)?;
        String::from_utf8(token.0.clone()).ok().filter(|token| !token.is_empty())
    }

    /// The configuration that was last found valid and written: it is trusted only while it has the hash it was written
    /// with.
    pub fn last_good(&self) -> Option<ValidConfig> {
        let secret = self.config_secret.as_ref()?;
        let texts = secret.data.iter().flatten().map(|(name, content)| {
            let text = String::from_utf8(content.0.clone()).ok()?;
            Some((name.clone(), text))
        });
        let mut templates: Files = texts.collect::<Option<_>>()?;
        let text = templates.remove(CONFIG_FILE)?;
        let mounted = secret.annotations().get(ANNOTATION_MOUNTED_DIGEST).cloned();
        let hash = validate::hash(&text, &templates, mounted.as_deref())?;
        let written = secret.annotations().get(ANNOTATION_CONFIG_HASH) == Some(&hash);
        written.then_some(ValidConfig { text, templates, mounted, hash })
    }
}

async fn given(
    client: &Client,
    caches: &Caches,
    namespace: &str,
    object: &AlertmanagerCluster,
    live: &Live,
) -> Result<Result<Given, Refused>, ObserveError> {
    let source = match object.spec.config.source() {
        Ok(source) => source,
        Err(error) => return Ok(Err(error.into())),
    };
    let version = version(caches, namespace, &source, &object.spec.config).unwrap_or_default();
    let written = live.config_secret.as_ref().and_then(|secret| secret.annotations().get(ANNOTATION_SOURCES));
    if !version.is_empty()
        && written == Some(&version)
        && let Some(ValidConfig { text, templates, mounted, .. }) = live.last_good()
    {
        return Ok(Ok(Given { text, source, templates, mounted: Mounts::Unchanged(mounted), version }));
    }
    let bytes = match &source {
        ConfigSource::Inline { text } => Some(Some(text.clone().into_bytes())),
        ConfigSource::ConfigMap { name, key } => {
            let map = read::<ConfigMap>(client, namespace, name).await?;
            map.map(|map| {
                let text = map.data.unwrap_or_default().remove(key).map(String::into_bytes);
                text.or_else(|| map.binary_data.unwrap_or_default().remove(key).map(|bytes| bytes.0))
            })
        }
        ConfigSource::Secret { name, key } => {
            let secret = read::<Secret>(client, namespace, name).await?;
            secret.map(|secret| secret.data.unwrap_or_default().remove(key).map(|bytes| bytes.0))
        }
    };
    Ok(match bytes {
        None => Err(Refused::NotFound(source)),
        Some(None) => Err(Refused::KeyNotFound(source)),
        Some(Some(bytes)) => match String::from_utf8(bytes) {
            Ok(text) => {
                let templates = templates(client, namespace, &object.spec.config.templates).await?;
                let mounted = Mounts::Read(mounted(client, namespace, &object.spec.config).await?);
                templates.map(|templates| Given { text, source, templates, mounted, version })
            }
            Err(_) => Err(Refused::NotText(source)),
        },
    })
}

/// Which objects a configuration comes from, in the versions that were seen last. Taken before they are read: what is
/// read may be newer, and is read once more then.
fn version(caches: &Caches, namespace: &str, source: &ConfigSource, config: &ConfigSpec) -> Option<String> {
    let map = |name: &str| Some(format!("configmap/{name}@{}", caches.config_map_version(namespace, name)?));
    let secret = |name: &str| Some(format!("secret/{name}@{}", caches.secret_version(namespace, name)?));
    let first = match source {
        ConfigSource::Inline { .. } => return None,
        ConfigSource::ConfigMap { name, key } => format!("{}/{key}", map(name)?),
        ConfigSource::Secret { name, key } => format!("{}/{key}", secret(name)?),
    };
    let mounted = config.secrets.iter().map(|name| secret(name));
    let mounted = mounted.chain(config.config_maps.iter().map(|name| map(name)));
    let rest = config.templates.iter().map(|source| match (&source.config_map_ref, &source.secret_ref) {
        (Some(reference), None) => map(&reference.name),
        (None, Some(reference)) => secret(&reference.name),
        _ => None,
    });
    let all: Option<Vec<String>> = std::iter::once(Some(first)).chain(rest).chain(mounted).collect();
    Some(all?.join(" "))
}

/// What members find as files.
async fn mounted(client: &Client, namespace: &str, config: &ConfigSpec) -> Result<Mounted, ObserveError> {
    let mut all = Mounted::new();
    for name in &config.secrets {
        let secret = read::<Secret>(client, namespace, name).await?;
        let keys = secret.map(|secret| {
            let data = secret.data.unwrap_or_default();
            data.into_iter().map(|(key, bytes)| (key, bytes.0)).collect()
        });
        all.insert(secret_dir(name), keys);
    }
    for name in &config.config_maps {
        let map = read::<ConfigMap>(client, namespace, name).await?;
        let keys = map.map(|map| {
            let binary = map.binary_data.unwrap_or_default().into_iter().map(|(key, bytes)| (key, bytes.0));
            let texts = map.data.unwrap_or_default().into_iter().map(|(key, text)| (key, text.into_bytes()));
            texts.chain(binary).collect()
        });
        all.insert(config_map_dir(name), keys);
    }
    Ok(all)
}

/// The template files of all sources.
async fn templates(
    client: &Client,
    namespace: &str,
    sources: &[TemplateSource],
) -> Result<Result<Files, Refused>, ObserveError> {
    let mut files = Files::new();
    for source in sources {
        let found: Option<Vec<(String, Vec<u8>)>> = match (&source.config_map_ref, &source.secret_ref) {
            (Some(map), None) => read::<ConfigMap>(client, namespace, &map.name).await?.map(|map| {
                let texts = map.data.unwrap_or_default().into_iter().map(|(name, text)| (name, text.into_bytes()));
                let bytes = map.binary_data.unwrap_or_default().into_iter().map(|(name, bytes)| (name, bytes.0));
                texts.chain(bytes).collect()
            }),
            (None, Some(secret)) => read::<Secret>(client, namespace, &secret.name).await?.map(|secret| {
                secret.data.unwrap_or_default().into_iter().map(|(name, bytes)| (name, bytes.0)).collect()
            }),
            _ => None,
        };
        let refused = |why| Ok(Err(Refused::Templates(source.to_string(), why)));
        let Some(found) = found else { return refused("there is no such object") };
        for (name, bytes) in found {
            if name == CONFIG_FILE || files.contains_key(&name) {
                return Ok(Err(Refused::Templates(
                    format!("{source}, key {name}"),
                    "there is a file of that name already",
                )));
            }
            match String::from_utf8(bytes) {
                Ok(text) => drop(files.insert(name, text)),
                Err(_) => {
                    return Ok(Err(Refused::Templates(format!("{source}, key {name}"), "the value is not UTF-8 text")));
                }
            }
        }
    }
    Ok(Ok(files))
}

fn live(caches: &Caches, namespace: &str, names: &Names) -> Live {
    let (base, peers, config) = (names.base(), names.peers_service(), names.config_secret());
    let secrets = [&config, &names.web_secret(), &names.authority_secret(), &names.gossip_secret()];
    let strange_secret = secrets
        .into_iter()
        .any(|name| caches.secret_version(namespace, name).is_some() && caches.secrets.one(namespace, name).is_none());
    let of_members = |service: &Service| names.ordinal(&service.name_any()).is_some();
    Live {
        service_account: caches.service_accounts.one(namespace, &base),
        peers_service: caches.services.one(namespace, &peers),
        client_service: caches.services.one(namespace, &base),
        config_secret: caches.secrets.one(namespace, &config),
        stateful_set: caches.stateful_sets.one(namespace, &base),
        disruption_budget: caches.budgets.one(namespace, &base),
        network_policy: caches.policies.one(namespace, &base),
        member_services: {
            let mut services = caches.services.of_cluster(namespace, &names.object);
            services.retain(of_members);
            services
        },
        ingress: caches.ingresses.one(namespace, &base),
        autoscaler: caches.autoscalers.one(namespace, &base),
        claims: caches.claims.of_cluster(namespace, &names.object),
        web_secret: caches.secrets.one(namespace, &names.web_secret()),
        authority_secret: caches.secrets.one(namespace, &names.authority_secret()),
        gossip_secret: caches.secrets.one(namespace, &names.gossip_secret()),
        strange_secret,
    }
}

async fn pods(caches: &Caches, members: &MemberClient, plan: &ClusterPlan) -> Vec<ObservedPod> {
    let pods = caches.pods.of_cluster(&plan.namespace, &plan.names.object);
    let mut seen: Vec<_> = pods.iter().filter_map(|pod| observed_pod(pod, plan)).collect();
    seen.sort_by_key(|pod| pod.ordinal);
    let reports = join_all(seen.iter().map(|pod| report(members, pod))).await;
    for (pod, report) in seen.iter_mut().zip(reports) {
        pod.state.report = report;
    }
    seen
}

async fn report(members: &MemberClient, pod: &ObservedPod) -> Option<MemberReport> {
    match members.report(pod.endpoint.as_ref()?).await {
        Ok(mut report) => {
            report.peers.sort();
            Some(report)
        }
        Err(error) => {
            tracing::debug!(member = pod.state.name, error = crate::error_chain(&error), "member does not answer");
            None
        }
    }
}

fn observed_pod(pod: &Pod, plan: &ClusterPlan) -> Option<ObservedPod> {
    let name = pod.name_any();
    let status = pod.status.clone().unwrap_or_default();
    let terminating = pod.metadata.deletion_timestamp.is_some();
    let running = status.phase.as_deref() == Some("Running");
    let ready = status.conditions.iter().flatten().any(|c| c.type_ == "Ready" && c.status == "True");
    let volumes = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
    let has_claim = volumes.into_iter().any(|v| v.name == DATA_VOLUME && v.persistent_volume_claim.is_some());
    let ip = status.pod_ip.as_deref().and_then(|ip| ip.parse().ok()).filter(|_| running && !terminating);
    let at =
        |port, prefix: &str| ip.map(|ip| Endpoint { address: SocketAddr::new(ip, port), prefix: prefix.to_owned() });
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    let mut ports = containers.flat_map(|container| container.ports.iter().flatten());
    // pods of an older operator have none
    let management = ports.find(|port| port.name.as_deref() == Some(PORT_MANAGEMENT));
    let management = management.and_then(|port| u16::try_from(port.container_port).ok());
    let api = at(WEB_PORT, &plan.prefix);
    Some(ObservedPod {
        ordinal: plan.names.ordinal(&name)?,
        endpoint: management.map_or_else(|| api.clone(), |port| at(port, "")),
        api,
        terminating,
        uid: pod.uid(),
        revision: pod.labels().get(LABEL_REVISION).cloned(),
        has_claim,
        certificates: pod.annotations().get(ANNOTATION_CERTIFICATES).cloned(),
        state: MemberState {
            in_service: ready && !terminating,
            told: pod.annotations().get(ANNOTATION_CONFIG_HASH).filter(|_| !terminating).cloned(),
            report: None,
            trouble: trouble(&status),
            name,
        },
    })
}

/// What keeps its containers from running.
fn trouble(status: &PodStatus) -> Option<String> {
    let unschedulable =
        status.conditions.iter().flatten().find(|condition| {
            condition.type_ == "PodScheduled" && condition.reason.as_deref() == Some("Unschedulable")
        });
    if let Some(condition) = unschedulable {
        return Some(format!("no node takes it: {}", condition.message.as_deref().unwrap_or_default()));
    }
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let standing = |status: &ContainerStatus| {
        let state = status.state.as_ref();
        let waiting = state.and_then(|state| state.waiting.as_ref());
        let before = status.last_state.as_ref().filter(|_| waiting.is_some());
        let ended = [state, before].into_iter().flatten().find_map(|state| state.terminated.as_ref());
        ContainerStanding {
            name: status.name.clone(),
            image: status.image.clone(),
            waits: waiting.map(|waiting| (text(&waiting.reason), text(&waiting.message))),
            ended: ended.filter(|end| end.exit_code != 0).map(|end| (text(&end.reason), text(&end.message))),
        }
    };
    let all = [&status.init_container_statuses, &status.container_statuses];
    let all: Vec<_> = all.into_iter().flat_map(|statuses| statuses.iter().flatten()).map(standing).collect();
    trouble::first(&all)
}

async fn read<K>(client: &Client, namespace: &str, name: &str) -> Result<Option<K>, ObserveError>
where
    K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>,
    K: Clone + std::fmt::Debug + serde::de::DeserializeOwned,
{
    let answer = Api::<K>::namespaced(client.clone(), namespace).get_opt(name).await;
    answer.map_err(|source| ObserveError { what: format!("{} {namespace}/{name}", K::kind(&())), source })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_somebody_changed_is_not_the_last_good() {
        let text = "route: {receiver: none}\nreceivers: [{name: none}]\n";
        let live = |content: &str| {
            let secret = serde_json::json!({
                "metadata": {"annotations": {ANNOTATION_CONFIG_HASH: validate::hash(text, &Files::new(), None)}},
                "data": {CONFIG_FILE: k8s_openapi::ByteString(content.as_bytes().to_vec())},
            });
            Live { config_secret: Some(serde_json::from_value(secret).unwrap()), ..Live::default() }
        };
        assert_eq!(live(text).last_good().unwrap().text, text);
        assert_eq!(live("route: {receiver: other}\n").last_good(), None);
        assert_eq!(Live::default().last_good(), None);
    }

    #[test]
    fn a_pod_is_reached_only_while_it_runs_and_stays() {
        let pod = |json: serde_json::Value| {
            let pod: Pod = serde_json::from_value(json).unwrap();
            let spec = serde_json::from_str(r#"{"config": {}}"#).unwrap();
            observed_pod(&pod, &ClusterPlan::new("ops", "pager", &spec, None))
        };
        let told = serde_json::json!({ANNOTATION_CONFIG_HASH: "ab"});
        let running = serde_json::json!({
            "phase": "Running", "podIP": "10.0.0.1", "conditions": [{"type": "Ready", "status": "True"}]
        });
        let seen = pod(serde_json::json!({
            "metadata": {"name": "alertmanager-pager-7", "annotations": told}, "status": running
        }));
        let seen = seen.unwrap();
        assert_eq!((seen.ordinal, seen.endpoint.is_some(), seen.state.in_service), (7, true, true));
        assert_eq!(seen.state.told.as_deref(), Some("ab"));

        let going = pod(serde_json::json!({
            "metadata": {
                "name": "alertmanager-pager-7", "annotations": told, "deletionTimestamp": "2026-01-01T00:00:00Z"
            },
            "status": running
        }));
        let going = going.unwrap();
        assert_eq!((going.endpoint, going.state.in_service, going.state.told), (None, false, None));
        assert!(pod(serde_json::json!({"metadata": {"name": "stranger"}})).is_none());

        let container = |name: &str, state: serde_json::Value, last: serde_json::Value| serde_json::json!({"name": name, "image": "am:2", "imageID": "", "ready": false, "restartCount": 1, "state": state, "lastState": last});
        let failed =
            serde_json::json!({"terminated": {"exitCode": 1, "reason": "Error", "message": "error: no bucket\n"}});
        let waits = serde_json::json!({"waiting": {"reason": "CrashLoopBackOff"}});
        let stuck = pod(serde_json::json!({
            "metadata": {"name": "alertmanager-pager-7"},
            "status": {
                "phase": "Pending",
                "initContainerStatuses": [container("restore", waits, failed.clone())],
                "containerStatuses": [container("alertmanager", serde_json::json!({"waiting": {"reason": "PodInitializing"}}), serde_json::json!({}))],
            }
        }));
        assert_eq!(stuck.unwrap().state.trouble.as_deref(), Some("restore ended: error: no bucket"));
        let again = pod(serde_json::json!({
            "metadata": {"name": "alertmanager-pager-7"},
            "status": {
                "phase": "Running",
                "containerStatuses": [container("alertmanager", serde_json::json!({"running": {}}), failed)],
            }
        }));
        assert_eq!(again.unwrap().state.trouble, None, "it is over");
    }
}
