//! The text forms of durations: Prometheus' (config) and Go's (flags, `timeout`).

use std::time::Duration;

use crate::label::GoQuoted;

/// Why a text is no duration; in the reference's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DurationError(pub String);

const MILLI: u64 = 1_000_000;
const SECOND: u64 = 1000 * MILLI;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const WEEK: u64 = 7 * DAY;
const YEAR: u64 = 365 * DAY;

/// Go counts in 63 bits of nanoseconds: some 292 years.
const MAX: u64 = i64::MAX as u64;

/// Largest first, in which order they must be written.
const PROMETHEUS_UNITS: [(&str, u64); 7] =
    [("y", YEAR), ("w", WEEK), ("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND), ("ms", MILLI)];

/// With both letters that look like a micro sign.
const GO_UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1000),
    ("\u{b5}s", 1000),
    ("\u{3bc}s", 1000),
    ("ms", MILLI),
    ("s", SECOND),
    ("m", MINUTE),
    ("h", HOUR),
];

const FLAG_UNITS: [(&str, u64); 2] = [("d", DAY), ("w", WEEK)];

/// Reads `1d12h`, `500ms`, `0`: units `y w d h m s ms`, largest first, whole numbers.
///
/// # Errors
/// For anything else, and for more than 292 years.
pub fn parse_prometheus(text: &str) -> Result<Duration, DurationError> {
    let invalid = || DurationError(format!("not a valid duration string: {}", GoQuoted(text)));
    let too_long = || DurationError("duration out of range".into());
    match text {
        "0" => return Ok(Duration::ZERO),
        "" => return Err(DurationError("empty duration string".into())),
        _ => {}
    }
    let (mut rest, mut nanos, mut allowed) = (text, 0_u64, PROMETHEUS_UNITS.as_slice());
    while !rest.is_empty() {
        let (number, tail) = split_at_first(rest, |c| !c.is_ascii_digit());
        let (unit, tail) = split_at_first(tail, |c| c.is_ascii_digit());
        let number: u64 = number.parse().map_err(|_| invalid())?;
        if unit.is_empty() {
            return Err(invalid());
        }
        if !PROMETHEUS_UNITS.iter().any(|(name, _)| *name == unit) {
            let (unit, text) = (GoQuoted(unit), GoQuoted(text));
            return Err(DurationError(format!("unknown unit {unit} in duration {text}")));
        }
        let at = allowed.iter().position(|(name, _)| *name == unit).ok_or_else(invalid)?;
        let (found, smaller) = allowed.split_at(at + 1);
        let size = found.last().map_or(0, |(_, size)| *size);
        nanos =
            number.checked_mul(size).and_then(|n| nanos.checked_add(n)).filter(|n| *n <= MAX).ok_or_else(too_long)?;
        (rest, allowed) = (tail, smaller);
    }
    Ok(Duration::from_nanos(nanos))
}

/// Prints as Prometheus does, rounded down to milliseconds: `1d12h`, `90d`, `0s`. Years and weeks only if exact.
pub fn print_prometheus(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_nanos()).unwrap_or(MAX) / MILLI * MILLI;
    if rest == 0 {
        return "0s".into();
    }
    let mut text = String::new();
    for (unit, size) in PROMETHEUS_UNITS {
        let only_exact = matches!(unit, "y" | "w");
        if rest < size || (only_exact && !rest.is_multiple_of(size)) {
            continue;
        }
        text.push_str(&format!("{}{unit}", rest / size));
        rest %= size;
    }
    text
}

/// Reads Go's form: `1h15m30.918s`, `1.5h`, `0`. A negative one is refused, unlike in Go.
///
/// # Errors
/// For anything else, and for more than 292 years.
pub fn parse_go(text: &str) -> Result<Duration, DurationError> {
    parse_units(text, quoted_bytes, |unit| GO_UNITS.iter().find(|(name, _)| *name == unit).map(|(_, size)| *size))
}

