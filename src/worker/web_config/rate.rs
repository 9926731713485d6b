//! A token bucket: `burst` at once, then one every `interval`.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::file::RateLimit;

/// Counts requests against a [`RateLimit`].
#[derive(Debug)]
pub(super) struct Bucket {
    limit: RateLimit,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    tokens: f64,
    at: Instant,
}

impl Bucket {
    /// Full.
    pub(super) fn new(limit: RateLimit, now: Instant) -> Self {
        Self { limit, state: Mutex::new(State { tokens: limit.burst as f64, at: now }) }
    }

    /// Takes a token, if there is one.
    pub(super) fn take(&self, now: Instant) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let grown = now.saturating_duration_since(state.at).as_secs_f64() / self.limit.interval.as_secs_f64();
        state.tokens = (state.tokens + grown).min(self.limit.burst as f64);
        state.at = now;
        let there = state.tokens >= 1.0;
        if there {
            state.tokens -= 1.0;
        }
        there
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_and_then_one_per_interval() {
        let start = Instant::now();
        let bucket = Bucket::new(RateLimit { burst: 2, interval: Duration::from_secs(10) }, start);
        let taken = [0, 0, 0, 9, 10, 11, 60, 60, 60].map(|after| bucket.take(start + Duration::from_secs(after)));
        assert_eq!(taken, [true, true, false, false, true, false, true, true, false]);
        let never = Bucket::new(RateLimit { burst: 0, interval: Duration::from_secs(1) }, start);
        assert!(!never.take(start + Duration::from_secs(100)));
    }
}
