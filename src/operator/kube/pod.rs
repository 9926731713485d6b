//! The pod of a member. Nothing in it depends on the configuration's text or on the number of members: editing or
//! scaling restarts nobody.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Capabilities, ConfigMapVolumeSource, Container, ContainerPort, DownwardAPIProjection, DownwardAPIVolumeFile,
    EmptyDirVolumeSource, EnvVar, EnvVarSource, HTTPGetAction, ObjectFieldSelector, PodSecurityContext, PodSpec,
    PodTemplateSpec, Probe as KubeProbe, ProjectedVolumeSource, ResourceRequirements, SeccompProfile, SecretProjection,
    SecretVolumeSource, SecurityContext, TopologySpreadConstraint, Volume, VolumeMount, VolumeProjection,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as KubeQuantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use k8s_openapi::DeepMerge;
use serde_json::Value;

use super::certificates::{CERTIFICATE, KEY, TRUSTED};
use super::stateful_set::DATA_VOLUME;
use super::{Rendering, backup};
use crate::crd::{PodTemplate, Quantity, Resources, StorageKind};
use crate::plan::{
    CONFIG_DIR, GOSSIP_PORT, MANAGEMENT_PORT, MemberAddresses, MemberPlan, NAME_ALERTMANAGER, PORT_MANAGEMENT, Probe,
    STORAGE_DIR, WEB_DIR, WEB_FILE, WEB_PORT, WEB_TOKEN_FILE, config_map_dir, labels, secret_dir, selector,
};

/// The user and group of the worker in its container.
const WORKER_ID: i64 = 65532;
const CONFIG_VOLUME: &str = "config";
/// Until all nodes know that a member that ends takes no connections.
const DRAIN_SECONDS: u32 = 5;
const WEB_VOLUME: &str = "web";
const GOSSIP_VOLUME: &str = "gossip";
const GOSSIP_DIR: &str = "/etc/alertmanager/gossip";
const GOSSIP_TLS_FILE: &str = "tls.yml";
/// The file about TLS between members, for the kubelet to put beside the certificates.
const ANNOTATION_GOSSIP_TLS: &str = "alertmanager.dev/gossip-tls";
const SPREAD_OVER: [&str; 2] = ["topology.kubernetes.io/zone", "kubernetes.io/hostname"];
/// Another value makes the pods anew.
const ANNOTATION_RESTARTED_AT: &str = "alertmanager.dev/restarted-at";

