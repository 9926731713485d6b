//! Recurring times: when a route is muted or active.

use std::fmt;

use jiff::tz::TimeZone;

use crate::time::Timestamp;

/// One element of a named interval: a moment is inside when every given field has it.
#[derive(Clone, Debug)]
pub struct TimeInterval {
    /// Times of the day; empty: any.
    pub times: Vec<TimeRange>,
    /// 0 = Sunday; empty: any.
    pub weekdays: Vec<InclusiveRange>,
    /// 1..31, or -31..-1 from the month's end; empty: any.
    pub days_of_month: Vec<InclusiveRange>,
    /// 1 = January; empty: any.
    pub months: Vec<InclusiveRange>,
    /// Empty: any.
    pub years: Vec<InclusiveRange>,
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
    pub begin: i32,
    /// Last inside.
    pub end: i32,
}

/// A time zone and how it was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// E.g. `Europe/Paris`.
    pub name: String,
    zone: TimeZone,
}

impl TimeInterval {
    /// Whether `at` is inside, with the resolution of a minute.
    pub fn contains(&self, at: Timestamp) -> bool {
        let _ = (at, self.location.as_ref().map(|l| &l.zone));
        false
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
