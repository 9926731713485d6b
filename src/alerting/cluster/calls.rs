//! Calls between members: who meets whom, what is compared, and what follows from the replies.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use prost::Message;
use rand::RngExt;

use super::identity::Member;
use super::{Asked, Cluster, Demand, Io, PeerState, Purpose, outlook};
use crate::effects::{CallId, Event, Output};
use crate::time::Timestamp;
use crate::wire::{self, BucketDigest, MemberInfo, StateDigest, StateParts};

/// Comparisons in a row that are put off while changes are on their way, which is what mostly makes the difference.
const PUT_OFF_MAX: u32 = 6;

impl Cluster {
    pub(super) fn compare_with_one(&mut self, digest: StateDigest, io: &mut Io<'_>) {
        let live: Vec<SocketAddr> = self.membership.live().map(|m| m.address).collect();
        if live.is_empty() {
            return;
        }
        let to = live[self.rng.random_range(0..live.len())];
        let call = wire::Call { digest: Some(digest), outlook: Some(self.outlook()), ..self.call() };
        self.send_call(to, call, Purpose::Digest(to), 0, io);
    }

    /// Asks `to` for what it holds where it differs, and says who is here.
    pub(crate) fn exchange(&mut self, to: SocketAddr, digest: StateDigest, buckets: BucketDigest, io: &mut Io<'_>) {
        let call = wire::Call {
            digest: Some(digest),
            buckets: Some(buckets),
            full: true,
            members: self.member_infos(),
            outlook: Some(self.outlook()),
            ..self.call()
        };
        self.send_call(to, call, Purpose::Full(to), 1, io);
    }

    /// Sends what differed here from what `to` held; the alerts may follow once it has that.
    pub(crate) fn push(&mut self, now: Timestamp, to: SocketAddr, state: StateParts, io: &mut Io<'_>) {
        let member = self.membership.live().find(|m| m.address == to).cloned();
        if state.silences.is_empty() && state.notification_log.is_empty() {
            if let Some(member) = member {
                self.meet(now, &member, io);
            }
            return;
        }
        let call = wire::Call { state: Some(state), ..self.call() };
        self.send_call(to, call, Purpose::Push(member), 1, io);
    }

    /// Both have the same state.
    fn meet(&mut self, now: Timestamp, member: &Member, io: &mut Io<'_>) {
        let before = self.met.insert(member.name.clone(), member.incarnation);
        if before != Some(member.incarnation) {
            self.outboxes.entry(member.name.clone()).or_default().offers.add_all(now, io.alerts);
        }
        self.flush_outbox(now, &member.name, io);
    }

    pub(super) fn flush_outbox(&mut self, now: Timestamp, name: &str, io: &mut Io<'_>) {
        let Some(member) = self.membership.live().find(|m| *m.name == *name) else {
            self.outboxes.remove(name);
            return;
        };
        // an alert without the log of what was said of it would be told again
        let (to, new) = (member.address, !self.has_met(member));
        let Some(call) = self.outboxes.get_mut(name).and_then(|outbox| outbox.take(now, io.alerts, new)) else {
            return;
        };
        let own = self.call();
        let call = wire::Call { label: own.label, from: own.from, ..call };
        self.send_call(to, call, Purpose::Update(member.name.clone()), 0, io);
    }

    fn call(&self) -> wire::Call {
        wire::Call { label: self.options.label.clone(), from: Some(self.own_info()), ..wire::Call::default() }
    }

    fn outlook(&self) -> wire::Outlook {
        outlook::own(self.config, self.membership.live().map(|m| &*m.name))
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
        if *caller.name == *self.options.name && caller != *self.membership.own() {
            self.name_conflicts += 1;
            return refuse(format!("the caller's name `{}` is ours", caller.name), io);
        }
        let kind = usize::from(call.full);
        self.received[kind].0 += 1;
        self.received[kind].1 += size;
        let members = std::iter::once(caller.clone()).chain(call.members.iter().filter_map(|m| m.try_into().ok()));
        self.membership.learn(members);
        self.drain(now, io);
        let compares = call.digest.is_some();
        self.outlooks.heard(now, &caller.name, call.outlook);
        let state = PeerState { from: caller.address, parts: call.state.unwrap_or_default(), alerts: call.alerts };
        let asked = Asked { full: call.full, buckets: call.buckets, offers: call.offers, compares, by: caller.name };
        io.demands.push(Demand::MergeAndReply { call: id, state, asked });
    }

