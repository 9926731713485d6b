//! Text as a moment, read by a layout as Go's `ParseInLocation(…, UTC)` does it.

use super::layout::{self, Part};
use super::{GoTime, MONTHS, WEEKDAYS, Zone, days_in, days_to};
use crate::template::quote;

/// A part can't be read, or is out of range.
enum Wrong {
    Syntax,
    Range(&'static str),
}

#[derive(Default)]
struct Found {
    year: i64,
    month: Option<i64>,
    day: Option<i64>,
    year_day: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    nanos: u32,
    afternoon: Option<bool>,
    utc: bool,
    offset: Option<i64>,
    zone: Option<String>,
}

/// The moment, or the reference's complaint.
pub(in crate::template) fn parse(layout: &str, text: &str) -> Result<GoTime, String> {
    let fail = |what: &str, rest: &str| {
        let (text, layout) = (quote(text), quote(layout));
        format!("parsing time {text} as {layout}: cannot parse {} as {}", quote(rest), quote(what))
    };
    let invalid = |message: &str| format!("parsing time {}: {message}", quote(text));
    let mut found = Found::default();
    let (mut rest, mut value) = (layout, text);
    loop {
        let (before, part, after) = layout::next(rest);
        value = skip(value, before).map_err(|at| fail(before, at))?;
        let Some((part, shown)) = part else {
            if !value.is_empty() {
                return Err(invalid(&format!("extra text: {}", quote(value))));
            }
            break;
        };
        rest = after;
        value = match found.read(part, value, rest) {
            Ok(rest) => rest,
            Err(Wrong::Syntax) => return Err(fail(shown, value)),
            Err(Wrong::Range(what)) => return Err(invalid(&format!("{what} out of range"))),
        };
    }
    found.moment().map_err(invalid)
}

/// What follows `prefix`; runs of spaces match runs of spaces.
fn skip<'a>(mut value: &'a str, mut prefix: &str) -> Result<&'a str, &'a str> {
    while let Some(c) = prefix.chars().next() {
        if c == ' ' {
            if !value.is_empty() && !value.starts_with(' ') {
                return Err(value);
            }
            prefix = prefix.trim_start_matches(' ');
            value = value.trim_start_matches(' ');
            continue;
        }
        value = value.strip_prefix(c).ok_or(value)?;
        prefix = &prefix[c.len_utf8()..];
    }
    Ok(value)
}

/// A number of one or two digits; `fixed`: two.
fn two_digits(value: &str, fixed: bool) -> Result<(i64, &str), Wrong> {
    digits(value, 2, fixed)
}

fn digits(value: &str, most: usize, fixed: bool) -> Result<(i64, &str), Wrong> {
    let count = value.bytes().take(most).take_while(u8::is_ascii_digit).count();
    if count == 0 || (fixed && count < most) {
        return Err(Wrong::Syntax);
    }
    let number = value[..count].parse().map_err(|_| Wrong::Syntax)?;
    Ok((number, &value[count..]))
}

fn name<'a>(value: &'a str, names: &[&str], length: Option<usize>) -> Result<(i64, &'a str), Wrong> {
    for (index, name) in names.iter().enumerate() {
        let name = length.map_or(*name, |length| &name[..length]);
        if value.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)) {
            return Ok((index as i64 + 1, &value[name.len()..]));
        }
    }
    Err(Wrong::Syntax)
}

fn split(value: &str, at: usize) -> Result<(&str, &str), Wrong> {
    value.split_at_checked(at).ok_or(Wrong::Syntax)
}

/// A separator and digits.
fn fraction(text: &str) -> Result<u32, Wrong> {
    if !text.starts_with(['.', ',']) {
        return Err(Wrong::Syntax);
    }
    let digits = text.get(1..text.len().min(10)).ok_or(Wrong::Syntax)?;
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Wrong::Syntax);
    }
    format!("{digits:0<9}").parse().map_err(|_| Wrong::Syntax)
}

