//! Label sets: sorted, packed into one allocation, cheap to share.
//!
//! A set of 12 labels is one `Arc` of its bytes and nothing else: equality and hashing are those of the bytes, and a
//! look-up of one name is a walk over a few cache lines.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use smallvec::SmallVec;
use xxhash_rust::xxh64::xxh64;

/// The hash by which an alert is known: FNV-1a 64 of its labels (reference behaviour; printed as 16 hex digits).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub u64);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Names and values, sorted by name, each name once.
///
/// Packed as (length, name, length, value) one after the other. Lengths are written six bits to a byte, lowest first,
/// so that all of it is text, which needs no check when it is read.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct LabelSet(Arc<str>);

impl LabelSet {
    /// The set without labels.
    pub fn empty() -> Self {
        Self(Arc::from(""))
    }

    /// Packs pairs in any order. Of a name given twice the last one counts.
    pub fn new<N: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        let mut pairs: Vec<(N, V)> = pairs.into_iter().collect();
        // stable: of equal names the later one stays last
        pairs.sort_by(|a, b| a.0.as_ref().cmp(b.0.as_ref()));
        let size = pairs.iter().map(|(n, v)| n.as_ref().len() + v.as_ref().len() + 4).sum();
        let mut packed = String::with_capacity(size);
        for (at, (name, value)) in pairs.iter().enumerate() {
            if pairs.get(at + 1).is_some_and(|next| next.0.as_ref() == name.as_ref()) {
                continue;
            }
            push_text(&mut packed, name.as_ref());
            push_text(&mut packed, value.as_ref());
        }
        Self(packed.into())
    }

    /// The value of `name`; `None` when it is absent.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(n, _)| *n == name).map(|(_, v)| v)
    }

    /// The value of `name`, or `""`: for matchers, where absent and empty are the same.
    pub fn value(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    /// Pairs in the order of their names.
    pub fn iter(&self) -> Iter<'_> {
        Iter { rest: &self.0 }
    }

    /// How many labels there are.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// FNV-1a 64 over `name 0xFF value 0xFF` of each label.
    pub fn fingerprint(&self) -> Fingerprint {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut eat = |bytes: &[u8]| {
            for byte in bytes {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
        };
        for (name, value) in self.iter() {
            eat(name.as_bytes());
            eat(&[0xff]);
            eat(value.as_bytes());
            eat(&[0xff]);
        }
        Fingerprint(hash)
    }

    /// xxHash64 over the same bytes as [`Self::fingerprint`]: how the notification log knows an alert.
    pub fn log_hash(&self) -> u64 {
        // the algorithm is several times faster over one piece
        let mut bytes = SmallVec::<[u8; 1024]>::with_capacity(self.0.len());
        for (name, value) in self.iter() {
            bytes.extend_from_slice(name.as_bytes());
            bytes.push(0xff);
            bytes.extend_from_slice(value.as_bytes());
            bytes.push(0xff);
        }
        xxh64(&bytes, 0)
    }
}

impl PartialOrd for LabelSet {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for LabelSet {
    /// The reference's order: fewer labels first; then by the first name, in the order of names, that only one of them
    /// has (the one without it comes first) or whose values differ.
    fn cmp(&self, other: &Self) -> Ordering {
        self.len().cmp(&other.len()).then_with(|| {
            let (mut a, mut b) = (self.iter(), other.iter());
            loop {
                match (a.next(), b.next()) {
                    (None, None) => return Ordering::Equal,
                    (None, Some(_)) => return Ordering::Less,
                    (Some(_), None) => return Ordering::Greater,
                    (Some((name, value)), Some((other_name, other_value))) => match name.cmp(other_name) {
                        Ordering::Equal if value == other_value => {}
                        Ordering::Equal => return value.cmp(other_value),
                        // the smaller name is missing on the other side
                        Ordering::Less => return Ordering::Greater,
                        Ordering::Greater => return Ordering::Less,
                    },
                }
            }
        })
    }
}

impl fmt::Display for LabelSet {
    /// `{a="b", c="d"}`, as group keys have it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (at, (name, value)) in self.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{name}={}", GoQuoted(value))?;
        }
        f.write_str("}")
    }
}