    /// Replies to a call, after its state was merged.
    pub(crate) fn reply(&self, call: u64, to: &str, full: bool, compares: bool, parts: wire::Reply, io: &mut Io<'_>) {
        let reply = wire::Reply {
            from: Some(self.own_info()),
            members: if full { self.member_infos() } else { Vec::new() },
            claimed: if full { self.intents.own() } else { Vec::new() },
            settled: self.settle.done().is_some(),
            outlook: compares.then(|| self.outlook()),
            busy: self.outboxes.get(to).is_some_and(|outbox| outbox.len() > 0),
            ..parts
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
        let replier = reply.as_ref().ok().and_then(|reply| Some((reply.from.as_ref()?.name.as_str().into(), reply)));
        if let Some((name, reply)) = replier {
            self.outlooks.heard(now, &name, reply.outlook.clone());
        }
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
                if let Ok(reply) = reply {
                    self.compared(now, to, &reply, digest(), io);
                }
            }
            Purpose::Push(member) => {
                if let Some(member) = member.filter(|_| reply.is_ok()) {
                    self.meet(now, &member, io);
                }
            }
            Purpose::Update(name) => {
                if let Some(outbox) = self.outboxes.get_mut(&name) {
                    outbox.ended(now, reply.as_ref().ok().map(|reply| reply.wanted.as_slice()));
                    self.flush_outbox(now, &name, io);
                }
            }
        }
        self.check_settled(now, io);
    }

    /// A peer's digest came. What differs is exchanged; if nothing does, it's offered the alerts from time to time.
    fn compared(&mut self, now: Timestamp, to: SocketAddr, reply: &wire::Reply, own: StateDigest, io: &mut Io<'_>) {
        let name: Arc<str> = reply.from.as_ref().map(|info| info.name.as_str()).unwrap_or_default().into();
        self.calm = if reply.digest == Some(own) { self.calm + 1 } else { 0 };
        if reply.digest != Some(own) {
            let busy = reply.busy || self.outboxes.get(&name).is_some_and(|outbox| outbox.len() > 0);
            if busy && self.put_off < PUT_OFF_MAX {
                self.put_off += 1;
                return;
            }
            io.demands.push(Demand::Exchange(to));
        } else if self.next_offer_of_all <= now && self.met.contains_key(&name) {
            self.next_offer_of_all = now + self.options.pushpull_interval;
            self.outboxes.entry(name.clone()).or_default().offers.add_all(now, io.alerts);
            self.flush_outbox(now, &name, io);
        }
        self.put_off = 0;
    }

    fn joined(&mut self, now: Timestamp, to: SocketAddr, reply: wire::Reply, io: &mut Io<'_>) {
        let replier = reply.from.as_ref().and_then(|info| Member::try_from(info).ok());
        let Some(replier) = replier else { return };
        if *replier.name == *self.options.name {
            // our own address under another name, or a second member of our name
            self.settle.joined(now, to);
            return;
        }
        let members = std::iter::once(replier.clone()).chain(reply.members.iter().filter_map(|m| m.try_into().ok()));
        let parts = reply.state.unwrap_or_default();
        self.received[1].0 += 1;
        self.received[1].1 += (parts.silences.len() + parts.notification_log.len()) as u64;
        let state = PeerState { from: to, parts, alerts: Bytes::new() };
        // before anything that lets this member notify (seed 76455)
        io.demands.push(Demand::Reconcile { state, buckets: reply.buckets.unwrap_or_default() });
        self.membership.learn(members);
        self.drain(now, io);
        if !self.membership.live().any(|m| m.name == replier.name) {
            // it answers but counts as gone, and so may we there: foca does not ask again once it is alone
            self.membership.announce(replier.clone());
            self.drain(now, io);
        }
        // it may be sending what would be this member's turn as soon as it has settled
        let claimed =
            wire::Intent { name: replier.name.to_string(), claimed: reply.claimed, ..wire::Intent::default() };
        self.intents.heard(now, claimed);
        self.settle.joined(now, to);
    }
}
