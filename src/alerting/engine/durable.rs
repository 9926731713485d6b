//! What outlives the process: the journal of changes, the snapshots, and how a start puts them together again.
//!
//! The journal has every version of a silence, every entry of the notification log, and every alert that is new or has
//! changed by more than a later end. Replaying it over a snapshot that is newer than parts of it changes nothing, since
//! later versions win everywhere.
//!
//! An alert that fired when it was saved last goes on firing for the resolve timeout after the start, unless a post says
//! otherwise: nobody could post to a member that was down. It is never told as firing after the log said "resolved".

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::{Engine, RestoreError};
use crate::alert::Alert;
use crate::effects::{Answer, Event, Output, Snapshots, Ticket};
use crate::label::{Fingerprint, LabelSet};
use crate::nflog::{self, Entry, LogKey, NotificationLog};
use crate::silence::{self, Silence, Silences, Stored};
use crate::store::{Alerts, Slot, Told};
use crate::time::Timestamp;
use crate::wire::{self, Record, RecordError, SavedAlert, SavedGroup};

/// An end that lies so much further ahead of the report than before is kept at once.
const FURTHER: std::time::Duration = std::time::Duration::from_secs(60);

/// Bytes of a payload of the file `alerts`, about.
const PAYLOAD: usize = 256 << 10;

/// What is to be written, gathered during one input.
#[derive(Debug, Default)]
pub(super) struct Journal {
    records: BytesMut,
    scratch: BytesMut,
    /// Something in it must be durable soon.
    sync: bool,
    answers: Vec<(Ticket, Answer)>,
}

/// What of the last life waits for the first configuration.
#[derive(Debug, Default)]
pub(super) struct LastLife {
    /// Numbers of alerts that fired when they were saved.
    firing: Vec<u32>,
    /// When groups were to be flushed, by route and labels.
    timers: BTreeMap<(Arc<str>, LabelSet), Timestamp>,
}

/// Alerts and the timers of groups at a moment, to be written without holding the engine up.
#[derive(Debug)]
pub struct AlertsPicture {
    at: Timestamp,
    alerts: Vec<Arc<Alert>>,
    groups: Vec<SavedGroup>,
}

impl AlertsPicture {
    /// The content of the file `alerts`, piece by piece.
    pub fn payloads(self) -> impl Iterator<Item = Bytes> {
        let records = (self.alerts.len() + self.groups.len()) as u64;
        let (mut alerts, mut groups) = (self.alerts.into_iter(), self.groups.into_iter());
        let (mut scratch, mut done) = (BytesMut::new(), false);
        std::iter::from_fn(move || {
            let mut buf = BytesMut::new();
            while !done && buf.len() < PAYLOAD {
                if let Some(alert) = alerts.next() {
                    wire::put_alert(&alert, self.at, &mut scratch, &mut buf);
                } else if let Some(group) = groups.next() {
                    wire::put_group(&group, &mut buf);
                } else {
                    wire::put_end(records, &mut buf);
                    done = true;
                }
            }
            (!buf.is_empty()).then(|| buf.freeze())
        })
    }
}

impl Engine {
    // --- what is kept as it happens ---

    pub(super) fn keep_silence(&mut self, silence: &Silence) {
        wire::begin_silence(&mut self.journal.records);
        silence::encode_silence(silence, &mut self.journal.records);
        self.journal.sync = true;
    }

    /// A silence that can't be matched here.
    pub(super) fn keep_unusable(&mut self, stored: &Bytes) {
        wire::begin_silence(&mut self.journal.records);
        wire::put_delimited(stored, &mut self.journal.records);
    }

    pub(super) fn keep_entry(&mut self, key: &LogKey, entry: &Entry) {
        wire::begin_entry(&mut self.journal.records);
        nflog::encode_entry(key, entry, &mut self.journal.records);
        self.journal.sync = true;
    }

    pub(super) fn keep_alert(&mut self, now: Timestamp, number: u32) {
        if self.options.persist_alerts
            && let Some(slot) = self.alerts.get(number)
        {
            wire::put_alert(&slot.alert, now, &mut self.journal.scratch, &mut self.journal.records);
        }
    }

    /// An alert has left its last group.
    pub(super) fn keep_gone(&mut self, now: Timestamp, fingerprint: Fingerprint) {
        if self.options.persist_alerts {
            wire::put_gone(fingerprint, now, &mut self.journal.records);
        }
    }

    pub(super) fn keep_group(&mut self, number: u32) {
        if self.options.persist_alerts
            && let Some(group) = self.saved_group(number)
        {
            wire::put_group(&group, &mut self.journal.records);
        }
    }

