//! Reads the config file at start and again when asked to, keeps the running one when the new one is bad.

mod applied;
mod templates;
mod watch_file;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use alerting::config::{self, Config, ConfigError, ConfigHash, content_hash};
use alerting::effects::Input;
use alerting::matcher::Mode;
use alerting::time::Timestamp;
use tokio::signal::unix::Signal;
use tokio::sync::{mpsc, oneshot, watch};
use tracing::{error, info, warn};

use crate::clock;
use crate::handle::Handle;
use crate::recorder::Recorder;
use crate::trace::Tracing;
pub(crate) use watch_file::FileWatch;

/// What came of the last reload, and what runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReloadStatus {
    /// Hash of the running config.
    pub hash: ConfigHash,
    /// Of the running config: value of `alertmanager_config_hash`.
    pub md5_hash: u64,
    /// Whether the last attempt succeeded.
    pub last_success: bool,
    /// When a config was last taken into use.
    pub last_success_time: Timestamp,
    /// Why the last attempt failed, in one line.
    pub error: Option<String>,
}

/// Why a config can't be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file can't be read.
    #[error("reading config file `{path}`")]
    Read {
        /// Its path.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file isn't text.
    #[error("reading config file `{path}`: not UTF-8")]
    NotText {
        /// Its path.
        path: PathBuf,
    },
    /// The text isn't a config.
    #[error("parsing config file `{path}`")]
    Parse {
        /// Its path.
        path: PathBuf,
        /// What is wrong, and where.
        #[source]
        source: ConfigError,
    },
    /// Files with secrets that are read once can't be read.
    #[error("{}", .0.join("\n"))]
    Applied(
        /// Which, where, and why.
        Vec<String>,
    ),
    /// A pattern of `templates` is none.
    #[error("finding the template files `{pattern}`")]
    TemplatePattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        #[source]
        source: glob::PatternError,
    },
    /// A template file can't be read.
    #[error("reading template file `{path}`")]
    TemplateRead {
        /// Its path.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A template file doesn't parse.
    #[error("parsing template file `{}`: line {}, column {}: {}: `{}`", .error.file, .error.line, .error.column, .error.message, .error.source_line.trim())]
    Template {
        /// What is wrong, and where.
        error: alerting::template::ParseError,
    },
}

/// What the flags say of how configs are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    /// The matcher syntax.
    pub(crate) mode: Mode,
    /// Whether events are recorded; if not, the `event_recorder` section has no effect.
    pub(crate) record_events: bool,
}

/// Who asks for a reload, and is told how it went.
type Request = oneshot::Sender<Result<(), String>>;

/// The task that takes new configs into use, one at a time.
#[derive(Debug)]
pub(crate) struct Reloader {
    path: PathBuf,
    reading: Reading,
    handle: Handle,
    status: watch::Sender<ReloadStatus>,
    recorder: Recorder,
    tracing: Tracing,
    /// Of the content that was tried last, good or bad: a file event without a change is no reason to try again.
    tried: Option<ConfigHash>,
}

impl ReloadStatus {
    /// Of a config that was just taken into use.
    pub(crate) fn of(config: &Config) -> Self {
        Self {
            hash: config.hash,
            md5_hash: config.md5_hash,
            last_success: true,
            last_success_time: clock::now(),
            error: None,
        }
    }
}

/// Reads and validates the config file, on a thread for such work, and logs it as the reference does.
///
/// # Errors
/// When it can't be used.
pub(crate) async fn load(path: &Path, reading: Reading) -> Result<Arc<Config>, LoadError> {
    let file = path.display().to_string();
    info!(component = "configuration", file, "Loading configuration file");
    let content = read(path.to_owned()).await;
    let loaded = match content {
        Ok(content) => parse(path.to_owned(), content, reading).await,
        Err(error) => Err(error),
    };
    match &loaded {
        Ok(config) => {
            for warning in &config.warnings {
                warn!(component = "configuration", file, "{warning}");
            }
            info!(component = "configuration", file, "Completed loading of configuration file");
        }
        Err(failed) => {
            let err = crate::log::chain(failed);
            error!(component = "configuration", file, err, "Loading configuration file failed");
        }
    }
    loaded
}

