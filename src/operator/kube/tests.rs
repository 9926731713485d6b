//! Rendered objects as a whole, and what must not influence them.

use super::*;
use crate::plan::ClusterPlan;
use crate::validate::{Files, ValidConfig};

const CONFIG: &str = "route: {receiver: none}\nreceivers: [{name: none}]\n";

fn owner() -> OwnerReference {
    OwnerReference {
        api_version: "alertmanager.dev/v1alpha1".to_owned(),
        kind: "AlertmanagerCluster".to_owned(),
        name: "pager".to_owned(),
        uid: "f3b1".to_owned(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    }
}

fn render(spec: &str, config: Option<&str>) -> Objects {
    let spec: AlertmanagerClusterSpec = serde_json::from_str(spec).unwrap();
    let config = config.map(|text| ValidConfig {
        text: text.to_owned(),
        templates: Files::from([("pager.tmpl".to_owned(), "{{ define \"pager\" }}x{{ end }}".to_owned())]),
        hash: crate::validate::hash(text, &Files::new()).unwrap_or_default(),
    });
    let plan = ClusterPlan::new("ops", "pager", &spec, config);
    Rendering { plan: &plan, spec: &spec, worker_image: "registry.example/am:1", owner: &owner() }.objects()
}

fn yaml(object: &impl serde::Serialize) -> String {
    serde_saphyr::to_string(&serde_json::to_value(object).unwrap()).unwrap()
}

const SMALL: &str = r#"{"config":{"inline":""}}"#;
const FULL: &str = r#"{
    "replicas": 5, "image": "registry.example/own:2", "imagePullPolicy": "Never", "config": {"inline": ""},
    "storage": {
        "volumeClaimTemplate": {"storageClassName": "fast", "resources": {"requests": {"storage": "64Mi"}}},
        "retentionPolicy": {"whenDeleted": "Delete"}
    },
    "retention": "48h", "logLevel": "debug", "logFormat": "json", "externalUrl": "https://am.example/",
    "resources": {"requests": {"cpu": "50m"}, "limits": {"memory": "256Mi"}},
    "cluster": {"peerTimeout": "20s", "probeInterval": "2s", "additionalPeers": ["am.other.example:9094"], "label": "prod"},
    "podDisruptionBudget": {"maxUnavailable": 2},
    "networkPolicy": {"enabled": true, "webFrom": [{"kubernetes.io/metadata.name": "monitoring"}]}
}"#;

#[test]
fn services_and_account() {
    let objects = render(SMALL, Some(CONFIG));
    let all = [yaml(&objects.service_account), yaml(&objects.peers_service), yaml(&objects.client_service)];
    insta::assert_snapshot!("services", all.join("---\n"));
}

#[test]
fn config_secret() {
    insta::assert_snapshot!("secret", yaml(&render(SMALL, Some(CONFIG)).config_secret.unwrap()));
}

#[test]
fn stateful_set_with_defaults() {
    insta::assert_snapshot!("stateful_set", yaml(&render(SMALL, Some(CONFIG)).stateful_set.unwrap()));
}

#[test]
fn stateful_set_with_everything() {
    insta::assert_snapshot!("stateful_set_full", yaml(&render(FULL, Some(CONFIG)).stateful_set.unwrap()));
}

#[test]
fn protection() {
    let full = render(FULL, Some(CONFIG));
    let all = [yaml(&full.disruption_budget.unwrap()), yaml(&full.network_policy.unwrap())];
    insta::assert_snapshot!("protection", all.join("---\n"));
    let small = render(SMALL, Some(CONFIG));
    assert!(small.disruption_budget.is_some() && small.network_policy.is_none());
    for spec in [
        r#"{"replicas":1,"config":{"inline":""}}"#,
        r#"{"podDisruptionBudget":{"enabled":false},"config":{"inline":""}}"#,
    ] {
        assert_eq!(render(spec, Some(CONFIG)).disruption_budget, None);
    }
}

#[test]
fn without_a_valid_config_there_are_no_members() {
    let objects = render(SMALL, None);
    assert_eq!((objects.config_secret, objects.stateful_set), (None, None));
}

#[test]
fn neither_config_nor_scale_changes_a_pod() {
    let template = |spec: &str, config: &str| render(spec, Some(config)).stateful_set.unwrap().spec.unwrap().template;
    let before = template(r#"{"replicas":3,"config":{"inline":""}}"#, CONFIG);
    let after = template(r#"{"replicas":5,"config":{"inline":"other"}}"#, "# other\n");
    assert_eq!(before, after);
}

#[test]
fn selectors_find_the_pods_and_only_them() {
    let objects = render(SMALL, Some(CONFIG));
    let set = objects.stateful_set.unwrap().spec.unwrap();
    let pod = set.template.metadata.unwrap().labels.unwrap();
    let services = [objects.peers_service, objects.client_service];
    let selectors = services.map(|service| service.spec.unwrap().selector.unwrap());
    for selector in selectors.iter().chain([&set.selector.match_labels.unwrap()]) {
        assert!(selector.iter().all(|(label, value)| pod.get(label) == Some(value)), "{selector:?}");
        assert!(selector.contains_key("alertmanager.dev/cluster"));
    }
}
