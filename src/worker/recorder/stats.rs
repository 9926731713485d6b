//! What the event recorder counts.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Counters of the event recorder.
#[derive(Debug, Default)]
pub(crate) struct RecorderStats(Mutex<Counts>);

/// A copy of the counters. Keys start with the type of the event where there is one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// By type, output and whether it went well.
    pub(crate) recorded: BTreeMap<(&'static str, String, bool), u64>,
    /// Bytes by type and output.
    pub(crate) bytes: BTreeMap<(&'static str, String), u64>,
    /// Dropped before any output, by type: the queue was full.
    pub(crate) dropped: BTreeMap<&'static str, u64>,
    /// By type.
    pub(crate) not_serialized: BTreeMap<&'static str, u64>,
    /// By output: its own queue was full.
    pub(crate) output_drops: BTreeMap<String, u64>,
    /// Not taken by Kafka, by output and kind of error.
    pub(crate) not_produced: BTreeMap<(String, &'static str), u64>,
}

impl RecorderStats {
    /// A copy.
    pub(crate) fn counts(&self) -> Counts {
        self.lock().clone()
    }

    /// An output took an event of so many bytes, or (`None`) failed to.
    pub(super) fn recorded(&self, kind: &'static str, output: &str, bytes: Option<usize>) {
        let mut counts = self.lock();
        *counts.recorded.entry((kind, output.to_owned(), bytes.is_some())).or_default() += 1;
        if let Some(bytes) = bytes {
            *counts.bytes.entry((kind, output.to_owned())).or_default() += bytes as u64;
        }
    }

    /// The queue was full.
    pub(super) fn dropped(&self, kind: &'static str) {
        *self.lock().dropped.entry(kind).or_default() += 1;
    }

    /// An event has no JSON form.
    pub(super) fn not_serialized(&self, kind: &'static str) {
        *self.lock().not_serialized.entry(kind).or_default() += 1;
    }

    /// An output exists, which may drop events.
    pub(super) fn may_drop(&self, output: &str) {
        self.lock().output_drops.entry(output.to_owned()).or_default();
    }

    /// The queue of an output was full.
    pub(super) fn output_dropped(&self, output: &str) {
        *self.lock().output_drops.entry(output.to_owned()).or_default() += 1;
    }

    /// Kafka did not take so many events.
    pub(super) fn not_produced(&self, output: &str, kind: &'static str, events: usize) {
        *self.lock().not_produced.entry((output.to_owned(), kind)).or_default() += events as u64;
    }

    /// Only counters are inside: a panic elsewhere leaves nothing half done.
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
