//! Protobuf of state files and of what peers tell each other. Nothing outside of this module's users sees these types.

mod peer;
mod state;

use bytes::BytesMut;
use prost::Message;

pub(crate) use peer::{Call, MemberInfo, Reply, StateDigest, StateParts};
pub(crate) use state::{
    Entry, Matcher, MatcherSet, MatcherType, MeshEntry, MeshSilence, Receiver, ReceiverDataValue, Silence,
};

/// Appends a record preceded by its length.
pub(crate) fn append_delimited(record: &impl Message, buf: &mut BytesMut) {
    // encoding into a growing buffer can't run out of room
    let _ = record.encode_length_delimited(buf);
}
