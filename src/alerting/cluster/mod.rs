//! Who is there, what they know, and when this member may speak.
//!
//! foca answers the first question over datagrams. State goes over calls of our own (streams): everything on joining,
//! each change to every live member with an acknowledgement, and a comparison of digests every few seconds that
//! repairs whatever got lost.

mod calls;
mod codec;
mod identity;
mod intents;
mod membership;
mod offers;
mod outbox;
mod outlook;
mod settle;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use prost::Message;
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::effects::{CallId, ClusterOptions, Event, Output};
use crate::label::Fingerprint;
use crate::nflog::{Entry, LogKey};
use crate::silence::Silence;
use crate::store::Alerts;
use crate::time::Timestamp;
use crate::view::{ClusterView, PeerRow};
use crate::wire::{self, BucketDigest, Offer, StateDigest, StateParts};

pub(crate) use identity::Member;
use intents::Intents;
pub(crate) use intents::{Topic, topic};
use membership::{Membership, Packet};
pub(crate) use offers::lacks;
use outbox::Outbox;
pub use outlook::Outlook;
use outlook::Outlooks;
pub(crate) use settle::Settle;

/// Between two comparisons of digests with one peer; the flag's push-pull interval if that is shorter.
const DIGEST_INTERVAL: Duration = Duration::from_secs(5);

/// That interval is doubled so often.
const CALM_MAX: u32 = 4;

/// A peer's state as it came, to be merged by the engine.
#[derive(Debug)]
pub(crate) struct PeerState {
    pub(crate) from: SocketAddr,
    pub(crate) parts: StateParts,
    /// Records of alerts.
    pub(crate) alerts: Bytes,
}

/// What the engine is asked to do after a message.
#[derive(Debug)]
pub(crate) enum Demand {
    /// Merge what a peer says differs, and send it what differs here.
    Reconcile { state: PeerState, buckets: BucketDigest },
    /// Merge this if there is any, then reply with the digest, and with what was asked for.
    MergeAndReply { call: u64, state: PeerState, asked: Asked },
    /// Ask this peer for what differs.
    Exchange(SocketAddr),
    /// Members came or went: positions may have changed.
    MembersChanged,
    /// A member can't reach a receiver; if this one is the next in line it's its turn.
    TurnPassed { by: Arc<str>, topic: Topic },
}

/// What a call asks for besides being merged.
#[derive(Debug)]
pub(crate) struct Asked {
    /// Whether the caller meets this member.
    pub(crate) full: bool,
    /// What differs from this.
    pub(crate) buckets: Option<BucketDigest>,
    /// Which of these are lacking here.
    pub(crate) offers: Vec<Offer>,
    /// Whether it compares: it may hear what this one sees.
    pub(crate) compares: bool,
    /// The caller's stable name.
    pub(crate) by: Arc<str>,
}

#[derive(Debug)]
enum Purpose {
    /// Two meet, or differ: what the other one holds in the buckets that differ is expected.
    Full(SocketAddr),
    /// Only digests are compared.
    Digest(SocketAddr),
    /// What the other one lacked.
    Push(Option<Member>),
    /// Changes for a member.
    Update(Arc<str>),
}

/// This member's part in the cluster.
pub(crate) struct Cluster {
    options: ClusterOptions,
    membership: Membership,
    pub(crate) settle: Settle,
    calls: BTreeMap<CallId, Purpose>,
    next_call: CallId,
    outboxes: BTreeMap<Arc<str>, Outbox>,
    intents: Intents,
    outlooks: Outlooks,
    /// Of its own config's hash.
    config: u64,
    /// Members with which the state was exchanged since they started, and which start that was.
    met: BTreeMap<Arc<str>, u64>,
    /// Alerts to be offered to all, and when.
    news: Vec<Fingerprint>,
    next_offer: Option<Timestamp>,
    next_offer_of_all: Timestamp,
    /// Comparisons in a row that found no difference.
    calm: u32,
    /// Comparisons in a row that were put off because changes were under way.
    put_off: u32,
    /// Addresses from the peers' names, and when each was tried last.
    seeds: BTreeMap<SocketAddr, Option<Timestamp>>,
    next_digest: Timestamp,
    next_join: Timestamp,
    rng: StdRng,
    /// Messages and bytes, of updates and of full states.
    pub(crate) sent: [(u64, u64); 2],
    pub(crate) received: [(u64, u64); 2],
    /// Full calls to members that were lost, and to those not met yet: good, failed.
    pub(crate) reconnections: (u64, u64),
    pub(crate) joins: (u64, u64),
    pub(crate) name_conflicts: u64,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("name", &self.options.name).finish_non_exhaustive()
    }
}

