//! The time, and how people write spans of it.

use std::time::{Duration, SystemTime};

use alerting::time::Timestamp;

/// Now.
pub(crate) fn now() -> Timestamp {
    from_system(SystemTime::now())
}

/// A time of the system's clock.
pub(crate) fn from_system(at: SystemTime) -> Timestamp {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// A span on the command line, as Prometheus writes it: `30s`, `1h30m`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    alerting::duration::parse_prometheus(text).map_err(|error| error.to_string())
}
