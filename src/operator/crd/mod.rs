//! The API: `AlertmanagerCluster` in group `alertmanager.dev`, version `v1alpha1`.
//!
//! These types are the single source of `crds/alertmanagerclusters.yaml`: the descriptions, defaults and rules of the
//! schema are the doc comments and attributes here. A rule that the schema can express stands in the schema; nothing is
//! checked twice.

#![expect(unreachable_pub, reason = "KubeSchema repeats each type, with its visibility, where nobody reaches it")]

mod autoscaling;
mod backup;
mod config;
mod gossip;
mod health;
mod monitoring;
mod pod_template;
mod protection;
mod quantity;
mod rollout;
mod status;
mod storage;
mod web;

pub use autoscaling::Autoscaling;
pub use backup::{Backup, BackupPlace, RestoreFrom};
pub use config::{
    ConfigMapKey, ConfigSource, ConfigSourceError, ConfigSpec, DEFAULT_CONFIG_KEY, ObjectName, SecretKey,
    TemplateSource,
};
pub use gossip::{Gossip, GossipTls, IssuerRef};
pub use health::Health;
pub use monitoring::{Labelled, Monitoring, NamespaceQuota, PodMonitor};
pub use pod_template::PodTemplate;
pub use protection::{DisruptionBudget, NetworkAccess};
pub use quantity::{Quantity, Resources};
pub use rollout::{Rollout, RolloutStrategy, Topology};
pub use status::{
    AlertmanagerClusterStatus, BackupFailure, BackupStatus, Condition, ConditionStatus, ConditionType, ConfigStatus,
    ReplicaConfigStatus,
};
pub use storage::{
    AccessMode, EmptyDir, RetentionPolicy, Storage, StorageKind, VolumeClaim, VolumeRequests, VolumeResources, WhenGone,
};

pub use web::{ClientService, HttpRouteSpec, IngressSpec, ParentRef, ServiceType, Web};

use kube::{CustomResource, CustomResourceExt, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The API group.
pub const GROUP: &str = "alertmanager.dev";

/// What a user asks for: a highly available Alertmanager cluster.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "alertmanager.dev",
    version = "v1alpha1",
    kind = "AlertmanagerCluster",
    plural = "alertmanagerclusters",
    shortname = "amc",
    category = "monitoring",
    namespaced,
    status = "AlertmanagerClusterStatus",
    derive = "PartialEq",
    doc = "A highly available Alertmanager cluster: its members, their storage and the configuration they run.",
    scale(
        spec_replicas_path = ".spec.replicas",
        status_replicas_path = ".status.replicas",
        label_selector_path = ".status.selector"
    ),
    printcolumn(name = "Replicas", type_ = "integer", json_path = ".spec.replicas", description = "Members wanted"),
    printcolumn(
        name = "ReadyReplicas",
        type_ = "integer",
        json_path = ".status.readyReplicas",
        description = "Members that are ready"
    ),
    printcolumn(
        name = "Config",
        type_ = "string",
        json_path = ".status.config.shortHash",
        description = "Start of the hash of the configuration in force"
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status",
        description = "Whether all members are ready and run the configuration"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason",
        description = "Why it is ready or not",
        priority = 1
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    validation = Rule::new("size(self.metadata.name) <= 39")
        .message("metadata.name must have at most 39 characters, since names of pods are made from it"),
    validation = Rule::new("self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')")
        .message("metadata.name must be lower-case letters, digits and `-`, since names of Services are made from it")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!self.hibernate || has(self.storage.volumeClaimTemplate)")
    .message("hibernate needs storage.volumeClaimTemplate, since silences in an emptyDir would be lost"))]
#[x_kube(validation = Rule::new("!has(self.topology) || self.topology != 'PrimaryStandby' || self.replicas == 2")
    .message("topology PrimaryStandby has 2 replicas"))]
