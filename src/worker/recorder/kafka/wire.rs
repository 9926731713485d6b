//! The few requests that a producer makes, in forms that brokers have known since Kafka 2.1.
//!
//! Our own: a library's decoder takes as much memory as an answer claims to need.

use bytes::{Buf, BufMut, Bytes, BytesMut, TryGetError};

use super::error::Code;

/// A kind of request.
#[derive(Debug)]
pub(super) struct Api {
    pub(super) key: i16,
    /// That we know, best first.
    pub(super) versions: &'static [i16],
}

/// Gives records to the leader of their partition.
pub(super) const PRODUCE: Api = Api { key: 0, versions: &[7, 3] };
/// The same with records that are compressed by Zstandard.
pub(super) const PRODUCE_ZSTD: Api = Api { key: 0, versions: &[7] };
/// Asks who leads what.
pub(super) const METADATA: Api = Api { key: 3, versions: &[4] };
/// Asks for the versions of all requests.
pub(super) const API_VERSIONS: Api = Api { key: 18, versions: &[0] };
/// Asks for an identity that makes repeated batches known as such.
pub(super) const INIT_PRODUCER_ID: Api = Api { key: 22, versions: &[0] };

/// An answer is not what was asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Malformed {
    /// It ends too soon.
    #[error("it ends too soon")]
    Short,
    /// A text isn't one.
    #[error("a text is not UTF-8")]
    Text,
    /// It is longer than any answer to what we ask.
    #[error("it is said to have {0} bytes")]
    Long(i64),
    /// It belongs to another request.
    #[error("it is not for the request")]
    Foreign,
    /// It says nothing of what was asked for.
    #[error("it leaves out what was asked for")]
    Incomplete,
}

impl From<TryGetError> for Malformed {
    fn from(_: TryGetError) -> Self {
        Self::Short
    }
}

/// Whom to write to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Metadata {
    /// Number, host and port of brokers.
    pub(super) brokers: Vec<(i32, String, u16)>,
    /// Of the topic.
    pub(super) topic: Code,
    /// Leaders by partition; `-1`: none.
    pub(super) leaders: Vec<(i32, i32)>,
}

/// The versions that a broker has: key, first, last.
pub(super) type Versions = Vec<(i16, i16, i16)>;

/// The head of a request and where its body belongs.
pub(super) fn request(key: i16, version: i16, correlation: i32, client: &str) -> BytesMut {
    let mut out = BytesMut::new();
    out.put_i16(key);
    out.put_i16(version);
    out.put_i32(correlation);
    put_text(&mut out, client);
    out
}

/// Texts are as long as a host, a topic or a name in a config: what doesn't fit is cut, and refused by the broker.
fn put_text(out: &mut BytesMut, text: &str) {
    let end = text.floor_char_boundary(text.len().min(i16::MAX as usize));
    out.put_i16(end as i16);
    out.put_slice(&text.as_bytes()[..end]);
}

/// Body of a question for one topic, or (`None`) for brokers only. The topic is not made if there is none.
pub(super) fn metadata(out: &mut BytesMut, topic: Option<&str>) {
    out.put_i32(i32::from(topic.is_some()));
    if let Some(topic) = topic {
        put_text(out, topic);
    }
    out.put_u8(0);
}

/// Body of a question for a producer id, without transactions.
pub(super) fn init_producer_id(out: &mut BytesMut) {
    out.put_i16(-1);
    out.put_i32(i32::MAX);
}

/// Body that gives a batch to a partition.
pub(super) fn produce(out: &mut BytesMut, acks: i16, limit_ms: i32, topic: &str, partition: i32, batch: &[u8]) {
    // no transaction
    out.put_i16(-1);
    out.put_i16(acks);
    out.put_i32(limit_ms);
    out.put_i32(1);
    put_text(out, topic);
    out.put_i32(1);
    out.put_i32(partition);
    out.put_i32(i32::try_from(batch.len()).unwrap_or(i32::MAX));
    out.put_slice(batch);
}

/// Reads the answer to [`API_VERSIONS`].
pub(super) fn read_versions(from: &mut Bytes) -> Result<(Code, Versions), Malformed> {
    let code = Code(from.try_get_i16()?);
    let mut versions = Vec::new();
    for _ in 0..from.try_get_i32()? {
        versions.push((from.try_get_i16()?, from.try_get_i16()?, from.try_get_i16()?));
    }
    Ok((code, versions))
}

/// Reads the answer to [`metadata`]: of the one topic, if there was one.
pub(super) fn read_metadata(from: &mut Bytes) -> Result<Metadata, Malformed> {
    let _throttle = from.try_get_i32()?;
    let mut metadata = Metadata { brokers: Vec::new(), topic: Code(0), leaders: Vec::new() };
    for _ in 0..from.try_get_i32()? {
        let node = from.try_get_i32()?;
        let host = text(from)?.ok_or(Malformed::Incomplete)?;
        let port = from.try_get_i32()?;
        let _rack = text(from)?;
        metadata.brokers.push((node, host, u16::try_from(port).map_err(|_| Malformed::Incomplete)?));
    }
    let _cluster = text(from)?;
    let _controller = from.try_get_i32()?;
    for _ in 0..from.try_get_i32()? {
        metadata.topic = Code(from.try_get_i16()?);
        let _name = text(from)?;
        let _internal = from.try_get_u8()?;
        for _ in 0..from.try_get_i32()? {
            let _code = from.try_get_i16()?;
            metadata.leaders.push((from.try_get_i32()?, from.try_get_i32()?));
            for _replicas_and_those_in_sync in 0..2 {
                for _ in 0..from.try_get_i32()? {
                    from.try_get_i32()?;
                }
            }
        }
    }
    metadata.leaders.sort_unstable();
    Ok(metadata)
}

/// Reads the answer to [`init_producer_id`]: the id and its epoch.
pub(super) fn read_producer_id(from: &mut Bytes) -> Result<(Code, i64, i16), Malformed> {
    let _throttle = from.try_get_i32()?;
    Ok((Code(from.try_get_i16()?), from.try_get_i64()?, from.try_get_i16()?))
}

/// Reads the answer to [`produce`], of its one partition.
pub(super) fn read_produced(from: &mut Bytes) -> Result<Code, Malformed> {
    for _topics in 0..from.try_get_i32()? {
        let _name = text(from)?;
        if from.try_get_i32()? > 0 {
            let _partition = from.try_get_i32()?;
            // offsets and times follow
            return Ok(Code(from.try_get_i16()?));
        }
    }
    Err(Malformed::Incomplete)
}

fn text(from: &mut Bytes) -> Result<Option<String>, Malformed> {
    let Ok(length) = usize::try_from(from.try_get_i16()?) else { return Ok(None) };
    if length > from.remaining() {
        return Err(Malformed::Short);
    }
    let text = from.split_to(length);
    Ok(Some(std::str::from_utf8(&text).map_err(|_| Malformed::Text)?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_that_claim_too_much_are_refused() {
        let endless = || Bytes::from_static(&[0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 1]);
        assert!(matches!(read_metadata(&mut endless()), Err(Malformed::Short)));
        assert!(matches!(read_versions(&mut endless()), Err(Malformed::Short)));
        assert!(matches!(read_produced(&mut endless()), Err(Malformed::Incomplete | Malformed::Short)));
        assert!(matches!(read_producer_id(&mut endless()), Err(Malformed::Short)));
        assert!(matches!(text(&mut Bytes::from_static(&[0, 9, b'x'])), Err(Malformed::Short)));
        assert!(matches!(text(&mut Bytes::from_static(&[0, 1, 0xff])), Err(Malformed::Text)));
    }
}
