//! Who is there, what they know, and when this member may speak.
//!
//! foca answers the first question over datagrams. State goes over calls of our own (streams): everything on joining,
//! each change to every live member with an acknowledgement, and a comparison of digests every few seconds that
//! repairs whatever got lost.

mod identity;
mod intents;
mod membership;
mod outbox;
mod settle;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use prost::Message;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::effects::{CallId, ClusterOptions, Event, Output};
use crate::nflog::{Entry, LogKey};
use crate::silence::Silence;
use crate::time::Timestamp;
use crate::view::{ClusterView, PeerRow};
use crate::wire::{self, MemberInfo, StateDigest, StateParts};

pub(crate) use identity::Member;
use intents::Intents;
pub(crate) use intents::{Topic, topic};
use membership::{Membership, Packet};
use outbox::Outbox;
pub(crate) use settle::Settle;

/// Between two comparisons of digests with one peer; the flag's push-pull interval if that is shorter.
const DIGEST_INTERVAL: Duration = Duration::from_secs(5);

/// A peer's state as it came, to be merged by the engine.
#[derive(Debug)]
pub(crate) struct PeerState {
    pub(crate) from: SocketAddr,
    pub(crate) parts: StateParts,
}

/// What the engine is asked to do after a message.
#[derive(Debug)]
pub(crate) enum Demand {
    /// Merge this.
    Merge(PeerState),
    /// Merge this if there is any, then reply with the digest, and with everything if the call was full.
    MergeAndReply { call: u64, state: Option<PeerState>, full: bool },
    /// Send everything to this peer, in a full call.
    Exchange(SocketAddr),
    /// Members came or went: positions may have changed.
    MembersChanged,
    /// A member can't reach a receiver; if this one is the next in line it's its turn.
    TurnPassed { by: String, topic: Topic },
}

#[derive(Debug)]
enum Purpose {
    /// Everything was sent, everything is expected.
    Full(SocketAddr),
    /// Only digests are compared.
    Digest(SocketAddr),
    /// Changes for a member.
    Update(String),
}

/// This member's part in the cluster.
pub(crate) struct Cluster {
    options: ClusterOptions,
    membership: Membership,
    pub(crate) settle: Settle,
    calls: BTreeMap<CallId, Purpose>,
    next_call: CallId,
    outboxes: BTreeMap<String, Outbox>,
    intents: Intents,
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

    pub(crate) fn peer_timeout(&self) -> Duration {
        self.options.peer_timeout
    }

    /// Index of this member among the live ones, sorted by name.
    pub(crate) fn position(&self) -> u32 {
        self.membership.live().take_while(|m| m.name < self.options.name).count() as u32
    }

    pub(crate) fn view(&self, now: Timestamp) -> ClusterView {
        let lag = |name: &str| self.outboxes.get(name).map_or(Duration::ZERO, |outbox| outbox.lag(now));
        let row = |m: &Member| PeerRow { name: m.name.clone(), address: m.address, lag: lag(&m.name) };
        let mut peers: Vec<PeerRow> = self.membership.live().map(row).collect();
        let (name, address) = (self.options.name.clone(), self.options.advertise);
        peers.push(PeerRow { name, address, lag: Duration::ZERO });
        peers.sort_by(|a, b| a.name.cmp(&b.name));
        ClusterView {
            name: self.options.name.clone(),
            peers,
            enabled: true,
            settled: self.settle.done().is_some(),
            position: self.position() as usize,
            failed_peers: self.unreached_seeds().count(),
            queued: self.outboxes.values().map(Outbox::len).sum(),
        }
    }

    pub(crate) fn next_wake(&self) -> Option<Timestamp> {
        let own = [self.next_digest, self.next_join].into_iter().min();
        let again = self.outboxes.values().filter_map(Outbox::next_try).min();
        let ours = [own, self.settle.next_check(), self.intents.next_renewal(), again];
        ours.into_iter().chain([self.membership.next_timer()]).flatten().min()
    }

