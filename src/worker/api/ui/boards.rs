//! The picture of the moment, taken anew when it is too old and somebody asks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::arrange::Arranged;
use super::ask::Ask;
use super::board::{Board, Taken};
use crate::handle::{Handle, Stopped};

/// A picture is this old at most before it's taken anew, if that costs little.
const AGE_MIN: Duration = Duration::from_millis(250);

/// No more than the 20th part of the time goes into pictures.
const SHARE: u32 = 20;

/// Questions that are answered at the same time; others wait.
const AT_ONCE: usize = 2;

/// Questions that wait for that; more are refused.
const QUEUE: usize = 128;

/// Streams of events that are open at the same time.
const STREAMS_MAX: usize = 256;

/// Lists that are kept as they were arranged.
const KEPT: usize = 12;

/// Shared by all that ask.
#[derive(Debug)]
pub(crate) struct Boards {
    last: tokio::sync::Mutex<Option<Last>>,
    /// Grows when something was changed through this member.
    changes: AtomicU64,
    turns: Arc<Semaphore>,
    queue: Semaphore,
    streams: Arc<Semaphore>,
    arranged: Mutex<Vec<(u64, Ask, Arc<Arranged>)>>,
}

#[derive(Debug)]
struct Last {
    board: Arc<Board>,
    taken: Instant,
    cost: Duration,
    changes: u64,
}

impl Default for Boards {
    fn default() -> Self {
        Self {
            last: tokio::sync::Mutex::default(),
            changes: AtomicU64::new(0),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            queue: Semaphore::new(QUEUE),
            streams: Arc::new(Semaphore::new(STREAMS_MAX)),
            arranged: Mutex::default(),
        }
    }
}

impl Boards {
    /// Who changes something wants to see it at once.
    pub(crate) fn changed(&self) {
        self.changes.fetch_add(1, Ordering::Relaxed);
    }

    /// The picture. Those who come while it's being taken wait for the same one.
    ///
    /// # Errors
    /// When the event loop has ended.
    pub(super) async fn now(&self, handle: &Handle) -> Result<Arc<Board>, Stopped> {
        let mut last = self.last.lock().await;
        let changes = self.changes.load(Ordering::Relaxed);
        if let Some(last) = &*last
            && last.changes == changes
            && last.taken.elapsed() < AGE_MIN.max(last.cost * SHARE)
        {
            return Ok(last.board.clone());
        }
        let (taken, cost) = handle
            .view(|view| {
                let start = Instant::now();
                (Taken::from(view), start.elapsed())
            })
            .await?;
        let board = tokio::task::spawn_blocking(move || Board::new(taken)).await.map_err(|_| Stopped)?;
        let board = Arc::new(board);
        *last = Some(Last { board: board.clone(), taken: Instant::now(), cost, changes });
        Ok(board)
    }

    /// Waits until few enough are at work; `None` if too many wait already.
    pub(super) async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        let _place = self.queue.try_acquire().ok()?;
        self.turns.clone().acquire_owned().await.ok()
    }

    /// Room for one more stream of events, if there is.
    pub(super) fn stream(&self) -> Option<OwnedSemaphorePermit> {
        self.streams.clone().try_acquire_owned().ok()
    }

    /// The list that is asked for, made when it's not among those made last.
    pub(super) fn arranged(&self, board: &Board, ask: &Ask) -> Arc<Arranged> {
        let find = |kept: &mut Vec<(u64, Ask, Arc<Arranged>)>| {
            kept.retain(|(version, ..)| *version == board.version);
            kept.iter().find(|(_, of, _)| of == ask).map(|(.., list)| list.clone())
        };
        if let Some(list) = find(&mut self.arranged.lock().unwrap_or_else(PoisonError::into_inner)) {
            return list;
        }
        let list = Arc::new(Arranged::new(board, ask));
        let mut kept = self.arranged.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT {
            kept.remove(0);
        }
        kept.push((board.version, ask.clone(), list.clone()));
        list
    }
}
