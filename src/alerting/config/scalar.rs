//! What a scalar is in YAML 1.1, as the reference's parser resolves it: `yes` is a boolean, `010` is eight.

use super::error::ConfigError;
use super::node::{Content, Node};

/// A scalar after resolution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Resolved<'a> {
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    /// Only strings look like it: kept as text.
    Timestamp(&'a str),
    Text(&'a str),
}

impl Resolved<'_> {
    /// YAML's name of the type.
    pub(super) const fn tag(&self) -> &'static str {
        match self {
            Self::Null => "!!null",
            Self::Bool(_) => "!!bool",
            Self::Int(_) => "!!int",
            Self::Float(_) => "!!float",
            Self::Timestamp(_) => "!!timestamp",
            Self::Text(_) => "!!str",
        }
    }
}

/// What a plain scalar without tag stands for.
pub(super) fn resolve_plain(text: &str) -> Resolved<'_> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Resolved::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Resolved::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Resolved::Bool(false);
        }
        ".nan" | ".NaN" | ".NAN" => return Resolved::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Resolved::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Resolved::Float(f64::NEG_INFINITY),
        _ => {}
    }
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return Resolved::Text(text);
    }
    if is_timestamp(text) {
        return Resolved::Timestamp(text);
    }
    let digits = text.replace('_', "");
    if let Some(int) = integer(&digits) {
        return Resolved::Int(int);
    }
    match digits.parse::<f64>() {
        Ok(float) if float.is_finite() && is_float(&digits) => Resolved::Float(float),
        _ => Resolved::Text(text),
    }
}

/// What a node stands for; collections are an error that names `wanted`.
pub(super) fn resolve<'a>(node: &'a Node, path: &str, wanted: &str) -> Result<Resolved<'a>, ConfigError> {
    let Content::Scalar { text, plain, tag } = &node.content else { return Err(mismatch(node, path, wanted)) };
    let resolved = if *plain { resolve_plain(text) } else { Resolved::Text(text) };
    match tag.as_deref() {
        Some("!!binary") => Err(node.error(path, "!!binary values are not supported yet")),
        Some(tag @ ("!!bool" | "!!int" | "!!float" | "!!null")) => {
            let resolved = resolve_plain(text);
            match (tag, resolved) {
                ("!!float", Resolved::Int(int)) => Ok(Resolved::Float(int as f64)),
                _ if resolved.tag() == tag => Ok(resolved),
                _ => Err(node.error(path, format!("yaml: cannot decode {} `{text}` as a {tag}", resolved.tag()))),
            }
        }
        Some(_) => Ok(Resolved::Text(text)),
        None => Ok(resolved),
    }
}

/// The error for a node of the wrong type.
pub(super) fn mismatch(node: &Node, path: &str, wanted: &str) -> ConfigError {
    let found = match &node.content {
        Content::Sequence(_) => "!!seq".to_owned(),
        Content::Mapping(_) => "!!map".to_owned(),
        Content::Scalar { text, plain, tag } => {
            let resolved = if *plain { resolve_plain(text).tag() } else { "!!str" };
            let tag = tag.as_deref().unwrap_or(resolved);
            // no more of it: it may be a secret
            let short: String = text.chars().take(7).collect();
            if text.len() > 10 { format!("{tag} `{short}...`") } else { format!("{tag} `{text}`") }
        }
    };
    node.error(path, format!("cannot unmarshal {found} into {wanted}"))
}

/// Decimal, `0x`, `0o`, `0b`, and octal by a leading zero; 64 bits with or without sign.
fn integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.get(..2).unwrap_or_default().to_ascii_lowercase();
    let (radix, digits) = match lower.as_str() {
        "0x" => (16, digits.get(2..)?),
        "0o" => (8, digits.get(2..)?),
        "0b" => (2, digits.get(2..)?),
        _ if digits.len() > 1 && digits.starts_with('0') => (8, digits.get(1..)?),
        _ => (10, digits),
    };
    if !digits.starts_with(|c: char| c.is_digit(radix)) {
        return None;
    }
    let value = i128::from(u64::from_str_radix(digits, radix).ok()?);
    let value = if negative { -value } else { value };
    (value >= i128::from(i64::MIN)).then_some(value)
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_float(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (text, None),
    };
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    digits(whole)
        && digits(fraction)
        && (!whole.is_empty() || (!fraction.is_empty() && mantissa.starts_with('.')))
        && exponent.is_none_or(|e| !e.is_empty() && digits(e))
}

/// `2006-1-2`, with a time after `T`, `t` (then with a zone) or a blank (then without).
fn is_timestamp(text: &str) -> bool {
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let part = |t: &str, max: u32| (1..=2).contains(&t.len()) && t.parse::<u32>().is_ok_and(|v| v <= max);
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next(), parts.next(), parts.next());
    let valid_date = parts.next().is_none()
        && year.is_some_and(|y| y.len() == 4 && y.bytes().all(|b| b.is_ascii_digit()))
        && month.is_some_and(|m| part(m, 12) && !m.trim_start_matches('0').is_empty())
        && day.is_some_and(|d| part(d, 31) && !d.trim_start_matches('0').is_empty());
    if !valid_date || time.is_empty() {
        return valid_date;
    }
    let zoned = !time.starts_with(' ');
    let clock = time.get(1..).unwrap_or_default();
    let clock = match (zoned, clock.find(['Z', '+', '-'])) {
        (true, Some(at)) => {
            let (clock, zone) = clock.split_at(at);
            let hours = zone.get(1..).and_then(|z| z.split_once(':'));
            if zone != "Z" && !hours.is_some_and(|(h, m)| h.len() == 2 && m.len() == 2 && part(h, 24) && part(m, 60)) {
                return false;
            }
            clock
        }
        (false, None) => clock,
        _ => return false,
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut parts = clock.split(':');
    let limits = [23, 59, 59];
    limits.iter().all(|max| parts.next().is_some_and(|p| part(p, *max)))
        && parts.next().is_none()
        && !fraction.is_empty()
        && fraction.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolves_as_yaml_1_1() {
        let rows = [
            ("yes", Resolved::Bool(true)),
            ("Off", Resolved::Bool(false)),
            ("~", Resolved::Null),
            ("12", Resolved::Int(12)),
            ("010", Resolved::Int(8)),
            ("0x1F", Resolved::Int(31)),
            ("0b11", Resolved::Int(3)),
            ("1_000", Resolved::Int(1000)),
            ("-5", Resolved::Int(-5)),
            ("08", Resolved::Float(8.0)),
            ("1.5e3", Resolved::Float(1500.0)),
            (".5", Resolved::Float(0.5)),
            ("1e400", Resolved::Text("1e400")),
            ("2024-01-02", Resolved::Timestamp("2024-01-02")),
            ("2024-1-2T03:04:05Z", Resolved::Timestamp("2024-1-2T03:04:05Z")),
            ("2024-13-02", Resolved::Text("2024-13-02")),
            ("09:00", Resolved::Text("09:00")),
            ("-", Resolved::Text("-")),
            ("1.2.3", Resolved::Text("1.2.3")),
            ("+-1", Resolved::Text("+-1")),
            ("yEs", Resolved::Text("yEs")),
        ];
        for (text, expected) in rows {
            assert_eq!(resolve_plain(text), expected, "{text}");
        }
    }
}
