//! Go's regular expressions (RE2) by means of the `regex` crate: the same texts are accepted and mean the same.
//!
//! The two dialects are close. Where they are not, the expression is rewritten: `\d \w \s \b` are ASCII only, any
//! punctuation may be escaped, `{` that starts no repetition is a character, classes have no set operations.

mod class;
mod names;

use std::iter::Peekable;
use std::str::Chars;

use regex::bytes::{Regex, RegexBuilder};

/// Most that Go lets one repeat.
const REPEAT_MAX: u32 = 1000;
/// How deep Go lets groups nest.
const NEST_MAX: u32 = 1000;

/// Compiles an expression so that it must match a whole text.
pub(super) fn compile(pattern: &str) -> Result<Regex, String> {
    // wrapped first, as Go does: `a)|(b` is an expression then
    compile_search(&format!("^(?:{pattern})$"))
}

/// Compiles an expression that may match anywhere in a text.
pub(crate) fn compile_search(pattern: &str) -> Result<Regex, String> {
    let rewritten = Rewriter::new(pattern).run()?;
    RegexBuilder::new(&rewritten).nest_limit(NEST_MAX).build().map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "expression too large".to_owned(),
        other => {
            // the crate draws a picture of several lines; the last one says what is wrong
            let text = other.to_string();
            let last = text.lines().last().unwrap_or_default();
            match last.strip_prefix("error: ").unwrap_or(last) {
                "unclosed group" => "missing closing )".to_owned(),
                "unopened group" => "unexpected )".to_owned(),
                "repetition operator missing expression" => "missing argument to repetition operator".to_owned(),
                other => other.to_owned(),
            }
        }
    })
}

struct Rewriter<'a> {
    rest: Peekable<Chars<'a>>,
    out: String,
    /// Where the groups begin in `out` that are open.
    groups: Vec<usize>,
    last: Last,
}

/// What a repetition that comes next would repeat.
#[derive(Default)]
struct Last {
    /// Where it begins in `out`; `None`: nothing.
    atom: Option<usize>,
    /// It is a repetition itself.
    repeated: bool,
    /// Where in `out` flags follow it, `(?i)`: what they stand between belongs together in Go.
    flags: Option<usize>,
}

impl<'a> Rewriter<'a> {
    fn new(pattern: &'a str) -> Self {
        let out = String::with_capacity(pattern.len() + 8);
        Self { rest: pattern.chars().peekable(), out, groups: Vec::new(), last: Last::default() }
    }

    fn run(mut self) -> Result<String, String> {
        let mut repeated = false;
        while let Some(c) = self.rest.next() {
            let repeats = match c {
                '*' | '+' | '?' => Some(c.to_string()),
                '{' => self.repetition()?,
                _ => None,
            };
            if let Some(mut operator) = repeats {
                if repeated {
                    return Err("invalid nested repetition operator".into());
                }
                operator.extend(self.rest.next_if_eq(&'?'));
                self.repeat(&operator)?;
                repeated = true;
                continue;
            }
            repeated = false;
            let start = self.out.len();
            match c {
                '(' => {
                    if self.group()? {
                        self.last.flags.get_or_insert(start);
                    } else {
                        self.groups.push(start);
                        self.last = Last::default();
                    }
                    continue;
                }
                ')' => {
                    self.out.push(')');
                    self.last = Last { atom: self.groups.pop(), ..Last::default() };
                    continue;
                }
                '|' => {
                    self.out.push('|');
                    self.last = Last::default();
                    continue;
                }
                '[' => self.class()?,
                '\\' => {
                    if !self.escape()? {
                        continue;
                    }
                }
                '{' => self.out.push_str("\\{"),
                c => self.out.push(c),
            }
            self.last = Last { atom: Some(start), ..Last::default() };
        }
        Ok(self.out)
    }

    /// Repeats what came last, in front of the flags that came after it.
    fn repeat(&mut self, operator: &str) -> Result<(), String> {
        let start = self.last.atom.ok_or_else(|| "missing argument to repetition operator".to_owned())?;
        let flags = self.out.split_off(self.last.flags.unwrap_or(self.out.len()));
        if self.last.repeated {
            self.out.insert_str(start, "(?:");
            self.out.push(')');
        }
        self.out.push_str(operator);
        self.last.repeated = true;
        self.last.flags = if flags.is_empty() { None } else { Some(self.out.len()) };
        self.out.push_str(&flags);
        Ok(())
    }

