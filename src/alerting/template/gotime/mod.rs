//! Go's `time.Time` and `time.Duration` as far as templates reach them.

mod layout;
mod parse;
mod write;

use std::fmt;
use std::sync::Arc;

use jiff::tz::{TimeZone, TimeZoneDatabase};

pub(super) use parse::parse;

use crate::time::Timestamp;

pub(super) const NANOS: i128 = 1_000_000_000;
/// Seconds from Go's zero time, the start of the year 1, to the Unix epoch.
const YEAR_ONE: i64 = -62_135_596_800;

/// A moment in a time zone.
#[derive(Debug, Clone)]
pub(super) struct GoTime {
    /// Nanoseconds since the Unix epoch; reaches years that [`Timestamp`] doesn't.
    pub(super) nanos: i128,
    pub(super) zone: Zone,
}

/// Where a moment is shown.
#[derive(Debug, Clone)]
pub(super) enum Zone {
    Utc,
    /// Seconds east of UTC, with a name or none.
    Fixed(i32, Arc<str>),
    Named(Arc<str>, TimeZone),
}

/// Nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Duration(pub(super) i64);

/// A moment taken apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Civil {
    pub(super) year: i64,
    /// From 1.
    pub(super) month: u8,
    pub(super) day: u8,
    pub(super) hour: u8,
    pub(super) minute: u8,
    pub(super) second: u8,
    pub(super) nanos: u32,
    /// From Sunday, 0.
    pub(super) weekday: u8,
    /// From 1.
    pub(super) year_day: u16,
}

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub(super) const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

impl GoTime {
    /// Go's zero time.
    pub(super) const UNSET: Self = Self { nanos: YEAR_ONE as i128 * NANOS, zone: Zone::Utc };

    pub(super) fn utc(moment: Timestamp) -> Self {
        Self { nanos: i128::from(moment.as_nanos()), zone: Zone::Utc }
    }

    pub(super) fn in_zone(&self, zone: Zone) -> Self {
        Self { nanos: self.nanos, zone }
    }

    pub(super) fn is_zero(&self) -> bool {
        self.nanos == Self::UNSET.nanos
    }

    /// Whole seconds since the Unix epoch, rounded down.
    pub(super) fn seconds(&self) -> i64 {
        i64::try_from(self.nanos.div_euclid(NANOS)).unwrap_or_default()
    }

    /// Seconds east of UTC at this moment, and the zone's name for it; no name: the offset as digits.
    pub(super) fn offset(&self) -> (i32, Arc<str>) {
        match &self.zone {
            Zone::Utc => (0, "UTC".into()),
            Zone::Fixed(offset, name) => (*offset, name.clone()),
            Zone::Named(_, zone) => {
                let moment = jiff::Timestamp::from_second(self.seconds()).unwrap_or_default();
                let info = zone.to_offset_info(moment);
                (info.offset().seconds(), info.abbreviation().into())
            }
        }
    }

    /// Date and time of day in its zone.
    pub(super) fn civil(&self) -> Civil {
        let local = self.seconds() + i64::from(self.offset().0);
        let (days, rest) = (local.div_euclid(86_400), local.rem_euclid(86_400));
        let (year, month, day) = date_of(days);
        let part = |seconds: i64| u8::try_from(seconds).unwrap_or_default();
        Civil {
            year,
            month,
            day,
            hour: part(rest / 3600),
            minute: part(rest / 60 % 60),
            second: part(rest % 60),
            nanos: u32::try_from(self.nanos.rem_euclid(NANOS)).unwrap_or_default(),
            weekday: part((days + 4).rem_euclid(7)),
            year_day: u16::try_from(days - days_to(year, 1, 1) + 1).unwrap_or_default(),
        }
    }

