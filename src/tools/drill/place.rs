//! Where a cluster runs, and what one can do to it there.

use async_trait::async_trait;

use super::acts::Act;
use super::stage::{Member, Stage};

/// Why something was not done to a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It can't be done here; that says nothing of the cluster.
    NotHere(String),
    /// It should have been.
    Failed(String),
}

/// A laptop, or a namespace of Kubernetes.
#[async_trait]
pub(super) trait Place: Send + Sync {
    /// Whether the act can be rehearsed here, as far as one knows before.
    fn allows(&self, act: Act) -> Result<(), Trouble>;

    /// Begins an act that is done to members or to the configuration.
    async fn break_it(&mut self, act: Act, target: &Member) -> Result<(), Trouble>;

    /// Whether who looks after members has noticed a killed one or a wrong configuration.
    async fn is_noticed(&self, act: Act, target: &Member) -> Result<(), String>;

    /// Ends it.
    async fn mend(&mut self, act: Act, target: &Member) -> Result<(), String>;

    /// Afterwards: what the rehearsal left is taken away. What can't be is told.
    async fn strike(&mut self, stage: &Stage) -> Result<(), String>;

    /// What it said last, if it says anything, for who wonders why it doesn't come up.
    fn last_words(&self) -> Option<String>;

    /// Whether the cluster goes on after the rehearsal, and alerts must end with it.
    fn stays(&self) -> bool;
}
