//! The cluster in Kubernetes, where it is and as it is. Nothing is touched but what has the mark: its object, and with it its
//! pods; and the receiver's Service. Whoever may do what is asked for here is who the kubeconfig says.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod, Service};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::ResourceExt;
use kube::api::{DeleteParams, ListParams, LogParams, Patch, PatchParams, Preconditions};
use operator::crd::{AlertmanagerCluster, ConditionStatus, ConditionType};
use operator::plan::{ANNOTATION_LOCAL, NAME_ALERTMANAGER, STORAGE_DIR};
use serde_json::{Value, json};

use super::acts::Act;
use super::errand::{DONE, Errand};
use super::place::{Place, Trouble};
use super::stage::{Member, Stage};
use super::{DrillError, is_marked};
use crate::chain::chain;
use crate::diagnose::client_of_cluster;
use crate::kubernetes::{Cluster, failed};
use crate::stopped::Stop;

/// Until an errand has begun, images are pulled and all.
const ERRAND_LIMIT: Duration = Duration::from_secs(120);
/// Until all is well again after a pod was made anew.
const ANEW_LIMIT: Duration = Duration::from_secs(180);
const LOOK: Duration = Duration::from_millis(200);
/// Fields of `spec.config` of which there is one: where the text is.
const SOURCES: [&str; 3] = ["configMapRef", "secretRef", "inline"];
/// What no configuration is.
const WRONG: &str = "rout:\n  receiver: drill\n";

/// The cluster, and what is to be put back.
pub(super) struct Namespace {
    cluster: Cluster,
    protected: bool,
    /// `spec.config`, as it was.
    config: Value,
    /// The pod that was killed.
    killed: Option<String>,
    /// Pods that somebody was sent into, by name and UID: they are made anew in the end.
    entered: Vec<(String, String)>,
}

impl Namespace {
    /// Finds the cluster, if it is marked, and its receiver.
    pub(super) async fn find(cluster: Cluster, stop: Stop) -> Result<(Self, Stage), DrillError> {
        let object = cluster.object().await?;
        if !is_marked(object.annotations()) {
            return Err(DrillError::NotAllowed(cluster.full_name()));
        }
        let sink = sink(&cluster).await?;
        let urls = cluster.urls().await?;
        if urls.len() < 2 {
            return Err(DrillError::Start(format!("{} has no two members that could stand in", cluster.full_name())));
        }
        let members = urls.into_iter().map(|(name, url)| Member { name, url }).collect();
        let client = client_of_cluster(cluster.token().await?.as_deref())?;
        let config = serde_json::to_value(&object.spec.config).unwrap_or_default();
        let protected = object.spec.web.is_protected();
        let stage = Stage::new(members, sink, client, stop)?;
        Ok((Self { cluster, protected, config, killed: None, entered: Vec::new() }, stage))
    }

    async fn pod(&self, of: &Member) -> Result<Pod, String> {
        self.cluster
            .api::<Pod>()
            .get(&of.name)
            .await
            .map_err(|error| format!("reading pod {}: {}", of.name, chain(&error)))
    }

    /// As a machine that is gone does it: without a word.
    async fn kill(&mut self, target: &Member) -> Result<(), Trouble> {
        let pod = self.pod(target).await.map_err(Trouble::Failed)?;
        let params = DeleteParams { grace_period_seconds: Some(0), ..of_uid(pod.uid()) };
        self.killed = pod.uid();
        let deleted = self.cluster.api::<Pod>().delete(&target.name, &params).await;
        deleted.map(drop).map_err(|error| refused(&format!("deleting pod {}", target.name), &error))
    }

    /// Makes `spec.config` what is given: it, or what `wrong` makes of it.
    async fn configure(&self, config: &Value) -> Result<(), kube::Error> {
        let name = self.cluster.names().object;
        let patch = Patch::Merge(json!({"spec": {"config": merged(config)}}));
        self.cluster.api::<AlertmanagerCluster>().patch(&name, &PatchParams::default(), &patch).await.map(drop)
    }

