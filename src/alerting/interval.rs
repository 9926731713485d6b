//! Recurring times: when a route is muted or active.

use std::fmt;

use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::time::Timestamp;

/// One element of a named interval: a moment is inside when every given field has it.
///
/// `None` is "not given"; a list that is given but empty has no moment in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimeInterval {
    /// Times of the day.
    pub times: Option<Vec<TimeRange>>,
    /// 0 = Sunday.
    pub weekdays: Option<Vec<InclusiveRange>>,
    /// 1..31, or -31..-1 from the month's end.
    pub days_of_month: Option<Vec<InclusiveRange>>,
    /// 1 = January.
    pub months: Option<Vec<InclusiveRange>>,
    /// As they are.
    pub years: Option<Vec<InclusiveRange>>,
    /// In which zone it is read; `None`: UTC.
    pub location: Option<Location>,
}

/// Minutes since midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeRange {
    /// First minute inside.
    pub start: u16,
    /// First minute after it; 1440 is the day's end.
    pub end: u16,
}

/// Both ends inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InclusiveRange {
    /// First inside.
    pub begin: i64,
    /// Last inside.
    pub end: i64,
}

/// A time zone and how it was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    name: String,
    zone: TimeZone,
}

/// Why a text is no part of an interval; in the reference's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct IntervalError(String);

const WEEKDAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

impl TimeInterval {
    /// Whether `at` is inside, with the resolution of a minute.
    pub fn contains(&self, at: Timestamp) -> bool {
        let zone = self.location.as_ref().map_or(TimeZone::UTC, |location| location.zone.clone());
        // every Timestamp lies inside of jiff's range
        let stamp = jiff::Timestamp::from_second(at.as_secs()).unwrap_or_default();
        let local = stamp.to_zoned(zone).datetime();
        let minute = i64::from(local.hour()) * 60 + i64::from(local.minute());
        let weekday = i64::from(local.weekday().to_sunday_zero_offset());
        let any = |ranges: &Option<Vec<InclusiveRange>>, value: i64| {
            ranges.as_ref().is_none_or(|ranges| ranges.iter().any(|range| range.contains(value)))
        };
        let inside = |range: &TimeRange| i64::from(range.start) <= minute && minute < i64::from(range.end);
        self.times.as_ref().is_none_or(|times| times.iter().any(inside))
            && self.days_of_month.as_ref().is_none_or(|days| days.iter().any(|range| range.contains_day(local.date())))
            && any(&self.months, i64::from(local.month()))
            && any(&self.weekdays, weekday)
            && any(&self.years, i64::from(local.year()))
    }
}

impl TimeRange {
    /// From two texts as `09:30`, the first one earlier.
    ///
    /// # Errors
    /// When one is missing or no time, or the end is not after the start.
    pub fn parse(start: &str, end: &str) -> Result<Self, IntervalError> {
        if start.is_empty() || end.is_empty() {
            return fail("both start and end times must be provided");
        }
        let (start, end) = (minutes(start)?, minutes(end)?);
        if start >= end {
            return fail("start time cannot be equal or greater than end time");
        }
        Ok(Self { start, end })
    }

    /// The start as `HH:MM`.
    pub fn start_text(self) -> String {
        format!("{:02}:{:02}", self.start / 60, self.start % 60)
    }

    /// The end as `HH:MM`.
    pub fn end_text(self) -> String {
        format!("{:02}:{:02}", self.end / 60, self.end % 60)
    }
}

impl InclusiveRange {
    /// `monday` or `monday:friday`; Sunday is the first day of a week.
    ///
    /// # Errors
    /// For an unknown name or a range that runs backwards.
    pub fn weekdays(text: &str) -> Result<Self, IntervalError> {
        let day = |text: &str| match WEEKDAYS.iter().position(|name| *name == text) {
            Some(at) => Ok(at as i64),
            None => fail(format!("{text} is not a valid weekday")),
        };
        let range = Self::read(text, day)?;
        if range.begin > range.end {
            return fail("start day cannot be before end day");
        }
        Ok(range)
    }

    /// `1`, `1:15`, `-3:-1`; negative days count from the month's end.
    ///
    /// # Errors
    /// For days that no month has and ranges that are empty in a month of 28 days.
    pub fn days_of_month(text: &str) -> Result<Self, IntervalError> {
        let range = Self::read(text, integer)?;
        for day in [range.begin, range.end] {
            if day == 0 || !(-31..=31).contains(&day) {
                return fail(format!("{day} is not a valid day of the month: out of range"));
            }
        }
        if range.begin < 0 && range.end > 0 {
            return fail("end day must be negative if start day is negative");
        }
        let in_february = |day: i64| if day < 0 { 28 + day } else { day };
        if in_february(range.begin) > in_february(range.end) {
            return fail(format!("end day {} is always before start day {}", range.end, range.begin));
        }
        Ok(range)
    }

