//! The state files: written aside, synced, renamed, so that a crash leaves the old file or the new one.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use alerting::effects::{Restored, StateFile};
use alerting::time::Timestamp;
use bytes::Bytes;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::error;

use crate::observed::Observed;

/// Both files, in the order of start.
const FILES: [StateFile; 2] = [StateFile::NotificationLog, StateFile::Silences];

/// What goes wrong with state files.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The directory can't be made.
    #[error("creating storage directory `{path}`")]
    Directory {
        /// Its path.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file exists but can't be read.
    #[error("reading state file `{path}`")]
    Read {
        /// Its path.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file can't be written; the one before stays.
    #[error("writing state file `{path}`")]
    Write {
        /// Its path.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// The storage directory.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    directory: PathBuf,
}

/// Takes contents and writes them one after the other, off the caller's task; of several for one file the last counts.
#[derive(Debug)]
pub(crate) struct Writer {
    files: Vec<(StateFile, watch::Sender<Option<Bytes>>, JoinHandle<()>)>,
}

impl Store {
    /// Makes the directory if it's missing and removes what an earlier crash left half-written.
    ///
    /// # Errors
    /// When it can't be made.
    pub(crate) fn open(directory: &Path) -> Result<Self, StoreError> {
        let fail = |source| StoreError::Directory { path: directory.to_owned(), source };
        fs::create_dir_all(directory).map_err(fail)?;
        let store = Self { directory: directory.to_owned() };
        for entry in fs::read_dir(directory).map_err(fail)?.flatten() {
            if entry.file_name().to_str().is_some_and(is_leftover) {
                // it's only untidy when it stays
                let _ = fs::remove_file(entry.path());
            }
        }
        Ok(store)
    }

    /// Where a file is.
    pub(crate) fn path(&self, file: StateFile) -> PathBuf {
        self.directory.join(file.name())
    }

    /// What is on disk; a missing file is an empty start.
    ///
    /// # Errors
    /// When a file is there but can't be read.
    pub(crate) fn restore(&self, started_at: Timestamp) -> Result<Restored, StoreError> {
        Ok(Restored {
            silences: self.read(StateFile::Silences)?,
            notification_log: self.read(StateFile::NotificationLog)?,
            started_at,
        })
    }

    /// Puts `data` in the place of a file, durably.
    ///
    /// # Errors
    /// When that fails; then the old content is still there.
    pub(crate) fn write(&self, file: StateFile, data: &[u8]) -> Result<(), StoreError> {
        let path = self.path(file);
        let aside = self.directory.join(format!("{}.{:016x}", file.name(), rand::random::<u64>()));
        let written = write_synced(&aside, data)
            .and_then(|()| fs::rename(&aside, &path))
            // the rename itself must survive a power cut
            .and_then(|()| File::open(&self.directory)?.sync_all());
        written.map_err(|source| {
            // best effort: the cause is what counts
            let _ = fs::remove_file(&aside);
            StoreError::Write { path, source }
        })
    }

    /// Starts the tasks that write; needs a tokio runtime.
    pub(crate) fn writer(&self, observed: Arc<Observed>) -> Writer {
        let files = FILES.map(|file| {
            let (slot, contents) = watch::channel(None);
            (file, slot, tokio::spawn(write_all(self.clone(), file, contents, Arc::clone(&observed))))
        });
        Writer { files: files.into() }
    }

    fn read(&self, file: StateFile) -> Result<Option<Bytes>, StoreError> {
        let path = self.path(file);
        match fs::read(&path) {
            Ok(content) => Ok(Some(content.into())),
            Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(StoreError::Read { path, source }),
        }
    }
}

impl Writer {
    /// Takes a content to write; returns at once.
    pub(crate) fn put(&self, file: StateFile, data: Bytes) {
        if let Some((_, slot, _)) = self.files.iter().find(|(name, ..)| *name == file) {
            slot.send_replace(Some(data));
        }
    }

    /// Waits until everything taken is on disk (or failed, which the log says).
    pub(crate) async fn finish(self) {
        for (_, slot, task) in self.files {
            drop(slot);
            // a task that panicked has nothing more to write
            let _ = task.await;
        }
    }
}

async fn write_all(
    store: Store,
    file: StateFile,
    mut contents: watch::Receiver<Option<Bytes>>,
    observed: Arc<Observed>,
) {
    let store = Arc::new(store);
    loop {
        // fails when the sender is gone, but not before the last content was seen
        let open = contents.changed().await.is_ok();
        let Some(data) = contents.borrow_and_update().clone().filter(|_| open) else {
            return;
        };
        let writing = Arc::clone(&store);
        let start = Instant::now();
        let written = tokio::task::spawn_blocking(move || writing.write(file, &data)).await;
        observed.snapshot(file, start.elapsed(), matches!(written, Ok(Ok(()))));
        match written {
            Ok(Ok(())) => tracing::debug!(file = file.name(), "Maintenance done"),
            Ok(Err(failed)) => error!(err = crate::log::chain(&failed), "Running maintenance failed"),
            Err(failed) => error!(err = %failed, "Running maintenance failed"),
        }
    }
}

fn write_synced(path: &Path, data: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(data)?;
    file.sync_all()
}

fn is_leftover(name: &str) -> bool {
    FILES.iter().any(|file| {
        let random = name.strip_prefix(file.name()).and_then(|rest| rest.strip_prefix('.'));
        random.is_some_and(|random| !random.is_empty() && random.bytes().all(|b| b.is_ascii_hexdigit()))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_was_written_is_restored_and_nothing_else_is_left() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deep/data");
        let store = Store::open(&path).unwrap();
        let empty = store.restore(Timestamp::EPOCH).unwrap();
        assert!(empty.silences.is_none() && empty.notification_log.is_none());

        store.write(StateFile::Silences, b"one").unwrap();
        store.write(StateFile::Silences, b"two").unwrap();
        assert_eq!(store.restore(Timestamp::EPOCH).unwrap().silences.unwrap(), "two");
        assert_eq!(names(&path), ["silences"]);
    }

    #[test]
    fn a_failed_write_keeps_the_old_content() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        // a directory of the file's name: the rename onto it fails
        fs::create_dir(store.path(StateFile::NotificationLog)).unwrap();
        fs::write(store.path(StateFile::NotificationLog).join("x"), "").unwrap();
        let failed = store.write(StateFile::NotificationLog, b"new").unwrap_err();
        assert!(crate::log::chain(&failed).contains("nflog`: "), "{failed}");
        assert_eq!(names(directory.path()), ["nflog"]);
        assert!(matches!(store.restore(Timestamp::EPOCH), Err(StoreError::Read { .. })));
    }

    #[test]
    fn a_crashed_writers_leftovers_are_swept_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["silences", "silences.00af", "nflog.1b2c3d", "silences.bak", "nflog.", "other.00af"] {
            fs::write(directory.path().join(name), name).unwrap();
        }
        Store::open(directory.path()).unwrap();
        assert_eq!(names(directory.path()), ["nflog.", "other.00af", "silences", "silences.bak"]);
    }

    #[tokio::test]
    async fn the_last_content_wins_and_is_on_disk_at_the_end() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        let writer = store.writer(Arc::default());
        for n in 0..100 {
            writer.put(StateFile::Silences, Bytes::from(n.to_string()));
        }
        writer.put(StateFile::NotificationLog, Bytes::from_static(b"log"));
        writer.finish().await;
        let restored = store.restore(Timestamp::EPOCH).unwrap();
        assert_eq!(restored.silences.unwrap(), "99");
        assert_eq!(restored.notification_log.unwrap(), "log");
    }
}
