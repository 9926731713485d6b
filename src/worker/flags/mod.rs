//! The command line of `worker`: every flag of Alertmanager 0.34.2, with its default.

mod args;
mod check;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use alerting::duration::{DurationError, parse_flag};
use alerting::label::GoQuoted;
use clap::{ArgAction, Parser, ValueEnum};

pub use args::Exit;
pub(crate) use check::host_port;
pub use check::{ClusterSettings, FlagError, Settings};

/// What the command line says, not yet checked as a whole ([`Flags::check`] does).
///
/// Made by [`Flags::parse_args`], which also expands `@file`, maps exit codes and remembers which flags were given.
#[derive(Debug, Clone, Parser)]
#[command(name = "alertmanager", about = "Groups, deduplicates, silences and sends the alerts of Prometheus", long_about = None, disable_version_flag = true, disable_help_subcommand = true)]
pub struct Flags {
    /// Print version and exit
    #[arg(long = "version", action = ArgAction::SetTrue)]
    pub version: bool,

    /// Alertmanager configuration file
    #[arg(long = "config.file", value_name = "FILE", default_value = "alertmanager.yml")]
    pub config_file: PathBuf,
    /// Directory of the state files
    #[arg(long = "storage.path", value_name = "DIR", default_value = "data/")]
    pub storage_path: PathBuf,
    /// How long the notification log and expired silences are kept
    #[arg(long = "data.retention", value_name = "DURATION", default_value = "120h", value_parser = duration)]
    pub data_retention: Duration,
    /// Between two rounds of forgetting old data and writing the state files
    #[arg(long = "data.maintenance-interval", value_name = "DURATION", default_value = "15m", value_parser = duration)]
    pub data_maintenance_interval: Duration,
    /// Most silences, expired ones included; 0 or less: any number
    #[arg(long = "silences.max-silences", value_name = "N", default_value = "0", value_parser = number)]
    pub silences_max: i64,
    /// Most bytes of one stored silence; 0 or less: any number
    #[arg(long = "silences.max-silence-size-bytes", value_name = "N", default_value = "0", value_parser = number)]
    pub silence_bytes_max: i64,
    /// Log when silences are created, updated and expired
    #[arg(long = "log.silences", action = ArgAction::SetTrue)]
    pub log_silences: bool,
    /// Between two removals of resolved alerts
    #[arg(long = "alerts.gc-interval", value_name = "DURATION", default_value = "30m", value_parser = duration)]
    pub alerts_gc_interval: Duration,
    /// Most alerts of one alertname; 0 or less: any number
    #[arg(long = "alerts.per-alertname-limit", value_name = "N", default_value = "0", value_parser = number)]
    pub alerts_per_name_max: i64,
    /// Alerts and the timers of their groups outlive a restart, which is the default (our own addition)
    #[arg(long = "alerts.persist", action = ArgAction::SetTrue)]
    pub alerts_persist: bool,
    /// Forget alerts at a restart, as the reference does
    #[arg(long = "no-alerts.persist", hide = true, action = ArgAction::SetTrue, conflicts_with = "alerts_persist")]
    pub(crate) no_alerts_persist: bool,
    /// Between two sweeps of ended groups
    #[arg(
        long = "dispatch.maintenance-interval",
        value_name = "DURATION",
        default_value = "30s",
        value_parser = duration
    )]
    pub dispatch_maintenance_interval: Duration,
    /// No group is notified before the start plus this
    #[arg(long = "dispatch.start-delay", value_name = "DURATION", default_value = "0s", value_parser = duration_or_none)]
    pub dispatch_start_delay: Duration,

    /// Take the listeners from systemd
    #[arg(long = "web.systemd-socket", action = ArgAction::SetTrue)]
    pub web_systemd_socket: bool,
    /// Address for the web interface, API and metrics; repeatable
    #[arg(long = "web.listen-address", value_name = "ADDRESS", default_value = ":9093", action = ArgAction::Append)]
    pub web_listen_address: Vec<String>,
    /// Address for probes, metrics and reloads only, without TLS and authentication; empty: none (our own addition)
    #[arg(long = "web.management-address", value_name = "ADDRESS", default_value = "")]
    pub web_management_address: String,
    /// File with the token that lets its bearer post alerts there (`POST /api/v2/alerts`); empty: nobody (our own addition)
    #[arg(long = "web.management-token-file", value_name = "FILE", default_value = "")]
    pub web_management_token_file: String,
    /// How long clients are served after SIGTERM, not ready any more, until they have been sent elsewhere (our own addition)
    #[arg(long = "web.drain-delay", value_name = "DURATION", default_value = "0s", value_parser = duration)]
    pub web_drain_delay: Duration,
    /// File that turns on TLS or authentication
    #[arg(long = "web.config.file", value_name = "FILE", default_value = "")]
    pub web_config_file: String,
    /// URL under which this is reached from outside, for links
    #[arg(long = "web.external-url", value_name = "URL", default_value = "")]
    pub web_external_url: String,
    /// Prefix of all paths; that of the external URL unless given
    #[arg(long = "web.route-prefix", value_name = "PATH", default_value = "")]
    pub web_route_prefix: String,
    /// Regex of origins that may use the API from a browser, anchored
    #[arg(long = "web.cors.origin", value_name = "REGEX", default_value = "")]
    pub web_cors_origin: String,
    /// Most GET requests at once; 0 or less: 8 or the number of processors
    #[arg(long = "web.get-concurrency", value_name = "N", default_value = "0", value_parser = number)]
    pub web_get_concurrency: i64,
    /// Limit of one HTTP request; 0: none
    #[arg(long = "web.timeout", value_name = "DURATION", default_value = "0", value_parser = duration_or_none)]
    pub web_timeout: Duration,
    /// Accepted for compatibility
    #[arg(long = "auto-gomemlimit.ratio", value_name = "RATIO", default_value = "0.9", value_parser = float)]
    pub auto_gomemlimit_ratio: f64,

    /// Address for peers; empty: high availability is off
    #[arg(long = "cluster.listen-address", value_name = "ADDRESS", default_value = "0.0.0.0:9094")]
    pub cluster_listen_address: String,
    /// Address that peers are told, IP:PORT
    #[arg(long = "cluster.advertise-address", value_name = "ADDRESS", default_value = "")]
    pub cluster_advertise_address: String,
    /// Name of this member; random unless given
    #[arg(long = "cluster.peer-name", value_name = "NAME", default_value = "")]
    pub cluster_peer_name: String,
    /// A peer, HOST:PORT; every address of the host is one; repeatable
    #[arg(long = "cluster.peer", value_name = "ADDRESS", action = ArgAction::Append)]
    pub cluster_peer: Vec<String>,
    /// How much longer each later position waits before it notifies
    #[arg(long = "cluster.peer-timeout", value_name = "DURATION", default_value = "15s", value_parser = duration)]
    pub cluster_peer_timeout: Duration,
    /// How long the peers' names are looked up eagerly after the start
    #[arg(
        long = "cluster.peers-resolve-timeout",
        value_name = "DURATION",
        default_value = "15s",
        value_parser = duration
    )]
    pub cluster_peers_resolve_timeout: Duration,
    /// Between two rounds of gossip
    #[arg(long = "cluster.gossip-interval", value_name = "DURATION", default_value = "200ms", value_parser = duration)]
    pub cluster_gossip_interval: Duration,
    /// Between two comparisons of state with a peer
    #[arg(long = "cluster.pushpull-interval", value_name = "DURATION", default_value = "1m0s", value_parser = duration)]
    pub cluster_pushpull_interval: Duration,
    /// Limit for connecting to a peer and for each message on the stream
    #[arg(long = "cluster.tcp-timeout", value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub cluster_tcp_timeout: Duration,
    /// A probe unanswered after this is tried through others
    #[arg(long = "cluster.probe-timeout", value_name = "DURATION", default_value = "500ms", value_parser = duration)]
    pub cluster_probe_timeout: Duration,
    /// Between two probes
    #[arg(long = "cluster.probe-interval", value_name = "DURATION", default_value = "1s", value_parser = duration)]
    pub cluster_probe_interval: Duration,
    /// Longest wait for the peers' state after the start
    #[arg(long = "cluster.settle-timeout", value_name = "DURATION", default_value = "1m0s", value_parser = duration)]
    pub cluster_settle_timeout: Duration,
    /// Between two attempts to reach a peer that does not answer
    #[arg(long = "cluster.reconnect-interval", value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub cluster_reconnect_interval: Duration,
    /// How long a peer that does not answer is remembered
    #[arg(
        long = "cluster.reconnect-timeout",
        value_name = "DURATION",
        default_value = "6h0m0s",
        value_parser = duration
    )]
    pub cluster_reconnect_timeout: Duration,
    /// File that turns on mutual TLS between peers
    #[arg(long = "cluster.tls-config", value_name = "FILE", default_value = "")]
    pub cluster_tls_config: String,
    /// Advertise a public address when there is no private one
    #[arg(
        long = "cluster.allow-insecure-public-advertise-address-discovery",
        action = ArgAction::SetTrue
    )]
    pub cluster_allow_public: bool,
    /// Only members with the same label talk to each other
    #[arg(long = "cluster.label", value_name = "LABEL", default_value = "")]
    pub cluster_label: String,
    /// Look peers' and receivers' names up at this server instead of the system's, IP:PORT (our own addition)
    #[arg(long = "cluster.dns-server", value_name = "ADDRESS")]
    pub cluster_dns_server: Option<SocketAddr>,

    /// Features to turn on, separated by commas
    #[arg(long = "enable-feature", value_name = "NAMES", default_value = "")]
    pub enable_feature: String,
    /// Least severe level to log
    #[arg(long = "log.level", value_name = "LEVEL", default_value = "info", value_enum, ignore_case = true)]
    pub log_level: LogLevel,
    /// Form of log lines
    #[arg(long = "log.format", value_name = "FORMAT", default_value = "logfmt", value_enum)]
    pub log_format: LogFormat,

    /// Reload when the configuration file changes too, which is the default (our own addition)
    #[arg(long = "config.watch", action = ArgAction::SetTrue)]
    pub config_watch: bool,
    /// Reload on SIGHUP and /-/reload only
    #[arg(long = "no-config.watch", hide = true, action = ArgAction::SetTrue, conflicts_with = "config_watch")]
    pub(crate) no_config_watch: bool,
    /// Turn `--log.silences` off
    #[arg(long = "no-log.silences", hide = true, action = ArgAction::SetTrue, conflicts_with = "log_silences")]
    pub(crate) no_log_silences: bool,
    /// Turn `--web.systemd-socket` off
    #[arg(long = "no-web.systemd-socket", hide = true, action = ArgAction::SetTrue, conflicts_with = "web_systemd_socket")]
    pub(crate) no_web_systemd_socket: bool,
    /// Turn the discovery of public addresses off
    #[arg(
        long = "no-cluster.allow-insecure-public-advertise-address-discovery",
        hide = true,
        action = ArgAction::SetTrue,
        conflicts_with = "cluster_allow_public"
    )]
    pub(crate) no_cluster_allow_public: bool,

    /// Names of the flags that were given, sorted; only [`Flags::parse_args`] fills it.
    #[arg(skip)]
    pub(crate) given: Vec<String>,
}

/// Severity of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// Everything.
    Debug,
    /// What happens in normal operation.
    Info,
    /// What somebody should look at.
    Warn,
    /// What did not work.
    Error,
}

/// Form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// `key=value` pairs.
    Logfmt,
    /// One JSON object per line.
    Json,
}

fn duration(text: &str) -> Result<Duration, DurationError> {
    parse_flag(text)
}

/// Of flags that mean "none" when they are negative.
fn duration_or_none(text: &str) -> Result<Duration, DurationError> {
    match text.strip_prefix('-') {
        Some(rest) => duration(rest).map(|_| Duration::ZERO),
        None => duration(text),
    }
}

/// Why a text is no number; in the reference's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("strconv.ParseFloat: parsing {}: invalid syntax", GoQuoted(.0))]
struct NumberError(String);

/// Whole numbers may be written as any number, `1e3` or `1.5`, which is rounded towards zero (reference behaviour).
fn number(text: &str) -> Result<i64, NumberError> {
    float(text).map(|number| number as i64)
}

fn float(text: &str) -> Result<f64, NumberError> {
    text.parse().map_err(|_| NumberError(text.to_owned()))
}

#[cfg(test)]
mod tests;
