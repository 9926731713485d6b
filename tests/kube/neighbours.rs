//! What other operators do for a cluster, with their own definitions, and with cert-manager's own controllers.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use serde_json::{Value, json as value};

use crate::kubectl::{command, json, kubectl, kubectl_with, scratch, test_bed_file, try_json, try_kubectl};
use crate::sample::Sample;
use crate::wait::{TIMEOUT, same, until};

const NAMESPACE: &str = "neighbours";

/// The definitions, for as long as it lives: without them is the usual case, and other tests run in it.
struct Definitions(PathBuf);

impl Definitions {
    fn installed() -> Self {
        let dir = test_bed_file("crds");
        let here = Self(dir.clone());
        let dir = dir.display().to_string();
        kubectl(&["apply", "--server-side", "-f", &dir]);
        kubectl(&["wait", "--for=condition=Established", "-f", &dir, TIMEOUT]);
        kubectl_with(
            &value!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}).to_string(),
            &["apply", "-f", "-"],
        );
        here
    }
}

impl Drop for Definitions {
    fn drop(&mut self) {
        let gone = ["--ignore-not-found", "--wait", TIMEOUT];
        for what in [&["amc", "-n", NAMESPACE, "--all"][..], &["namespace", NAMESPACE]] {
            let _ = try_kubectl(&[&["delete"], what, &gone].concat());
        }
        let _ = try_kubectl(&[&["delete", "-f", &self.0.display().to_string()], &gone[..]].concat());
    }
}

/// cert-manager, as a process beside the node.
struct CertManager(Child);

impl CertManager {
    fn started() -> Self {
        let log = File::create(scratch("cert-manager").join("log")).unwrap();
        let bin = test_bed_file("cert-manager");
        let mut started = command("cert-manager");
        assert!(bin.exists(), "tests/kube/build.sh builds {}", bin.display());
        let kubeconfig = started.get_envs().find(|(name, _)| *name == "KUBECONFIG").and_then(|(_, value)| value);
        let kubeconfig = kubeconfig.unwrap().to_owned();
        started.arg(kubeconfig).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        Self(started.spawn().unwrap())
    }
}

impl Drop for CertManager {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
        if std::thread::panicking() {
            let log = std::fs::read_to_string(scratch("cert-manager").join("log")).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            println!("---- the end of cert-manager's log\n{}", lines[lines.len().saturating_sub(40)..].join("\n"));
        }
    }
}

fn cluster(more: &Value) -> Value {
    let text = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n";
    let mut spec = value!({"replicas": 2, "config": {"inline": text}});
    spec.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    value!({
        "apiVersion": "alertmanager.dev/v1alpha1", "kind": "AlertmanagerCluster",
        "metadata": {"name": "pager", "namespace": NAMESPACE}, "spec": spec,
    })
}

fn apply(object: &Value) {
    kubectl_with(&object.to_string(), &["apply", "-f", "-"]);
}

fn ready() {
    let waited = try_kubectl(&["wait", "--for=condition=Ready", "-n", NAMESPACE, "amc/pager", TIMEOUT]);
    waited.unwrap_or_else(|complaint| {
        panic!("{complaint}\n{}", kubectl(&["get", "amc,certificates,pods", "-n", NAMESPACE, "-o", "yaml"]))
    });
}

