//! Times on the wire: printed with milliseconds, read in the forms that the reference reads. No allocation, since an
//! answer with all alerts prints a few hundred thousand of them.

use alerting::time::Timestamp;
use serde::{Serialize, Serializer};

/// Prints as `2006-01-02T15:04:05.000Z`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Millis(pub(super) Timestamp);

impl Serialize for Millis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let secs = self.0.as_secs();
        let (year, month, day) = civil_of_days(secs.div_euclid(86_400));
        let rest = secs.rem_euclid(86_400);
        let mut put = |at: usize, width: usize, mut value: i64| {
            for digit in text[at..at + width].iter_mut().rev() {
                *digit = b'0' + (value % 10) as u8;
                value /= 10;
            }
        };
        put(0, 4, year);
        put(5, 2, month);
        put(8, 2, day);
        put(11, 2, rest / 3600);
        put(14, 2, rest / 60 % 60);
        put(17, 2, rest % 60);
        put(20, 3, i64::from(self.0.subsec_nanos()) / 1_000_000);
        // ASCII only
        serializer.serialize_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

/// A text that is no time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("parsing time {0:?}: neither RFC 3339 nor `2006-01-02T15:04:05` nor `2006-01-02`")]
pub(super) struct NotATime(pub(super) String);

/// Reads RFC 3339 (with `+0100` too after milliseconds or microseconds), and ISO 8601 without a zone, without seconds,
/// with a blank for the `T`, or as a day only; those are UTC. `""` is the Unix epoch (reference behaviour), the year 1 is `None`: not given. What lies
/// outside of the years 1678 to 2261 becomes the nearest time inside.
///
/// # Errors
/// For other texts.
pub(super) fn parse(text: &str) -> Result<Option<Timestamp>, NotATime> {
    if text.is_empty() {
        return Ok(Some(Timestamp::EPOCH));
    }
    parse_bytes(text.as_bytes()).ok_or_else(|| NotATime(text.to_owned()))
}

fn parse_bytes(text: &[u8]) -> Option<Option<Timestamp>> {
    let (year, rest) = number(text, 4)?;
    let (month, rest) = number(skip(rest, b'-')?, 2)?;
    let (day, rest) = number(skip(rest, b'-')?, 2)?;
    if !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
        return None;
    }
    let (secs, nanos, offset) = match rest.split_first() {
        None => (0, 0, 0),
        Some((b'T', rest)) => clock(rest, true)?,
        Some((b' ', rest)) => clock(rest, false)?,
        Some(_) => return None,
    };
    if year == 1 {
        return Some(None);
    }
    let secs = days_of_civil(year, month, day) * 86_400 + secs - offset;
    let nanos = i128::from(secs) * 1_000_000_000 + i128::from(nanos);
    // "for ever" is often written as the year 9999
    let nanos = nanos.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
    Some(Some(Timestamp::from_nanos(nanos as i64)))
}

