//! Backups, and starting from one.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// A CronJob that backs silences, notification log, alerts and configuration (without secrets) up.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Backup {
    /// When, as cron has it: minute, hour, day of month, month, day of week. Example: `"0 3 * * *"`.
    #[schemars(length(min = 1, max = 256))]
    pub schedule: String,

    /// Whose time that is. Left out: that of the controller manager. Example: `Europe/Berlin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub time_zone: Option<String>,

    /// While this is true, no backups are taken. Example: `false`.
    #[serde(default)]
    pub suspend: bool,

    /// For how many days backups are kept; the newest is never removed. Example: `30`.
    #[serde(default = "default_keep_days")]
    #[schemars(range(min = 1, max = 36500))]
    pub keep_days: u32,

    /// Where backups are kept. Example: `{url: "s3://backups/main", credentialsSecretName: backup-s3}`.
    pub place: BackupPlace,
}

/// The backup that a new cluster starts with: each member whose storage is empty takes it, unless another member is up,
/// whose state is newer. Nobody is paged again about what the backup knows was told. Setting or removing it later restarts
/// members, one by one.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RestoreFrom {
    /// Where backups are kept. Example: `{url: "s3://backups/main", credentialsSecretName: backup-s3}`.
    pub place: BackupPlace,

    /// Which one. Left out: the newest, and none where there is none yet. Example: `20260131T030000000Z`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9]{8}T[0-9]{9}Z$"))]
    pub name: Option<String>,
}

/// Where backups are kept: exactly one of `url` and `claimName`.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.url) != has(self.claimName)")
    .message("exactly one of url and claimName must be given"))]
pub struct BackupPlace {
    /// A bucket, with a path in it: `s3://`, `gs://` or `az://`. Example: `s3://backups/main`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024), regex(pattern = r"^(s3|s3a|gs|az|abfs|abfss|https)://[^ ]+$"))]
    pub url: Option<String>,

    /// A PersistentVolumeClaim in the same namespace; where members start from it, on several nodes at once.
    /// Example: `alertmanager-backups`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub claim_name: Option<String>,

    /// A Secret in the same namespace whose keys are environment variables: the credentials, as the bucket's own tools take
    /// them (`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT`, `GOOGLE_SERVICE_ACCOUNT_KEY`, `AZURE_STORAGE_ACCOUNT_KEY`, …). The operator
    /// never reads it. Example: `backup-s3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub credentials_secret_name: Option<String>,
}

const fn default_keep_days() -> u32 {
    30
}
