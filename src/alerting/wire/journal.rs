//! The records of the journal and of the file `alerts`: what this program keeps beyond the reference's files.
//!
//! A payload is one protobuf message whose fields are the records, in the order in which they happened.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use prost::Message;
use prost::encoding::{WireType, encode_key};

use super::fields::{fields, put_field};
use crate::alert::Alert;
use crate::label::{Fingerprint, LabelSet};
use crate::time::Timestamp;

const SILENCE: u32 = 1;
const ENTRY: u32 = 2;
const ALERT: u32 = 3;
const GONE: u32 = 4;
const GROUP: u32 = 5;
const END: u32 = 6;

/// One record.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Record {
    /// A version of a silence: a `MeshSilence`.
    Silence(Bytes),
    /// An entry of the notification log: a `MeshEntry`.
    Entry(Bytes),
    /// An alert as it was then.
    Alert(SavedAlert),
    /// An alert is resolved and out of all groups.
    Gone { fingerprint: Fingerprint, at: Timestamp },
    /// A group was made, or is there.
    Group(SavedGroup),
    /// The last record of the file `alerts`, and how many alerts and groups come before it.
    End(u64),
}

/// An alert as it was at a moment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SavedAlert {
    pub(crate) alert: Alert,
    /// That moment.
    pub(crate) saved_at: Timestamp,
}

/// The timer of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SavedGroup {
    /// Id of its route.
    pub(crate) route: Arc<str>,
    pub(crate) labels: LabelSet,
    pub(crate) next_flush: Timestamp,
}

/// A record can't be read although it is what was written: another version wrote it.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Not the protobuf that it should be.
    #[error("reading a record of the journal")]
    Decode(#[from] prost::DecodeError),
    /// A kind that this version doesn't know.
    #[error("reading a record of the journal: its kind {0} is unknown, a newer version has written it")]
    Unknown(u32),
    /// The file `alerts` doesn't end as it should.
    #[error("reading the saved alerts: {found} records instead of {wanted}")]
    Incomplete {
        /// How many there are.
        found: u64,
        /// How many there should be.
        wanted: u64,
    },
}

