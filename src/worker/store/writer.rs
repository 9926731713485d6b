//! Two threads that write: one appends to the journal and answers who waits for it, the other writes snapshots.
//!
//! Whatever waits is appended at once and synced once (group commit). A snapshot begins a new segment of the journal;
//! when all of its files are in place, the older segments go. A crash between any two of these steps leaves a snapshot,
//! old or new, and every segment after it, perhaps some before it too, which changes nothing when they are replayed.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use alerting::effects::{Answer, Snapshots, StateFile};
use bytes::Bytes;
use tokio::sync::oneshot;
use tracing::{debug, error, info, warn};

use super::journal::{Journal, segments};
use super::{Store, StoreError};
use crate::observed::Observed;

/// Bytes in one frame, about.
const BATCH_MAX: usize = 4 << 20;

/// Bytes that may wait for the disk before alerts are left to the next snapshot.
const PENDING_MAX: u64 = 64 << 20;

/// Bytes of the journal at which a snapshot is wanted.
const JOURNAL_MAX: u64 = 256 << 20;

/// What nobody waits for is durable after this.
const SYNC_AFTER: Duration = Duration::from_secs(1);

/// Between two attempts to bring to disk what could not be written.
const RETRY_AFTER: Duration = Duration::from_secs(60);

/// Who waits for an append, and what to answer when it's durable.
pub(crate) type Waiting = (oneshot::Sender<Answer>, Answer);

/// Takes what is to be written; returns at once.
#[derive(Debug)]
pub(crate) struct Writer {
    commands: Sender<Command>,
    shared: Arc<Shared>,
    threads: Vec<thread::JoinHandle<()>>,
}

/// What the metrics show of the storage.
#[derive(Debug, Default)]
pub struct StorageStats {
    /// Bytes of the journal on disk.
    pub journal_bytes: AtomicU64,
    /// Times that something could not be appended.
    pub journal_failures: AtomicU64,
    /// Where all of it is.
    pub directory: PathBuf,
}

impl StorageStats {
    /// Bytes of the file system, and those that are left for us; `None` where it doesn't say.
    pub(crate) fn space(&self) -> Option<(u64, u64)> {
        let told = rustix::fs::statvfs(&self.directory).ok()?;
        Some((told.f_blocks.saturating_mul(told.f_frsize), told.f_bavail.saturating_mul(told.f_frsize)))
    }
}

#[derive(Debug, Default)]
struct Shared {
    stats: Arc<StorageStats>,
    /// Bytes taken and not yet appended.
    pending: AtomicU64,
    /// The engine should make a snapshot.
    wanted: AtomicBool,
    /// So many failures are made good by a snapshot that is on disk.
    repaired: AtomicU64,
}

impl Shared {
    /// Whether something was left out of the journal that no snapshot on disk has.
    fn incomplete(&self) -> bool {
        self.stats.journal_failures.load(Relaxed) > self.repaired.load(Relaxed)
    }
}

enum Command {
    Append { records: Bytes, sync: bool, waiting: Vec<Waiting> },
    Snapshot(Snapshots),
}

struct Job {
    snapshots: Snapshots,
    /// Segments up to this one aren't needed once the snapshots are on disk.
    obsolete: u64,
    /// Failures before the snapshots were made.
    failures: u64,
}

impl Writer {
    /// Starts the threads.
    ///
    /// # Errors
    /// When the directory can't be read, or there can't be more threads.
    pub(super) fn start(store: &Store, observed: Arc<Observed>) -> io::Result<Self> {
        let stats = StorageStats { directory: store.directory().to_owned(), ..StorageStats::default() };
        let shared = Arc::new(Shared { stats: Arc::new(stats), ..Shared::default() });
        shared.stats.journal_bytes.store(size_of_segments(store)?, Relaxed);
        let journal = Journal::after_last(store.directory())?;
        let (commands, taken) = mpsc::channel();
        let (jobs, jobs_taken) = mpsc::channel();
        let appender = Appender { journal, jobs, shared: Arc::clone(&shared), asked: None, failing: false };
        let appending = thread::Builder::new().name("journal".into()).spawn(move || appender.run(&taken))?;
        let (store, of_snapshots) = (store.clone(), Arc::clone(&shared));
        let writing = thread::Builder::new()
            .name("snapshot".into())
            .spawn(move || write_all(&store, &jobs_taken, &of_snapshots, &observed))?;
        Ok(Self { commands, shared, threads: vec![appending, writing] })
    }