    fn saved_group(&self, number: u32) -> Option<SavedGroup> {
        let (running, group) = (self.running.as_ref()?, self.groups.get(number)?);
        let route = running.routes.node(group.route).route.id.clone();
        Some(SavedGroup { route, labels: group.labels.clone(), next_flush: group.next_flush })
    }

    /// Answers once everything kept so far is durable.
    pub(super) fn answer_when_durable(&mut self, ticket: Ticket, answer: Answer) {
        self.journal.answers.push((ticket, answer));
    }

    /// Hands over what was gathered.
    pub(super) fn write_journal(&mut self) {
        let journal = &mut self.journal;
        if journal.records.is_empty() && journal.answers.is_empty() {
            return;
        }
        self.outputs.push_back(Output::Append {
            records: journal.records.split().freeze(),
            sync: std::mem::take(&mut journal.sync),
            answers: std::mem::take(&mut journal.answers),
        });
    }

    /// Everything as it is now; the journal up to here is not needed any more once that is on disk.
    pub(super) fn snapshot(&mut self, now: Timestamp) {
        let (silences, log) = (self.silences.encode(), self.nflog.encode());
        self.stats.silences_maintenance += 1;
        self.stats.silences_snapshot_bytes = silences.len() as u64;
        self.stats.nflog_maintenance += 1;
        self.stats.nflog_snapshot_bytes = log.len() as u64;
        let alerts = self.options.persist_alerts.then(|| self.picture_of_alerts(now));
        let ledger = self.ledger.saved();
        self.outputs.push_back(Output::Snapshot(Snapshots { silences, notification_log: log, alerts, ledger }));
    }

    fn picture_of_alerts(&self, now: Timestamp) -> AlertsPicture {
        let kept = |slot: &&Slot| !slot.groups.is_empty() || !slot.alert.resolved_at(now);
        let alerts = self.alerts.iter().map(|(_, slot)| slot).filter(kept).map(|slot| slot.alert.clone()).collect();
        let groups = self.groups.numbers().into_iter().filter_map(|number| self.saved_group(number)).collect();
        AlertsPicture { at: now, alerts, groups }
    }

    // --- the first configuration ---

    /// Lets the alerts of the last life fire on for a while, now that it's known for how long.
    pub(super) fn go_on_firing(&mut self) {
        let Some(running) = &self.running else { return };
        let until = self.started_at + running.config.resolve_timeout;
        for number in std::mem::take(&mut self.last_life.firing) {
            let Some(slot) = self.alerts.get_mut(number) else { continue };
            if slot.alert.updated_at < self.started_at && slot.alert.ends_at < until {
                let alert = Arc::make_mut(&mut slot.alert);
                alert.ends_at = until;
                // nobody has stated that end
                alert.timeout = true;
            }
        }
    }

    /// The groups of the last life have been made again.
    pub(super) fn forget_last_life(&mut self) {
        self.last_life = LastLife::default();
    }
}

impl LastLife {
    /// When a group was to be flushed in the last life.
    pub(super) fn next_flush(&self, route: &Arc<str>, labels: &LabelSet) -> Option<Timestamp> {
        if self.timers.is_empty() {
            return None;
        }
        self.timers.get(&(route.clone(), labels.clone())).copied()
    }
}

/// Whether a report of a known alert must be kept at once. A mere refresh, which moves the end on with time, need not.
pub(super) fn is_news(old: &Alert, new: &Alert, now: Timestamp) -> bool {
    let ahead = |alert: &Alert| alert.ends_at.since(alert.updated_at);
    new.starts_at != old.starts_at
        || new.resolved_at(now) != old.resolved_at(now)
        || new.ends_at < old.ends_at
        || new.timeout != old.timeout
        || ahead(new) > ahead(old) + FURTHER
        || new.annotations != old.annotations
        || new.generator_url != old.generator_url
}

/// Whether a report says no more than that an alert is resolved which was so before. A group that has let go of it has
/// told that; senders repeat it for a while, and the reference may then notify of it again.
pub(super) fn is_over(old: &Alert, new: &Alert, now: Timestamp) -> bool {
    let same = old.starts_at == new.starts_at || old.ends_at == new.ends_at;
    same && old.resolved_at(now) && new.resolved_at(now)
}

/// The state of a start.
#[derive(Debug, Default)]
pub(super) struct Restoring {
    pub(super) silences: Silences,
    pub(super) nflog: NotificationLog,
    pub(super) events: Vec<Event>,
    alerts: BTreeMap<Fingerprint, SavedAlert>,
    timers: BTreeMap<(Arc<str>, LabelSet), Timestamp>,
}

