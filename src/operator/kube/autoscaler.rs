//! The HorizontalPodAutoscaler: it sets `replicas` of the AlertmanagerCluster, through its scale subresource.

use k8s_openapi::api::autoscaling::v2::{
    CrossVersionObjectReference, HPAScalingPolicy, HPAScalingRules, HorizontalPodAutoscaler,
    HorizontalPodAutoscalerBehavior, HorizontalPodAutoscalerSpec, MetricIdentifier, MetricSpec, MetricTarget,
    PodsMetricSource, ResourceMetricSource,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as KubeQuantity;
use kube::Resource;

use super::Rendering;
use crate::crd::{AlertmanagerCluster, Quantity};

/// The least time between two members that are taken away, in seconds: each takes its share of the waiting with it.
const BETWEEN_REMOVALS: i32 = 600;

pub(super) fn render(cluster: &Rendering<'_>) -> Option<HorizontalPodAutoscaler> {
    let wanted = cluster.spec.autoscaling.as_ref().filter(|_| !cluster.spec.hibernate)?;
    let resource = |name: &str, percent: &i32| MetricSpec {
        type_: "Resource".to_owned(),
        resource: Some(ResourceMetricSource {
            name: name.to_owned(),
            target: MetricTarget {
                type_: "Utilization".to_owned(),
                average_utilization: Some(*percent),
                ..MetricTarget::default()
            },
        }),
        ..MetricSpec::default()
    };
    let received = |Quantity(rate): &Quantity| MetricSpec {
        type_: "Pods".to_owned(),
        pods: Some(PodsMetricSource {
            metric: MetricIdentifier { name: "alertmanager_alerts_received_total".to_owned(), selector: None },
            target: MetricTarget {
                type_: "AverageValue".to_owned(),
                average_value: Some(KubeQuantity(rate.clone())),
                ..MetricTarget::default()
            },
        }),
        ..MetricSpec::default()
    };
    let metrics = [
        wanted.cpu_utilization.as_ref().map(|percent| resource("cpu", percent)),
        wanted.memory_utilization.as_ref().map(|percent| resource("memory", percent)),
        wanted.alerts_received.as_ref().map(received),
    ];
    Some(HorizontalPodAutoscaler {
        metadata: cluster.metadata(cluster.plan.names.base()),
        spec: Some(HorizontalPodAutoscalerSpec {
            scale_target_ref: CrossVersionObjectReference {
                api_version: Some(AlertmanagerCluster::api_version(&()).into_owned()),
                kind: AlertmanagerCluster::kind(&()).into_owned(),
                name: cluster.plan.names.object.clone(),
            },
            min_replicas: Some(wanted.min_replicas),
            max_replicas: wanted.max_replicas,
            metrics: Some(metrics.into_iter().flatten().collect()),
            behavior: Some(HorizontalPodAutoscalerBehavior {
                scale_down: Some(HPAScalingRules {
                    stabilization_window_seconds: Some(wanted.scale_down_stabilization_seconds),
                    policies: Some(vec![HPAScalingPolicy {
                        type_: "Pods".to_owned(),
                        value: 1,
                        period_seconds: BETWEEN_REMOVALS,
                    }]),
                    ..HPAScalingRules::default()
                }),
                scale_up: None,
            }),
        }),
        ..HorizontalPodAutoscaler::default()
    })
}
