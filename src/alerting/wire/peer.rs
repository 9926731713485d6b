//! What peers say to each other over streams: a call and its reply.

/// One call.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Call {
    /// The caller's cluster label; another label than ours is refused before anything else is read.
    #[prost(string, tag = "1")]
    pub(crate) label: String,
    /// Who calls.
    #[prost(message, optional, tag = "2")]
    pub(crate) from: Option<MemberInfo>,
    /// What the caller holds, for the receiver to compare; absent in pure updates.
    #[prost(message, optional, tag = "3")]
    pub(crate) digest: Option<StateDigest>,
    /// Records to merge.
    #[prost(message, optional, tag = "4")]
    pub(crate) state: Option<StateParts>,
    /// Whether the caller meets the receiver, or meets it again.
    #[prost(bool, tag = "5")]
    pub(crate) full: bool,
    /// The live members that the caller knows; with `full` only.
    #[prost(message, repeated, tag = "6")]
    pub(crate) members: Vec<MemberInfo>,
    /// The digest bucket by bucket: the reply is to bring what the receiver holds in those that differ.
    #[prost(message, optional, tag = "7")]
    pub(crate) buckets: Option<BucketDigest>,
    /// Alerts of which the caller knows something that the receiver may lack.
    #[prost(message, repeated, tag = "8")]
    pub(crate) offers: Vec<Offer>,
    /// Records of alerts that the receiver wanted.
    #[prost(bytes = "bytes", tag = "9")]
    pub(crate) alerts: bytes::Bytes,
    /// What the caller sees; with a digest only.
    #[prost(message, optional, tag = "10")]
    pub(crate) outlook: Option<Outlook>,
}

/// The reply to a [`Call`].
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Reply {
    /// Why the call was refused; empty if it wasn't.
    #[prost(string, tag = "1")]
    pub(crate) refused: String,
    /// Who replies.
    #[prost(message, optional, tag = "2")]
    pub(crate) from: Option<MemberInfo>,
    /// What the replier holds after the merge.
    #[prost(message, optional, tag = "3")]
    pub(crate) digest: Option<StateDigest>,
    /// What differs, as the answer to `buckets`.
    #[prost(message, optional, tag = "4")]
    pub(crate) state: Option<StateParts>,
    /// The live members that the replier knows; to a full call only.
    #[prost(message, repeated, tag = "5")]
    pub(crate) members: Vec<MemberInfo>,
    /// Whether the replier has settled: its state counts as the cluster's.
    #[prost(bool, tag = "6")]
    pub(crate) settled: bool,
    /// The digest bucket by bucket, as the answer to `buckets`.
    #[prost(message, optional, tag = "7")]
    pub(crate) buckets: Option<BucketDigest>,
    /// Fingerprints of the offered alerts that the replier lacks, or knows less of.
    #[prost(fixed64, repeated, tag = "8")]
    pub(crate) wanted: Vec<u64>,
    /// Changes for the caller are on their way.
    #[prost(bool, tag = "9")]
    pub(crate) busy: bool,
    /// Topics that the replier is sending; to a full call only.
    #[prost(fixed64, repeated, tag = "10")]
    pub(crate) claimed: Vec<u64>,
    /// What the replier sees; to a call with a digest only.
    #[prost(message, optional, tag = "11")]
    pub(crate) outlook: Option<Outlook>,
}

/// What a member sees and runs, for people who look at another one.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct Outlook {
    /// The first eight bytes of its config's hash; 0: it has none.
    #[prost(fixed64, tag = "1")]
    pub(crate) config: u64,
    /// Hashes of the names of the members that it sees.
    #[prost(fixed32, repeated, tag = "2")]
    pub(crate) sees: Vec<u32>,
}

/// What a member is sending, in a packet.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Intent {
    /// Stable name of the member that says so.
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    /// Of its present life.
    #[prost(uint64, tag = "2")]
    pub(crate) incarnation: u64,
    /// Topics that it has begun to send, or still sends.
    #[prost(fixed64, repeated, tag = "3")]
    pub(crate) claimed: Vec<u64>,
    /// Topics that it has given up.
    #[prost(fixed64, repeated, tag = "4")]
    pub(crate) released: Vec<u64>,
    /// Topics that the next in line may send now.
    #[prost(fixed64, repeated, tag = "5")]
    pub(crate) passed: Vec<u64>,
}

/// A member.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct MemberInfo {
    /// Stable name.
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    /// `IP:port`
    #[prost(string, tag = "2")]
    pub(crate) address: String,
    /// Greater after each restart.
    #[prost(uint64, tag = "3")]
    pub(crate) incarnation: u64,
}

/// Digests of both stores: equal when the stores are.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub(crate) struct StateDigest {
    /// Of the silences.
    #[prost(fixed64, tag = "1")]
    pub(crate) silences: u64,
    /// Of the notification log.
    #[prost(fixed64, tag = "2")]
    pub(crate) notification_log: u64,
}

/// Digests of both stores, bucket by bucket.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct BucketDigest {
    /// Of the silences.
    #[prost(fixed64, repeated, tag = "1")]
    pub(crate) silences: Vec<u64>,
    /// Of the notification log.
    #[prost(fixed64, repeated, tag = "2")]
    pub(crate) notification_log: Vec<u64>,
}

/// What a member knows of an alert, in short. Times are nanoseconds since the Unix epoch.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub(crate) struct Offer {
    /// Hash of the labels.
    #[prost(fixed64, tag = "1")]
    pub(crate) fingerprint: u64,
    /// Since when it fires.
    #[prost(sfixed64, tag = "2")]
    pub(crate) starts_at: i64,
    /// When it stops, or stopped, to fire.
    #[prost(sfixed64, tag = "3")]
    pub(crate) ends_at: i64,
    /// When the last report of it was received.
    #[prost(sfixed64, tag = "4")]
    pub(crate) updated_at: i64,
    /// Hash of the rest.
    #[prost(fixed64, tag = "5")]
    pub(crate) content: u64,
}

/// Records in the formats of the state files.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct StateParts {
    /// `MeshSilence` records, each preceded by its length.
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) silences: bytes::Bytes,
    /// `MeshEntry` records, each preceded by its length.
    #[prost(bytes = "bytes", tag = "2")]
    pub(crate) notification_log: bytes::Bytes,
}
