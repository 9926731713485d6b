//! From [`Flags`] to [`Settings`]: what holds between flags, and what this version refuses to promise.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use alerting::effects::{ClusterOptions, Options};
use alerting::matcher::{Matcher, MatcherError, Mode, Op};

use super::Flags;
use crate::api::MetricLabels;

/// Everything that `run` needs, checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The config file.
    pub config_file: PathBuf,
    /// Reload when the file changes.
    pub watch_config: bool,
    /// Directory of the state files.
    pub storage: PathBuf,
    /// Matcher syntax.
    pub mode: Mode,
    /// For the engine; external URL, seed and cluster are filled in when known.
    pub engine: Options,
    /// `None`: high availability is off.
    pub cluster: Option<ClusterSettings>,
    /// Look names up here instead of where the system does.
    pub dns_server: Option<SocketAddr>,
    /// Addresses for HTTP, as given.
    pub web_listen: Vec<String>,
    /// Take the listeners from systemd instead.
    pub web_systemd_socket: bool,
    /// File with TLS and authentication, if given.
    pub web_config_file: Option<PathBuf>,
    /// How long clients are served after the wish to end.
    pub drain_delay: Duration,
    /// Where probes, metrics and reloads are served besides.
    pub management_listen: Option<String>,
    /// The file with the token for alerts there.
    pub management_token: Option<PathBuf>,
    /// Origins of pages that may use API v2: a regex matcher.
    pub cors_origin: Option<Matcher>,
    /// As given, if given.
    pub external_url: Option<String>,
    /// As given, if given.
    pub route_prefix: Option<String>,
    /// Most GET requests at once; `None`: what the API finds right.
    pub get_concurrency: Option<usize>,
    /// Limit of one HTTP request.
    pub web_timeout: Option<Duration>,
    /// Log each change of a silence.
    pub log_silences: bool,
    /// Features that were turned on, for the log.
    pub(crate) features: Vec<Feature>,
    /// Labels that are in the metrics only if asked for.
    pub metric_labels: MetricLabels,
    /// Flags that were given and have no effect in this version, for the log.
    pub idle_flags: Vec<String>,
}

/// The cluster part of the command line, checked.
#[derive(Debug, Clone)]
pub struct ClusterSettings {
    /// Where to listen, packets and streams.
    pub listen: String,
    /// What to tell the peers, if given.
    pub advertise: Option<SocketAddr>,
    /// A public address may be advertised when there's no private one.
    pub allow_public: bool,
    /// Name of this member, if given.
    pub name: Option<String>,
    /// Peers as `(host, port)`.
    pub peers: Vec<(String, u16)>,
    /// How long names are looked up eagerly after the start.
    pub eager: Duration,
    /// For connecting and for each message.
    pub tcp_timeout: Duration,
    /// Members prove themselves to each other as this file says.
    pub tls_config: Option<PathBuf>,
    /// For the engine, with name, address and incarnation to fill in.
    pub engine: ClusterOptions,
}

/// One name of `--enable-feature`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Feature {
    /// As on the command line.
    pub(crate) name: &'static str,
    /// What the log says of it, in the reference's words; `None`: it changes nothing in this version.
    pub(crate) message: Option<&'static str>,
}

