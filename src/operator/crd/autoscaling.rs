//! Letting the load decide how many members there are.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::Quantity;

/// A HorizontalPodAutoscaler that sets `replicas` of this object; leave `replicas` out then. More members make the
/// cluster accept and show more, not notify faster: every member holds all alerts.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.minReplicas <= self.maxReplicas")
    .message("minReplicas must not be more than maxReplicas"))]
#[x_kube(validation = Rule::new("has(self.cpuUtilization) || has(self.memoryUtilization) || has(self.alertsReceived)")
    .message("at least one of cpuUtilization, memoryUtilization and alertsReceived must be given"))]
pub struct Autoscaling {
    /// Fewest members. Example: `3`.
    #[schemars(range(min = 1, max = 99))]
    pub min_replicas: i32,

    /// Most members. Example: `7`.
    #[schemars(range(min = 1, max = 99))]
    pub max_replicas: i32,

    /// The share of the requested CPU that members shall use on average, in percent. Example: `70`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub cpu_utilization: Option<i32>,

    /// The share of the requested memory that members shall use on average, in percent. Example: `80`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub memory_utilization: Option<i32>,

    /// How many alerts a member shall receive per second on average: the custom metric
    /// `alertmanager_alerts_received_total` of pods, which an adapter must serve as a rate. Example: `"500"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alerts_received: Option<Quantity>,

    /// For how many seconds the load must be low before a member is taken away, one every ten minutes at most.
    /// Example: `600`.
    #[serde(default = "default_stabilization")]
    #[schemars(range(min = 0, max = 3600))]
    pub scale_down_stabilization_seconds: i32,
}

const fn default_stabilization() -> i32 {
    600
}