impl Restoring {
    pub(super) fn silences(&mut self, now: Timestamp, file: Bytes) -> Result<(), RestoreError> {
        let mut usable = Vec::new();
        let each = |stored| match stored {
            Stored::Usable(silence) => usable.push(silence),
            Stored::Unusable(_) => self.silence(now, stored),
        };
        silence::decode_each(file, each).map_err(RestoreError::Silences)?;
        self.silences.merge_all(now, usable);
        Ok(())
    }

    fn silence(&mut self, now: Timestamp, stored: Stored) {
        match stored {
            Stored::Usable(silence) => drop(self.silences.merge(now, silence)),
            Stored::Unusable(silence) => {
                let (id, cause) = (silence.id.to_string(), silence.cause.clone());
                if self.silences.merge_unusable(now, silence) {
                    self.events.push(Event::SilenceUnusable { id, cause });
                }
            }
        }
    }

    pub(super) fn notification_log(&mut self, now: Timestamp, file: Bytes) -> Result<(), RestoreError> {
        self.nflog.restore(now, file).map_err(RestoreError::NotificationLog)
    }

    /// The file `alerts`, whole.
    pub(super) fn saved_alerts(&mut self, now: Timestamp, payloads: &[Bytes]) -> Result<(), RestoreError> {
        let (mut found, mut wanted) = (0, None);
        for payload in payloads {
            for record in wire::records(payload).map_err(RestoreError::Alerts)? {
                match record {
                    Record::End(records) => wanted = Some(records),
                    record => {
                        found += 1;
                        self.record(now, record)?;
                    }
                }
            }
        }
        match wanted {
            Some(wanted) if wanted == found => Ok(()),
            wanted => {
                let wanted = wanted.unwrap_or(found + 1);
                Err(RestoreError::Alerts(RecordError::Incomplete { found, wanted }))
            }
        }
    }

    pub(super) fn journal(&mut self, now: Timestamp, payloads: &[Bytes]) -> Result<(), RestoreError> {
        for payload in payloads {
            for record in wire::records(payload).map_err(RestoreError::Journal)? {
                self.record(now, record)?;
            }
        }
        Ok(())
    }

    fn record(&mut self, now: Timestamp, record: Record) -> Result<(), RestoreError> {
        match record {
            Record::Silence(stored) => {
                let stored = silence::decode_record(stored, 1, 0).map_err(RestoreError::Silences)?;
                self.silence(now, stored);
            }
            Record::Entry(stored) => {
                let (key, entry) = nflog::decode_record(stored, 1, 0).map_err(RestoreError::NotificationLog)?;
                self.nflog.merge(now, key, entry);
            }
            Record::Alert(saved) => {
                let version = |saved: &SavedAlert| (saved.alert.updated_at, saved.saved_at);
                let old = self.alerts.get(&saved.alert.fingerprint);
                if old.is_none_or(|old| version(old) <= version(&saved)) {
                    self.alerts.insert(saved.alert.fingerprint, saved);
                }
            }
            Record::Gone { fingerprint, at } => {
                if self.alerts.get(&fingerprint).is_some_and(|saved| saved.alert.updated_at <= at) {
                    self.alerts.remove(&fingerprint);
                }
            }
            Record::Group(group) => drop(self.timers.insert((group.route, group.labels), group.next_flush)),
            Record::End(_) => {}
        }
        Ok(())
    }

    /// The alerts of the last life, unless they are so old that nobody remembers whether they were told.
    pub(super) fn alerts(&mut self, now: Timestamp, options: &crate::effects::Options) -> (Alerts, LastLife) {
        let (mut alerts, mut firing) = (Alerts::default(), Vec::new());
        for SavedAlert { alert, saved_at } in std::mem::take(&mut self.alerts).into_values() {
            if !options.persist_alerts || saved_at + options.retention < now {
                continue;
            }
            if let Some(max) = options.alerts_per_name_max
                && !alerts.admit(alert.name(), max, saved_at)
            {
                continue;
            }
            let fired = !alert.resolved_at(saved_at);
            let told = Told::of(&alert);
            let generator_url = alerts.link(alert.generator_url);
            let slot = Slot {
                // whatever became of it meanwhile, the log knows better
                owes_resolve: false,
                told,
                alert: Arc::new(Alert { generator_url, ..alert }),
                routes: Default::default(),
                groups: Default::default(),
                silences: Default::default(),
                roles: Default::default(),
                // it belongs in a group even if it is resolved
                regroup: true,
            };
            let number = alerts.insert(slot);
            if fired {
                firing.push(number);
            }
        }
        (alerts, LastLife { firing, timers: std::mem::take(&mut self.timers) })
    }
}
