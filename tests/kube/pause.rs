//! Leaving a cluster alone, keeping a configuration waiting, and letting all members sleep.

use std::time::Duration;

use crate::kubectl::{amtool, json, kubectl, try_json, try_kubectl};
use crate::sample::{NAMESPACE, Sample};
use crate::wait::{same, stays, until};

fn patch(spec: &str) {
    let patch = format!(r#"{{"spec": {spec}}}"#);
    kubectl(&["patch", "-n", NAMESPACE, "amc", "main", "--type=merge", "-p", &patch]);
}

fn reason(sample: &Sample, type_: &str) -> Result<String, String> {
    Ok(sample.condition(type_)?.1.split(':').next().unwrap_or_default().to_owned())
}

#[test]
fn a_paused_cluster_is_left_alone() {
    let sample = Sample::ready();
    patch(r#"{"paused": true}"#);
    until("the status says so", || same(reason(&sample, "Reconciling")?, &"Paused".to_owned()));
    kubectl(&["delete", "service", "-n", NAMESPACE, "alertmanager-main"]);
    // a service that is deleted is put back within a second otherwise
    stays("no Service", &true, Duration::from_secs(5), || {
        try_json(&["get", "service", "-n", NAMESPACE, "alertmanager-main"]).is_err()
    });
    patch(r#"{"paused": false}"#);
    until("the Service is there again", || try_json(&["get", "service", "-n", NAMESPACE, "alertmanager-main"]));
    until("all is well", || sample.settled(3));
}

#[test]
fn a_paused_rollout_waits_and_then_goes_on() {
    let sample = Sample::ready();
    let before = sample.settled(3).unwrap();
    let text = sample.config_text();
    patch(r#"{"rollout": {"paused": true}}"#);
    sample.edit_config(&text.replace("group_wait: 5s", "group_wait: 6s"));
    until("the edit waits", || same(reason(&sample, "ConfigProgrammed")?, &"RolloutPaused".to_owned()));
    assert_eq!(sample.live_hashes().unwrap(), vec![before.clone(); 3]);
    patch(r#"{"rollout": {"paused": false, "strategy": "AllAtOnce"}}"#);
    until("the edit is live", || same(sample.settled(3)? != before, &true));
    patch(r#"{"rollout": null}"#);
    sample.edit_config(&text);
    until("all is as before", || same(sample.settled(3)?, &before));
}

#[test]
fn who_wakes_up_has_its_silences() {
    let sample = Sample::ready();
    let silence = ["silence", "add", "alertname=Sleep", "--author=kube", "--comment=kept", "--duration=2h"];
    let silence = amtool(&sample.url("alertmanager-main-0").unwrap(), &silence).unwrap().trim().to_owned();
    let refused = try_kubectl(&[
        "patch",
        "-n",
        NAMESPACE,
        "amc",
        "main",
        "--type=merge",
        "-p",
        r#"{"spec": {"hibernate": true, "storage": {"volumeClaimTemplate": null, "emptyDir": {}}}}"#,
    ]);
    assert!(refused.unwrap_err().contains("silences in an emptyDir would be lost"));

    patch(r#"{"hibernate": true}"#);
    until("there are no members", || same(sample.incarnations()?.len(), &0));
    until("the status says so", || same(reason(&sample, "Ready")?, &"Hibernating".to_owned()));
    let claims = json(&["get", "pvc", "-n", NAMESPACE, "-l", crate::sample::SELECTOR]);
    assert_eq!(claims["items"].as_array().map(Vec::len), Some(3), "the volumes are kept");

    patch(r#"{"hibernate": false}"#);
    until("the cluster is ready", || sample.settled(3));
    for pod in sample.ready_pods().unwrap().keys() {
        let known = amtool(&sample.url(pod).unwrap(), &["silence", "query", "--quiet"]).unwrap();
        assert!(known.lines().any(|id| id == silence), "{pod} has {known}");
    }
    amtool(&sample.url("alertmanager-main-0").unwrap(), &["silence", "expire", &silence]).unwrap();
}
