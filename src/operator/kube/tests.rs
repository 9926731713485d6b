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
        mounted: None,
        hash: crate::validate::hash(text, &Files::new(), None).unwrap_or_default(),
    });
    let plan = ClusterPlan::new("ops", "pager", &spec, config);
    Rendering {
        plan: &plan,
        spec: &spec,
        worker_image: "registry.example/am:1",
        certificates: None,
        web_file: spec.web.is_protected().then_some("web: file"),
        web_token: "t0ken",
        sources: "",
        owner: &owner(),
    }
    .objects()
    .unwrap()
}

fn yaml(object: &impl serde::Serialize) -> String {
    serde_saphyr::to_string(&serde_json::to_value(object).unwrap()).unwrap()
}

const SMALL: &str = r#"{"config":{"inline":""}}"#;
const FULL: &str = r#"{
    "replicas": 5, "image": "registry.example/own:2", "imagePullPolicy": "Never",
    "config": {"inline": "", "secrets": ["pager-secrets"], "configMaps": ["company-ca"]},
    "storage": {
        "volumeClaimTemplate": {"storageClassName": "fast", "resources": {"requests": {"storage": "64Mi"}}},
        "retentionPolicy": {"whenDeleted": "Delete"}
    },
    "retention": "48h", "logLevel": "debug", "logFormat": "json", "externalUrl": "https://am.example/",
    "resources": {"requests": {"cpu": "50m"}, "limits": {"memory": "256Mi"}},
    "cluster": {"peerTimeout": "20s", "probeInterval": "2s", "additionalPeers": ["am.other.example:9094"], "label": "prod"},
    "restartedAt": "2026-01-31T12:00:00Z",
    "podTemplate": {
        "metadata": {"labels": {"team": "sre", "alertmanager.dev/cluster": "other"}},
        "spec": {
            "priorityClassName": "high", "tolerations": [{"key": "dedicated", "operator": "Exists"}],
            "containers": [
                {"name": "alertmanager", "env": [{"name": "TZ", "value": "UTC"}]},
                {"name": "proxy", "image": "registry.example/proxy:1"}
            ]
        }
    },
    "web": {"tlsSecretName": "web-cert", "basicAuthSecretName": "users", "routePrefix": "/am", "corsOrigin": "https://.+", "getConcurrency": 16, "timeoutSeconds": 30},
    "service": {"type": "LoadBalancer", "annotations": {"example.com/internal": "true"}, "perReplica": true},
    "ingress": {"className": "nginx", "hosts": ["am.example"], "tlsSecretName": "tls", "annotations": {"a.example/b": "c"}},
    "httpRoute": {"parentRefs": [{"name": "public", "namespace": "gateways"}], "hostnames": ["am.example"]},
    "autoscaling": {"minReplicas": 3, "maxReplicas": 7, "cpuUtilization": 70, "alertsReceived": "500"},
    "podDisruptionBudget": {"maxUnavailable": 2},
    "monitoring": {"podMonitor": {"interval": "30s", "labels": {"release": "p"}}, "rules": {"labels": {"release": "p"}},
        "dashboard": {"labels": {"grafana_dashboard": "1"}}},
    "resourceQuota": {"hard": {"limits.memory": "2Gi"}},
    "backup": {"schedule": "0 3 * * *", "timeZone": "Europe/Berlin", "place": {"claimName": "backups"}},
    "restoreFrom": {"name": "20260131T030000000Z", "place": {"url": "s3://b/p", "credentialsSecretName": "s3"}},
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
fn ways_in() {
    let full = render(FULL, Some(CONFIG));
    let first = &full.member_services[0];
    assert_eq!(full.member_services.len(), 5);
    let all = [yaml(&full.client_service), yaml(first), yaml(&full.ingress.unwrap())];
    insta::assert_snapshot!("ways_in", all.join("---\n"));
    let small = render(SMALL, Some(CONFIG));
    assert!(small.member_services.is_empty() && small.ingress.is_none());
}

#[test]
fn what_is_of_kinds_that_are_not_watched() {
    let full = render(FULL, Some(CONFIG));
    let mut all: Vec<_> = full.others.iter().filter_map(|other| other.object.as_ref().map(yaml)).collect();
    all.push(yaml(&full.web_secret.unwrap()));
    insta::assert_snapshot!("others", all.join("---\n"));
    let small = render(SMALL, Some(CONFIG));
    assert!(small.web_secret.is_none() && small.others.iter().all(|other| other.object.is_none()));
    assert_eq!(small.others.len(), 7);
}

