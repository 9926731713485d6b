//! Waiting for a condition with a limit, and watching that one stays.

use std::fmt::Debug;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Five times and more what the slowest step takes on two busy cores.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);
/// [`LIMIT`] for kubectl.
pub(crate) const TIMEOUT: &str = "--timeout=120s";

const POLL: Duration = Duration::from_millis(100);

/// Calls `look` until it sees what it wants and returns that; `Err` says what it sees instead.
///
/// Panics with the last such sight after [`LIMIT`].
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let start = Instant::now();
    loop {
        match look() {
            Ok(seen) => {
                println!("    {:6.1} s  {what}", start.elapsed().as_secs_f64());
                return seen;
            }
            Err(instead) if start.elapsed() > LIMIT => panic!("not within {LIMIT:?}: {what}; last seen: {instead}"),
            Err(_) => sleep(POLL),
        }
    }
}

/// Fails as soon as `look` sees anything but `wanted` within `window`. That something does not happen can only be
/// watched for a time: the callers say why theirs is long enough.
pub(crate) fn stays<T: PartialEq + Debug>(what: &str, wanted: &T, window: Duration, mut look: impl FnMut() -> T) {
    let start = Instant::now();
    while start.elapsed() < window {
        assert_eq!(look(), *wanted, "{what}, {:?} after it was so", start.elapsed());
        sleep(POLL);
    }
    println!("    {:6.1} s  still {what}", window.as_secs_f64());
}

/// `Ok` when `seen` is `wanted`, else what was seen; for [`until`].
pub(crate) fn same<T: PartialEq + Debug>(seen: T, wanted: &T) -> Result<T, String> {
    if seen == *wanted { Ok(seen) } else { Err(format!("{seen:?} instead of {wanted:?}")) }
}
