//! The records of the files `nflog` and `silences`, field for field as the reference has them.

use std::collections::BTreeMap;

use crate::time::Timestamp;

/// `google.protobuf.Timestamp`
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct WireTime {
    /// Since the Unix epoch.
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    /// 0..1e9
    #[prost(int32, tag = "2")]
    pub nanos: i32,
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
pub struct MeshEntry {
    /// The entry.
    #[prost(message, optional, tag = "1")]
    pub entry: Option<Entry>,
    /// When it may be forgotten.
    #[prost(message, optional, tag = "2")]
    pub expires_at: Option<WireTime>,
}

/// What was sent to one integration for one group.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Entry {
    /// The group key.
    #[prost(bytes = "vec", tag = "1")]
    pub group_key: Vec<u8>,
    /// To whom.
    #[prost(message, optional, tag = "2")]
    pub receiver: Option<Receiver>,
    /// Of old versions.
    #[prost(bytes = "vec", tag = "3")]
    pub group_hash: Vec<u8>,
    /// Of old versions.
    #[prost(bool, tag = "4")]
    pub resolved: bool,
    /// When.
    #[prost(message, optional, tag = "5")]
    pub timestamp: Option<WireTime>,
    /// Log hashes.
    #[prost(uint64, repeated, tag = "6")]
    pub firing_alerts: Vec<u64>,
    /// Log hashes.
    #[prost(uint64, repeated, tag = "7")]
    pub resolved_alerts: Vec<u64>,
    /// Of the integration.
    #[prost(btree_map = "string, message", tag = "8")]
    pub receiver_data: BTreeMap<String, ReceiverDataValue>,
}

/// An integration of a receiver.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Receiver {
    /// Name of the receiver.
    #[prost(string, tag = "1")]
    pub group_name: String,
    /// Kind of the integration.
    #[prost(string, tag = "2")]
    pub integration: String,
    /// Index in its kind.
    #[prost(uint32, tag = "3")]
    pub idx: u32,
}

/// A value that an integration keeps.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ReceiverDataValue {
    /// The value.
    #[prost(oneof = "receiver_data_value::Value", tags = "1, 2, 3")]
    pub value: Option<receiver_data_value::Value>,
}

/// The kinds of [`ReceiverDataValue`].
pub mod receiver_data_value {
    /// One of three types.
    #[derive(Clone, PartialEq, prost::Oneof)]
    pub enum Value {
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
pub struct MeshSilence {
    /// The silence.
    #[prost(message, optional, tag = "1")]
    pub silence: Option<Silence>,
    /// When it may be forgotten.
    #[prost(message, optional, tag = "2")]
    pub expires_at: Option<WireTime>,
}

/// A silence as stored.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Silence {
    /// UUID.
    #[prost(string, tag = "1")]
    pub id: String,
    /// The first set again, for readers older than 0.32.
    #[prost(message, repeated, tag = "2")]
    pub matchers: Vec<Matcher>,
    /// From when.
    #[prost(message, optional, tag = "3")]
    pub starts_at: Option<WireTime>,
    /// Until when.
    #[prost(message, optional, tag = "4")]
    pub ends_at: Option<WireTime>,
    /// Of this version of it.
    #[prost(message, optional, tag = "5")]
    pub updated_at: Option<WireTime>,
    /// Of old versions.
    #[prost(message, repeated, tag = "7")]
    pub comments: Vec<Comment>,
    /// Who made it.
    #[prost(string, tag = "8")]
    pub created_by: String,
    /// Why.
    #[prost(string, tag = "9")]
    pub comment: String,
    /// Free text.
    #[prost(btree_map = "string, string", tag = "10")]
    pub annotations: BTreeMap<String, String>,
    /// Any of them may match.
    #[prost(message, repeated, tag = "11")]
    pub matcher_sets: Vec<MatcherSet>,
}

/// A comment in the old form.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Comment {
    /// Who.
    #[prost(string, tag = "1")]
    pub author: String,
    /// What.
    #[prost(string, tag = "2")]
    pub comment: String,
    /// When.
    #[prost(message, optional, tag = "3")]
    pub timestamp: Option<WireTime>,
}

/// A matcher as stored.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Matcher {
    /// The operator.
    #[prost(enumeration = "MatcherType", tag = "1")]
    pub r#type: i32,
    /// Of the label.
    #[prost(string, tag = "2")]
    pub name: String,
    /// Value or regular expression.
    #[prost(string, tag = "3")]
    pub pattern: String,
}

/// The operators as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum MatcherType {
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
pub struct MatcherSet {
    /// The matchers.
    #[prost(message, repeated, tag = "1")]
    pub matchers: Vec<Matcher>,
}
