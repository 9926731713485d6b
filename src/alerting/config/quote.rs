//! Which quotes a text gets in a printed config, and in which order the keys of a map stand.

use std::cmp::Ordering;

use super::scalar::{Resolved, resolve_plain};
use super::value::Value;

/// The ways to write a text in YAML.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Single,
    Double,
    Literal,
}

/// How the reference's YAML library writes a text.
pub(super) fn style_of(text: &str, inline: bool, key: bool) -> Style {
    let look = Look::of(text);
    let wanted = if text.contains('\n') && !key {
        Style::Literal
    } else if text.contains('\n') || !matches!(resolve_plain(text), Resolved::Text(_)) || is_base_60(text) {
        Style::Double
    } else {
        Style::Plain
    };
    match wanted {
        Style::Literal if look.literal && !inline => Style::Literal,
        Style::Plain if if inline { look.plain_inline } else { look.plain } => Style::Plain,
        Style::Plain if look.single => Style::Single,
        _ => Style::Double,
    }
}

/// Which styles can hold a text.
struct Look {
    plain: bool,
    plain_inline: bool,
    single: bool,
    literal: bool,
}

impl Look {
    fn of(text: &str) -> Self {
        let (mut block, mut flow) = (text.starts_with("---") || text.starts_with("..."), false);
        flow |= block;
        let (mut special, mut break_space, mut space_break, mut breaks) = (false, false, false, false);
        let mut before: Option<char> = None;
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let blank_follows = chars.peek().is_none_or(|c| matches!(c, ' ' | '\t'));
            let blank_before = before.is_none_or(|c| matches!(c, ' ' | '\t' | '\0') || is_break(c));
            let both = match (before, c) {
                (
                    None,
                    '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`',
                ) => true,
                (_, ':') | (None, '?' | '-') => blank_follows,
                (Some(_), '#') => blank_before,
                _ => false,
            };
            block |= both;
            flow |= both || matches!(c, ',' | '?' | '[' | ']' | '{' | '}' | ':');
            special |= !is_printable(c);
            break_space |= c == ' ' && before.is_some_and(is_break);
            space_break |= is_break(c) && before == Some(' ');
            breaks |= is_break(c);
            before = Some(c);
        }
        let edge = |c: Option<char>| c.is_some_and(|c| c == ' ' || is_break(c));
        let edges = edge(text.chars().next()) || edge(before);
        let single = !break_space && !space_break && !special;
        let plain = single && !edges && !breaks && !block;
        let literal = !text.is_empty() && before != Some(' ') && !space_break && !special;
        Self { plain, plain_inline: plain && !flow && !text.is_empty(), single, literal }
    }
}

/// What ends a line in YAML 1.1.
pub(super) const fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// The library knows only the first plane: an emoji is escaped.
pub(super) const fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}') && c != '\u{feff}'
}

/// `190:20:30`, which other YAML parsers take for a number.
fn is_base_60(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (text, _) =
        text.split_once('.').filter(|(_, f)| f.bytes().all(|b| b.is_ascii_digit() || b == b'_')).unwrap_or((text, ""));
    let mut parts = text.split(':');
    let first = parts.next().unwrap_or_default();
    let mut count = 0;
    let rest = parts.all(|part| {
        count += 1;
        matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9'])
    });
    rest && count > 0
        && first.starts_with(|c: char| c.is_ascii_digit())
        && first.bytes().all(|b| b.is_ascii_digit() || b == b'_')
}

/// Order of keys that need not be texts: numbers by value, then by the reference's order of types.
pub(super) fn key_order(a: &Value, b: &Value) -> Ordering {
    let number = |value: &Value| match value {
        Value::Bool(value) => Some(f64::from(u8::from(*value))),
        Value::Int(value) => Some(*value as f64),
        Value::Float(value) => Some(*value),
        _ => None,
    };
    let rank = |value: &Value| match value {
        Value::Bool(_) => 1,
        Value::Int(_) => 2,
        Value::Float(_) => 14,
        Value::Null => 20,
        _ => 24,
    };
    match (a, b, number(a), number(b)) {
        (_, _, Some(x), Some(y)) => x.partial_cmp(&y).unwrap_or(Ordering::Equal).then(rank(a).cmp(&rank(b))),
        (Value::Text(a), Value::Text(b), _, _) => natural_order(a, b),
        _ => rank(a).cmp(&rank(b)),
    }
}

/// Numbers within keys sort by value, letters after all else.
pub(super) fn natural_order(a: &str, b: &str) -> Ordering {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let Some(at) = a.iter().zip(&b).position(|(x, y)| x != y) else { return a.len().cmp(&b.len()) };
    let (Some(&x), Some(&y)) = (a.get(at), b.get(at)) else { return Ordering::Equal };
    match (x.is_alphabetic(), y.is_alphabetic()) {
        (true, true) => return x.cmp(&y),
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let head = a.get(..at).unwrap_or_default();
    let within = (x == '0' || y == '0') && head.iter().rev().take_while(|c| c.is_ascii_digit()).any(|c| *c != '0');
    let number = |chars: &[char]| {
        let digits = chars.iter().skip(at).take_while(|c| c.is_ascii_digit());
        digits.fold((i64::from(within), 0), |(value, len), c| {
            (value.wrapping_mul(10).wrapping_add(i64::from(c.to_digit(10).unwrap_or_default())), len + 1)
        })
    };
    number(&a).cmp(&number(&b)).then(x.cmp(&y))
}