    /// Sends this program into a member's pod.
    async fn send(&mut self, errand: Errand, target: &Member) -> Result<(), Trouble> {
        let pod = self.pod(target).await.map_err(Trouble::Failed)?;
        let name = format!("drill-{:08x}", rand::random::<u32>());
        let container = container(&pod, &name, errand).map_err(Trouble::NotHere)?;
        let patch = json!({"spec": {"ephemeralContainers": [container]}});
        let pods = self.cluster.api::<Pod>();
        let patched =
            pods.patch_ephemeral_containers(&target.name, &PatchParams::default(), &Patch::Strategic(patch)).await;
        patched.map_err(|error| refused(&format!("sending this program into pod {}", target.name), &error))?;
        let entered = (target.name.clone(), pod.uid().unwrap_or_default());
        if !self.entered.contains(&entered) {
            self.entered.push(entered);
        }
        let (start, mut seen) = (Instant::now(), "it has not started".to_owned());
        while start.elapsed() < ERRAND_LIMIT {
            match self.progress(errand, target, &name).await? {
                None => return Ok(()),
                Some(instead) => seen = instead,
            }
            tokio::time::sleep(LOOK).await;
        }
        Err(Trouble::Failed(format!("container {name} of pod {}: {seen}", target.name)))
    }

    /// `None`: it's done. Else what is seen instead.
    async fn progress(&self, errand: Errand, target: &Member, name: &str) -> Result<Option<String>, Trouble> {
        let pod = self.pod(target).await.map_err(Trouble::Failed)?;
        let all = pod.status.as_ref().and_then(|status| status.ephemeral_container_statuses.as_ref());
        let own = all.into_iter().flatten().find(|status| status.name == name);
        let Some(state) = own.and_then(|status: &ContainerStatus| status.state.as_ref()) else {
            return Ok(Some("its kubelet has not seen it".to_owned()));
        };
        if let Some(ended) = &state.terminated {
            let words = ended.message.clone().unwrap_or_default();
            return match (ended.exit_code, words.trim().trim_start_matches("error: ")) {
                (0, _) => Ok(None),
                (_, words) if words.starts_with(DrillError::TOO_LARGE) => Err(Trouble::NotHere(words.to_owned())),
                (code, words) => Err(Trouble::Failed(format!("in pod {}: exit code {code}: {words}", target.name))),
            };
        }
        if state.running.is_some() && errand.lasts() {
            let params = LogParams { container: Some(name.to_owned()), ..LogParams::default() };
            let log = self.cluster.api::<Pod>().logs(&target.name, &params).await.unwrap_or_default();
            return Ok((!log.lines().any(|line| line == DONE)).then(|| "it has not said that it's done".to_owned()));
        }
        let waiting = state.waiting.as_ref();
        let words =
            waiting.map(|waiting| [&waiting.reason, &waiting.message].map(|part| part.clone().unwrap_or_default()));
        Ok(Some(words.map_or_else(|| "it runs".to_owned(), |words| words.join(": "))))
    }
}

#[async_trait]
impl Place for Namespace {
    fn allows(&self, act: Act) -> Result<(), Trouble> {
        let not = |why: &str| Err(Trouble::NotHere(why.to_owned()));
        match act {
            Act::Freeze => not("a process can't be stopped from where its pod can be reached"),
            Act::FullDisk if self.protected => not("silences of a cluster with passwords are for who has one"),
            _ => Ok(()),
        }
    }

    async fn break_it(&mut self, act: Act, target: &Member) -> Result<(), Trouble> {
        match act {
            Act::Kill => self.kill(target).await,
            Act::CutOff => self.send(Errand::Cut, target).await,
            Act::FullDisk => self.send(Errand::Fill, target).await,
            Act::BadConfig => {
                let done = self.configure(&wrong(&self.config)).await;
                done.map_err(|error| refused("editing spec.config", &error))
            }
            Act::Freeze | Act::SlowReceiver => Ok(()),
        }
    }

    async fn is_noticed(&self, act: Act, target: &Member) -> Result<(), String> {
        if act == Act::Kill {
            let now = self.pod(target).await?.uid();
            return if now != self.killed { Ok(()) } else { Err("the pod is as it was".to_owned()) };
        }
        let object = self.cluster.object().await.map_err(|error| chain(&error))?;
        let generation = object.metadata.generation;
        let told = object.status.iter().flat_map(|status| &status.conditions).any(|condition| {
            let of_config = condition.type_ == ConditionType::ConfigValid.as_str();
            of_config && condition.status == ConditionStatus::False && condition.observed_generation == generation
        });
        if told { Ok(()) } else { Err("its condition ConfigValid is not False".to_owned()) }
    }

