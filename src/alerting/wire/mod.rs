//! Protobuf of state files and of what peers tell each other. Nothing outside of this module's users sees these types.

mod fields;
mod journal;
mod peer;
mod plain;
mod state;

use bytes::BytesMut;
use prost::Message;

#[cfg(test)]
pub(crate) use fields::Field;
pub(crate) use fields::{fields, others, put_delimited, put_field, take_delimited};
pub use journal::RecordError;
pub(crate) use journal::{
    Record, SavedAlert, SavedGroup, begin_entry, begin_silence, put_alert, put_end, put_gone, put_group, records,
};
pub(crate) use peer::{BucketDigest, Call, Intent, MemberInfo, Offer, Outlook, Reply, StateDigest, StateParts};
pub(crate) use plain::{Plain, take_plain};
pub(crate) use state::{
    AUTHOR, Entry, Matcher, MatcherSet, MatcherType, MeshEntry, MeshSilence, Receiver, ReceiverDataValue, Silence,
    WireTime, receiver_data_value,
};

/// Appends a record preceded by its length.
pub(crate) fn append_delimited(record: &impl Message, buf: &mut BytesMut) {
    // encoding into a growing buffer can't run out of room
    let _ = record.encode_length_delimited(buf);
}