    /// Whether any other member is there.
    pub(crate) fn has_peers(&self) -> bool {
        self.membership.live().next().is_some()
    }

    /// Whether this member comes after `name` when turns go around.
    pub(crate) fn is_next_after(&self, name: &str) -> bool {
        let own = self.options.name.as_str();
        let mut names: Vec<&str> = self.membership.live().map(|m| m.name.as_str()).chain([own]).collect();
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

    /// Until when another member's intent counts, and whose it is.
    pub(crate) fn held(&self, now: Timestamp, topic: Topic) -> Option<(&str, Timestamp)> {
        self.intents.held(now, topic)
    }

    /// Sends what has been claimed, released and passed on since the last time.
    pub(crate) fn tell_intents(&mut self, io: &mut Io<'_>) {
        for intent in self.intents.take_news() {
            let own = self.membership.own();
            let intent = wire::Intent { name: own.name.clone(), incarnation: own.incarnation, ..intent };
            self.membership.tell(&intent.encode_to_vec(), io.outputs);
        }
    }

    /// Carries out what is due: foca's timers, joins, a comparison of digests, the end of settling.
    pub(crate) fn tick(&mut self, now: Timestamp, digest: impl FnOnce() -> StateDigest, io: &mut Io<'_>) {
        self.membership.fire_due(now);
        self.drain(now, io);
        self.intents.renew_if_due(now);
        let again = |outbox: &Outbox| outbox.next_try().is_some_and(|at| at <= now);
        let due: Vec<String> = self.outboxes.iter().filter(|(_, o)| again(o)).map(|(name, _)| name.clone()).collect();
        for name in due {
            self.flush_outbox(now, &name, io);
        }
        if self.next_join <= now {
            self.next_join = now + self.join_interval();
            self.join_unreached(now, io);
        }
        if self.next_digest <= now {
            self.next_digest = now + DIGEST_INTERVAL.min(self.options.pushpull_interval);
            self.compare_with_one(digest(), io);
        }
        self.check_settled(now, io);
    }

    /// Fast while settling, then as often as the flag says.
    fn join_interval(&self) -> Duration {
        let settling = self.settle.done().is_none();
        if settling { Duration::from_millis(500) } else { self.options.reconnect_interval }
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
        let seeds = self.seeds.keys().copied();
        let due: Vec<SocketAddr> = seeds
            .filter(missing)
            .filter(|a| self.seeds.get(a).copied().flatten().is_none_or(|tried| tried + pause <= now))
            .filter(|a| !busy(&self.calls, *a))
            .collect();
        for address in due {
            self.seeds.insert(address, Some(now));
            io.demands.push(Demand::Exchange(address));
        }
    }

    fn compare_with_one(&mut self, digest: StateDigest, io: &mut Io<'_>) {
        let live: Vec<SocketAddr> = self.membership.live().map(|m| m.address).collect();
        if live.is_empty() {
            return;
        }
        let to = live[self.rng.random_range(0..live.len())];
        let call = wire::Call { digest: Some(digest), ..self.call() };
        self.send_call(to, call, Purpose::Digest(to), 0, io);
    }

    /// Sends everything that this member holds to `to`, to get everything back.
    pub(crate) fn exchange(&mut self, to: SocketAddr, digest: StateDigest, state: StateParts, io: &mut Io<'_>) {
        let call = wire::Call {
            digest: Some(digest),
            state: Some(state),
            full: true,
            members: self.member_infos(),
            ..self.call()
        };
        self.send_call(to, call, Purpose::Full(to), 1, io);
    }

    /// Tells every live member about changes made here.
    pub(crate) fn publish(
        &mut self,
        now: Timestamp,
        silences: &[Arc<Silence>],
        entries: &[(LogKey, Arc<Entry>)],
        io: &mut Io<'_>,
    ) {
        let names: Vec<String> = self.membership.live().map(|m| m.name.clone()).collect();
        for name in names {
            let outbox = self.outboxes.entry(name.clone()).or_default();
            outbox.add(now, silences, entries);
            self.flush_outbox(now, &name, io);
        }
    }

    /// Whether every live member has acknowledged every change.
    pub(crate) fn all_delivered(&self) -> bool {
        self.outboxes.values().all(Outbox::is_idle)
    }

    fn flush_outbox(&mut self, now: Timestamp, name: &str, io: &mut Io<'_>) {
        let Some(to) = self.membership.live().find(|m| m.name == name).map(|m| m.address) else {
            self.outboxes.remove(name);
            return;
        };
        let Some(state) = self.outboxes.get_mut(name).and_then(|outbox| outbox.take(now)) else { return };
        let call = wire::Call { state: Some(state), ..self.call() };
        self.send_call(to, call, Purpose::Update(name.to_owned()), 0, io);
    }

    fn call(&self) -> wire::Call {
        wire::Call { label: self.options.label.clone(), from: Some(self.own_info()), ..wire::Call::default() }
    }

    fn own_info(&self) -> MemberInfo {
        self.membership.own().into()
    }

    fn member_infos(&self) -> Vec<MemberInfo> {
        self.membership.live().map(Into::into).collect()
    }

    fn send_call(&mut self, to: SocketAddr, call: wire::Call, purpose: Purpose, kind: usize, io: &mut Io<'_>) {
        let id = self.next_call;
        self.next_call += 1;
        self.calls.insert(id, purpose);
        let data = Bytes::from(call.encode_to_vec());
        self.sent[kind].0 += 1;
        self.sent[kind].1 += data.len() as u64;
        io.outputs.push(Output::Call { call: id, to, data });
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
        let known = |m: &Member| m.name == intent.name && m.incarnation == intent.incarnation;
        if !self.membership.live().any(known) {
            return;
        }
        let by = intent.name.clone();
        let passed = self.intents.heard(now, intent);
        io.demands.extend(passed.into_iter().map(|topic| Demand::TurnPassed { by: by.clone(), topic }));
    }

    /// A call came; what is to be merged and replied is demanded of the engine.
    pub(crate) fn called(&mut self, now: Timestamp, id: u64, from: SocketAddr, data: Bytes, io: &mut Io<'_>) {
        let size = data.len() as u64;
        let refuse = |error: String, io: &mut Io<'_>| {
            let reply = wire::Reply { refused: error.clone(), ..wire::Reply::default() };
            io.outputs.push(Output::Reply { call: id, data: reply.encode_to_vec().into() });
            io.outputs.push(Output::Event(Event::PeerRejected { address: from, error }));
        };
        let call = match wire::Call::decode(data) {
            Ok(call) => call,
            Err(_) => return refuse("the call can't be read".into(), io),
        };
        if call.label != self.options.label {
            return refuse(format!("the caller's cluster label is `{}`, not ours", call.label), io);
        }
        let Some(caller) = call.from.as_ref().and_then(|info| Member::try_from(info).ok()) else {
            return refuse("the caller doesn't say who it is".into(), io);
        };
        if caller.name == self.options.name && caller != *self.membership.own() {
            self.name_conflicts += 1;
            return refuse(format!("the caller's name `{}` is ours", caller.name), io);
        }
        let kind = usize::from(call.full);
        self.received[kind].0 += 1;
        self.received[kind].1 += size;
        let members = std::iter::once(caller.clone()).chain(call.members.iter().filter_map(|m| m.try_into().ok()));
        self.membership.learn(members);
        self.drain(now, io);
        let state = call.state.map(|parts| PeerState { from: caller.address, parts });
        io.demands.push(Demand::MergeAndReply { call: id, state, full: call.full });
    }

