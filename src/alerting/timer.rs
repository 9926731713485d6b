//! One queue for everything that is due later: an idle group costs one entry, not a task.

use std::collections::BTreeSet;

use crate::time::Timestamp;

/// What falls due. Entries that came too late for their group or delivery are ignored by who handles them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    /// A group is to be flushed.
    Flush(u32),
    /// A delivery has waited for its position, or for its next attempt.
    Attempt(u64),
    /// Forget what has expired, write snapshots.
    Maintenance,
    /// Remove resolved alerts.
    AlertGc,
}

/// Times and what falls due then; of equal times the earlier kind first.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    queue: BTreeSet<(Timestamp, Due)>,
}

impl Timers {
    pub(crate) fn set(&mut self, at: Timestamp, due: Due) {
        self.queue.insert((at, due));
    }

    pub(crate) fn cancel(&mut self, at: Timestamp, due: Due) {
        self.queue.remove(&(at, due));
    }

    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.queue.first().map(|(at, _)| *at)
    }

    pub(crate) fn pop_due(&mut self, now: Timestamp) -> Option<Due> {
        if self.next()? > now {
            return None;
        }
        self.queue.pop_first().map(|(_, due)| due)
    }
}