impl Cluster {
    pub(crate) fn new(options: ClusterOptions, seed: u64, now: Timestamp) -> Self {
        let membership = Membership::new(&options, StdRng::seed_from_u64(seed ^ 0xf0ca));
        Self {
            settle: Settle::new(now, options.settle_timeout),
            membership,
            calls: BTreeMap::new(),
            next_call: 1,
            outboxes: BTreeMap::new(),
            intents: Intents::default(),
            outlooks: Outlooks::default(),
            config: 0,
            met: BTreeMap::new(),
            news: Vec::new(),
            next_offer: None,
            next_offer_of_all: now + options.pushpull_interval,
            calm: 0,
            put_off: 0,
            seeds: BTreeMap::new(),
            next_digest: now + DIGEST_INTERVAL.min(options.pushpull_interval),
            next_join: now,
            rng: StdRng::seed_from_u64(seed ^ 0xd16e),
            sent: [(0, 0); 2],
            received: [(0, 0); 2],
            reconnections: (0, 0),
            joins: (0, 0),
            name_conflicts: 0,
            options,
        }
    }

    /// Another config is in force.
    pub(crate) fn runs(&mut self, config: u64) {
        self.config = config;
    }

    pub(crate) fn peer_timeout(&self) -> Duration {
        self.options.peer_timeout
    }

    /// Index of this member among the live ones, sorted by name.
    pub(crate) fn position(&self) -> u32 {
        self.membership.live().take_while(|m| *m.name < *self.options.name).count() as u32
    }

    pub(crate) fn view(&self, now: Timestamp) -> ClusterView {
        let lag = |name: &str| self.outboxes.get(name).map_or(Duration::ZERO, |outbox| outbox.lag(now));
        let names = || self.membership.live().map(|m| &*m.name).chain([self.options.name.as_str()]);
        let row = |m: &Member| PeerRow {
            name: m.name.to_string(),
            address: m.address,
            lag: lag(&m.name),
            outlook: self.outlooks.of(&m.name, names()),
        };
        let mut peers: Vec<PeerRow> = self.membership.live().map(row).collect();
        let (name, address) = (self.options.name.clone(), self.options.advertise);
        let own = Outlook { at: now, config: self.config, sees: names().map(str::to_owned).collect() };
        peers.push(PeerRow { name, address, lag: Duration::ZERO, outlook: Some(own) });
        peers.sort_by(|a, b| a.name.cmp(&b.name));
        ClusterView {
            name: self.options.name.clone(),
            peers,
            enabled: true,
            settled: self.settle.done().is_some(),
            awaited: self.settle.awaited(),
            position: self.position() as usize,
            failed_peers: self.unreached_seeds().count(),
            queued: self.outboxes.values().map(Outbox::len).sum(),
        }
    }

    pub(crate) fn next_wake(&self) -> Timestamp {
        // asked for twice per input, hence the plain loops
        let mut wake = self.next_digest.min(self.next_join);
        let timer = self.membership.next_timer();
        for at in [self.settle.next_check(), self.intents.next_renewal(), self.next_offer, timer] {
            wake = at.map_or(wake, |at| wake.min(at));
        }
        for outbox in self.outboxes.values() {
            wake = outbox.next_try().map_or(wake, |at| wake.min(at));
        }
        wake
    }

    /// Asks all peers for what they know, as after a start.
    pub(crate) fn settle_again(&mut self, now: Timestamp) {
        self.settle = Settle::new(now, self.options.settle_timeout);
        self.settle.resolved(self.seeds.len());
        self.seeds.values_mut().for_each(|tried| *tried = None);
        self.met.clear();
        self.next_join = now;
    }

    /// Whether any other member is there.
    pub(crate) fn has_peers(&self) -> bool {
        self.membership.live().next().is_some()
    }

    /// Whether this member comes after `name` when turns go around.
    pub(crate) fn is_next_after(&self, name: &str) -> bool {
        let own = self.options.name.as_str();
        let mut names: Vec<&str> = self.membership.live().map(|m| &*m.name).chain([own]).collect();
        names.sort_unstable();
        let next = names.iter().find(|n| **n > name).or(names.first());
        next.is_some_and(|next| *next == own && own != name)
    }

    /// This member begins to send.
    pub(crate) fn claim(&mut self, now: Timestamp, topic: Topic) {
        self.intents.claim(now, topic);
    }

    /// It has sent.
    pub(crate) fn sent_it(&mut self, topic: Topic) {
        self.intents.done(topic);
    }

    /// It has given up.
    pub(crate) fn release(&mut self, topic: Topic) {
        self.intents.release(topic);
    }

    /// It leaves the turn to the next in line.
    pub(crate) fn pass_on(&mut self, topic: Topic) {
        self.intents.pass_on(topic);
    }

    /// The log has it that somebody has sent.
    pub(crate) fn heard_of(&mut self, topic: Topic) {
        self.intents.heard_of(topic);
    }

