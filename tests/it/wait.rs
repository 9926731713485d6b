//! Waiting for a condition with a limit.

use std::fmt::Debug;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Five times and more what the slowest step takes on two busy cores.
pub(crate) const LIMIT: Duration = Duration::from_secs(150);

/// Calls `look` until it is content, and returns what it saw; `Err` says what it sees instead.
///
/// Panics with the last such sight after [`LIMIT`].
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let start = Instant::now();
    loop {
        match look() {
            Ok(seen) => return seen,
            Err(instead) if start.elapsed() > LIMIT => panic!("not within {LIMIT:?}: {what}; last seen: {instead}"),
            Err(_) => sleep(Duration::from_millis(50)),
        }
    }
}

/// `Ok` when `seen` is `wanted`, else what was seen; for [`until`].
pub(crate) fn same<T: PartialEq + Debug>(seen: T, wanted: &T) -> Result<T, String> {
    if seen == *wanted { Ok(seen) } else { Err(format!("{seen:?} instead of {wanted:?}")) }
}
