//! `kubectl apply` of the CRD, the operator and the sample makes a cluster.

use crate::kubectl::{command, kubectl, pod_json};
use crate::sample::{NAMESPACE, Sample};
use crate::wait::{TIMEOUT, same, until};

#[test]
fn one_manifest_becomes_a_cluster_of_three() {
    let sample = Sample::ready();
    kubectl(&["wait", "-n", NAMESPACE, "--for=condition=Ready", "amc/main", TIMEOUT]);
    let pods = sample.ready_pods().unwrap();
    let names: Vec<_> = pods.keys().map(String::as_str).collect();
    assert_eq!(names, ["alertmanager-main-0", "alertmanager-main-1", "alertmanager-main-2"]);
    for pod in names {
        until(&format!("{pod} sees all three"), || {
            let status = pod_json(NAMESPACE, pod, "/api/v2/status")?;
            same(status["cluster"]["peers"].as_array().map(Vec::len), &Some(3))?;
            same(status["cluster"]["status"].as_str(), &Some("ready")).map(drop)
        });
    }
    let table = kubectl(&["get", "amc", "-n", NAMESPACE]);
    println!("{table}");
    assert!(table.lines().any(|line| line.starts_with("main ") && line.contains("True")), "{table}");
}

#[test]
fn its_pods_obey_pod_security_restricted() {
    let _sample = Sample::ready();
    // the API server says which pods of the namespace would break the rule
    let labelled = command("kubectl")
        .args(["label", "--dry-run=server", "--overwrite", "namespace", NAMESPACE])
        .arg("pod-security.kubernetes.io/enforce=restricted")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&labelled.stderr);
    assert!(labelled.status.success() && !said.contains("violate"), "{said}");
}
