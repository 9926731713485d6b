//! Tells when the config file or a template file may have changed, also when Kubernetes swaps the symlinks beside it.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use glob::{MatchOptions, Pattern};
use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tracing::warn;

use super::templates;

/// Watches the directory of the config file and those of template files.
#[derive(Debug)]
pub(crate) struct FileWatch {
    /// Ends with the value; `None`: this system can't watch.
    watcher: Option<RecommendedWatcher>,
    /// The config file's.
    directory: PathBuf,
    /// Those of template files that are watched now.
    others: BTreeSet<PathBuf>,
    /// Of template files.
    patterns: Arc<RwLock<Vec<Pattern>>>,
    /// At most one: several changes are as good as one.
    changes: mpsc::Receiver<()>,
}

/// A file is seldom written with one call.
const DEBOUNCE: Duration = Duration::from_millis(100);

/// As Go's `filepath.Match`.
const AS_GO: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };

impl FileWatch {
    /// Starts to watch the config file `path`; where that's impossible, it says so in the log and never reports a
    /// change.
    pub(crate) fn new(path: &Path) -> Self {
        let (tx, changes) = mpsc::channel(1);
        let name = path.file_name().map(OsStr::to_owned);
        let directory = watchable(path.parent().unwrap_or(Path::new("")));
        let patterns = Arc::<RwLock<Vec<Pattern>>>::default();
        let (of, templates) = (directory.clone(), Arc::clone(&patterns));
        let seen = move |event: notify::Result<Event>| {
            let relevant = event.map_or(true, |event| {
                let concerned = |path: &PathBuf| {
                    is_swap(path) || (path.parent() == Some(&of) && path.file_name() == name.as_deref()) || {
                        let path = path.strip_prefix(".").unwrap_or(path);
                        let templates = templates.read().unwrap_or_else(PoisonError::into_inner);
                        templates.iter().any(|pattern| pattern.matches_path_with(path, AS_GO))
                    }
                };
                writes(event.kind) && event.paths.iter().any(concerned)
            });
            if relevant {
                // full: a change is waiting to be seen anyway
                let _ = tx.try_send(());
            }
        };
        let watcher = notify::recommended_watcher(seen).and_then(|mut watcher| {
            watcher.watch(&directory, RecursiveMode::NonRecursive)?;
            Ok(watcher)
        });
        if let Err(error) = &watcher {
            let file = path.display().to_string();
            warn!(file, err = %error, "changes of the configuration file won't be noticed, reload by SIGHUP or /-/reload");
        }
        Self { watcher: watcher.ok(), directory, others: BTreeSet::new(), patterns, changes }
    }

    /// Watches template files too: those that `patterns` match. Returns whether more is watched than before.
    pub(super) fn follow(&mut self, patterns: &[String]) -> bool {
        let Some(watcher) = &mut self.watcher else { return false };
        let parsed: Vec<_> =
            patterns.iter().filter_map(|pattern| Pattern::new(&alerting::config::glob_pattern(pattern)).ok()).collect();
        let mut more = false;
        {
            let mut current = self.patterns.write().unwrap_or_else(PoisonError::into_inner);
            more |= parsed.iter().any(|pattern| !current.contains(pattern));
            *current = parsed;
        }
        let mut wanted: BTreeSet<PathBuf> =
            templates::directories(patterns).iter().map(|directory| watchable(directory)).collect();
        wanted.remove(&self.directory);
        for gone in self.others.difference(&wanted) {
            // it may be gone from the disk, and its watch with it
            let _ = watcher.unwatch(gone);
        }
        // one that isn't there has no files; once it is, a reload by hand finds them
        wanted.retain(|directory| {
            let new = !self.others.contains(directory);
            let watched = !new || watcher.watch(directory, RecursiveMode::NonRecursive).is_ok();
            more |= new && watched;
            watched
        });
        self.others = wanted;
        more
    }

    /// Never reports a change: who changes the file asks for the reload too.
    pub(crate) fn off() -> Self {
        let (_, changes) = mpsc::channel(1);
        Self { watcher: None, directory: PathBuf::new(), others: BTreeSet::new(), patterns: Arc::default(), changes }
    }

    /// Waits until the file may have changed and nothing has happened for a moment.
    pub(crate) async fn changed(&mut self) {
        if self.changes.recv().await.is_none() {
            // can't watch
            std::future::pending::<()>().await;
        }
        while let Ok(Some(())) = tokio::time::timeout(DEBOUNCE, self.changes.recv()).await {}
    }
}

/// Our own reading makes events too.
fn writes(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(kind) => kind == AccessKind::Close(AccessMode::Write),
        EventKind::Any | EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_) | EventKind::Other => true,
    }
}

/// Kubernetes changes `..data` and nothing of the file's name.
fn is_swap(path: &Path) -> bool {
    path.file_name().and_then(OsStr::to_str).is_some_and(|changed| changed.starts_with("..data"))
}

fn watchable(directory: &Path) -> PathBuf {
    if directory == Path::new("") { PathBuf::from(".") } else { directory.to_owned() }
}
