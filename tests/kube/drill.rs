//! A marked cluster in Kubernetes is rehearsed with, from where its pods can't be reached but through the API server.

use serde_json::{Value, json as value};

use crate::diagnose::ours;
use crate::kubectl::{json, kubectl, try_json};
use crate::sample::Sample;
use crate::samples::{applied, gone, ready};
use crate::wait::{TIMEOUT, until};

const NAMESPACE: &str = "sample-drill";

/// The exit code, the report, and what else was said.
fn drill(args: &[&str]) -> (Option<i32>, Value, String) {
    let output = ours("drill", &[&["--cluster", "sample-drill/drill", "--output=json"], args].concat());
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or_default(), told)
}

#[test]
fn a_cluster_in_a_namespace_is_rehearsed_with() {
    let _operator = Sample::ready();
    assert_eq!(applied("drill"), NAMESPACE);
    ready(NAMESPACE, "drill");
    kubectl(&["rollout", "status", "-n", NAMESPACE, "deployment/drill-sink", TIMEOUT]);
    let before = json(&["get", "amc", "-n", NAMESPACE, "drill"])["spec"].clone();

    // what a namespace doesn't allow is told, and is no failure of the cluster
    let (code, report, told) = drill(&["--only=freeze,cut-off"]);
    assert_eq!(code, Some(0), "{report:#}{told}");
    let why: Vec<&str> =
        report["acts"].as_array().unwrap().iter().map(|act| act["notDone"].as_str().unwrap()).collect();
    assert!(why[0].contains("can't be stopped") && why[1].contains("violates PodSecurity"), "{report:#}");

    kubectl(&["label", "namespace", NAMESPACE, "--overwrite", "pod-security.kubernetes.io/enforce=privileged"]);
    let (code, report, told) = drill(&["--only=kill,cut-off,full-disk,bad-config,slow-receiver"]);
    assert_eq!((code, &report["good"]), (Some(0), &true.into()), "{report:#}{told}");
    let acts = report["acts"].as_array().unwrap();
    println!("{report:#}");
    assert_eq!(acts.len(), 5);
    for act in acts {
        assert!(act["noticedMs"].is_u64() && act["wellMs"].is_u64() && act["notDone"].is_null(), "{act:#}");
        assert!(act["alerts"]["posted"].as_u64() >= Some(3) && act["alerts"]["lost"] == value!([]), "{act:#}");
    }
    // and nothing of it is left
    assert_eq!(json(&["get", "amc", "-n", NAMESPACE, "drill"])["spec"], before);
    until("no pod has a visitor, and all is well", || {
        let pods = try_json(&["get", "pods", "-n", NAMESPACE, "-l", "alertmanager.dev/cluster=drill"])?;
        let pods = pods["items"].as_array().unwrap().clone();
        let clean = pods.iter().filter(|pod| pod["spec"]["ephemeralContainers"].is_null());
        if clean.count() == 3 { Ok(()) } else { Err(format!("{pods:#?}")) }
    });
    ready(NAMESPACE, "drill");

    // who isn't marked isn't touched, be it the cluster or the receiver that others use
    kubectl(&["annotate", "service", "-n", NAMESPACE, "drill-sink", "alertmanager.dev/drill-"]);
    let (code, _, told) = drill(&[]);
    assert!(code == Some(1) && told.contains("Service drill-sink is not marked for drills"), "{told}");
    kubectl(&["annotate", "amc", "-n", NAMESPACE, "drill", "alertmanager.dev/drill-"]);
    let (code, _, told) = drill(&[]);
    assert!(code == Some(1) && told.contains("sample-drill/drill is not marked for drills"), "{told}");
    gone(NAMESPACE);
}
