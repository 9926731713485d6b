//! The schema as users get it.

use super::*;

const COMMITTED: &str = include_str!("../../../crds/alertmanagerclusters.yaml");

#[test]
fn committed_definition_is_current() {
    let fresh = crd_yaml().unwrap();
    if std::env::var_os("UPDATE_CRDS").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/../../crds/alertmanagerclusters.yaml"), &fresh).unwrap();
        return;
    }
    assert!(fresh == COMMITTED, "crds/alertmanagerclusters.yaml is stale: run `make crds`");
}

#[test]
fn the_chart_has_the_same_definition() {
    let of_chart = include_str!("../../../charts/alertmanager-operator/files/alertmanagerclusters.yaml");
    if std::env::var_os("UPDATE_CRDS").is_none() {
        assert!(of_chart == COMMITTED, "the chart's definition is stale: run `make crds`");
    }
}

#[test]
fn the_chart_has_the_same_rules() {
    let ours = include_str!("../../../config/operator/rbac.yaml");
    let of_chart = include_str!("../../../charts/alertmanager-operator/templates/_rules.tpl");
    let ours = ours.split("\n---\n").find(|document| document.contains("kind: ClusterRole\n")).unwrap();
    let rules = &ours[ours.find("rules:").unwrap()..];
    assert!(of_chart.contains(rules.trim_end()), "charts/…/_rules.tpl differs from config/operator/rbac.yaml");
}

#[test]
fn definition_is_small_enough_for_client_side_apply() {
    assert!(COMMITTED.len() < 200_000);
}

#[test]
fn every_field_of_the_spec_is_described_with_an_example() {
    let definition = serde_json::to_value(AlertmanagerCluster::crd()).unwrap();
    let spec = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    let mut missing = Vec::new();
    undocumented("spec", spec, &mut missing);
    assert_eq!(missing, Vec::<String>::new());
}

fn undocumented(path: &str, schema: &serde_json::Value, missing: &mut Vec<String>) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        if !field["description"].as_str().is_some_and(|text| text.contains("Example: ")) {
            missing.push(path.clone());
        }
        undocumented(&path, field, missing);
    }
}

#[test]
fn defaults_of_types_and_schema_agree() {
    let definition = serde_json::to_value(AlertmanagerCluster::crd()).unwrap();
    let fields = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"];
    let spec: AlertmanagerClusterSpec = serde_json::from_str(r#"{"config":{"inline":""}}"#).unwrap();
    let defaulted = serde_json::to_value(&spec).unwrap();
    for field in [
        "replicas",
        "storage",
        "retention",
        "logLevel",
        "logFormat",
        "rollout",
        "health",
        "service",
        "paused",
        "hibernate",
    ] {
        assert_eq!(fields[field]["default"], defaulted[field], "{field}");
    }
}

#[test]
fn source_is_exactly_one() {
    let source = |json: &str| serde_json::from_str::<ConfigSpec>(json).unwrap().source();
    assert_eq!(
        source(r#"{"configMapRef":{"name":"a"}}"#),
        Ok(ConfigSource::ConfigMap { name: "a".into(), key: "alertmanager.yml".into() })
    );
    assert_eq!(source("{}"), Err(ConfigSourceError));
    assert_eq!(source(r#"{"secretRef":{"name":"a"},"inline":""}"#), Err(ConfigSourceError));
}