    /// Takes records for the journal, and those who wait until they are durable.
    pub(crate) fn append(&self, records: Bytes, sync: bool, waiting: Vec<Waiting>) {
        let size = records.len() as u64;
        if !sync && waiting.is_empty() && self.shared.pending.load(Relaxed) > PENDING_MAX {
            // the disk is too slow for them; the next snapshot has them
            self.shared.stats.journal_failures.fetch_add(1, Relaxed);
            return;
        }
        self.shared.pending.fetch_add(size, Relaxed);
        // fails when the thread has ended, and then those who wait are told that this process has stopped
        let _ = self.commands.send(Command::Append { records, sync, waiting });
    }

    /// Takes the state files.
    pub(crate) fn put(&self, snapshots: Snapshots) {
        // as above
        let _ = self.commands.send(Command::Snapshot(snapshots));
    }

    /// Whether the engine should make a snapshot; once per wish.
    pub(crate) fn wants_snapshot(&self) -> bool {
        self.shared.wanted.load(Relaxed) && self.shared.wanted.swap(false, Relaxed)
    }

    /// For the metrics.
    pub(crate) fn stats(&self) -> Arc<StorageStats> {
        Arc::clone(&self.shared.stats)
    }

    /// Waits until everything taken is on disk (or failed, which the log says).
    pub(crate) async fn finish(self) {
        let Self { commands, threads, .. } = self;
        drop(commands);
        let joined = tokio::task::spawn_blocking(|| threads.into_iter().for_each(|thread| drop(thread.join())));
        // a thread that panicked has nothing more to write
        let _ = joined.await;
    }
}

/// The thread that appends.
struct Appender {
    journal: Journal,
    jobs: Sender<Job>,
    shared: Arc<Shared>,
    /// When a snapshot was wanted, or made, last.
    asked: Option<Instant>,
    failing: bool,
}

#[derive(Default)]
struct Batch {
    records: Vec<Bytes>,
    bytes: usize,
    sync: bool,
    waiting: Vec<Waiting>,
}

impl Appender {
    fn run(mut self, commands: &Receiver<Command>) {
        let mut unsynced: Option<Instant> = None;
        loop {
            let first = match unsynced.is_some() || self.shared.incomplete() {
                true => match commands.recv_timeout(SYNC_AFTER) {
                    Ok(command) => Some(command),
                    Err(RecvTimeoutError::Timeout) => None,
                    Err(RecvTimeoutError::Disconnected) => break,
                },
                false => match commands.recv() {
                    Ok(command) => Some(command),
                    Err(_) => break,
                },
            };
            let (mut batch, mut snapshots, mut next) = (Batch::default(), None, first);
            while let Some(command) = next {
                match command {
                    Command::Append { records, sync, waiting } => batch.add(records, sync, waiting),
                    Command::Snapshot(taken) => {
                        snapshots = Some(taken);
                        break;
                    }
                }
                next = if batch.bytes < BATCH_MAX { commands.try_recv().ok() } else { None };
            }
            self.shared.pending.fetch_sub(batch.bytes as u64, Relaxed);
            batch.sync |= unsynced.is_some_and(|since| since.elapsed() >= SYNC_AFTER);
            let synced = batch.sync || !batch.waiting.is_empty();
            if !batch.records.is_empty() || synced {
                self.commit(batch);
                unsynced = if synced { None } else { unsynced.or_else(|| Some(Instant::now())) };
            }
            if let Some(snapshots) = snapshots {
                self.rotate(snapshots);
            }
            self.ask_for_snapshot();
        }
        if let Err(failed) = self.journal.sync() {
            error!(err = %failed, "Writing the journal failed");
        }
    }

