//! What Kubernetes knows of a cluster: conditions, restarts, Events, the errors in logs, the end of its certificate.

use k8s_openapi::api::core::v1::{Pod, Secret};
use k8s_openapi::api::events::v1::Event;
use kube::ResourceExt;
use kube::api::{ListParams, LogParams};
use operator::crd::{AlertmanagerCluster, ConditionStatus, ConditionType};
use operator::plan::{NAME_ALERTMANAGER, Names};

use super::collect;
use super::judge::{Finding, Harm, certificate_ends};
use crate::chain::chain;
use crate::kubernetes::{Cluster, KubernetesError};

/// So much of a log is looked at.
const LOG_LINES: i64 = 500;

/// What Kubernetes knows; what it doesn't say is told, too.
pub(super) async fn findings(cluster: &Cluster) -> Result<Vec<Finding>, KubernetesError> {
    let mut found = Vec::new();
    let object = cluster.object().await?;
    of_conditions(&object, &mut found);
    if let Some(secret) = &object.spec.web.tls_secret_name {
        match cluster.api::<Secret>().get(secret).await {
            Ok(secret) => of_certificate(&secret, &mut found),
            Err(error) => {
                found.push(note("no_certificate", format!("Secret {secret} can't be read: {}", chain(&error))));
            }
        }
    }
    let pods = cluster.api::<Pod>();
    for pod in &cluster.pods().await? {
        let name = pod.name_any();
        of_pod(pod, &mut found);
        let params = LogParams {
            container: Some(NAME_ALERTMANAGER.to_owned()),
            tail_lines: Some(LOG_LINES),
            ..LogParams::default()
        };
        match pods.logs(&name, &params).await {
            Ok(log) => of_log(&name, &log, &mut found),
            Err(error) => found.push(note("no_log", format!("the log of {name} can't be had: {}", chain(&error)))),
        }
    }
    match cluster.api::<Event>().list(&ListParams::default()).await {
        Ok(events) => of_events(&cluster.names(), &events.items, &mut found),
        Err(error) => found.push(note("no_events", format!("Events can't be listed: {}", chain(&error)))),
    }
    Ok(found)
}

fn note(code: &'static str, text: String) -> Finding {
    let advice = "the rest of the report is whole; ask who may, for this".to_owned();
    Finding { harm: Harm::Note, code, text, advice }
}

/// What the operator says that isn't as it should be.
fn of_conditions(object: &AlertmanagerCluster, found: &mut Vec<Finding>) {
    for condition in object.status.iter().flat_map(|status| &status.conditions) {
        let is = |type_: ConditionType| condition.type_ == type_.as_str();
        if is(ConditionType::Reconciling) {
            continue;
        }
        let (stalled, available) = (is(ConditionType::Stalled), is(ConditionType::Available));
        let bad = if stalled { ConditionStatus::True } else { ConditionStatus::False };
        let harm = if stalled || available { Harm::Critical } else { Harm::Warning };
        if condition.status == bad {
            let (type_, reason, message) = (&condition.type_, &condition.reason, &condition.message);
            found.push(Finding {
                harm,
                code: "condition",
                text: format!("the operator says of {}: {type_} {bad:?}, {reason}: {message}", object.name_any()),
                advice: "its status says it of each member: kubectl describe amc".to_owned(),
            });
        }
    }
}

/// Of the web interface, which isn't asked itself.
fn of_certificate(secret: &Secret, found: &mut Vec<Finding>) {
    let pem = secret.data.as_ref().and_then(|data| data.get("tls.crt")).map(|bytes| bytes.0.as_slice());
    let Some(days) = pem.and_then(collect::days_left) else {
        return found
            .push(note("no_certificate", format!("Secret {} has no certificate in tls.crt", secret.name_any())));
    };
    if let Some((harm, text, advice)) = certificate_ends(days) {
        let text = format!("Secret {} {text}", secret.name_any());
        found.push(Finding { harm, code: "certificate_ends", text, advice: advice.to_owned() });
    }
}

fn of_pod(pod: &Pod, found: &mut Vec<Finding>) {
    let name = pod.name_any();
    let statuses = pod.status.iter().flat_map(|status| status.container_statuses.iter().flatten());
    for status in statuses.filter(|status| status.name == NAME_ALERTMANAGER && status.restart_count > 0) {
        let last = status.last_state.as_ref().and_then(|state| state.terminated.as_ref());
        let reason = last.and_then(|last| last.reason.as_deref()).unwrap_or("for an unknown reason");
        let (count, memory) = (status.restart_count, reason == "OOMKilled");
        found.push(Finding {
            harm: if memory { Harm::Critical } else { Harm::Warning },
            code: "restarted",
            text: format!("{name} was restarted {count} times, last {reason}"),
            advice: match memory {
                true => "give it a higher limit: spec.resources.limits.memory".to_owned(),
                false => format!("see why: kubectl logs --previous {name}"),
            },
        });
    }
}

