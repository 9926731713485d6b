//! Who may send to a receiver at once, so that thousands of groups that fall due together use connections again
//! instead of opening thousands.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::Url;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Requests to one receiver that are under way before others wait.
pub(super) const TURNS: usize = 128;

/// How long one waits at most: a receiver that is slow gets as many requests at once as there are.
const PATIENCE: Duration = Duration::from_secs(2);

/// Receivers remembered before those that nobody sends to are forgotten.
const RECEIVERS: usize = 256;

/// The turns of all receivers, by host and port.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<HashMap<(String, u16), Arc<Semaphore>>>);

/// Kept while a request is under way; nothing in it if it didn't want to wait longer.
#[derive(Debug)]
pub(super) struct Turn {
    _permit: Option<OwnedSemaphorePermit>,
}

impl Turns {
    /// Waits for a turn, or until it has waited long enough.
    pub(super) async fn turn(&self, url: &Url) -> Turn {
        let turns = self.of(url);
        let permit = match Arc::clone(&turns).try_acquire_owned() {
            Ok(permit) => Some(permit),
            Err(_) => tokio::time::timeout(PATIENCE, turns.acquire_owned()).await.ok().and_then(Result::ok),
        };
        Turn { _permit: permit }
    }

    fn of(&self, url: &Url) -> Arc<Semaphore> {
        let receiver = (url.host_str().unwrap_or_default().to_owned(), url.port_or_known_default().unwrap_or_default());
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= RECEIVERS {
            all.retain(|_, turns| Arc::strong_count(turns) > 1);
        }
        Arc::clone(all.entry(receiver).or_insert_with(|| Arc::new(Semaphore::new(TURNS))))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_longer_than_patience_or_for_another_receiver() {
        let turns = Turns::default();
        let (slow, other) = (Url::parse("http://a:1/x").unwrap(), Url::parse("http://a:2/x").unwrap());
        let mut under_way = Vec::new();
        for _ in 0..TURNS {
            under_way.push(turns.turn(&slow).await);
        }
        assert!(under_way.iter().all(|turn| turn._permit.is_some()));
        assert!(turns.turn(&other).await._permit.is_some());
        assert!(turns.turn(&slow).await._permit.is_none());
        under_way.pop();
        assert!(turns.turn(&slow).await._permit.is_some());
    }
}
