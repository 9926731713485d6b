//! `drill`: a rehearsal. A cluster of `local` is broken on purpose, in the ways that clusters break, under a load of alerts;
//! what was noticed, how fast, and what was lost is the report.
//!
//! `inside` (a world of its own: no network but loopback), `stage` (the cluster), `load` (alerts, and what became of them),
//! `acts` (how it's broken), `report`. Only what is marked for it is touched.

mod acts;
mod inside;
mod load;
mod report;
mod stage;

use std::io::Write as _;
use std::path::PathBuf;

use operator::local::{self, ManifestError};

use crate::Finished;
use crate::output::Output;
use acts::Act;
use stage::Stage;

/// The annotation that allows it, with the value `allowed`.
const MARK: &str = "alertmanager.dev/drill";

/// `alertmanager-operator drill`.
#[derive(Clone, Debug, clap::Args)]
pub struct Flags {
    /// Manifests as `local` takes them; their AlertmanagerCluster has the annotation `alertmanager.dev/drill: allowed`
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,

    /// Only these acts
    #[arg(long, value_name = "ACT", value_delimiter = ',')]
    only: Vec<Act>,

    /// So many members, whatever the manifest says
    #[arg(long, value_name = "N", default_value = "3", value_parser = clap::value_parser!(u32).range(3..=9))]
    members: u32,

    /// How to print the report
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    output: Output,

    /// It runs in a world of its own already
    #[arg(long, hide = true)]
    inside: bool,
}

/// Why there is no rehearsal, or not all of it.
#[derive(Debug, thiserror::Error)]
pub enum DrillError {
    /// The manifest can't be read.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// Nobody allowed it.
    #[error("{0} is not marked for drills: its annotation `{MARK}` must be `allowed`")]
    NotAllowed(String),
    /// It couldn't be said what was lost.
    #[error(
        "the manifest has no Service with the annotation `alertmanager.dev/local: sink`: nobody could say what was told"
    )]
    NoSink,
    /// Something that it needs can't be done.
    #[error("{doing}")]
    Io {
        /// What.
        doing: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The cluster doesn't come up.
    #[error("starting the cluster: {0}")]
    Start(String),
    /// Nobody can be asked.
    #[error("preparing to ask members")]
    Client(#[source] reqwest::Error),
}

impl DrillError {
    fn io(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }
}

/// Rehearses, one act after the other. Fails (exit code 1) if a page was lost, or something wasn't noticed or didn't get
/// well again.
///
/// # Errors
/// When the cluster isn't marked, or can't be started.
pub async fn run(flags: Flags) -> Result<Finished, DrillError> {
    let outline = local::outline(&flags.paths)?;
    if outline.annotations.get(MARK).is_none_or(|value| value != "allowed") {
        return Err(DrillError::NotAllowed(outline.cluster));
    }
    let Some((_, sink)) = outline.sinks.first() else { return Err(DrillError::NoSink) };
    if !flags.inside && inside::is_possible() {
        return inside::again();
    }
    let mut stage = Stage::set(&outline, flags.members, *sink, flags.inside).await?;
    let wanted = |act: &Act| flags.only.is_empty() || flags.only.contains(act);
    let mut outcomes = Vec::new();
    for act in Act::ALL.into_iter().filter(wanted) {
        // the report is for standard output; who looks on wants to see that it goes on
        let _ = writeln!(std::io::stderr(), "{}", act.title());
        outcomes.push(acts::perform(act, &mut stage).await);
    }
    stage.strike().await;
    let text = match flags.output {
        Output::Text => report::text(&outline.cluster, &outcomes),
        Output::Json => report::json(&outline.cluster, &outcomes),
    };
    let success = outcomes.iter().all(acts::Outcome::is_good);
    Ok(Finished { text, warning: None, success })
}
