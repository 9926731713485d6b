//! The charts with the real Helm: what they render, and the life of a release.

use std::path::Path;

use serde_json::Value;

use crate::kubectl::{json, kubectl, run_command, try_kubectl};
use crate::sample::without_operator;
use crate::wait::{TIMEOUT, same, until};

const NAMESPACE: &str = "charts";
const OPERATOR: &str = "charts/alertmanager-operator";
const CLUSTER: &str = "charts/alertmanager";

fn helm(args: &[&str]) -> Result<String, String> {
    run_command("helm", args)
}

/// The operator's release, from our image.
fn operator<'a>(verb: &'a str, more: &[&'a str]) -> Result<String, String> {
    let image = "image.repository=localhost/alertmanager-operator,image.tag=dev,test.image=localhost/probe:lab";
    let common =
        ["am", OPERATOR, "-n", NAMESPACE, "--wait", TIMEOUT, "--set", image, "--set", "test.command={/probe,get}"];
    helm(&[&[verb], &common[..], more].concat())
}

fn pods() -> Vec<String> {
    let pods = json(&["get", "pods", "-n", NAMESPACE, "-l", "alertmanager.dev/cluster=pager"]);
    let uid = |pod: &Value| pod["metadata"]["uid"].to_string();
    pods["items"].as_array().into_iter().flatten().map(uid).collect()
}

fn hash() -> String {
    json(&["get", "amc", "-n", NAMESPACE, "pager"])["status"]["config"]["programmedHash"].to_string()
}

/// Compares with a file beside this one; `BLESS=1` writes it.
fn snapshot(name: &str, rendered: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kube/snapshots").join(name);
    // the definition has its own test
    let documents = rendered.split("\n---\n").filter(|document| !document.contains("kind: CustomResourceDefinition"));
    let rendered = documents.collect::<Vec<_>>().join("\n---\n");
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &rendered).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(rendered == expected, "{name} differs; BLESS=1 writes it anew:\n{rendered}");
}

#[test]
fn what_the_charts_render() {
    for chart in [OPERATOR, CLUSTER] {
        helm(&["lint", "--strict", chart]).unwrap();
    }
    snapshot("operator.yaml", &helm(&["template", "am", OPERATOR, "-n", "ops"]).unwrap());
    let all = "replicas=2,podDisruptionBudget.enabled=true,networkPolicy.enabled=true,serviceMonitor.enabled=true,\
               allNamespaces=true,priorityClassName=high,podLabels.team=sre,workerImage=registry.example/am:1";
    snapshot("operator_full.yaml", &helm(&["template", "am", OPERATOR, "-n", "ops", "--set", all]).unwrap());
    let two = helm(&["template", "am", OPERATOR, "-n", "ops", "--set", "watchNamespaces={a,b}"]).unwrap();
    assert!(!two.contains("kind: ClusterRole"), "nothing beyond the namespaces named");
    assert_eq!(two.matches("--namespace=").count(), 2);
    snapshot("cluster.yaml", &helm(&["template", "pager", CLUSTER, "-n", "ops"]).unwrap());
    let typo = helm(&["template", "am", OPERATOR, "--set", "replica=2"]).unwrap_err();
    assert!(typo.contains("replica"), "{typo}");
    let alone = helm(&["template", "am", OPERATOR, "--set", "podDisruptionBudget.enabled=true"]).unwrap_err();
    assert!(alone.contains("needs replicas of 2 or more"), "{alone}");
}

#[test]
fn a_release_is_installed_tested_upgraded_rolled_back_and_uninstalled() {
    without_operator(|| {
        operator("install", &["--create-namespace"]).unwrap();
        helm(&["test", "am", "-n", NAMESPACE]).unwrap();
        let cluster = ["pager", CLUSTER, "-n", NAMESPACE, "--wait", TIMEOUT];
        helm(&[&["install"], &cluster[..]].concat()).unwrap();
        let ready = ["wait", "-n", NAMESPACE, "--for=condition=Ready", "amc/pager", TIMEOUT];
        kubectl(&ready);
        let (before, first) = (pods(), hash());
        assert_eq!(before.len(), 3);

        operator("upgrade", &["--set", "log.level=debug"]).unwrap();
        helm(&[&["upgrade"], &cluster[..], &["--set", "config.route.group_wait=7s"]].concat()).unwrap();
        until("another configuration is live", || same(hash() == first, &false));
        kubectl(&ready);
        assert_eq!(pods(), before, "neither a new operator nor a new configuration restarts a member");
        operator("upgrade", &["--set", "log.level=loud"]).unwrap_err();
        helm(&["rollback", "pager", "1", "-n", NAMESPACE, "--wait", TIMEOUT]).unwrap();
        until("the first configuration is live again", || same(hash(), &first));
        assert_eq!(pods(), before);

        helm(&["uninstall", "pager", "-n", NAMESPACE, "--wait", TIMEOUT]).unwrap();
        until("its members are gone", || same(pods().len(), &0));
        helm(&["uninstall", "am", "-n", NAMESPACE, "--wait", TIMEOUT]).unwrap();
        until("nothing is left of the operator", || {
            let kinds = "all,roles,rolebindings,serviceaccounts";
            let left = try_kubectl(&["get", kinds, "-n", NAMESPACE, "-o", "name"])?;
            if left.contains("am-alertmanager-operator") { Err(left) } else { Ok(()) }
        });
        kubectl(&["get", "crd", "alertmanagerclusters.alertmanager.dev"]);
        kubectl(&["delete", "namespace", NAMESPACE, TIMEOUT]);
        // with the marks of Helm on it
        kubectl(&["delete", "crd", "alertmanagerclusters.alertmanager.dev", TIMEOUT]);
    });
}