impl Found {
    fn read<'a>(&mut self, part: Part, value: &'a str, rest: &str) -> Result<&'a str, Wrong> {
        match part {
            Part::Year => {
                let (year, value) = digits(value, 2, true)?;
                self.year = if year >= 69 { year + 1900 } else { year + 2000 };
                return Ok(value);
            }
            Part::LongYear => {
                let (year, value) = digits(value, 4, true)?;
                self.year = year;
                return Ok(value);
            }
            Part::Month | Part::LongMonth => {
                let (month, value) = name(value, &MONTHS, (part == Part::Month).then_some(3))?;
                self.month = Some(month);
                return Ok(value);
            }
            Part::NumMonth | Part::ZeroMonth => {
                let (month, value) = two_digits(value, part == Part::ZeroMonth)?;
                self.month = Some(month);
                return in_range(value, (1..=12).contains(&month), "month");
            }
            Part::Weekday => return Ok(name(value, &WEEKDAYS, Some(3))?.1),
            Part::LongWeekday => return Ok(name(value, &WEEKDAYS, None)?.1),
            Part::Day | Part::UnderDay | Part::ZeroDay => {
                let padded = part == Part::UnderDay;
                let value = value.strip_prefix(' ').filter(|_| padded).unwrap_or(value);
                let (day, value) = two_digits(value, part == Part::ZeroDay)?;
                self.day = Some(day);
                return Ok(value);
            }
            Part::UnderYearDay | Part::ZeroYearDay => {
                let mut value = value;
                if part == Part::UnderYearDay {
                    value = value.strip_prefix(' ').unwrap_or(value);
                    value = value.strip_prefix(' ').unwrap_or(value);
                }
                let (day, value) = digits(value, 3, part == Part::ZeroYearDay)?;
                self.year_day = Some(day);
                return Ok(value);
            }
            Part::Hour => {
                let (hour, value) = two_digits(value, false)?;
                self.hour = hour;
                return in_range(value, hour < 24, "hour");
            }
            Part::Hour12 | Part::ZeroHour12 => {
                let (hour, value) = two_digits(value, part == Part::ZeroHour12)?;
                self.hour = hour;
                return in_range(value, hour <= 12, "hour");
            }
            Part::Minute | Part::ZeroMinute => {
                let (minute, value) = two_digits(value, part == Part::ZeroMinute)?;
                self.minute = minute;
                return in_range(value, minute < 60, "minute");
            }
            Part::Second | Part::ZeroSecond => return self.second(part, value, rest),
            Part::Pm | Part::LowerPm => {
                let (half, value) = split(value, 2)?;
                self.afternoon = Some(match (part, half) {
                    (Part::Pm, "PM") | (Part::LowerPm, "pm") => true,
                    (Part::Pm, "AM") | (Part::LowerPm, "am") => false,
                    _ => return Err(Wrong::Syntax),
                });
                return Ok(value);
            }
            Part::Offset { z: true, .. } if value.starts_with('Z') => {
                self.utc = true;
                return Ok(&value[1..]);
            }
            Part::Offset { colon, parts, .. } => return self.offset(value, colon, parts),
            Part::ZoneName => {
                if let Some(value) = value.strip_prefix("UTC") {
                    self.utc = true;
                    return Ok(value);
                }
                let (zone, value) = split(value, zone_name(value).ok_or(Wrong::Syntax)?)?;
                self.zone = Some(zone.to_owned());
                return Ok(value);
            }
            Part::Fraction { digits, zeros: true, .. } => {
                let (text, value) = split(value, 1 + digits)?;
                self.nanos = fraction(text)?;
                return Ok(value);
            }
            Part::Fraction { .. } => {}
        }
        let digits = value.bytes().skip(1).take_while(u8::is_ascii_digit).count();
        if !value.starts_with(['.', ',']) || digits == 0 {
            return Ok(value);
        }
        let (text, value) = split(value, 1 + digits)?;
        self.nanos = fraction(text)?;
        Ok(value)
    }

    /// A fraction may follow even if the layout has none.
    fn second<'a>(&mut self, part: Part, value: &'a str, rest: &str) -> Result<&'a str, Wrong> {
        let (second, value) = two_digits(value, part == Part::ZeroSecond)?;
        self.second = second;
        let value = in_range(value, second < 60, "second")?;
        let digits = value.bytes().skip(1).take_while(u8::is_ascii_digit).count();
        if !value.starts_with(['.', ',']) || digits == 0 {
            return Ok(value);
        }
        if let Some((Part::Fraction { .. }, _)) = layout::next(rest).1 {
            return Ok(value);
        }
        let (text, value) = split(value, 1 + digits)?;
        self.nanos = fraction(text)?;
        Ok(value)
    }

    fn offset<'a>(&mut self, value: &'a str, colon: bool, parts: u8) -> Result<&'a str, Wrong> {
        let negative = match value.as_bytes().first() {
            Some(b'+') => false,
            Some(b'-') => true,
            _ => return Err(Wrong::Syntax),
        };
        let mut value = &value[1..];
        let mut numbers = [0; 3];
        for (index, number) in numbers.iter_mut().enumerate().take(usize::from(parts)) {
            if colon && index > 0 {
                value = value.strip_prefix(':').ok_or(Wrong::Syntax)?;
            }
            (*number, value) = two_digits(value, true)?;
        }
        let [hours, minutes, seconds] = numbers;
        let value = in_range(value, hours <= 24, "time zone offset hour")?;
        let value = in_range(value, minutes <= 60, "time zone offset minute")?;
        let value = in_range(value, seconds <= 60, "time zone offset second")?;
        let offset = (hours * 60 + minutes) * 60 + seconds;
        self.offset = Some(if negative { -offset } else { offset });
        Ok(value)
    }

    fn moment(mut self) -> Result<GoTime, &'static str> {
        match self.afternoon {
            Some(true) if self.hour < 12 => self.hour += 12,
            Some(false) if self.hour == 12 => self.hour = 0,
            _ => {}
        }
        let (month, day) = match self.year_day {
            Some(of_year) => self.date_of_year_day(of_year)?,
            None => (self.month.unwrap_or(1), self.day.unwrap_or(1)),
        };
        if day < 1 || day > days_in(self.year, month) {
            return Err("day out of range");
        }
        let seconds = (self.hour * 60 + self.minute) * 60 + self.second;
        let at = |offset: i64, zone| {
            let utc = GoTime::of((self.year, month, day), seconds - offset, self.nanos, Zone::Utc);
            GoTime { nanos: utc.nanos, zone }
        };
        let fixed = |offset: i64, name: &str| Zone::Fixed(i32::try_from(offset).unwrap_or_default(), name.into());
        if self.utc {
            return Ok(at(0, Zone::Utc));
        }
        let name = self.zone.as_deref().unwrap_or_default();
        Ok(match (self.offset, name) {
            (Some(0), "" | "UTC") | (None, "") => at(0, Zone::Utc),
            // Go takes this one for "no offset"
            (Some(-1), "") => at(0, Zone::Utc),
            (Some(offset), name) => at(offset, fixed(offset, name)),
            (None, name) => {
                let hours = name.strip_prefix("GMT").and_then(|hours| hours.parse::<i64>().ok()).unwrap_or_default();
                at(0, fixed(hours * 3600, name))
            }
        })
    }

    fn date_of_year_day(&self, of_year: i64) -> Result<(i64, i64), &'static str> {
        let days = days_to(self.year + 1, 1, 1) - days_to(self.year, 1, 1);
        if of_year < 1 || of_year > days {
            return Err("day-of-year out of range");
        }
        let (mut month, mut day) = (1, of_year);
        while day > days_in(self.year, month) {
            day -= days_in(self.year, month);
            month += 1;
        }
        if self.month.is_some_and(|given| given != month) {
            return Err("day-of-year does not match month");
        }
        if self.day.is_some_and(|given| given != day) {
            return Err("day-of-year does not match day");
        }
        Ok((month, day))
    }
}

