//! The notification log: what was sent to whom. It merges between peers without conflict, the later entry wins.

mod origin;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use hashbrown::HashMap;
use hashbrown::hash_map::Entry as Place;
use prost::Message;
use serde::{Deserialize, Serialize};

use crate::digest::{self, Digest, STATE_MAX, Wanted};
use crate::names::Names;
use crate::time::Timestamp;
use crate::wire;
pub use origin::Origin;

/// Names an entry: a group and one integration of its receiver.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogKey {
    /// The group key.
    pub group: Arc<str>,
    /// Name of the receiver.
    pub receiver: Arc<str>,
    /// `webhook`, …
    pub integration: Arc<str>,
    /// Among the integrations of that kind in the receiver, from 0.
    pub index: u32,
}

impl LogKey {
    /// The same on every member.
    pub(crate) fn stable_hash(&self) -> u64 {
        let mut hash = xxhash_rust::xxh64::Xxh64::new(u64::from(self.index));
        for part in [&self.group, &self.receiver, &self.integration] {
            hash.update(&(part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        hash.digest()
    }
}

impl fmt::Display for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}/{}/{}", self.group, self.receiver, self.integration, self.index)
    }
}

impl fmt::Debug for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What was sent last.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// When it was sent.
    pub timestamp: Timestamp,
    /// When the entry may be forgotten, on every member.
    pub expires_at: Timestamp,
    /// Log hashes of the alerts that fired, sorted.
    pub firing: Vec<u64>,
    /// Log hashes of the alerts that were resolved, sorted.
    pub resolved: Vec<u64>,
    /// Whatever the integration wants to find again, as it was on the wire.
    pub receiver_data: ReceiverData,
    /// Who made it.
    pub origin: Origin,
    /// The record as it came, if it holds what this version doesn't know.
    pub(crate) stored: Option<Box<[u8]>>,
}

/// What an integration leaves behind for the next notification of the same incident: values by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReceiverData(BTreeMap<String, wire::ReceiverDataValue>);

impl ReceiverData {
    /// A text.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name)?.value.as_ref()? {
            wire::receiver_data_value::Value::StrVal(text) => Some(text),
            _ => None,
        }
    }

    /// Sets a text.
    pub fn set_text(&mut self, name: &str, text: String) {
        let value = Some(wire::receiver_data_value::Value::StrVal(text));
        self.0.insert(name.to_owned(), wire::ReceiverDataValue { value });
    }
}

/// Why a notification is due (or isn't): the `notification_reason` of webhooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SendReason {
    /// Nothing was sent for this group before, or all was resolved since.
    FirstNotification,
    /// Alerts fire that weren't in the last one.
    NewAlerts,
    /// Nothing fires any more.
    AllResolved,
    /// Some of the alerts are resolved.
    SomeResolved,
    /// It's time to repeat.
    Repeat,
}

impl SendReason {
    /// The reference's text.
    pub const fn text(self) -> &'static str {
        match self {
            Self::FirstNotification => "first notification",
            Self::NewAlerts => "new alerts added",
            Self::AllResolved => "all alerts resolved",
            Self::SomeResolved => "some alerts resolved",
            Self::Repeat => "repeat interval elapsed",
        }
    }
}

/// Whether `firing` and `resolved` (sorted log hashes of a group as it is now) are worth a notification after `entry`.
///
/// The order of the rules is the reference's; what is in doubt was told neither as firing nor as resolved.
/// `send_resolved` matters only to [`SendReason::SomeResolved`].
pub fn due(
    entry: Option<&Entry>,
    firing: &[u64],
    resolved: &[u64],
    send_resolved: bool,
    repeat_interval: Duration,
    now: Timestamp,
) -> Option<SendReason> {
    let Some(entry) = entry else {
        return (!firing.is_empty()).then_some(SendReason::FirstNotification);
    };
    let unsure = |hashes: &[u64]| hashes.iter().any(|hash| entry.is_unsure(*hash));
    if !is_subset(firing, &entry.firing) || unsure(firing) {
        let first = entry.firing.is_empty();
        return Some(if first { SendReason::FirstNotification } else { SendReason::NewAlerts });
    }
    if firing.is_empty() {
        return (!entry.firing.is_empty() || unsure(resolved)).then_some(SendReason::AllResolved);
    }
    if send_resolved && (!is_subset(resolved, &entry.resolved) || unsure(resolved)) {
        return Some(SendReason::SomeResolved);
    }
    (entry.timestamp < now - repeat_interval).then_some(SendReason::Repeat)
}