    /// After `{`: `n}`, `n,}` or `n,m}`, taken; anything else is left and is no repetition.
    fn repetition(&mut self) -> Result<Option<String>, String> {
        let mut ahead = self.rest.clone();
        let Some(min) = number(&mut ahead) else { return Ok(None) };
        let mut max = Some(min);
        if ahead.next_if_eq(&',').is_some() {
            max = number(&mut ahead);
        }
        if ahead.next() != Some('}') {
            return Ok(None);
        }
        if min > REPEAT_MAX || max.is_some_and(|max| max > REPEAT_MAX || max < min) {
            return Err("invalid repeat count".into());
        }
        self.rest = ahead;
        let max = max.map(|m| m.to_string()).unwrap_or_default();
        Ok(Some(format!("{{{min},{max}}}")))
    }

    /// After `(`: what follows a `?` up to the group's content. Tells whether there is none, but flags.
    fn group(&mut self) -> Result<bool, String> {
        let start = self.out.len();
        self.out.push('(');
        if self.rest.next_if_eq(&'?').is_none() {
            return Ok(false);
        }
        self.out.push('?');
        let unsupported = || "invalid or unsupported Perl syntax".to_owned();
        if self.rest.next_if_eq(&'P').is_some() {
            return if self.rest.peek() == Some(&'<') { self.group_name().map(|()| false) } else { Err(unsupported()) };
        }
        if self.rest.peek() == Some(&'<') {
            return self.group_name().map(|()| false);
        }
        let (mut on, mut off, mut negative) = (String::new(), String::new(), false);
        loop {
            match self.rest.next() {
                Some(c @ ('i' | 'm' | 's' | 'U')) => {
                    let flags = if negative { &mut off } else { &mut on };
                    if !flags.contains(c) {
                        flags.push(c);
                    }
                }
                Some('-') if !negative => negative = true,
                Some(end @ (':' | ')')) if !negative || !off.is_empty() => {
                    on.retain(|c| !off.contains(c));
                    self.out.push_str(&on);
                    if !off.is_empty() {
                        self.out.push('-');
                        self.out.push_str(&off);
                    }
                    self.out.push(end);
                    let only_flags = end == ')';
                    // `(?)` is nothing in Go and an error in the crate
                    if only_flags && on.is_empty() && off.is_empty() {
                        self.out.truncate(start);
                    }
                    return Ok(only_flags);
                }
                _ => return Err(unsupported()),
            }
        }
    }

    /// After `(?P` or `(?`: `<name>`. Nobody asks for it, and Go allows it twice: dropped.
    fn group_name(&mut self) -> Result<(), String> {
        self.rest.next();
        let mut name = String::new();
        loop {
            match self.rest.next() {
                Some('>') if !name.is_empty() => break,
                Some(c) if c.is_ascii_alphanumeric() || c == '_' => name.push(c),
                _ => return Err("invalid named capture".into()),
            }
        }
        if name.starts_with(|c: char| c.is_ascii_digit()) {
            // no name in the crate: a group like any other
            self.out.pop();
        } else {
            self.out.push_str(&format!("P<{name}>"));
        }
        Ok(())
    }

    /// After `\` outside of a class. Tells whether what it wrote is one atom; if not, it has said itself what is last.
    fn escape(&mut self) -> Result<bool, String> {
        match self.rest.peek() {
            Some('A') => self.out.push_str("\\A"),
            Some('z') => self.out.push_str("\\z"),
            Some(c @ ('b' | 'B')) => self.out.push_str(&format!("(?-u:\\{c})")),
            Some('Q') => {
                self.rest.next();
                self.quoted();
                return Ok(false);
            }
            _ => {
                if self.class_escape(false)?.is_none() {
                    let c = self.char_escape()?;
                    self.literal(c);
                }
                return Ok(true);
            }
        }
        self.rest.next();
        Ok(true)
    }

    /// After `\Q`: characters up to `\E` or the end, each an atom.
    fn quoted(&mut self) {
        while let Some(c) = self.rest.next() {
            if c == '\\' && self.rest.next_if_eq(&'E').is_some() {
                return;
            }
            self.last = Last { atom: Some(self.out.len()), ..Last::default() };
            self.literal(c);
        }
    }

