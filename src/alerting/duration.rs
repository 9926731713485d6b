//! The two text forms of durations: Prometheus' (config) and Go's (flags, `timeout`).

use std::time::Duration;

/// Why a text is no duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DurationError(pub String);

/// Reads `1d12h`, `500ms`, `0`: units `y w d h m s ms`, largest first.
///
/// # Errors
/// For anything else.
pub fn parse_prometheus(_text: &str) -> Result<Duration, DurationError> {
    Err(DurationError("being written".into()))
}

/// Prints as Prometheus does: `1d12h` as `36h`, `0s`.
pub fn print_prometheus(_duration: Duration) -> String {
    String::new()
}

/// Reads Go's form: `1h15m30.918s`, `1.5h`, `0`; negative ones are refused.
///
/// # Errors
/// For anything else.
pub fn parse_go(_text: &str) -> Result<Duration, DurationError> {
    Err(DurationError("being written".into()))
}

/// Prints as Go does: `1h0m0s`, `1.5s`, `0s`.
pub fn print_go(_duration: Duration) -> String {
    String::new()
}

/// Reads Go's form with days and weeks besides, as command-line flags have it: `1d12h`, `120h`.
///
/// # Errors
/// For anything else.
pub fn parse_flag(_text: &str) -> Result<Duration, DurationError> {
    Err(DurationError("being written".into()))
}
