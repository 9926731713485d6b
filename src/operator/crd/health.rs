//! How members are watched, and what is done about one that doesn't answer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the operator watches members. A member that answers neither it nor its peers is restarted while a majority of the
/// others answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// Seconds between two questions to each member. Example: `5`.
    #[serde(default = "default_interval")]
    #[schemars(range(min = 1, max = 300))]
    pub interval_seconds: i32,

    /// So many questions in a row without an answer count as a failure. Example: `3`.
    #[serde(default = "default_threshold")]
    #[schemars(range(min = 1, max = 100))]
    pub failure_threshold: i32,

    /// Whether a member that failed is restarted, less and less often if that doesn't help. Example: `true`.
    #[serde(default = "yes")]
    pub restart: bool,

    /// Whether the alert `AlertmanagerNodeFailure` is posted to a healthy member, and resolved. Example: `true`.
    #[serde(default = "yes")]
    pub alert: bool,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            interval_seconds: default_interval(),
            failure_threshold: default_threshold(),
            restart: true,
            alert: true,
        }
    }
}

const fn default_interval() -> i32 {
    5
}

const fn default_threshold() -> i32 {
    3
}

const fn yes() -> bool {
    true
}
