//! The pulse of all members: each is asked every few seconds, and when one's answer is another than before, its cluster
//! is looked at. No API server is needed for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::channel::mpsc::UnboundedSender;
use futures::{StreamExt, stream};
use kube::runtime::reflector::ObjectRef;

use crate::members::{Endpoint, MemberClient};
use crate::observe::ObservedPod;
use crate::plan::health::{Pulse, pause_after};
use crate::reconcile::Guarded;

/// Between two looks at what is due.
const TICK: Duration = Duration::from_millis(250);

/// How many members are asked at the same time.
const CONCURRENCY: usize = 64;

/// An alert about a failed member is posted again after this time, and ends by itself after three of them.
pub(crate) const ALERT_INTERVAL: Duration = Duration::from_secs(60);

/// What is known of the members of all clusters; only in memory.
#[derive(Debug, Default)]
pub struct Health(Mutex<HashMap<String, Watched>>);

#[derive(Debug)]
struct Watched {
    object: ObjectRef<Guarded>,
    interval: Duration,
    threshold: u32,
    next: Instant,
    members: HashMap<String, Member>,
    troubles: HashMap<String, Trouble>,
}

/// A member in one run of its pod.
#[derive(Debug)]
struct Member {
    pod: Option<String>,
    address: Option<Endpoint>,
    failures: u32,
    /// What it said; `None` when it did not answer.
    said: Option<Vec<String>>,
}

/// What was done about a member.
#[derive(Debug, Default)]
struct Trouble {
    restarts: u32,
    restarted: Option<Instant>,
    alerted: Option<Instant>,
}

impl Health {
    /// From now on these are the members of the cluster with UID `cluster`.
    pub fn watch(&self, cluster: &str, object: ObjectRef<Guarded>, settings: crate::crd::Health, pods: &[ObservedPod]) {
        let interval = Duration::from_secs(settings.interval_seconds.unsigned_abs().into());
        let mut all = self.lock();
        let watched = all.entry(cluster.to_owned()).or_insert_with(|| Watched {
            object: object.clone(),
            interval,
            threshold: 1,
            next: Instant::now() + interval,
            members: HashMap::new(),
            troubles: HashMap::new(),
        });
        watched.interval = interval;
        watched.threshold = settings.failure_threshold.unsigned_abs();
        watched.next = watched.next.min(Instant::now() + interval);
        let mut old = std::mem::take(&mut watched.members);
        for pod in pods {
            let same =
                old.remove(&pod.state.name).filter(|member| member.pod == pod.uid && member.address == pod.endpoint);
            let failures = same.map_or(0, |member| member.failures);
            let said = pod.state.report.as_ref().map(|report| report.peers.clone());
            let failures = if said.is_some() { 0 } else { failures };
            let member = Member { pod: pod.uid.clone(), address: pod.endpoint.clone(), failures, said };
            watched.members.insert(pod.state.name.clone(), member);
        }
    }

    /// Nobody is to be watched any more.
    pub fn forget(&self, cluster: &str) {
        self.lock().remove(cluster);
    }

    /// How each member of a cluster does.
    pub fn pulses(&self, cluster: &str) -> Vec<Pulse> {
        let all = self.lock();
        let members = all.get(cluster).into_iter().flat_map(|watched| &watched.members);
        let pulse = |(name, member): (&String, &Member)| Pulse {
            member: name.clone(),
            asked: member.address.is_some(),
            failures: member.failures,
        };
        let mut pulses: Vec<_> = members.map(pulse).collect();
        pulses.sort_by(|a, b| a.member.cmp(&b.member));
        pulses
    }

    /// Whether a member may be restarted once more; if so, that counts as done.
    pub fn may_restart(&self, cluster: &str, member: &str) -> bool {
        let mut all = self.lock();
        let Some(watched) = all.get_mut(cluster) else { return false };
        let trouble = watched.troubles.entry(member.to_owned()).or_default();
        let since = trouble.restarted.map(|at| at.elapsed());
        if since.is_some_and(|since| since < pause_after(trouble.restarts)) {
            return false;
        }
        // what helped for long enough is forgotten
        let helped = since.is_some_and(|since| since >= 4 * pause_after(trouble.restarts));
        trouble.restarts = if helped { 1 } else { trouble.restarts + 1 };
        trouble.restarted = Some(Instant::now());
        true
    }

    /// Whether the alert about a failed member has to be posted, again or for the first time.
    pub fn alert_due(&self, cluster: &str, member: &str) -> bool {
        let all = self.lock();
        let alerted = all.get(cluster).and_then(|watched| watched.troubles.get(member)?.alerted);
        alerted.is_none_or(|at| at.elapsed() >= ALERT_INTERVAL)
    }

    /// Members about which an alert was posted.
    pub fn alerted_of(&self, cluster: &str) -> Vec<String> {
        let all = self.lock();
        let troubles = all.get(cluster).into_iter().flat_map(|watched| &watched.troubles);
        troubles.filter(|(_, trouble)| trouble.alerted.is_some()).map(|(member, _)| member.clone()).collect()
    }

    /// The alert about a member was posted: that it fires, or that it's over.
    pub fn alerted(&self, cluster: &str, member: &str, fires: bool) {
        if let Some(watched) = self.lock().get_mut(cluster) {
            watched.troubles.entry(member.to_owned()).or_default().alerted = fires.then(Instant::now);
        }
    }

    /// Asks all members for ever; `changed` is told of clusters whose members answer differently than before.
    pub(crate) async fn run(self: Arc<Self>, members: MemberClient, changed: UnboundedSender<ObjectRef<Guarded>>) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            ticks.tick().await;
            let due = self.due();
            let asked = stream::iter(due).map(|question| {
                let members = members.clone();
                async move {
                    let report = members.report(&question.address).await;
                    (question, report.ok().map(|report| report.peers))
                }
            });
            let mut answers = asked.buffer_unordered(CONCURRENCY);
            while let Some((question, said)) = answers.next().await {
                if let Some(object) = self.answered(&question, said)
                    && changed.unbounded_send(object).is_err()
                {
                    return;
                }
            }
        }
    }

    fn due(&self) -> Vec<Question> {
        let now = Instant::now();
        let mut all = self.lock();
        let mut due = Vec::new();
        for (cluster, watched) in all.iter_mut().filter(|(_, watched)| watched.next <= now) {
            watched.next = now + watched.interval;
            for (member, Member { pod, address, .. }) in &watched.members {
                let Some(address) = address.clone() else { continue };
                due.push(Question { cluster: cluster.clone(), member: member.clone(), pod: pod.clone(), address });
            }
        }
        due
    }

    fn answered(&self, question: &Question, mut said: Option<Vec<String>>) -> Option<ObjectRef<Guarded>> {
        let mut all = self.lock();
        let watched = all.get_mut(&question.cluster)?;
        let member = watched.members.get_mut(&question.member).filter(|member| member.pod == question.pod)?;
        if let Some(said) = &mut said {
            said.sort();
        }
        member.failures = if said.is_some() { 0 } else { member.failures.saturating_add(1) };
        let changed = member.said != said || member.failures == watched.threshold;
        member.said = said;
        changed.then(|| watched.object.clone())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Watched>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Question {
    cluster: String,
    member: String,
    pod: Option<String>,
    address: Endpoint,
}