impl Reloader {
    /// `running` is in use already.
    pub(crate) fn new(
        path: PathBuf,
        reading: Reading,
        running: &Config,
        handle: Handle,
        recorder: Recorder,
        tracing: Tracing,
    ) -> (Self, watch::Receiver<ReloadStatus>) {
        let (status, seen) = watch::channel(ReloadStatus::of(running));
        (Self { path, reading, handle, status, recorder, tracing, tried: Some(running.hash) }, seen)
    }

    /// Reloads whenever somebody asks, SIGHUP comes or the file's content changes; ends with the engine.
    pub(crate) async fn run(mut self, mut requests: mpsc::Receiver<Request>, mut hangup: Signal, mut file: FileWatch) {
        loop {
            let wanted = tokio::select! {
                request = requests.recv() => match request {
                    Some(request) => Some(request),
                    None => return,
                },
                _ = hangup.recv() => None,
                () = file.changed() => {
                    if !self.differs().await {
                        continue;
                    }
                    None
                }
            };
            let outcome = self.reload().await;
            if let Some(request) = wanted {
                // who asked may have hung up
                let _ = request.send(outcome);
            }
        }
    }

    /// Whether the file holds anything that wasn't tried yet. One that can't be read right now is being replaced.
    async fn differs(&self) -> bool {
        match read(self.path.clone()).await {
            Ok(content) => self.tried != Some(hash(&content)),
            Err(_) => false,
        }
    }

    async fn reload(&mut self) -> Result<(), String> {
        let loaded = load(&self.path, self.reading).await;
        self.tried = match &loaded {
            Ok(config) => Some(config.hash),
            // by its content, to try again when that changes
            Err(_) => read(self.path.clone()).await.ok().map(|content| hash(&content)),
        };
        let config = match loaded {
            Ok(config) => config,
            Err(error) => return Err(self.failed(crate::log::chain(&error))),
        };
        let status = ReloadStatus::of(&config);
        if let Err(error) = self.tracing.apply(config.tracing.as_ref()).await {
            let err = crate::log::chain(&error);
            error!(component = "configuration", err, "Loading configuration file failed");
            return Err(self.failed(err));
        }
        self.recorder.apply(config.event_recorder.clone().unwrap_or_default()).await;
        let fed = self.handle.feed(Input::Config(config)).await;
        // the queue is in order: once this is answered, the new config is in force
        if fed.is_err() || self.handle.view(|_| ()).await.is_err() {
            return Err(self.failed("the process is stopping".to_owned()));
        }
        self.status.send_replace(status);
        Ok(())
    }

    fn failed(&self, error: String) -> String {
        self.status.send_modify(|status| {
            status.last_success = false;
            status.error = Some(error.clone());
        });
        error
    }
}

async fn read(path: PathBuf) -> Result<Vec<u8>, LoadError> {
    tokio::fs::read(&path).await.map_err(|source| LoadError::Read { path, source })
}

async fn parse(path: PathBuf, content: Vec<u8>, reading: Reading) -> Result<Arc<Config>, LoadError> {
    let Ok(text) = String::from_utf8(content) else { return Err(LoadError::NotText { path }) };
    let directory = path.parent().map(|parent| parent.to_string_lossy().into_owned()).unwrap_or_default();
    let of = path.clone();
    let read = move || {
        let bad = |source| LoadError::Parse { path: of.clone(), source };
        let mut config = config::parse_in(&text, reading.mode, &directory).map_err(bad)?;
        if !reading.record_events {
            config.event_recorder = None;
        }
        templates::read(&mut config)?;
        config.read_applied(applied::read).map_err(LoadError::Applied)?;
        config.unsupported().map_or(Ok(config), |error| Err(bad(error)))
    };
    let parsed = tokio::task::spawn_blocking(read).await;
    match parsed {
        Ok(Ok(config)) => Ok(Arc::new(config)),
        Ok(Err(error)) => Err(error),
        Err(panicked) => Err(LoadError::Read { path, source: io::Error::other(panicked) }),
    }
}

/// As the config's own hash is made.
fn hash(content: &[u8]) -> ConfigHash {
    content_hash(&[("alertmanager.yml", content)])
}

#[cfg(test)]
mod tests;
