//! The PodDisruptionBudget and the NetworkPolicy.

use std::collections::BTreeMap;

use k8s_openapi::api::networking::v1::{
    NetworkPolicy, NetworkPolicyIngressRule, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec,
};
use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::Rendering;
use crate::plan::{GOSSIP_PORT, LABEL_BACKUP_OF, MANAGEMENT_PORT, WEB_PORT, selector};

/// None for a single member: it would keep its node from ever being drained.
pub(super) fn budget(cluster: &Rendering<'_>) -> Option<PodDisruptionBudget> {
    let wanted = cluster.spec.pod_disruption_budget;
    (wanted.enabled && cluster.plan.replicas > 1).then(|| PodDisruptionBudget {
        metadata: cluster.metadata(cluster.plan.names.base()),
        spec: Some(PodDisruptionBudgetSpec {
            max_unavailable: Some(IntOrString::Int(wanted.max_unavailable)),
            selector: Some(members(cluster)),
            // a member that isn't ready serves nobody: it must not hold a drain up
            unhealthy_pod_eviction_policy: Some("AlwaysAllow".to_owned()),
            ..PodDisruptionBudgetSpec::default()
        }),
        ..PodDisruptionBudget::default()
    })
}

pub(super) fn policy(cluster: &Rendering<'_>) -> Option<NetworkPolicy> {
    let wanted = &cluster.spec.network_policy;
    let gossip = NetworkPolicyIngressRule {
        from: Some(vec![NetworkPolicyPeer { pod_selector: Some(members(cluster)), ..NetworkPolicyPeer::default() }]),
        ports: Some(vec![port(GOSSIP_PORT, "TCP"), port(GOSSIP_PORT, "UDP")]),
    };
    let namespace = |labels: &BTreeMap<String, String>| NetworkPolicyPeer {
        namespace_selector: Some(LabelSelector { match_labels: Some(labels.clone()), ..LabelSelector::default() }),
        ..NetworkPolicyPeer::default()
    };
    let backups = cluster.spec.backup.as_ref().map(|_| NetworkPolicyPeer {
        pod_selector: Some(LabelSelector {
            match_labels: Some([(LABEL_BACKUP_OF.to_owned(), cluster.plan.names.object.clone())].into()),
            ..LabelSelector::default()
        }),
        ..NetworkPolicyPeer::default()
    });
    let clients = || wanted.web_from.iter().map(namespace).chain(backups).collect();
    let web = NetworkPolicyIngressRule {
        from: (!wanted.web_from.is_empty()).then(clients),
        ports: Some(vec![port(WEB_PORT, "TCP"), port(MANAGEMENT_PORT, "TCP")]),
    };
    wanted.enabled.then(|| NetworkPolicy {
        metadata: cluster.metadata(cluster.plan.names.base()),
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(members(cluster)),
            policy_types: Some(vec!["Ingress".to_owned()]),
            ingress: Some(vec![gossip, web]),
            ..NetworkPolicySpec::default()
        }),
    })
}

fn members(cluster: &Rendering<'_>) -> LabelSelector {
    LabelSelector { match_labels: Some(selector(&cluster.plan.names.object)), ..LabelSelector::default() }
}

fn port(number: u16, protocol: &str) -> NetworkPolicyPort {
    NetworkPolicyPort {
        port: Some(IntOrString::Int(i32::from(number))),
        protocol: Some(protocol.to_owned()),
        ..NetworkPolicyPort::default()
    }
}
