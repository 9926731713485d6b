//! The StatefulSet: stable names and volumes for the members.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{
    StatefulSet, StatefulSetPersistentVolumeClaimRetentionPolicy, StatefulSetSpec, StatefulSetUpdateStrategy,
};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, PersistentVolumeClaimSpec, VolumeResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};

use super::{OverlayError, Rendering, pod};
use crate::crd::{StorageKind, VolumeClaim, WhenGone};
use crate::plan::volumes::Claim;
use crate::plan::{labels, selector};

/// The name of the volume that snapshots are kept in.
pub const DATA_VOLUME: &str = "data";

pub(super) fn render(cluster: &Rendering<'_>) -> Result<StatefulSet, OverlayError> {
    let names = &cluster.plan.names;
    let retention = cluster.spec.storage.retention_policy;
    // who sleeps wants to find everything again
    let when_scaled = if cluster.spec.hibernate { WhenGone::Retain } else { retention.when_scaled };
    let claims = match cluster.spec.storage.kind() {
        StorageKind::EmptyDir(_) => None,
        StorageKind::Claim(claim) => Some(vec![volume_claim(cluster, claim)]),
    };
    Ok(StatefulSet {
        metadata: cluster.metadata(names.base()),
        spec: Some(StatefulSetSpec {
            replicas: i32::try_from(cluster.plan.replicas).ok(),
            service_name: Some(names.peers_service()),
            // members find each other whatever the order, and one that cannot start must not keep others from starting
            pod_management_policy: Some("Parallel".to_owned()),
            update_strategy: Some(StatefulSetUpdateStrategy {
                // the operator says which pod is made anew, and when
                type_: Some("OnDelete".to_owned()),
                ..StatefulSetUpdateStrategy::default()
            }),
            selector: LabelSelector { match_labels: Some(selector(&names.object)), ..LabelSelector::default() },
            template: pod::template(cluster)?,
            persistent_volume_claim_retention_policy: claims.is_some().then(|| {
                StatefulSetPersistentVolumeClaimRetentionPolicy {
                    when_deleted: Some(retention.when_deleted.as_str().to_owned()),
                    when_scaled: Some(when_scaled.as_str().to_owned()),
                }
            }),
            volume_claim_templates: claims,
            ..StatefulSetSpec::default()
        }),
        ..StatefulSet::default()
    })
}

/// What decisions about a member's volume are made of.
pub fn claim(live: &PersistentVolumeClaim) -> Claim {
    let bytes = |of: Option<&BTreeMap<String, Quantity>>| {
        let size = of.and_then(|of| of.get("storage")).map(|size| crate::crd::Quantity(size.0.clone()));
        size.and_then(|size| size.units()).unwrap_or(0)
    };
    let asked = live.spec.as_ref().and_then(|spec| spec.resources.as_ref()?.requests.as_ref());
    let status = live.status.as_ref();
    Claim {
        name: live.metadata.name.clone().unwrap_or_default(),
        bound: status.is_some_and(|status| status.phase.as_deref() == Some("Bound")),
        asked: bytes(asked),
        has: bytes(status.and_then(|status| status.capacity.as_ref())),
    }
}

fn volume_claim(cluster: &Rendering<'_>, claim: &VolumeClaim) -> PersistentVolumeClaim {
    let size = Quantity(claim.resources.requests.storage.0.clone());
    PersistentVolumeClaim {
        metadata: ObjectMeta {
            name: Some(DATA_VOLUME.to_owned()),
            labels: Some(labels(&cluster.plan.names.object)),
            ..ObjectMeta::default()
        },
        spec: Some(PersistentVolumeClaimSpec {
            access_modes: Some(claim.access_modes.iter().map(|mode| mode.as_str().to_owned()).collect()),
            storage_class_name: claim.storage_class_name.clone(),
            resources: Some(VolumeResourceRequirements {
                requests: Some(BTreeMap::from([("storage".to_owned(), size)])),
                ..VolumeResourceRequirements::default()
            }),
            ..PersistentVolumeClaimSpec::default()
        }),
        ..PersistentVolumeClaim::default()
    }
}
