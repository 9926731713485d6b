//! Changes on their way to one member: one call at a time, newer versions replace older ones that still wait. What is
//! not acknowledged is sent again, for as long as the member is there.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;

use crate::nflog::{Entry, LogKey, encode_entry};
use crate::silence::{Silence, SilenceId, encode_silence};
use crate::time::Timestamp;
use crate::wire::StateParts;

/// Bytes in one call at most, but at least one record.
const BATCH_MAX: usize = 1 << 20;

/// After a call that failed.
const RETRY: Duration = Duration::from_millis(500);

#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: Changes,
    in_flight: Option<Changes>,
    not_before: Option<Timestamp>,
    /// Of the oldest change that isn't acknowledged.
    since: Option<Timestamp>,
}

#[derive(Debug, Default)]
struct Changes {
    silences: BTreeMap<SilenceId, Arc<Silence>>,
    entries: BTreeMap<LogKey, Arc<Entry>>,
}

impl Changes {
    fn len(&self) -> usize {
        self.silences.len() + self.entries.len()
    }
}

impl Outbox {
    pub(super) fn add(&mut self, now: Timestamp, silences: &[Arc<Silence>], entries: &[(LogKey, Arc<Entry>)]) {
        self.waiting.silences.extend(silences.iter().map(|s| (s.id.clone(), s.clone())));
        self.waiting.entries.extend(entries.iter().cloned());
        self.since.get_or_insert(now);
    }

    pub(super) fn is_idle(&self) -> bool {
        self.in_flight.is_none() && self.waiting.len() == 0
    }

    /// How many changes wait for a call, or for its end.
    pub(super) fn len(&self) -> usize {
        self.waiting.len() + self.in_flight.as_ref().map_or(0, Changes::len)
    }

    /// For how long the member has not known what this one does.
    pub(super) fn lag(&self, now: Timestamp) -> Duration {
        self.since.map_or(Duration::ZERO, |since| now.since(since))
    }

    /// When to try again after a failure.
    pub(super) fn next_try(&self) -> Option<Timestamp> {
        self.not_before
    }

    /// The next call's content, unless one is under way or there is none.
    pub(super) fn take(&mut self, now: Timestamp) -> Option<StateParts> {
        if self.in_flight.is_some() || self.waiting.len() == 0 || self.not_before.is_some_and(|at| at > now) {
            return None;
        }
        self.not_before = None;
        let (mut silences, mut entries) = (BytesMut::new(), BytesMut::new());
        let mut taken = Changes::default();
        while silences.len() < BATCH_MAX
            && let Some((id, silence)) = self.waiting.silences.pop_first()
        {
            encode_silence(&silence, &mut silences);
            taken.silences.insert(id, silence);
        }
        while silences.len() + entries.len() < BATCH_MAX
            && let Some((key, entry)) = self.waiting.entries.pop_first()
        {
            encode_entry(&key, &entry, &mut entries);
            taken.entries.insert(key, entry);
        }
        self.in_flight = Some(taken);
        Some(StateParts { silences: silences.freeze(), notification_log: entries.freeze() })
    }

    /// The call under way ended.
    pub(super) fn ended(&mut self, now: Timestamp, acknowledged: bool) {
        let sent = self.in_flight.take().unwrap_or_default();
        if acknowledged {
            // what still waits came later than what was sent
            self.since = (self.waiting.len() > 0).then_some(now);
            return;
        }
        for (id, silence) in sent.silences {
            self.waiting.silences.entry(id).or_insert(silence);
        }
        for (key, entry) in sent.entries {
            self.waiting.entries.entry(key).or_insert(entry);
        }
        self.not_before = Some(now + RETRY);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::nflog::ReceiverData;

    fn entry(secs: i64) -> (LogKey, Arc<Entry>) {
        let key = LogKey { group: "{}:{}".into(), receiver: "r".into(), integration: "webhook".into(), index: 0 };
        let entry = Entry {
            timestamp: Timestamp::from_secs(secs),
            expires_at: Timestamp::MAX,
            firing: vec![1],
            resolved: Vec::new(),
            receiver_data: ReceiverData::default(),
            stored: None,
        };
        (key, Arc::new(entry))
    }

    #[test]
    fn what_failed_is_sent_again_unless_there_is_something_newer() {
        let at = Timestamp::from_secs;
        let mut outbox = Outbox::default();
        outbox.add(at(1), &[], &[entry(1)]);
        let first = outbox.take(at(1)).unwrap();
        assert!(outbox.take(at(1)).is_none(), "one at a time");
        outbox.ended(at(2), false);
        assert_eq!((outbox.len(), outbox.lag(at(5))), (1, Duration::from_secs(4)));
        assert!(outbox.take(at(2)).is_none(), "not at once");
        assert_eq!(outbox.take(outbox.next_try().unwrap()), Some(first));
        outbox.add(at(3), &[], &[entry(2)]);
        outbox.ended(at(3), false);
        let newer = outbox.take(at(4)).unwrap();
        outbox.ended(at(4), true);
        assert!(outbox.is_idle() && outbox.lag(at(9)).is_zero());
        let mut buf = BytesMut::new();
        encode_entry(&entry(2).0, &entry(2).1, &mut buf);
        assert_eq!(newer.notification_log, buf.freeze());
    }
}
