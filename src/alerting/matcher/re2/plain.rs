//! Expressions of the plainest kind, as most in silences are: literals, dots and classes of letters and digits, of which
//! dots and classes may be repeated without end. They are the same in both dialects, need not be read before they are
//! used, and are compiled only when a text can't be decided otherwise.

use std::iter::Peekable;
use std::str::Bytes;

use smallvec::SmallVec;

/// Whether an expression is plain, small, and no list of words: something in it is repeated.
pub(super) fn is_plain(pattern: &str) -> bool {
    let (mut rest, mut endless) = (pattern.bytes().peekable(), false);
    while let Some(byte) = rest.next() {
        let repeatable = match byte {
            b'.' => true,
            b'[' if is_plain_class(&mut rest) => true,
            byte if byte.is_ascii_alphanumeric() || b"_-/:@, =".contains(&byte) => false,
            _ => return false,
        };
        endless |= repeatable && rest.next_if(|byte| matches!(byte, b'*' | b'+')).is_some();
    }
    endless && pattern.len() <= super::SURELY_SMALL
}

/// Takes what follows `[` up to `]`.
fn is_plain_class(rest: &mut Peekable<Bytes<'_>>) -> bool {
    let mut any = false;
    while let Some(from) = rest.next() {
        if from == b']' {
            return any;
        }
        let to = if rest.next_if_eq(&b'-').is_some() { rest.next() } else { Some(from) };
        if !from.is_ascii_alphanumeric() || !to.is_some_and(|to| to.is_ascii_alphanumeric() && from <= to) {
            return false;
        }
        any = true;
    }
    false
}

/// What stands for one character.
#[derive(Clone, Copy)]
enum Atom<'p> {
    /// All but the end of a line.
    Dot,
    Literal(u8),
    Class(&'p [u8]),
}

#[derive(Clone, Copy)]
enum Repeat {
    Star,
    Plus,
}

impl Atom<'_> {
    #[inline]
    fn takes(self, c: char) -> bool {
        match self {
            Self::Dot => c != '\n',
            Self::Literal(byte) => c == char::from(byte),
            Self::Class(class) => u8::try_from(c).is_ok_and(|byte| is_in(byte, class)),
        }
    }
}

fn is_in(byte: u8, mut class: &[u8]) -> bool {
    loop {
        class = match class {
            [from, b'-', to, rest @ ..] => {
                if (from..=to).contains(&&byte) {
                    return true;
                }
                rest
            }
            [one, rest @ ..] => {
                if *one == byte {
                    return true;
                }
                rest
            }
            [] => return false,
        }
    }
}

/// The parts of a plain expression.
struct Atoms<'p>(&'p [u8]);

impl<'p> Iterator for Atoms<'p> {
    type Item = (Atom<'p>, Option<Repeat>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (first, mut rest) = self.0.split_first()?;
        let atom = match first {
            b'.' => Atom::Dot,
            b'[' => {
                let end = rest.iter().position(|byte| *byte == b']')?;
                let class = &rest[..end];
                rest = &rest[end + 1..];
                Atom::Class(class)
            }
            literal => Atom::Literal(*literal),
        };
        let repeat = match rest.first() {
            Some(b'*') => Some(Repeat::Star),
            Some(b'+') => Some(Repeat::Plus),
            _ => None,
        };
        self.0 = if repeat.is_some() { &rest[1..] } else { rest };
        Some((atom, repeat))
    }
}

/// Whether the whole text matches a plain expression. `None`: what comes before the first repetition and after the last
/// one does, but there are several of them.
pub(super) fn decide(pattern: &str, text: &str) -> Option<bool> {
    let (mut atoms, mut rest) = (Atoms(pattern.as_bytes()), text.chars());
    let (repeated, repeat) = loop {
        match atoms.next()? {
            (atom, Some(repeat)) => break (atom, repeat),
            (atom, None) if rest.next().is_some_and(|c| atom.takes(c)) => {}
            (_, None) => return Some(false),
        }
    };
    let mut tail: SmallVec<[Atom<'_>; 16]> = SmallVec::new();
    let mut several = false;
    for (atom, repeat) in atoms {
        match repeat {
            None => tail.push(atom),
            Some(_) => {
                several = true;
                tail.clear();
            }
        }
    }
    for atom in tail.iter().rev() {
        if !rest.next_back().is_some_and(|c| atom.takes(c)) {
            return Some(false);
        }
    }
    if several {
        return None;
    }
    let enough = matches!(repeat, Repeat::Star) || !rest.as_str().is_empty();
    Some(enough && rest.all(|c| repeated.takes(c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_expressions_are_told_from_others() {
        for pattern in ["checkout-[0-9a-f]+-0001.*", ".*", "a.+b", "[ab]*"] {
            assert!(is_plain(pattern), "{pattern}");
        }
        for pattern in
            ["", "a", "a.b", "a*", "[z-a]*", "[]a]*", "[^a]*", "[a", "a.**", "(a).*", "a{2}.*", "\\d.*", ".*?"]
        {
            assert!(!is_plain(pattern), "{pattern}");
        }
    }

    #[test]
    fn most_texts_are_decided_by_both_ends() {
        assert_eq!(decide("node-[0-9]+", "node-17"), Some(true));
        assert_eq!(decide("node-[0-9]+", "node-"), Some(false));
        assert_eq!(decide("a.*a", "a"), Some(false), "no character counts twice");
        assert_eq!(decide("a.*", "aé\n"), Some(false));
        assert_eq!(decide("checkout-[0-9a-f]+-90001.*", "payment-7d9f8b6c5d-000001"), Some(false));
        assert_eq!(decide("checkout-[0-9a-f]+-.*01", "checkout-7d9f8b6c5d-000001"), None);
    }
}
