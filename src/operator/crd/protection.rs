//! What protects members from others: from those who drain nodes, and from those who have no business with them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many members may be taken away at once by who drains nodes. There is a PodDisruptionBudget for it while the
/// cluster has more than one member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DisruptionBudget {
    /// Whether there is such a budget. Example: `true`.
    #[serde(default = "yes")]
    pub enabled: bool,

    /// How many members may be away at once. Example: `1`.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 98))]
    pub max_unavailable: i32,
}

/// Who may connect to the members.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NetworkAccess {
    /// Whether there is a NetworkPolicy: gossip between members only, the API for whom `webFrom` names. Example: `true`.
    #[serde(default)]
    pub enabled: bool,

    /// Labels of namespaces from which the API may be reached; the operator's must be among them. Left out: from
    /// everywhere. Example: `[{kubernetes.io/metadata.name: monitoring}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub web_from: Vec<std::collections::BTreeMap<String, String>>,
}

impl Default for DisruptionBudget {
    fn default() -> Self {
        Self { enabled: true, max_unavailable: 1 }
    }
}

const fn yes() -> bool {
    true
}

const fn one() -> i32 {
    1
}
