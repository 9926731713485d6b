//! One operator at a time: whoever holds the Lease works, the others stand by.
//!
//! As client-go does it: a Lease counts as given up when its holder has not renewed it for its duration *as seen here*,
//! so that clocks that differ do no harm; and it is written only in the version that was read.

use std::time::{Duration, Instant};

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use k8s_openapi::jiff::Timestamp;
use kube::api::PostParams;
use kube::{Api, Client};

/// How long a holder may be silent.
const DURATION: Duration = Duration::from_secs(30);
/// How often it renews.
const RENEWAL: Duration = Duration::from_secs(10);
/// How often the others look, and the holder tries again.
const RETRY: Duration = Duration::from_secs(2);
/// When a holder that can't renew stops working: before others may begin.
const DEADLINE: Duration = Duration::from_secs(20);

/// A Lease that this operator wants or has.
#[derive(Clone, Debug)]
pub(crate) struct Election {
    api: Api<Lease>,
    name: String,
    identity: String,
}

/// What a look at a Lease says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sight {
    holder: String,
    renewals: (Option<MicroTime>, Option<i32>),
}

impl Election {
    pub(crate) fn new(client: Client, namespace: &str, name: &str, identity: &str) -> Self {
        Self { api: Api::namespaced(client, namespace), name: name.to_owned(), identity: identity.to_owned() }
    }

    /// Waits until this operator holds the Lease.
    pub(crate) async fn won(&self) {
        let mut seen: Option<(Sight, Instant)> = None;
        let mut told = String::new();
        loop {
            match self.api.get_opt(&self.name).await {
                Ok(lease) => {
                    let sight = lease.as_ref().map(sight);
                    let free = match (&sight, &seen) {
                        (None, _) => true,
                        (Some(now), _) if now.holder.is_empty() || now.holder == self.identity => true,
                        (Some(now), Some((before, since))) => now == before && since.elapsed() >= DURATION,
                        (Some(_), None) => false,
                    };
                    if free && self.write(lease).await.is_ok() {
                        tracing::info!(lease = self.name, identity = self.identity, "this operator leads");
                        return;
                    }
                    if let Some(now) = sight {
                        if now.holder != told {
                            tracing::info!(lease = self.name, leader = now.holder, "standing by for another operator");
                            told.clone_from(&now.holder);
                        }
                        if seen.as_ref().is_none_or(|(before, _)| *before != now) {
                            seen = Some((now, Instant::now()));
                        }
                    }
                }
                Err(error) => {
                    tracing::warn!(lease = self.name, error = crate::error_chain(&error), "reading the lease failed");
                }
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    /// Renews the Lease until that fails for too long, or another operator has it.
    pub(crate) async fn lost(&self) {
        let mut renewed = Instant::now();
        loop {
            tokio::time::sleep(if renewed.elapsed() < RENEWAL { RENEWAL } else { RETRY }).await;
            match self.renew().await {
                Ok(true) => renewed = Instant::now(),
                Ok(false) => return,
                Err(error) => {
                    tracing::warn!(lease = self.name, error = crate::error_chain(&error), "renewing the lease failed");
                    if renewed.elapsed() >= DEADLINE {
                        return;
                    }
                }
            }
        }
    }

    /// Lets another operator begin at once.
    pub(crate) async fn give_up(&self) {
        let Ok(Some(mut lease)) = self.api.get_opt(&self.name).await else { return };
        if sight(&lease).holder == self.identity {
            lease.spec.get_or_insert_default().holder_identity = Some(String::new());
            if let Err(error) = self.api.replace(&self.name, &PostParams::default(), &lease).await {
                tracing::debug!(error = crate::error_chain(&error), "the lease was not given up");
            }
        }
    }

    async fn renew(&self) -> Result<bool, kube::Error> {
        let lease = self.api.get_opt(&self.name).await?;
        if lease.as_ref().is_some_and(|lease| sight(lease).holder != self.identity) {
            return Ok(false);
        }
        self.write(lease).await.map(|()| true)
    }

    async fn write(&self, before: Option<Lease>) -> Result<(), kube::Error> {
        let now = MicroTime(Timestamp::now());
        let Some(mut lease) = before else {
            let metadata = ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() };
            let spec = Some(self.held(LeaseSpec::default(), now));
            return self.api.create(&PostParams::default(), &Lease { metadata, spec }).await.map(drop);
        };
        lease.spec = Some(self.held(lease.spec.take().unwrap_or_default(), now));
        self.api.replace(&self.name, &PostParams::default(), &lease).await.map(drop)
    }

    fn held(&self, mut spec: LeaseSpec, now: MicroTime) -> LeaseSpec {
        if spec.holder_identity.as_deref() != Some(&self.identity) {
            spec.lease_transitions = Some(spec.lease_transitions.map_or(0, |count| count + 1));
            spec.acquire_time = Some(now.clone());
        }
        spec.holder_identity = Some(self.identity.clone());
        spec.lease_duration_seconds = i32::try_from(DURATION.as_secs()).ok();
        spec.renew_time = Some(now);
        spec
    }
}

fn sight(lease: &Lease) -> Sight {
    let spec = lease.spec.clone().unwrap_or_default();
    Sight { holder: spec.holder_identity.unwrap_or_default(), renewals: (spec.renew_time, spec.lease_transitions) }
}
