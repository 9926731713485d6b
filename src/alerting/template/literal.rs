//! Go's literals: strings, characters, numbers.

use super::ast::Number;

/// What stands between the quotes of a Go literal; bytes that are no UTF-8 become U+FFFD.
pub(super) fn unescape(text: &str, quote: char) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.chars();
    let push = |bytes: &mut Vec<u8>, c: char| bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    while let Some(c) = rest.next() {
        if c != '\\' {
            push(&mut bytes, c);
            continue;
        }
        let digits = |rest: &mut std::str::Chars<'_>, count: usize, radix: u32| {
            let text: String = rest.by_ref().take(count).collect();
            let valid = text.len() == count && text.chars().all(|c| c.is_digit(radix));
            valid.then(|| u32::from_str_radix(&text, radix).ok()).flatten()
        };
        match rest.next()? {
            'a' => bytes.push(7),
            'b' => bytes.push(8),
            'f' => bytes.push(12),
            'n' => bytes.push(b'\n'),
            'r' => bytes.push(b'\r'),
            't' => bytes.push(b'\t'),
            'v' => bytes.push(11),
            '\\' => bytes.push(b'\\'),
            c if c == quote => push(&mut bytes, c),
            'x' if quote == '"' => bytes.push(u8::try_from(digits(&mut rest, 2, 16)?).ok()?),
            'x' => push(&mut bytes, char::from_u32(digits(&mut rest, 2, 16)?)?),
            'u' => push(&mut bytes, char::from_u32(digits(&mut rest, 4, 16)?)?),
            'U' => push(&mut bytes, char::from_u32(digits(&mut rest, 8, 16)?)?),
            c @ '0'..='7' => {
                let value = c.to_digit(8)? * 64 + digits(&mut rest, 2, 8)?;
                bytes.push(u8::try_from(value).ok()?);
            }
            _ => return None,
        }
    }
    Some(String::from_utf8(bytes).unwrap_or_else(|invalid| String::from_utf8_lossy(invalid.as_bytes()).into_owned()))
}

/// A number of the template language, or the reference's complaint.
pub(super) fn number(text: &str) -> Result<Number, String> {
    let bad = || format!("illegal number syntax: {}", super::quote(text));
    let (sign, digits) = match text.strip_prefix(['+', '-']) {
        Some(digits) => (if text.starts_with('-') { -1_i128 } else { 1 }, digits),
        None => (1, text),
    };
    if !underscores_fit(digits) {
        return Err(bad());
    }
    let digits = digits.replace('_', "").to_ascii_lowercase();
    let (radix, rest) = match digits.as_bytes() {
        [b'0', b'x', ..] => (16, &digits[2..]),
        [b'0', b'o', ..] => (8, &digits[2..]),
        [b'0', b'b', ..] => (2, &digits[2..]),
        [b'0', _, ..] if digits.bytes().all(|b| b.is_ascii_digit()) => (8, &digits[1..]),
        _ => (10, digits.as_str()),
    };
    if rest.chars().all(|c| c.is_digit(radix)) && !rest.is_empty() {
        let value =
            i128::from_str_radix(rest, radix).map_err(|_| format!("integer overflow: {}", super::quote(text)))?;
        let value = sign * value;
        if value > i128::from(u64::MAX) || value < i128::from(i64::MIN) {
            return Err(format!("integer overflow: {}", super::quote(text)));
        }
        let int = i64::try_from(value).ok();
        return Ok(Number { text: text.into(), int, float: Some(value as f64), looks_float: false });
    }
    if radix != 10 && radix != 8 {
        return Err(bad());
    }
    if digits.bytes().all(|b| b.is_ascii_digit()) && !digits.is_empty() {
        // octal, by its first digit, but not by all
        return Err(format!("integer overflow: {}", super::quote(text)));
    }
    let value: f64 = digits.parse().map_err(|_| bad())?;
    if value.is_infinite() {
        return Err(bad());
    }
    let value = sign as f64 * value;
    let int = (value.fract() == 0.0 && value.abs() < 9.2e18).then_some(value as i64);
    Ok(Number { text: text.into(), int, float: Some(value), looks_float: true })
}

/// Underscores only stand between digits, and after a prefix.
fn underscores_fit(digits: &str) -> bool {
    if !digits.contains('_') {
        return true;
    }
    !digits.starts_with('_') && !digits.ends_with('_') && !["__", "_.", "._"].iter().any(|pair| digits.contains(pair))
}