    /// Until when another member's intent counts, and whose it is.
    pub(crate) fn held(&self, now: Timestamp, topic: Topic) -> Option<(&str, Timestamp)> {
        self.intents.held(now, &self.options.name, topic)
    }

    pub(crate) fn has_intents_to_tell(&self) -> bool {
        self.intents.has_news()
    }

    /// Sends what has been claimed, released and passed on since the last time.
    pub(crate) fn tell_intents(&mut self, io: &mut Io<'_>) {
        for intent in self.intents.take_news() {
            let own = self.membership.own();
            let intent = wire::Intent { name: own.name.to_string(), incarnation: own.incarnation, ..intent };
            self.membership.tell(&intent.encode_to_vec(), io.outputs);
        }
    }

    /// Carries out what is due: foca's timers, joins, a comparison of digests, the end of settling.
    pub(crate) fn tick(&mut self, now: Timestamp, digest: impl FnOnce() -> StateDigest, io: &mut Io<'_>) {
        self.membership.fire_due(now);
        self.drain(now, io);
        self.intents.renew_if_due(now);
        let again = |outbox: &Outbox| outbox.next_try().is_some_and(|at| at <= now);
        let due: Vec<Arc<str>> = self.outboxes.iter().filter(|(_, o)| again(o)).map(|(name, _)| name.clone()).collect();
        for name in due {
            self.flush_outbox(now, &name, io);
        }
        if self.next_offer.is_some_and(|at| at <= now) {
            self.offer_news(now, io);
        }
        if self.next_join <= now {
            self.next_join = now + self.join_interval();
            self.join_unreached(now, io);
        }
        if self.next_digest <= now {
            self.next_digest = now + self.digest_interval();
            self.compare_with_one(digest(), io);
        }
        self.check_settled(now, io);
    }

    /// Longer the longer nothing differs: changes are told by themselves.
    fn digest_interval(&self) -> Duration {
        (DIGEST_INTERVAL * (1 << self.calm.min(CALM_MAX))).min(self.options.pushpull_interval)
    }

    /// Compares soon again.
    fn stir(&mut self, now: Timestamp) {
        self.calm = 0;
        self.next_digest = self.next_digest.min(now + self.digest_interval());
    }

    /// Fast while settling or while somebody is new, then as often as the flag says.
    fn join_interval(&self) -> Duration {
        let new = || self.membership.live().any(|m| !self.has_met(m));
        match self.settle.done() {
            None => Duration::from_millis(500),
            Some(_) if new() => Duration::from_secs(1).min(self.options.reconnect_interval),
            Some(_) => self.options.reconnect_interval,
        }
    }

    fn has_met(&self, member: &Member) -> bool {
        self.met.get(&member.name) == Some(&member.incarnation)
    }

    /// The peers' names were looked up.
    pub(crate) fn peers_resolved(&mut self, now: Timestamp, addresses: &[SocketAddr], io: &mut Io<'_>) {
        let own = self.options.advertise;
        let old = std::mem::take(&mut self.seeds);
        for address in addresses.iter().filter(|a| **a != own) {
            self.seeds.insert(*address, old.get(address).copied().flatten());
        }
        self.settle.resolved(self.seeds.len());
        self.join_unreached(now, io);
        self.check_settled(now, io);
    }

    fn unreached_seeds(&self) -> impl Iterator<Item = SocketAddr> {
        self.seeds.keys().copied().filter(|a| !self.membership.live().any(|m| m.address == *a))
    }

    fn join_unreached(&mut self, now: Timestamp, io: &mut Io<'_>) {
        let pause = self.join_interval();
        let busy = |calls: &BTreeMap<CallId, Purpose>, a: SocketAddr| {
            calls.values().any(|p| matches!(p, Purpose::Full(to) if *to == a))
        };
        let settling = self.settle.done().is_none();
        let missing = |a: &SocketAddr| match settling {
            // known by hearsay is not enough: the state of each one is wanted
            true => !self.settle.has_joined(*a),
            false => !self.membership.live().any(|m| m.address == *a),
        };
        let seeds = self.seeds.keys().copied().filter(missing);
        let new = self.membership.live().filter(|m| !self.has_met(m)).map(|m| m.address);
        let due: std::collections::BTreeSet<SocketAddr> = seeds
            .chain(new)
            .filter(|a| self.seeds.get(a).copied().flatten().is_none_or(|tried| tried + pause <= now))
            .filter(|a| !busy(&self.calls, *a))
            .collect();
        for address in due {
            if let Some(tried) = self.seeds.get_mut(&address) {
                *tried = Some(now);
            }
            io.demands.push(Demand::Exchange(address));
        }
    }

