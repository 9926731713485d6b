//! In which order members get a new configuration, and how many of them a cluster has by name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a new configuration gets to the members. None of them is restarted for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rollout {
    /// In which order. Example: `Staged`.
    #[serde(default)]
    pub strategy: RolloutStrategy,

    /// While this is true, a new configuration is validated and kept waiting. Example: `false`.
    #[serde(default)]
    pub paused: bool,
}

/// In which order members get a new configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RolloutStrategy {
    /// One after the other; the next one only when the one before runs it and is ready.
    #[default]
    Staged,
    /// All at the same time.
    AllAtOnce,
}

/// What kind of cluster it is, to be held to it: `PrimaryStandby` has two members, `MultiMaster` three or more.
/// Left out: any number. Example: `MultiMaster`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Topology {
    /// Two members: the first notifies, the second when the first doesn't.
    PrimaryStandby,
    /// Three members or more, better an odd number.
    MultiMaster,
}