/// Reads Go's form with days and weeks besides, as command-line flags have it: `1d12h`, `120h`.
///
/// # Errors
/// For anything else, and for more than 292 years.
pub fn parse_flag(text: &str) -> Result<Duration, DurationError> {
    let units = || GO_UNITS.iter().chain(&FLAG_UNITS);
    let quoted = |text: &str| format!("\"{text}\"");
    parse_units(text, quoted, |unit| units().find(|(name, _)| *name == unit).map(|(_, size)| *size))
}

/// Prints as Go does: `1h0m0s`, `1.5s`, `250ms`, `0s`.
pub fn print_go(duration: Duration) -> String {
    let nanos = u64::try_from(duration.as_nanos()).unwrap_or(MAX);
    match nanos {
        0 => "0s".into(),
        1..1000 => format!("{nanos}ns"),
        1000..MILLI => decimal(nanos, 1000, "\u{b5}s"),
        MILLI..SECOND => decimal(nanos, MILLI, "ms"),
        _ => {
            let mut text = String::new();
            if nanos >= HOUR {
                text = format!("{}h", nanos / HOUR);
            }
            if nanos >= MINUTE {
                text.push_str(&format!("{}m", nanos % HOUR / MINUTE));
            }
            text + &decimal(nanos % MINUTE, SECOND, "s")
        }
    }
}

fn parse_units(
    text: &str,
    quote: impl Fn(&str) -> String,
    size_of: impl Fn(&str) -> Option<u64>,
) -> Result<Duration, DurationError> {
    let quoted = quote(text);
    let invalid = || DurationError(format!("time: invalid duration {quoted}"));
    let mut rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut nanos = 0_u64;
    while !rest.is_empty() {
        let (whole, tail) = split_at_first(rest, |c| !c.is_ascii_digit());
        let parsed: Result<u64, _> = if whole.is_empty() { Ok(0) } else { whole.parse() };
        let number = parsed.ok().filter(|number| *number <= MAX).ok_or_else(invalid)?;
        let (fraction, tail) = match tail.strip_prefix('.') {
            Some(tail) => split_at_first(tail, |c| !c.is_ascii_digit()),
            None => ("", tail),
        };
        if whole.is_empty() && fraction.is_empty() {
            return Err(invalid());
        }
        let (unit, tail) = split_at_first(tail, |c| c == '.' || c.is_ascii_digit());
        if unit.is_empty() {
            return Err(DurationError(format!("time: missing unit in duration {quoted}")));
        }
        let size = size_of(unit)
            .ok_or_else(|| DurationError(format!("time: unknown unit {} in duration {quoted}", quote(unit))))?;
        let part = number.checked_mul(size).and_then(|n| n.checked_add(fraction_of(fraction, size)));
        nanos = part.and_then(|n| nanos.checked_add(n)).filter(|n| *n <= MAX).ok_or_else(invalid)?;
        rest = tail;
    }
    if text.starts_with('-') && nanos > 0 {
        return Err(DurationError(format!("negative duration {quoted}")));
    }
    Ok(Duration::from_nanos(nanos))
}

/// How Go's `time` quotes in its errors: bytes that are not printable ASCII in hex.
fn quoted_bytes(text: &str) -> String {
    let mut quoted = String::from("\"");
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => quoted.extend(['\\', char::from(byte)]),
            b' '..=b'~' | 0x7f => quoted.push(char::from(byte)),
            byte => quoted.push_str(&format!("\\x{byte:02x}")),
        }
    }
    quoted + "\""
}

/// `0.<digits>` of `size`, rounded down, with the errors of the reference's floating point.
fn fraction_of(digits: &str, size: u64) -> u64 {
    let (mut value, mut scale) = (0_i64, 1_f64);
    for digit in digits.bytes() {
        let Some(next) = value.checked_mul(10).and_then(|v| v.checked_add(i64::from(digit - b'0'))) else { break };
        value = next;
        scale *= 10.0;
    }
    (value as f64 * (size as f64 / scale)) as u64
}

