//! How users and programs reach the members.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the web interface and API.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Web {
    /// The path that everything is served below. Left out: the path of `externalUrl`. Example: `/alertmanager`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^/[-A-Za-z0-9._~/]*$"))]
    pub route_prefix: Option<String>,

    /// A regex, anchored, of origins that may use the API from a browser. Left out: as the worker has it.
    /// Example: `https://.+\\.example\\.com`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub cors_origin: Option<String>,

    /// How many GET requests a member serves at the same time. Left out: as the worker has it. Example: `16`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10000))]
    pub get_concurrency: Option<i32>,

    /// After how many seconds a request is given up. Left out: never. Example: `30`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 3600))]
    pub timeout_seconds: Option<i32>,

    /// A Secret with `tls.crt` and `tls.key`: with it, members speak HTTPS only. Another certificate is taken up without a
    /// restart. Example: `alertmanager-web`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub tls_secret_name: Option<String>,

    /// A Secret whose keys are the names of users, and whose values are bcrypt hashes of their passwords: with it, only
    /// they get through. Probes and the operator use another port, `management`. Example: `alertmanager-users`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub basic_auth_secret_name: Option<String>,
}

/// The Service for clients.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClientService {
    /// Where the Service can be reached from. Example: `ClusterIP`.
    #[serde(rename = "type", default)]
    pub type_: ServiceType,

    /// Annotations of the Service. Example: `{service.beta.kubernetes.io/aws-load-balancer-internal: "true"}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,

    /// Whether each member has a Service of its own as well, called like its pod. Example: `false`.
    #[serde(default)]
    pub per_replica: bool,
}

/// Where a Service can be reached from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ServiceType {
    /// From within the Kubernetes cluster.
    #[default]
    ClusterIP,
    /// By a port of every node.
    NodePort,
    /// By a load balancer of the provider.
    LoadBalancer,
}

/// An Ingress in front of the client Service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IngressSpec {
    /// The IngressClass. Left out: the default one of the Kubernetes cluster. Example: `nginx`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_name: Option<String>,

    /// The host names that lead to the cluster. Example: `[alertmanager.example.com]`.
    #[schemars(length(min = 1, max = 32))]
    pub hosts: Vec<String>,

    /// The Secret with the certificate for all hosts. Left out: no TLS. Example: `alertmanager-tls`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_secret_name: Option<String>,

    /// Annotations of the Ingress: with them most controllers do basic auth and rate limits.
    /// Example: `{nginx.ingress.kubernetes.io/auth-type: basic}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// A HTTPRoute of the Gateway API to the client Service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpRouteSpec {
    /// The Gateways that it belongs to. Example: `[{name: public, namespace: gateways}]`.
    #[schemars(length(min = 1, max = 32))]
    pub parent_refs: Vec<ParentRef>,

    /// The host names that lead to the cluster. Left out: all of the Gateways. Example: `[alertmanager.example.com]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub hostnames: Vec<String>,

    /// Annotations of the HTTPRoute. Example: `{example.com/owner: sre}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// A Gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ParentRef {
    /// Its name. Example: `public`.
    pub name: String,

    /// Its namespace. Left out: that of this object. Example: `gateways`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,

    /// The listener of it. Left out: all that allow it. Example: `https`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section_name: Option<String>,
}

impl Web {
    /// Whether not everybody gets through.
    pub fn is_protected(&self) -> bool {
        self.tls_secret_name.is_some() || self.basic_auth_secret_name.is_some()
    }

    /// The worker's flags for what is given.
    pub fn flags(&self) -> Vec<String> {
        let prefix = self.route_prefix.as_ref().map(|prefix| format!("--web.route-prefix={prefix}"));
        let concurrency = self.get_concurrency.map(|count| format!("--web.get-concurrency={count}"));
        let timeout = self.timeout_seconds.map(|seconds| format!("--web.timeout={seconds}s"));
        let origin = self.cors_origin.as_ref().map(|origin| format!("--web.cors.origin={origin}"));
        prefix.into_iter().chain(origin).chain(concurrency).chain(timeout).collect()
    }
}

impl ServiceType {
    /// As Kubernetes writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClusterIP => "ClusterIP",
            Self::NodePort => "NodePort",
            Self::LoadBalancer => "LoadBalancer",
        }
    }
}
