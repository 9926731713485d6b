//! `drill`: a rehearsal. A cluster is broken on purpose, in the ways that clusters break, under a load of alerts; what was
//! noticed, how fast, and what was lost is the report.
//!
//! `acts` (how it's broken), `load` (alerts, and what became of them), `stage` (the cluster, as one may ask it), `report`.
//! Where it runs is a `place`: a `laptop`, in a world of its own (`inside`: no network but loopback), or a `namespace` of
//! Kubernetes, where an `errand` is what this program does in a member's pod. `links` and `filler` are how both cut links
//! and fill disks. Only what is marked for it is touched.

mod acts;
mod errand;
mod filler;
mod inside;
mod laptop;
mod links;
mod load;
mod namespace;
mod place;
mod report;
mod stage;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use operator::local::{self, ManifestError};

use crate::Finished;
use crate::diagnose::CollectError;
use crate::kubernetes::{Cluster, KubernetesError};
use crate::output::Output;
use crate::progress::Progress;
use crate::stopped::Stop;
use acts::Act;
use errand::Errand;
use laptop::Laptop;
pub use links::LinkError;
use namespace::Namespace;
use place::Place;
use stage::Stage;

/// The annotation that allows it, with the value `allowed`.
const MARK: &str = "alertmanager.dev/drill";
/// Until all members are ready and see each other, before anything is broken.
const START_LIMIT: Duration = Duration::from_secs(120);

/// `alertmanager-operator drill`.
#[derive(Clone, Debug, clap::Args)]
pub struct Flags {
    /// Manifests as `local` takes them; their AlertmanagerCluster has the annotation `alertmanager.dev/drill: allowed`
    #[arg(value_name = "PATH", required_unless_present_any = ["cluster", "errand"])]
    paths: Vec<PathBuf>,

    /// No manifest, but an AlertmanagerCluster in Kubernetes with that annotation, where and as it is
    #[arg(long, value_name = "NAMESPACE/NAME", conflicts_with = "paths")]
    cluster: Option<String>,

    /// How to get to its API server, if not as kubectl does
    #[arg(long, value_name = "FILE", requires = "cluster")]
    kubeconfig: Option<PathBuf>,

    /// Only these acts
    #[arg(long, value_name = "ACT", value_delimiter = ',')]
    only: Vec<Act>,

    /// So many members, whatever the manifest says
    #[arg(long, value_name = "N", default_value = "3", value_parser = clap::value_parser!(u32).range(3..=9), conflicts_with = "cluster")]
    members: u32,

    /// How to print the report
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    output: Output,

    /// It runs in a world of its own already
    #[arg(long, hide = true)]
    inside: bool,