impl fmt::Debug for LabelSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A walk over a [`LabelSet`].
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a str, &'a str);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let name = take_text(&mut self.rest)?;
        let value = take_text(&mut self.rest)?;
        Some((name, value))
    }
}

/// A length that goes on in the next byte has this bit.
const MORE: usize = 0x40;

fn push_text(packed: &mut String, text: &str) {
    let mut len = text.len();
    while len >= MORE {
        packed.push(char::from((len & (MORE - 1) | MORE) as u8));
        len >>= 6;
    }
    packed.push(char::from(len as u8));
    packed.push_str(text);
}

#[inline]
fn take_text<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let (mut len, mut shift, mut at) = (0_usize, 0, 0);
    loop {
        let byte = usize::from(*rest.as_bytes().get(at)?);
        at += 1;
        len |= (byte & (MORE - 1)) << shift;
        if byte & MORE == 0 {
            break;
        }
        shift += 6;
    }
    let text = rest.get(at..at + len)?;
    *rest = rest.get(at + len..)?;
    Some(text)
}

/// Prints a text as Go's `strconv.Quote` does.
#[derive(Clone, Copy, Debug)]
pub struct GoQuoted<'a>(pub &'a str);

impl fmt::Display for GoQuoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\u{7}' => f.write_str("\\a")?,
                '\u{8}' => f.write_str("\\b")?,
                '\u{c}' => f.write_str("\\f")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                '\u{b}' => f.write_str("\\v")?,
                c if is_printable(c) => f.write_char(c)?,
                c if (c as u32) < 0x80 => write!(f, "\\x{:02x}", c as u32)?,
                c if (c as u32) < 0x1_0000 => write!(f, "\\u{:04x}", c as u32)?,
                c => write!(f, "\\U{:08x}", c as u32)?,
            }
        }
        f.write_char('"')
    }
}

/// Nearly Go's `strconv.IsPrint`: no controls, no spaces but U+0020, no private use, no unassigned planes.
pub(crate) fn is_printable(c: char) -> bool {
    !(c.is_control()
        || (c.is_whitespace() && c != ' ')
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        || matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hashes_are_the_references() {
        // computed apart from this code, with the FNV-1a 64 of its definition
        let set = LabelSet::new([("alertname", "A")]);
        assert_eq!(set.fingerprint().to_string(), "d2c6efc389df0927");
        assert_eq!(LabelSet::empty().fingerprint().to_string(), "cbf29ce484222325");
    }

    #[test]
    fn prints_sorted_and_quoted() {
        let set = LabelSet::new([("b", "x\ny"), ("a", "\"q\"")]);
        assert_eq!(set.to_string(), r#"{a="\"q\"", b="x\ny"}"#);
        assert_eq!(LabelSet::empty().to_string(), "{}");
    }

    #[test]
    fn sorts_as_the_reference_does() {
        let sets = [&[("cluster", "z")][..], &[("ok", "1")], &[("a", "b")], &[("a", "c")], &[("a", "a"), ("b", "a")]];
        let mut sorted: Vec<LabelSet> = sets.iter().rev().map(|s| LabelSet::new(s.iter().copied())).collect();
        sorted.sort();
        let printed: Vec<String> = sorted.iter().map(LabelSet::to_string).collect();
        let wanted = [r#"{ok="1"}"#, r#"{cluster="z"}"#, r#"{a="b"}"#, r#"{a="c"}"#, r#"{a="a", b="a"}"#];
        assert_eq!(printed, wanted);
    }

    proptest! {
        #[test]
        fn packs_what_a_map_holds(pairs in proptest::collection::vec((".{0,8}", ".{0,200}"), 0..12)) {
            let map: std::collections::BTreeMap<_, _> = pairs.iter().cloned().collect();
            let set = LabelSet::new(pairs);
            prop_assert_eq!(set.len(), map.len());
            for ((n, v), (name, value)) in set.iter().zip(&map) {
                prop_assert_eq!((n, v), (name.as_str(), value.as_str()));
            }
        }
    }
}
