//! `local`: an AlertmanagerCluster on a laptop, the same plan carried out as supervised processes on loopback.
//!
//! Top to bottom: `manifest` (files to a plan), `addresses` (who listens where), `dns` (names), `sinks` (Services that
//! the webhook sink stands for), `cluster` (members, edits), `rollout` (their order), `member` and `process` (one of
//! them), `prometheus` (servers beside them), `screen` (output).

mod addresses;
mod cluster;
mod dns;
mod document;
mod manifest;
mod member;
mod process;
mod prometheus;
mod report;
mod rollout;
mod running;
mod schema;
mod screen;
mod signal;
mod sink;
mod sinks;
mod watch;

pub use addresses::AddressError;
pub use dns::DnsError;
pub use document::{Fault, Place};
pub use manifest::{ClusterConfig, ManifestError, Outline, cluster_configs, outline};
pub use running::{KillError, RunningMember, processes};
pub use sink::{SinkError, SinkFlags, run as run_sink};

use std::convert::Infallible;
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::mpsc;

use addresses::Addresses;
use cluster::{Cluster, Surroundings};
use manifest::{Manifest, Sources};
use member::{Api, Ground};
use screen::Screen;
use sink::Sink;
use sinks::Sinks;

/// What is run when no path is given and it exists.
const DEFAULT_PATH: &str = "config/samples";

/// `alertmanager-operator local`.
#[derive(Debug, Clone, clap::Args)]
pub struct Flags {
    /// Manifests with one AlertmanagerCluster and what it refers to: files, or directories of them
    /// [default: config/samples]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// Loopback address of the first member and of the webhook sink; the other members take those that follow
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    pub address: Ipv4Addr,

    /// Port of each member's web interface and API
    #[arg(long, value_name = "PORT", default_value_t = crate::plan::WEB_PORT)]
    pub web_port: u16,

    /// Port of each member's gossip, TCP and UDP
    #[arg(long, value_name = "PORT", default_value_t = crate::plan::GOSSIP_PORT)]
    pub cluster_port: u16,

    /// So many members, whatever the manifest says
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=9))]
    pub members: Option<u32>,

    /// Directory of the members' data, which is kept; without it, a temporary one, which is removed
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,

    /// Run two Prometheus servers beside it, with the rules of config/monitoring; a program in PATH unless it's named
    #[arg(long, value_name = "PROGRAM", num_args = 0..=1, require_equals = true, default_missing_value = "prometheus")]
    pub prometheus: Option<PathBuf>,

    /// Port of each Prometheus: the first at the address of the first member, the second at that of the next
    #[arg(long, value_name = "PORT", default_value_t = 9090)]
    pub prometheus_port: u16,

    /// Don't run anything: kill the member of this name of the cluster that runs, as a crash would; it's started again
    #[arg(long, value_name = "NAME", conflicts_with_all = ["paths", "members", "data_dir"])]
    pub kill: Option<String>,
}

