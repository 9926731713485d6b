//! Messages in the form in which this program and the reference write them: known fields only, in the order of their
//! numbers, each as short as can be. They are read without making anything on the way; a start reads many thousands.
//!
//! Whatever else a message may be, damaged included, is not plain: then it's up to the decoder that knows all forms.

use crate::time::Timestamp;

/// What is left of a message; fields are taken off its front.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plain<'a>(&'a [u8]);

const NUMBER: u32 = 0;
const FIXED: u32 = 1;
const CONTENT: u32 = 2;

impl<'a> Plain<'a> {
    /// The whole message.
    pub(crate) fn new(message: &'a [u8]) -> Self {
        Self(message)
    }

    /// Whether all fields were taken: only then was the message plain.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The content of a field of that number, if it comes next.
    #[inline]
    pub(crate) fn content(&mut self, tag: u32) -> Option<&'a [u8]> {
        let mut rest = self.0;
        take_key(&mut rest, tag << 3 | CONTENT)?;
        let length = usize::try_from(take_varint(&mut rest)?).ok()?;
        let content = rest.get(..length)?;
        self.0 = &rest[length..];
        Some(content)
    }

    /// Text that is not empty, if it comes next.
    #[inline]
    pub(crate) fn text(&mut self, tag: u32) -> Option<&'a str> {
        let mut rest = *self;
        let text = rest.content(tag).filter(|content| !content.is_empty())?;
        let text = std::str::from_utf8(text).ok()?;
        *self = rest;
        Some(text)
    }

    /// A number that is not zero, if it comes next.
    #[inline]
    pub(crate) fn number(&mut self, tag: u32) -> Option<u64> {
        let mut rest = self.0;
        take_key(&mut rest, tag << 3 | NUMBER)?;
        let number = take_varint(&mut rest).filter(|number| *number != 0)?;
        self.0 = rest;
        Some(number)
    }

    /// A number of eight bytes that is not zero, if it comes next.
    #[inline]
    pub(crate) fn fixed(&mut self, tag: u32) -> Option<u64> {
        let mut rest = self.0;
        take_key(&mut rest, tag << 3 | FIXED)?;
        let (number, rest) = rest.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*number)).filter(|number| *number != 0)
    }

    /// A list of numbers that is not empty, if it comes next.
    pub(crate) fn numbers(&mut self, tag: u32) -> Option<Vec<u64>> {
        let mut rest = *self;
        let mut content = rest.content(tag).filter(|content| !content.is_empty())?;
        // each number has one last byte
        let mut numbers = Vec::with_capacity(content.iter().filter(|byte| **byte < 0x80).count());
        while !content.is_empty() {
            numbers.push(take_varint(&mut content)?);
        }
        *self = rest;
        Some(numbers)
    }

    /// A time that a [`Timestamp`] can hold, if it comes next.
    pub(crate) fn time(&mut self, tag: u32) -> Option<Timestamp> {
        let mut rest = *self;
        let mut time = Self(rest.content(tag)?);
        let (seconds, nanos) = (time.number(1).unwrap_or(0) as i64, time.number(2).unwrap_or(0));
        if !time.is_empty() || nanos >= 1_000_000_000 {
            return None;
        }
        let nanos = seconds.checked_mul(1_000_000_000)?.checked_add(nanos as i64)?;
        *self = rest;
        Some(Timestamp::from_nanos(nanos))
    }
}

#[inline]
fn take_key(rest: &mut &[u8], key: u32) -> Option<()> {
    (take_varint(rest)? == u64::from(key)).then_some(())
}

/// A number in no more bytes than it needs.
#[inline]
fn take_varint(rest: &mut &[u8]) -> Option<u64> {
    if let Some((first, others)) = rest.split_first()
        && *first < 0x80
    {
        *rest = others;
        return Some(u64::from(*first));
    }
    take_long_varint(rest)
}

fn take_long_varint(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for (at, byte) in rest.iter().enumerate().take(10) {
        let bits = u64::from(byte & 0x7f);
        if at == 9 && *byte > 1 {
            return None;
        }
        number |= bits << (7 * at);
        if *byte < 0x80 {
            if *byte == 0 && at > 0 {
                return None;
            }
            *rest = &rest[at + 1..];
            return Some(number);
        }
    }
    None
}

/// Takes a length and so many bytes off the front.
pub(crate) fn take_plain<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let mut after = *rest;
    let length = usize::try_from(take_varint(&mut after)?).ok()?;
    let content = after.get(..length)?;
    *rest = &after[length..];
    Some(content)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use prost::Message;

    use super::*;
    use crate::wire::{Entry, WireTime};

    #[test]
    fn fields_are_taken_in_order() {
        let time = WireTime { seconds: -3, nanos: 7 };
        let entry = Entry {
            group_key: b"key".to_vec(),
            timestamp: Some(time),
            firing_alerts: vec![0, 1, u64::MAX],
            ..Entry::default()
        };
        let message = entry.encode_to_vec();
        let mut fields = Plain::new(&message);
        assert_eq!(fields.content(2), None);
        assert_eq!(fields.text(1), Some("key"));
        assert_eq!(fields.time(5), Some(time.into()));
        assert_eq!(fields.numbers(7), None);
        assert_eq!(fields.numbers(6), Some(vec![0, 1, u64::MAX]));
        assert!(fields.is_empty());
    }

    #[test]
    fn other_forms_are_not_plain() {
        let number = |message: &[u8]| Plain::new(message).number(1);
        assert_eq!(number(&[8, 1]), Some(1));
        assert_eq!(number(&[8, 0]), None, "the default is not written");
        assert_eq!(number(&[8, 0x81, 0]), None, "longer than it need be");
        assert_eq!(number(&[8, 0x81]), None, "cut off");
        assert_eq!(number(&[8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1]), Some(u64::MAX));
        assert_eq!(number(&[8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2]), None, "more than 64 bits");
        assert_eq!(Plain::new(&[10, 0]).text(1), None);
        assert_eq!(Plain::new(&[10, 1, 0xff]).text(1), None, "not UTF-8");
        assert_eq!(Plain::new(&[10, 2, b'a']).content(1), None, "cut off");
        let whole_second = [10, 6, 16, 0x80, 0x94, 0xeb, 0xdc, 3];
        assert_eq!(Plain::new(&whole_second).time(1), None);
    }
}
