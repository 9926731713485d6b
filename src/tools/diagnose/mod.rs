//! `diagnose`: looks at all members of a cluster at once, and says what is wrong, the worst first, with what to do.
//!
//! `collect` asks, `judge` decides from what was answered and nothing else, `report` writes it down. Works with the Go
//! Alertmanager, too; what only a worker of this program can say is left out there.

mod collect;
mod judge;
mod member;
mod report;

use std::net::ToSocketAddrs;

use crate::Finished;

pub use collect::CollectError;

/// `alertmanager-operator diagnose`.
#[derive(Clone, Debug, clap::Args)]
pub struct Flags {
    /// The members: URLs, or `host:port` of what speaks HTTP
    #[arg(value_name = "URL", required_unless_present = "dns")]
    members: Vec<String>,

    /// A name all of whose addresses are members, as `host:port`: the headless Service of a cluster
    #[arg(long, value_name = "HOST:PORT")]
    dns: Option<String>,

    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    output: Output,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    /// For people.
    Text,
    /// For programs: members and findings.
    Json,
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
    /// A member can't even be asked.
    #[error(transparent)]
    Collect(#[from] CollectError),
}

/// Asks all members, and judges. Fails (exit code 1) if anything is found that needs doing.
///
/// # Errors
/// When what is given names no members. A member that doesn't answer is a finding.
pub async fn run(flags: Flags) -> Result<Finished, DiagnoseError> {
    let mut urls = flags.members.clone();
    if let Some(name) = flags.dns {
        let addresses = name.to_socket_addrs().map_err(|source| DiagnoseError::Dns { name: name.clone(), source })?;
        urls.extend(addresses.map(|address| format!("http://{address}")));
    }
    let members = collect::all(&urls).await?;
    let findings = judge::findings(&members);
    let success = findings.iter().all(|finding| finding.harm == judge::Harm::Note);
    let text = match flags.output {
        Output::Text => report::text(&members, &findings),
        Output::Json => report::json(&members, &findings),
    };
    Ok(Finished { text, warning: None, success })
}