/// Why nothing runs.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// The manifest cannot be run.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// An address is taken.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// Names cannot be served.
    #[error(transparent)]
    Dns(#[from] DnsError),
    /// The directory for data cannot be made.
    #[error("making the directory {} (--data-dir)", path.display())]
    Directory {
        /// Which.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The files of a member cannot be written.
    #[error("writing the files of {member}")]
    Files {
        /// Which.
        member: String,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The worker is this program, and it does not know where it is.
    #[error("finding the program's own file")]
    Program(#[source] io::Error),
    /// No member was killed.
    #[error(transparent)]
    Kill(#[from] KillError),
    /// Signals cannot be received.
    #[error("waiting for signals")]
    Signals(#[source] io::Error),
    /// Members cannot be asked.
    #[error("setting up the HTTP client")]
    Client(#[source] reqwest::Error),
    /// A member ended before the cluster was up.
    #[error("starting {member}: {reason}")]
    Start {
        /// Which.
        member: String,
        /// What it said last.
        reason: String,
    },
}

/// Runs the cluster of a manifest until SIGINT or SIGTERM; leaves nothing running.
///
/// # Errors
/// When it cannot be started.
pub async fn run(flags: Flags) -> Result<(), LocalError> {
    if let Some(name) = &flags.kill {
        let killed = running::kill(name)?;
        Screen::stdout().event(&format!("killed {name} (process {})", killed.pid));
        return Ok(());
    }
    // Before anything is started, so that no signal finds us half way.
    let mut stop = signal::Stop::new().map_err(LocalError::Signals)?;
    let paths = manifests(&flags.paths);
    let sources = match paths {
        [] => Sources::sample(),
        paths => Sources::read(paths)?,
    };
    let manifest = Manifest::new(&sources)?.with_members(flags.members);
    let addresses = Addresses { first: flags.address, web_port: flags.web_port, gossip_port: flags.cluster_port };
    for (ordinal, name) in (0u32..).zip(manifest.plan.member_names()) {
        addresses.check(ordinal, &name)?;
    }
    let screen = Arc::new(Screen::stdout());
    let shown = Arc::clone(&screen);
    let mut sinks = Sinks::new(flags.address, Sink::new(move |line| shown.event(line)));
    sinks.follow(&manifest.sinks).await?;
    let names = dns::Names::new(&manifest.plan.namespace);
    let dns = dns::serve(flags.address, names.clone()).await?;
    let dir = Directory::new(flags.data_dir)?;
    let (sender, ended) = mpsc::unbounded_channel();
    let program = std::env::current_exe().map_err(LocalError::Program)?;
    let ground = Ground { dir: dir.path()?, program, screen: Arc::clone(&screen), ended: sender };
    let prometheus = flags.prometheus.map(|program| (program, flags.prometheus_port));
    let around = Surroundings { addresses, dns_server: dns.address, names, prometheus };
    let api = Api::new().map_err(LocalError::Client)?;

    screen.event(&format!("starting {} with {} members", manifest.plan.names.base(), manifest.plan.replicas));
    let edits = watch::edits(paths.to_vec(), sources, flags.members);
    let mut cluster = Cluster::new(manifest, around, ground, ended, sinks, api);
    let result: Result<Infallible, LocalError> = tokio::select! {
        failed = cluster.run(edits) => failed,
        () = stop.wait() => {
            screen.status(Vec::new());
            screen.event("stopping");
            tokio::select! {
                () = cluster.stop() => screen.event("stopped"),
                // Who asks again does not want to wait: members die with us.
                () = stop.wait() => screen.event("stopped at once"),
            }
            return Ok(());
        }
    };
    screen.status(Vec::new());
    cluster.stop().await;
    result.map(|never| match never {})
}

/// The paths to read; none means the sample that is built in.
fn manifests(given: &[PathBuf]) -> &[PathBuf] {
    static DEFAULT: std::sync::LazyLock<[PathBuf; 1]> = std::sync::LazyLock::new(|| [PathBuf::from(DEFAULT_PATH)]);
    if given.is_empty() && Path::new(DEFAULT_PATH).exists() { &*DEFAULT } else { given }
}

/// Where members keep their data.
enum Directory {
    Kept(PathBuf),
    /// Removed when dropped.
    Temporary(tempfile::TempDir),
}

impl Directory {
    fn new(kept: Option<PathBuf>) -> Result<Self, LocalError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| LocalError::Directory { path, source }
        };
        match kept {
            Some(path) => {
                std::fs::create_dir_all(&path).map_err(failed(&path))?;
                Ok(Self::Kept(path))
            }
            None => {
                let made = tempfile::Builder::new().prefix("alertmanager-local-").tempdir();
                made.map(Self::Temporary).map_err(failed(&std::env::temp_dir()))
            }
        }
    }

    fn path(&self) -> Result<PathBuf, LocalError> {
        let path = match self {
            Self::Kept(path) => path.as_path(),
            Self::Temporary(dir) => dir.path(),
        };
        std::path::absolute(path).map_err(|source| LocalError::Directory { path: path.to_owned(), source })
    }
}
