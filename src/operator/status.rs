//! The fifth step: what the operator says about a cluster. Pure but for [`fn@write`].

use kube::api::PostParams;
use kube::{Api, Client, ResourceExt};

use crate::crd::{
    AlertmanagerCluster, AlertmanagerClusterStatus, BackupStatus, Condition, ConditionStatus, ConditionType,
    ConfigStatus, ReplicaConfigStatus,
};
use crate::plan::health::{apart, quorum};
use crate::plan::rollout::{MemberState, Step, Waiting, short};
use crate::plan::{Standing, selector_text};
use crate::validate::Refused;

/// What is known after one reconcile.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The generation of the object that was reconciled.
    pub generation: Option<i64>,
    /// The name of the object.
    pub object: String,
    /// The hash that the members shall run; `None` until there has been a valid configuration.
    pub wanted_hash: Option<String>,
    /// Why the source's configuration was not taken.
    pub refused: Option<Refused>,
    /// The members wanted, in the order of their ordinals; `None` for one without a pod.
    pub members: Vec<(String, Option<MemberState>)>,
    /// The hash of a valid configuration that is kept waiting.
    pub held_back: Option<String>,
    /// Whether there shall be no members for now.
    pub hibernates: bool,
    /// How the members' volumes stand.
    pub storage: Standing,
    /// How backups went, and how they stand, where they are wanted.
    pub backup: Option<(BackupStatus, Standing)>,
    /// Whether an authority for gossip is being replaced.
    pub rotates: bool,
    /// How the certificates for gossip stand.
    pub certificates: Standing,
    /// How many pods there are, those of members no longer wanted included.
    pub pods: usize,
    /// How far the configuration's rollout is.
    pub step: Step,
    /// What the API server refused.
    pub rejected: Option<String>,
    /// Whether all pods are as the newest template says.
    pub pods_current: bool,
}

/// Where one condition stands.
struct Stand {
    type_: ConditionType,
    holds: ConditionStatus,
    reason: &'static str,
    message: String,
}

/// The status after `previous`, given `facts`, at the time `now` (RFC 3339). Only a condition whose status changes gets
/// `now` as its time of transition.
pub fn next(previous: Option<&AlertmanagerClusterStatus>, facts: &Facts, now: &str) -> AlertmanagerClusterStatus {
    let condition = |stand: Stand| {
        let before = previous.and_then(|status| status.condition(stand.type_));
        let since = before.filter(|before| before.status == stand.holds).map(|before| &before.last_transition_time);
        Condition {
            type_: stand.type_.as_str().to_owned(),
            status: stand.holds,
            observed_generation: facts.generation,
            last_transition_time: since.map_or_else(|| now.to_owned(), Clone::clone),
            reason: stand.reason.to_owned(),
            message: stand.message,
        }
    };
    let before = previous.and_then(|status| status.config.as_ref());
    AlertmanagerClusterStatus {
        observed_generation: facts.generation,
        replicas: i32::try_from(facts.pods).unwrap_or(i32::MAX),
        ready_replicas: i32::try_from(facts.in_service()).unwrap_or(i32::MAX),
        selector: Some(selector_text(&facts.object)),
        config: facts.wanted_hash.as_ref().map(|hash| ConfigStatus {
            hash: hash.clone(),
            short_hash: short(hash).to_owned(),
            programmed_hash: match facts.step {
                Step::Done => Some(hash.clone()),
                _ => before.and_then(|before| before.programmed_hash.clone()),
            },
            replicas: facts.members.iter().map(replica).collect(),
        }),
        backup: facts.backup.as_ref().map(|(status, _)| status.clone()),
        conditions: facts.stands().into_iter().map(condition).collect(),
    }
}

/// The status of a cluster that is left alone: what was last seen, and that nobody looks any more.
pub fn paused(
    previous: Option<&AlertmanagerClusterStatus>,
    generation: Option<i64>,
    now: &str,
) -> AlertmanagerClusterStatus {
    let mut status = previous.cloned().unwrap_or_default();
    let before = status.condition(ConditionType::Reconciling).filter(|c| c.status == ConditionStatus::False);
    let last_transition_time = before.map_or_else(|| now.to_owned(), |before| before.last_transition_time.clone());
    let condition = Condition {
        type_: ConditionType::Reconciling.as_str().to_owned(),
        status: ConditionStatus::False,
        observed_generation: generation,
        last_transition_time,
        reason: "Paused".to_owned(),
        message: "the cluster is left alone while spec.paused is true".to_owned(),
    };
    status.conditions.retain(|c| c.type_ != condition.type_);
    status.conditions.push(condition);
    status.observed_generation = generation;
    status
}