/// Flags that don't go together, or not with this version.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FlagError {
    /// A duration that must not be zero is zero.
    #[error("checking flags: --{0} must be greater than 0")]
    NotPositive(&'static str),
    /// An address is not what the flag needs.
    #[error("checking flags: --{flag} `{value}` is not {wanted}")]
    Address {
        /// The flag's name.
        flag: &'static str,
        /// What was given.
        value: String,
        /// What it should be.
        wanted: &'static str,
    },
    /// A feature's name is unknown.
    #[error("checking flags: unknown option `{0}` for --enable-feature")]
    UnknownFeature(String),
    /// Both matcher syntaxes at once.
    #[error("checking flags: features classic-mode and utf8-strict-mode exclude each other")]
    FeatureConflict,
    /// The regex does not compile.
    #[error("checking flags: --web.cors.origin is not a regular expression")]
    CorsOrigin(#[source] MatcherError),
    /// Out of range.
    #[error("checking flags: --auto-gomemlimit.ratio must be greater than 0 and at most 1")]
    Ratio,
}

/// Names, and what the log says of them if they're in force.
const FEATURES: [(&str, Option<&str>); 7] = [
    ("alert-names-in-metrics", Some("Alert names in metrics enabled")),
    ("receiver-name-in-metrics", Some("Experimental receiver name in metrics enabled")),
    ("group-key-in-metrics", Some("Experimental group key in metrics enabled")),
    ("classic-mode", Some("Classic mode enabled")),
    ("utf8-strict-mode", Some("UTF-8 strict mode enabled")),
    ("auto-gomemlimit", None),
    ("event-recorder", Some("Experimental event recorder enabled")),
];

/// Accepted, but nothing here depends on them.
const IDLE: [&str; 2] = ["auto-gomemlimit.ratio", "dispatch.maintenance-interval"];

impl Flags {
    /// Checks the flags as a whole.
    ///
    /// # Errors
    /// At the first one that cannot hold.
    pub fn check(&self) -> Result<Settings, FlagError> {
        let (mode, features) = features(&self.enable_feature)?;
        if features.iter().any(|feature| feature.name == "auto-gomemlimit")
            && !(self.auto_gomemlimit_ratio > 0.0 && self.auto_gomemlimit_ratio <= 1.0)
        {
            return Err(FlagError::Ratio);
        }
        let cors_origin = given(&self.web_cors_origin).map(|regex| Matcher::new(Op::Regex, "origin", regex));
        let cors_origin = cors_origin.transpose().map_err(FlagError::CorsOrigin)?;
        positive(&[
            ("data.retention", self.data_retention),
            ("data.maintenance-interval", self.data_maintenance_interval),
            ("alerts.gc-interval", self.alerts_gc_interval),
            ("dispatch.maintenance-interval", self.dispatch_maintenance_interval),
        ])?;
        let engine = Options {
            retention: self.data_retention,
            maintenance_interval: self.data_maintenance_interval,
            alert_gc_interval: self.alerts_gc_interval,
            dispatch_start_delay: self.dispatch_start_delay,
            silences_max: limit(self.silences_max),
            silence_bytes_max: limit(self.silence_bytes_max),
            alerts_per_name_max: limit(self.alerts_per_name_max),
            record_events: features.iter().any(|feature| feature.name == "event-recorder"),
            persist_alerts: !self.no_alerts_persist,
            ..Options::default()
        };
        let on = |name: &str| features.iter().any(|feature| feature.name == name);
        let metric_labels = MetricLabels {
            alert_names: on("alert-names-in-metrics"),
            receiver_names: on("receiver-name-in-metrics"),
            group_keys: on("group-key-in-metrics"),
        };
        Ok(Settings {
            config_file: self.config_file.clone(),
            watch_config: !self.no_config_watch,
            storage: self.storage_path.clone(),
            mode,
            engine,
            cluster: self.cluster()?,
            dns_server: self.cluster_dns_server,
            web_listen: self.web_listen_address.clone(),
            web_systemd_socket: self.web_systemd_socket,
            web_config_file: given(&self.web_config_file).map(PathBuf::from),
            drain_delay: self.web_drain_delay,
            management_listen: given(&self.web_management_address),
            management_token: given(&self.web_management_token_file).map(PathBuf::from),
            cors_origin,
            external_url: given(&self.web_external_url),
            route_prefix: given(&self.web_route_prefix),
            get_concurrency: limit(self.web_get_concurrency),
            web_timeout: (!self.web_timeout.is_zero()).then_some(self.web_timeout),
            log_silences: self.log_silences,
            features,
            metric_labels,
            idle_flags: self.given.iter().filter(|name| IDLE.contains(&name.as_str())).cloned().collect(),
        })
    }

    fn cluster(&self) -> Result<Option<ClusterSettings>, FlagError> {
        if self.cluster_listen_address.is_empty() {
            return Ok(None);
        }
        positive(&[
            ("cluster.peer-timeout", self.cluster_peer_timeout),
            ("cluster.peers-resolve-timeout", self.cluster_peers_resolve_timeout),
            ("cluster.gossip-interval", self.cluster_gossip_interval),
            ("cluster.pushpull-interval", self.cluster_pushpull_interval),
            ("cluster.tcp-timeout", self.cluster_tcp_timeout),
            ("cluster.probe-timeout", self.cluster_probe_timeout),
            ("cluster.probe-interval", self.cluster_probe_interval),
            ("cluster.reconnect-interval", self.cluster_reconnect_interval),
            ("cluster.reconnect-timeout", self.cluster_reconnect_timeout),
        ])?;
        let advertise = given(&self.cluster_advertise_address).map(|value| {
            let wanted = "IP:PORT";
            // brackets around any address, as manifests have them that are to do with both families
            let address = host_port(&value).and_then(|(host, port)| Some(SocketAddr::new(host.parse().ok()?, port)));
            let address = address.filter(|address| !address.ip().is_unspecified());
            address.ok_or(FlagError::Address { flag: "cluster.advertise-address", value, wanted })
        });
        let peers = self.cluster_peer.iter().filter(|peer| !peer.is_empty()).map(|peer| {
            let error = || FlagError::Address { flag: "cluster.peer", value: peer.clone(), wanted: "HOST:PORT" };
            host_port(peer).filter(|(host, _)| !host.is_empty()).ok_or_else(error)
        });
        if host_port(&self.cluster_listen_address).is_none() {
            let value = self.cluster_listen_address.clone();
            return Err(FlagError::Address { flag: "cluster.listen-address", value, wanted: "HOST:PORT" });
        }
        let engine = ClusterOptions {
            name: String::new(),
            advertise: SocketAddr::from(([0, 0, 0, 0], 0)),
            label: self.cluster_label.clone(),
            incarnation: 0,
            gossip_interval: self.cluster_gossip_interval,
            pushpull_interval: self.cluster_pushpull_interval,
            probe_interval: self.cluster_probe_interval,
            // at half of the interval there's still time to ask others
            probe_timeout: self.cluster_probe_timeout.min(self.cluster_probe_interval / 2),
            peer_timeout: self.cluster_peer_timeout,
            settle_timeout: self.cluster_settle_timeout,
            reconnect_interval: self.cluster_reconnect_interval,
            reconnect_timeout: self.cluster_reconnect_timeout,
        };
        Ok(Some(ClusterSettings {
            listen: self.cluster_listen_address.clone(),
            advertise: advertise.transpose()?,
            allow_public: self.cluster_allow_public,
            name: given(&self.cluster_peer_name),
            peers: peers.collect::<Result<_, _>>()?,
            eager: self.cluster_peers_resolve_timeout,
            tcp_timeout: self.cluster_tcp_timeout,
            tls_config: given(&self.cluster_tls_config).map(PathBuf::from),
            engine,
        }))
    }
}

/// Splits `host:port`, `[v6]:port`, `:port`.
pub(crate) fn host_port(address: &str) -> Option<(String, u16)> {
    let (host, port) = address.rsplit_once(':')?;
    let host = match host.strip_prefix('[') {
        Some(inner) => inner.strip_suffix(']')?,
        None if host.contains(':') => return None,
        None => host,
    };
    Some((host.to_owned(), port.parse().ok()?))
}

fn features(list: &str) -> Result<(Mode, Vec<Feature>), FlagError> {
    let mut found = Vec::new();
    for name in list.split(',').filter(|name| !name.is_empty()) {
        let known = FEATURES.iter().find(|(known, _)| *known == name);
        let (name, message) = *known.ok_or_else(|| FlagError::UnknownFeature(name.to_owned()))?;
        if !found.iter().any(|feature: &Feature| feature.name == name) {
            found.push(Feature { name, message });
        }
    }
    let on = |name: &str| found.iter().any(|feature| feature.name == name);
    let mode = match (on("classic-mode"), on("utf8-strict-mode")) {
        (true, true) => return Err(FlagError::FeatureConflict),
        (true, false) => Mode::Classic,
        (false, true) => Mode::Utf8Strict,
        (false, false) => Mode::Fallback,
    };
    Ok((mode, found))
}

fn positive(durations: &[(&'static str, Duration)]) -> Result<(), FlagError> {
    match durations.iter().find(|(_, value)| value.is_zero()) {
        Some((name, _)) => Err(FlagError::NotPositive(name)),
        None => Ok(()),
    }
}

fn limit(value: i64) -> Option<usize> {
    usize::try_from(value).ok().filter(|value| *value > 0)
}

fn given(value: &str) -> Option<String> {
    (!value.is_empty()).then(|| value.to_owned())
}
