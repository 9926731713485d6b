//! The wall clock as the engine counts it.

use std::time::{SystemTime, UNIX_EPOCH};

use alerting::time::Timestamp;

/// The moment by the system's clock; one before 1970 is 1970.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::EPOCH + since
}