    /// The moment of a date and time of day in a zone; months and days may overflow.
    pub(super) fn of(date: (i64, i64, i64), seconds: i64, nanos: u32, zone: Zone) -> Self {
        let (year, month, day) = date;
        let (year, month) = (year + (month - 1).div_euclid(12), (month - 1).rem_euclid(12) + 1);
        let local = (days_to(year, month, 1) + day - 1) * 86_400 + seconds;
        let at = |offset: i32| Self {
            nanos: i128::from(local - i64::from(offset)) * NANOS + i128::from(nanos),
            zone: zone.clone(),
        };
        // as Go does: try the offset that is in force there, then the one next to it
        let guess = at(0).offset().0;
        let first = at(guess);
        let then = first.offset().0;
        if then == guess { first } else { at(then) }
    }

    /// Nanoseconds from `earlier` to `self`, at most what a duration holds.
    pub(super) fn since(&self, earlier: &Self) -> Duration {
        let nanos = self.nanos - earlier.nanos;
        Duration(i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX }))
    }
}

impl Zone {
    /// The zone of that name, out of the built-in database.
    pub(super) fn find(name: &str) -> Result<Self, String> {
        match name {
            "" | "UTC" | "Local" => Ok(Self::Utc),
            name if name.contains("..") || name.starts_with('/') || name.contains('\\') => {
                Err("time: invalid location name".to_owned())
            }
            name => match TimeZoneDatabase::bundled().get(name) {
                Ok(zone) => Ok(Self::Named(name.into(), zone)),
                Err(_) => Err(format!("unknown time zone {name}")),
            },
        }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Utc => "UTC",
            Self::Fixed(_, name) | Self::Named(name, _) => name,
        }
    }
}

impl Duration {
    pub(super) fn seconds(self) -> f64 {
        let (whole, rest) = (self.0 / 1_000_000_000, self.0 % 1_000_000_000);
        whole as f64 + rest as f64 / 1e9
    }

    /// To a multiple of `unit`, towards zero.
    pub(super) fn truncate(self, unit: Self) -> Self {
        if unit.0 <= 0 { self } else { Self(self.0 - self.0 % unit.0) }
    }

    /// To the nearest multiple of `unit`, halves away from zero.
    pub(super) fn round(self, unit: Self) -> Self {
        if unit.0 <= 0 {
            return self;
        }
        let rest = (self.0 % unit.0).unsigned_abs();
        let down = Self(self.0 - self.0 % unit.0);
        if rest.saturating_mul(2) < unit.0.unsigned_abs() {
            return down;
        }
        Self(if self.0 < 0 { down.0.saturating_sub(unit.0) } else { down.0.saturating_add(unit.0) })
    }
}

impl fmt::Display for Duration {
    /// Like `1h2m3.5s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.unsigned_abs();
        let sign = if self.0 < 0 { "-" } else { "" };
        let fraction = |value: u64, unit: u64| {
            let rest = format!("{:0width$}", value % unit, width = unit.ilog10() as usize);
            let rest = rest.trim_end_matches('0');
            if rest.is_empty() { (value / unit).to_string() } else { format!("{}.{rest}", value / unit) }
        };
        match nanos {
            0 => f.write_str("0s"),
            1..1_000 => write!(f, "{sign}{nanos}ns"),
            1_000..1_000_000 => write!(f, "{sign}{}µs", fraction(nanos, 1_000)),
            1_000_000..1_000_000_000 => write!(f, "{sign}{}ms", fraction(nanos, 1_000_000)),
            _ => {
                let minutes = nanos / 60_000_000_000;
                let seconds = fraction(nanos % 60_000_000_000, 1_000_000_000);
                match (minutes / 60, minutes % 60) {
                    (0, 0) => write!(f, "{sign}{seconds}s"),
                    (0, minutes) => write!(f, "{sign}{minutes}m{seconds}s"),
                    (hours, minutes) => write!(f, "{sign}{hours}h{minutes}m{seconds}s"),
                }
            }
        }
    }
}

/// Days since the epoch of a date in the proleptic Gregorian calendar; `day` may overflow.
fn days_to(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The reverse of [`days_to`].
fn date_of(days: i64) -> (i64, u8, u8) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    (year, u8::try_from(month).unwrap_or(1), u8::try_from(day).unwrap_or(1))
}

/// Days in a month.
fn days_in(year: i64, month: i64) -> i64 {
    days_to(year + month / 12, month % 12 + 1, 1) - days_to(year, month, 1)
}
