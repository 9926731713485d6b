//! What is done about members that fail: their peers' users are told, and they are restarted.

use std::time::SystemTime;

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::ResourceExt;
use serde_json::json;

use crate::apply::{self, ApplyError};
use crate::context::Context;
use crate::crd::AlertmanagerCluster;
use crate::events::{Notice, Severity};
use crate::health::ALERT_INTERVAL;
use crate::observe::ObservedPod;
use crate::plan::ClusterPlan;
use crate::plan::health::{Pulse, beyond_help, failed};
use crate::plan::rollout::MemberState;

/// The name of the alert about a member that doesn't answer.
const NODE_FAILURE: &str = "AlertmanagerNodeFailure";

/// How long a stuck process may take to end.
const STUCK_GRACE_SECONDS: u32 = 5;

/// Posts and resolves alerts, and restarts a member that is beyond help. Returns what is to be told about it.
///
/// # Errors
/// When a pod could not be deleted.
pub(crate) async fn heal(
    context: &Context,
    object: &AlertmanagerCluster,
    plan: &ClusterPlan,
    members: &[(String, Option<MemberState>)],
    pods: &[ObservedPod],
    token: &str,
) -> Result<Vec<Notice>, ApplyError> {
    let cluster = object.uid().unwrap_or_default();
    let pulses: Vec<Pulse> = context.health.pulses(&cluster);
    let settings = object.spec.health;
    let threshold = settings.failure_threshold.unsigned_abs();
    let failing: Vec<String> = failed(&pulses, threshold).map(str::to_owned).collect();
    if settings.alert {
        let due = failing.iter().filter(|member| context.health.alert_due(&cluster, member)).cloned();
        // one whose pod is being replaced has not recovered yet
        let suffers = |name: &String| {
            let state = members.iter().find(|(member, _)| member == name);
            state.is_some_and(|(_, state)| state.as_ref().is_none_or(|state| state.report.is_none()))
        };
        let over = context.health.alerted_of(&cluster).into_iter().filter(|member| !suffers(member));
        let news: Vec<(String, bool)> = due.map(|m| (m, true)).chain(over.map(|m| (m, false))).collect();
        if !news.is_empty() && post(context, plan, pods, object.spec.web.is_protected().then_some(token), &news).await {
            news.iter().for_each(|(member, fires)| context.health.alerted(&cluster, member, *fires));
        }
    }
    if !settings.restart {
        return Ok(Vec::new());
    }
    let hopeless = beyond_help(members, &pulses, threshold).next();
    let Some(member) = hopeless.filter(|member| context.health.may_restart(&cluster, member)) else {
        return Ok(Vec::new());
    };
    let Some(pod) = pods.iter().find(|pod| pod.state.name == member) else { return Ok(Vec::new()) };
    // it does not listen: no need to wait long until it ends
    apply::replace(context.client(), &plan.namespace, member, pod.uid.clone(), Some(STUCK_GRACE_SECONDS)).await?;
    context.metrics.member_restarted();
    let note = format!("{member} has not answered {threshold} times, and no other member sees it: its pod is replaced");
    Ok(vec![Notice { severity: Severity::Warning, reason: "MemberRestarted".to_owned(), action: "Heal", note }])
}

/// Whether a member has taken it. With a `token`, members take it where they are asked how they are.
async fn post(
    context: &Context,
    plan: &ClusterPlan,
    pods: &[ObservedPod],
    token: Option<&str>,
    news: &[(String, bool)],
) -> bool {
    let alerts = serde_json::Value::from_iter(news.iter().map(|(member, fires)| alert(plan, member, *fires)));
    // the members pass it on to each other
    for pod in pods.iter().filter(|pod| pod.state.in_service && pod.state.report.is_some()) {
        let at = if token.is_some() { &pod.endpoint } else { &pod.api };
        let Some(at) = at else { continue };
        match context.members.post_alerts(at, token, &alerts).await {
            Ok(()) => return true,
            Err(error) => {
                let member = &pod.state.name;
                tracing::debug!(member, error = crate::error_chain(&error), "member takes no alert");
            }
        }
    }
    tracing::warn!(cluster = plan.names.object, namespace = plan.namespace, "no member takes the alert about another");
    false
}

fn alert(plan: &ClusterPlan, member: &str, fires: bool) -> serde_json::Value {
    let now = Timestamp::try_from(SystemTime::now()).unwrap_or(Timestamp::UNIX_EPOCH);
    let seconds = i64::try_from(3 * ALERT_INTERVAL.as_secs()).unwrap_or(i64::MAX);
    let end = if fires { now.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(now) } else { now };
    json!({
        "labels": {
            "alertname": NODE_FAILURE,
            "namespace": plan.namespace,
            "cluster": plan.names.object,
            "pod": member,
            "severity": "warning",
        },
        "annotations": {
            "summary": format!("Alertmanager {member} does not answer"),
            "description": format!(
                "{member} of AlertmanagerCluster {}/{} answers neither its operator nor, maybe, its peers.",
                plan.namespace, plan.names.object
            ),
        },
        "endsAt": end.to_string(),
    })
}
