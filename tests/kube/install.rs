//! `kubectl apply` of the CRD, the operator and the sample makes a cluster.

use crate::kubectl::{command, kubectl, kubectl_with, pod_json, try_json};
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

#[test]
fn several_clusters_are_looked_after_by_one_operator_that_starts_anew() {
    let sample = Sample::ready();
    let names: Vec<String> = (0..5).map(|n| format!("many-{n}")).collect();
    let write = |interval: &str| {
        let cluster = |name: &String| {
            let text = format!("route: {{receiver: r, repeat_interval: {interval}}}\nreceivers: [{{name: r}}]\n");
            serde_json::json!({"apiVersion": "alertmanager.dev/v1alpha1", "kind": "AlertmanagerCluster",
                "metadata": {"name": name, "namespace": NAMESPACE}, "spec": {"replicas": 1, "config": {"inline": text}}})
        };
        let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": names.iter().map(cluster).collect::<Vec<_>>()});
        kubectl_with(&list.to_string(), &["apply", "-f", "-"]);
    };
    let programmed = || -> Result<Vec<String>, String> {
        let object = |name: &String| {
            let object = try_json(&["get", "amc", "-n", NAMESPACE, name])?;
            let current = object["status"]["observedGeneration"] == object["metadata"]["generation"];
            let ready = object["status"]["conditions"].as_array().into_iter().flatten();
            let ready = ready.filter(|c| c["type"] == "Ready").any(|c| c["status"] == "True");
            if ready && current {
                Ok(object["status"]["config"]["hash"].to_string())
            } else {
                Err(format!("{name} is not ready"))
            }
        };
        names.iter().map(object).collect()
    };
    write("1h");
    let before = until("five more clusters are ready", programmed);
    kubectl(&["-n", "alertmanager-operator", "rollout", "restart", "deployment/alertmanager-operator"]);
    kubectl(&["-n", "alertmanager-operator", "rollout", "status", "deployment/alertmanager-operator", TIMEOUT]);
    write("2h");
    until("all run another configuration", || {
        same(programmed()?.iter().zip(&before).all(|(new, old)| new != old), &true)
    });
    until("the first cluster is well", || sample.settled(3));
    for name in &names {
        kubectl(&["delete", "amc", "-n", NAMESPACE, name, TIMEOUT]);
    }
}
