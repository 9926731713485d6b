//! The older matcher syntax: lenient about braces and backslashes, strict about names.

use super::mode::ParseError;
use super::{Matcher, Op};

/// Reads a list. A brace at either end is dropped, balanced or not.
pub(super) fn parse_list(text: &str) -> Result<Vec<Matcher>, ParseError> {
    split(text).iter().map(|token| parse_one(token)).collect()
}

/// Reads one matcher: name, operator and all the rest as its value.
pub(super) fn parse_one(text: &str) -> Result<Matcher, ParseError> {
    let bad = || ParseError::new(format!("bad matcher format: {text}"));
    let rest = text.trim_matches(is_space);
    let name_end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':')).unwrap_or(rest.len());
    let (name, rest) = rest.split_at(name_end);
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(bad());
    }
    let rest = rest.trim_start_matches(is_space);
    let operators = [("=~", Op::Regex), ("=", Op::Equal), ("!=", Op::NotEqual), ("!~", Op::NotRegex)];
    let (op, value) =
        operators.into_iter().find_map(|(text, op)| Some((op, rest.strip_prefix(text)?))).ok_or_else(bad)?;
    let value = unescape(value.trim_start_matches(is_space))?;
    Ok(Matcher::new(op, name, value)?)
}

/// Splits at the commas outside of quotes; a blank last part counts for nothing.
fn split(text: &str) -> Vec<String> {
    let text = text.strip_prefix('{').unwrap_or(text);
    let text = text.strip_suffix('}').unwrap_or(text);
    let (mut tokens, mut token) = (Vec::new(), String::new());
    let (mut quoted, mut escaped) = (false, false);
    for c in text.chars() {
        match c {
            ',' if !quoted => {
                tokens.push(std::mem::take(&mut token));
                continue;
            }
            ',' => {}
            '"' if escaped => escaped = false,
            '"' => quoted = !quoted,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
        token.push(c);
    }
    let last = token.trim();
    if !last.is_empty() {
        tokens.push(last.to_owned());
    }
    tokens
}

/// Drops the quotes around a value and resolves `\n`, `\"` and `\\`; other backslashes stand for themselves.
fn unescape(raw: &str) -> Result<String, ParseError> {
    let stray = || ParseError::new(format!("matcher value contains unescaped double quote: {raw}"));
    let (text, mut open) = match raw.strip_prefix('"') {
        Some(rest) => (rest, true),
        None => (raw, false),
    };
    let mut value = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => value.push('\n'),
                Some(c @ ('"' | '\\')) => value.push(c),
                Some(c) => value.extend(['\\', c]),
                None => value.push('\\'),
            },
            '"' if open && chars.as_str().is_empty() => open = false,
            '"' => return Err(stray()),
            c => value.push(c),
        }
    }
    if open { Err(stray()) } else { Ok(value) }
}

/// What Go's regular expressions call `\s`.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}')
}
