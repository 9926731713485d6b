//! What became of each notification: the reason of every decision is to be on record, also once it is over. Kept in memory,
//! for people who ask, only so many lines, and written down with each snapshot: a crash forgets what came after that.

use std::collections::VecDeque;
use std::time::Duration;

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use crate::nflog::SendReason;
use crate::time::Timestamp;

/// Lines of one group and integration.
const LINES_OF_ONE: usize = 16;

/// Lines of all: some 2 MiB.
const LINES: usize = 10_000;

/// An attempt of so many seconds is worth a word.
const SLOW: f64 = 1.0;

/// One notification of a group to one integration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The moment whose state was told, or when it was given up.
    pub at: Timestamp,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a notification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// The receiver took it from this member.
    Accepted {
        /// Why it was sent.
        reason: SendReason,
        /// Alerts in it that fire, and that are resolved.
        told: (usize, usize),
        /// Attempts that it took.
        attempts: u32,
        /// How long the last one took.
        took: Duration,
        /// The receiver's answer: the status of HTTP or SMTP; 0 if there was none.
        status: u16,
    },
    /// This member stopped trying.
    GaveUp {
        /// So many attempts were made.
        attempts: u32,
        /// What the last one came to.
        error: String,
    },
    /// Another member told it.
    ByPeer {
        /// Alerts in it that fire, and that are resolved.
        told: (usize, usize),
    },
}

/// All lines at a moment, the oldest first, each with whom it is about: what the file `ledger` has, as JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved(Vec<(u64, Line)>);

/// The lines of all groups.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// By the hash of a log key.
    lines: HashMap<u64, VecDeque<(u64, Line)>>,
    /// Which was written when: the number of a line, and where it is.
    order: VecDeque<(u64, u64)>,
    written: u64,
}

impl Ledger {
    pub(crate) fn write(&mut self, topic: u64, line: Line) {
        let of_one = self.lines.entry(topic).or_default();
        // what a peer tells of may come again, and may be known from its answer
        if matches!(line.outcome, Outcome::ByPeer { .. }) && of_one.iter().any(|(_, known)| known.at == line.at) {
            return;
        }
        self.written += 1;
        of_one.push_back((self.written, line));
        if of_one.len() > LINES_OF_ONE {
            of_one.pop_front();
        }
        self.order.push_back((self.written, topic));
        if self.order.len() > LINES
            && let Some((number, topic)) = self.order.pop_front()
            && let Some(of_one) = self.lines.get_mut(&topic)
        {
            if of_one.front().is_some_and(|(oldest, _)| *oldest == number) {
                of_one.pop_front();
            }
            if of_one.is_empty() {
                self.lines.remove(&topic);
            }
        }
    }

    /// All of them.
    pub(crate) fn saved(&self) -> Saved {
        let line = |(number, topic): &(u64, u64)| {
            let found = self.lines.get(topic)?.iter().find(|(known, _)| known == number);
            found.map(|(_, line)| (*topic, line.clone()))
        };
        Saved(self.order.iter().filter_map(line).collect())
    }

    /// As it was.
    pub(crate) fn restored(saved: Saved) -> Self {
        let mut ledger = Self::default();
        saved.0.into_iter().for_each(|(topic, line)| ledger.write(topic, line));
        ledger
    }

    /// The newest first.
    pub(crate) fn of(&self, topic: u64) -> Vec<Line> {
        self.lines.get(&topic).into_iter().flatten().rev().map(|(_, line)| line.clone()).collect()
    }
}