/// `nanos / size` without trailing zeros.
fn decimal(nanos: u64, size: u64, unit: &str) -> String {
    let whole = nanos / size;
    let width = size.ilog10() as usize;
    let fraction = format!("{:0width$}", nanos % size);
    match fraction.trim_end_matches('0') {
        "" => format!("{whole}{unit}"),
        fraction => format!("{whole}.{fraction}{unit}"),
    }
}

fn split_at_first(text: &str, stop: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(stop).unwrap_or(text.len()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn prometheus_form() {
        let rows = [
            ("0", "0s"),
            ("0s", "0s"),
            ("1h30m", "1h30m"),
            ("90m", "1h30m"),
            ("90d", "90d"),
            ("7d", "1w"),
            ("8d", "8d"),
            ("365d", "1y"),
            ("1y1w1d1h1m1s1ms", "373d1h1m1s1ms"),
            ("5ms", "5ms"),
            ("007s", "7s"),
        ];
        for (text, printed) in rows {
            assert_eq!(print_prometheus(parse_prometheus(text).unwrap()), printed, "{text}");
        }
        let wrong = [
            ("", "empty duration string"),
            ("1", "not a valid duration string: \"1\""),
            ("-1s", "not a valid duration string: \"-1s\""),
            ("1.5h", "unknown unit \".\" in duration \"1.5h\""),
            ("1m1h", "not a valid duration string: \"1m1h\""),
            ("1s1s", "not a valid duration string: \"1s1s\""),
            ("5 m", "unknown unit \" m\" in duration \"5 m\""),
            ("1us", "unknown unit \"us\" in duration \"1us\""),
            ("293y", "duration out of range"),
            ("99999999999999999999s", "not a valid duration string: \"99999999999999999999s\""),
        ];
        for (text, message) in wrong {
            assert_eq!(parse_prometheus(text).unwrap_err().0, message, "{text}");
        }
    }

    #[test]
    fn go_form() {
        let rows = [
            ("0", "0s"),
            ("1h", "1h0m0s"),
            ("1h15m30.918s", "1h15m30.918s"),
            ("1.5h", "1h30m0s"),
            (".5s", "500ms"),
            ("1.s", "1s"),
            ("+90s", "1m30s"),
            ("1500us", "1.5ms"),
            ("1500\u{b5}s", "1.5ms"),
            ("1\u{3bc}s", "1\u{b5}s"),
            ("999ns", "999ns"),
            ("1s1h", "1h0m1s"),
        ];
        for (text, printed) in rows {
            assert_eq!(print_go(parse_go(text).unwrap()), printed, "{text}");
        }
        let wrong = [
            ("", "time: invalid duration \"\""),
            ("3", "time: missing unit in duration \"3\""),
            ("1d", "time: unknown unit \"d\" in duration \"1d\""),
            (".", "time: invalid duration \".\""),
            ("-1s", "negative duration \"-1s\""),
            ("9223372036854775808ns", "time: invalid duration \"9223372036854775808ns\""),
        ];
        for (text, message) in wrong {
            assert_eq!(parse_go(text).unwrap_err().0, message, "{text}");
        }
    }

    #[test]
    fn flags_know_days_and_weeks() {
        assert_eq!(parse_flag("1w2d3h").unwrap(), Duration::from_secs((9 * 24 + 3) * 3600));
        assert_eq!(parse_flag("120h").unwrap(), Duration::from_secs(120 * 3600));
        assert!(parse_flag("1y").is_err());
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_the_same(nanos in 0_u64..=MAX) {
            let go = Duration::from_nanos(nanos);
            prop_assert_eq!(parse_go(&print_go(go)), Ok(go));
            let millis = Duration::from_nanos(nanos / MILLI * MILLI);
            prop_assert_eq!(parse_prometheus(&print_prometheus(millis)), Ok(millis));
        }

        #[test]
        fn junk_is_refused_calmly(text in "[-+0-9.a-z\u{b5}]{0,24}") {
            for parse in [parse_go, parse_flag, parse_prometheus] {
                let _ = parse(&text);
            }
        }
    }
}