#[derive(Clone, PartialEq, prost::Message)]
struct AlertMessage {
    /// Names and values in turn.
    #[prost(string, repeated, tag = "1")]
    labels: Vec<String>,
    /// Names and values in turn.
    #[prost(string, repeated, tag = "2")]
    annotations: Vec<String>,
    #[prost(string, tag = "3")]
    generator_url: String,
    /// All times are nanoseconds since the Unix epoch.
    #[prost(sfixed64, tag = "4")]
    starts_at: i64,
    #[prost(sfixed64, tag = "5")]
    ends_at: i64,
    #[prost(sfixed64, tag = "6")]
    updated_at: i64,
    #[prost(bool, tag = "7")]
    timeout: bool,
    #[prost(sfixed64, tag = "8")]
    saved_at: i64,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct GoneMessage {
    #[prost(fixed64, tag = "1")]
    fingerprint: u64,
    #[prost(sfixed64, tag = "2")]
    at: i64,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct GroupMessage {
    #[prost(string, tag = "1")]
    route: String,
    /// Names and values in turn.
    #[prost(string, repeated, tag = "2")]
    labels: Vec<String>,
    #[prost(sfixed64, tag = "3")]
    next_flush: i64,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct EndMessage {
    #[prost(uint64, tag = "1")]
    records: u64,
}

/// Reads the records of a payload.
///
/// # Errors
/// When it was written by another version, or isn't a payload.
pub(crate) fn records(payload: &Bytes) -> Result<Vec<Record>, RecordError> {
    let record = |field: super::fields::Field| match field.tag {
        SILENCE => Ok(Record::Silence(field.content)),
        ENTRY => Ok(Record::Entry(field.content)),
        ALERT => Ok(Record::Alert(AlertMessage::decode(field.content)?.into())),
        GONE => {
            let gone = GoneMessage::decode(field.content)?;
            Ok(Record::Gone { fingerprint: Fingerprint(gone.fingerprint), at: Timestamp::from_nanos(gone.at) })
        }
        GROUP => Ok(Record::Group(GroupMessage::decode(field.content)?.into())),
        END => Ok(Record::End(EndMessage::decode(field.content)?.records)),
        unknown => Err(RecordError::Unknown(unknown)),
    };
    fields(payload)?.into_iter().map(record).collect()
}

/// Appends the key of a version of a silence; its delimited `MeshSilence` must follow.
pub(crate) fn begin_silence(buf: &mut BytesMut) {
    encode_key(SILENCE, WireType::LengthDelimited, buf);
}

/// Appends the key of a log entry; its delimited `MeshEntry` must follow.
pub(crate) fn begin_entry(buf: &mut BytesMut) {
    encode_key(ENTRY, WireType::LengthDelimited, buf);
}

/// Appends an alert. Written by hand, since every new alert goes through here: the labels are not copied first.
pub(crate) fn put_alert(alert: &Alert, saved_at: Timestamp, scratch: &mut BytesMut, buf: &mut BytesMut) {
    scratch.clear();
    put_pairs(1, &alert.labels, scratch);
    put_pairs(2, &alert.annotations, scratch);
    if !alert.generator_url.is_empty() {
        put_field(3, alert.generator_url.as_bytes(), scratch);
    }
    for (tag, time) in [(4, alert.starts_at), (5, alert.ends_at), (6, alert.updated_at), (8, saved_at)] {
        encode_key(tag, WireType::SixtyFourBit, scratch);
        scratch.put_i64_le(time.as_nanos());
    }
    if alert.timeout {
        encode_key(7, WireType::Varint, scratch);
        scratch.put_u8(1);
    }
    put_field(ALERT, scratch, buf);
}

/// Appends that an alert is out of all groups.
pub(crate) fn put_gone(fingerprint: Fingerprint, at: Timestamp, buf: &mut BytesMut) {
    let gone = GoneMessage { fingerprint: fingerprint.0, at: at.as_nanos() };
    put_field(GONE, &gone.encode_to_vec(), buf);
}

/// Appends the timer of a group.
pub(crate) fn put_group(group: &SavedGroup, buf: &mut BytesMut) {
    let labels = group.labels.iter().flat_map(|(name, value)| [name.to_owned(), value.to_owned()]).collect();
    let message = GroupMessage { route: group.route.to_string(), labels, next_flush: group.next_flush.as_nanos() };
    put_field(GROUP, &message.encode_to_vec(), buf);
}

/// Appends the last record of the file `alerts`.
pub(crate) fn put_end(records: u64, buf: &mut BytesMut) {
    put_field(END, &EndMessage { records }.encode_to_vec(), buf);
}

fn put_pairs(tag: u32, labels: &LabelSet, buf: &mut BytesMut) {
    for (name, value) in labels.iter() {
        put_field(tag, name.as_bytes(), buf);
        put_field(tag, value.as_bytes(), buf);
    }
}

fn pairs(texts: &[String]) -> LabelSet {
    LabelSet::new(texts.chunks_exact(2).map(|pair| (pair[0].as_str(), pair[1].as_str())))
}

impl From<AlertMessage> for SavedAlert {
    fn from(message: AlertMessage) -> Self {
        let labels = pairs(&message.labels);
        let (fingerprint, log_hash) = (labels.fingerprint(), labels.log_hash());
        let alert = Alert {
            labels,
            fingerprint,
            log_hash,
            annotations: pairs(&message.annotations),
            generator_url: message.generator_url.into(),
            starts_at: Timestamp::from_nanos(message.starts_at),
            ends_at: Timestamp::from_nanos(message.ends_at),
            updated_at: Timestamp::from_nanos(message.updated_at),
            timeout: message.timeout,
        };
        Self { alert, saved_at: Timestamp::from_nanos(message.saved_at) }
    }
}

impl From<GroupMessage> for SavedGroup {
    fn from(message: GroupMessage) -> Self {
        Self {
            route: message.route.into(),
            labels: pairs(&message.labels),
            next_flush: Timestamp::from_nanos(message.next_flush),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    prop_compose! {
        fn alert()(
            labels in proptest::collection::btree_map(".{1,8}", ".{0,20}", 0..8),
            annotations in proptest::collection::btree_map(".{1,8}", ".{0,80}", 0..3),
            url in ".{0,20}",
            times in any::<[i64; 3]>(),
            timeout in any::<bool>(),
        ) -> Alert {
            let labels = LabelSet::new(labels);
            Alert {
                fingerprint: labels.fingerprint(),
                log_hash: labels.log_hash(),
                labels,
                annotations: LabelSet::new(annotations),
                generator_url: url.into(),
                starts_at: Timestamp::from_nanos(times[0]),
                ends_at: Timestamp::from_nanos(times[1]),
                updated_at: Timestamp::from_nanos(times[2]),
                timeout,
            }
        }
    }

    proptest! {
        #[test]
        fn records_read_back_in_order(alerts in proptest::collection::vec(alert(), 0..6), at in any::<i64>()) {
            let at = Timestamp::from_nanos(at);
            let (mut scratch, mut buf, mut wanted) = (BytesMut::new(), BytesMut::new(), Vec::new());
            for alert in alerts {
                put_alert(&alert, at, &mut scratch, &mut buf);
                put_gone(alert.fingerprint, at, &mut buf);
                let group = SavedGroup { route: "{}/{a=\"b\"}/0".into(), labels: alert.labels.clone(), next_flush: at };
                put_group(&group, &mut buf);
                let fingerprint = alert.fingerprint;
                wanted.push(Record::Alert(SavedAlert { alert, saved_at: at }));
                wanted.extend([Record::Gone { fingerprint, at }, Record::Group(group)]);
            }
            put_end(wanted.len() as u64, &mut buf);
            wanted.push(Record::End(wanted.len() as u64));
            prop_assert_eq!(records(&buf.freeze()).unwrap(), wanted);
        }
    }

    #[test]
    fn a_newer_kind_is_refused() {
        let mut buf = BytesMut::new();
        put_field(99, b"x", &mut buf);
        assert!(matches!(records(&buf.freeze()), Err(RecordError::Unknown(99))));
    }
}