#[test]
fn backups_get_where_members_are_and_past_passwords() {
    let spec = |more: &str| {
        let place = r#""place": {"url": "s3://b/p", "credentialsSecretName": "s3"}"#;
        format!(
            r#"{{"replicas": 2, "config": {{"inline": ""}}, "backup": {{"schedule": "@daily", {place}}},
                "restoreFrom": {{{place}}}{more}}}"#
        )
    };
    let of = |text: &str| {
        let objects = render(&spec(text), Some(CONFIG));
        let job = objects.others.iter().find(|other| other.resource.kind == "CronJob").unwrap();
        assert_eq!(job.name, "amc-pager-backup");
        let job = job.object.as_ref().unwrap().data["spec"].clone();
        let pod = job["jobTemplate"]["spec"]["template"]["spec"].clone();
        let args = pod["containers"][0]["args"].as_array().unwrap().iter();
        let args: Vec<_> = args.map(|arg| arg.as_str().unwrap().to_owned()).collect();
        (job, pod, args, objects.stateful_set.unwrap().spec.unwrap().template.spec.unwrap())
    };
    let (_, _, args, member) = of(r#", "web": {"routePrefix": "/am/"}"#);
    let peer = |n| format!("http://alertmanager-pager-{n}.alertmanager-pager-peers.ops.svc:9093/am");
    assert_eq!(args, ["backup", "--to=s3://b/p", "--keep-days=30", &peer(0), &peer(1)]);
    let restorer = &member.init_containers.unwrap()[0];
    let last = "--unless-alive=alertmanager-pager-peers.ops.svc:9095";
    let args = restorer.args.clone().unwrap();
    assert_eq!(args[3..], ["--if-empty".to_owned(), last.to_owned(), "--or-none".to_owned()]);
    assert_eq!(restorer.env_from.as_ref().unwrap()[0].secret_ref.as_ref().unwrap().name, "s3");

    let (job, pod, args, _) = of(
        r#", "hibernate": true, "storage": {"volumeClaimTemplate": {"resources": {"requests": {"storage": "1Gi"}}}},
            "web": {"basicAuthSecretName": "users"}, "podTemplate": {"spec": {"imagePullSecrets": [{"name": "pull"}]}}"#,
    );
    assert_eq!(job["suspend"], true, "there is nobody to ask");
    assert_eq!(
        args,
        ["backup", "--to=s3://b/p", "--keep-days=30", "--token-file=/etc/alertmanager/web/operator-token"]
    );
    assert_eq!(pod["volumes"][0]["secret"]["items"][0]["key"], "operator-token", "and not the passwords");
    assert_eq!(pod["imagePullSecrets"][0]["name"], "pull");
}

#[test]
fn rules_and_dashboard_are_of_this_cluster_only() {
    let full = render(FULL, Some(CONFIG));
    let text = |kind: &str| {
        let other = full.others.iter().find(|other| other.resource.kind == kind).unwrap();
        other.object.as_ref().unwrap().data.to_string()
    };
    for kind in ["PrometheusRule", "ConfigMap"] {
        assert!(text(kind).contains("alertmanager-pager-[0-9]+"), "{kind}");
        assert!(!text(kind).contains("job="), "{kind}");
    }
    let map = full.others.iter().find(|other| other.resource.kind == "ConfigMap").unwrap();
    let dashboard = map.object.as_ref().unwrap().data["data"]["alertmanager-pager.json"].as_str().unwrap().to_owned();
    let dashboard: serde_json::Value = serde_json::from_str(&dashboard).unwrap();
    assert_eq!(dashboard["title"], "Alertmanager ops/pager");
}

#[test]
fn autoscaler() {
    insta::assert_snapshot!("autoscaler", yaml(&render(FULL, Some(CONFIG)).autoscaler.unwrap()));
    assert_eq!(render(SMALL, Some(CONFIG)).autoscaler, None);
}

#[test]
fn who_hibernates_has_no_members_and_keeps_the_volumes() {
    let spec = r#"{"hibernate": true, "config": {"inline": ""}, "storage": {
        "volumeClaimTemplate": {"resources": {"requests": {"storage": "1Gi"}}},
        "retentionPolicy": {"whenScaled": "Delete"}}}"#;
    let set = render(spec, Some(CONFIG)).stateful_set.unwrap().spec.unwrap();
    assert_eq!(set.replicas, Some(0));
    let retention = set.persistent_volume_claim_retention_policy.unwrap();
    assert_eq!(retention.when_scaled.as_deref(), Some("Retain"));
}

#[test]
fn an_overlay_that_is_no_pod_spec_is_refused_with_its_place() {
    let refused = |overlay: &str| {
        let json = format!(r#"{{"config": {{"inline": ""}}, "podTemplate": {{"spec": {overlay}}}}}"#);
        let spec: AlertmanagerClusterSpec = serde_json::from_str(&json).unwrap();
        let config = ValidConfig { text: CONFIG.into(), templates: Files::new(), mounted: None, hash: "h".into() };
        let plan = ClusterPlan::new("ops", "pager", &spec, Some(config));
        let rendering = Rendering {
            plan: &plan,
            spec: &spec,
            worker_image: "i",
            certificates: None,
            web_file: None,
            web_token: "",
            sources: "",
            owner: &owner(),
        };
        crate::error_chain(&rendering.objects().unwrap_err())
    };
    let place = ".containers[0].resource is no field";
    assert!(refused(r#"{"containers": [{"name": "a", "resource": {}}]}"#).contains(place));
    assert!(refused(r#"{"nodeselector": {"a": "b"}}"#).contains(".nodeselector is no field"));
    assert!(refused(r#"{"tolerations": {"a": "b"}}"#).contains("no part of a pod's spec: invalid type"));
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
    let after = template(
        r#"{"replicas":5,"config":{"inline":"other"},"rollout":{"strategy":"AllAtOnce"},"health":{"intervalSeconds":9},
            "ingress":{"hosts":["a.example"]},"service":{"perReplica":true},"topology":"MultiMaster"}"#,
        "# other\n",
    );
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
