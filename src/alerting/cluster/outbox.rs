//! Changes on their way to one member: one call at a time, newer versions replace older ones that still wait.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::BytesMut;

use crate::nflog::{Entry, LogKey, encode_entry};
use crate::silence::{Silence, SilenceId, encode_silence};
use crate::wire::StateParts;

/// Bytes in one call at most, but at least one record.
const BATCH_MAX: usize = 1 << 20;

#[derive(Debug, Default)]
pub(super) struct Outbox {
    silences: BTreeMap<SilenceId, Arc<Silence>>,
    entries: BTreeMap<LogKey, Arc<Entry>>,
    in_flight: bool,
}

impl Outbox {
    pub(super) fn add(&mut self, silences: &[Arc<Silence>], entries: &[(LogKey, Arc<Entry>)]) {
        self.silences.extend(silences.iter().map(|s| (s.id.clone(), s.clone())));
        self.entries.extend(entries.iter().cloned());
    }

    pub(super) fn is_idle(&self) -> bool {
        !self.in_flight && self.silences.is_empty() && self.entries.is_empty()
    }

    /// How many changes wait.
    pub(super) fn len(&self) -> usize {
        self.silences.len() + self.entries.len()
    }

    /// The next call's content, unless one is under way or there is none.
    pub(super) fn take(&mut self) -> Option<StateParts> {
        if self.in_flight || self.is_idle() {
            return None;
        }
        let (mut silences, mut entries) = (BytesMut::new(), BytesMut::new());
        while silences.len() < BATCH_MAX
            && let Some((_, silence)) = self.silences.pop_first()
        {
            encode_silence(&silence, &mut silences);
        }
        while silences.len() + entries.len() < BATCH_MAX
            && let Some((key, entry)) = self.entries.pop_first()
        {
            encode_entry(&key, &entry, &mut entries);
        }
        self.in_flight = true;
        Some(StateParts { silences: silences.freeze(), notification_log: entries.freeze() })
    }

    /// The call under way ended. After a failure what waits is dropped: the peer is gone, or a comparison of digests
    /// will bring it everything.
    pub(super) fn ended(&mut self, acknowledged: bool) {
        self.in_flight = false;
        if !acknowledged {
            self.silences.clear();
            self.entries.clear();
        }
    }
}
