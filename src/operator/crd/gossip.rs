//! How the members of a cluster find and watch each other.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of gossip: the worker's flags `--cluster.*`. What is left out is as the worker has it. Changing one of them
/// replaces the pods one by one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Gossip {
    /// How long each member waits for those before it in the order of notifying, per member. Example: `15s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^([0-9]+(h|m|s|ms))+$"))]
    pub peer_timeout: Option<String>,

    /// Between two rounds of gossip. Example: `200ms`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^([0-9]+(h|m|s|ms))+$"))]
    pub gossip_interval: Option<String>,

    /// Between two comparisons of everything, at most. Example: `1m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^([0-9]+(h|m|s|ms))+$"))]
    pub push_pull_interval: Option<String>,

    /// For connecting to a peer, and for each message. Example: `10s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^([0-9]+(h|m|s|ms))+$"))]
    pub tcp_timeout: Option<String>,

    /// How long a peer may take to answer a probe. Example: `500ms`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^([0-9]+(h|m|s|ms))+$"))]
    pub probe_timeout: Option<String>,

    /// Between two probes; a member that is gone is noticed after about two of them. Example: `1s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^([0-9]+(h|m|s|ms))+$"))]
    pub probe_interval: Option<String>,

    /// How long a member that starts waits for the state of its peers, at most. Example: `1m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^([0-9]+(h|m|s|ms))+$"))]
    pub settle_timeout: Option<String>,

    /// Between two attempts to reach a peer that was lost. Example: `10s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^([0-9]+(h|m|s|ms))+$"))]
    pub reconnect_interval: Option<String>,

    /// How long a lost peer is remembered. Example: `6h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^([0-9]+(h|m|s|ms))+$"))]
    pub reconnect_timeout: Option<String>,

    /// Where members listen for gossip, TCP and UDP; the port is always 9094. `$(POD_IP)` stands for the pod's address.
    /// Left out: there. Example: `0.0.0.0:9094`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[^ ]*:9094$"), length(max = 253))]
    pub listen_address: Option<String>,

    /// Where peers reach a member, if that isn't its pod's address: an IP address and a port, other ones for each member,
    /// so that it needs `$(POD_IP)` or a variable of `podTemplate`. Example: `$(NODE_IP):30094`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[^ ]+:[^ :]+$"), length(max = 253))]
    pub advertise_address: Option<String>,

    /// Peers outside of this object, as `host:port`: members of a cluster that stretches over several Kubernetes
    /// clusters. Their `label` must be the same. Example: `[alertmanager.other.example:9094]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(regex(pattern = r"^[^ ]+:[0-9]+$")))]
    pub additional_peers: Vec<String>,

    /// What keeps gossip of different clusters apart. Left out: `<namespace>/<name>`. Example: `prod/pager`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub label: Option<String>,

    /// Encryption of gossip, on by default. Example: `{enabled: true}`.
    #[serde(default)]
    pub tls: GossipTls,
}

/// Encryption of gossip.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!(has(self.secretName) && has(self.issuerRef))")
    .message("only one of secretName and issuerRef may be given"))]
pub struct GossipTls {
    /// Whether members prove themselves to each other by certificates. Changing it replaces the pods one by one, which
    /// for that time can't speak to those that have been replaced. Example: `true`.
    #[serde(default = "yes")]
    pub enabled: bool,

    /// A Secret with `tls.crt`, `tls.key` and `ca.crt` to be used by all members, whose certificate is for
    /// `alertmanager-<name>-peers.<namespace>.svc`. Left out: the operator makes an authority of its own, issues
    /// certificates and replaces them in time. Example: `gossip-certificate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub secret_name: Option<String>,

    /// The issuer by which cert-manager makes that Secret. Example: `{name: internal, kind: ClusterIssuer}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer_ref: Option<IssuerRef>,
}

/// An issuer of cert-manager.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IssuerRef {
    /// Its name. Example: `internal`.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,

    /// Its kind. Example: `ClusterIssuer`.
    #[serde(default = "default_issuer_kind")]
    pub kind: String,

    /// The group of its kind. Example: `cert-manager.io`.
    #[serde(default = "default_issuer_group")]
    pub group: String,
}

impl Default for GossipTls {
    fn default() -> Self {
        Self { enabled: true, secret_name: None, issuer_ref: None }
    }
}

const fn yes() -> bool {
    true
}

fn default_issuer_kind() -> String {
    "Issuer".to_owned()
}

fn default_issuer_group() -> String {
    "cert-manager.io".to_owned()
}

impl Gossip {
    /// The worker's flags for what is given.
    pub fn flags(&self) -> Vec<String> {
        let given = [
            ("peer-timeout", &self.peer_timeout),
            ("gossip-interval", &self.gossip_interval),
            ("pushpull-interval", &self.push_pull_interval),
            ("tcp-timeout", &self.tcp_timeout),
            ("probe-timeout", &self.probe_timeout),
            ("probe-interval", &self.probe_interval),
            ("settle-timeout", &self.settle_timeout),
            ("reconnect-interval", &self.reconnect_interval),
            ("reconnect-timeout", &self.reconnect_timeout),
        ];
        let flag = |(name, value): (&str, &Option<String>)| Some(format!("--cluster.{name}={}", value.as_ref()?));
        let peers = self.additional_peers.iter().map(|peer| format!("--cluster.peer={peer}"));
        given.into_iter().filter_map(flag).chain(peers).collect()
    }
}
