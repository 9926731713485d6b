//! Go's layouts: how the reference moment, Mon Jan 2 15:04:05 2006, is written.

/// A piece of a layout that stands for a part of a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    LongMonth,
    Month,
    NumMonth,
    ZeroMonth,
    LongWeekday,
    Weekday,
    Day,
    UnderDay,
    ZeroDay,
    UnderYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    Pm,
    LowerPm,
    ZoneName,
    /// An offset: `Z` stands for none; with a colon; how many of hours, minutes and seconds.
    Offset {
        z: bool,
        colon: bool,
        parts: u8,
    },
    /// `.000` or `.999`: that many digits, whether zeros at the end are kept, and the separator.
    Fraction {
        digits: usize,
        zeros: bool,
        comma: bool,
    },
}

/// The first part in a layout: what stands before it, the part, and what comes after.
pub(super) fn next(layout: &str) -> (&str, Option<(Part, &str)>, &str) {
    let bytes = layout.as_bytes();
    for at in 0..bytes.len() {
        if !layout.is_char_boundary(at) {
            continue;
        }
        let rest = &layout[at..];
        if let Some((part, skip, len)) = part_at(rest, at + 1 < bytes.len()) {
            let (start, end) = (at + skip, at + skip + len);
            return (&layout[..start], Some((part, &layout[start..end])), &layout[end..]);
        }
    }
    (layout, None, "")
}

/// The part that `rest` begins with, how many bytes before it are plain text, and its length.
fn part_at(rest: &str, more: bool) -> Option<(Part, usize, usize)> {
    let found = |part, len| Some((part, 0, len));
    let offset = |z, colon, parts, len| found(Part::Offset { z, colon, parts }, len);
    let lower_after = |len: usize| rest.as_bytes().get(len).is_some_and(u8::is_ascii_lowercase);
    let starts = |prefix: &str| rest.starts_with(prefix);
    match rest.as_bytes().first()? {
        b'J' if starts("January") => found(Part::LongMonth, 7),
        b'J' if starts("Jan") && !lower_after(3) => found(Part::Month, 3),
        b'M' if starts("Monday") => found(Part::LongWeekday, 6),
        b'M' if starts("Mon") && !lower_after(3) => found(Part::Weekday, 3),
        b'M' if starts("MST") => found(Part::ZoneName, 3),
        b'0' if starts("002") => found(Part::ZeroYearDay, 3),
        b'0' => match rest.as_bytes().get(1)? {
            b'1' => found(Part::ZeroMonth, 2),
            b'2' => found(Part::ZeroDay, 2),
            b'3' => found(Part::ZeroHour12, 2),
            b'4' => found(Part::ZeroMinute, 2),
            b'5' => found(Part::ZeroSecond, 2),
            b'6' => found(Part::Year, 2),
            _ => None,
        },
        b'1' if starts("15") => found(Part::Hour, 2),
        b'1' => found(Part::NumMonth, 1),
        b'2' if starts("2006") => found(Part::LongYear, 4),
        b'2' => found(Part::Day, 1),
        b'_' if starts("_2006") => Some((Part::LongYear, 1, 4)),
        b'_' if starts("_2") => found(Part::UnderDay, 2),
        b'_' if starts("__2") => found(Part::UnderYearDay, 3),
        b'3' => found(Part::Hour12, 1),
        b'4' => found(Part::Minute, 1),
        b'5' => found(Part::Second, 1),
        b'P' if starts("PM") => found(Part::Pm, 2),
        b'p' if starts("pm") => found(Part::LowerPm, 2),
        b'-' if starts("-070000") => offset(false, false, 3, 7),
        b'-' if starts("-07:00:00") => offset(false, true, 3, 9),
        b'-' if starts("-0700") => offset(false, false, 2, 5),
        b'-' if starts("-07:00") => offset(false, true, 2, 6),
        b'-' if starts("-07") => offset(false, false, 1, 3),
        b'Z' if starts("Z070000") => offset(true, false, 3, 7),
        b'Z' if starts("Z07:00:00") => offset(true, true, 3, 9),
        b'Z' if starts("Z0700") => offset(true, false, 2, 5),
        b'Z' if starts("Z07:00") => offset(true, true, 2, 6),
        b'Z' if starts("Z07") => offset(true, false, 1, 3),
        separator @ (b'.' | b',') if more => {
            let digit = *rest.as_bytes().get(1)?;
            if digit != b'0' && digit != b'9' {
                return None;
            }
            let digits = rest.bytes().skip(1).take_while(|b| *b == digit).count();
            if rest.as_bytes().get(1 + digits).is_some_and(u8::is_ascii_digit) {
                return None;
            }
            found(Part::Fraction { digits, zeros: digit == b'0', comma: *separator == b',' }, 1 + digits)
        }
        _ => None,
    }
}
