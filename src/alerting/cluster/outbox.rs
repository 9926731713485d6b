//! What is on its way to one member: one call at a time, newer versions replace older ones that still wait. What is not
//! acknowledged is sent again, for as long as the member is there.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;

use super::offers::{Offers, Parcel};
use crate::nflog::{Entry, LogKey, encode_entry};
use crate::silence::{Silence, SilenceId, encode_silence};
use crate::store::Alerts;
use crate::time::Timestamp;
use crate::wire::{Call, StateParts};

/// Bytes in one call at most, but at least one record.
const BATCH_MAX: usize = 1 << 20;

/// After a call that failed.
const RETRY: Duration = Duration::from_millis(500);

#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: Changes,
    pub(super) offers: Offers,
    in_flight: Option<(Changes, Parcel)>,
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
        self.in_flight.is_none() && self.waiting.len() == 0 && self.offers.len() == 0
    }

    /// How many changes of silences and of the log wait for a call, or for its end.
    pub(super) fn len(&self) -> usize {
        self.waiting.len() + self.in_flight.as_ref().map_or(0, |(changes, _)| changes.len())
    }

    /// For how long the member has not known what this one does.
    pub(super) fn lag(&self, now: Timestamp) -> Duration {
        self.since.map_or(Duration::ZERO, |since| now.since(since))
    }

    /// When to try again after a failure.
    pub(super) fn next_try(&self) -> Option<Timestamp> {
        self.not_before
    }

    /// The next call, unless one is under way or there is nothing to say. `hold_offers` keeps the alerts back.
    pub(super) fn take(&mut self, now: Timestamp, alerts: &Alerts, hold_offers: bool) -> Option<Call> {
        if self.in_flight.is_some() || self.not_before.is_some_and(|at| at > now) {
            return None;
        }
        self.not_before = None;
        let changes = self.waiting.len() > 0;
        let parcel = if hold_offers { Parcel::default() } else { self.offers.take(now, alerts) };
        if !changes && parcel.is_empty() {
            return None;
        }
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
        let state = StateParts { silences: silences.freeze(), notification_log: entries.freeze() };
        let (offers, alerts) = (parcel.offers.clone(), parcel.alerts.clone());
        self.in_flight = Some((taken, parcel));
        Some(Call { state: changes.then_some(state), offers, alerts, ..Call::default() })
    }

    /// The call under way ended; if it was acknowledged, with the alerts that the member wants.
    pub(super) fn ended(&mut self, now: Timestamp, wanted: Option<&[u64]>) {
        let (sent, parcel) = self.in_flight.take().unwrap_or_default();
        if let Some(wanted) = wanted {
            self.offers.want(wanted);
            // what still waits came later than what was sent
            self.since = (self.waiting.len() > 0).then_some(now);
            return;
        }
        self.offers.put_back(&parcel);
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
            origin: Default::default(),
            stored: None,
        };
        (key, Arc::new(entry))
    }

    #[test]
    fn what_failed_is_sent_again_unless_there_is_something_newer() {
        let at = Timestamp::from_secs;
        let (mut outbox, none) = (Outbox::default(), Alerts::default());
        outbox.add(at(1), &[], &[entry(1)]);
        let first = outbox.take(at(1), &none, false).unwrap();
        assert!(outbox.take(at(1), &none, false).is_none(), "one at a time");
        outbox.ended(at(2), None);
        assert_eq!((outbox.len(), outbox.lag(at(5))), (1, Duration::from_secs(4)));
        assert!(outbox.take(at(2), &none, false).is_none(), "not at once");
        assert_eq!(outbox.take(outbox.next_try().unwrap(), &none, false), Some(first));
        outbox.add(at(3), &[], &[entry(2)]);
        outbox.ended(at(3), None);
        let newer = outbox.take(at(4), &none, false).unwrap();
        outbox.ended(at(4), Some(&[]));
        assert!(outbox.is_idle() && outbox.lag(at(9)).is_zero());
        let mut buf = BytesMut::new();
        encode_entry(&entry(2).0, &entry(2).1, &mut buf);
        assert_eq!(newer.state.unwrap().notification_log, buf.freeze());
    }
}
