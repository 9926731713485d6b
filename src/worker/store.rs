//! The storage directory: state files written aside, synced, renamed, and a journal of what came after them.
//!
//! `nflog` and `silences` are the reference's; `alerts`, `ledger` and `journal.NNNNNNNN` are ours, and the reference leaves them
//! alone. A crash at any moment leaves of each state file the old or the new one, and the journal from the old one on.

mod journal;
mod writer;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use alerting::effects::{Restored, StateFile};
use alerting::engine::AlertsPicture;
use alerting::journal::{JournalError, MAGIC, put_frame, read};
use alerting::ledger::Saved;
use alerting::time::Timestamp;
use bytes::Bytes;
use tracing::warn;

use crate::observed::Observed;

pub(crate) use writer::StorageStats;
pub(crate) use writer::Writer;

/// All files, in the order of start.
const FILES: [StateFile; 4] = [StateFile::NotificationLog, StateFile::Silences, StateFile::Alerts, StateFile::Ledger];

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
    /// A file of our own is damaged.
    #[error("reading state file `{path}`: {damage}; put it back from a backup, or move it away to start without it")]
    Damaged {
        /// Its path.
        path: PathBuf,
        /// What is wrong with it.
        damage: JournalError,
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

    /// The directory.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// What is on disk; a missing file is an empty start. What a crash has torn off the journal's
    /// end is left out. Alerts are not looked at unless `persist_alerts`.
    ///
    /// # Errors
    /// When a file is there but can't be read, or is damaged.
    pub(crate) fn restore(&self, started_at: Timestamp, persist_alerts: bool) -> Result<Restored, StoreError> {
        Ok(Restored {
            silences: self.read(StateFile::Silences)?,
            notification_log: self.read(StateFile::NotificationLog)?,
            alerts: if persist_alerts { self.alerts()? } else { None },
            journal: self.journal()?,
            ledger: self.ledger()?,
            started_at,
        })
    }

    fn ledger(&self) -> Result<Saved, StoreError> {
        let Some(file) = self.read(StateFile::Ledger)? else { return Ok(Saved::default()) };
        // only people look at it: it's no reason not to start
        Ok(Saved::read(&file).unwrap_or_else(|error| {
            let path = self.path(StateFile::Ledger);
            warn!(path = %path.display(), err = %error, "Leaving out what became of earlier notifications, which can't be read");
            Saved::default()
        }))
    }

    fn alerts(&self) -> Result<Option<Vec<Bytes>>, StoreError> {
        let Some(file) = self.read(StateFile::Alerts)? else { return Ok(None) };
        let damaged = |damage| StoreError::Damaged { path: self.path(StateFile::Alerts), damage };
        let content = read(&file).map_err(damaged)?;
        match content.torn {
            0 => Ok(Some(content.payloads)),
            // it was put in place when it was whole
            _ => Err(damaged(JournalError::Damaged { offset: content.good })),
        }
    }

    fn journal(&self) -> Result<Vec<Bytes>, StoreError> {
        let mut payloads = Vec::new();
        let listed = journal::segments(&self.directory);
        let segments = listed.map_err(|source| StoreError::Read { path: self.directory.clone(), source })?;
        for (_, path) in segments {
            let file = fs::read(&path).map_err(|source| StoreError::Read { path: path.clone(), source })?;
            let content = read(&file.into()).map_err(|damage| StoreError::Damaged { path: path.clone(), damage })?;
            payloads.extend(content.payloads);
            if content.torn > 0 {
                let (path, bytes) = (path.display(), content.torn);
                warn!(%path, at = content.good, bytes, "Leaving out the end of the journal, which a crash cut off");
            }
        }
        Ok(payloads)
    }

    /// Puts `data` in the place of a file, durably.
    ///
    /// # Errors
    /// When that fails; then the old content is still there.
    pub(crate) fn write(&self, file: StateFile, data: &[u8]) -> Result<(), StoreError> {
        self.replace(file, |aside| aside.write_all(data))
    }

    /// Writes the file `alerts`, piece by piece.
    ///
    /// # Errors
    /// When that fails; then the old content is still there.
    pub(crate) fn write_alerts(&self, picture: AlertsPicture) -> Result<(), StoreError> {
        self.replace(StateFile::Alerts, |aside| {
            aside.write_all(&MAGIC)?;
            let mut frame = Vec::new();
            for payload in picture.payloads() {
                frame.clear();
                put_frame(&[payload], 0, &mut frame);
                aside.write_all(&frame)?;
            }
            Ok(())
        })
    }

    /// Removes a file if it is there.
    ///
    /// # Errors
    /// When it stays.
    pub(crate) fn remove(&self, file: StateFile) -> Result<(), StoreError> {
        let path = self.path(file);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(StoreError::Write { path, source }),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn replace(&self, file: StateFile, fill: impl FnOnce(&mut File) -> io::Result<()>) -> Result<(), StoreError> {
        let path = self.path(file);
        let aside = self.directory.join(format!("{}.{:016x}", file.name(), rand::random::<u64>()));
        let filled = File::create_new(&aside).and_then(|mut aside| {
            fill(&mut aside)?;
            aside.sync_all()
        });
        let written = filled
            .and_then(|()| fs::rename(&aside, &path))
            // the rename itself must survive a power cut
            .and_then(|()| File::open(&self.directory)?.sync_all());
        written.map_err(|source| {
            // best effort: the cause is what counts
            let _ = fs::remove_file(&aside);
            StoreError::Write { path, source }
        })
    }

    /// Starts the threads that write.
    ///
    /// # Errors
    /// When they can't start.
    pub(crate) fn writer(&self, observed: Arc<Observed>) -> Result<Writer, StoreError> {
        Writer::start(self, observed).map_err(|source| StoreError::Directory { path: self.directory.clone(), source })
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

fn is_leftover(name: &str) -> bool {
    FILES.iter().any(|file| {
        let random = name.strip_prefix(file.name()).and_then(|rest| rest.strip_prefix('.'));
        random.is_some_and(|random| random.len() >= 8 && random.bytes().all(|b| b.is_ascii_hexdigit()))
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
        let empty = store.restore(Timestamp::EPOCH, true).unwrap();
        assert!(empty.silences.is_none() && empty.notification_log.is_none());

        store.write(StateFile::Silences, b"one").unwrap();
        store.write(StateFile::Silences, b"two").unwrap();
        assert_eq!(store.restore(Timestamp::EPOCH, true).unwrap().silences.unwrap(), "two");
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
        assert!(matches!(store.restore(Timestamp::EPOCH, true), Err(StoreError::Read { .. })));
    }

    #[test]
    fn a_crashed_writers_leftovers_are_swept_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["silences", "silences.00af4711", "nflog.1b2c3d4e5f", "silences.bad", "nflog.", "other.00af4711"] {
            fs::write(directory.path().join(name), name).unwrap();
        }
        Store::open(directory.path()).unwrap();
        assert_eq!(names(directory.path()), ["nflog.", "other.00af4711", "silences", "silences.bad"]);
    }
}
