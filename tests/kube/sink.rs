//! What the webhook sink in the cluster got.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::kubectl::try_kubectl;
use crate::sample::NAMESPACE;

/// One webhook: its status, and the status of the alert that was asked for in it.
pub(crate) type Delivery = (String, String);

/// The webhooks that named the alert `alertname`, oldest first.
pub(crate) fn deliveries_of(alertname: &str) -> Result<Vec<Delivery>, String> {
    let mut found = Vec::new();
    for entry in received()? {
        let body = &entry["body"];
        for alert in body["alerts"].as_array().into_iter().flatten() {
            if alert["labels"]["alertname"] == alertname {
                found.push((text(&body["status"]), text(&alert["status"])));
            }
        }
    }
    Ok(found)
}

/// The bodies of all webhooks, oldest first.
pub(crate) fn deliveries() -> Result<Vec<Value>, String> {
    Ok(received()?.into_iter().map(|mut entry| entry["body"].take()).collect())
}

/// The names of alerts in the sink's own log.
pub(crate) fn logged() -> String {
    try_kubectl(&["logs", "-n", NAMESPACE, "deployment/webhook-sink"]).unwrap_or_else(|complaint| complaint)
}

/// The receivers of the webhooks that named the alert `alertname`.
pub(crate) fn receivers_of(alertname: &str) -> BTreeSet<String> {
    let entries = received().unwrap_or_default();
    let of_alert = |entry: &&Value| {
        entry["body"]["alerts"].as_array().into_iter().flatten().any(|a| a["labels"]["alertname"] == alertname)
    };
    entries.iter().filter(of_alert).map(|entry| text(&entry["body"]["receiver"])).collect()
}

fn received() -> Result<Vec<Value>, String> {
    let path = format!("/api/v1/namespaces/{NAMESPACE}/services/webhook-sink:8080/proxy/received");
    let text = try_kubectl(&["get", "--raw", &path])?;
    serde_json::from_str(&text).map_err(|e| format!("{path}: {e}: {text}"))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