fn in_range<'a>(value: &'a str, fits: bool, what: &'static str) -> Result<&'a str, Wrong> {
    if fits { Ok(value) } else { Err(Wrong::Range(what)) }
}

/// Length of what looks like the abbreviation of a time zone.
fn zone_name(value: &str) -> Option<usize> {
    if value.starts_with("ChST") || value.starts_with("MeST") {
        return Some(4);
    }
    if let Some(rest) = value.strip_prefix("GMT") {
        return Some(3 + signed_hours(rest).unwrap_or_default());
    }
    if value.starts_with(['+', '-']) {
        return signed_hours(value);
    }
    let capitals = value.bytes().take(6).take_while(u8::is_ascii_uppercase).count();
    match capitals {
        5 if value.as_bytes()[4] == b'T' => Some(5),
        4 if value.as_bytes()[3] == b'T' || value.starts_with("WITA") => Some(4),
        3 => Some(3),
        _ => None,
    }
}

/// Length of a sign and an hour.
fn signed_hours(value: &str) -> Option<usize> {
    let digits = value.strip_prefix(['+', '-'])?.bytes().take_while(u8::is_ascii_digit).count();
    let hours: u32 = value.get(1..1 + digits)?.parse().ok()?;
    (hours <= 23).then_some(1 + digits)
}
