//! The five steps: observe (IO), validate, plan, apply (IO), status (IO). One look, one step of a rollout; nothing here
//! waits for a member.

use std::sync::Arc;
use std::time::{Duration, Instant};

use k8s_openapi::jiff::Timestamp;
use kube::core::DeserializeGuard;
use kube::runtime::controller::Action;
use kube::runtime::reflector::ObjectRef;
use kube::{Resource, ResourceExt};

use crate::apply::{self, Applied, ApplyError};
use crate::backups;
use crate::certificates::{CertificateError, Certificates, Subject};
use crate::context::Context;
use crate::crd::{
    AlertmanagerCluster, AlertmanagerClusterSpec, AlertmanagerClusterStatus, RolloutStrategy, StorageKind, Topology,
};
use crate::events::{self, Notice, Severity};
use crate::heal::heal;
use crate::kube::{self as kube_objects, Objects, Rendering, inherit};
use crate::members::MemberError;
use crate::observe::{self, ObserveError, Observed, ObservedPod};
use crate::plan::recycle::{PodStorage, next_to_replace};
use crate::plan::renew::{PodAge, next_to_renew};
use crate::plan::rollout::{MemberState, Step, Waiting, next_step};
use crate::plan::{ClusterPlan, Standing, volumes, web_file};
use crate::status::{self, Facts};
use crate::validate;

/// An object as the controller gets it: one that cannot be read must not hide the others.
pub type Guarded = DeserializeGuard<AlertmanagerCluster>;

/// The next look while a member is at it.
const SOON: Duration = Duration::from_millis(300);
/// The next look while time itself is awaited, and the next try of a reconcile that failed.
const LATER: Duration = Duration::from_secs(5);
/// The next look while something that Kubernetes tells of is awaited, should Kubernetes not tell.
const UNTOLD: Duration = Duration::from_secs(30);
/// The next try of what failed.
const RETRY: Duration = Duration::from_secs(10);
/// The next look at a cluster that is well.
const WELL: Duration = Duration::from_secs(60);
/// How often the kubelet is told again.
const REMIND: Duration = Duration::from_secs(5);
/// How long a member's refusal may still be about the files from before.
const REFUSAL_GRACE: Duration = Duration::from_secs(3);

