//! What a cluster is, without saying where it runs: names, members with their arguments, files, ports and probes.
//!
//! Pure, and free of Kubernetes types: `kube` makes objects of it, `local` makes processes of it.

pub mod backups;
pub mod health;
mod member;
mod mounted;
mod names;
pub mod recycle;
pub mod renew;
pub mod rollout;
pub mod trouble;
pub mod volumes;
mod web;

pub use member::{
    CONFIG_DIR, CONFIG_FILE, File, GOSSIP_PORT, MANAGEMENT_PORT, MemberAddresses, MemberPlan, Probe, Probes,
    STORAGE_DIR, WEB_PORT, files,
};
pub use mounted::{Mounted, config_map_dir, digest, first_lack, secret_dir};
pub use names::{
    ANNOTATION_APPLIED_HASH, ANNOTATION_CERTIFICATES, ANNOTATION_CONFIG_HASH, ANNOTATION_LOCAL,
    ANNOTATION_MOUNTED_DIGEST, ANNOTATION_SOURCES, LABEL_BACKUP_OF, LABEL_CLUSTER, LABEL_INSTANCE, LABEL_MANAGED_BY,
    LABEL_NAME, MANAGER, NAME_ALERTMANAGER, NAME_BACKUP, Names, PORT_MANAGEMENT, labels, selector, selector_text,
};

pub use web::{WEB_DIR, WEB_FILE, WEB_TOKEN_FILE, WebError, web_file};

use crate::crd::{AlertmanagerClusterSpec, LogFormat, LogLevel};
use crate::validate::ValidConfig;

/// How a part of a cluster stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whether it is as it should be.
    pub ready: bool,
    /// Why or why not, as one word.
    pub reason: &'static str,
    /// The same as a sentence.
    pub message: String,
}

/// One cluster: what all its members have in common, and how many there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterPlan {
    /// The namespace of the object.
    pub namespace: String,
    /// What everything that belongs to the cluster is called.
    pub names: Names,
    /// How many members there are.
    pub replicas: u32,
    /// How long silences and notification log entries are kept after their end, as the worker's flag takes it.
    pub retention: String,
    /// The least severe level that is logged.
    pub log_level: LogLevel,
    /// How a line of the log looks.
    pub log_format: LogFormat,
    /// Under which URL users reach the cluster.
    pub external_url: Option<String>,
    /// The path that members serve everything below, without a `/` at its end: empty for all of it.
    pub prefix: String,
    /// The worker's flags about the web interface that the user asks for.
    pub web_flags: Vec<String>,
    /// The worker's flags about gossip that the user asks for.
    pub gossip_flags: Vec<String>,
    /// What keeps gossip of different clusters apart, if the user says so.
    pub label: Option<String>,
    /// The configuration that the members run; `None` until there has been a valid one.
    pub config: Option<ValidConfig>,
}

impl ClusterPlan {
    /// The plan for an object `name` in `namespace`. `config` is the last valid configuration, if there is any.
    pub fn new(namespace: &str, name: &str, spec: &AlertmanagerClusterSpec, config: Option<ValidConfig>) -> Self {
        Self {
            namespace: namespace.to_owned(),
            names: Names::new(name),
            replicas: if spec.hibernate { 0 } else { u32::try_from(spec.replicas).unwrap_or(0) },
            retention: spec.retention.clone(),
            log_level: spec.log_level,
            log_format: spec.log_format,
            external_url: spec.external_url.clone(),
            prefix: prefix(spec),
            web_flags: spec.web.flags(),
            gossip_flags: spec.cluster.flags(),
            label: spec.cluster.label.clone(),
            config,
        }
    }

    /// What keeps gossip of different clusters apart: `<namespace>/<name>` unless the user says otherwise.
    pub fn cluster_label(&self) -> String {
        self.label.clone().unwrap_or_else(|| format!("{}/{}", self.namespace, self.names.object))
    }

    /// The DNS name that every member's address stands under:
    /// `<headless service>.<namespace>.svc:<gossip port>`.
    pub fn peers_address(&self) -> String {
        format!("{}:{GOSSIP_PORT}", self.peers_host())
    }

    /// The same without the port.
    pub fn peers_host(&self) -> String {
        format!("{}.{}.svc", self.names.peers_service(), self.namespace)
    }

    /// The names of the members, in the order of their ordinals.
    pub fn member_names(&self) -> Vec<String> {
        (0..self.replicas).map(|ordinal| self.names.member(ordinal)).collect()
    }

    /// A member called `name` that is reached at `addresses`. Neither the number of members nor the configuration's
    /// hash has an influence on it, so that scaling or editing restarts nobody.
    pub fn member(&self, name: &str, addresses: &MemberAddresses) -> MemberPlan {
        MemberPlan::new(self, name, addresses)
    }
}

/// As the worker has it: the route prefix, or the path of the external URL.
fn prefix(spec: &AlertmanagerClusterSpec) -> String {
    let of_url = || {
        let (_, rest) = spec.external_url.as_deref()?.split_once("://")?;
        rest.find('/').and_then(|at| rest.get(at..))
    };
    let path = spec.web.route_prefix.as_deref().or_else(of_url).unwrap_or_default();
    let path = path.trim_matches('/');
    if path.is_empty() { String::new() } else { format!("/{path}") }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn prefix_is_that_of_the_worker() {
        let of = |json: &str| prefix(&serde_json::from_str(&format!(r#"{{"config": {{}}{json}}}"#)).unwrap());
        assert_eq!(of(""), "");
        assert_eq!(of(r#", "externalUrl": "https://x.example""#), "");
        assert_eq!(of(r#", "externalUrl": "https://x.example/am/""#), "/am");
        assert_eq!(of(r#", "externalUrl": "https://x.example/am/", "web": {"routePrefix": "/"}"#), "");
        assert_eq!(of(r#", "web": {"routePrefix": "/a/b"}"#), "/a/b");
    }
}
