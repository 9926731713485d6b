//! The records of the files `nflog` and `silences`, field for field as the reference has them.

use std::collections::BTreeMap;

use crate::time::Timestamp;

/// `google.protobuf.Timestamp`
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub(crate) struct WireTime {
    /// Since the Unix epoch.
    #[prost(int64, tag = "1")]
    pub(crate) seconds: i64,
    /// 0..1e9
    #[prost(int32, tag = "2")]
    pub(crate) nanos: i32,
}

impl From<Timestamp> for WireTime {
    fn from(time: Timestamp) -> Self {
        Self { seconds: time.as_secs(), nanos: time.subsec_nanos() }
    }
}

impl From<WireTime> for Timestamp {
    fn from(time: WireTime) -> Self {
        let nanos = time.seconds.saturating_mul(1_000_000_000).saturating_add(i64::from(time.nanos));
        Self::from_nanos(nanos)
    }
}

/// A record of the file `nflog`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct MeshEntry {
    /// The entry.
    #[prost(message, optional, tag = "1")]
    pub(crate) entry: Option<Entry>,
    /// When it may be forgotten.
    #[prost(message, optional, tag = "2")]
    pub(crate) expires_at: Option<WireTime>,
}

/// What was sent to one integration for one group.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Entry {
    /// The group key.
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) group_key: Vec<u8>,
    /// To whom.
    #[prost(message, optional, tag = "2")]
    pub(crate) receiver: Option<Receiver>,
    /// Of old versions.
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) group_hash: Vec<u8>,
    /// Of old versions.
    #[prost(bool, tag = "4")]
    pub(crate) resolved: bool,
    /// When.
    #[prost(message, optional, tag = "5")]
    pub(crate) timestamp: Option<WireTime>,
    /// Log hashes.
    #[prost(uint64, repeated, tag = "6")]
    pub(crate) firing_alerts: Vec<u64>,
    /// Log hashes.
    #[prost(uint64, repeated, tag = "7")]
    pub(crate) resolved_alerts: Vec<u64>,
    /// Of the integration.
    #[prost(btree_map = "string, message", tag = "8")]
    pub(crate) receiver_data: BTreeMap<String, ReceiverDataValue>,
    /// Ours only, like what follows; the reference skips it.
    #[prost(fixed64, tag = "1001")]
    pub(crate) author: u64,
    /// Whose entries the author held.
    #[prost(fixed64, repeated, tag = "1002")]
    pub(crate) knew_authors: Vec<u64>,
    /// Of when they were, in nanoseconds.
    #[prost(sfixed64, repeated, tag = "1003")]
    pub(crate) knew_times: Vec<i64>,
    /// Log hashes.
    #[prost(fixed64, repeated, tag = "1004")]
    pub(crate) unsure: Vec<u64>,
}

/// Number of the field of an entry's author.
pub(crate) const AUTHOR: u32 = 1001;

/// An integration of a receiver.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct Receiver {
    /// Name of the receiver.
    #[prost(string, tag = "1")]
    pub(crate) group_name: String,
    /// Kind of the integration.
    #[prost(string, tag = "2")]
    pub(crate) integration: String,
    /// Index in its kind.
    #[prost(uint32, tag = "3")]
    pub(crate) idx: u32,
}

/// A value that an integration keeps.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ReceiverDataValue {
    /// The value.
    #[prost(oneof = "receiver_data_value::Value", tags = "1, 2, 3")]
    pub(crate) value: Option<receiver_data_value::Value>,
}

/// The kinds of [`ReceiverDataValue`].
pub(crate) mod receiver_data_value {
    /// One of three types; the names are the reference's.
    #[expect(clippy::enum_variant_names, reason = "named as in the reference's schema")]
    #[derive(Clone, PartialEq, prost::Oneof)]
    pub(crate) enum Value {
        /// Text.
        #[prost(string, tag = "1")]
        StrVal(String),
        /// Whole number.
        #[prost(int64, tag = "2")]
        IntVal(i64),
        /// Number.
        #[prost(double, tag = "3")]
        DoubleVal(f64),
    }
}

/// A record of the file `silences`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct MeshSilence {
    /// The silence.
    #[prost(message, optional, tag = "1")]
    pub(crate) silence: Option<Silence>,
    /// When it may be forgotten.
    #[prost(message, optional, tag = "2")]
    pub(crate) expires_at: Option<WireTime>,
}

/// A silence as stored.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Silence {
    /// UUID.
    #[prost(string, tag = "1")]
    pub(crate) id: String,
    /// The first set again, for readers older than 0.32.
    #[prost(message, repeated, tag = "2")]
    pub(crate) matchers: Vec<Matcher>,
    /// From when.
    #[prost(message, optional, tag = "3")]
    pub(crate) starts_at: Option<WireTime>,
    /// Until when.
    #[prost(message, optional, tag = "4")]
    pub(crate) ends_at: Option<WireTime>,
    /// Of this version of it.
    #[prost(message, optional, tag = "5")]
    pub(crate) updated_at: Option<WireTime>,
    /// Of old versions.
    #[prost(message, repeated, tag = "7")]
    pub(crate) comments: Vec<Comment>,
    /// Who made it.
    #[prost(string, tag = "8")]
    pub(crate) created_by: String,
    /// Why.
    #[prost(string, tag = "9")]
    pub(crate) comment: String,
    /// Free text.
    #[prost(btree_map = "string, string", tag = "10")]
    pub(crate) annotations: BTreeMap<String, String>,
    /// Any of them may match.
    #[prost(message, repeated, tag = "11")]
    pub(crate) matcher_sets: Vec<MatcherSet>,
}

/// A comment in the old form.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct Comment {
    /// Who.
    #[prost(string, tag = "1")]
    pub(crate) author: String,
    /// What.
    #[prost(string, tag = "2")]
    pub(crate) comment: String,
    /// When.
    #[prost(message, optional, tag = "3")]
    pub(crate) timestamp: Option<WireTime>,
}

/// A matcher as stored.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct Matcher {
    /// The operator.
    #[prost(enumeration = "MatcherType", tag = "1")]
    pub(crate) r#type: i32,
    /// Of the label.
    #[prost(string, tag = "2")]
    pub(crate) name: String,
    /// Value or regular expression.
    #[prost(string, tag = "3")]
    pub(crate) pattern: String,
}

/// The operators as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub(crate) enum MatcherType {
    /// `=`
    Equal = 0,
    /// `=~`
    Regexp = 1,
    /// `!=`
    NotEqual = 2,
    /// `!~`
    NotRegexp = 3,
}

/// All of them must match.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct MatcherSet {
    /// The matchers.
    #[prost(message, repeated, tag = "1")]
    pub(crate) matchers: Vec<Matcher>,
}
