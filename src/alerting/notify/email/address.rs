//! Lists of mail addresses (RFC 5322, section 3.4), with the same verdicts as Go's `net/mail`. Only the addresses are
//! kept: names, comments and groups are for people.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Why a list can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// There's nothing where an address should be.
    #[error("an address is missing")]
    Missing,
    /// There's no `@`, and no `<…>` after a name either.
    #[error("an address has no domain, or a name has no <address> after it")]
    NoDomain,
    /// Something isn't closed.
    #[error("a quoted text, a comment, a domain or an <address> has no end")]
    Unclosed,
    /// A character has no place there.
    #[error("an address or a name has a character that has no place there")]
    Character,
    /// A domain in brackets.
    #[error("a domain in brackets is no IP address")]
    Literal,
    /// Between two addresses.
    #[error("there is no comma between two addresses")]
    Comma,
}

/// The addresses of a list, as `local@domain`.
///
/// # Errors
/// When it can't be read.
pub fn addresses(list: &str) -> Result<Vec<String>, AddressError> {
    let mut rest = Rest(list);
    let mut found = Vec::new();
    loop {
        rest.space();
        if rest.take(',') {
            continue;
        }
        found.extend(rest.address(true)?);
        rest.space_and_comments()?;
        if rest.0.is_empty() {
            return Ok(found);
        }
        if !rest.0.starts_with(',') {
            return Err(AddressError::Comma);
        }
        while rest.take(',') {
            rest.space();
        }
        if rest.0.is_empty() {
            return Ok(found);
        }
    }
}