fn of_log(name: &str, log: &str, found: &mut Vec<Finding>) {
    // programs differ in how they write levels; ours and the Go Alertmanager write ERROR
    let error = |line: &&str| {
        let line = line.to_ascii_lowercase();
        line.contains("level=error") || line.contains(r#""level":"error""#)
    };
    let errors: Vec<&str> = log.lines().filter(error).collect();
    let Some(last) = errors.last() else { return };
    found.push(Finding {
        harm: Harm::Warning,
        code: "errors_logged",
        text: format!("{name} logged {} errors among its last {LOG_LINES} lines, last: {last}", errors.len()),
        advice: format!("kubectl logs {name} shows them"),
    });
}

fn of_events(names: &Names, events: &[Event], found: &mut Vec<Finding>) {
    let prefix = names.base();
    for event in events.iter().filter(|event| event.type_.as_deref() == Some("Warning")) {
        let Some(about) = &event.regarding else { continue };
        let (kind, name) = (about.kind.as_deref().unwrap_or_default(), about.name.as_deref().unwrap_or_default());
        let rest = name.strip_prefix(&prefix);
        let member = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
        if !(kind == "AlertmanagerCluster" && name == names.object || member) {
            continue;
        }
        let reason = event.reason.as_deref().unwrap_or_default();
        let words = event.note.as_deref().unwrap_or_default();
        found.push(Finding {
            harm: Harm::Note,
            code: "event",
            text: format!("{kind} {name}: {reason}: {words}"),
            advice: "an Event lasts an hour: it may be over".to_owned(),
        });
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn texts(found: &[Finding]) -> Vec<(&'static str, &str)> {
        found.iter().map(|finding| (finding.code, finding.text.as_str())).collect()
    }

    #[test]
    fn what_the_operator_says_is_told_with_its_words() {
        let condition = |type_: &str, status: &str| {
            serde_json::json!({
                "type": type_, "status": status, "reason": "Why", "message": "words",
                "lastTransitionTime": "2026-11-30T00:00:00Z",
            })
        };
        let all = [
            condition("Ready", "True"),
            condition("Reconciling", "True"),
            condition("Stalled", "True"),
            condition("ConfigValid", "False"),
            condition("Available", "Unknown"),
        ];
        let object = serde_json::json!({
            "apiVersion": "alertmanager.dev/v1alpha1", "kind": "AlertmanagerCluster", "metadata": {"name": "main"},
            "spec": {"config": {"inline": ""}}, "status": {"conditions": all},
        });
        let mut found = Vec::new();
        of_conditions(&serde_json::from_value(object).unwrap(), &mut found);
        let expected = [
            ("condition", "the operator says of main: Stalled True, Why: words"),
            ("condition", "the operator says of main: ConfigValid False, Why: words"),
        ];
        assert_eq!(texts(&found), expected);
        assert_eq!((found[0].harm, found[1].harm), (Harm::Critical, Harm::Warning));
    }

    #[test]
    fn a_pod_that_was_restarted_says_why() {
        let pod = |reason: &str| {
            serde_json::from_value::<Pod>(serde_json::json!({
                "metadata": {"name": "am-0"},
                "status": {"containerStatuses": [{
                    "name": "alertmanager", "ready": true, "restartCount": 3, "image": "", "imageID": "",
                    "lastState": {"terminated": {"exitCode": 137, "reason": reason}},
                }]},
            }))
            .unwrap()
        };
        let mut found = Vec::new();
        of_pod(&pod("OOMKilled"), &mut found);
        of_pod(&pod("Error"), &mut found);
        let expected = ["am-0 was restarted 3 times, last OOMKilled", "am-0 was restarted 3 times, last Error"];
        assert_eq!(texts(&found), expected.map(|text| ("restarted", text)));
        assert_eq!((found[0].harm, found[1].harm), (Harm::Critical, Harm::Warning));
    }

    #[test]
    fn errors_and_warnings_of_this_cluster_only() {
        let mut found = Vec::new();
        of_log(
            "am-0",
            "time=1 level=INFO msg=a\ntime=2 level=ERROR msg=b\ntime=3 level=error msg=b\n{\"level\":\"ERROR\",\"msg\":\"c\"}\n",
            &mut found,
        );
        let event = |kind: &str, name: &str, type_: &str| {
            serde_json::from_value::<Event>(serde_json::json!({
                "metadata": {}, "eventTime": null, "type": type_, "reason": "Failed", "note": "words",
                "regarding": {"kind": kind, "name": name},
            }))
            .unwrap()
        };
        let events = [
            event("Pod", "alertmanager-main-0", "Warning"),
            event("Pod", "alertmanager-mainframe-0", "Warning"),
            event("AlertmanagerCluster", "main", "Warning"),
            event("StatefulSet", "alertmanager-main", "Normal"),
        ];
        of_events(&Names::new("main"), &events, &mut found);
        let expected = [
            (
                "errors_logged",
                "am-0 logged 3 errors among its last 500 lines, last: {\"level\":\"ERROR\",\"msg\":\"c\"}",
            ),
            ("event", "Pod alertmanager-main-0: Failed: words"),
            ("event", "AlertmanagerCluster main: Failed: words"),
        ];
        assert_eq!(texts(&found), expected);
    }
}
