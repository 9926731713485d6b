//! Every flag that the operator can give a member is one that the worker takes.

use std::collections::BTreeSet;

use operator::crd::AlertmanagerClusterSpec;
use operator::kube::Rendering;
use operator::plan::ClusterPlan;
use operator::validate::{Files, ValidConfig};
use serde_json::{Value, json};

/// All fields that become flags, each with a value.
fn spec() -> Value {
    json!({
        "config": {"inline": ""},
        "logLevel": "debug", "logFormat": "json", "retention": "48h",
        "externalUrl": "https://alertmanager.example.com/am",
        "cluster": {
            "peerTimeout": "20s", "gossipInterval": "300ms", "pushPullInterval": "2m", "tcpTimeout": "9s",
            "probeTimeout": "400ms", "probeInterval": "2s", "settleTimeout": "30s", "reconnectInterval": "11s",
            "reconnectTimeout": "2h", "listenAddress": "[$(POD_IP)]:9094", "advertiseAddress": "[$(POD_IP)]:30094",
            "additionalPeers": ["alertmanager.other.example:9094"], "label": "prod",
            "tls": {"enabled": true},
        },
        "web": {
            "routePrefix": "/am", "corsOrigin": "https://.+", "getConcurrency": 16, "timeoutSeconds": 30,
            "tlsSecretName": "certificate", "basicAuthSecretName": "users",
        },
    })
}

#[test]
fn the_worker_takes_all_that_the_operator_gives() {
    let given = spec();
    let definition: Value = serde_saphyr::from_str(&operator::crd_yaml().unwrap()).unwrap();
    let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"];
    for section in ["cluster", "web"] {
        let names = |object: &Value| object.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(
            names(&given[section]),
            names(&schema[section]["properties"]),
            "a field of spec.{section} is missing here"
        );
    }

    let spec: AlertmanagerClusterSpec = serde_json::from_value(given).unwrap();
    let config = ValidConfig { text: String::new(), templates: Files::new(), mounted: None, hash: "h".into() };
    let plan = ClusterPlan::new("ops", "pager", &spec, Some(config));
    let rendering = Rendering {
        plan: &plan,
        spec: &spec,
        worker_image: "image",
        sources: "",
        certificates: None,
        web_file: Some(""),
        web_token: "t0ken",
        owner: &Default::default(),
    };
    let set = serde_json::to_value(rendering.objects().unwrap().stateful_set).unwrap();
    let args = set["spec"]["template"]["spec"]["containers"][0]["args"].as_array().unwrap().clone();
    let text = |arg: &Value| arg.as_str().unwrap().replace("$(POD_IP)", "10.1.2.3").replace("$(POD_NAME)", "pager-0");
    let args: Vec<String> = args.iter().map(text).collect();
    assert_eq!(args[0], "worker");
    let flags = worker::Flags::parse_args(args[1..].iter().map(Into::into)).unwrap();
    let settings = flags.check().unwrap();
    assert!(args.len() > 25, "{args:?}");
    assert_eq!(settings.idle_flags, Vec::<String>::new(), "each has an effect");
}