impl Saved {
    /// The content of the file.
    pub fn encode(&self) -> Vec<u8> {
        // there is nothing in it that JSON can't have
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// From the content of the file.
    ///
    /// # Errors
    /// When it's damaged, or of a version that wrote it differently.
    pub fn read(content: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(content)
    }
}

impl Outcome {
    /// The same in all versions, for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Accepted { .. } => "accepted",
            Self::GaveUp { .. } => "gave_up",
            Self::ByPeer { .. } => "told_by_peer",
        }
    }

    /// As people read it, the same in all of our tools.
    pub fn sentence(&self) -> String {
        let tries = |n: u32| if n == 1 { "1 attempt".to_owned() } else { format!("{n} attempts") };
        let count = |(firing, resolved): (usize, usize)| format!("{firing} firing, {resolved} resolved");
        match self {
            Self::Accepted { reason, told, attempts, took, status } => {
                let answer = if *status == 0 { String::new() } else { format!(" with {status}") };
                let slow = match took.as_secs_f64() {
                    seconds if seconds >= SLOW => format!(", the last took {seconds:.1} s"),
                    _ => String::new(),
                };
                format!("accepted{answer} after {}{slow}: {} ({})", tries(*attempts), count(*told), reason.text())
            }
            Self::GaveUp { attempts, error } => format!("given up after {}: {error}", tries(*attempts)),
            Self::ByPeer { told } => format!("told by another member: {}", count(*told)),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn by_peer(secs: i64) -> Line {
        Line { at: Timestamp::from_secs(secs), outcome: Outcome::ByPeer { told: (1, 0) } }
    }

    #[test]
    fn the_newest_is_first_and_the_oldest_go() {
        let mut ledger = Ledger::default();
        (0..20).for_each(|secs| ledger.write(7, by_peer(secs)));
        let lines = ledger.of(7);
        assert_eq!((lines.len(), &lines[0], &lines[15]), (16, &by_peer(19), &by_peer(4)));
        ledger.write(7, by_peer(19));
        assert_eq!(ledger.of(7), lines, "told again");
        assert_eq!(ledger.of(8), []);
    }

    #[test]
    fn it_does_not_grow() {
        let mut ledger = Ledger::default();
        (0..LINES as u64 + 100).for_each(|topic| ledger.write(topic, by_peer(1)));
        assert_eq!((ledger.order.len(), ledger.lines.len()), (LINES, LINES));
        assert_eq!((ledger.of(99), ledger.of(100).len()), (Vec::new(), 1));
        // a chatty group pushes out its own lines first
        (0..LINES as i64).for_each(|secs| ledger.write(1, by_peer(secs)));
        assert_eq!((ledger.order.len(), ledger.lines.len(), ledger.of(1).len()), (LINES, 1, 16));
    }

    #[test]
    fn it_is_read_as_it_was_written() {
        let mut ledger = Ledger::default();
        let gave_up = |at| Line { at, outcome: Outcome::GaveUp { attempts: 2, error: "no".to_owned() } };
        (0..20).for_each(|secs| ledger.write(7, by_peer(secs)));
        ledger.write(u64::MAX, gave_up(Timestamp::from_secs(20)));
        ledger.write(7, by_peer(21));
        let content = ledger.saved().encode();
        let again = Ledger::restored(Saved::read(&content).unwrap());
        assert_eq!((again.of(7), again.of(u64::MAX)), (ledger.of(7), ledger.of(u64::MAX)));
        assert_eq!((again.of(7).len(), again.order.len()), (16, 17));
        assert!(Saved::read(&content[1..]).is_err());
    }

    #[test]
    fn sentences() {
        let accepted = |attempts, took, status| {
            let (reason, told, took) = (SendReason::NewAlerts, (2, 1), Duration::from_millis(took));
            Outcome::Accepted { reason, told, attempts, took, status }.sentence()
        };
        let said = "accepted with 202 after 1 attempt: 2 firing, 1 resolved (new alerts added)";
        assert_eq!(accepted(1, 12, 202), said);
        let said = "accepted after 3 attempts, the last took 2.5 s: 2 firing, 1 resolved (new alerts added)";
        assert_eq!(accepted(3, 2500, 0), said);
        let outcome = Outcome::GaveUp { attempts: 3, error: "unexpected status code 500".into() };
        assert_eq!(outcome.sentence(), "given up after 3 attempts: unexpected status code 500");
        assert_eq!(by_peer(1).outcome.sentence(), "told by another member: 1 firing, 0 resolved");
    }
}
