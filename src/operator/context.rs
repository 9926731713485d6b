//! What all reconciles share: the way to the API server and to members, and how long whose turn has lasted.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use k8s_openapi::jiff::SignedDuration;
use kube::Client;
use tokio::sync::watch;

use crate::caches::Caches;
use crate::health::Health;
use crate::members::MemberClient;
use crate::metrics::Metrics;

/// What one reconcile needs: what all share, and the copies of objects of its namespace.
pub struct Context {
    shared: Shared,
    pub(crate) caches: Caches,
    filled: watch::Receiver<bool>,
}

/// Shared by all reconciles, of all namespaces; cheap to clone.
#[derive(Clone)]
pub struct Shared {
    /// The way to members.
    pub members: MemberClient,
    /// The image of members when the user names none.
    pub worker_image: String,
    /// How long it takes at most until all members have a certificate that was published.
    pub certificate_overlap: SignedDuration,
    /// What the operator counts.
    pub metrics: Arc<Metrics>,
    /// Whose turn it is in each cluster.
    pub turns: Arc<Turns>,
    /// How the members do.
    pub health: Arc<Health>,
    client: Client,
}

impl Context {
    /// `filled` becomes true once the copies are there.
    pub(crate) fn new(shared: &Shared, caches: Caches, filled: watch::Receiver<bool>) -> Self {
        Self { shared: shared.clone(), caches, filled }
    }

    /// Waits until the copies are there. False when the operator is ending.
    pub(crate) async fn is_filled(&self) -> bool {
        self.filled.clone().wait_for(|filled| *filled).await.is_ok()
    }
}

impl Deref for Context {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}

impl Shared {
    /// With nothing counted or remembered yet.
    pub fn new(
        client: Client,
        members: MemberClient,
        worker_image: String,
        certificate_overlap: SignedDuration,
    ) -> Self {
        Self {
            members,
            worker_image,
            certificate_overlap,
            metrics: Arc::default(),
            turns: Arc::default(),
            health: Arc::default(),
            client,
        }
    }

    /// The way to the API server.
    pub const fn client(&self) -> &Client {
        &self.client
    }
}

/// Which member of each cluster is being given which configuration, and since when. Only in memory: an operator that
/// starts anew has new patience.
#[derive(Debug, Default)]
pub struct Turns(Mutex<HashMap<String, Turn>>);

#[derive(Debug)]
struct Turn {
    member: String,
    hash: String,
    since: Instant,
    reminders: u32,
}

impl Turns {
    /// How long it has been the turn of `member` for the configuration `hash` in the cluster whose UID is `cluster`.
    pub fn waited(&self, cluster: &str, member: &str, hash: &str) -> Duration {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match turns.get(cluster) {
            Some(turn) if turn.member == member && turn.hash == hash => turn.since.elapsed(),
            _ => {
                let (member, hash) = (member.to_owned(), hash.to_owned());
                turns.insert(cluster.to_owned(), Turn { member, hash, since: Instant::now(), reminders: 0 });
                Duration::ZERO
            }
        }
    }

    /// The number of the reminder that is due now, if one is: every `every`, counted from 1.
    pub fn reminder(&self, cluster: &str, every: Duration) -> Option<u32> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = turns.get_mut(cluster)?;
        let next = turn.reminders + 1;
        (turn.since.elapsed() >= every * next).then(|| {
            turn.reminders = next;
            next
        })
    }

    /// Nobody's turn: all members run what they shall, or the cluster is gone.
    pub fn over(&self, cluster: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(cluster);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_lasts_until_member_or_configuration_change() {
        let turns = Turns::default();
        assert_eq!(turns.waited("c", "m-0", "a"), Duration::ZERO);
        assert!(turns.waited("c", "m-0", "a") > Duration::ZERO);
        assert_eq!(turns.waited("c", "m-1", "a"), Duration::ZERO);
        assert_eq!(turns.waited("c", "m-1", "b"), Duration::ZERO);
        assert_eq!(turns.waited("other", "m-1", "b"), Duration::ZERO);
        turns.over("c");
        assert_eq!(turns.waited("c", "m-1", "b"), Duration::ZERO);
    }

    #[test]
    fn reminders_come_one_by_one() {
        let turns = Turns::default();
        assert_eq!(turns.reminder("c", Duration::ZERO), None);
        turns.waited("c", "m-0", "a");
        assert_eq!(turns.reminder("c", Duration::ZERO), Some(1));
        assert_eq!(turns.reminder("c", Duration::ZERO), Some(2));
        assert_eq!(turns.reminder("c", Duration::from_secs(3600)), None);
    }
}
