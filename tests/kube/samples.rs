//! The other samples and the overlays: each is applied as it is, and what it asks for is there.

use std::process::Command;

use crate::diagnose::diagnose;
use crate::kubectl::{in_node, json, kubectl, kubectl_with, run_command, scratch, try_json, try_kubectl};
use crate::sample::Sample;
use crate::wait::{TIMEOUT, until};

/// Of its own, and under Pod Security "restricted".
pub(crate) fn namespace(name: &str) {
    let labels = serde_json::json!({"pod-security.kubernetes.io/enforce": "restricted"});
    let object =
        serde_json::json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}});
    kubectl_with(&object.to_string(), &["apply", "-f", "-"]);
}

/// Applies one in a namespace of its own, and returns that.
pub(crate) fn applied(sample: &str) -> String {
    let namespace_name = format!("sample-{sample}");
    namespace(&namespace_name);
    kubectl(&["apply", "-n", &namespace_name, "-k", &format!("config/samples/{sample}")]);
    namespace_name
}

/// Waits for its cluster.
pub(crate) fn ready(namespace: &str, sample: &str) {
    let wait = ["wait", "--for=condition=Ready", "-n", namespace, &format!("amc/{sample}"), TIMEOUT];
    let waited = try_kubectl(&wait);
    let object = || kubectl(&["get", "amc", "-n", namespace, sample, "-o", "yaml"]);
    waited.unwrap_or_else(|complaint| panic!("{complaint}\n{}", object()));
}

/// Removes all of it.
pub(crate) fn gone(namespace: &str) {
    kubectl(&["delete", "amc", "-n", namespace, "--all", TIMEOUT]);
    kubectl(&["delete", "namespace", namespace, TIMEOUT]);
}

/// Where a pod is.
pub(crate) fn pod_address(namespace: &str, pod: &str) -> Result<String, String> {
    let pod = try_json(&["get", "pod", "-n", namespace, pod])?;
    pod["status"]["podIP"].as_str().map(str::to_owned).ok_or_else(|| "it has no address".to_owned())
}

