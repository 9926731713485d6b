//! What Prometheus and Grafana are given about a cluster.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Objects for Prometheus and Grafana, each made where its field is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Monitoring {
    /// A PodMonitor of the Prometheus operator, by which Prometheus asks each member. Example: `{interval: 30s}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_monitor: Option<PodMonitor>,

    /// A PrometheusRule of the Prometheus operator with alerts about the cluster.
    /// Example: `{labels: {release: prometheus}}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<Labelled>,

    /// A ConfigMap with a dashboard, for Grafana's sidecar. Example: `{labels: {grafana_dashboard: "1"}}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dashboard: Option<Labelled>,
}

/// A PodMonitor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PodMonitor {
    /// How often Prometheus asks. Left out: as often as it asks others. Example: `30s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^([0-9]+(h|m|s|ms))+$"))]
    pub interval: Option<String>,

    /// Labels of the object, by which a Prometheus chooses it. Example: `{release: prometheus}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// An object with labels of the user's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Labelled {
    /// Labels of the object, by which it is chosen. Example: `{release: prometheus}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// A ResourceQuota for the namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceQuota {
    /// What all pods of the namespace may use together, by resource. Example: `{limits.memory: 2Gi, pods: "10"}`.
    #[schemars(extend("minProperties" = 1))]
    pub hard: BTreeMap<String, super::Quantity>,
}