    fn commit(&mut self, batch: Batch) {
        let sync = batch.sync || !batch.waiting.is_empty();
        let done = match batch.records.is_empty() {
            true => self.journal.sync().map(|()| 0),
            false => self.journal.append(&batch.records, sync),
        };
        match done {
            Ok(grown) => {
                self.shared.stats.journal_bytes.fetch_add(grown, Relaxed);
                if std::mem::take(&mut self.failing) {
                    info!("Writing the journal works again");
                }
                // what it depends on may have failed before
                let whole = !batch.records.is_empty() || !self.shared.incomplete();
                for (reply, answer) in batch.waiting {
                    let cause = "an earlier change has not reached the disk yet".to_owned();
                    // who asked may have hung up
                    let _ = reply.send(if whole { answer } else { Answer::NotDurable { cause } });
                }
            }
            Err(failed) => {
                self.shared.stats.journal_failures.fetch_add(1, Relaxed);
                let cause = format!("writing the journal: {failed}");
                if !std::mem::replace(&mut self.failing, true) {
                    error!(err = %failed, "Writing the journal failed; changes of silences are answered with 500 until it works again");
                }
                for (reply, _) in batch.waiting {
                    // as above
                    let _ = reply.send(Answer::NotDurable { cause: cause.clone() });
                }
            }
        }
    }

    fn rotate(&mut self, snapshots: Snapshots) {
        let failures = self.shared.stats.journal_failures.load(Relaxed);
        if let Err(failed) = self.journal.sync() {
            // the snapshot has it all
            debug!(err = %failed, "Syncing the journal failed");
        }
        let obsolete = self.journal.rotate();
        // fails when the thread has ended: then nothing more is promised
        let _ = self.jobs.send(Job { snapshots, obsolete, failures });
        self.asked = Some(Instant::now());
    }

    fn ask_for_snapshot(&mut self) {
        let long = self.shared.stats.journal_bytes.load(Relaxed) > JOURNAL_MAX;
        if !long && !self.shared.incomplete() {
            return;
        }
        if self.asked.is_none_or(|asked| asked.elapsed() >= RETRY_AFTER) {
            self.shared.wanted.store(true, Relaxed);
            self.asked = Some(Instant::now());
        }
    }
}

impl Batch {
    fn add(&mut self, records: Bytes, sync: bool, waiting: Vec<Waiting>) {
        self.sync |= sync;
        self.bytes += records.len();
        if !records.is_empty() {
            self.records.push(records);
        }
        self.waiting.extend(waiting);
    }
}

/// The thread that writes snapshots; of several that wait the last counts.
fn write_all(store: &Store, jobs: &Receiver<Job>, shared: &Shared, observed: &Observed) {
    while let Ok(mut job) = jobs.recv() {
        while let Ok(later) = jobs.try_recv() {
            job = later;
        }
        match write(store, job.snapshots, observed) {
            Ok(()) => {
                shared.repaired.fetch_max(job.failures, Relaxed);
                remove_segments(store, job.obsolete, shared);
                debug!("Maintenance done");
            }
            Err(failed) => {
                error!(err = crate::log::chain(&failed), "Running maintenance failed");
            }
        }
    }
}

fn write(store: &Store, snapshots: Snapshots, observed: &Observed) -> Result<(), StoreError> {
    let timed = |file: StateFile, write: &mut dyn FnMut() -> Result<(), StoreError>| {
        let start = Instant::now();
        let written = write();
        observed.snapshot(file, start.elapsed(), written.is_ok());
        written
    };
    timed(StateFile::NotificationLog, &mut || store.write(StateFile::NotificationLog, &snapshots.notification_log))?;
    timed(StateFile::Silences, &mut || store.write(StateFile::Silences, &snapshots.silences))?;
    match snapshots.alerts {
        Some(picture) => store.write_alerts(picture),
        None => store.remove(StateFile::Alerts),
    }?;
    if let Err(failed) = store.write(StateFile::Ledger, &snapshots.ledger.encode()) {
        // nothing depends on it, least of all whether the journal may go
        warn!(err = crate::log::chain(&failed), "Writing down what became of notifications failed");
    }
    Ok(())
}

fn remove_segments(store: &Store, obsolete: u64, shared: &Shared) {
    let Ok(segments) = segments(store.directory()) else { return };
    for (_, path) in segments.iter().filter(|(number, _)| *number <= obsolete) {
        if let Err(failed) = std::fs::remove_file(path) {
            // it costs space, and replaying it changes nothing
            error!(err = %failed, path = %path.display(), "Removing an old part of the journal failed");
        }
    }
    if let Ok(size) = size_of_segments(store) {
        shared.stats.journal_bytes.store(size, Relaxed);
    }
}

