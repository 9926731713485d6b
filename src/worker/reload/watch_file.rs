//! Tells when the config file may have changed, also when Kubernetes swaps the symlinks beside it.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tracing::warn;

/// Watches the directory of a file.
#[derive(Debug)]
pub(crate) struct FileWatch {
    /// Ends with the value; `None`: this system can't watch.
    _watcher: Option<RecommendedWatcher>,
    /// At most one: several changes are as good as one.
    changes: mpsc::Receiver<()>,
}

/// A file is seldom written with one call.
const DEBOUNCE: Duration = Duration::from_millis(100);

impl FileWatch {
    /// Starts to watch; where that's impossible, it says so in the log and never reports a change.
    pub(crate) fn new(path: &Path) -> Self {
        let (tx, changes) = mpsc::channel(1);
        let name = path.file_name().map(OsStr::to_owned);
        let parent = match path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let seen = move |event: notify::Result<Event>| {
            let relevant = event.map_or(true, |event| {
                writes(event.kind) && event.paths.iter().any(|path| concerns(path, name.as_deref()))
            });
            if relevant {
                // full: a change is waiting to be seen anyway
                let _ = tx.try_send(());
            }
        };
        let watcher = notify::recommended_watcher(seen).and_then(|mut watcher| {
            watcher.watch(parent, RecursiveMode::NonRecursive)?;
            Ok(watcher)
        });
        if let Err(error) = &watcher {
            let file = path.display().to_string();
            warn!(file, err = %error, "changes of the configuration file won't be noticed, reload by SIGHUP or /-/reload");
        }
        Self { _watcher: watcher.ok(), changes }
    }

    /// Never reports a change: who changes the file asks for the reload too.
    pub(crate) fn off() -> Self {
        let (_, changes) = mpsc::channel(1);
        Self { _watcher: None, changes }
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
fn concerns(path: &Path, name: Option<&OsStr>) -> bool {
    let changed = path.file_name();
    changed == name || changed.and_then(OsStr::to_str).is_some_and(|changed| changed.starts_with("..data"))
}
