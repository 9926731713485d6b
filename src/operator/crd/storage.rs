//! Where members keep what must survive a restart, and what becomes of it.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Quantity;

/// The storage of each member: exactly one of `emptyDir` and `volumeClaimTemplate`.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.emptyDir) != has(self.volumeClaimTemplate)")
    .message("exactly one of emptyDir and volumeClaimTemplate must be given"))]
pub struct Storage {
    /// A directory that lives as long as the pod. A new pod gets silences and the notification log from its peers.
    /// Example: `{}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub empty_dir: Option<EmptyDir>,

    /// A volume of its own for each member. Example: `{resources: {requests: {storage: 1Gi}}}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume_claim_template: Option<VolumeClaim>,

    /// What becomes of the volumes. Example: `{whenDeleted: Delete, whenScaled: Retain}`.
    #[serde(default)]
    pub retention_policy: RetentionPolicy,
}

/// A directory on the node that is deleted with the pod.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EmptyDir {
    /// How large it may grow. Example: `256Mi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_limit: Option<Quantity>,
}

/// What a member's PersistentVolumeClaim asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VolumeClaim {
    /// How the volume is mounted. Example: `[ReadWriteOnce]`.
    #[serde(default = "default_access_modes")]
    #[schemars(length(min = 1, max = 4))]
    pub access_modes: Vec<AccessMode>,

    /// The StorageClass. Left out: the default one of the Kubernetes cluster. Example: `fast-ssd`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_class_name: Option<String>,

    /// The size. Example: `{requests: {storage: 1Gi}}`.
    pub resources: VolumeResources,
}

/// How large a volume is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VolumeResources {
    /// What the volume must offer. Example: `{storage: 1Gi}`.
    pub requests: VolumeRequests,
}

/// What a volume must offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VolumeRequests {
    /// The size. Example: `1Gi`.
    pub storage: Quantity,
}

/// How a volume may be mounted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AccessMode {
    /// For reading and writing, by one node.
    ReadWriteOnce,
    /// For reading and writing, by one pod.
    ReadWriteOncePod,
    /// For reading and writing, by many nodes.
    ReadWriteMany,
}

/// What becomes of the volumes of members that are gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RetentionPolicy {
    /// When the cluster is deleted. Example: `Delete`.
    #[serde(default)]
    pub when_deleted: WhenGone,

    /// When the cluster has fewer members than before. Example: `Retain`.
    #[serde(default)]
    pub when_scaled: WhenGone,
}

/// Keep or delete a volume.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum WhenGone {
    /// Keep it.
    #[default]
    Retain,
    /// Delete it.
    Delete,
}

/// [`Storage`] after its rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorageKind<'a> {
    /// Lives as long as the pod.
    EmptyDir(&'a EmptyDir),
    /// A volume for each member.
    Claim(&'a VolumeClaim),
}

impl Storage {
    /// The kind that is given. The claim wins should both be given, which the schema excludes.
    pub fn kind(&self) -> StorageKind<'_> {
        static DEFAULT: EmptyDir = EmptyDir { size_limit: None };
        match (&self.volume_claim_template, &self.empty_dir) {
            (Some(claim), _) => StorageKind::Claim(claim),
            (None, Some(dir)) => StorageKind::EmptyDir(dir),
            (None, None) => StorageKind::EmptyDir(&DEFAULT),
        }
    }
}

impl Default for Storage {
    fn default() -> Self {
        Self {
            empty_dir: Some(EmptyDir::default()),
            volume_claim_template: None,
            retention_policy: RetentionPolicy::default(),
        }
    }
}

impl WhenGone {
    /// As Kubernetes writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retain => "Retain",
            Self::Delete => "Delete",
        }
    }
}

impl AccessMode {
    /// As Kubernetes writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReadWriteOnce => "ReadWriteOnce",
            Self::ReadWriteOncePod => "ReadWriteOncePod",
            Self::ReadWriteMany => "ReadWriteMany",
        }
    }
}

fn default_access_modes() -> Vec<AccessMode> {
    vec![AccessMode::ReadWriteOnce]
}