    async fn mend(&mut self, act: Act, target: &Member) -> Result<(), String> {
        let done = match act {
            Act::CutOff => self.send(Errand::Heal, target).await,
            Act::FullDisk => self.send(Errand::Free, target).await,
            Act::BadConfig => {
                let done = self.configure(&self.config).await;
                done.map_err(|error| refused("putting spec.config back", &error))
            }
            Act::Kill | Act::Freeze | Act::SlowReceiver => Ok(()),
        };
        done.map_err(|trouble| match trouble {
            Trouble::NotHere(why) | Trouble::Failed(why) => why,
        })
    }

    /// What was sent into a pod goes with it only.
    async fn strike(&mut self, stage: &Stage) -> Result<(), String> {
        for (name, uid) in std::mem::take(&mut self.entered) {
            let failed = |error: &kube::Error| format!("making pod {name} anew: {}", chain(error));
            match self.cluster.api::<Pod>().delete(&name, &of_uid(Some(uid))).await {
                Ok(_) => {}
                // it was made anew already
                Err(kube::Error::Api(status)) if status.is_conflict() || status.is_not_found() => continue,
                Err(error) => return Err(failed(&error)),
            }
            let start = Instant::now();
            while let Err(lack) = stage.well().await {
                if start.elapsed() > ANEW_LIMIT {
                    return Err(format!("pod {name} was made anew, and not all is well: {lack}"));
                }
                tokio::time::sleep(LOOK).await;
            }
        }
        Ok(())
    }

    fn last_words(&self) -> Option<String> {
        None
    }

    fn stays(&self) -> bool {
        true
    }
}

/// The receiver that counts: the one pod behind a marked Service.
async fn sink(cluster: &Cluster) -> Result<String, DrillError> {
    let services = cluster.api::<Service>().list(&ListParams::default()).await;
    let services = services.map_err(failed("listing Services"))?.items;
    let sinks =
        services.iter().filter(|service| service.annotations().get(ANNOTATION_LOCAL).is_some_and(|v| v == "sink"));
    let Some(service) = sinks.clone().find(|service| is_marked(service.annotations())) else {
        let unmarked = sinks.map(|service| format!("Service {}", service.name_any())).next();
        return Err(unmarked.map_or(DrillError::NoSink, DrillError::NotAllowed));
    };
    let spec = service.spec.clone().unwrap_or_default();
    let pairs: Vec<String> = spec.selector.unwrap_or_default().iter().map(|(k, v)| format!("{k}={v}")).collect();
    let pods = cluster.api::<Pod>().list(&ListParams::default().labels(&pairs.join(","))).await;
    let pods = pods.map_err(failed("listing the pods of the receiver"))?.items;
    let running: Vec<&Pod> = pods.iter().filter(|pod| pod.metadata.deletion_timestamp.is_none()).collect();
    let [pod] = running[..] else {
        return Err(DrillError::Sinks { service: service.name_any(), pods: running.len() });
    };
    let port = spec.ports.unwrap_or_default().into_iter().next();
    let port = port.and_then(|port| target(pod, &port.target_port.unwrap_or(IntOrString::Int(port.port))));
    let port = port.ok_or_else(|| DrillError::NoPort(service.name_any()))?;
    Ok(format!("http://{}", cluster.forward(&pod.name_any(), port).await?))
}

/// The number of a pod's port.
fn target(pod: &Pod, port: &IntOrString) -> Option<u16> {
    let number = match port {
        IntOrString::Int(number) => *number,
        IntOrString::String(name) => {
            let mut ports = pod.spec.iter().flat_map(|spec| &spec.containers).flat_map(|c| c.ports.iter().flatten());
            ports.find(|port| port.name.as_ref() == Some(name))?.container_port
        }
    };
    u16::try_from(number).ok()
}

/// The container for an errand: the member's image, and no more rights than it needs.
fn container(pod: &Pod, name: &str, errand: Errand) -> Result<Value, String> {
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    let member = containers.clone().find(|container| container.name == NAME_ALERTMANAGER);
    let member = member.ok_or_else(|| format!("pod {} has no container {NAME_ALERTMANAGER}", pod.name_any()))?;
    let mut made = json!({
        "name": name, "image": member.image, "imagePullPolicy": member.image_pull_policy,
        "args": errand.args(STORAGE_DIR), "terminationMessagePolicy": "FallbackToLogsOnError",
    });
    match errand {
        Errand::Cut | Errand::Heal => {
            made["securityContext"] = json!({
                "runAsUser": 0, "runAsGroup": 0, "runAsNonRoot": false, "readOnlyRootFilesystem": true,
                "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"], "add": ["NET_ADMIN"]},
            });
        }
        Errand::Fill | Errand::Free => {
            let storage = member.volume_mounts.iter().flatten().find(|mount| mount.mount_path == STORAGE_DIR);
            let storage = storage.ok_or_else(|| format!("pod {} has no storage", pod.name_any()))?;
            made["volumeMounts"] = json!([storage]);
            made["securityContext"] = json!(member.security_context);
        }
    }
    Ok(made)
}

