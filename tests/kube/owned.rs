//! What the operator owns is put back when somebody deletes or changes it, and goes when nobody wants it any more.

use crate::kubectl::{json, kubectl, try_json};
use crate::sample::{NAMESPACE, Sample};
use crate::wait::{same, until};

/// Kind and name of everything that belongs to the sample cluster; the StatefulSet without its pods.
const OWNED: &[(&str, &str)] = &[
    ("service", "alertmanager-main"),
    ("service", "alertmanager-main-peers"),
    ("serviceaccount", "alertmanager-main"),
    ("secret", "alertmanager-main-config"),
    ("poddisruptionbudget", "alertmanager-main"),
    ("networkpolicy", "alertmanager-main"),
    ("statefulset", "alertmanager-main"),
];

fn patch(patch: &str) {
    kubectl(&["patch", "-n", NAMESPACE, "amc", "main", "--type=merge", "-p", patch]);
}

fn uid(kind: &str, name: &str) -> Result<String, String> {
    let uid = try_json(&["get", "-n", NAMESPACE, kind, name])?["metadata"]["uid"].as_str().map(str::to_owned);
    uid.ok_or_else(|| format!("{kind} {name} has no uid"))
}

#[test]
fn what_is_deleted_comes_back_and_no_member_is_restarted() {
    let sample = Sample::ready();
    let pods = sample.incarnations().unwrap();
    patch(r#"{"spec": {"networkPolicy": {"enabled": true}}}"#);
    until("the NetworkPolicy is there", || uid("networkpolicy", "alertmanager-main"));
    for (kind, name) in OWNED {
        let before = uid(kind, name).unwrap();
        kubectl(&["delete", "-n", NAMESPACE, kind, name, "--cascade=orphan", "--wait=false"]);
        until(&format!("{kind} {name} is there again"), || same(uid(kind, name)? != before, &true));
    }
    until("all is well", || sample.settled(3));
    assert_eq!(sample.incarnations().unwrap(), pods, "no pod was replaced or restarted");
    patch(r#"{"spec": {"networkPolicy": null}}"#);
    until("the NetworkPolicy is gone", || same(uid("networkpolicy", "alertmanager-main").is_err(), &true));
}

#[test]
fn what_is_changed_by_hand_is_put_back_and_what_others_add_stays() {
    let sample = Sample::ready();
    let service = || json(&["get", "-n", NAMESPACE, "service", "alertmanager-main"]);
    kubectl(&["annotate", "-n", NAMESPACE, "service", "alertmanager-main", "example.com/owner=ops"]);
    let changed = r#"{"spec": {"selector": {"alertmanager.dev/cluster": "other"}}}"#;
    kubectl(&["patch", "-n", NAMESPACE, "service", "alertmanager-main", "--type=merge", "-p", changed]);
    until("the selector is put back", || {
        same(service()["spec"]["selector"]["alertmanager.dev/cluster"].as_str(), &Some("main")).map(drop)
    });
    assert_eq!(service()["metadata"]["annotations"]["example.com/owner"], "ops");
    kubectl(&["annotate", "-n", NAMESPACE, "service", "alertmanager-main", "example.com/owner-"]);
    until("all is well", || sample.settled(3));
}