    /// Replies to a call, after its state was merged.
    pub(crate) fn reply(&self, call: u64, digest: StateDigest, state: Option<StateParts>, io: &mut Io<'_>) {
        let full = state.is_some();
        let reply = wire::Reply {
            refused: String::new(),
            from: Some(self.own_info()),
            digest: Some(digest),
            state,
            members: if full { self.member_infos() } else { Vec::new() },
            settled: self.settle.done().is_some(),
        };
        io.outputs.push(Output::Reply { call, data: reply.encode_to_vec().into() });
    }

    /// A call of ours ended.
    pub(crate) fn call_ended(
        &mut self,
        now: Timestamp,
        id: CallId,
        result: Result<Bytes, String>,
        digest: impl FnOnce() -> StateDigest,
        io: &mut Io<'_>,
    ) {
        let Some(purpose) = self.calls.remove(&id) else { return };
        let reply = result.and_then(|data| wire::Reply::decode(data).map_err(|e| e.to_string()));
        let reply =
            reply.and_then(|r| if r.refused.is_empty() { Ok(r) } else { Err(format!("refused: {}", r.refused)) });
        match purpose {
            Purpose::Full(to) => {
                let attempts = if self.settle.has_joined(to) { &mut self.reconnections } else { &mut self.joins };
                match &reply {
                    Ok(_) => attempts.0 += 1,
                    Err(_) => attempts.1 += 1,
                }
                match reply {
                    Ok(reply) => self.joined(now, to, reply, io),
                    Err(error) => {
                        self.settle.failed(to);
                        if error.starts_with("refused") {
                            io.outputs.push(Output::Event(Event::PeerRejected { address: to, error }));
                        }
                    }
                }
            }
            Purpose::Digest(to) => {
                if let Ok(reply) = reply
                    && reply.digest != Some(digest())
                {
                    io.demands.push(Demand::Exchange(to));
                }
            }
            Purpose::Update(name) => {
                if let Some(outbox) = self.outboxes.get_mut(&name) {
                    outbox.ended(now, reply.is_ok());
                    self.flush_outbox(now, &name, io);
                }
            }
        }
        self.check_settled(now, io);
    }