/// What is yet to be read.
#[derive(Clone, Copy)]
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    /// An address, or those of a group.
    fn address(&mut self, groups: bool) -> Result<Vec<String>, AddressError> {
        self.space();
        if self.0.is_empty() {
            return Err(AddressError::Missing);
        }
        let start = *self;
        if let Ok(address) = self.bare() {
            self.space();
            if self.0.starts_with('(') {
                self.space_and_one_comment()?;
            }
            return Ok(vec![address]);
        }
        *self = start;
        if !self.0.starts_with('<') {
            self.phrase()?;
        }
        self.space();
        if groups && self.take(':') {
            return self.group();
        }
        if !self.take('<') {
            return Err(AddressError::NoDomain);
        }
        let address = self.bare()?;
        if self.take('>') { Ok(vec![address]) } else { Err(AddressError::Unclosed) }
    }

    fn group(&mut self) -> Result<Vec<String>, AddressError> {
        let mut found = Vec::new();
        self.space();
        if self.take(';') {
            self.space_and_comments()?;
            return Ok(found);
        }
        loop {
            found.extend(self.address(false)?);
            self.space_and_comments()?;
            if self.take(';') {
                self.space_and_comments()?;
                return Ok(found);
            }
            if !self.take(',') {
                return Err(AddressError::Comma);
            }
        }
    }

    /// `local@domain`.
    fn bare(&mut self) -> Result<String, AddressError> {
        self.space();
        let local = match self.0.chars().next() {
            None => return Err(AddressError::Missing),
            Some('"') => Some(self.quoted()?).filter(|local| !local.is_empty()).ok_or(AddressError::Missing)?,
            Some(_) => self.dotted()?.to_owned(),
        };
        if !self.take('@') {
            return Err(AddressError::NoDomain);
        }
        self.space();
        match self.0.chars().next() {
            None => Err(AddressError::NoDomain),
            Some('[') => {
                let (domain, rest) = self.0.split_once(']').ok_or(AddressError::Unclosed)?;
                let literal = domain.get(1..).unwrap_or_default();
                if !literal.chars().all(|c| is_visible(c) && !matches!(c, '[' | '\\')) {
                    return Err(AddressError::Character);
                }
                literal.parse::<IpAddr>().map_err(|_| AddressError::Literal)?;
                self.0 = rest;
                Ok(format!("{local}@{domain}]"))
            }
            Some(_) => Ok(format!("{local}@{}", self.dotted()?)),
        }
    }

    /// Words before an address. What follows the first one that can be read is looked at by others.
    fn phrase(&mut self) -> Result<(), AddressError> {
        let mut words = 0;
        loop {
            if words > 0 {
                self.space_and_comments()?;
            }
            self.space();
            let word = match self.0.chars().next() {
                None => return if words > 0 { Ok(()) } else { Err(AddressError::Missing) },
                Some('"') => self.quoted().map(drop),
                Some(_) => self
                    .atom()
                    .and_then(|word| if strange_charset(word) { Err(AddressError::Character) } else { Ok(()) }),
            };
            match word {
                Ok(()) => words += 1,
                Err(_) if words > 0 => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// What is between quotes, without the escapes.
    fn quoted(&mut self) -> Result<String, AddressError> {
        let mut text = String::new();
        let mut characters = self.0.char_indices().skip(1);
        while let Some((at, c)) = characters.next() {
            match c {
                '"' => {
                    self.0 = self.0.get(at + 1..).unwrap_or_default();
                    return Ok(text);
                }
                '\\' => match characters.next() {
                    Some((_, c)) if is_visible(c) || is_space(c) => text.push(c),
                    Some(_) => return Err(AddressError::Character),
                    None => return Err(AddressError::Unclosed),
                },
                c if is_visible(c) || is_space(c) => text.push(c),
                _ => return Err(AddressError::Character),
            }
        }
        Err(AddressError::Unclosed)
    }

    /// Atoms with dots between them.
    fn dotted(&mut self) -> Result<&'a str, AddressError> {
        let atom = self.atom()?;
        if atom.starts_with('.') || atom.ends_with('.') || atom.contains("..") {
            return Err(AddressError::Character);
        }
        Ok(atom)
    }

    fn atom(&mut self) -> Result<&'a str, AddressError> {
        let special = |c: char| {
            !is_visible(c) || matches!(c, '(' | ')' | '<' | '>' | '[' | ']' | ':' | ';' | '@' | '\\' | ',' | '"')
        };
        let (atom, rest) = self.0.split_at(self.0.find(special).unwrap_or(self.0.len()));
        if atom.is_empty() {
            return Err(AddressError::Character);
        }
        self.0 = rest;
        Ok(atom)
    }

    fn space_and_comments(&mut self) -> Result<(), AddressError> {
        self.space();
        while self.0.starts_with('(') {
            self.comment()?;
            self.space();
        }
        Ok(())
    }

    /// The comment after an address is its owner's name.
    fn space_and_one_comment(&mut self) -> Result<(), AddressError> {
        let before = self.0;
        self.comment()?;
        let inside = before.get(1..before.len() - self.0.len() - 1).unwrap_or_default().replace('\\', "");
        if inside.split([' ', '\t']).any(strange_charset) { Err(AddressError::Character) } else { Ok(()) }
    }

    /// Comments can be within each other.
    fn comment(&mut self) -> Result<(), AddressError> {
        let mut depth = 0;
        let mut characters = self.0.char_indices();
        while let Some((at, c)) = characters.next() {
            match c {
                '\\' => drop(characters.next()),
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                self.0 = self.0.get(at + 1..).unwrap_or_default();
                return Ok(());
            }
        }
        Err(AddressError::Unclosed)
    }

    fn take(&mut self, c: char) -> bool {
        match self.0.strip_prefix(c) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn space(&mut self) {
        self.0 = self.0.trim_start_matches(is_space);
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

/// Everything beyond ASCII is (RFC 6532).
fn is_visible(c: char) -> bool {
    matches!(c, '!'..='~') || !c.is_ascii()
}

/// Whether this is an encoded word (RFC 2047) of a character set that the reference can't read.
fn strange_charset(word: &str) -> bool {
    let Some(inside) = word.strip_prefix("=?").and_then(|word| word.strip_suffix("?=")) else { return false };
    let parts: Vec<&str> = inside.split('?').collect();
    let [charset, encoding, text] = parts[..] else { return false };
    let readable = match encoding {
        "q" | "Q" => text.split('=').enumerate().all(|(at, part)| {
            let digits = part.bytes().take(2).filter(u8::is_ascii_hexdigit).count();
            (at == 0 || digits == 2) && part.bytes().all(|b| matches!(b, b' '..=b'~'))
        }),
        "b" | "B" => STANDARD.decode(text).is_ok(),
        _ => false,
    };
    let known = ["utf-8", "iso-8859-1", "us-ascii"].iter().any(|known| charset.eq_ignore_ascii_case(known));
    readable && !charset.is_empty() && !known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read() {
        let good = [
            ("a@b", &["a@b"][..]),
            ("a@b, c.d@e.f", &["a@b", "c.d@e.f"]),
            (" ,, A B <a@b>,, \"x, y\" <c@d> ,", &["a@b", "c@d"]),
            ("<a@b>", &["a@b"]),
            ("a@b (Me (and you))", &["a@b"]),
            ("team: a@b, C <c@d>; , e@f", &["a@b", "c@d", "e@f"]),
            ("nobody:;", &[]),
            ("\"a b\"@c", &["a b@c"]),
            ("a@[127.0.0.1]", &["a@[127.0.0.1]"]),
            ("Jörg <jörg@müller.example>", &["jörg@müller.example"]),
        ];
        for (list, wanted) in good {
            assert_eq!(addresses(list).as_deref().unwrap_or_default(), wanted, "{list}");
        }
        for (list, wanted) in [
            ("", AddressError::Missing),
            ("a@b, ", AddressError::Missing),
            ("a", AddressError::NoDomain),
            ("A B", AddressError::NoDomain),
            ("a@", AddressError::NoDomain),
            ("A <a@b", AddressError::Unclosed),
            ("a@b c@d", AddressError::Comma),
            ("a@[x]", AddressError::NoDomain),
            ("<a@[x]>", AddressError::Literal),
            (".a@b", AddressError::NoDomain),
            ("a@b (x", AddressError::Unclosed),
        ] {
            // a comma at the end is nothing that is missing
            let wanted = if list == "a@b, " { Ok(vec!["a@b".to_owned()]) } else { Err(wanted) };
            assert_eq!(addresses(list), wanted, "{list}");
        }
    }
}
