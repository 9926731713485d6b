//! What the things of a cluster are called. People script against these names: they change only with a new API version.

use std::collections::BTreeMap;

/// `app.kubernetes.io/name`: always [`NAME_ALERTMANAGER`].
pub const LABEL_NAME: &str = "app.kubernetes.io/name";
/// `app.kubernetes.io/instance`: the name of the object.
pub const LABEL_INSTANCE: &str = "app.kubernetes.io/instance";
/// `app.kubernetes.io/managed-by`: always [`MANAGER`].
pub const LABEL_MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// `alertmanager.dev/cluster`: the name of the object.
pub const LABEL_CLUSTER: &str = "alertmanager.dev/cluster";
/// `alertmanager.dev/backup-of`: on Jobs and pods that take backups, the name of the object.
pub const LABEL_BACKUP_OF: &str = "alertmanager.dev/backup-of";
/// The port of a pod for probes, metrics and reloads.
pub const PORT_MANAGEMENT: &str = "management";
/// The hash of a configuration: on the generated Secret the one it holds, on a pod the one it was told to load.
pub const ANNOTATION_CONFIG_HASH: &str = "alertmanager.dev/config-hash";
/// On a pod: the mark of the certificates that its kubelet was told of.
pub const ANNOTATION_CERTIFICATES: &str = "alertmanager.dev/certificates";
/// On the generated Secret: which objects it was made from, in which versions.
pub const ANNOTATION_SOURCES: &str = "alertmanager.dev/sources";
/// On the generated Secret: the digest of the mounted files that its configuration names, if it names any.
pub const ANNOTATION_MOUNTED_DIGEST: &str = "alertmanager.dev/mounted-digest";
/// On everything that the operator applies: the hash of what it applied.
pub const ANNOTATION_APPLIED_HASH: &str = "alertmanager.dev/applied-hash";
/// On a Service of a manifest: what local mode runs under the Service's name (`sink`: the webhook sink).
pub const ANNOTATION_LOCAL: &str = "alertmanager.dev/local";
/// The value of [`LABEL_NAME`].
pub const NAME_ALERTMANAGER: &str = "alertmanager";
/// The value of [`LABEL_NAME`] on what takes backups.
pub const NAME_BACKUP: &str = "alertmanager-backup";
/// The value of [`LABEL_MANAGED_BY`], and the field manager of everything that is applied.
pub const MANAGER: &str = "alertmanager-operator";

/// The names that belong to one object.
///
/// For an object `main`:
///
/// | What | Name |
/// |---|---|
/// | StatefulSet, ServiceAccount, client Service | `alertmanager-main` |
/// | headless Service (web 9093, gossip 9094 TCP and UDP) | `alertmanager-main-peers` |
/// | generated Secret (key `alertmanager.yml`) | `alertmanager-main-config` |
/// | generated Secret about TLS and users of the API | `alertmanager-main-web` |
/// | certificates for gossip, and their authority | `alertmanager-main-gossip`, `alertmanager-main-gossip-ca` |
/// | CronJob that takes backups, if any | `amc-main-backup` |
/// | pods | `alertmanager-main-0`, `alertmanager-main-1`, … |
/// | volume claims, if any | `data-alertmanager-main-0`, … |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The name of the object itself.
    pub object: String,
}

impl Names {
    /// The names for an object called `object`.
    pub fn new(object: &str) -> Self {
        Self { object: object.to_owned() }
    }

    /// The StatefulSet, the ServiceAccount and the Service for clients.
    pub fn base(&self) -> String {
        format!("alertmanager-{}", self.object)
    }

    /// The headless Service by which the members find each other.
    pub fn peers_service(&self) -> String {
        format!("alertmanager-{}-peers", self.object)
    }

    /// The generated Secret with the configuration.
    pub fn config_secret(&self) -> String {
        format!("alertmanager-{}-config", self.object)
    }

    /// The generated Secret about TLS and users of the API.
    pub fn web_secret(&self) -> String {
        format!("alertmanager-{}-web", self.object)
    }

    /// The Secret with what members prove themselves with.
    pub fn gossip_secret(&self) -> String {
        format!("alertmanager-{}-gossip", self.object)
    }

    /// The Secret with the authority that issues that.
    pub fn authority_secret(&self) -> String {
        format!("alertmanager-{}-gossip-ca", self.object)
    }

    /// The CronJob that takes backups. Kubernetes allows but 52 characters for it.
    pub fn backup(&self) -> String {
        format!("amc-{}-backup", self.object)
    }

    /// The volume claim of a member.
    pub fn claim(&self, ordinal: u32) -> String {
        format!("data-{}", self.member(ordinal))
    }

    /// The member with this ordinal, counted from 0: its pod, its peer name.
    pub fn member(&self, ordinal: u32) -> String {
        format!("alertmanager-{}-{ordinal}", self.object)
    }

    /// The ordinal in a member's name; `None` when it is no name of a member.
    pub fn ordinal(&self, member: &str) -> Option<u32> {
        member.strip_prefix(&self.base())?.strip_prefix('-')?.parse().ok()
    }
}

/// The labels of everything that belongs to the object called `object`.
pub fn labels(object: &str) -> BTreeMap<String, String> {
    let mut all = selector(object);
    all.insert(LABEL_INSTANCE.to_owned(), object.to_owned());
    all.insert(LABEL_MANAGED_BY.to_owned(), MANAGER.to_owned());
    all
}

/// The labels by which the pods of the object called `object` are found, and no others.
pub fn selector(object: &str) -> BTreeMap<String, String> {
    BTreeMap::from([
        (LABEL_NAME.to_owned(), NAME_ALERTMANAGER.to_owned()),
        (LABEL_CLUSTER.to_owned(), object.to_owned()),
    ])
}

/// [`selector`] as text.
pub fn selector_text(object: &str) -> String {
    let pairs: Vec<_> = selector(object).into_iter().map(|(label, value)| format!("{label}={value}")).collect();
    pairs.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinals_are_those_of_this_cluster_only() {
        let names = Names::new("a");
        assert_eq!(names.ordinal(&names.member(12)), Some(12));
        assert_eq!(names.ordinal("alertmanager-a-b-0"), None);
        assert_eq!(names.ordinal("alertmanager-a"), None);
        assert_eq!(names.ordinal("other-0"), None);
    }

    #[test]
    fn selector_is_exact() {
        assert_eq!(selector_text("a"), "alertmanager.dev/cluster=a,app.kubernetes.io/name=alertmanager");
    }
}
