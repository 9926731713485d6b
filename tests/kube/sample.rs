//! The cluster of `config/samples` on the node, run by the operator of `config/operator`.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_json::Value;

use crate::kubectl::{json, kubectl, kubectl_with, pod_json, try_json, try_kubectl};
use crate::wait::{TIMEOUT, same, until};

/// The namespace of `config/samples`.
pub(crate) const NAMESPACE: &str = "default";
/// The selector of everything that belongs to the sample cluster.
pub(crate) const SELECTOR: &str = "alertmanager.dev/cluster=main";
/// The generated Secret.
pub(crate) const CONFIG_SECRET: &str = "alertmanager-main-config";

/// The AlertmanagerCluster `main`, all of its members ready.
pub(crate) struct Sample;

/// What tells one run of a pod's container from another.
pub(crate) type Incarnation = (String, u64);

impl Sample {
    /// Installs what is not there, puts back what an earlier test changed, and waits until all is in order.
    pub(crate) fn ready() -> Self {
        static INSTALLED: OnceLock<Result<(), String>> = OnceLock::new();
        let installed = INSTALLED.get_or_init(|| remove_everything().and_then(|()| install_operator()));
        // without an operator no other test has to wait for its limit
        installed.as_ref().unwrap_or_else(|complaint| panic!("no operator: {complaint}"));
        kubectl(&["apply", "-k", "config/samples"]);
        kubectl(&["-n", NAMESPACE, "rollout", "status", "deployment/webhook-sink", TIMEOUT]);
        until("the sample cluster is ready with 3 members", || Self.settled(3));
        Self
    }

    /// The object.
    pub(crate) fn object(&self) -> Result<Value, String> {
        try_json(&["get", "-n", NAMESPACE, "amc", "main"])
    }

    /// `Ok` with the hash of the configuration when `replicas` members, and no others, are ready and run it, and the
    /// operator says so about the object as it is now.
    pub(crate) fn settled(&self, replicas: usize) -> Result<String, String> {
        let object = self.object()?;
        same(object["status"]["observedGeneration"].as_i64(), &object["metadata"]["generation"].as_i64())?;
        same(condition(&object, "Ready").0, &"True".to_owned())?;
        same(object["status"]["readyReplicas"].as_u64(), &Some(replicas as u64))?;
        let hash = text(&object["status"]["config"]["hash"]);
        let told: Vec<_> = object["status"]["config"]["replicas"].as_array().into_iter().flatten().collect();
        same(told.iter().map(|r| text(&r["hash"])).collect::<Vec<_>>(), &vec![hash.clone(); replicas])?;
        same(self.ready_pods()?.len(), &replicas)?;
        same(self.incarnations()?.len(), &replicas)?;
        Ok(hash)
    }

    /// Status, and the rest for people, of a condition.
    pub(crate) fn condition(&self, type_: &str) -> Result<(String, String), String> {
        Ok(condition(&self.object()?, type_))
    }

    /// The hash of the configuration that all members are to run.
    pub(crate) fn wanted_hash(&self) -> Result<String, String> {
        Ok(text(&self.object()?["status"]["config"]["hash"]))
    }

    /// The ConfigMap's text of the configuration.
    pub(crate) fn config_text(&self) -> String {
        let (name, key) = self.config_source();
        let map = json(&["get", "-n", NAMESPACE, "configmap", &name]);
        text(&map["data"][&key])
    }

    /// Does what saving the ConfigMap in `kubectl edit` does.
    pub(crate) fn edit_config(&self, text: &str) {
        let (name, key) = self.config_source();
        let mut map = json(&["get", "-n", NAMESPACE, "configmap", &name]);
        map["data"][&key] = text.into();
        kubectl_with(&map.to_string(), &["replace", "-f", "-"]);
    }

    /// The hash that each member says it runs, by pod.
    pub(crate) fn live_hashes(&self) -> Result<Vec<String>, String> {
        let pods = self.incarnations()?;
        pods.keys().map(|pod| Ok(text(&pod_json(NAMESPACE, pod, "/-/config")?["hash"]))).collect()
    }

