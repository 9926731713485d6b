//! What one member is: the arguments of the worker, the files it needs, its ports and probes.

use super::ClusterPlan;
use crate::validate::ValidConfig;

/// The port of the web interface and API, in a pod.
pub const WEB_PORT: u16 = 9093;
/// The port of probes, metrics and reloads, in a pod.
pub const MANAGEMENT_PORT: u16 = 9095;
/// The port of gossip, TCP and UDP, in a pod.
pub const GOSSIP_PORT: u16 = 9094;
/// The directory of the configuration, in a pod.
pub const CONFIG_DIR: &str = "/etc/alertmanager/config";
/// The name of the configuration file in its directory.
pub const CONFIG_FILE: &str = "alertmanager.yml";
/// The directory of snapshots, in a pod.
pub const STORAGE_DIR: &str = "/alertmanager";

/// Where a member listens, where it is reached, and where its files are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberAddresses {
    /// Where the API listens, e.g. `:9093`.
    pub web_listen: String,
    /// The port of the API.
    pub web_port: u16,
    /// Where probes, metrics and reloads are served besides, e.g. `:9095`.
    pub management_listen: Option<String>,
    /// How long clients are served after SIGTERM, in seconds.
    pub drain_seconds: u32,
    /// The file about TLS and authentication of the API; `None` where it is open to all.
    pub web_config: Option<String>,
    /// The file with the token for alerts at `management_listen`; `None`: none are taken there.
    pub management_token: Option<String>,
    /// Where gossip listens, e.g. `0.0.0.0:9094`.
    pub gossip_listen: String,
    /// The port of gossip.
    pub gossip_port: u16,
    /// Where the peers reach this member's gossip, e.g. `10.1.2.3:9094`.
    pub gossip_advertise: String,
    /// Where peers are found: `host:port`, the host being resolved again and again.
    pub peers: Vec<String>,
    /// The directory that the configuration file is in.
    pub config_dir: String,
    /// The directory that snapshots are written to.
    pub storage_dir: String,
    /// The file about TLS between members; `None` where they do without.
    pub gossip_tls: Option<String>,
}

/// One member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberPlan {
    /// Its name: the pod's, and the peer's in gossip.
    pub name: String,
    /// The arguments of the program, the subcommand first.
    pub args: Vec<String>,
    /// The port of the API.
    pub web_port: u16,
    /// The port of gossip, TCP and UDP.
    pub gossip_port: u16,
    /// The files of the configuration directory, which must be there before the start and may change later. Empty while
    /// there is no valid configuration.
    pub files: Vec<File>,
    /// The directory of `files`.
    pub config_dir: String,
    /// The directory that must exist and be writable.
    pub storage_dir: String,
    /// How to tell its state.
    pub probes: Probes,
    /// How long it may take to stop after SIGTERM, in seconds.
    pub stop_seconds: u32,
}

/// A file that a member reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name in the configuration directory.
    pub name: String,
    /// What is in it.
    pub content: String,
}

/// How to tell the state of a member, over HTTP on the port for that, or else on its web port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probes {
    /// Until it first succeeds, the others are not asked.
    pub startup: Probe,
    /// When it fails, the member is started anew.
    pub liveness: Probe,
    /// While it fails, clients are sent elsewhere.
    pub readiness: Probe,
}

/// An HTTP GET that must answer with a status below 400.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// What is asked for.
    pub path: String,
    /// How often, in seconds.
    pub period_seconds: u32,
    /// How long the answer may take, in seconds.
    pub timeout_seconds: u32,
    /// So many failures in a row count as failed.
    pub failures: u32,
}