    /// `may`, `5`, `march:june`, `1:3`. Numbers are not checked to be months (reference behaviour).
    ///
    /// # Errors
    /// For an unknown name or a range that runs backwards.
    pub fn months(text: &str) -> Result<Self, IntervalError> {
        let month = |text: &str| match MONTHS.iter().position(|name| *name == text) {
            Some(at) => Ok(at as i64 + 1),
            None => integer(text).or_else(|_| fail(format!("{text} is not a valid month"))),
        };
        let range = Self::read(text, month)?;
        if range.begin > range.end {
            let name = |month: i64| usize::try_from(month - 1).ok().and_then(|at| MONTHS.get(at)).copied();
            let (end, begin) = (name(range.end).unwrap_or_default(), name(range.begin).unwrap_or_default());
            return fail(format!("end month {end} is before start month {begin}"));
        }
        Ok(range)
    }

    /// `2026`, `2026:2030`.
    ///
    /// # Errors
    /// For what is no number and a range that runs backwards.
    pub fn years(text: &str) -> Result<Self, IntervalError> {
        let range = Self::read(text, integer)?;
        if range.begin > range.end {
            return fail(format!("end year {} is before start year {}", range.end, range.begin));
        }
        Ok(range)
    }

    /// The range with the names of weekdays.
    pub fn weekdays_text(&self) -> String {
        let name = |day: i64| usize::try_from(day).ok().and_then(|at| WEEKDAYS.get(at)).copied().unwrap_or_default();
        if self.begin == self.end {
            return name(self.begin).to_owned();
        }
        format!("{}:{}", name(self.begin), name(self.end))
    }

    const fn contains(&self, value: i64) -> bool {
        self.begin <= value && value <= self.end
    }

    /// Days beyond the month's end are its last day; a range that begins there has no day. Days are those of the
    /// calendar: the reference counts one less in a month in which summer time begins.
    fn contains_day(&self, date: Date) -> bool {
        let days = i64::from(date.days_in_month());
        let from_start = |day: i64| if day < 0 { days + day + 1 } else { day };
        let (begin, end) = (from_start(self.begin), from_start(self.end).min(days));
        let day = i64::from(date.day());
        begin <= days && begin <= day && day <= end
    }

    fn read(text: &str, member: impl Fn(&str) -> Result<i64, IntervalError>) -> Result<Self, IntervalError> {
        let text = text.to_lowercase();
        let Some((begin, end)) = text.split_once(':') else {
            let value = member(&text)?;
            return Ok(Self { begin: value, end: value });
        };
        if end.contains(':') {
            return fail(format!("couldn't parse range {text}, invalid format"));
        }
        Ok(Self { begin: member(begin)?, end: member(end)? })
    }
}

impl fmt::Display for InclusiveRange {
    /// `5`, or `1:5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.begin == self.end {
            return write!(f, "{}", self.begin);
        }
        write!(f, "{}:{}", self.begin, self.end)
    }
}

impl Location {
    /// By its IANA name, from the database built into this program. `""` is UTC. `Local` is UTC as well: where a
    /// program runs is not for a pure function to ask.
    ///
    /// # Errors
    /// When there is no such zone.
    pub fn named(name: &str) -> Result<Self, IntervalError> {
        let zone = match name {
            "" => return Ok(Self { name: "UTC".into(), zone: TimeZone::UTC }),
            "UTC" | "Local" => TimeZone::UTC,
            _ => {
                let unknown = || IntervalError(format!("unknown time zone {name}"));
                let zone = TimeZoneDatabase::bundled().get(name).map_err(|_| unknown())?;
                // names are files for the reference: their case counts
                if zone.iana_name() != Some(name) {
                    return Err(unknown());
                }
                zone
            }
        };
        Ok(Self { name: name.to_owned(), zone })
    }

