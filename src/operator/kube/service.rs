//! The two Services: by which members find each other, and by which clients find members.

use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::Rendering;
use crate::plan::{GOSSIP_PORT, WEB_PORT, selector};

/// The StatefulSet controller puts it on each pod.
const LABEL_POD_NAME: &str = "statefulset.kubernetes.io/pod-name";

/// Names every member, ready or not: a member needs its peers before it is ready.
pub(super) fn peers(cluster: &Rendering<'_>) -> Service {
    Service {
        metadata: cluster.metadata(cluster.plan.names.peers_service()),
        spec: Some(ServiceSpec {
            cluster_ip: Some("None".to_owned()),
            publish_not_ready_addresses: Some(true),
            selector: Some(selector(&cluster.plan.names.object)),
            ports: Some(vec![
                port("web", WEB_PORT, "TCP"),
                port("gossip-tcp", GOSSIP_PORT, "TCP"),
                port("gossip-udp", GOSSIP_PORT, "UDP"),
            ]),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    }
}

/// Names the members that are ready.
pub(super) fn client(cluster: &Rendering<'_>) -> Service {
    let wanted = &cluster.spec.service;
    let mut metadata = cluster.metadata(cluster.plan.names.base());
    metadata.annotations = (!wanted.annotations.is_empty()).then(|| wanted.annotations.clone());
    Service {
        metadata,
        spec: Some(ServiceSpec {
            type_: Some(wanted.type_.as_str().to_owned()),
            selector: Some(selector(&cluster.plan.names.object)),
            ports: Some(vec![port("web", WEB_PORT, "TCP")]),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    }
}

/// One for each member, under its own name.
pub(super) fn of_members(cluster: &Rendering<'_>) -> Vec<Service> {
    let one = |name: String| {
        let mut only = selector(&cluster.plan.names.object);
        only.insert(LABEL_POD_NAME.to_owned(), name.clone());
        Service {
            metadata: cluster.metadata(name),
            spec: Some(ServiceSpec {
                type_: Some("ClusterIP".to_owned()),
                selector: Some(only),
                ports: Some(vec![port("web", WEB_PORT, "TCP")]),
                ..ServiceSpec::default()
            }),
            ..Service::default()
        }
    };
    let wanted = cluster.spec.service.per_replica;
    cluster.plan.member_names().into_iter().filter(|_| wanted).map(one).collect()
}

fn port(name: &str, number: u16, protocol: &str) -> ServicePort {
    ServicePort {
        name: Some(name.to_owned()),
        port: i32::from(number),
        target_port: Some(IntOrString::String(name.to_owned())),
        protocol: Some(protocol.to_owned()),
        ..ServicePort::default()
    }
}
