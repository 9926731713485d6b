//! What the operator says about a cluster.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the operator saw last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AlertmanagerClusterStatus {
    /// The generation of the object that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// How many member pods exist.
    #[serde(default)]
    pub replicas: i32,

    /// How many members are ready: state merged, configuration loaded.
    #[serde(default)]
    pub ready_replicas: i32,

    /// The label selector of the member pods, as text (for the scale subresource).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,

    /// Which configuration is wanted and which each member runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<ConfigStatus>,

    /// How backups went, where they are wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<BackupStatus>,

    /// Conditions: Ready, Reconciling, Stalled, ConfigValid, ConfigProgrammed, Available, GossipConverged,
    /// StorageReady, CertificatesReady, and BackupHealthy where backups are wanted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}

/// Which configuration is wanted and which each member runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigStatus {
    /// The hash of the configuration that the members shall run: the last valid one.
    pub hash: String,

    /// The first characters of the hash, for the eye.
    pub short_hash: String,

    /// The hash that all members ran when they last agreed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub programmed_hash: Option<String>,

    /// What each member runs, in the order of their ordinals.
    #[serde(default)]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub replicas: Vec<ReplicaConfigStatus>,
}

/// What one member runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplicaConfigStatus {
    /// The name of the member (of its pod).
    pub name: String,

    /// The hash that it reports; left out when it does not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,

    /// Whether it is ready.
    #[serde(default)]
    pub ready: bool,
}

/// How backups went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BackupStatus {
    /// When the last good one was taken, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_successful_time: Option<String>,

    /// The last one that could not be taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<BackupFailure>,
}

/// A backup that could not be taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BackupFailure {
    /// When it was given up, RFC 3339.
    pub time: String,

    /// The Job that tried.
    pub job: String,

    /// What it said.
    pub message: String,
}

/// One observation, in the shape of `metav1.Condition`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// What is observed, in CamelCase.
    #[serde(rename = "type")]
    #[schemars(length(max = 316))]
    pub type_: String,

    /// Whether it is so.
    pub status: ConditionStatus,

    /// The generation of the object that was observed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// When `status` last changed, RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    pub last_transition_time: String,

    /// Why, as one word in CamelCase for programs.
    #[schemars(length(min = 1, max = 1024))]
    pub reason: String,

    /// Why, as a sentence for people.
    #[schemars(length(max = 32768))]
    pub message: String,
}

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ConditionStatus {
    /// It holds.
    True,
    /// It does not.
    False,
    /// Nobody can say.
    Unknown,
}

/// The conditions that this operator keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConditionType {
    /// All members wanted are ready and run the wanted configuration.
    Ready,
    /// The operator is changing something.
    Reconciling,
    /// The operator cannot go on without somebody's help.
    Stalled,
    /// The configuration of the source is valid.
    ConfigValid,
    /// All members run the wanted configuration.
    ConfigProgrammed,
    /// A majority of the members wanted is ready.
    Available,
    /// All members wanted see each other.
    GossipConverged,
    /// All members have the volumes that are wanted.
    StorageReady,
    /// There are certificates for gossip where they are wanted.
    CertificatesReady,
    /// The last backup could be taken. Only where backups are wanted.
    BackupHealthy,
}

impl ConditionType {
    /// All, in the order in which they are written.
    pub const ALL: [Self; 10] = [
        Self::Ready,
        Self::Reconciling,
        Self::Stalled,
        Self::ConfigValid,
        Self::ConfigProgrammed,
        Self::Available,
        Self::GossipConverged,
        Self::StorageReady,
        Self::CertificatesReady,
        Self::BackupHealthy,
    ];

    /// As it stands in the object.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Reconciling => "Reconciling",
            Self::Stalled => "Stalled",
            Self::ConfigValid => "ConfigValid",
            Self::ConfigProgrammed => "ConfigProgrammed",
            Self::Available => "Available",
            Self::GossipConverged => "GossipConverged",
            Self::StorageReady => "StorageReady",
            Self::CertificatesReady => "CertificatesReady",
            Self::BackupHealthy => "BackupHealthy",
        }
    }
}

impl AlertmanagerClusterStatus {
    /// The condition of this type, if it was ever written.
    pub fn condition(&self, type_: ConditionType) -> Option<&Condition> {
        self.conditions.iter().find(|c| c.type_ == type_.as_str())
    }
}