#[test]
fn routes_monitors_and_rules_are_as_their_definitions_want_them() {
    let _operator = Sample::ready();
    let _definitions = Definitions::installed();
    apply(&cluster(&value!({
        "replicas": 1,
        "httpRoute": {"parentRefs": [{"name": "public"}], "hostnames": ["am.example"]},
        "monitoring": {"podMonitor": {"interval": "15s"}, "rules": {"labels": {"release": "prometheus"}}},
    })));
    ready();
    let get = |kind: &str| try_json(&["get", "-n", NAMESPACE, kind, "alertmanager-pager"]);
    let route = until("the route is there", || get("httproute"));
    let rule = &route["spec"]["rules"][0];
    assert_eq!(rule["backendRefs"][0]["port"], 9093, "{route}");
    assert_eq!(
        (&rule["matches"][0]["path"]["value"], &route["spec"]["hostnames"][0]),
        (&"/".into(), &"am.example".into())
    );
    let monitor = get("podmonitor").unwrap();
    let endpoint = &monitor["spec"]["podMetricsEndpoints"][0];
    assert_eq!((&endpoint["port"], &endpoint["interval"]), (&"management".into(), &"15s".into()), "{monitor}");
    let rules = get("prometheusrule").unwrap();
    assert_eq!(rules["metadata"]["labels"]["release"], "prometheus");
    assert_eq!(rules["spec"]["groups"][0]["rules"].as_array().map(Vec::len), Some(10), "{rules}");

    // nothing is fought over: what their owners fill in stays, and no write follows
    let versions = || {
        ["httproute", "podmonitor", "prometheusrule"]
            .map(|kind| get(kind).map(|it| it["metadata"]["resourceVersion"].to_string()))
    };
    let before = versions();
    kubectl(&["annotate", "-n", NAMESPACE, "amc", "pager", "look=again"]);
    ready();
    assert_eq!(versions(), before);

    apply(&cluster(&value!({"replicas": 1})));
    until("what isn't wanted any more is gone", || {
        let left = ["httproute", "podmonitor", "prometheusrule"].map(|kind| get(kind).is_ok());
        same(left, &[false; 3])
    });
}

#[test]
fn cert_manager_makes_and_renews_the_certificates_of_members() {
    let _operator = Sample::ready();
    let _definitions = Definitions::installed();
    let _cert_manager = CertManager::started();
    let metadata = |name: &str| value!({"name": name, "namespace": NAMESPACE});
    let issuer = |name: &str, spec: Value| value!({"apiVersion": "cert-manager.io/v1", "kind": "Issuer", "metadata": metadata(name), "spec": spec});
    apply(&issuer("self", value!({"selfSigned": {}})));
    apply(&value!({
        "apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": metadata("authority"),
        "spec": {
            "isCA": true, "commonName": "authority", "secretName": "authority",
            "privateKey": {"algorithm": "ECDSA"}, "issuerRef": {"name": "self"},
        },
    }));
    apply(&issuer("internal", value!({"ca": {"secretName": "authority"}})));
    apply(&cluster(&value!({"cluster": {"tls": {"issuerRef": {"name": "internal"}}}})));
    ready();
    let condition = |kind: &str| -> Result<String, String> {
        let object = try_json(&["get", "amc", "-n", NAMESPACE, "pager"])?;
        let all = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let one = all.iter().find(|condition| condition["type"] == kind).cloned().unwrap_or_default();
        Ok(format!("{} {}", one["status"].as_str().unwrap_or_default(), one["message"]))
    };
    until("members see each other", || {
        let told = condition("GossipConverged")?;
        if told.starts_with("True") { Ok(()) } else { Err(told) }
    });
    let told = condition("CertificatesReady").unwrap();
    assert!(told.starts_with("True"), "{told}");
    let secret = || try_json(&["get", "secret", "-n", NAMESPACE, "alertmanager-pager-gossip"]);
    let first = secret().unwrap();
    assert_eq!(first["metadata"]["annotations"]["cert-manager.io/issuer-name"], "internal", "{first}");

    // a renewed certificate is taken up by running members, and by those that come after
    let pods = || {
        let pods = json(&["get", "pods", "-n", NAMESPACE, "-l", "alertmanager.dev/cluster=pager"]);
        let uid = |pod: &Value| pod["metadata"]["uid"].to_string();
        pods["items"].as_array().into_iter().flatten().map(uid).collect::<Vec<_>>()
    };
    let before = pods();
    kubectl(&["delete", "secret", "-n", NAMESPACE, "alertmanager-pager-gossip"]);
    until("there is another certificate", || match secret() {
        Ok(now) if now["data"]["tls.crt"] != first["data"]["tls.crt"] => Ok(()),
        Ok(_) => Err("the old one".to_owned()),
        Err(complaint) => Err(complaint),
    });
    ready();
    assert_eq!(pods(), before, "nobody was restarted for it");
    kubectl(&["delete", "pod", "-n", NAMESPACE, "alertmanager-pager-1", TIMEOUT]);
    until("one that starts now is let in", || {
        let told = condition("GossipConverged")?;
        let now = pods();
        if told.starts_with("True") && now.len() == 2 && now[1] != before[1] { Ok(()) } else { Err(told) }
    });
    ready();
}
