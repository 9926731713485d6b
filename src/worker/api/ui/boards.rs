//! The picture of the moment, taken anew when it is too old and somebody asks.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::arrange::Arranged;
use super::ask::Ask;
use super::board::{Board, Taken};
use crate::handle::{Handle, Stopped};

/// A picture is this old at most before it's taken anew, if that costs little.
const AGE_MIN: Duration = Duration::from_millis(250);

/// And this old at most whatever it costs: many that each look for something else must still see what is.
const AGE_MAX: Duration = Duration::from_secs(10);

/// No more than the 30th part of what the machine's cores can do goes into pictures and what is made of them: whoever
/// looks at very many alerts sees them somewhat later, and whoever posts them notices nothing.
const SHARE: u32 = 30;

/// Answers that are kept, and the bytes of each at most: many pages that show the same ask the same.
const ANSWERS: usize = 64;
const ANSWER_MAX: usize = 256 << 10;

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
    answers: Mutex<Answers>,
    /// Nanoseconds that went into the last picture and what was made of it.
    spent: AtomicU64,
    /// How many times what a picture costs passes before the next is taken.
    rest: u32,
}

#[derive(Debug)]
struct Last {
    board: Arc<Board>,
    taken: Instant,
    changes: u64,
}

/// What was answered from one picture, by the question.
#[derive(Debug, Default)]
struct Answers {
    of: Option<Arc<Board>>,
    bodies: HashMap<Question, Bytes>,
}

/// The name of what is asked, and the query.
pub(super) type Question = (&'static str, String);

impl Default for Boards {
    fn default() -> Self {
        Self {
            last: tokio::sync::Mutex::default(),
            changes: AtomicU64::new(0),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            queue: Semaphore::new(QUEUE),
            streams: Arc::new(Semaphore::new(STREAMS_MAX)),
            arranged: Mutex::default(),
            answers: Mutex::default(),
            spent: AtomicU64::new(0),
            rest: (SHARE / thread::available_parallelism().map_or(1, |cores| cores.get() as u32)).max(1),
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
            && last.taken.elapsed() < (self.spent() * self.rest).clamp(AGE_MIN, AGE_MAX)
        {
            return Ok(last.board.clone());
        }
        let (taken, at_engine) = handle
            .view(|view| {
                let start = Instant::now();
                (Taken::from(view), start.elapsed())
            })
            .await?;
        let make = move || {
            let start = Instant::now();
            (Board::new(taken), start.elapsed())
        };
        let (board, elsewhere) = tokio::task::spawn_blocking(make).await.map_err(|_| Stopped)?;
        let board = Arc::new(board);
        *self.answers() = Answers::default();
        self.spent.store(0, Ordering::Relaxed);
        self.spend(at_engine + elsewhere);
        *last = Some(Last { board: board.clone(), taken: Instant::now(), changes });
        Ok(board)
    }

    fn spent(&self) -> Duration {
        Duration::from_nanos(self.spent.load(Ordering::Relaxed))
    }

    fn spend(&self, time: Duration) {
        self.spent.fetch_add(time.as_nanos() as u64, Ordering::Relaxed);
    }

    /// What was answered to the same question from the same picture, or what `of` gives now.
    ///
    /// # Errors
    /// Those of `of`; they are not kept.
    pub(super) fn answer<E>(
        &self,
        board: &Arc<Board>,
        question: Question,
        of: impl FnOnce(&Board) -> Result<Vec<u8>, E>,
    ) -> Result<Bytes, E> {
        {
            let mut answers = self.answers();
            if answers.of.as_ref().is_none_or(|of| !Arc::ptr_eq(of, board)) {
                *answers = Answers { of: Some(board.clone()), bodies: HashMap::new() };
            }
            if let Some(body) = answers.bodies.get(&question) {
                return Ok(body.clone());
            }
        }
        let start = Instant::now();
        let body = Bytes::from(of(board)?);
        self.spend(start.elapsed());
        let mut answers = self.answers();
        let same = answers.of.as_ref().is_some_and(|of| Arc::ptr_eq(of, board));
        if same && answers.bodies.len() < ANSWERS && body.len() <= ANSWER_MAX {
            answers.bodies.insert(question, body.clone());
        }
        Ok(body)
    }

    fn answers(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
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