#[x_kube(validation = Rule::new("!has(self.topology) || self.topology != 'MultiMaster' || self.replicas >= 3")
    .message("topology MultiMaster has 3 replicas or more"))]
pub struct AlertmanagerClusterSpec {
    /// How many members the cluster has. Three survive the loss of one. Changing it restarts none of the members that
    /// stay. Example: `3`.
    #[serde(default = "default_replicas")]
    #[schemars(range(min = 1, max = 99))]
    pub replicas: i32,

    /// What kind of cluster it is, to be held to it: `PrimaryStandby` has two members, `MultiMaster` three or more.
    /// Left out: any number. Example: `MultiMaster`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topology: Option<Topology>,

    /// Lets the load decide about `replicas`. Example: `{minReplicas: 3, maxReplicas: 7, cpuUtilization: 70}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autoscaling: Option<Autoscaling>,

    /// While this is true, the operator changes nothing of this cluster. Example: `false`.
    #[serde(default)]
    pub paused: bool,

    /// While this is true, there are no members; their volumes are kept. Example: `false`.
    #[serde(default)]
    pub hibernate: bool,

    /// Another value than before restarts all members, one by one. Example: `"2026-01-31T12:00:00Z"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub restarted_at: Option<String>,

    /// The container image of the members. Left out: the image that the operator was started with.
    /// Example: `ghcr.io/example/alertmanager-operator:v1.2.3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub image: Option<String>,

    /// When the image is pulled. Left out: what Kubernetes takes for the image's tag. Example: `IfNotPresent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_pull_policy: Option<ImagePullPolicy>,

    /// Where the Alertmanager configuration comes from. It is validated before any member sees it; an invalid one
    /// leaves the running one in force. Example: `{configMapRef: {name: main-config}}`.
    pub config: ConfigSpec,

    /// How a new configuration gets to the members. Example: `{strategy: Staged}`.
    #[serde(default)]
    pub rollout: Rollout,

    /// Where the members keep silences and the notification log. Example: `{emptyDir: {}}`.
    #[serde(default)]
    pub storage: Storage,

    /// Regular backups. Example: `{schedule: "0 3 * * *", place: {claimName: alertmanager-backups}}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<Backup>,

    /// The backup that the cluster starts with. Example: `{place: {claimName: alertmanager-backups}}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore_from: Option<RestoreFrom>,

    /// How long silences and the notification log are kept after their end. Example: `120h`.
    #[serde(default = "default_retention")]
    #[schemars(regex(pattern = r"^([0-9]+(h|m|s|ms))+$"))]
    pub retention: String,

    /// The least severe level that the members log. Example: `info`.
    #[serde(default)]
    pub log_level: LogLevel,

    /// The format of the members' log. Example: `json`.
    #[serde(default)]
    pub log_format: LogFormat,

    /// The URL under which users reach the cluster; links in notifications start with it.
    /// Example: `https://alertmanager.example.com/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^https?://[^ ]+$"))]
    pub external_url: Option<String>,

    /// The web interface and API. Example: `{routePrefix: /alertmanager}`.
    #[serde(default)]
    pub web: Web,

    /// The Service for clients. Example: `{type: ClusterIP}`.
    #[serde(default)]
    pub service: ClientService,

    /// An Ingress to the client Service. Example: `{hosts: [alertmanager.example.com], tlsSecretName: alertmanager-tls}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ingress: Option<IngressSpec>,

    /// A HTTPRoute of the Gateway API to the client Service. Example: `{parentRefs: [{name: public}]}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_route: Option<HttpRouteSpec>,

    /// How the operator watches members. Example: `{failureThreshold: 3}`.
    #[serde(default)]
    pub health: Health,

    /// What the pods of members have besides of what the operator gives them: labels, annotations and a pod spec, merged
    /// as `kubectl patch` does it by default. Example: `{spec: {priorityClassName: high, nodeSelector: {disk: ssd}}}`.
    #[serde(default, skip_serializing_if = "PodTemplate::is_empty")]
    pub pod_template: PodTemplate,

