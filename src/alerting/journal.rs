//! How records lie in a file that only grows: frames with length and checksum, told apart from what a crash left.
//!
//! A file is [`MAGIC`], then frames. One frame is one write: `length` of the payload (4 bytes), `synced` (8), checksum
//! (8), payload; numbers are little-endian, the checksum is xxHash64 of the first two and the payload. `synced` is how
//! much of the file was durable when the frame was written: a bad frame that lies before the `synced` of a good one is
//! damage; any other was never promised to anybody.

use bytes::Bytes;
use xxhash_rust::xxh64::Xxh64;

/// The first bytes of a file; the last of them is the version of the format.
pub const MAGIC: [u8; 8] = *b"amojrnl\x01";

const HEADER: usize = 20;

/// More than any frame has.
const PAYLOAD_MAX: usize = 1 << 30;

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The payloads of the good frames, in order.
    pub payloads: Vec<Bytes>,
    /// Bytes of the file up to the end of the last good frame.
    pub good: u64,
    /// Bytes after it, of a write that a crash cut off.
    pub torn: u64,
}

/// A file can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// It begins otherwise.
    #[error("it is not of the format that this version writes")]
    Format,
    /// Something in it was changed after it had been durable.
    #[error("it is damaged at byte {offset}: a checksum is wrong there, but what was written later is whole")]
    Damaged {
        /// Where the bad frame begins.
        offset: u64,
    },
}

/// Appends a frame with this payload. `synced` is how many bytes of the file are known to be durable.
pub fn put_frame(payload: &[Bytes], synced: u64, file: &mut Vec<u8>) {
    let length: usize = payload.iter().map(Bytes::len).sum();
    let mut header = [0; 12];
    header[..4].copy_from_slice(&(length as u32).to_le_bytes());
    header[4..].copy_from_slice(&synced.to_le_bytes());
    let mut hash = Xxh64::new(0);
    hash.update(&header);
    payload.iter().for_each(|part| hash.update(part));
    file.extend_from_slice(&header);
    file.extend_from_slice(&hash.digest().to_le_bytes());
    payload.iter().for_each(|part| file.extend_from_slice(part));
}

/// Reads a file. What follows the last good frame is torn: it is left out and counted.
///
/// # Errors
/// When the file is another's, or damaged where it was durable already.
pub fn read(file: &Bytes) -> Result<Content, JournalError> {
    if file.len() < MAGIC.len() {
        return match MAGIC.starts_with(file) {
            true => Ok(Content { payloads: Vec::new(), good: 0, torn: file.len() as u64 }),
            false => Err(JournalError::Format),
        };
    }
    if !file.starts_with(&MAGIC) {
        return Err(JournalError::Format);
    }
    let mut payloads = Vec::new();
    let mut at = MAGIC.len();
    while let Some(frame) = frame_at(file, at) {
        at += HEADER + frame.payload.len();
        payloads.push(frame.payload);
    }
    let mut later = (at + 1..file.len()).filter_map(|later| frame_at(file, later));
    if later.any(|frame| frame.synced > at as u64) {
        return Err(JournalError::Damaged { offset: at as u64 });
    }
    Ok(Content { payloads, good: at as u64, torn: (file.len() - at) as u64 })
}

struct Frame {
    synced: u64,
    payload: Bytes,
}

fn frame_at(file: &Bytes, at: usize) -> Option<Frame> {
    let header = file.get(at..at + HEADER)?;
    let length = u32::from_le_bytes(header[..4].try_into().ok()?) as usize;
    let synced = u64::from_le_bytes(header[4..12].try_into().ok()?);
    let checksum = u64::from_le_bytes(header[12..].try_into().ok()?);
    let end = at + HEADER + length;
    // nothing is durable that has not been written yet
    if length == 0 || length > PAYLOAD_MAX || end > file.len() || synced > at as u64 {
        return None;
    }
    let mut hash = Xxh64::new(0);
    hash.update(&header[..12]);
    hash.update(&file[at + HEADER..end]);
    (hash.digest() == checksum).then(|| Frame { synced, payload: file.slice(at + HEADER..end) })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A file of these payloads, each synced or not once it was written, and where its frames end.
    fn file(payloads: &[(Vec<u8>, bool)]) -> (Vec<u8>, Vec<usize>) {
        let mut file = MAGIC.to_vec();
        let (mut synced, mut ends) = (0, vec![file.len()]);
        for (payload, sync) in payloads {
            put_frame(&[Bytes::copy_from_slice(payload)], synced, &mut file);
            ends.push(file.len());
            if *sync {
                synced = file.len() as u64;
            }
        }
        (file, ends)
    }

    fn payloads() -> impl Strategy<Value = Vec<(Vec<u8>, bool)>> {
        proptest::collection::vec((proptest::collection::vec(any::<u8>(), 1..40), any::<bool>()), 1..8)
    }

    proptest! {
        #[test]
        fn any_cut_is_a_prefix_of_what_was_written(payloads in payloads(), cut in any::<prop::sample::Index>()) {
            let (whole, ends) = file(&payloads);
            let cut = cut.index(whole.len() + 1);
            let content = read(&Bytes::copy_from_slice(&whole[..cut])).unwrap();
            let frames = ends.iter().filter(|end| **end <= cut).count().saturating_sub(1);
            let wanted: Vec<Bytes> = payloads[..frames].iter().map(|(p, _)| Bytes::copy_from_slice(p)).collect();
            prop_assert_eq!(content.payloads, wanted);
            let good = if cut < MAGIC.len() { 0 } else { ends[frames] };
            prop_assert_eq!((content.good, content.torn), (good as u64, (cut - good) as u64));
        }

        #[test]
        fn no_changed_byte_goes_unnoticed(
            payloads in payloads(), place in any::<prop::sample::Index>(), change in 1..=255_u8,
        ) {
            let (mut changed, ends) = file(&payloads);
            let place = MAGIC.len() + place.index(changed.len() - MAGIC.len());
            changed[place] ^= change;
            let hit = ends.iter().filter(|end| **end <= place).count() - 1;
            let promised = payloads[hit..payloads.len() - 1].iter().any(|(_, sync)| *sync);
            match read(&changed.into()) {
                Err(JournalError::Damaged { offset }) => {
                    prop_assert!(promised);
                    prop_assert_eq!(offset, ends[hit] as u64);
                }
                // never promised: as if it had not been written
                Ok(content) => {
                    prop_assert!(!promised);
                    prop_assert_eq!((content.payloads.len(), content.good), (hit, ends[hit] as u64));
                }
                Err(error) => prop_assert!(false, "{}", error),
            }
        }
    }

    #[test]
    fn another_format_is_refused() {
        assert_eq!(read(&Bytes::from_static(b"amojrnl\x02")), Err(JournalError::Format));
        assert_eq!(read(&Bytes::from_static(b"xyz")), Err(JournalError::Format));
        assert_eq!(read(&Bytes::new()).unwrap().good, 0);
    }
}
