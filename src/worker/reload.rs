//! Reads the config file at start and again when asked to, keeps the running one when the new one is bad.

use alerting::config::ConfigHash;
use alerting::time::Timestamp;

/// What came of the last reload, and what runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReloadStatus {
    /// Hash of the running config.
    pub hash: ConfigHash,
    /// Of the running config: value of `alertmanager_config_hash`.
    pub md5_hash: u64,
    /// Whether the last attempt succeeded.
    pub last_success: bool,
    /// When a config was last taken into use.
    pub last_success_time: Timestamp,
    /// Why the last attempt failed, in one line.
    pub error: Option<String>,
}