    /// Tells every live member about changes made here.
    pub(crate) fn publish(
        &mut self,
        now: Timestamp,
        silences: &[Arc<Silence>],
        entries: &[(LogKey, Arc<Entry>)],
        io: &mut Io<'_>,
    ) {
        self.stir(now);
        let names: Vec<Arc<str>> = self.membership.live().map(|m| m.name.clone()).collect();
        for name in names {
            let outbox = self.outboxes.entry(name.clone()).or_default();
            outbox.add(now, silences, entries);
            self.flush_outbox(now, &name, io);
        }
    }

    /// An alert is new here, or has changed in a way that matters elsewhere.
    pub(crate) fn tell_of_alert(&mut self, now: Timestamp, fingerprint: Fingerprint) {
        if self.has_peers() {
            self.news.push(fingerprint);
            self.next_offer.get_or_insert(now + offers::LINGER);
        }
    }

    fn offer_news(&mut self, now: Timestamp, io: &mut Io<'_>) {
        self.next_offer = None;
        let news = std::mem::take(&mut self.news);
        let met = self.membership.live().filter(|m| self.has_met(m));
        let names: Vec<Arc<str>> = met.map(|m| m.name.clone()).collect();
        for name in names {
            self.outboxes.entry(name.clone()).or_default().offers.add(now, &news, io.alerts);
            self.flush_outbox(now, &name, io);
        }
    }

    /// Whether every live member has acknowledged every change.
    pub(crate) fn all_delivered(&self) -> bool {
        self.news.is_empty() && self.outboxes.values().all(Outbox::is_idle)
    }

    /// The end is near: what lingers is told now.
    pub(crate) fn tell_all(&mut self, now: Timestamp, io: &mut Io<'_>) {
        self.offer_news(now, io);
    }

    /// A member's process has ended.
    pub(crate) fn gone(&mut self, now: Timestamp, address: SocketAddr, io: &mut Io<'_>) {
        self.membership.gone(address);
        self.drain(now, io);
    }

    /// A datagram came.
    pub(crate) fn packet(&mut self, now: Timestamp, from: SocketAddr, data: &[u8], io: &mut Io<'_>) {
        match self.membership.packet(data) {
            Ok(Packet::Taken) => self.drain(now, io),
            Ok(Packet::Intent(data)) => self.intent(now, data, io),
            Err(error) => io.outputs.push(Output::Event(Event::PeerRejected { address: from, error })),
        }
    }

    /// A member tells what it is sending.
    fn intent(&mut self, now: Timestamp, data: &[u8], io: &mut Io<'_>) {
        let Ok(intent) = wire::Intent::decode(data) else { return };
        let known = |m: &Member| *m.name == *intent.name && m.incarnation == intent.incarnation;
        if !self.membership.live().any(known) {
            return;
        }
        let by: Arc<str> = intent.name.as_str().into();
        let passed = self.intents.heard(now, intent);
        io.demands.extend(passed.into_iter().map(|topic| Demand::TurnPassed { by: by.clone(), topic }));
    }

    fn check_settled(&mut self, now: Timestamp, io: &mut Io<'_>) {
        if let Some((reason, after)) = self.settle.check(now) {
            io.outputs.push(Output::Event(Event::Settled { reason, after }));
            io.demands.push(Demand::MembersChanged);
        }
    }

    /// Says good-bye; best effort.
    pub(crate) fn leave(&mut self, now: Timestamp, io: &mut Io<'_>) {
        self.membership.leave();
        self.drain(now, io);
    }

    /// Carries out what foca wants, after every call of it.
    fn drain(&mut self, now: Timestamp, io: &mut Io<'_>) {
        let Some(changes) = self.membership.drain(now, io.outputs) else { return };
        if !changes.is_empty() {
            self.stir(now);
            io.demands.push(Demand::MembersChanged);
        }
        for event in changes {
            match &event {
                Event::MemberJoined { .. } => io.joined += 1,
                Event::MemberLeft { name, .. } => {
                    io.left += 1;
                    let name = name.as_str();
                    self.outboxes.remove(name);
                    // the end of a call from before must not count for what is sent when it's back
                    self.calls.retain(|_, purpose| !matches!(purpose, Purpose::Update(to) if **to == *name));
                    self.intents.forget(name);
                    self.met.remove(name);
                    self.outlooks.forget(name);
                }
                _ => {}
            }
            io.outputs.push(Output::Event(event));
        }
        // who is new, or has started again, is met
        self.join_unreached(now, io);
    }
}

/// Where a [`Cluster`] leaves what is to be done.
#[derive(Debug)]
pub(crate) struct Io<'a> {
    pub(crate) outputs: &'a mut Vec<Output>,
    pub(crate) demands: &'a mut Vec<Demand>,
    /// What can be told of them.
    pub(crate) alerts: &'a Alerts,
    pub(crate) joined: u64,
    pub(crate) left: u64,
}