    /// E.g. `Europe/Paris`.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// `HH:MM` in two digits each, up to `24:00`.
fn minutes(text: &str) -> Result<u16, IntervalError> {
    let two = |text: &str| match text.as_bytes() {
        [a @ b'0'..=b'9', b @ b'0'..=b'9'] => Some(u16::from(a - b'0') * 10 + u16::from(b - b'0')),
        _ => None,
    };
    match text.split_once(':').map(|(hours, minutes)| (two(hours), two(minutes))) {
        Some((Some(hours), Some(minutes))) if minutes < 60 && (hours < 24 || (hours == 24 && minutes == 0)) => {
            Ok(hours * 60 + minutes)
        }
        _ => fail(format!("couldn't parse timestamp {text}, invalid format")),
    }
}

fn integer(text: &str) -> Result<i64, IntervalError> {
    text.parse().or_else(|_| fail(format!("strconv.Atoi: parsing \"{text}\": invalid syntax")))
}

fn fail<T>(message: impl Into<String>) -> Result<T, IntervalError> {
    Err(IntervalError(message.into()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::time::parse_rfc3339;

    fn at(text: &str) -> Timestamp {
        parse_rfc3339(text).unwrap().unwrap()
    }

    #[test]
    fn all_given_fields_must_match() {
        let interval = TimeInterval {
            times: Some(vec![TimeRange::parse("09:00", "17:00").unwrap()]),
            weekdays: Some(vec![InclusiveRange::weekdays("Monday:friday").unwrap()]),
            ..TimeInterval::default()
        };
        // 2026-11-20 is a Friday
        for (time, inside) in [
            ("2026-11-20T09:00:00Z", true),
            ("2026-11-20T08:59:59Z", false),
            ("2026-11-20T16:59:59Z", true),
            ("2026-11-20T17:00:00Z", false),
            ("2026-11-21T10:00:00Z", false),
            ("2026-11-20T10:00:00+02:00", false),
        ] {
            assert_eq!(interval.contains(at(time)), inside, "{time}");
        }
        assert!(TimeInterval::default().contains(at("2026-11-20T09:00:00Z")));
        let never = TimeInterval { weekdays: Some(Vec::new()), ..TimeInterval::default() };
        assert!(!never.contains(at("2026-11-20T09:00:00Z")));
    }

    #[test]
    fn zones_have_summer_time() {
        let paris = TimeInterval {
            times: Some(vec![TimeRange::parse("09:00", "10:00").unwrap()]),
            location: Some(Location::named("Europe/Paris").unwrap()),
            ..TimeInterval::default()
        };
        assert!(paris.contains(at("2026-07-01T07:30:00Z")) && !paris.contains(at("2026-07-01T08:30:00Z")));
        assert!(paris.contains(at("2026-12-01T08:30:00Z")) && !paris.contains(at("2026-12-01T07:30:00Z")));
        for name in ["", "UTC", "Local", "America/New_York", "EST5EDT"] {
            assert!(Location::named(name).is_ok(), "{name}");
        }
        for name in ["Mars/Base", "europe/paris", "../etc/passwd"] {
            assert!(Location::named(name).is_err(), "{name}");
        }
    }

    #[test]
    fn days_count_from_either_end() {
        let contains = |range: &str, time: &str| {
            let days = vec![InclusiveRange::days_of_month(range).unwrap()];
            TimeInterval { days_of_month: Some(days), ..TimeInterval::default() }.contains(at(time))
        };
        assert!(contains("-1", "2026-02-28T12:00:00Z") && !contains("-1", "2026-02-27T12:00:00Z"));
        assert!(contains("-1", "2024-02-29T12:00:00Z") && contains("27:31", "2026-02-28T12:00:00Z"));
        assert!(!contains("31", "2026-02-28T12:00:00Z") && !contains("29:31", "2026-02-28T12:00:00Z"));
        assert!(contains("-31:-1", "2026-02-01T00:00:00Z") && contains("1:5", "2026-02-05T23:59:00Z"));
    }

    #[test]
    fn months_and_years() {
        let interval = TimeInterval {
            months: Some(vec![InclusiveRange::months("11:December").unwrap()]),
            years: Some(vec![InclusiveRange::years("2026").unwrap()]),
            ..TimeInterval::default()
        };
        assert!(interval.contains(at("2026-11-01T00:00:00Z")) && !interval.contains(at("2026-10-31T23:59:59Z")));
        assert!(!interval.contains(at("2027-11-01T00:00:00Z")));
    }

    #[test]
    fn refuses_what_the_reference_refuses() {
        type Parse = fn(&str) -> Result<InclusiveRange, IntervalError>;
        let rows: [(Parse, &str, &str); 14] = [
            (InclusiveRange::weekdays, "foo", "foo is not a valid weekday"),
            (InclusiveRange::weekdays, "1", "1 is not a valid weekday"),
            (InclusiveRange::weekdays, "saturday:sunday", "start day cannot be before end day"),
            (InclusiveRange::weekdays, "a:b:c", "couldn't parse range a:b:c, invalid format"),
            (InclusiveRange::days_of_month, "0", "0 is not a valid day of the month: out of range"),
            (InclusiveRange::days_of_month, "32", "32 is not a valid day of the month: out of range"),
            (InclusiveRange::days_of_month, "-1:1", "end day must be negative if start day is negative"),
            (InclusiveRange::days_of_month, "28:-1", "end day -1 is always before start day 28"),
            (InclusiveRange::days_of_month, "29:-1", "end day -1 is always before start day 29"),
            (InclusiveRange::days_of_month, "x", "strconv.Atoi: parsing \"x\": invalid syntax"),
            (InclusiveRange::months, "foo", "foo is not a valid month"),
            (InclusiveRange::months, "6:may", "end month may is before start month june"),
            (InclusiveRange::years, "2025:2024", "end year 2024 is before start year 2025"),
            (InclusiveRange::years, "", "strconv.Atoi: parsing \"\": invalid syntax"),
        ];
        for (parse, text, message) in rows {
            assert_eq!(parse(text).unwrap_err().to_string(), message, "{text}");
        }
        assert!(InclusiveRange::days_of_month("27:-1").is_ok() && InclusiveRange::months("13").is_ok());
        for (start, end) in
            [("9:00", "10:00"), ("10:00", "10:00"), ("00:00", "24:01"), ("25:00", "26:00"), ("", "10:00")]
        {
            assert!(TimeRange::parse(start, end).is_err(), "{start} {end}");
        }
    }
}
