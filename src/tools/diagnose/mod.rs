//! `diagnose`: looks at all members of a cluster at once, and says what is wrong, the worst first, with what to do.
//!
//! `collect` asks, `figures` and `judge` say how it does and what is wrong from what was answered and nothing else, `report`
//! writes it down. Works with the Go
//! Alertmanager, too; what only a worker of this program can say is left out there.

mod bundle;
mod collect;
mod figures;
mod judge;
mod kubernetes;
mod member;
mod report;

use std::collections::BTreeSet;
use std::net::ToSocketAddrs;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::OnceCell;

use crate::Finished;
use crate::kubernetes::{Cluster, KubernetesError};
use crate::output::Output;

pub use bundle::BundleError;
pub use collect::CollectError;
pub(crate) use collect::{client, client_of_cluster};
pub(crate) use judge::{Finding, Harm};
#[cfg(test)]
pub(crate) use member::Said;
pub(crate) use member::{Member, Metrics};

/// Who is asked.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Members {
    /// The members: URLs, or `host:port` of what speaks HTTP
    #[arg(value_name = "URL", required_unless_present_any = ["dns", "local", "cluster"])]
    members: Vec<String>,

    /// A name all of whose addresses are members, as `host:port`: the headless Service of a cluster
    #[arg(long, value_name = "HOST:PORT")]
    dns: Option<String>,

    /// The members of the cluster that `local` runs on this machine; with a name if there are several
    #[arg(long, value_name = "NAME", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    local: Option<String>,

    /// The pods of an AlertmanagerCluster, asked through the Kubernetes API server
    #[arg(long, value_name = "NAMESPACE/NAME", conflicts_with_all = ["members", "dns", "local", "ca_file", "token_file"])]
    cluster: Option<String>,

    /// How to get to that API server, if not as kubectl does
    #[arg(long, value_name = "FILE", requires = "cluster")]
    kubeconfig: Option<PathBuf>,

    /// Certificates of an authority that members' certificates are from, besides those of the system (PEM)
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,

    /// A token for members whose API has passwords, at their management port (`--web.management-token-file`)
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,

    /// The way to that cluster, once it's found.
    #[arg(skip)]
    way: Arc<OnceCell<Cluster>>,
}

impl Members {
    /// Those at these URLs, and at all addresses of a name.
    pub(crate) fn new(
        members: Vec<String>,
        dns: Option<String>,
        ca_file: Option<PathBuf>,
        token_file: Option<PathBuf>,
    ) -> Self {
        Self { members, dns, ca_file, token_file, local: None, cluster: None, kubeconfig: None, way: Arc::default() }
    }

    async fn in_kubernetes(&self) -> Result<Option<&Cluster>, KubernetesError> {
        let Some(name) = &self.cluster else { return Ok(None) };
        self.way.get_or_try_init(|| Cluster::new(name, self.kubeconfig.as_deref())).await.map(Some)
    }

    /// Who asks them.
    pub(crate) async fn client(&self) -> Result<reqwest::Client, DiagnoseError> {
        let made = match self.in_kubernetes().await? {
            Some(cluster) => client_of_cluster(cluster.token().await?.as_deref()),
            None => client(self.ca_file.as_deref(), self.token_file.as_deref()),
        };
        Ok(made?)
    }
}

/// `alertmanager-operator diagnose`.
#[derive(Clone, Debug, clap::Args)]
pub struct Flags {
    #[command(flatten)]
    members: Members,

    /// Write all that was asked, without secrets, into this file (.tar.gz), for who is to help
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,

    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    output: Output,
}

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
pub enum DiagnoseError {
    /// It has no addresses.
    #[error("looking up `{name}`")]
    Dns {
        /// The name.
        name: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The bundle can't be written.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// Processes can't be listed.
    #[error("listing the processes of this machine (in /proc)")]
    Local(#[source] std::io::Error),
    /// `local` runs none, or none of that name.
    #[error("`local` runs no such cluster on this machine")]
    NoLocal,
    /// It runs several.
    #[error("`local` runs several clusters on this machine, {0}: name one with --local=NAME")]
    SeveralLocal(String),
    /// There is no way to a cluster in Kubernetes.
    #[error(transparent)]
    Kubernetes(#[from] KubernetesError),
    /// A member can't even be asked.
    #[error(transparent)]
    Collect(#[from] CollectError),
}

/// Asks all members, and judges. Fails (exit code 1) if anything is found that needs doing.
///
/// # Errors
/// When what is given names no members. A member that doesn't answer is a finding.
pub async fn run(flags: Flags) -> Result<Finished, DiagnoseError> {
    let (members, mut findings) = look(&flags.members).await?;
    if let Some(cluster) = flags.members.in_kubernetes().await? {
        findings.extend(kubernetes::findings(cluster).await?);
        findings.sort_by_key(|finding| finding.harm);
    }
    let success = findings.iter().all(|finding| finding.harm == Harm::Note);
    if let Some(path) = &flags.bundle {
        let client = flags.members.client().await?;
        bundle::write(path, &client, &members, &findings).await?;
    }
    let text = match flags.output {
        Output::Text => report::text(&members, &findings),
        Output::Json => report::json(&members, &findings),
    };
    Ok(Finished { text, warning: None, success })
}

/// Asks all members once; what is wrong, the worst first.
pub(crate) async fn look(of: &Members) -> Result<(Vec<Member>, Vec<Finding>), DiagnoseError> {
    let members = collect::all(&of.client().await?, &urls(of).await?).await?;
    let findings = judge::findings(&members);
    Ok((members, findings))
}

/// Where they are now.
pub(crate) async fn urls(of: &Members) -> Result<Vec<String>, DiagnoseError> {
    let mut urls = of.members.clone();
    if let Some(name) = of.dns.clone() {
        let failed = |source| DiagnoseError::Dns { name: name.clone(), source };
        let looked = name.clone();
        let addresses = tokio::task::spawn_blocking(move || looked.to_socket_addrs()).await;
        let addresses = addresses.map_err(std::io::Error::other).and_then(|found| found).map_err(failed)?;
        urls.extend(addresses.map(|address| format!("http://{address}")));
    }
    if let Some(wanted) = &of.local {
        let mut running = operator::local::processes().map_err(DiagnoseError::Local)?;
        running.retain(|member| wanted.is_empty() || member.cluster() == wanted);
        running.sort_by(|a, b| a.name.cmp(&b.name));
        let clusters: BTreeSet<&str> = running.iter().map(|member| member.cluster()).collect();
        match clusters.len() {
            0 => return Err(DiagnoseError::NoLocal),
            1 => urls.extend(running.iter().map(|member| format!("http://{}", member.web))),
            _ => return Err(DiagnoseError::SeveralLocal(Vec::from_iter(clusters).join(", "))),
        }
    }
    if let Some(cluster) = of.in_kubernetes().await? {
        urls.extend(cluster.urls().await?.into_iter().map(|(_, url)| url));
    }
    Ok(urls)
}