/// For a patch that leaves no other source.
fn merged(config: &Value) -> Value {
    let mut merged = config.clone();
    if let Some(fields) = merged.as_object_mut() {
        for source in SOURCES {
            fields.entry(source).or_insert(Value::Null);
        }
    }
    merged
}

/// The same with a text that no configuration is. What else belongs to it stays: pods have volumes of that.
fn wrong(config: &Value) -> Value {
    let mut wrong = config.clone();
    if let Some(fields) = wrong.as_object_mut() {
        fields.retain(|name, _| !SOURCES.contains(&name.as_str()));
        fields.insert("inline".to_owned(), json!(WRONG));
    }
    wrong
}

/// That object and no later one of its name.
fn of_uid(uid: Option<String>) -> DeleteParams {
    DeleteParams { preconditions: Some(Preconditions { uid, resource_version: None }), ..DeleteParams::default() }
}

/// What one may not do in a namespace says nothing of the cluster.
fn refused(doing: &str, error: &kube::Error) -> Trouble {
    let words = format!("{doing}: {}", chain(error));
    match error {
        kube::Error::Api(status) if status.is_forbidden() => Trouble::NotHere(words),
        _ => Trouble::Failed(words),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn pod() -> Pod {
        serde_json::from_value(json!({
            "metadata": {"name": "am-0"},
            "spec": {"containers": [
                {"name": "proxy", "ports": [{"name": "http", "containerPort": 80}]},
                {
                    "name": NAME_ALERTMANAGER, "image": "ours:1", "imagePullPolicy": "Never",
                    "ports": [{"name": "web", "containerPort": 9093}],
                    "securityContext": {"readOnlyRootFilesystem": true},
                    "volumeMounts": [
                        {"name": "config", "mountPath": "/etc/alertmanager"},
                        {"name": "data", "mountPath": STORAGE_DIR},
                    ],
                },
            ]},
        }))
        .unwrap()
    }

    #[test]
    fn an_errand_has_the_members_image_and_no_more_rights_than_it_needs() {
        let cut = container(&pod(), "drill-1", Errand::Cut).unwrap();
        assert_eq!((&cut["image"], &cut["imagePullPolicy"]), (&json!("ours:1"), &json!("Never")));
        assert_eq!(cut["securityContext"]["capabilities"], json!({"drop": ["ALL"], "add": ["NET_ADMIN"]}));
        assert_eq!(cut["volumeMounts"], Value::Null, "it sees no files");
        let fill = container(&pod(), "drill-2", Errand::Fill).unwrap();
        assert_eq!(fill["args"], json!(["drill", "--errand=fill", STORAGE_DIR]));
        assert_eq!(fill["securityContext"], json!({"readOnlyRootFilesystem": true}), "as who the member is");
        assert_eq!(fill["volumeMounts"], json!([{"name": "data", "mountPath": STORAGE_DIR}]));
        let other = Pod { spec: None, ..pod() };
        assert_eq!(container(&other, "drill-3", Errand::Cut).unwrap_err(), "pod am-0 has no container alertmanager");
    }

    #[test]
    fn a_wrong_edit_changes_the_text_and_nothing_that_pods_depend_on() {
        let config = json!({"configMapRef": {"name": "main"}, "secrets": ["pager"]});
        let wrong = merged(&wrong(&config));
        assert_eq!(wrong, json!({"configMapRef": null, "secretRef": null, "inline": WRONG, "secrets": ["pager"]}));
        let back = json!({"configMapRef": {"name": "main"}, "secretRef": null, "inline": null, "secrets": ["pager"]});
        assert_eq!(merged(&config), back);
    }

    #[test]
    fn ports_have_numbers_or_names() {
        assert_eq!(target(&pod(), &IntOrString::Int(8080)), Some(8080));
        assert_eq!(target(&pod(), &IntOrString::String("http".into())), Some(80));
        assert_eq!(target(&pod(), &IntOrString::String("none".into())), None);
    }
}
