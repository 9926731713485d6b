//! When a member that has just started may notify: once it knows what the others know, or has waited long enough.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use crate::time::Timestamp;

/// How long a member waits for peers that nobody has named, or that don't answer although another one has.
const PATIENCE: Duration = Duration::from_secs(3);

/// Attempts to reach a peer before it counts as not there.
const ATTEMPTS: u32 = 4;

/// The wait after the start.
#[derive(Debug)]
pub(crate) struct Settle {
    started: Timestamp,
    timeout: Duration,
    peers: Option<usize>,
    tries: BTreeMap<SocketAddr, Try>,
    done: Option<&'static str>,
    next_check: Timestamp,
}

#[derive(Debug, Default)]
struct Try {
    joined: bool,
    failures: u32,
}

impl Settle {
    pub(crate) fn new(now: Timestamp, timeout: Duration) -> Self {
        Self { started: now, timeout, peers: None, tries: BTreeMap::new(), done: None, next_check: now }
    }

    /// Why it is over, if it is.
    pub(crate) fn done(&self) -> Option<&'static str> {
        self.done
    }

    /// What it waits for, for `/-/ready`.
    pub(crate) fn waits_for(&self) -> String {
        match self.peers {
            None => "the peers' names to be looked up".into(),
            Some(0) => "peers to show up under the names given".into(),
            Some(peers) => format!("the state of {} of {peers} peers", peers.saturating_sub(self.joined_count())),
        }
    }

    /// Peers whose state is not merged yet; none once the wait is over.
    pub(crate) fn awaited(&self) -> usize {
        let peers = self.peers.filter(|_| self.done.is_none()).unwrap_or(0);
        peers.saturating_sub(self.joined_count())
    }

    pub(crate) fn next_check(&self) -> Option<Timestamp> {
        self.done.is_none().then_some(self.next_check)
    }

    /// A look-up found so many other addresses.
    pub(crate) fn resolved(&mut self, others: usize) {
        self.peers = Some(others);
    }

    pub(crate) fn joined(&mut self, _now: Timestamp, peer: SocketAddr) {
        self.tries.entry(peer).or_default().joined = true;
    }

    pub(crate) fn failed(&mut self, peer: SocketAddr) {
        self.tries.entry(peer).or_default().failures += 1;
    }

    /// Whether the state of that peer is merged.
    pub(crate) fn has_joined(&self, peer: SocketAddr) -> bool {
        self.tries.get(&peer).is_some_and(|t| t.joined)
    }

    fn joined_count(&self) -> usize {
        self.tries.values().filter(|t| t.joined).count()
    }

    /// The reason and the time since the start, once, when it becomes true.
    pub(crate) fn check(&mut self, now: Timestamp) -> Option<(&'static str, Duration)> {
        if self.done.is_some() {
            return None;
        }
        self.next_check = now + Duration::from_millis(250);
        let waited = now.since(self.started);
        let reason = self.reason(waited)?;
        self.done = Some(reason);
        Some((reason, waited))
    }

    fn reason(&self, waited: Duration) -> Option<&'static str> {
        if waited >= self.timeout {
            return Some("the time for it is over");
        }
        let peers = self.peers?;
        let joined = self.joined_count();
        let given_up = self.tries.values().filter(|t| !t.joined && t.failures >= ATTEMPTS).count();
        match peers {
            0 if waited >= PATIENCE => Some("no other member is named"),
            0 => None,
            _ if joined >= peers => Some("the state of all peers is merged"),
            _ if joined > 0 && waited >= PATIENCE => Some("the state of some peers is merged"),
            _ if given_up >= peers && waited >= PATIENCE => Some("no other member answers"),
            _ => None,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_nanos(millis * 1_000_000)
    }

    fn peer(n: u8) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, n], 9094))
    }

    #[test]
    fn over_as_soon_as_every_peer_has_answered() {
        let mut settle = Settle::new(at(0), Duration::from_secs(60));
        settle.resolved(2);
        settle.joined(at(100), peer(1));
        assert_eq!(settle.check(at(100)), None);
        assert_eq!(settle.waits_for(), "the state of 1 of 2 peers");
        settle.joined(at(200), peer(2));
        assert_eq!(settle.check(at(200)).unwrap().0, "the state of all peers is merged");
        assert_eq!(settle.check(at(300)), None, "told once");
    }

    #[test]
    fn alone_only_after_a_while() {
        let mut settle = Settle::new(at(0), Duration::from_secs(60));
        assert_eq!(settle.check(at(50_000)), None, "nobody has looked yet");
        settle.resolved(0);
        assert_eq!(settle.check(at(51_000)).unwrap().0, "no other member is named");
    }

    #[test]
    fn silent_peers_are_given_up() {
        let mut settle = Settle::new(at(0), Duration::from_secs(60));
        settle.resolved(1);
        (0..4).for_each(|_| settle.failed(peer(1)));
        assert_eq!(settle.check(at(2_900)), None);
        assert_eq!(settle.check(at(3_100)).unwrap().0, "no other member answers");
    }

    #[test]
    fn the_flag_ends_it_whatever_happens() {
        let mut settle = Settle::new(at(0), Duration::from_secs(5));
        settle.resolved(3);
        assert_eq!(settle.check(at(5_000)).unwrap().0, "the time for it is over");
        assert_eq!(Settle::new(at(0), Duration::ZERO).check(at(0)).unwrap().1, Duration::ZERO);
    }
}
