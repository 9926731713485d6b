//! The command line of `alertmanager-operator operator`.

use std::net::SocketAddr;

use clap::{Args, ValueEnum};
use k8s_openapi::jiff::SignedDuration;

/// Runs the controller: makes what AlertmanagerCluster objects ask for, and keeps it so.
#[derive(Args, Clone, Debug)]
pub struct OperatorOptions {
    /// The image of members whose AlertmanagerCluster names none.
    #[arg(long, env = "WORKER_IMAGE", default_value = "localhost/alertmanager-operator:dev", value_name = "IMAGE")]
    pub worker_image: String,

    /// The only namespaces to look after; repeatable, or separated by commas. Left out: all.
    #[arg(long = "namespace", env = "WATCH_NAMESPACE", value_name = "NAMESPACE", value_delimiter = ',')]
    pub namespaces: Vec<String>,

    /// The Lease by which operators agree on who works; empty: none, this one works at once.
    #[arg(long, env = "LEASE", value_name = "NAME", default_value = "alertmanager-operator")]
    pub lease: String,

    /// The namespace of the Lease. Left out: that of the operator.
    #[arg(long, env = "LEASE_NAMESPACE", value_name = "NAMESPACE")]
    pub lease_namespace: Option<String>,

    /// What this operator is called in the Lease. Left out: the name of its host and a number.
    #[arg(long, env = "POD_NAME", value_name = "NAME")]
    pub identity: Option<String>,

    /// How long it takes at most until all members have a certificate that was published: the kubelet is slow.
    #[arg(long, env = "CERTIFICATE_OVERLAP", default_value = "10m", value_name = "DURATION")]
    pub certificate_overlap: SignedDuration,

    /// Where to serve /healthz, /readyz and /metrics.
    #[arg(long, default_value = ":8080", value_name = "ADDRESS", value_parser = listen_address)]
    pub listen_address: SocketAddr,

    /// The least severe level that is logged.
    #[arg(long = "log.level", value_enum, default_value = "info")]
    pub log_level: Level,

    /// The format of the log.
    #[arg(long = "log.format", value_enum, default_value = "logfmt")]
    pub log_format: Format,
}

/// The least severe level that is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Level {
    /// Everything.
    Debug,
    /// What a reader of the log wants to know.
    Info,
    /// What may need action.
    Warn,
    /// What needs action.
    Error,
}

/// The format of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Text with `key=value` pairs.
    Logfmt,
    /// One JSON object per line.
    Json,
}

/// Reads `host:port` or `:port` (all addresses).
fn listen_address(text: &str) -> Result<SocketAddr, String> {
    let full = if text.starts_with(':') { format!("0.0.0.0{text}") } else { text.to_owned() };
    full.parse().map_err(|_| format!("`{text}` is not an address like `:8080` or `127.0.0.1:8080`"))
}

#[cfg(test)]
mod tests {
    use super::listen_address;

    #[test]
    fn address_without_a_host_is_all_of_them() {
        assert_eq!(listen_address(":8080").map(|a| a.to_string()), Ok("0.0.0.0:8080".to_owned()));
        assert_eq!(listen_address("[::1]:1").map(|a| a.to_string()), Ok("[::1]:1".to_owned()));
        assert!(listen_address("8080").is_err());
    }
}