    fn joined(&mut self, now: Timestamp, to: SocketAddr, reply: wire::Reply, io: &mut Io<'_>) {
        let replier = reply.from.as_ref().and_then(|info| Member::try_from(info).ok());
        let Some(replier) = replier else { return };
        if replier.name == self.options.name {
            // our own address under another name, or a second member of our name
            self.settle.joined(now, to);
            return;
        }
        let members = std::iter::once(replier.clone()).chain(reply.members.iter().filter_map(|m| m.try_into().ok()));
        self.membership.learn(members);
        self.drain(now, io);
        if !self.membership.live().any(|m| m.name == replier.name) {
            // it answers but counts as gone, and so may we there: foca does not ask again once it is alone
            self.membership.announce(replier);
            self.drain(now, io);
        }
        if let Some(parts) = reply.state {
            self.received[1].0 += 1;
            self.received[1].1 += (parts.silences.len() + parts.notification_log.len()) as u64;
            io.demands.push(Demand::Merge(PeerState { from: to, parts }));
        }
        self.settle.joined(now, to);
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
        let changes = self.membership.drain(now, io.outputs);
        if changes.is_empty() {
            return;
        }
        for event in changes {
            match &event {
                Event::MemberJoined { .. } => io.joined += 1,
                Event::MemberLeft { name, .. } => {
                    io.left += 1;
                    self.outboxes.remove(name);
                    self.intents.forget(name);
                }
                _ => {}
            }
            io.outputs.push(Output::Event(event));
        }
        io.demands.push(Demand::MembersChanged);
    }
}

/// Where a [`Cluster`] leaves what is to be done.
#[derive(Debug)]
pub(crate) struct Io<'a> {
    pub(crate) outputs: &'a mut Vec<Output>,
    pub(crate) demands: &'a mut Vec<Demand>,
    pub(crate) joined: u64,
    pub(crate) left: u64,
}
