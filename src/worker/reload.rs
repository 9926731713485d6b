//! Reads the config file at start and again when asked to, keeps the running one when the new one is bad.

mod applied;
mod templates;
mod watch_file;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use alerting::config::{self, Config, ConfigError, ConfigHash, MOUNTED_NAME, content_hash, mounted_digest};
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
    /// What was tried last, good or bad: a file event without a change is no reason to try again.
    tried: Tried,
}

/// A config that was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Tried {
    /// Of the config file and its template files; none: they could not be read.
    hash: Option<ConfigHash>,
    /// Patterns of its template files.
    templates: Vec<String>,
    /// See [`Config::mounted`].
    mounted: Vec<String>,
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
    attempt(path, reading).await.0
}

/// The same, and what it looked at.
async fn attempt(path: &Path, reading: Reading) -> (Result<Arc<Config>, LoadError>, Tried) {
    let file = path.display().to_string();
    info!(component = "configuration", file, "Loading configuration file");
    let of = path.to_owned();
    let read = move || {
        let mut tried = Tried::default();
        (parse(of, reading, &mut tried).map(Arc::new), tried)
    };
    let (loaded, tried) = match tokio::task::spawn_blocking(read).await {
        Ok(loaded) => loaded,
        Err(panicked) => {
            let source = io::Error::other(panicked);
            (Err(LoadError::Read { path: path.to_owned(), source }), Tried::default())
        }
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
    (loaded, tried)
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
        let tried =
            Tried { hash: Some(running.hash), templates: running.templates.clone(), mounted: running.mounted.clone() };
        (Self { path, reading, handle, status, recorder, tracing, tried }, seen)
    }

    /// Reloads whenever somebody asks, SIGHUP comes or the content of the config file or of a template file changes;
    /// ends with the engine.
    pub(crate) async fn run(mut self, mut requests: mpsc::Receiver<Request>, mut hangup: Signal, mut file: FileWatch) {
        loop {
            // what changed before it was watched is found by looking
            let looked_away = file.follow(&self.tried.templates);
            let wanted = tokio::select! {
                biased;
                () = std::future::ready(()), if looked_away => {
                    if !self.differs().await {
                        continue;
                    }
                    None
                }
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

    /// Whether the files hold anything that wasn't tried yet. One that can't be read right now is being replaced.
    async fn differs(&self) -> bool {
        let (path, tried) = (self.path.clone(), self.tried.clone());
        let reading = move || {
            let content = read(&path)?;
            Ok::<_, LoadError>(hash(&path, &content, &templates::read(&tried.templates)?, &tried.mounted))
        };
        match tokio::task::spawn_blocking(reading).await {
            Ok(Ok(now)) => self.tried.hash != Some(now),
            _ => false,
        }
    }

    async fn reload(&mut self) -> Result<(), String> {
        let (loaded, tried) = attempt(&self.path, self.reading).await;
        self.tried = tried;
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

fn read(path: &Path) -> Result<Vec<u8>, LoadError> {
    std::fs::read(path).map_err(|source| LoadError::Read { path: path.to_owned(), source })
}

fn parse(path: PathBuf, reading: Reading, tried: &mut Tried) -> Result<Config, LoadError> {
    let content = read(&path)?;
    tried.hash = Some(hash(&path, &content, &[], &[]));
    let Ok(text) = String::from_utf8(content) else { return Err(LoadError::NotText { path }) };
    let directory = path.parent().map(|parent| parent.to_string_lossy().into_owned()).unwrap_or_default();
    let bad = |source| LoadError::Parse { path: path.clone(), source };
    let mut config = config::parse_in(&text, reading.mode, &directory).map_err(bad)?;
    if !reading.record_events {
        config.event_recorder = None;
    }
    tried.templates.clone_from(&config.templates);
    tried.mounted.clone_from(&config.mounted);
    let files = templates::read(&config.templates).inspect_err(|_| tried.hash = None)?;
    config.hash = hash(&path, text.as_bytes(), &files, &config.mounted);
    tried.hash = Some(config.hash);
    templates::put(&mut config, &files)?;
    config.read_applied(applied::read).map_err(LoadError::Applied)?;
    config.unsupported().map_or(Ok(config), |error| Err(bad(error)))
}

/// Of the config file `path` with this content and its template files: the config's own hash when there are none. The
/// template files go by their paths relative to it, so that members with the same files have the same hash. Mounted files
/// count as they are now; one that can't be read is for whoever sends with it to tell of.
fn hash(path: &Path, content: &[u8], templates: &[templates::File], mounted: &[String]) -> ConfigHash {
    let directory = path.parent().unwrap_or(Path::new(""));
    let named: Vec<_> = templates
        .iter()
        .map(|(file, text)| (file.strip_prefix(directory).unwrap_or(file).to_string_lossy(), text.as_bytes()))
        .collect();
    let mut files: Vec<(&str, &[u8])> = named.iter().map(|(name, text)| (&**name, *text)).collect();
    files.push(("alertmanager.yml", content));
    let read = mounted.iter().filter_map(|path| Some((path.as_str(), std::fs::read(path).ok()?)));
    let read: Vec<_> = read.collect();
    let digest = mounted_digest(&read.iter().map(|(path, content)| (*path, content.as_slice())).collect::<Vec<_>>());
    files.extend(digest.iter().map(|digest| (MOUNTED_NAME, digest.as_bytes())));
    content_hash(&files)
}

#[cfg(test)]
mod tests;