/// Both sorted.
fn is_subset(small: &[u64], big: &[u64]) -> bool {
    let mut big = big.iter();
    small.iter().all(|wanted| big.by_ref().find(|have| *have >= wanted) == Some(wanted))
}

/// All entries of a member.
#[derive(Debug, Default)]
pub struct NotificationLog {
    entries: HashMap<LogKey, Arc<Entry>>,
    /// Made when it's first asked for, which only peers do.
    digest: OnceLock<Digest>,
    /// No entry expires before this.
    next_expiry: Option<Timestamp>,
}

/// A state file or a peer's message can't be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not the protobuf that it should be.
    #[error("reading record {record} of the notification log, at byte {offset}")]
    Record {
        /// From 1.
        record: usize,
        /// Where it begins.
        offset: usize,
        /// The cause.
        #[source]
        source: prost::DecodeError,
    },
    /// A record without what it needs.
    #[error("reading record {record} of the notification log, at byte {offset}: it has no {missing}")]
    Incomplete {
        /// From 1.
        record: usize,
        /// Where it begins.
        offset: usize,
        /// What is not there.
        missing: &'static str,
    },
}

impl NotificationLog {
    /// The entry for `key`.
    pub fn get(&self, key: &LogKey) -> Option<&Arc<Entry>> {
        self.entries.get(key)
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Takes an entry unless an equally new or newer one is there, or it's out of date; what both say without knowing of
    /// each other is in doubt then. Tells whether anything changed.
    pub fn merge(&mut self, now: Timestamp, key: LogKey, entry: Arc<Entry>) -> bool {
        if entry.expires_at < now {
            return false;
        }
        let expires_at = entry.expires_at;
        match self.entries.entry(key) {
            Place::Vacant(slot) => {
                if let Some(digest) = self.digest.get_mut() {
                    digest.toggle(place_of(slot.key()), digest_of(slot.key(), &entry));
                }
                slot.insert(entry);
            }
            Place::Occupied(mut slot) => {
                let Some(entry) = merged(slot.get(), entry) else { return false };
                if let Some(digest) = self.digest.get_mut() {
                    let changed = digest_of(slot.key(), slot.get()) ^ digest_of(slot.key(), &entry);
                    digest.toggle(place_of(slot.key()), changed);
                }
                slot.insert(entry);
            }
        }
        self.next_expiry = Some(self.next_expiry.map_or(expires_at, |next| next.min(expires_at)));
        true
    }

    /// Forgets what has expired.
    pub fn forget_expired(&mut self, now: Timestamp) {
        let mut digest = self.digest.get_mut();
        self.entries.retain(|key, entry| {
            let keep = entry.expires_at > now;
            if let Some(digest) = digest.as_deref_mut().filter(|_| !keep) {
                digest.toggle(place_of(key), digest_of(key, entry));
            }
            keep
        });
        self.next_expiry = self.entries.values().map(|entry| entry.expires_at).min();
    }

    /// Like [`Self::forget_expired`], but looks at the entries only if one of them has expired.
    pub fn forget_if_expired(&mut self, now: Timestamp) {
        if self.next_expiry.is_some_and(|next| next <= now) {
            self.forget_expired(now);
        }
    }

    /// Equal on members that hold the same entries.
    pub(crate) fn digest(&self) -> &Digest {
        self.digest.get_or_init(|| {
            let mut digest = Digest::default();
            self.entries.iter().for_each(|(key, entry)| digest.toggle(place_of(key), digest_of(key, entry)));
            digest
        })
    }

    /// All entries, in an order that depends on nothing but them.
    pub fn iter(&self) -> impl Iterator<Item = (&LogKey, &Arc<Entry>)> {
        let mut entries: Vec<(u64, (&LogKey, &Arc<Entry>))> =
            self.entries.iter().map(|(key, entry)| (digest_of(key, entry), (key, entry))).collect();
        entries.sort_unstable_by_key(|(hash, _)| *hash);
        entries.into_iter().map(|(_, entry)| entry)
    }

    /// Takes the records of a file into an empty log.
    ///
    /// # Errors
    /// At the first record that can't be read.
    pub(crate) fn restore(&mut self, now: Timestamp, file: Bytes) -> Result<(), DecodeError> {
        let mut records = 0;
        let mut rest = &file[..];
        while wire::take_plain(&mut rest).is_some() {
            records += 1;
        }
        self.entries.reserve(records);
        decode_each(file, |key, entry| {
            self.merge(now, key, entry);
        })
    }

    /// The reference's file format: length-delimited `MeshEntry` records.
    pub fn encode(&self) -> Bytes {
        let mut buf = BytesMut::new();
        for (key, entry) in self.iter() {
            encode_entry(key, entry, &mut buf);
        }
        buf.freeze()
    }

    /// The entries in these buckets, bucket by bucket until the message is full.
    pub(crate) fn encode_some(&self, wanted: &Wanted) -> Bytes {
        let places = self.entries.iter().map(|(key, entry)| (place_of(key), key, entry));
        let mut entries: Vec<_> = places.filter(|(place, ..)| wanted.has(*place)).collect();
        entries.sort_unstable_by_key(|(place, key, entry)| (*place, digest_of(key, entry)));
        let mut buf = BytesMut::new();
        for (_, key, entry) in entries {
            if buf.len() < STATE_MAX {
                encode_entry(key, entry, &mut buf);
            }
        }
        buf.freeze()
    }
}

/// What a log holds that has held one entry and gets another; `None`: what it has held.
fn merged(held: &Arc<Entry>, came: Arc<Entry>) -> Option<Arc<Entry>> {
    let rank = |entry: &Entry| (entry.timestamp, entry.origin.author);
    if rank(held) >= rank(&came) {
        return held.over(&came).map(Arc::new);
    }
    Some(came.over(held).map_or(came, Arc::new))
}

/// The bucket of a key in the digest.
fn place_of(key: &LogKey) -> usize {
    digest::bucket_of(key.stable_hash())
}

/// Appends one record of the reference's file format.
pub fn encode_entry(key: &LogKey, entry: &Entry, buf: &mut BytesMut) {
    match &entry.stored {
        Some(stored) => wire::put_delimited(stored, buf),
        None => wire::append_delimited(&to_wire(key, entry), buf),
    }
}

fn to_wire(key: &LogKey, entry: &Entry) -> wire::MeshEntry {
    let (knew_authors, knew_times) = entry.origin.knew_on_wire();
    wire::MeshEntry {
        entry: Some(wire::Entry {
            group_key: key.group.as_bytes().to_vec(),
            receiver: Some(wire::Receiver {
                group_name: key.receiver.to_string(),
                integration: key.integration.to_string(),
                idx: key.index,
            }),
            group_hash: Vec::new(),
            resolved: false,
            timestamp: Some(entry.timestamp.into()),
            firing_alerts: entry.firing.clone(),
            resolved_alerts: entry.resolved.clone(),
            receiver_data: entry.receiver_data.0.clone(),
            author: entry.origin.author,
            knew_authors,
            knew_times,
            unsure: entry.unsure().to_vec(),
        }),
        expires_at: Some(entry.expires_at.into()),
    }
}

/// Reads records of the reference's file format.
///
/// # Errors
/// At the first record that can't be read; nothing is taken then.
pub fn decode(data: Bytes) -> Result<Vec<(LogKey, Arc<Entry>)>, DecodeError> {
    let mut entries = Vec::new();
    decode_each(data, |key, entry| entries.push((key, entry)))?;
    Ok(entries)
}

fn decode_each(mut data: Bytes, mut take: impl FnMut(LogKey, Arc<Entry>)) -> Result<(), DecodeError> {
    let mut names = Names::default();
    let (size, mut record) = (data.len(), 0);
    while !data.is_empty() {
        record += 1;
        let offset = size - data.len();
        let mut rest = &data[..];
        if let Some((key, entry)) = wire::take_plain(&mut rest).and_then(|stored| decode_plain(&mut names, stored)) {
            let taken = data.len() - rest.len();
            data.advance(taken);
            take(key, Arc::new(entry));
            continue;
        }
        let failed = |source| DecodeError::Record { record, offset, source };
        let stored = wire::take_delimited(&mut data).map_err(failed)?;
        let (key, entry) = decode_any(&mut names, stored, record, offset)?;
        take(key, entry);
    }
    Ok(())
}

/// Reads one record; `record` and `offset` say where it is.
///
/// # Errors
/// When it can't be read.
pub(crate) fn decode_record(stored: Bytes, record: usize, offset: usize) -> Result<(LogKey, Arc<Entry>), DecodeError> {
    let mut names = Names::default();
    match decode_plain(&mut names, &stored) {
        Some((key, entry)) => Ok((key, Arc::new(entry))),
        None => decode_any(&mut names, stored, record, offset),
    }
}

/// Reads a record as almost all are; what comes of it is what [`decode_any`] makes of it.
fn decode_plain(names: &mut Names, stored: &[u8]) -> Option<(LogKey, Entry)> {
    let mut mesh = wire::Plain::new(stored);
    let mut fields = wire::Plain::new(mesh.content(1)?);
    let expires_at = mesh.time(2)?;
    let group = fields.text(1)?;
    let mut receiver = wire::Plain::new(fields.content(2)?);
    let (name, integration) = (receiver.text(1).unwrap_or_default(), receiver.text(2).unwrap_or_default());
    let index = receiver.number(3).unwrap_or_default();
    let timestamp = fields.time(5)?;
    let mut firing = fields.numbers(6).unwrap_or_default();
    let mut resolved = fields.numbers(7).unwrap_or_default();
    let author = fields.fixed(wire::AUTHOR).unwrap_or_default();
    if !mesh.is_empty() || !fields.is_empty() || !receiver.is_empty() {
        return None;
    }
    firing.sort_unstable();
    resolved.sort_unstable();
    let key = LogKey {
        group: group.into(),
        receiver: names.shared(name),
        integration: names.shared(integration),
        index: u32::try_from(index).ok()?,
    };
    let (receiver_data, origin) = (ReceiverData::default(), Origin::new(author, Vec::new(), Vec::new()));
    Some((key, Entry { timestamp, expires_at, firing, resolved, receiver_data, origin, stored: None }))
}

/// Reads a record of any form.
fn decode_any(
    names: &mut Names,
    stored: Bytes,
    record: usize,
    offset: usize,
) -> Result<(LogKey, Arc<Entry>), DecodeError> {
    let mesh = wire::MeshEntry::decode(&stored[..]).map_err(|source| DecodeError::Record { record, offset, source })?;
    let as_written_here = is_usual(&mesh) && mesh.encode_to_vec() == stored;
    let missing = |missing| DecodeError::Incomplete { record, offset, missing };
    let entry = mesh.entry.ok_or_else(|| missing("entry"))?;
    let receiver = entry.receiver.ok_or_else(|| missing("receiver"))?;
    let group = String::from_utf8(entry.group_key).map_err(|_| missing("group key in UTF-8"))?;
    let (mut firing, mut resolved) = (entry.firing_alerts, entry.resolved_alerts);
    firing.sort_unstable();
    resolved.sort_unstable();
    let key = LogKey {
        group: group.into(),
        receiver: names.shared(&receiver.group_name),
        integration: names.shared(&receiver.integration),
        index: receiver.idx,
    };
    let mut entry = Entry {
        // the reference takes a time that isn't there for the epoch
        timestamp: entry.timestamp.map_or(Timestamp::EPOCH, Into::into),
        expires_at: mesh.expires_at.map_or(Timestamp::EPOCH, Into::into),
        firing,
        resolved,
        receiver_data: ReceiverData(entry.receiver_data),
        origin: Origin::from_wire(entry.author, entry.knew_authors, entry.knew_times, entry.unsure),
        stored: None,
    };
    if !as_written_here && to_wire(&key, &entry).encode_to_vec() != stored {
        entry.stored = Some(stored[..].into());
    }
    Ok((key, Arc::new(entry)))
}

/// Whether a record loses nothing when it becomes an entry. The hashes are sets: their order means nothing.
fn is_usual(mesh: &wire::MeshEntry) -> bool {
    let Some(entry) = &mesh.entry else { return false };
    let exact =
        |time: Option<wire::WireTime>| time.is_some_and(|time| wire::WireTime::from(Timestamp::from(time)) == time);
    let known = entry.knew_authors.len() == entry.knew_times.len();
    known && entry.group_hash.is_empty() && !entry.resolved && exact(entry.timestamp) && exact(mesh.expires_at)
}

fn digest_of(key: &LogKey, entry: &Entry) -> u64 {
    let mut hash = xxhash_rust::xxh64::Xxh64::new(entry.timestamp.as_nanos() as u64);
    // a part with a zero of its own may look like two: the worst is that logs which differ by it have the same digest
    for part in [&key.group, &key.receiver, &key.integration] {
        hash.update(part.as_bytes());
        hash.update(&[0]);
    }
    hash.update(&key.index.to_le_bytes());
    if entry.origin != Origin::default() {
        entry.origin.feed(&mut hash);
    }
    hash.digest()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const REPEAT: Duration = Duration::from_secs(3600);

    fn entry(firing: &[u64], resolved: &[u64], at: i64) -> Entry {
        Entry {
            timestamp: Timestamp::from_secs(at),
            expires_at: Timestamp::from_secs(at + 7200),
            firing: firing.to_vec(),
            resolved: resolved.to_vec(),
            receiver_data: ReceiverData::default(),
            origin: Origin::default(),
            stored: None,
        }
    }

    fn key(group: &str) -> LogKey {
        LogKey { group: group.into(), receiver: "r".into(), integration: "webhook".into(), index: 0 }
    }

    #[test]
    fn due_follows_the_nine_rules() {
        let now = Timestamp::from_secs(100);
        let check = |entry: Option<Entry>, firing: &[u64], resolved: &[u64], send_resolved| {
            due(entry.as_ref(), firing, resolved, send_resolved, REPEAT, now)
        };
        assert_eq!(check(None, &[1], &[], true), Some(SendReason::FirstNotification));
        assert_eq!(check(None, &[], &[1], true), None);
        assert_eq!(check(Some(entry(&[], &[1], 0)), &[1], &[], true), Some(SendReason::FirstNotification));
        assert_eq!(check(Some(entry(&[1], &[], 0)), &[1, 2], &[], true), Some(SendReason::NewAlerts));
        assert_eq!(check(Some(entry(&[1], &[], 0)), &[], &[1], false), Some(SendReason::AllResolved));
        assert_eq!(check(Some(entry(&[], &[1], 0)), &[], &[1, 2], true), None);
        assert_eq!(check(Some(entry(&[1, 2], &[], 0)), &[1], &[2], true), Some(SendReason::SomeResolved));
        assert_eq!(check(Some(entry(&[1, 2], &[], 0)), &[1], &[2], false), None);
        assert_eq!(check(Some(entry(&[1], &[], 0)), &[1], &[], true), None);
        assert_eq!(check(Some(entry(&[1], &[], -3600)), &[1], &[], true), Some(SendReason::Repeat));
    }

    #[test]
    fn the_later_entry_wins_in_any_order() {
        let now = Timestamp::from_secs(50);
        let (old, new) = (Arc::new(entry(&[1], &[], 10)), Arc::new(entry(&[2], &[], 20)));
        let mut forth = NotificationLog::default();
        assert!(forth.merge(now, key("g"), old.clone()));
        assert!(forth.merge(now, key("g"), new.clone()));
        let mut back = NotificationLog::default();
        assert!(back.merge(now, key("g"), new.clone()));
        assert!(!back.merge(now, key("g"), old));
        assert_eq!(forth.get(&key("g")), back.get(&key("g")));
        assert_eq!(forth.digest(), back.digest());
    }

    #[test]
    fn a_file_reads_back() {
        let mut log = NotificationLog::default();
        for group in ["{}:{}", "{}/{a=\"b\"}:{c=\"d\"}"] {
            log.merge(Timestamp::EPOCH, key(group), Arc::new(entry(&[1, 9], &[4], 10)));
        }
        let read = decode(log.encode()).unwrap();
        assert_eq!(read.iter().map(|(k, e)| (k, e)).collect::<Vec<_>>(), log.iter().collect::<Vec<_>>());
        let mut cut = log.encode();
        cut.truncate(cut.len() - 1);
        assert_eq!(decode(cut).unwrap_err().to_string(), "reading record 2 of the notification log, at byte 40");
    }

    #[test]
    fn expiry_leaves_the_digest_of_the_rest() {
        let mut log = NotificationLog::default();
        log.merge(Timestamp::EPOCH, key("stays"), Arc::new(entry(&[1], &[], 9000)));
        let digest = log.digest().clone();
        log.merge(Timestamp::EPOCH, key("goes"), Arc::new(entry(&[1], &[], 0)));
        log.forget_expired(Timestamp::from_secs(8000));
        assert_eq!((log.len(), log.digest()), (1, &digest));
    }

    #[test]
    fn what_this_version_does_not_know_is_kept() {
        let mut record = to_wire(&key("g"), &entry(&[1], &[], 10)).encode_to_vec();
        wire::put_field(77, b"new", &mut record);
        let (key, entry) = decode_record(record.clone().into(), 1, 0).unwrap();
        let mut again = BytesMut::new();
        encode_entry(&key, &entry, &mut again);
        assert_eq!(wire::take_delimited(&mut again.freeze()).unwrap(), record);
    }

    type Read = Option<(LogKey, Entry)>;

    /// What both ways of reading make of a record; `None`: not plain, or not readable.
    fn both_ways(record: &[u8]) -> (Read, Read) {
        let any = decode_any(&mut Names::default(), Bytes::copy_from_slice(record), 1, 0).ok();
        (decode_plain(&mut Names::default(), record), any.map(|(key, entry)| (key, Entry::clone(&entry))))
    }

    proptest::proptest! {
        #[test]
        fn plain_records_are_what_they_are_in_any_form(
            group in ".{0,9}", receiver in "[ab]?", index in 0..3_u32, time in 0..3_i64, nanos in -1..2_i32,
            hashes in proptest::collection::vec(proptest::prelude::any::<u64>(), 0..4), unusual in 0..6_u8,
            place in proptest::prelude::any::<proptest::sample::Index>(), change in 0..=255_u8,
        ) {
            let mut mesh = to_wire(&key(&group), &entry(&hashes, &hashes, 10));
            if let Some(wire::Entry { receiver: Some(known), resolved, timestamp, .. }) = &mut mesh.entry {
                *known = wire::Receiver { group_name: receiver, idx: index, ..known.clone() };
                *resolved = unusual == 1;
                *timestamp = (unusual != 2).then_some(wire::WireTime { seconds: time, nanos });
            }
            mesh.expires_at = mesh.expires_at.filter(|_| unusual != 3);
            let mut record = mesh.encode_to_vec();
            let (plain, any) = both_ways(&record);
            let usual = !(1..4).contains(&unusual) && nanos >= 0 && !group.is_empty();
            proptest::prop_assert_eq!(plain.is_some(), usual);
            proptest::prop_assert!(plain.is_none() || plain == any);
            // damage is never plain, or means the same both ways
            let place = place.index(record.len());
            record[place] ^= change;
            let (plain, any) = both_ways(&record);
            proptest::prop_assert!(plain.is_none() || plain == any);
        }

        #[test]
        fn entries_merge_to_the_same_in_any_order_and_number(
            entries in proptest::collection::vec((0..4_u8, 1..60_i64), 1..12),
            order in proptest::collection::vec(proptest::prelude::any::<proptest::sample::Index>(), 0..30),
        ) {
            let take = |log: &mut NotificationLog, (group, at): (u8, i64)| {
                log.merge(Timestamp::EPOCH, key(&group.to_string()), Arc::new(entry(&[at as u64], &[], at)));
            };
            let (mut forth, mut mixed) = (NotificationLog::default(), NotificationLog::default());
            entries.iter().for_each(|e| take(&mut forth, *e));
            order.iter().for_each(|place| take(&mut mixed, *place.get(&entries)));
            entries.iter().rev().for_each(|e| take(&mut mixed, *e));
            proptest::prop_assert_eq!(forth.encode(), mixed.encode());
            proptest::prop_assert_eq!(forth.digest(), mixed.digest());
        }

        #[test]
        fn logs_of_members_that_were_apart_become_equal(
            steps in proptest::collection::vec((0..3_usize, 0..3_usize, 0..40_i64, 0..8_u8, 0..8_u8), 1..40),
            ahead in proptest::collection::vec(0..30_i64, 3),
        ) {
            let bits = |set: u8| (0..3_u64).filter(|bit| set & 1 << bit != 0).collect::<Vec<_>>();
            let held = |log: &NotificationLog| log.get(&key("g")).cloned();
            let get = |log: &mut NotificationLog, entry| log.merge(Timestamp::EPOCH, key("g"), entry);
            let hear = |log: &mut NotificationLog, entry| {
                get(log, entry);
            };
            let mut logs = [NotificationLog::default(), NotificationLog::default(), NotificationLog::default()];
            let mut now = 0;
            for (from, to, passes, firing, resolved) in steps {
                now += passes;
                let before = held(&logs[from]);
                if from != to {
                    before.into_iter().for_each(|entry| hear(&mut logs[to], entry));
                    continue;
                }
                let after = before.as_ref().map_or(Timestamp::EPOCH, |held| held.timestamp + Duration::from_nanos(1));
                let timestamp = Timestamp::from_secs(now + ahead[from]).max(after);
                let origin = Origin::after(from as u64 + 1, timestamp, before.as_deref());
                let told = Entry { timestamp, origin, ..entry(&bits(firing), &bits(resolved & !firing), 0) };
                proptest::prop_assert!(get(&mut logs[from], Arc::new(told)));
                let unsure = held(&logs[from]).map(|entry| entry.unsure().len());
                proptest::prop_assert_eq!(unsure, Some(0), "it knew all");
            }
            // each tells the next one, around and around
            for n in 0..9 {
                held(&logs[n % 3]).into_iter().for_each(|entry| hear(&mut logs[(n + 1) % 3], entry));
            }
            for log in &logs {
                proptest::prop_assert_eq!(log.digest(), logs[0].digest());
                let unsure = |log| held(log).map(|entry| entry.unsure().to_vec());
                proptest::prop_assert_eq!(unsure(log), unsure(&logs[0]));
                let read = decode(log.encode()).unwrap();
                let read: Vec<_> = read.iter().map(|(key, entry)| (key, entry)).collect();
                proptest::prop_assert_eq!(read, log.iter().collect::<Vec<_>>());
            }
        }
    }
}
