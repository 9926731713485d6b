//! Who is sending what. A member that begins to send a group to an integration says so, repeats that while it tries,
//! and passes the turn on when it can't reach the receiver. Others hold meanwhile: a slow receiver is no reason for the
//! next in line to send the same. Intents travel as packets; one that isn't repeated lapses, so that a lost packet or a
//! member that hangs delays nobody for long.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::nflog::LogKey;
use crate::time::Timestamp;
use crate::wire;

/// A group and an integration: the hash of a log key. Two that collide delay each other, no more.
pub(crate) type Topic = u64;

/// Between two repetitions.
const RENEW: Duration = Duration::from_secs(1);

/// How long an intent counts that isn't repeated: two repetitions may get lost.
const LIFE: Duration = Duration::from_millis(3500);

/// Topics in one packet.
const TOPICS_MAX: usize = 150;

/// What this member and the others are sending.
#[derive(Debug, Default)]
pub(super) struct Intents {
    own: BTreeSet<Topic>,
    others: BTreeMap<Topic, Claim>,
    /// To be told.
    claimed: Vec<Topic>,
    released: Vec<Topic>,
    passed: Vec<Topic>,
    next_renewal: Option<Timestamp>,
}

#[derive(Debug)]
struct Claim {
    by: String,
    until: Timestamp,
}

/// The topic of a log key.
pub(crate) fn topic(key: &LogKey) -> Topic {
    key.stable_hash()
}

impl Intents {
    /// This member begins to send.
    pub(super) fn claim(&mut self, now: Timestamp, topic: Topic) {
        if self.own.insert(topic) {
            self.claimed.push(topic);
            self.next_renewal.get_or_insert(now + RENEW);
        }
    }

    /// It has sent, and the log says so to everybody.
    pub(super) fn done(&mut self, topic: Topic) {
        self.own.remove(&topic);
    }

    /// It has given up.
    pub(super) fn release(&mut self, topic: Topic) {
        if self.own.remove(&topic) {
            self.released.push(topic);
        }
    }

    /// It can't reach the receiver: another one may try at once.
    pub(super) fn pass_on(&mut self, topic: Topic) {
        if self.own.remove(&topic) {
            self.passed.push(topic);
        }
    }

    /// Until when another member's intent counts, and whose it is. Two that have both begun don't wait for each other:
    /// the first by name goes on.
    pub(super) fn held(&self, now: Timestamp, own: &str, topic: Topic) -> Option<(&str, Timestamp)> {
        let claim = self.others.get(&topic)?;
        let counts = claim.until > now && (claim.by.as_str() < own || !self.own.contains(&topic));
        counts.then_some((claim.by.as_str(), claim.until))
    }

    /// Takes in what a live member says; the topics that it passes on.
    pub(super) fn heard(&mut self, now: Timestamp, intent: wire::Intent) -> Vec<Topic> {
        for topic in intent.claimed {
            self.others.insert(topic, Claim { by: intent.name.clone(), until: now + LIFE });
        }
        for topic in intent.released.iter().chain(&intent.passed) {
            if self.others.get(topic).is_some_and(|claim| claim.by == intent.name) {
                self.others.remove(topic);
            }
        }
        intent.passed
    }

    /// Somebody has sent this.
    pub(super) fn heard_of(&mut self, topic: Topic) {
        self.others.remove(&topic);
    }

    /// What this member is sending.
    pub(super) fn own(&self) -> Vec<Topic> {
        self.own.iter().copied().collect()
    }

    /// A member that is gone sends nothing any more.
    pub(super) fn forget(&mut self, member: &str) {
        self.others.retain(|_, claim| claim.by != member);
    }

    pub(super) fn next_renewal(&self) -> Option<Timestamp> {
        self.next_renewal
    }

    /// Repeats what is still under way.
    pub(super) fn renew_if_due(&mut self, now: Timestamp) {
        if self.next_renewal.is_none_or(|at| at > now) {
            return;
        }
        self.others.retain(|_, claim| claim.until > now);
        self.claimed = self.own.iter().copied().collect();
        self.next_renewal = (!self.own.is_empty()).then_some(now + RENEW);
    }

    pub(super) fn has_news(&self) -> bool {
        !(self.claimed.is_empty() && self.released.is_empty() && self.passed.is_empty())
    }

    /// What is to be told to every live member, in pieces that fit a packet each.
    pub(super) fn take_news(&mut self) -> Vec<wire::Intent> {
        let mut news = Vec::new();
        let lists = [&mut self.claimed, &mut self.released, &mut self.passed];
        for (kind, list) in lists.into_iter().enumerate() {
            for topics in std::mem::take(list).chunks(TOPICS_MAX) {
                let mut intent = wire::Intent::default();
                match kind {
                    0 => intent.claimed = topics.to_vec(),
                    1 => intent.released = topics.to_vec(),
                    _ => intent.passed = topics.to_vec(),
                }
                news.push(intent);
            }
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: f64) -> Timestamp {
        Timestamp::from_nanos((secs * 1e9) as i64)
    }

    fn said(by: &str, claimed: &[Topic], passed: &[Topic]) -> wire::Intent {
        wire::Intent { name: by.into(), claimed: claimed.to_vec(), passed: passed.to_vec(), ..wire::Intent::default() }
    }

    #[test]
    fn an_intent_counts_while_it_is_repeated() {
        let mut intents = Intents::default();
        assert!(intents.heard(at(0.0), said("a", &[7], &[])).is_empty());
        assert_eq!(intents.held(at(3.0), "x", 7), Some(("a", at(3.5))));
        assert_eq!(intents.held(at(3.5), "x", 7), None);
        intents.heard(at(3.0), said("a", &[7], &[]));
        assert!(intents.held(at(5.0), "x", 7).is_some() && intents.held(at(5.0), "x", 8).is_none());
        intents.forget("a");
        assert_eq!(intents.held(at(5.0), "x", 7), None);
    }

    #[test]
    fn two_that_have_begun_do_not_wait_for_each_other() {
        let mut intents = Intents::default();
        intents.heard(at(0.0), said("b", &[7], &[]));
        intents.claim(at(0.1), 7);
        assert!(intents.held(at(0.2), "a", 7).is_none() && intents.held(at(0.2), "c", 7).is_some());
        intents.release(7);
        assert!(intents.held(at(0.2), "a", 7).is_some());
    }

    #[test]
    fn only_who_claimed_passes_on() {
        let mut intents = Intents::default();
        intents.heard(at(0.0), said("a", &[7], &[]));
        assert_eq!(intents.heard(at(0.1), said("b", &[], &[7])), [7]);
        assert!(intents.held(at(0.2), "x", 7).is_some(), "a goes on");
        intents.heard(at(0.1), said("a", &[], &[7]));
        assert!(intents.held(at(0.2), "x", 7).is_none());
    }

    #[test]
    fn what_is_under_way_is_repeated() {
        let mut intents = Intents::default();
        (0..200).for_each(|topic| intents.claim(at(0.0), topic));
        let news = intents.take_news();
        assert_eq!(news.iter().map(|n| n.claimed.len()).collect::<Vec<_>>(), [150, 50]);
        (1..200).for_each(|topic| intents.done(topic));
        intents.renew_if_due(at(0.5));
        assert!(intents.take_news().is_empty());
        intents.renew_if_due(at(1.0));
        assert_eq!(intents.take_news()[0].claimed, [0]);
        intents.release(0);
        assert_eq!(intents.take_news()[0].released, [0]);
        intents.renew_if_due(at(2.0));
        assert_eq!((intents.take_news().len(), intents.next_renewal()), (0, None));
    }
}