/// Writes `status` unless the object has it already. Says whether it wrote.
///
/// # Errors
/// When the API server does not take it; a conflict means that the object has changed in between.
pub async fn write(
    client: &Client,
    object: &AlertmanagerCluster,
    status: AlertmanagerClusterStatus,
) -> Result<bool, kube::Error> {
    if object.status.as_ref() == Some(&status) {
        return Ok(false);
    }
    let api = Api::<AlertmanagerCluster>::namespaced(client.clone(), &object.namespace().unwrap_or_default());
    // with the resource version that was read: transition times are never computed from an outdated status
    let mut newer = object.clone();
    newer.status = Some(status);
    newer.metadata.managed_fields = None;
    api.replace_status(&object.name_any(), &PostParams::default(), &newer).await?;
    Ok(true)
}

impl Facts {
    /// Whether there is nothing left to do.
    pub fn settled(&self) -> bool {
        self.ready().0
    }

    fn in_service(&self) -> usize {
        self.members.iter().filter(|(_, state)| state.as_ref().is_some_and(|state| state.in_service)).count()
    }

    fn programmed(&self) -> usize {
        let runs = |state: &MemberState| state.report.as_ref().map(|report| &report.hash) == self.wanted_hash.as_ref();
        self.members.iter().filter(|(_, state)| state.as_ref().is_some_and(runs)).count()
    }

    fn stands(&self) -> Vec<Stand> {
        let (ready, ready_reason, ready_message) = self.ready();
        let stalled = self.stalled();
        let asleep = self.hibernates && self.pods == 0;
        let busy = !ready && stalled.is_none() && !asleep;
        let stand = |type_, holds: bool, reason, message| Stand {
            type_,
            holds: if holds { ConditionStatus::True } else { ConditionStatus::False },
            reason,
            message,
        };
        let reconciling =
            if busy { (ready_reason, ready_message.clone()) } else { ("Idle", "nothing to do".to_owned()) };
        let is_stalled = stalled.is_some();
        let stalled = stalled.unwrap_or(("Progressing", "nothing stands in the way".to_owned()));
        let valid = match &self.refused {
            None => ("Valid", format!("configuration {} is valid", self.hash_text())),
            Some(refused) => (refused.reason(), refused.to_string()),
        };
        let programmed = self.config_programmed();
        let backup = self.backup.as_ref().map(|(status, standing)| {
            let mut stand = part(ConditionType::BackupHealthy, standing);
            if *status == BackupStatus::default() {
                // before the first
                stand.holds = ConditionStatus::Unknown;
            }
            stand
        });
        let all = [
            stand(ConditionType::Ready, ready, ready_reason, ready_message),
            stand(ConditionType::Reconciling, busy, reconciling.0, reconciling.1),
            stand(ConditionType::Stalled, is_stalled, stalled.0, stalled.1),
            stand(ConditionType::ConfigValid, self.refused.is_none(), valid.0, valid.1),
            stand(ConditionType::ConfigProgrammed, programmed.0, programmed.1, programmed.2),
            self.available(),
            self.gossip_converged(),
            part(ConditionType::StorageReady, &self.storage),
            part(ConditionType::CertificatesReady, &self.certificates),
        ];
        all.into_iter().chain(backup).collect()
    }

    fn available(&self) -> Stand {
        let (holds, reason) = match self.members.len() {
            0 => (ConditionStatus::False, "Hibernating"),
            wanted if self.in_service() >= quorum(wanted) => (ConditionStatus::True, "Majority"),
            _ => (ConditionStatus::False, "NoMajority"),
        };
        Stand { type_: ConditionType::Available, holds, reason, message: self.service_text() }
    }

    fn gossip_converged(&self) -> Stand {
        let answers = |state: &Option<MemberState>| state.as_ref().is_some_and(|state| state.report.is_some());
        let silent: Vec<&str> =
            self.members.iter().filter(|(_, state)| !answers(state)).map(|(name, _)| name.as_str()).collect();
        let apart = apart(&self.members);
        let (holds, reason, message) = if self.members.is_empty() {
            (ConditionStatus::Unknown, "Hibernating", "there are no members for now".to_owned())
        } else if !apart.is_empty() {
            let sees_not = apart.iter().map(|(by, unseen)| format!("{by} does not see {}", unseen.join(", ")));
            (ConditionStatus::False, "MembersApart", sees_not.collect::<Vec<_>>().join("; "))
        } else if !silent.is_empty() {
            (ConditionStatus::False, "MembersSilent", format!("no answer from {}", silent.join(", ")))
        } else {
            (ConditionStatus::True, "Converged", format!("all {} members see each other", self.members.len()))
        };
        Stand { type_: ConditionType::GossipConverged, holds, reason, message }
    }

