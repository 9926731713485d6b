//! The cluster goes on without its operator, without the API server, and through a restart of the kubelet.

use crate::kubectl::{kubectl, node_ctl, pod_json, try_kubectl};
use crate::sample::{NAMESPACE, SELECTOR, Sample};
use crate::wait::{TIMEOUT, same, until};

fn operators(replicas: u32) {
    let replicas = format!("--replicas={replicas}");
    kubectl(&["scale", "-n", "alertmanager-operator", "deployment/alertmanager-operator", &replicas]);
}

#[test]
fn pods_that_die_while_there_is_no_operator_come_back() {
    let sample = Sample::ready();
    operators(0);
    let gone = ["wait", "--for=delete", "pod", "-n", "alertmanager-operator", "--all", TIMEOUT];
    try_kubectl(&gone).unwrap_or_default();
    kubectl(&["delete", "pod", "-n", NAMESPACE, "-l", SELECTOR, "--wait=false"]);
    until("three members see each other without an operator", || {
        same(sample.ready_pods()?.len(), &3)?;
        for pod in sample.ready_pods()?.keys() {
            same(pod_json(NAMESPACE, pod, "/-/config")?["peers"].as_array().map(Vec::len), &Some(3))?;
        }
        Ok(())
    });
    // deletion has no finalizer that would wait for an operator
    kubectl(&["delete", "-n", NAMESPACE, "amc", "main", TIMEOUT]);
    until("nothing is left of it", || same(sample.incarnations()?.len(), &0));
    operators(1);
    kubectl(&["-n", "alertmanager-operator", "rollout", "status", "deployment", TIMEOUT]);
    let _again = Sample::ready();
}

#[test]
fn restarts_of_the_api_server_and_the_kubelet_change_nothing() {
    let sample = Sample::ready();
    let pods = sample.incarnations().unwrap();
    for component in ["kube-apiserver", "kubelet"] {
        node_ctl(&["kill", component]);
        until(&format!("{component} is back and all is well"), || sample.settled(3));
    }
    let text = sample.config_text();
    let before = sample.settled(3).unwrap();
    sample.edit_config(&text.replace("group_wait: 5s", "group_wait: 7s"));
    until("an edit is live: the operator watches again", || same(sample.settled(3)? != before, &true));
    sample.edit_config(&text);
    until("all is as before", || same(sample.settled(3)?, &before));
    assert_eq!(sample.incarnations().unwrap(), pods, "no pod was replaced or restarted");
}

#[test]
fn a_newer_operator_restarts_nobody_until_its_user_wants_that() {
    let sample = Sample::ready();
    let pods = sample.incarnations().unwrap();
    let image = |tag: &str| {
        let operator = ["-n", "alertmanager-operator", "deployment/alertmanager-operator"];
        kubectl(
            &[&["set", "env"], &operator[..], &[&format!("WORKER_IMAGE=localhost/alertmanager-operator:{tag}")]]
                .concat(),
        );
        kubectl(&["rollout", "status", operator[0], operator[1], operator[2], TIMEOUT]);
    };
    image("next");
    kubectl(&["delete", "service", "-n", NAMESPACE, "alertmanager-main"]);
    until("the new operator is at work", || try_kubectl(&["get", "service", "-n", NAMESPACE, "alertmanager-main"]));
    until("all is well", || sample.settled(3));
    assert_eq!(sample.incarnations().unwrap(), pods, "no pod was replaced or restarted");
    image("dev");
    let restart = r#"{"spec": {"restartedAt": "now"}}"#;
    kubectl(&["patch", "-n", NAMESPACE, "amc", "main", "--type=merge", "-p", restart]);
    until("all members are new ones", || {
        sample.settled(3)?;
        let now = sample.incarnations()?;
        same(pods.iter().filter(|(pod, old)| now.get(*pod) == Some(*old)).count(), &0)
    });
    kubectl(&[
        "patch",
        "-n",
        NAMESPACE,
        "amc",
        "main",
        "--type=json",
        "-p",
        r#"[{"op": "remove", "path": "/spec/restartedAt"}]"#,
    ]);
    until("all is well", || sample.settled(3));
}
