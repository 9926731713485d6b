//! What this program does inside of a member's pod, as an ephemeral container: cut its links, or fill its disk. What it did
//! is undone by a second errand, or by the first itself when nobody sends that.

use std::path::PathBuf;
use std::time::Duration;

use operator::plan::GOSSIP_PORT;

use super::links::Links;
use super::{DrillError, filler};
use crate::Finished;

/// What says in the log that it's done.
pub(super) const DONE: &str = "done";
/// So long it lasts if nobody ends it.
const LASTS: Duration = Duration::from_secs(300);

/// One way to break a member from inside of its pod, or to mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Errand {
    /// Nobody gets through to a gossip port from here, nor to ours.
    Cut,
    /// And now again.
    Heal,
    /// The disk of the directory is full.
    Fill,
    /// And now it isn't.
    Free,
}

impl Errand {
    /// Its command line.
    pub(super) fn args(self, directory: &str) -> Vec<String> {
        let name = match self {
            Self::Cut => "cut",
            Self::Heal => "heal",
            Self::Fill => "fill",
            Self::Free => "free",
        };
        vec!["drill".to_owned(), format!("--errand={name}"), directory.to_owned()]
    }

    /// Whether it stays until it's undone.
    pub(super) const fn lasts(self) -> bool {
        matches!(self, Self::Cut | Self::Fill)
    }

    /// Does it.
    pub(super) async fn run(self, directory: Option<&PathBuf>) -> Result<Finished, DrillError> {
        let directory = directory.map_or_else(|| PathBuf::from("."), Clone::clone);
        let failed = DrillError::Errand;
        match self {
            Self::Cut => {
                let links = Links::open()?;
                links.settle().await?;
                links.cut(None, GOSSIP_PORT).await?;
                done().await;
                // it's mended by now, unless whoever should have done so is gone
                let _ = links.heal(None, GOSSIP_PORT).await;
            }
            Self::Heal => Links::open()?.heal(None, GOSSIP_PORT).await?,
            Self::Fill => {
                if let Some(why) = filler::too_large(&directory).map_err(failed)? {
                    return Err(DrillError::TooLarge(why));
                }
                filler::fill(&directory).map_err(failed)?;
                done().await;
                let _ = filler::free(&directory);
            }
            Self::Free => filler::free(&directory).map_err(failed)?,
        }
        Ok(Finished::good(String::new()))
    }
}

/// Says so, and waits until it has lasted long enough.
async fn done() {
    use std::io::Write as _;
    // who reads it is the rehearsal; without one it's over soon enough
    let _ = writeln!(std::io::stdout(), "{DONE}");
    crate::stopped::Stop::listen().sleep(LASTS).await;
}