    /// After `\`: the escapes that stand for many characters.
    fn class_escape(&mut self, inside: bool) -> Result<Option<()>, String> {
        let Some(&c) = self.rest.peek() else { return Err("trailing backslash at end of expression".into()) };
        let set = match c {
            'd' | 'D' => "0-9",
            'w' | 'W' => "0-9A-Za-z_",
            's' | 'S' => "\\t\\n\\x0C\\r ",
            'p' | 'P' => return self.unicode_class().map(Some),
            _ => return Ok(None),
        };
        self.rest.next();
        match (c.is_ascii_uppercase(), inside) {
            (true, _) => self.out.push_str(&format!("[^{set}]")),
            (false, true) => self.out.push_str(set),
            (false, false) => self.out.push_str(&format!("[{set}]")),
        }
        Ok(Some(()))
    }

    /// `pN`, `p{Name}`, `p{^Name}` and the same with `P`.
    fn unicode_class(&mut self) -> Result<(), String> {
        let invalid = || "invalid character class range".to_owned();
        let mut negative = self.rest.next() == Some('P');
        let mut name = String::new();
        match self.rest.next() {
            Some('{') => {
                negative ^= self.rest.next_if_eq(&'^').is_some();
                loop {
                    match self.rest.next() {
                        Some('}') => break,
                        Some(c) => name.push(c),
                        None => return Err(invalid()),
                    }
                }
            }
            Some(c) => name.push(c),
            None => return Err(invalid()),
        }
        if !names::is_class(&name) {
            return Err(invalid());
        }
        let name = names::canonical(&name);
        if matches!(name.as_str(), "cs" | "surrogate") {
            // texts have no surrogates, and the crate no name for them
            self.out.push_str(if negative { "[\\s\\S]" } else { "[^\\s\\S]" });
            return Ok(());
        }
        let letter = if negative { 'P' } else { 'p' };
        self.out.push_str(&format!("\\{letter}{{{name}}}"));
        Ok(())
    }

    /// After `\`: the escapes that stand for one character.
    fn char_escape(&mut self) -> Result<char, String> {
        let invalid = || "invalid escape sequence".to_owned();
        let c = self.rest.next().ok_or_else(|| "trailing backslash at end of expression".to_owned())?;
        let code = match c {
            'a' => 7,
            'f' => 12,
            'n' => 10,
            'r' => 13,
            't' => 9,
            'v' => 11,
            'x' => self.hex().ok_or_else(invalid)?,
            '1'..='7' if !self.rest.peek().is_some_and(|c| c.is_digit(8)) => return Err(invalid()),
            '0'..='7' => {
                let mut code = c.to_digit(8).unwrap_or_default();
                for _ in 0..2 {
                    let Some(digit) = self.rest.next_if(|c| c.is_digit(8)) else { break };
                    code = code * 8 + digit.to_digit(8).unwrap_or_default();
                }
                code
            }
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => c as u32,
            _ => return Err(invalid()),
        };
        char::from_u32(code).ok_or_else(invalid)
    }

    /// After `\x`: two digits, or any number of them in braces.
    fn hex(&mut self) -> Option<u32> {
        if self.rest.next_if_eq(&'{').is_none() {
            return Some(self.rest.next()?.to_digit(16)? * 16 + self.rest.next()?.to_digit(16)?);
        }
        let mut code = self.rest.next()?.to_digit(16)?;
        loop {
            match self.rest.next()? {
                '}' => return Some(code),
                c => code = code.checked_mul(16)?.checked_add(c.to_digit(16)?)?,
            }
        }
    }

    /// One character that stands for itself, inside of a class or not.
    fn literal(&mut self, c: char) {
        if c.is_ascii_alphanumeric() || !c.is_ascii() {
            self.out.push(c);
        } else {
            self.out.push_str(&format!("\\x{:02X}", c as u32));
        }
    }
}

/// A number without leading zeros; more than nine digits count as too many.
fn number(chars: &mut Peekable<Chars<'_>>) -> Option<u32> {
    let first = chars.next_if(char::is_ascii_digit)?;
    if first == '0' && chars.peek().is_some_and(char::is_ascii_digit) {
        return None;
    }
    let mut value = first.to_digit(10)?;
    while let Some(digit) = chars.next_if(char::is_ascii_digit) {
        value = value.saturating_mul(10).saturating_add(digit.to_digit(10)?);
    }
    Some(value)
}