#[test]
fn samples_become_clusters() {
    let _operator = Sample::ready();
    let namespaces = ["dev", "zones", "hardened", "autoscaling"].map(|sample| (applied(sample), sample));
    for (namespace, sample) in &namespaces {
        ready(namespace, sample);
    }
    let quota = json(&["get", "resourcequota", "-n", "sample-hardened", "alertmanager-hardened"]);
    assert_eq!(quota["spec"]["hard"]["limits.memory"], "1Gi");
    let secret = ["exec", "-n", "sample-hardened", "alertmanager-hardened-0", "--", "/alertmanager-operator", "check"];
    let checked = try_kubectl(&[&secret[..], &["/etc/alertmanager/config/alertmanager.yml"]].concat());
    assert!(checked.is_ok(), "the member finds its secret: {checked:?}");
    let scaler = json(&["get", "hpa", "-n", "sample-autoscaling", "alertmanager-autoscaling"]);
    assert_eq!(scaler["spec"]["maxReplicas"], 7);

    // the autoscaler sets `replicas`, and nobody takes it back
    let patch = r#"{"spec": {"autoscaling": {"minReplicas": 4}}}"#;
    kubectl(&["patch", "-n", "sample-autoscaling", "amc", "autoscaling", "--type=merge", "-p", patch]);
    until("the autoscaler has made it four", || {
        let object = try_json(&["get", "amc", "-n", "sample-autoscaling", "autoscaling"])?;
        match (object["spec"]["replicas"].as_u64(), object["status"]["readyReplicas"].as_u64()) {
            (Some(4), Some(4)) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
    let scaler = json(&["get", "hpa", "-n", "sample-autoscaling", "alertmanager-autoscaling"]);
    assert!(scaler["status"]["conditions"].to_string().contains("SucceededRescale"), "{scaler}");

    // what a secret holds is part of what members run
    let programmed = |since: &str| -> Result<String, String> {
        let status = try_json(&["get", "amc", "-n", "sample-hardened", "hardened"])?["status"].clone();
        let hash = status["config"]["hash"].as_str().unwrap_or_default().to_owned();
        let replicas = status["config"]["replicas"].as_array().cloned().unwrap_or_default();
        let all = !replicas.is_empty() && replicas.iter().all(|replica| replica["hash"] == status["config"]["hash"]);
        if all && hash != since { Ok(hash) } else { Err(status["config"].to_string()) }
    };
    let before = programmed("").unwrap();
    let other = r#"{"stringData": {"url": "http://webhook-sink.sample-hardened.svc/other"}}"#;
    kubectl(&["patch", "secret", "-n", "sample-hardened", "hardened-pager", "-p", other]);
    until("all members run with the new secret", || programmed(&before));

    // a secret that is no longer there is told of, and no member is touched
    kubectl(&["delete", "secret", "-n", "sample-hardened", "hardened-pager"]);
    until("the lack is told", || {
        let object = try_json(&["get", "amc", "-n", "sample-hardened", "hardened"])?;
        let conditions = object["status"]["conditions"].to_string();
        let told = conditions
            .contains("line 6: url_file: /etc/alertmanager/secrets/hardened-pager/url: Secret hardened-pager");
        if told { Ok(()) } else { Err(conditions) }
    });
    for (namespace, _) in &namespaces {
        gone(namespace);
    }
}

#[test]
fn who_has_no_password_gets_to_the_probes_only() {
    let _operator = Sample::ready();
    namespace("sample-protected");
    let dir = scratch("protected");
    let [certificate, key] = ["tls.crt", "tls.key"].map(|name| dir.join(name).display().to_string());
    let host = "alertmanager-protected.sample-protected.svc";
    let made =
        ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj"];
    let names = [
        "/CN=alertmanager",
        "-addext",
        &format!("subjectAltName=DNS:{host},DNS:alertmanager.example.com"),
        "-out",
        &certificate,
        "-keyout",
        &key,
    ];
    run_command("openssl", &[&made[..], &names[..]].concat()).unwrap();
    let secret = ["create", "secret", "tls", "-n", "sample-protected", "protected-web"];
    kubectl(&[&secret[..], &[&format!("--cert={certificate}"), &format!("--key={key}")]].concat());
    let namespace = applied("protected");
    ready(&namespace, "protected");

    let address = json(&["get", "service", "-n", &namespace, "alertmanager-protected"])["spec"]["clusterIP"].clone();
    let address = address.as_str().unwrap().to_owned();
    let ask = |path: &str, more: &[&str]| {
        let mut curl = Command::new("curl");
        curl.args([
            "--silent",
            "--max-time",
            "20",
            "--output",
            "/dev/null",
            "--write-out",
            "%{http_code}",
            "--noproxy",
            "*",
        ]);
        curl.args(["--cacert", &certificate, "--connect-to", &format!("{host}:9093:{address}:9093")]).args(more);
        let output = curl.arg(format!("https://{host}:9093{path}")).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert_eq!(ask("/api/v2/status", &["--user", "ann:secret"]), "200");
    assert_eq!(ask("/api/v2/status", &["--user", "ann:guess"]), "401");
    assert_eq!(ask("/-/reload", &["--request", "POST"]), "401");

    crate::ingress::is_one_alertmanager(&namespace, "alertmanager-protected", &certificate);

    // it is diagnosed by who may read its Secrets
    let (code, text) = diagnose(&["--cluster", "sample-protected/protected"]);
    for member in ["alertmanager-protected-0  ready, 0.34.2", "alertmanager-protected-1  ready, 0.34.2"] {
        assert!(text.contains(member), "{text}");
    }
    let ends = "Secret protected-web has a certificate that ends in 1 days";
    assert!(code == Some(1) && text.contains(ends) && !text.contains("[unreachable]"), "{text}");

    // a configuration gets to members that its operator has no password for
    let text = "route: {receiver: nobody, group_wait: 3s}\nreceivers: [{name: nobody}]\n";
    let patch = serde_json::json!({"spec": {"config": {"inline": text}}}).to_string();
    kubectl(&["patch", "-n", &namespace, "amc", "protected", "--type=merge", "-p", &patch]);
    until("both members run it", || {
        let object = try_json(&["get", "amc", "-n", &namespace, "protected"])?;
        let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let programmed = conditions.iter().find(|condition| condition["type"] == "ConfigProgrammed");
        let current = object["status"]["observedGeneration"] == object["metadata"]["generation"];
        match programmed.filter(|condition| condition["status"] == "True" && current) {
            Some(_) => Ok(()),
            None => Err(object["status"].to_string()),
        }
    });

    // nor do alerts about members need one
    let stuck = "alertmanager-protected-1";
    let process = in_node(&["pgrep", "-f", &format!("^/alertmanager-operator worker.*--cluster.peer-name={stuck} ")]);
    in_node(&["kill", "-STOP", process.trim()]);
    until("the other member has the alert", || {
        let member = pod_address(&namespace, "alertmanager-protected-0")?;
        let path = "/api/v2/alerts?filter=alertname=AlertmanagerNodeFailure";
        let connect = format!("{host}:9093:{member}:9093");
        let login =
            ["--silent", "--max-time", "20", "--noproxy", "*", "--cacert", &certificate, "--user", "ann:secret"];
        let told = run_command(
            "curl",
            &[&login[..], &["--connect-to", &connect, &format!("https://{host}:9093{path}")]].concat(),
        )?;
        if told.contains(stuck) { Ok(()) } else { Err(told) }
    });
    ready(&namespace, "protected");

    // what can't protect is told of, and changes nothing
    let users = r#"{"stringData": {"ann": "secret"}}"#;
    kubectl(&["patch", "secret", "-n", &namespace, "protected-users", "-p", users]);
    until("the operator says that this is no hash", || {
        let object = try_json(&["get", "amc", "-n", &namespace, "protected"])?;
        let told = object["status"]["conditions"].to_string();
        if told.contains("key ann: the value is not a bcrypt hash") { Ok(()) } else { Err(told) }
    });
    assert_eq!(ask("/api/v2/status", &["--user", "ann:secret"]), "200");
    gone(&namespace);
}

#[test]
fn overlays_are_what_the_api_server_takes() {
    let _operator = Sample::ready();
    namespace("monitoring");
    for overlay in ["standby", "one-namespace"] {
        let taken = kubectl(&["apply", "--dry-run=server", "-k", &format!("config/overlays/{overlay}")]);
        assert!(taken.contains("deployment.apps/alertmanager-operator"), "{taken}");
    }
    kubectl(&["delete", "namespace", "monitoring", TIMEOUT]);
}