    /// Compute resources of each member. Example: `{requests: {cpu: 50m, memory: 64Mi}, limits: {memory: 256Mi}}`.
    #[serde(default, skip_serializing_if = "Resources::is_empty")]
    pub resources: Resources,

    /// How the members find and watch each other. Example: `{peerTimeout: 15s}`.
    #[serde(default)]
    pub cluster: Gossip,

    /// How many members may be taken away at once by who drains nodes. Example: `{maxUnavailable: 1}`.
    #[serde(default)]
    pub pod_disruption_budget: DisruptionBudget,

    /// Who may connect to the members. Example: `{enabled: true}`.
    #[serde(default)]
    pub network_policy: NetworkAccess,

    /// What Prometheus and Grafana are given about the cluster. Example: `{podMonitor: {}, rules: {}}`.
    #[serde(default)]
    pub monitoring: Monitoring,

    /// A ResourceQuota for the whole namespace, which should be this cluster's own then.
    /// Example: `{hard: {limits.memory: 2Gi}}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_quota: Option<NamespaceQuota>,
}

impl AlertmanagerClusterSpec {
    /// Whether anything of the cluster comes from that Secret.
    pub fn refers_to_secret(&self, name: &str) -> bool {
        let of_web = [&self.web.basic_auth_secret_name, &self.web.tls_secret_name, &self.cluster.tls.secret_name];
        self.config.refers_to_secret(name) || of_web.into_iter().flatten().any(|secret| secret == name)
    }
}

/// When the image is pulled. Left out: what Kubernetes takes for the image's tag. Example: `IfNotPresent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ImagePullPolicy {
    /// At every start of a container.
    Always,
    /// When the node does not have it yet.
    IfNotPresent,
    /// Never: the node must have it.
    Never,
}

/// The least severe level that is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Everything.
    Debug,
    /// What a reader of the log wants to know.
    #[default]
    Info,
    /// What may need action.
    Warn,
    /// What needs action.
    Error,
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// `key=value` pairs.
    #[default]
    Logfmt,
    /// One JSON object per line.
    Json,
}

impl ImagePullPolicy {
    /// As Kubernetes writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Always => "Always",
            Self::IfNotPresent => "IfNotPresent",
            Self::Never => "Never",
        }
    }
}

impl LogLevel {
    /// As the worker's `--log.level` takes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

impl LogFormat {
    /// As the worker's `--log.format` takes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Logfmt => "logfmt",
            Self::Json => "json",
        }
    }
}

/// What `crds/alertmanagerclusters.yaml` holds.
///
/// # Errors
/// When the definition cannot be written as YAML, which is a bug.
pub fn crd_yaml() -> Result<String, CrdError> {
    let mut definition = serde_json::to_value(AlertmanagerCluster::crd()).map_err(CrdError::Json)?;
    whole_numbers(&mut definition);
    let body = serde_saphyr::to_string(&definition).map_err(|e| CrdError::Yaml(Box::new(e)))?;
    Ok(format!("# Made by `alertmanager-operator crd` (`make crds`) from src/operator/crd. Do not edit.\n{body}"))
}

/// Why the definition could not be written.
#[derive(Debug, thiserror::Error)]
pub enum CrdError {
    /// It is not representable as JSON.
    #[error("turning the resource definition into JSON")]
    Json(#[source] serde_json::Error),
    /// It is not representable as YAML.
    #[error("writing the resource definition as YAML")]
    Yaml(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Bounds are floats in the schema's types; people and API server write them whole.
fn whole_numbers(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Number(number) => {
            if let Some(float) = number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0) {
                *number = (float as i64).into();
            }
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(whole_numbers),
        serde_json::Value::Object(fields) => fields.values_mut().for_each(whole_numbers),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::String(_) => {}
    }
}

const fn default_replicas() -> i32 {
    3
}

fn default_retention() -> String {
    "120h".to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