/// Why a reconcile was given up, to be tried again.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The cluster could not be seen.
    #[error("observing the cluster")]
    Observe(#[from] ObserveError),
    /// An object could not be applied.
    #[error("applying the cluster's objects")]
    Apply(#[from] ApplyError),
    /// Certificates could not be made.
    #[error("making certificates for the members")]
    Certificates(#[from] CertificateError),
    /// The operator is ending.
    #[error("waiting for the objects to be known: the operator is ending")]
    Ending,
    /// The API server doesn't say how backups went.
    #[error("looking at the cluster's backups")]
    Backups(#[source] kube::Error),
    /// The status could not be written.
    #[error("writing the status")]
    Status(#[source] kube::Error),
    /// The object has changed since it was read.
    #[error("writing the status of an object that has changed meanwhile")]
    Outdated,
}

/// One look at the cluster of `object`, and what follows from it.
///
/// # Errors
/// When the API server does not answer or refuses; what a user can cause goes into the status instead.
pub async fn reconcile(object: Arc<Guarded>, context: Arc<Context>) -> Result<Action, ReconcileError> {
    if !context.is_filled().await {
        return Err(ReconcileError::Ending);
    }
    let started = Instant::now();
    let result = match &object.0 {
        Ok(cluster) if cluster.metadata.deletion_timestamp.is_some() => {
            context.turns.over(&cluster.uid().unwrap_or_default());
            context.health.forget(&cluster.uid().unwrap_or_default());
            Ok(Action::await_change())
        }
        Ok(cluster) if cluster.spec.paused => pause(cluster, &context).await,
        Ok(cluster) => reconcile_cluster(cluster, &context).await,
        Err(invalid) => {
            let name = object.name_any();
            tracing::warn!(
                cluster = name,
                namespace = object.namespace(),
                error = invalid.error,
                "object is unreadable"
            );
            Ok(Action::await_change())
        }
    };
    context.metrics.reconciled(result.is_ok(), started.elapsed());
    result
}

/// What to do after an error.
pub fn on_error(object: Arc<Guarded>, error: &ReconcileError, _: Arc<Context>) -> Action {
    let name = object.name_any();
    if matches!(error, ReconcileError::Outdated) {
        tracing::debug!(cluster = name, namespace = object.namespace(), "object has changed meanwhile, looking again");
        return Action::requeue(SOON);
    }
    let text = crate::error_chain(error);
    tracing::warn!(cluster = name, namespace = object.namespace(), error = text, "reconcile failed, trying again");
    Action::requeue(LATER)
}

async fn reconcile_cluster(object: &AlertmanagerCluster, context: &Context) -> Result<Action, ReconcileError> {
    let namespace = object.namespace().unwrap_or_default();
    let name = object.name_any();
    let uid = object.uid().unwrap_or_default();
    let Some(owner) = object.controller_owner_ref(&()) else { return Ok(Action::await_change()) };

    let mut plan = ClusterPlan::new(&namespace, &name, &object.spec, None);
    let observed = observe::observe(context.client(), &context.caches, &context.members, object, &plan).await?;
    let verdict = validate::choose(observed.given.clone(), observed.live.last_good());
    let running = observed.live.last_good().filter(|_| object.spec.rollout.paused);
    let held_back = match (&running, &verdict.config) {
        (Some(running), Some(wanted)) if running.hash != wanted.hash => Some(wanted.hash.clone()),
        _ => None,
    };
    let sources = if held_back.is_some() { String::new() } else { verdict.version };
    plan.config = running.or(verdict.config);
    let certificates = certificates(context, object, &plan, &observed)?;
    let web = web_file(&object.spec.web, observed.users.as_ref());
    let web_token = observed.live.web_token().unwrap_or_else(new_token);
    let rendering = Rendering {
        plan: &plan,
        spec: &object.spec,
        worker_image: &context.worker_image,
        certificates: certificates.as_ref(),
        web_file: web.as_ref().ok().and_then(Option::as_deref),
        web_token: &web_token,
        sources: &sources,
        owner: &owner,
    };
    let (applied, rejected) = match web.as_ref().map_err(ToString::to_string).map(|_| rendering.objects()) {
        Err(lack) => (Applied::default(), Some(lack)),
        Ok(Ok(mut objects)) => {
            if let Some(set) = &mut objects.stateful_set {
                let operator = format!("{} {}", env!("CARGO_PKG_VERSION"), context.worker_image);
                inherit(set, observed.live.stateful_set.as_ref(), &object.spec, &operator);
            }
            match apply_all(context, object, &plan, &objects, &observed, &uid).await {
                Ok(applied) => (applied, None),
                Err(error) if error.is_final() => (Applied::default(), Some(error.to_string())),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Err(error)) => (Applied::default(), Some(crate::error_chain(&error))),
    };
    if !applied.written.is_empty() {
        tracing::info!(cluster = name, namespace, written = applied.written.join(", "), "applied");
        context.metrics.objects_written(applied.written.len());
    }
    if applied.created && object.status.is_none() && verdict.refused.is_none() {
        // there is nothing to say yet that the next look, at what was made, doesn't say better
        return Ok(Action::requeue(SOON));
    }
    let seen = object.status.as_ref().and_then(|status| status.observed_generation);
    if let Some(advice) = odd_advice(&object.spec).filter(|_| seen != object.metadata.generation) {
        tell(context, object, &advice).await;
    }

    let step = match &plan.config {
        // members can load only what the Secret holds
        Some(config) if rejected.is_none() || observed.live.last_good().as_ref() == Some(config) => {
            let strategy = object.spec.rollout.strategy;
            roll_out(context, &plan, strategy, &uid, &config.hash, &observed).await?
        }
        _ => Step::Wait { member: plan.names.member(0), why: Waiting::NotGiven },
    };
    let members = wanted_members(&plan.member_names(), &observed.pods);
    let object_ref = ObjectRef::new(&object.name_any()).within(&namespace);
    context.health.watch(&uid, object_ref, object.spec.health, &observed.pods);
    for notice in heal(context, object, &plan, &members, &observed.pods, &web_token).await? {
        tell(context, object, &notice).await;
    }
    let storage_fits = storage_fits(context, object, &observed, &applied).await?;
    let renewed = storage_fits && renewed(context, &plan, &observed, &applied).await?;
    let pods_current = !applied.created && !applied.recreating && renewed;
    if let Some(made) = &certificates {
        let mark = made.mark();
        for pod in observed.pods.iter().filter(|pod| pod.endpoint.is_some() && pod.certificates.as_ref() != Some(&mark))
        {
            apply::tell_of_certificates(context.client(), &namespace, &pod.state.name, &mark).await?;
        }
    }
    let storage = storage(context, object, &plan, &observed).await?;
    let backup = match &object.spec.backup {
        Some(_) => {
            let before = object.status.as_ref().and_then(|status| status.backup.as_ref());
            let jobs = context.caches.jobs.of_cluster(&namespace, &plan.names.object);
            let looked = backups::look(context.client(), &namespace, &jobs, before).await;
            Some(looked.map_err(ReconcileError::Backups)?)
        }
        None => None,
    };
    let facts = Facts {
        backup,
        storage,
        rotates: certificates.as_ref().is_some_and(Certificates::rotates),
        certificates: certificate_standing(object, certificates.as_ref(), observed.certificates_lack.as_deref()),
        generation: object.metadata.generation,
        object: name,
        wanted_hash: plan.config.as_ref().map(|config| config.hash.clone()),
        refused: verdict.refused,
        members,
        held_back,
        hibernates: object.spec.hibernate,
        pods: observed.pods.len(),
        step,
        rejected,
        pods_current,
    };
    let status = status::next(object.status.as_ref(), &facts, &now());
    let news = events::notices(object.status.as_ref(), &status);
    report(context, object, status, &news).await?;
    Ok(Action::requeue(next_look(&facts, &applied)))
}

/// The certificates that the operator makes, where it does.
fn certificates(
    context: &Context,
    object: &AlertmanagerCluster,
    plan: &ClusterPlan,
    observed: &Observed,
) -> Result<Option<Certificates>, ReconcileError> {
    let tls = &object.spec.cluster.tls;
    if !tls.enabled || tls.secret_name.is_some() || tls.issuer_ref.is_some() {
        return Ok(None);
    }
    let cluster = format!("{}/{}", plan.namespace, plan.names.object);
    let subject = Subject { cluster: &cluster, host: &plan.peers_host() };
    let authority = observed.live.authority_secret.as_ref().and_then(kube_objects::authority);
    let issued = observed.live.gossip_secret.as_ref().and_then(kube_objects::issued);
    Ok(Some(Certificates::next(subject, authority, issued, Timestamp::now(), context.certificate_overlap)?))
}

fn certificate_standing(object: &AlertmanagerCluster, made: Option<&Certificates>, lack: Option<&str>) -> Standing {
    let stand = |ready, reason, message: String| Standing { ready, reason, message };
    match (object.spec.cluster.tls.enabled, made, lack) {
        (false, ..) => stand(true, "Disabled", "gossip is not encrypted, as spec.cluster.tls says".to_owned()),
        (true, Some(made), _) if made.rotates() => {
            stand(true, "Rotating", "a new authority is taking over; members trust the old one, too".to_owned())
        }
        (true, Some(made), _) => stand(true, "Valid", format!("valid until {}", made.issued.not_after)),
        (true, None, Some(lack)) => stand(false, "Missing", lack.to_owned()),
        (true, None, None) => stand(true, "Given", "members use the Secret that somebody else keeps".to_owned()),
    }
}

/// Has volumes that are too small grow, and says how they stand.
async fn storage(
    context: &Context,
    object: &AlertmanagerCluster,
    plan: &ClusterPlan,
    observed: &Observed,
) -> Result<Standing, ReconcileError> {
    let StorageKind::Claim(template) = object.spec.storage.kind() else {
        return Ok(volumes::stand(&[], None, 0, None));
    };
    let size = &template.resources.requests.storage;
    let wanted = size.units().unwrap_or(0);
    let names: Vec<_> = (0..plan.replicas).map(|ordinal| plan.names.claim(ordinal)).collect();
    let claims = observed.live.claims.iter().map(kube_objects::claim);
    let claims: Vec<_> = claims.filter(|claim| names.contains(&claim.name)).collect();
    let mut refused = None;
    for claim in volumes::to_grow(&claims, wanted) {
        tracing::info!(claim, namespace = plan.namespace, size = size.0, "asking for a larger volume");
        refused = apply::grow(context.client(), &plan.namespace, claim, &size.0).await?.or(refused);
    }
    Ok(volumes::stand(&claims, Some(wanted), names.len(), refused.as_deref()))
}

async fn apply_all(
    context: &Context,
    object: &AlertmanagerCluster,
    plan: &ClusterPlan,
    objects: &Objects,
    observed: &Observed,
    uid: &str,
) -> Result<Applied, ApplyError> {
    let client = context.client();
    let mut applied = apply::apply(client, objects, &observed.live, uid).await?;
    let seen = object.status.as_ref().and_then(|status| status.observed_generation);
    for other in &objects.others {
        // one that isn't wanted can only be there since the spec was another one
        if other.object.is_some() || (seen.is_some() && seen != object.metadata.generation) {
            applied.written.extend(apply::foreign_kind(client, &plan.namespace, other, uid).await?);
        }
    }
    Ok(applied)
}

/// Says that the cluster is left alone.
async fn pause(object: &AlertmanagerCluster, context: &Context) -> Result<Action, ReconcileError> {
    context.health.forget(&object.uid().unwrap_or_default());
    let status = status::paused(object.status.as_ref(), object.metadata.generation, &now());
    report(context, object, status, &[]).await?;
    Ok(Action::await_change())
}

/// Does one step of the rollout and says which. A member's refusal ends it for now.
async fn roll_out(
    context: &Context,
    plan: &ClusterPlan,
    strategy: RolloutStrategy,
    cluster: &str,
    hash: &str,
    observed: &Observed,
) -> Result<Step, ReconcileError> {
    let members = wanted_members(&plan.member_names(), &observed.pods);
    if strategy == RolloutStrategy::AllAtOnce {
        // the others are told now what they would be told when their turn comes
        for member in members.iter().skip(1) {
            if let Step::Tell { member } = next_step(hash, std::slice::from_ref(member), Duration::ZERO) {
                apply::tell(context.client(), &plan.namespace, &member, hash, 0).await?;
                reload(context, &observed.pods, &member).await;
            }
        }
    }
    let namespace = plan.namespace.as_str();
    let mut step = next_step(hash, &members, Duration::ZERO);
    let mut waited = Duration::ZERO;
    if let Some(member) = step.member() {
        waited = context.turns.waited(cluster, member, hash);
        step = next_step(hash, &members, waited);
    } else {
        context.turns.over(cluster);
    }
    let client = context.client();
    match &step {
        Step::Done | Step::Wait { .. } => {}
        Step::Tell { member } => {
            tracing::info!(member, namespace, hash, "giving the member its configuration");
            apply::tell(client, namespace, member, hash, 0).await?;
            reload(context, &observed.pods, member).await;
        }
        Step::Reload { member } | Step::Stopped { member, .. } => {
            // the kubelet may have looked before it knew of the new Secret
            if let Some(round) = context.turns.reminder(cluster, REMIND) {
                apply::tell(client, namespace, member, hash, round).await?;
            }
            if let Some(error) = reload(context, &observed.pods, member).await
                && matches!(step, Step::Reload { .. })
                && waited >= REFUSAL_GRACE
            {
                return Ok(Step::Stopped { member: member.clone(), error });
            }
        }
    }
    Ok(step)
}

/// Asks `member` to reload. Its refusal is returned; silence is not, since the next look will show it.
async fn reload(context: &Context, pods: &[ObservedPod], member: &str) -> Option<String> {
    // one that does not say what it runs does not load anything either
    let at = pods.iter().find(|pod| pod.state.name == member && pod.state.report.is_some())?.endpoint.as_ref()?;
    context.metrics.reload_asked();
    match context.members.reload(at).await {
        Ok(()) => None,
        Err(MemberError::Refused(words)) => Some(words),
        Err(error) => {
            tracing::debug!(member, error = crate::error_chain(&error), "member does not answer");
            None
        }
    }
}

async fn report(
    context: &Context,
    object: &AlertmanagerCluster,
    status: AlertmanagerClusterStatus,
    news: &[Notice],
) -> Result<(), ReconcileError> {
    match status::write(context.client(), object, status).await {
        Ok(true) => context.metrics.status_written(),
        Ok(false) => {}
        Err(kube::Error::Api(answer)) if answer.code == 409 || answer.code == 404 => {
            return Err(ReconcileError::Outdated);
        }
        Err(error) => return Err(ReconcileError::Status(error)),
    }
    for notice in news {
        if notice.action == "Validate" && notice.severity == Severity::Warning {
            context.metrics.config_refused();
        }
        tell(context, object, notice).await;
    }
    Ok(())
}

async fn tell(context: &Context, object: &AlertmanagerCluster, notice: &Notice) {
    let (cluster, namespace) = (object.name_any(), object.namespace());
    tracing::info!(cluster, namespace, reason = notice.reason, "{}", notice.note);
    if let Err(error) = events::publish(context.client(), &object.object_ref(&()), notice).await {
        tracing::warn!(error = crate::error_chain(&error), reason = notice.reason, "event could not be written");
    }
}

fn wanted_members(names: &[String], pods: &[ObservedPod]) -> Vec<(String, Option<MemberState>)> {
    let state = |name: &String| pods.iter().find(|pod| pod.state.name == *name).map(|pod| pod.state.clone());
    names.iter().map(|name| (name.clone(), state(name))).collect()
}

/// Whether all pods have the kind of storage that is wanted; replaces one that has not, when it is time.
async fn storage_fits(
    context: &Context,
    object: &AlertmanagerCluster,
    observed: &Observed,
    applied: &Applied,
) -> Result<bool, ReconcileError> {
    let claim = matches!(object.spec.storage.kind(), StorageKind::Claim(_));
    let storage = |pod: &ObservedPod| PodStorage {
        member: pod.state.name.clone(),
        in_service: pod.state.in_service,
        fits: pod.terminating || pod.has_claim == claim,
    };
    let pods: Vec<_> = observed.pods.iter().map(storage).collect();
    // only once the StatefulSet is the new one: the old one would make the same pod again
    if applied.written.is_empty()
        && !applied.recreating
        && let Some(member) = next_to_replace(&pods, usize::try_from(object.spec.replicas).unwrap_or(0))
        && let Some(pod) = observed.pods.iter().find(|pod| pod.state.name == member)
    {
        let namespace = object.namespace().unwrap_or_default();
        tracing::info!(member, namespace, "replacing the member's pod, whose storage is of another kind");
        apply::replace(context.client(), &namespace, member, pod.uid.clone(), None).await?;
    }
    Ok(pods.iter().all(|pod| pod.fits))
}

/// Whether all pods are made from the newest template; has one make way that is not, when it is time.
async fn renewed(
    context: &Context,
    plan: &ClusterPlan,
    observed: &Observed,
    applied: &Applied,
) -> Result<bool, ReconcileError> {
    if applied.written.iter().any(|what| what.starts_with("StatefulSet ")) {
        return Ok(false);
    }
    let Some(set) = &observed.live.stateful_set else { return Ok(false) };
    let Some(status) = set.status.as_ref().filter(|status| status.observed_generation >= set.metadata.generation)
    else {
        return Ok(false);
    };
    let wanted = plan.member_names();
    let ours = observed.pods.iter().filter(|pod| wanted.contains(&pod.state.name));
    let age = |pod: &ObservedPod| PodAge {
        member: pod.state.name.clone(),
        in_service: pod.state.in_service,
        terminating: pod.terminating,
        current: pod.revision == status.update_revision,
    };
    let ages: Vec<_> = ours.map(age).collect();
    if !applied.recreating
        && let Some(member) = next_to_renew(&ages, wanted.len())
        && let Some(pod) = observed.pods.iter().find(|pod| pod.state.name == member)
    {
        tracing::info!(member, namespace = plan.namespace, "replacing the member's pod by one of the newest template");
        apply::replace(context.client(), &plan.namespace, member, pod.uid.clone(), None).await?;
    }
    Ok(ages.len() == wanted.len() && ages.iter().all(|age| age.current && !age.terminating))
}

fn next_look(facts: &Facts, applied: &Applied) -> Duration {
    if applied.recreating {
        return SOON;
    }
    if facts.rotates {
        return LATER;
    }
    match &facts.step {
        Step::Tell { .. } | Step::Reload { .. } | Step::Wait { why: Waiting::NoAnswer, .. } => SOON,
        Step::Wait { member, why: Waiting::NotReady } if was_told(facts, member) => SOON,
        Step::Stopped { .. } => RETRY,
        Step::Done | Step::Wait { .. } if facts.rejected.is_some() => RETRY,
        Step::Wait { .. } => UNTOLD,
        Step::Done if (facts.settled() && facts.storage.ready) || facts.hibernates => WELL,
        Step::Done => UNTOLD,
    }
}

fn was_told(facts: &Facts, member: &str) -> bool {
    let state = facts.members.iter().find(|(name, _)| name == member).and_then(|(_, state)| state.as_ref());
    state.is_some_and(|state| state.told == facts.wanted_hash)
}

/// An even number of members survives no more losses than the odd one below it.
fn odd_advice(spec: &AlertmanagerClusterSpec) -> Option<Notice> {
    let even = spec.topology == Some(Topology::MultiMaster) && spec.replicas % 2 == 0;
    let (replicas, fewer) = (spec.replicas, spec.replicas - 1);
    even.then(|| Notice {
        severity: Severity::Warning,
        reason: "EvenReplicas".to_owned(),
        action: "Validate",
        note: format!(
            "a majority of {replicas} members survives no more losses than one of {fewer}: better have an odd number"
        ),
    })
}

/// Nobody guesses it.
fn new_token() -> String {
    rand::random::<[u8; 32]>().iter().fold(String::new(), |token, byte| token + &format!("{byte:02x}"))
}

fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
