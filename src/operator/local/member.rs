//! One member as a process: its directory, its arguments, and what it says of itself.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::process::{Ended, Process, Program};
use super::screen::Screen;
use crate::plan::rollout::{MemberReport, MemberState};
use crate::plan::{File, MemberPlan};

/// How long a member may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// A member that has been started.
pub(super) struct Member {
    /// What it is to be.
    pub plan: MemberPlan,
    /// Where its API is, without a slash at the end.
    pub url: String,
    /// The hash that it was told to load in this life.
    pub told: Option<String>,
    /// What it said of itself when last asked; `None` when it did not answer.
    pub report: Option<MemberReport>,
    /// Supervises it.
    pub process: Process,
}

/// Where things are that all members share.
#[derive(Clone)]
pub(super) struct Ground {
    /// The directory with one directory for each member.
    pub dir: PathBuf,
    /// The executable of the worker.
    pub program: PathBuf,
    /// Where messages go.
    pub screen: Arc<Screen>,
    /// Who is told that a process has ended.
    pub ended: mpsc::UnboundedSender<Ended>,
}

/// Asks members.
#[derive(Clone)]
pub(super) struct Api(reqwest::Client);

impl Member {
    /// Makes the directories, writes the files and starts the process.
    ///
    /// # Errors
    /// When a file or directory cannot be written.
    pub(super) fn start(plan: MemberPlan, url: String, ground: &Ground) -> io::Result<Self> {
        std::fs::create_dir_all(&plan.storage_dir)?;
        std::fs::create_dir_all(&plan.config_dir)?;
        write(&plan.config_dir, &plan.files)?;
        let program = Program {
            name: plan.name.clone(),
            path: ground.program.clone(),
            args: plan.args.clone(),
            log: ground.dir.join(&plan.name).join("worker.log"),
        };
        let process = Process::start(program, Arc::clone(&ground.screen), ground.ended.clone());
        Ok(Self { plan, url, told: None, report: None, process })
    }

    /// Puts other files in the place of those that it has.
    ///
    /// # Errors
    /// When one cannot be written; those before it are in place then.
    pub(super) fn rewrite(&mut self, files: &[File]) -> io::Result<()> {
        if self.plan.files != files {
            write(&self.plan.config_dir, files)?;
            let gone = self.plan.files.iter().filter(|old| files.iter().all(|new| new.name != old.name));
            for old in gone {
                std::fs::remove_file(Path::new(&self.plan.config_dir).join(&old.name))?;
            }
            self.plan.files = files.to_vec();
        }
        Ok(())
    }

    /// Whether it answers and is ready.
    pub(super) fn is_ready(&self) -> bool {
        self.report.as_ref().is_some_and(|report| report.ready)
    }

    /// What the decisions about a rollout need to know.
    pub(super) fn state(&self) -> MemberState {
        MemberState {
            name: self.plan.name.clone(),
            in_service: self.is_ready(),
            told: self.told.clone(),
            report: self.report.clone(),
            trouble: None,
        }
    }
}

/// Each file appears whole or not at all.
fn write(dir: &str, files: &[File]) -> io::Result<()> {
    let dir = Path::new(dir);
    for file in files {
        // Beside the directory, which the worker may watch. Readable by the owner only: there may be passwords in it.
        let mut aside = tempfile::NamedTempFile::new_in(dir.parent().unwrap_or(dir))?;
        aside.write_all(file.content.as_bytes())?;
        aside.persist(dir.join(&file.name)).map_err(|error| error.error)?;
    }
    Ok(())
}

impl Api {
    /// A client that speaks to members directly, whatever proxies the environment names.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub(super) fn new() -> Result<Self, reqwest::Error> {
        // Whoever came first in this process has decided already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(Self(reqwest::Client::builder().no_proxy().timeout(ANSWER_LIMIT).build()?))
    }

    /// What the member at `url` says of itself; `None` when it does not answer.
    pub(super) async fn report(&self, url: &str) -> Option<MemberReport> {
        let answer = self.0.get(format!("{url}/-/config")).send().await.ok()?.error_for_status().ok()?;
        serde_json::from_str(&answer.text().await.ok()?).ok()
    }

    /// Makes the member at `url` load its files.
    ///
    /// # Errors
    /// With its words when it refuses them, with ours when it does not answer.
    pub(super) async fn reload(&self, url: &str) -> Result<(), String> {
        let answer = self.0.post(format!("{url}/-/reload")).send().await;
        let answer = answer.map_err(|_| "it does not answer".to_owned())?;
        if answer.status().is_success() {
            return Ok(());
        }
        let status = answer.status();
        let text = answer.text().await.unwrap_or_default();
        Err(if text.trim().is_empty() { status.to_string() } else { text.trim().to_owned() })
    }
}