    /// The pods with their UID and how often their containers were started anew.
    pub(crate) fn incarnations(&self) -> Result<BTreeMap<String, Incarnation>, String> {
        let pods = try_json(&["get", "pods", "-n", NAMESPACE, "-l", SELECTOR])?;
        let incarnation = |pod: &Value| {
            let containers = pod["status"]["containerStatuses"].as_array().into_iter().flatten();
            let restarts = containers.filter_map(|c| c["restartCount"].as_u64()).sum();
            (text(&pod["metadata"]["name"]), (text(&pod["metadata"]["uid"]), restarts))
        };
        Ok(pods["items"].as_array().into_iter().flatten().map(incarnation).collect())
    }

    /// The addresses of the ready pods, by name. A pod that is on its way out is not ready.
    pub(crate) fn ready_pods(&self) -> Result<BTreeMap<String, String>, String> {
        let pods = try_json(&["get", "pods", "-n", NAMESPACE, "-l", SELECTOR])?;
        let ready =
            |pod: &&Value| pod["metadata"]["deletionTimestamp"].is_null() && condition(pod, "Ready").0 == "True";
        let address = |pod: &Value| (text(&pod["metadata"]["name"]), text(&pod["status"]["podIP"]));
        Ok(pods["items"].as_array().into_iter().flatten().filter(ready).map(address).collect())
    }

    /// Where a member's API is, for programs on this machine.
    pub(crate) fn url(&self, pod: &str) -> Result<String, String> {
        let pods = self.ready_pods()?;
        let address = pods.get(pod).ok_or_else(|| format!("{pod} is not ready"))?;
        Ok(format!("http://{address}:9093"))
    }

    fn config_source(&self) -> (String, String) {
        let object = self.object().unwrap_or_else(|complaint| panic!("{complaint}"));
        let source = &object["spec"]["config"]["configMapRef"];
        (text(&source["name"]), text(&source["key"]))
    }
}

/// For tests that install the operator in another way: takes the usual one away, and brings it back afterwards.
pub(crate) fn without_operator(test: impl FnOnce()) {
    let _installed_before = Sample::ready();
    remove_everything().unwrap_or_else(|complaint| panic!("{complaint}"));
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(test));
    install_operator().unwrap_or_else(|complaint| panic!("{complaint}"));
    outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
}

/// Removes what an earlier run left, which a new image would not take over.
fn remove_everything() -> Result<(), String> {
    if try_kubectl(&["get", "crd", "alertmanagerclusters.alertmanager.dev"]).is_err() {
        return Ok(());
    }
    let gone = ["--ignore-not-found", "--wait", TIMEOUT];
    try_kubectl(&[&["delete", "amc", "--all", "-A"], &gone[1..]].concat())?;
    for what in [["-k", "config/samples"], ["-k", "config/operator"], ["-f", "crds/"]] {
        try_kubectl(&[&["delete"], &what[..], &gone].concat())?;
    }
    Ok(())
}

fn install_operator() -> Result<(), String> {
    try_kubectl(&["apply", "--server-side", "-f", "crds/"])?;
    try_kubectl(&["wait", "--for=condition=Established", TIMEOUT, "-f", "crds/"])?;
    try_kubectl(&["apply", "-k", "config/operator"])?;
    try_kubectl(&["-n", "alertmanager-operator", "rollout", "status", "deployment", TIMEOUT])?;
    Ok(())
}

fn condition(object: &Value, type_: &str) -> (String, String) {
    let conditions = object["status"]["conditions"].as_array();
    let Some(found) = conditions.into_iter().flatten().find(|c| c["type"] == type_) else {
        return (String::new(), format!("there is no condition {type_}"));
    };
    (text(&found["status"]), format!("{}: {}", text(&found["reason"]), text(&found["message"])))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