    /// It was sent into a member's pod
    #[arg(long, hide = true)]
    errand: Option<Errand>,
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
    #[error("there is no Service with the annotation `alertmanager.dev/local: sink`: nobody could say what was told")]
    NoSink,
    /// It couldn't be said where to ask.
    #[error("Service {0} has no port that its pod has")]
    NoPort(String),
    /// Each of them would know a part.
    #[error("Service {service} has {pods} pods: it must be one that counts")]
    Sinks {
        /// The Service.
        service: String,
        /// How many it has.
        pods: usize,
    },
    /// There is no way to the cluster.
    #[error(transparent)]
    Kubernetes(#[from] KubernetesError),
    /// There is no client.
    #[error(transparent)]
    Collect(#[from] CollectError),
    /// Links can't be cut or mended.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// A disk is not one that may be filled.
    #[error("{}{}", Self::TOO_LARGE, .0)]
    TooLarge(String),
    /// An errand went wrong.
    #[error("{0}")]
    Errand(String),
    /// The receiver doesn't hear of what is posted.
    #[error("nothing that is posted comes to the receiver: does the configuration send to it? ({0})")]
    Untold(String),
    /// Something that it needs can't be done.
    #[error("{doing}")]
    Io {
        /// What.
        doing: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The cluster isn't as it should be before anything is done to it.
    #[error("waiting until the cluster is well: {0}")]
    Start(String),
    /// Nobody can be asked.
    #[error("preparing to ask members")]
    Client(#[source] reqwest::Error),
}

impl DrillError {
    /// How the refusal to fill a disk begins.
    const TOO_LARGE: &'static str = "not filled: ";

    fn io(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }
}

/// Rehearses, one act after the other. Fails (exit code 1) if a page was lost, or something wasn't noticed or didn't get
/// well again. A signal ends it in order: what is broken is mended first.
///
/// # Errors
/// When the cluster isn't marked, can't be started, or can't be asked.
pub async fn run(flags: Flags) -> Result<Finished, DrillError> {
    if let Some(errand) = flags.errand {
        return errand.run(flags.paths.first()).await;
    }
    let stop = Stop::listen();
    if let Some(name) = &flags.cluster {
        let cluster = Cluster::new(name, flags.kubeconfig.as_deref()).await?;
        let (place, stage) = Namespace::find(cluster, stop).await?;
        return rehearse(&flags, name, Box::new(place), stage).await;
    }
    let outline = local::outline(&flags.paths)?;
    if !is_marked(&outline.annotations) {
        return Err(DrillError::NotAllowed(outline.cluster));
    }
    let Some((_, sink)) = outline.sinks.first() else { return Err(DrillError::NoSink) };
    if !flags.inside && inside::is_possible() {
        return inside::again(&stop).await;
    }
    let (place, stage) = Laptop::set(&outline, flags.members, *sink, flags.inside, stop).await?;
    rehearse(&flags, &outline.cluster, Box::new(place), stage).await
}

fn is_marked(annotations: &BTreeMap<String, String>) -> bool {
    annotations.get(MARK).is_some_and(|value| value == "allowed")
}

async fn rehearse(
    flags: &Flags,
    cluster: &str,
    mut place: Box<dyn Place>,
    mut stage: Stage,
) -> Result<Finished, DrillError> {
    let wanted: Vec<Act> =
        Act::ALL.into_iter().filter(|act| flags.only.is_empty() || flags.only.contains(act)).collect();
    let progress = Progress::new(wanted.len() as u64);
    progress.at(0, "waiting until all is well");
    let mut outcomes = Vec::new();
    let ready = begin(&mut *place, &mut stage).await;
    if ready.is_ok() {
        for (done, act) in (0..).zip(wanted) {
            if stage.stop.came() {
                break;
            }
            progress.tell(done, act.title());
            outcomes.push(acts::perform(act, &mut *place, &mut stage).await);
        }
    }
    progress.at(outcomes.len() as u64, "tidying up");
    let struck = stage.strike(&mut *place).await;
    drop(progress);
    ready?;
    let text = match flags.output {
        Output::Text => report::text(cluster, &outcomes),
        Output::Json => report::json(cluster, &outcomes),
    };
    let warning = match struck {
        Err(why) => Some(format!("the rehearsal left something: {why}")),
        Ok(()) => stage.stop.came().then(|| "interrupted: what is not in the report was not rehearsed".to_owned()),
    };
    let success = outcomes.iter().all(acts::Outcome::is_good) && warning.is_none();
    Ok(Finished { text, warning, success })
}

/// Waits until all is as it should be, and the receiver hears of what is posted.
async fn begin(place: &mut dyn Place, stage: &mut Stage) -> Result<(), DrillError> {
    if stage.until(START_LIMIT, async |stage| stage.well().await).await.is_none() && !stage.stop.came() {
        let lack = stage.well().await.err().unwrap_or_default();
        let said = place.last_words().map(|words| format!("; its last line: {words}"));
        return Err(DrillError::Start(format!("{lack}{}", said.unwrap_or_default())));
    }
    acts::probe(stage).await.map_err(DrillError::Untold)
}
