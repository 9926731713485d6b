//! From a plan to Kubernetes objects: one file per kind. Pure: what is rendered depends on the arguments alone.

mod autoscaler;
mod backup;
mod certificates;
mod exposure;
mod inherit;
mod monitoring;
mod pod;
mod protection;
mod quota;
mod secret;
mod service;
mod service_account;
mod stateful_set;

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{Secret, Service, ServiceAccount};
use k8s_openapi::api::networking::v1::{Ingress, NetworkPolicy};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};

pub use certificates::{authority, issued};
pub use inherit::inherit;
pub use pod::OverlayError;
pub use stateful_set::{DATA_VOLUME, claim};

use kube::core::{ApiResource, DynamicObject, GroupVersionKind, TypeMeta};
use serde_json::Value;

use crate::certificates::Certificates;
use crate::crd::AlertmanagerClusterSpec;
use crate::plan::{ClusterPlan, labels};

/// Everything that a cluster consists of, in the order in which it is applied.
#[derive(Clone, Debug, PartialEq)]
pub struct Objects {
    /// Who the members are; it may do nothing.
    pub service_account: ServiceAccount,
    /// By which members find each other.
    pub peers_service: Service,
    /// By which clients find the members.
    pub client_service: Service,
    /// The configuration; `None` until there has been a valid one.
    pub config_secret: Option<Secret>,
    /// The members; `None` until there has been a valid configuration, since they could not start.
    pub stateful_set: Option<StatefulSet>,
    /// How many members may be taken away at once; `None` where none is wanted, or there is but one member.
    pub disruption_budget: Option<PodDisruptionBudget>,
    /// Who may connect to members; `None` where none is wanted.
    pub network_policy: Option<NetworkPolicy>,
    /// One for each member, where wanted.
    pub member_services: Vec<Service>,
    /// A way in from outside.
    pub ingress: Option<Ingress>,
    /// What sets the number of members.
    pub autoscaler: Option<HorizontalPodAutoscaler>,
    /// The authority for gossip, and what it issued for members; `None` where somebody else does that.
    pub gossip_secrets: Option<[Secret; 2]>,
    /// Who gets through to the API, where not everybody does.
    pub web_secret: Option<Secret>,
    /// Of kinds that are not watched.
    pub others: Vec<Other>,
}

/// An object of a kind that is not watched: not every API server knows it, or few clusters have one.
#[derive(Clone, Debug, PartialEq)]
pub struct Other {
    /// How the kind is reached.
    pub resource: ApiResource,
    /// What brings the kind.
    pub needs: &'static str,
    /// The object's name.
    pub name: String,
    /// The object; `None` where it isn't wanted.
    pub object: Option<DynamicObject>,
}

/// What rendering needs besides of the plan.
#[derive(Clone, Copy, Debug)]
pub struct Rendering<'a> {
    /// The cluster.
    pub plan: &'a ClusterPlan,
    /// What the user asks for about pods and volumes.
    pub spec: &'a AlertmanagerClusterSpec,
    /// The image of members when the user names none.
    pub worker_image: &'a str,
    /// Which objects the configuration was made from, in which versions; empty when that is not known.
    pub sources: &'a str,
    /// Certificates for gossip, where the operator makes them.
    pub certificates: Option<&'a Certificates>,
    /// The file about TLS and users of the API.
    pub web_file: Option<&'a str>,
    /// Beside it, the operator's own token.
    pub web_token: &'a str,
    /// The object that owns everything.
    pub owner: &'a OwnerReference,
}

impl Rendering<'_> {
    /// All objects of the cluster.
    ///
    /// # Errors
    /// When the overlay for pods can't be used.
    pub fn objects(&self) -> Result<Objects, OverlayError> {
        let config = self.plan.config.as_ref();
        Ok(Objects {
            service_account: service_account::render(self),
            peers_service: service::peers(self),
            client_service: service::client(self),
            config_secret: config.map(|config| secret::render(self, config)),
            stateful_set: config.map(|_| stateful_set::render(self)).transpose()?,
            disruption_budget: protection::budget(self),
            network_policy: protection::policy(self),
            member_services: service::of_members(self),
            ingress: exposure::ingress(self),
            autoscaler: autoscaler::render(self),
            gossip_secrets: self.certificates.map(|made| certificates::secrets(self, made)),
            web_secret: secret::web(self),
            others: self.others()?,
        })
    }

    fn others(&self) -> Result<Vec<Other>, OverlayError> {
        let mut all = vec![exposure::http_route(self), certificates::certificate(self), quota::render(self)];
        all.extend(monitoring::render(self));
        all.push(backup::cron_job(self)?);
        Ok(all)
    }

    /// One that is wanted if it has content, which is all but its type and metadata.
    fn other(
        &self,
        (group, version, kind): (&str, &str, &str),
        needs: &'static str,
        name: String,
        metadata: impl FnOnce(&mut ObjectMeta),
        content: Option<Value>,
    ) -> Other {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        let object = content.map(|data| {
            let mut own = self.metadata(name.clone());
            metadata(&mut own);
            let types = TypeMeta { api_version: resource.api_version.clone(), kind: resource.kind.clone() };
            DynamicObject { types: Some(types), metadata: own, data }
        });
        Other { resource, needs, name, object }
    }

    fn metadata(&self, name: String) -> ObjectMeta {
        ObjectMeta {
            name: Some(name),
            namespace: Some(self.plan.namespace.clone()),
            labels: Some(labels(&self.plan.names.object)),
            owner_references: Some(vec![self.owner.clone()]),
            ..ObjectMeta::default()
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