/// Why the overlay for pods can't be used.
#[derive(Debug, thiserror::Error)]
pub enum OverlayError {
    /// It is no part of a pod's spec.
    #[error("spec.podTemplate.spec is no part of a pod's spec")]
    Form(#[source] serde_json::Error),
    /// A field of it doesn't exist.
    #[error("spec.podTemplate.spec{0} is no field of a pod's spec")]
    Unknown(String),
}

pub(super) fn template(cluster: &Rendering<'_>) -> Result<PodTemplateSpec, OverlayError> {
    let names = &cluster.plan.names;
    let member = cluster.plan.member("$(POD_NAME)", &addresses(cluster));
    let overlay = overlay(&cluster.spec.pod_template)?;
    let wanted = &cluster.spec.pod_template.metadata;
    let mut all_labels = wanted.labels.clone();
    all_labels.extend(labels(&names.object));
    let mut annotations = wanted.annotations.clone();
    annotations.extend(cluster.spec.restarted_at.iter().map(|at| (ANNOTATION_RESTARTED_AT.to_owned(), at.clone())));
    if cluster.spec.cluster.tls.enabled {
        annotations.insert(ANNOTATION_GOSSIP_TLS.to_owned(), gossip_tls_text());
    }
    let mut template = PodTemplateSpec {
        metadata: Some(ObjectMeta {
            labels: Some(all_labels),
            annotations: (!annotations.is_empty()).then_some(annotations),
            ..ObjectMeta::default()
        }),
        spec: Some(PodSpec {
            service_account_name: Some(names.base()),
            automount_service_account_token: Some(false),
            enable_service_links: Some(false),
            termination_grace_period_seconds: Some(i64::from(member.stop_seconds)),
            security_context: Some(pod_security()),
            topology_spread_constraints: Some(SPREAD_OVER.map(|key| spread(&names.object, key)).to_vec()),
            volumes: Some(volumes(cluster)),
            init_containers: backup::restorer(cluster).map(|restorer| vec![restorer]),
            containers: vec![container(cluster, member)],
            ..PodSpec::default()
        }),
    };
    template.spec.merge_from(overlay);
    Ok(template)
}

fn gossip_tls_text() -> String {
    format!(
        "tls_server_config: {{cert_file: {CERTIFICATE}, key_file: {KEY}, client_ca_file: {TRUSTED}, \
         client_auth_type: RequireAndVerifyClientCert}}\n\
         tls_client_config: {{cert_file: {CERTIFICATE}, key_file: {KEY}, ca_file: {TRUSTED}}}\n"
    )
}

pub(super) fn overlay(wanted: &PodTemplate) -> Result<Option<PodSpec>, OverlayError> {
    if wanted.spec.is_empty() {
        return Ok(None);
    }
    let given = Value::Object(wanted.spec.clone());
    let spec: PodSpec = serde_json::from_value(given.clone()).map_err(OverlayError::Form)?;
    let understood = serde_json::to_value(&spec).map_err(OverlayError::Form)?;
    match unknown(&given, &understood) {
        Some(path) => Err(OverlayError::Unknown(path)),
        None => Ok(Some(spec)),
    }
}

/// The path of the first field that was given and not understood.
fn unknown(given: &Value, understood: &Value) -> Option<String> {
    match (given, understood) {
        (Value::Object(given), Value::Object(understood)) => given.iter().find_map(|(name, value)| {
            let empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
            match understood.get(name) {
                Some(understood) => unknown(value, understood).map(|rest| format!(".{name}{rest}")),
                None => (!empty).then(|| format!(".{name}")),
            }
        }),
        (Value::Array(given), Value::Array(understood)) => {
            let mut pairs = given.iter().zip(understood).enumerate();
            pairs.find_map(|(at, (given, understood))| Some(format!("[{at}]{}", unknown(given, understood)?)))
        }
        _ => None,
    }
}

/// In a pod the kubelet fills in the `$(…)` from the environment.
fn addresses(cluster: &Rendering<'_>) -> MemberAddresses {
    let gossip = &cluster.spec.cluster;
    // in brackets, whichever family the address is of
    let own = || format!("[$(POD_IP)]:{GOSSIP_PORT}");
    MemberAddresses {
        web_listen: format!(":{WEB_PORT}"),
        web_port: WEB_PORT,
        management_listen: Some(format!(":{MANAGEMENT_PORT}")),
        drain_seconds: DRAIN_SECONDS,
        web_config: cluster.spec.web.is_protected().then(|| format!("{WEB_DIR}/{WEB_FILE}")),
        management_token: cluster.spec.web.is_protected().then(|| format!("{WEB_DIR}/{WEB_TOKEN_FILE}")),
        gossip_listen: gossip.listen_address.clone().unwrap_or_else(own),
        gossip_port: GOSSIP_PORT,
        gossip_advertise: gossip.advertise_address.clone().unwrap_or_else(own),
        peers: vec![cluster.plan.peers_address()],
        config_dir: CONFIG_DIR.to_owned(),
        storage_dir: STORAGE_DIR.to_owned(),
        gossip_tls: cluster.spec.cluster.tls.enabled.then(|| format!("{GOSSIP_DIR}/{GOSSIP_TLS_FILE}")),
    }
}

fn container(cluster: &Rendering<'_>, member: MemberPlan) -> Container {
    let spec = cluster.spec;
    Container {
        name: NAME_ALERTMANAGER.to_owned(),
        image: Some(worker_image(cluster)),
        image_pull_policy: spec.image_pull_policy.map(|policy| policy.as_str().to_owned()),
        env: Some(vec![field("POD_IP", "status.podIP"), field("POD_NAME", "metadata.name")]),
        ports: Some(vec![
            port("web", member.web_port, "TCP"),
            port(PORT_MANAGEMENT, MANAGEMENT_PORT, "TCP"),
            port("gossip-tcp", member.gossip_port, "TCP"),
            port("gossip-udp", member.gossip_port, "UDP"),
        ]),
        volume_mounts: Some(mounts(cluster, &member)),
        startup_probe: Some(probe(member.probes.startup)),
        liveness_probe: Some(probe(member.probes.liveness)),
        readiness_probe: Some(probe(member.probes.readiness)),
        resources: resources(&spec.resources),
        security_context: Some(container_security()),
        // why it ended is then in the pod's status, from where the operator tells it
        termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
        args: Some(member.args),
        ..Container::default()
    }
}

/// The image of members, and of what else runs the same program.
pub(super) fn worker_image(cluster: &Rendering<'_>) -> String {
    cluster.spec.image.clone().unwrap_or_else(|| cluster.worker_image.to_owned())
}

fn volumes(cluster: &Rendering<'_>) -> Vec<Volume> {
    let tls = cluster.spec.cluster.tls.enabled.then(|| gossip_volume(cluster));
    let config = Volume {
        name: CONFIG_VOLUME.to_owned(),
        secret: Some(SecretVolumeSource {
            secret_name: Some(cluster.plan.names.config_secret()),
            default_mode: Some(0o440),
            ..SecretVolumeSource::default()
        }),
        ..Volume::default()
    };
    let given = [config].into_iter().chain(tls).chain(web_volume(cluster)).chain(mounted_volumes(cluster));
    let given = given.chain(backup::restored_volume(cluster));
    match cluster.spec.storage.kind() {
        StorageKind::Claim(_) => given.collect(),
        StorageKind::EmptyDir(dir) => {
            let size_limit = dir.size_limit.as_ref().map(|Quantity(limit)| KubeQuantity(limit.clone()));
            let empty_dir = Some(EmptyDirVolumeSource { size_limit, ..EmptyDirVolumeSource::default() });
            let data = Volume { name: DATA_VOLUME.to_owned(), empty_dir, ..Volume::default() };
            given.chain([data]).collect()
        }
    }
}

fn mounts(cluster: &Rendering<'_>, member: &MemberPlan) -> Vec<VolumeMount> {
    // directories, never a subPath: the kubelet refreshes only directories
    let config = mount(CONFIG_VOLUME, member.config_dir.clone(), true);
    let data = mount(DATA_VOLUME, member.storage_dir.clone(), false);
    let tls = cluster.spec.cluster.tls.enabled.then(|| mount(GOSSIP_VOLUME, GOSSIP_DIR.to_owned(), true));
    let web = cluster.spec.web.is_protected().then(|| mount(WEB_VOLUME, WEB_DIR.to_owned(), true));
    let given = &cluster.spec.config;
    let secrets = given.secrets.iter().enumerate();
    let secrets = secrets.map(|(at, name)| mount(&secret_volume(at), secret_dir(name), true));
    let maps = given.config_maps.iter().enumerate();
    let maps = maps.map(|(at, name)| mount(&config_map_volume(at), config_map_dir(name), true));
    [config, data].into_iter().chain(tls).chain(web).chain(secrets).chain(maps).collect()
}

/// The file about TLS and users, and beside it the certificate that somebody else keeps.
fn web_volume(cluster: &Rendering<'_>) -> Option<Volume> {
    let secret = |name: String| VolumeProjection {
        secret: Some(SecretProjection { name, ..SecretProjection::default() }),
        ..VolumeProjection::default()
    };
    let certificate = cluster.spec.web.tls_secret_name.clone().map(secret);
    let sources = [secret(cluster.plan.names.web_secret())].into_iter().chain(certificate).collect();
    cluster.spec.web.is_protected().then(|| Volume {
        name: WEB_VOLUME.to_owned(),
        projected: Some(ProjectedVolumeSource { default_mode: Some(0o440), sources: Some(sources) }),
        ..Volume::default()
    })
}

/// What the configuration may name as files. One that is not there yet doesn't keep a member from starting: a
/// configuration that needs it is not let through.
fn mounted_volumes(cluster: &Rendering<'_>) -> Vec<Volume> {
    let given = &cluster.spec.config;
    let secrets = given.secrets.iter().enumerate().map(|(at, name)| Volume {
        name: secret_volume(at),
        secret: Some(SecretVolumeSource {
            secret_name: Some(name.clone()),
            default_mode: Some(0o440),
            optional: Some(true),
            ..SecretVolumeSource::default()
        }),
        ..Volume::default()
    });
    let maps = given.config_maps.iter().enumerate().map(|(at, name)| Volume {
        name: config_map_volume(at),
        config_map: Some(ConfigMapVolumeSource {
            name: name.clone(),
            default_mode: Some(0o440),
            optional: Some(true),
            ..ConfigMapVolumeSource::default()
        }),
        ..Volume::default()
    });
    secrets.chain(maps).collect()
}

/// Names of volumes are shorter than those of objects.
fn secret_volume(at: usize) -> String {
    format!("secret-{at}")
}

fn config_map_volume(at: usize) -> String {
    format!("configmap-{at}")
}

/// The certificates, whoever makes the Secret, and beside them the file that says how they are used.
fn gossip_volume(cluster: &Rendering<'_>) -> Volume {
    let given = cluster.spec.cluster.tls.secret_name.clone();
    let secret = SecretProjection {
        name: given.unwrap_or_else(|| cluster.plan.names.gossip_secret()),
        ..SecretProjection::default()
    };
    let file = DownwardAPIVolumeFile {
        path: GOSSIP_TLS_FILE.to_owned(),
        field_ref: Some(ObjectFieldSelector {
            field_path: format!("metadata.annotations['{ANNOTATION_GOSSIP_TLS}']"),
            ..ObjectFieldSelector::default()
        }),
        ..DownwardAPIVolumeFile::default()
    };
    let sources = vec![
        VolumeProjection { secret: Some(secret), ..VolumeProjection::default() },
        VolumeProjection {
            downward_api: Some(DownwardAPIProjection { items: Some(vec![file]) }),
            ..VolumeProjection::default()
        },
    ];
    Volume {
        name: GOSSIP_VOLUME.to_owned(),
        projected: Some(ProjectedVolumeSource { default_mode: Some(0o440), sources: Some(sources) }),
        ..Volume::default()
    }
}

/// Members in different zones and on different nodes where there are several, and on one node rather than nowhere.
fn spread(object: &str, topology_key: &str) -> TopologySpreadConstraint {
    TopologySpreadConstraint {
        max_skew: 1,
        topology_key: topology_key.to_owned(),
        when_unsatisfiable: "ScheduleAnyway".to_owned(),
        label_selector: Some(LabelSelector { match_labels: Some(selector(object)), ..LabelSelector::default() }),
        ..TopologySpreadConstraint::default()
    }
}

pub(super) fn pod_security() -> PodSecurityContext {
    PodSecurityContext {
        run_as_non_root: Some(true),
        run_as_user: Some(WORKER_ID),
        run_as_group: Some(WORKER_ID),
        fs_group: Some(WORKER_ID),
        fs_group_change_policy: Some("OnRootMismatch".to_owned()),
        seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".to_owned(), ..SeccompProfile::default() }),
        ..PodSecurityContext::default()
    }
}

pub(super) fn container_security() -> SecurityContext {
    SecurityContext {
        allow_privilege_escalation: Some(false),
        read_only_root_filesystem: Some(true),
        capabilities: Some(Capabilities { drop: Some(vec!["ALL".to_owned()]), ..Capabilities::default() }),
        ..SecurityContext::default()
    }
}

pub(super) fn resources(wanted: &Resources) -> Option<ResourceRequirements> {
    let amounts = |of: &BTreeMap<String, Quantity>| {
        let all = of.iter().map(|(name, Quantity(amount))| (name.clone(), KubeQuantity(amount.clone())));
        (!of.is_empty()).then(|| all.collect())
    };
    (!wanted.is_empty()).then(|| ResourceRequirements {
        limits: amounts(&wanted.limits),
        requests: amounts(&wanted.requests),
        ..ResourceRequirements::default()
    })
}

fn probe(probe: Probe) -> KubeProbe {
    KubeProbe {
        http_get: Some(HTTPGetAction {
            path: Some(probe.path),
            port: IntOrString::String(PORT_MANAGEMENT.to_owned()),
            ..HTTPGetAction::default()
        }),
        period_seconds: i32::try_from(probe.period_seconds).ok(),
        timeout_seconds: i32::try_from(probe.timeout_seconds).ok(),
        failure_threshold: i32::try_from(probe.failures).ok(),
        ..KubeProbe::default()
    }
}

fn field(variable: &str, path: &str) -> EnvVar {
    let reference = ObjectFieldSelector { field_path: path.to_owned(), ..ObjectFieldSelector::default() };
    EnvVar {
        name: variable.to_owned(),
        value_from: Some(EnvVarSource { field_ref: Some(reference), ..EnvVarSource::default() }),
        ..EnvVar::default()
    }
}

fn port(name: &str, number: u16, protocol: &str) -> ContainerPort {
    ContainerPort {
        name: Some(name.to_owned()),
        container_port: i32::from(number),
        protocol: Some(protocol.to_owned()),
        ..ContainerPort::default()
    }
}

pub(super) fn mount(volume: &str, path: String, read_only: bool) -> VolumeMount {
    VolumeMount {
        name: volume.to_owned(),
        mount_path: path,
        read_only: read_only.then_some(true),
        ..VolumeMount::default()
    }
}
