//! What kube-score says about everything that the charts render and the operator makes. (kube-linter, which issue 7 names, is
//! not published where this is built.) Each exception says why.

use serde_json::Value;

use crate::kubectl::{command, kubectl, run_command, scratch};
use crate::sample::Sample;
use crate::samples::{applied, gone, ready};

/// Checks that are left out, and why.
const EXCEPTIONS: [(&str, &str); 6] = [
    ("container-image-pull-policy", "images have versions, and a node must start a member while the registry is away"),
    ("container-ephemeral-storage-request-and-limit", "nothing is written but to volumes: the root is read-only"),
    ("deployment-replicas", "one operator is enough: members page without it, and a second one only stands by"),
    ("deployment-has-host-podantiaffinity", "spread constraints do that, and don't keep a pod from starting"),
    ("statefulset-has-host-podantiaffinity", "the same"),
    ("statefulset-has-servicename", "its Service is in another file"),
];

/// Complaints that are left out, and why.
const EXCEPT_FOR: [(&str, &str); 1] =
    [("egress NetworkPolicy", "receivers are anywhere, and so is the API server: no policy can name them for all")];

/// The complaints about the manifests in `text`.
fn complaints(name: &str, text: &str, more: &[&str]) -> Vec<String> {
    let file = scratch("lint").join(name);
    std::fs::write(&file, text).unwrap();
    let mut score = command("kube-score");
    score.args(["score", "--output-format", "ci", "--ignore-container-cpu-limit"]).args(more);
    for (check, _) in EXCEPTIONS {
        score.args(["--ignore-test", check]);
    }
    // it ends with 1 when it complains
    let output = score.arg(&file).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("[OK]"), "{name}: it judged nothing: {text}{}", String::from_utf8_lossy(&output.stderr));
    let bad = |line: &&str| line.starts_with("[CRITICAL]") || line.starts_with("[WARNING]");
    let left_out = |line: &str| EXCEPT_FOR.iter().any(|(part, _)| line.contains(part));
    text.lines().filter(bad).filter(|line| !left_out(line)).map(str::to_owned).collect()
}

#[test]
fn a_linter_finds_nothing_in_the_charts() {
    let all = "replicas=2,podDisruptionBudget.enabled=true,networkPolicy.enabled=true";
    let rendered = run_command("helm", &["template", "am", "charts/alertmanager-operator", "--set", all]).unwrap();
    // a Pod that runs once and ends is no backend of anything
    let found = complaints("operator.yaml", &rendered, &["--ignore-test", "pod-probes"]);
    let of_test = |line: &String| line.contains("-test/") && line.contains("NetworkPolicy");
    let found: Vec<_> = found.into_iter().filter(|line| !of_test(line)).collect();
    assert_eq!(found, Vec::<String>::new());
    // without a policy for traffic, which is on only where it is asked for
    let rendered = run_command("helm", &["template", "am", "charts/alertmanager-operator"]).unwrap();
    let found = complaints("defaults.yaml", &rendered, &["--ignore-test", "pod-probes,pod-networkpolicy"]);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn a_linter_finds_nothing_in_what_the_operator_makes() {
    let _operator = Sample::ready();
    let namespace = applied("hardened");
    ready(&namespace, "hardened");
    let made = kubectl(&["get", "sts,svc,pdb,networkpolicy", "-n", &namespace, "-o", "yaml"]);
    // kube-score takes documents, not lists
    let list: Value = serde_saphyr::from_str(&made).unwrap();
    let documents: Vec<String> = list["items"].as_array().into_iter().flatten().map(ToString::to_string).collect();
    assert!(documents.len() >= 5, "{made}");
    assert_eq!(complaints("cluster.yaml", &documents.join("\n---\n"), &[]), Vec::<String>::new());
    gone(&namespace);
}
