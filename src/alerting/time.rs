//! Instants and the text forms of instants; nothing here reads a clock.
//!
//! The unset time of Go (`0001-01-01T00:00:00Z`), which the API uses for "not given", is `None` everywhere inside:
//! [`parse_rfc3339`] returns it as `Ok(None)`.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A moment: nanoseconds since the Unix epoch, UTC. Covers the years 1678 to 2261.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timestamp(i64);

/// How Go prints its unset time.
pub const UNSET_RFC3339: &str = "0001-01-01T00:00:00Z";

impl Timestamp {
    /// The Unix epoch.
    pub const EPOCH: Self = Self(0);
    /// The latest moment that can be represented.
    pub const MAX: Self = Self(i64::MAX);

    /// From nanoseconds since the Unix epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// From whole seconds since the Unix epoch; saturates.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1_000_000_000))
    }

    /// Nanoseconds since the Unix epoch.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down.
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1_000_000_000)
    }

    /// The part below a second, in nanoseconds, 0..1e9.
    pub const fn subsec_nanos(self) -> i32 {
        self.0.rem_euclid(1_000_000_000) as i32
    }

    /// Time from `earlier` to `self`; zero when `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        let nanos = self.0.saturating_sub(earlier.0);
        if nanos <= 0 { Duration::ZERO } else { Duration::from_nanos(nanos as u64) }
    }

    /// RFC 3339 in UTC with as many fractional digits as are needed (Go's `RFC3339Nano`): webhook bodies.
    pub fn rfc3339_nano(self) -> String {
        let (date, nanos) = (self.civil(), self.subsec_nanos());
        if nanos == 0 {
            return format!("{date}Z");
        }
        let fraction = format!("{nanos:09}");
        format!("{date}.{}Z", fraction.trim_end_matches('0'))
    }

    /// RFC 3339 in UTC with exactly three fractional digits: API v2.
    pub fn rfc3339_millis(self) -> String {
        format!("{}.{:03}Z", self.civil(), self.subsec_nanos() / 1_000_000)
    }

    /// `2006-01-02`, UTC.
    pub fn date(self) -> String {
        self.utc("%Y-%m-%d")
    }

    /// RFC 5322 in UTC: the `Date` of a mail.
    pub fn rfc5322(self) -> String {
        self.utc("%a, %d %b %Y %H:%M:%S +0000")
    }

    fn civil(self) -> String {
        self.utc("%Y-%m-%dT%H:%M:%S")
    }

    fn utc(self, format: &str) -> String {
        // every i64 of nanoseconds lies inside of jiff's range
        let stamp = jiff::Timestamp::from_second(self.as_secs()).unwrap_or_default();
        stamp.to_zoned(jiff::tz::TimeZone::UTC).datetime().strftime(format).to_string()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339_nano())
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, rhs: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(rhs.as_nanos()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, rhs: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(rhs.as_nanos()).unwrap_or(i64::MAX)))
    }
}

/// Why a text is not a time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("parsing `{text}` as a time: {reason}")]
pub struct ParseTimeError {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Reads RFC 3339; `None` is Go's unset time (any moment of the year 1).
///
/// # Errors
/// When the text is no RFC 3339 time or lies outside of [`Timestamp`]'s range.
pub fn parse_rfc3339(text: &str) -> Result<Option<Timestamp>, ParseTimeError> {
    let fail = |reason: String| ParseTimeError { text: text.to_owned(), reason };
    if text.starts_with("0001-") {
        return Ok(None);
    }
    let stamp: jiff::Timestamp = text.parse().map_err(|e: jiff::Error| fail(e.to_string()))?;
    let nanos = i64::try_from(stamp.as_nanosecond()).map_err(|_| fail("outside of the years 1678 to 2261".into()))?;
    Ok(Some(Timestamp(nanos)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_go_does() {
        let t = parse_rfc3339("2026-11-21T09:13:33.126+01:00").unwrap().unwrap();
        assert_eq!(t.rfc3339_nano(), "2026-11-21T08:13:33.126Z");
        assert_eq!(t.rfc3339_millis(), "2026-11-21T08:13:33.126Z");
        let whole = Timestamp::from_secs(1_700_000_000);
        assert_eq!(whole.rfc3339_nano(), "2023-11-14T22:13:20Z");
        assert_eq!(whole.rfc3339_millis(), "2023-11-14T22:13:20.000Z");
    }

    #[test]
    fn year_one_is_unset() {
        assert_eq!(parse_rfc3339("0001-01-01T00:00:00.000Z"), Ok(None));
        assert!(parse_rfc3339("yesterday").is_err());
    }
}