impl MemberPlan {
    pub(super) fn new(cluster: &ClusterPlan, name: &str, at: &MemberAddresses) -> Self {
        let mut args = vec![
            "worker".to_owned(),
            format!("--config.file={}/{CONFIG_FILE}", at.config_dir),
            format!("--storage.path={}", at.storage_dir),
            format!("--data.retention={}", cluster.retention),
            format!("--web.listen-address={}", at.web_listen),
            format!("--cluster.listen-address={}", at.gossip_listen),
            format!("--cluster.advertise-address={}", at.gossip_advertise),
            format!("--cluster.peer-name={name}"),
            format!("--cluster.label={}", cluster.cluster_label()),
        ];
        args.extend(at.peers.iter().map(|peer| format!("--cluster.peer={peer}")));
        args.extend(cluster.gossip_flags.iter().cloned());
        args.extend(at.gossip_tls.iter().map(|file| format!("--cluster.tls-config={file}")));
        // the order of the rollout decides when a member loads a config, not when its volume happens to be refreshed
        args.push("--no-config.watch".to_owned());
        args.push(format!("--log.level={}", cluster.log_level.as_str()));
        args.push(format!("--log.format={}", cluster.log_format.as_str()));
        args.extend(cluster.external_url.iter().map(|url| format!("--web.external-url={url}")));
        args.extend(at.management_listen.iter().map(|address| format!("--web.management-address={address}")));
        if at.drain_seconds > 0 {
            args.push(format!("--web.drain-delay={}s", at.drain_seconds));
        }
        args.extend(at.web_config.iter().map(|file| format!("--web.config.file={file}")));
        args.extend(at.management_token.iter().map(|file| format!("--web.management-token-file={file}")));
        args.extend(cluster.web_flags.iter().cloned());
        Self {
            name: name.to_owned(),
            args,
            web_port: at.web_port,
            gossip_port: at.gossip_port,
            files: cluster.config.as_ref().map(files).unwrap_or_default(),
            config_dir: at.config_dir.clone(),
            storage_dir: at.storage_dir.clone(),
            // what is served besides is at the root
            probes: probes(if at.management_listen.is_some() { "" } else { &cluster.prefix }),
            stop_seconds: 60,
        }
    }
}

/// What lies in a member's configuration directory: the configuration first.
pub fn files(config: &ValidConfig) -> Vec<File> {
    let own = File { name: CONFIG_FILE.to_owned(), content: config.text.clone() };
    let templates = config.templates.iter();
    let templates = templates.map(|(name, text)| File { name: name.clone(), content: text.clone() });
    std::iter::once(own).chain(templates).collect()
}

/// A member waits for its peers' state before it is ready, never before it is healthy: a slow peer gets nobody killed.
fn probes(prefix: &str) -> Probes {
    let probe = |path: &str, period_seconds, failures| Probe {
        path: format!("{prefix}{path}"),
        period_seconds,
        timeout_seconds: 3,
        failures,
    };
    Probes {
        startup: probe("/-/healthy", 1, 60),
        liveness: probe("/-/healthy", 10, 6),
        readiness: probe("/-/ready", 1, 3),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::crd::AlertmanagerClusterSpec;

    fn spec(json: &str) -> AlertmanagerClusterSpec {
        serde_json::from_str(json).unwrap()
    }

    fn at() -> MemberAddresses {
        MemberAddresses {
            web_listen: "127.0.0.1:19093".into(),
            web_port: 19093,
            management_listen: None,
            drain_seconds: 0,
            web_config: None,
            management_token: None,
            gossip_listen: "127.0.0.2:19094".into(),
            gossip_port: 19094,
            gossip_advertise: "127.0.0.2:19094".into(),
            peers: vec!["a.example:1".into(), "b.example:2".into()],
            config_dir: "/tmp/c".into(),
            storage_dir: "/tmp/s".into(),
            gossip_tls: None,
        }
    }

    #[test]
    fn arguments_of_a_member() {
        let spec = spec(r#"{"config":{"inline":""},"externalUrl":"https://x.example/am","logFormat":"json"}"#);
        let plan = ClusterPlan::new("ops", "pager", &spec, None);
        let member = plan.member("alertmanager-pager-0", &at());
        assert_eq!(
            member.args,
            [
                "worker",
                "--config.file=/tmp/c/alertmanager.yml",
                "--storage.path=/tmp/s",
                "--data.retention=120h",
                "--web.listen-address=127.0.0.1:19093",
                "--cluster.listen-address=127.0.0.2:19094",
                "--cluster.advertise-address=127.0.0.2:19094",
                "--cluster.peer-name=alertmanager-pager-0",
                "--cluster.label=ops/pager",
                "--cluster.peer=a.example:1",
                "--cluster.peer=b.example:2",
                "--no-config.watch",
                "--log.level=info",
                "--log.format=json",
                "--web.external-url=https://x.example/am",
            ]
        );
        assert_eq!(member.files, []);
    }

    #[test]
    fn neither_replicas_nor_config_change_the_arguments() {
        let few = ClusterPlan::new("ops", "pager", &spec(r#"{"replicas":3,"config":{"inline":"a"}}"#), None);
        let many = ClusterPlan::new("ops", "pager", &spec(r#"{"replicas":5,"config":{"inline":"b"}}"#), None);
        assert_eq!(few.member("m", &at()).args, many.member("m", &at()).args);
        assert_eq!(many.member_names().len(), 5);
    }
}