/// Seconds of the day, nanoseconds, offset from UTC in seconds.
fn clock(text: &[u8], may_have_zone: bool) -> Option<(i64, i64, i64)> {
    let (hour, rest) = number(text, 2)?;
    let (minute, mut rest) = number(skip(rest, b':')?, 2)?;
    let (mut second, mut nanos) = (0, 0);
    // digits of the fraction, once there are seconds
    let mut precision = None;
    if let [b':', tail @ ..] = rest {
        (second, rest) = number(tail, 2)?;
        precision = Some(0);
        if let [b'.' | b',', tail @ ..] = rest {
            let digits = tail.iter().take_while(|b| b.is_ascii_digit()).count();
            if digits == 0 {
                return None;
            }
            // beyond nanoseconds: cut off
            let kept = digits.min(9);
            nanos = number(tail, kept)?.0 * 10_i64.pow(9 - kept as u32);
            rest = &tail[digits..];
            precision = Some(digits);
        }
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // the reference's layouts: a blank takes no zone, hours and minutes alone take a `Z` only
    let offset = match rest {
        [] if precision.is_some() || may_have_zone => 0,
        [b'Z'] if may_have_zone => 0,
        [sign @ (b'+' | b'-'), zone @ ..] if may_have_zone && precision.is_some() => {
            let (hours, zone) = number(zone, 2)?;
            let zone = match zone.strip_prefix(b":") {
                Some(zone) => zone,
                None if matches!(precision, Some(3 | 6)) => zone,
                None => return None,
            };
            let (minutes, zone) = number(zone, 2)?;
            if !zone.is_empty() || hours > 24 || minutes > 59 {
                return None;
            }
            (hours * 3600 + minutes * 60) * if *sign == b'-' { -1 } else { 1 }
        }
        _ => return None,
    };
    Some((hour * 3600 + minute * 60 + second, nanos, offset))
}

fn number(text: &[u8], digits: usize) -> Option<(i64, &[u8])> {
    let (number, rest) = text.split_at_checked(digits)?;
    let value = number.iter().try_fold(0, |v, b| b.is_ascii_digit().then(|| v * 10 + i64::from(b - b'0')))?;
    Some((value, rest))
}

fn skip(text: &[u8], byte: u8) -> Option<&[u8]> {
    text.split_first().filter(|(first, _)| **first == byte).map(|(_, rest)| rest)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01. Years begin in March here, so that the leap day is the last one; 400 of them are an era.
fn days_of_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The reverse: year, month, day.
fn civil_of_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn nanos(text: &str) -> Option<i64> {
        parse(text).unwrap().map(Timestamp::as_nanos)
    }

    #[test]
    fn prints_what_the_core_prints() {
        // every 37 days and some, over the whole range
        for step in -2800..2800_i64 {
            let t = Timestamp::from_nanos(step * 3_211_123_456_789_012);
            let printed = serde_json::to_string(&Millis(t)).unwrap();
            assert_eq!(printed, format!("\"{}\"", t.rfc3339_millis()));
            assert_eq!(parse(&t.rfc3339_nano()), Ok(Some(t)));
        }
    }

    #[test]
    fn reads_the_forms_that_the_reference_reads() {
        let base = 1_767_312_000_000_000_000; // 2026-01-02
        let noon = base + 43_200_000_000_000;
        assert_eq!(nanos("2026-01-02"), Some(base));
        assert_eq!(nanos("2026-01-02T12:00:00Z"), Some(noon));
        assert_eq!(nanos("2026-01-02 12:00:00"), Some(noon));
        assert_eq!(nanos("2026-01-02T12:00"), Some(noon));
        assert_eq!(nanos("2026-01-02T12:00Z"), Some(noon));
        assert_eq!(nanos("2026-01-02T12:00:00"), Some(noon));
        assert_eq!(nanos("2026-01-02T13:00:00+01:00"), Some(noon));
        assert_eq!(nanos("2026-01-02T13:00:00.000+0100"), Some(noon));
        assert_eq!(nanos("2026-01-02T12:00:00.5Z"), Some(noon + 500_000_000));
        assert_eq!(nanos("2026-01-02T12:00:00.1234567891Z"), Some(noon + 123_456_789));
        assert_eq!(nanos("2024-02-29"), Some(1_709_164_800_000_000_000));
        assert_eq!(nanos(""), Some(0));
        assert_eq!(nanos("0001-01-01T00:00:00.000Z"), None);
        assert_eq!(nanos("9999-12-31T23:59:59Z"), Some(i64::MAX));
    }

    #[test]
    fn refuses_the_rest() {
        for text in [
            "yesterday",
            "2026-02-29",
            "2026-13-01",
            "2026-01-02t12:00:00z",
            "2026-01-02T24:00:00Z",
            "2026-01-02T12:00:60Z",
            "2026-01-02T12:00:00.Z",
            "2026-01-02T12:00:00Z ",
            "2026-01-02T12:00:00+1",
            "2026-01-02T12:00:00+0100",
            "2026-01-02T12:00:00.5+0100",
            "2026-01-02T12:00+01:00",
            "2026-01-02 12:00",
            "2026-01-02 12:00:00Z",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