fn size_of_segments(store: &Store) -> io::Result<u64> {
    let segments = segments(store.directory())?;
    Ok(segments.iter().filter_map(|(_, path)| path.metadata().ok()).map(|of| of.len()).sum())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use alerting::ledger::Saved;
    use alerting::silence::SilenceId;
    use alerting::time::Timestamp;

    use super::*;

    fn id(text: &str) -> Answer {
        Answer::Silence(SilenceId(text.into()))
    }

    fn snapshots(text: &'static str) -> Snapshots {
        let text = Bytes::from_static(text.as_bytes());
        Snapshots { silences: text.clone(), notification_log: text, alerts: None, ledger: Saved::default() }
    }

    fn ask(writer: &Writer, records: &'static [u8]) -> oneshot::Receiver<Answer> {
        let (reply, answer) = oneshot::channel();
        writer.append(Bytes::from_static(records), true, vec![(reply, id("x"))]);
        answer
    }

    fn journal(store: &Store) -> Vec<u8> {
        store.restore(Timestamp::EPOCH, true).unwrap().journal.concat()
    }

    #[tokio::test]
    async fn who_is_answered_finds_it_on_disk_and_a_snapshot_replaces_the_journal() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        let writer = store.writer(Arc::default()).unwrap();
        writer.append(Bytes::from_static(b"alert,"), false, Vec::new());
        assert_eq!(ask(&writer, b"silence,").await, Ok(id("x")));
        assert_eq!(journal(&store), b"alert,silence,");
        writer.append(Bytes::from_static(b"last"), false, Vec::new());
        writer.finish().await;
        assert_eq!(journal(&store), b"alert,silence,last");

        // another life writes a segment of its own
        let writer = store.writer(Arc::default()).unwrap();
        assert_eq!(ask(&writer, b"!").await, Ok(id("x")));
        assert_eq!(segments(directory.path()).unwrap().len(), 2);
        writer.put(snapshots("one"));
        writer.put(snapshots("two"));
        writer.append(Bytes::from_static(b"after"), false, Vec::new());
        writer.finish().await;
        assert_eq!(store.restore(Timestamp::EPOCH, true).unwrap().silences.unwrap(), "two");
        assert_eq!(journal(&store), b"after");
    }

    #[tokio::test]
    async fn what_is_not_on_disk_is_not_acknowledged() {
        let outer = tempfile::tempdir().unwrap();
        let (path, away) = (outer.path().join("data"), outer.path().join("away"));
        let store = Store::open(&path).unwrap();
        let writer = store.writer(Arc::default()).unwrap();
        std::fs::rename(&path, &away).unwrap();
        let answer = ask(&writer, b"lost").await.unwrap();
        assert!(matches!(&answer, Answer::NotDurable { cause } if cause.contains("No such file")), "{answer:?}");
        // who only asks whether all is durable is not told so either
        std::fs::rename(&away, &path).unwrap();
        assert!(matches!(ask(&writer, b"").await, Ok(Answer::NotDurable { .. })));
        assert_eq!(ask(&writer, b"kept").await, Ok(id("x")));
        assert!(writer.wants_snapshot() && !writer.wants_snapshot());
        assert_eq!(writer.stats().journal_failures.load(Relaxed), 1);
        writer.put(snapshots("all"));
        let repaired = Arc::clone(&writer.shared);
        writer.finish().await;
        assert!(!repaired.incomplete());
        assert_eq!(
            (journal(&store), store.restore(Timestamp::EPOCH, true).unwrap().silences.unwrap()),
            (vec![], "all".into())
        );
    }

    #[tokio::test]
    async fn without_alerts_their_file_goes() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        std::fs::write(store.path(StateFile::Alerts), "old").unwrap();
        let writer = store.writer(Arc::default()).unwrap();
        writer.put(snapshots("x"));
        writer.finish().await;
        assert!(!store.path(StateFile::Alerts).exists());
    }
}