    fn ready(&self) -> (bool, &'static str, String) {
        if let Some((reason, message)) = self.stalled() {
            return (false, reason, format!("{}; {message}", self.service_text()));
        }
        if self.hibernates {
            let message = format!("{} pods exist, none are wanted while spec.hibernate is true", self.pods);
            return (false, "Hibernating", message);
        }
        let (programmed, reason, message) = self.config_programmed();
        let wanted = self.members.len();
        if !programmed {
            return (false, reason, message);
        }
        if self.in_service() < wanted {
            (false, "MembersNotReady", self.service_text())
        } else if self.pods > wanted {
            (false, "ScalingDown", format!("{} pods exist, {wanted} are wanted", self.pods))
        } else if !self.pods_current {
            (false, "UpdatingPods", "pods of an earlier template are being replaced".to_owned())
        } else if self.gossip_converged().holds != ConditionStatus::True {
            let gossip = self.gossip_converged();
            (false, gossip.reason, gossip.message)
        } else {
            (true, "AllMembersReady", format!("{}, with configuration {}", self.service_text(), self.hash_text()))
        }
    }

    fn stalled(&self) -> Option<(&'static str, String)> {
        if let Some(refused) = &self.refused {
            return Some((refused.reason(), refused.to_string()));
        }
        if let Some(message) = &self.rejected {
            return Some(("ApplyRejected", message.clone()));
        }
        match &self.step {
            Step::Stopped { .. } => Some(("RolloutStopped", self.step_text())),
            Step::Done | Step::Tell { .. } | Step::Reload { .. } | Step::Wait { .. } => None,
        }
    }

    fn config_programmed(&self) -> (bool, &'static str, String) {
        let Some(_) = &self.wanted_hash else {
            return (false, "NoConfig", "there has been no valid configuration yet".to_owned());
        };
        let text =
            format!("{} of {} members run configuration {}", self.programmed(), self.members.len(), self.hash_text());
        let reason = match &self.step {
            Step::Done => match &self.held_back {
                Some(hash) => {
                    let waits = format!("{text}; {} waits until spec.rollout.paused is false", short(hash));
                    return (false, "RolloutPaused", waits);
                }
                None => return (true, "Programmed", text),
            },
            Step::Tell { .. } | Step::Reload { .. } => "RollingOut",
            Step::Wait { why: Waiting::NoAnswer, .. } => "RollingOut",
            Step::Wait { .. } => "MembersNotReady",
            Step::Stopped { .. } => "RolloutStopped",
        };
        (false, reason, format!("{text}; {}", self.step_text()))
    }

    fn service_text(&self) -> String {
        let text = format!("{} of {} members are ready", self.in_service(), self.members.len());
        let states = self.members.iter().filter_map(|(name, state)| Some((name, state.as_ref()?)));
        let mut troubles = states.filter_map(|(name, state)| Some((name, state.trouble.as_ref()?)));
        match troubles.next() {
            Some((name, trouble)) => format!("{text}; {name}: {trouble}"),
            None => text,
        }
    }

    fn hash_text(&self) -> &str {
        self.wanted_hash.as_deref().map_or("none", short)
    }

    fn step_text(&self) -> String {
        match &self.step {
            Step::Done => "all have it".to_owned(),
            Step::Tell { member } | Step::Reload { member } => format!("{member} is loading it"),
            Step::Wait { member, why } => format!("waiting for {member}: {why}"),
            Step::Stopped { member, error } => format!("stopped at {member}: {error}"),
        }
    }
}

fn part(type_: ConditionType, standing: &Standing) -> Stand {
    let holds = if standing.ready { ConditionStatus::True } else { ConditionStatus::False };
    Stand { type_, holds, reason: standing.reason, message: standing.message.clone() }
}

fn replica((name, state): &(String, Option<MemberState>)) -> ReplicaConfigStatus {
    let report = state.as_ref().and_then(|state| state.report.as_ref());
    ReplicaConfigStatus {
        name: name.clone(),
        hash: report.map(|report| report.hash.clone()),
        ready: report.is_some_and(|report| report.ready),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
