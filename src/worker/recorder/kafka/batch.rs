//! Batches of records, and the partition that a key belongs to.

use std::io::{self, Write};

use alerting::config::KafkaCompression;
use bytes::{BufMut, Bytes, BytesMut};
use flate2::write::GzEncoder;
use lz4_flex::frame::{BlockMode, FrameEncoder, FrameInfo};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

/// Longest batch before compression, as brokers take it by default.
pub(super) const BATCH_MAX: usize = 1_000_012;

/// More than the fields of a batch need, and those of a record.
const BATCH_FIELDS: usize = 64;
const RECORD_FIELDS: usize = 32;

/// An event on its way.
#[derive(Clone, Debug)]
pub(super) struct Record {
    /// Milliseconds since 1970.
    pub(super) at: i64,
    pub(super) value: Bytes,
}

/// Who produces, so that a batch that comes twice is known as such.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) id: i64,
    pub(super) epoch: i16,
    /// Of the next record.
    pub(super) sequence: i32,
}

impl Identity {
    /// Nobody in particular.
    pub(super) const NONE: Self = Self { id: -1, epoch: -1, sequence: -1 };

    /// After so many more records.
    pub(super) fn advance(&mut self, records: usize) {
        self.sequence = self.sequence.wrapping_add(records as i32) & i32::MAX;
    }
}

/// Upper bound of a batch of one record of that length; its value's part of a longer batch is less.
pub(super) const fn size(key: &[u8], value: usize) -> usize {
    BATCH_FIELDS + RECORD_FIELDS + key.len() + value
}

/// A batch in the protocol's form.
///
/// # Errors
/// When it can't be compressed.
pub(super) fn encode(
    records: &[Record],
    key: &[u8],
    identity: Identity,
    compression: KafkaCompression,
) -> io::Result<Bytes> {
    let times = || records.iter().map(|record| record.at);
    let (first, last) = (times().min().unwrap_or_default(), times().max().unwrap_or_default());
    let mut plain = Vec::new();
    let mut one = Vec::new();
    for (offset, record) in records.iter().enumerate() {
        one.clear();
        one.push(0);
        put_varint(&mut one, record.at - first);
        put_varint(&mut one, offset as i64);
        put_varint(&mut one, key.len() as i64);
        one.extend_from_slice(key);
        put_varint(&mut one, record.value.len() as i64);
        one.extend_from_slice(&record.value);
        // no headers
        put_varint(&mut one, 0);
        put_varint(&mut plain, one.len() as i64);
        plain.extend_from_slice(&one);
    }
    let (codec, body) = match codec(compression) {
        0 => (0, plain),
        codec => {
            let smaller = compress(&plain, compression)?;
            // as the reference: not if it doesn't help
            if smaller.len() < plain.len() { (codec, smaller) } else { (0, plain) }
        }
    };
    // what the checksum is made of
    let mut summed = BytesMut::with_capacity(body.len() + BATCH_FIELDS);
    summed.put_i16(codec);
    summed.put_i32(records.len() as i32 - 1);
    summed.put_i64(first);
    summed.put_i64(last);
    summed.put_i64(identity.id);
    summed.put_i16(identity.epoch);
    summed.put_i32(identity.sequence);
    summed.put_i32(records.len() as i32);
    summed.put_slice(&body);
    let mut batch = BytesMut::with_capacity(summed.len() + BATCH_FIELDS);
    batch.put_i64(0);
    batch.put_i32(summed.len() as i32 + 9);
    // the leader's epoch is the broker's business; the form is the second
    batch.put_i32(-1);
    batch.put_i8(2);
    batch.put_u32(crc32c::crc32c(&summed));
    batch.put_slice(&summed);
    Ok(batch.freeze())
}

/// Among the attributes of a batch.
const fn codec(compression: KafkaCompression) -> i16 {
    match compression {
        KafkaCompression::None => 0,
        KafkaCompression::Gzip => 1,
        KafkaCompression::Snappy => 2,
        KafkaCompression::Lz4 => 3,
        KafkaCompression::Zstd => 4,
    }
}

fn compress(plain: &[u8], compression: KafkaCompression) -> io::Result<Vec<u8>> {
    match compression {
        KafkaCompression::None => Ok(plain.to_vec()),
        KafkaCompression::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(plain)?;
            encoder.finish()
        }
        KafkaCompression::Snappy => snap::raw::Encoder::new().compress_vec(plain).map_err(io::Error::other),
        KafkaCompression::Lz4 => {
            // Java's reader takes nothing else
            let info = FrameInfo::new().block_mode(BlockMode::Independent);
            let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
            encoder.write_all(plain)?;
            encoder.finish().map_err(io::Error::other)
        }
        KafkaCompression::Zstd => Ok(compress_to_vec(plain, CompressionLevel::Fastest)),
    }
}

/// Zigzag, seven bits at a time.
fn put_varint(out: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// Where records of a key go when there are so many partitions: as Java's producer and the reference choose.
pub(super) fn partition(key: &[u8], partitions: usize) -> usize {
    (murmur2(key) & 0x7fff_ffff) as usize % partitions.max(1)
}

fn murmur2(data: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let mut hash = 0x9747_b28c ^ data.len() as u32;
    let mut chunks = data.chunks_exact(4);
    for chunk in &mut chunks {
        let mut word = chunk.iter().rev().fold(0_u32, |word, byte| word << 8 | u32::from(*byte));
        word = word.wrapping_mul(M);
        word ^= word >> 24;
        hash = hash.wrapping_mul(M) ^ word.wrapping_mul(M);
    }
    let rest = chunks.remainder();
    if !rest.is_empty() {
        hash ^= rest.iter().rev().fold(0_u32, |word, byte| word << 8 | u32::from(*byte));
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ hash >> 15
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_hashed_as_by_java() {
        // from the tests of Kafka's own `Utils.murmur2`
        let rows: [(&str, i32); 5] = [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
        ];
        for (key, hash) in rows {
            assert_eq!(murmur2(key.as_bytes()) as i32, hash, "{key}");
        }
    }

    #[test]
    fn sequences_begin_anew_after_the_last() {
        let mut identity = Identity { id: 1, epoch: 0, sequence: i32::MAX - 1 };
        identity.advance(2);
        assert_eq!(identity.sequence, 0);
    }
}
