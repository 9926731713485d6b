//! foca, with its timers in order and its notifications turned into a list of live members.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::{NonZeroU8, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use foca::{AccumulatingRuntime, Foca, NoCustomBroadcast, PeriodicParams, State, Timer};
use rand::rngs::StdRng;

use super::codec::Compact;
use super::identity::Member;
use crate::effects::{ClusterOptions, Event, Output};
use crate::time::Timestamp;

/// What precedes the bytes of a packet: a hash of the cluster's label, and of what the packet is.
const PREFIX_LEN: usize = 4;

/// Fits one datagram on common networks together with the prefix.
pub(super) const PACKET_MAX: usize = 1400 - PREFIX_LEN;

pub(super) struct Membership {
    foca: Foca<Member, Compact, StdRng, NoCustomBroadcast>,
    runtime: AccumulatingRuntime<Member>,
    timers: BTreeMap<(Timestamp, u64), Timer<Member>>,
    next_timer: u64,
    live: BTreeMap<Arc<str>, Member>,
    prefix: [u8; PREFIX_LEN],
    prefix_of_intents: [u8; PREFIX_LEN],
}

/// What a packet is.
pub(super) enum Packet<'a> {
    /// foca has taken it.
    Taken,
    /// It tells what a member is sending.
    Intent(&'a [u8]),
}

impl Membership {
    pub(super) fn new(options: &ClusterOptions, rng: StdRng) -> Self {
        let own =
            Member { name: options.name.as_str().into(), address: options.advertise, incarnation: options.incarnation };
        let prefix = |of: u64| (xxhash_rust::xxh64::xxh64(options.label.as_bytes(), of) as u32).to_be_bytes();
        Self {
            foca: Foca::new(own.clone(), config(options), rng, Compact::new(own)),
            runtime: AccumulatingRuntime::new(),
            timers: BTreeMap::new(),
            next_timer: 0,
            live: BTreeMap::new(),
            prefix: prefix(0),
            prefix_of_intents: prefix(1),
        }
    }

    pub(super) fn own(&self) -> &Member {
        self.foca.identity()
    }

    /// Members that are alive or only suspected, without this one, sorted by name.
    pub(super) fn live(&self) -> impl Iterator<Item = &Member> {
        self.live.values()
    }

    pub(super) fn next_timer(&self) -> Option<Timestamp> {
        self.timers.first_key_value().map(|((at, _), _)| *at)
    }

    pub(super) fn fire_due(&mut self, now: Timestamp) {
        while let Some(entry) = self.timers.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let timer = entry.remove();
            // errors are about timers that came in another order than they were set, which is harmless here
            let _ = self.foca.handle_timer(timer, &mut self.runtime);
            self.schedule(now);
        }
    }

    pub(super) fn packet<'a>(&mut self, data: &'a [u8]) -> Result<Packet<'a>, String> {
        match data.split_at_checked(PREFIX_LEN) {
            Some((prefix, data)) if prefix == self.prefix => match self.foca.handle_data(data, &mut self.runtime) {
                // a member that was restarted still gets packets for its former life
                Ok(()) | Err(foca::Error::DataFromOurselves) => Ok(Packet::Taken),
                Err(error) => Err(format!("a packet that can't be read: {error}")),
            },
            Some((prefix, data)) if prefix == self.prefix_of_intents => Ok(Packet::Intent(data)),
            Some(_) | None => Err("a packet of another cluster".into()),
        }
    }

    /// Takes in members that a peer named.
    pub(super) fn learn(&mut self, members: impl Iterator<Item = Member>) {
        let members = members.map(foca::Member::alive);
        let _ = self.foca.apply_many(members, true, &mut self.runtime);
    }

    /// A member has ended without a word. If it's somebody's mistake, it hears of that, and comes back as new.
    pub(super) fn gone(&mut self, address: SocketAddr) {
        let gone = self.foca.iter_members().find(|member| member.id().address == address);
        let gone = gone.map(|member| foca::Member::new(member.id().clone(), member.incarnation(), State::Down));
        let _ = self.foca.apply_many(gone.into_iter(), true, &mut self.runtime);
    }

    /// Asks a member to let us in. If one of the two takes the other for dead, it hears of that, and comes back as new.
    pub(super) fn announce(&mut self, to: Member) {
        let _ = self.foca.announce(to, &mut self.runtime);
    }

    pub(super) fn leave(&mut self) {
        let _ = self.foca.leave_cluster(&mut self.runtime);
    }

    fn schedule(&mut self, now: Timestamp) {
        while let Some((after, timer)) = self.runtime.to_schedule() {
            self.timers.insert((now + after, self.next_timer), timer);
            self.next_timer += 1;
        }
    }

    /// Moves what foca wants to `outputs`; if anything has happened to the members, tells who came and who went.
    pub(super) fn drain(&mut self, now: Timestamp, outputs: &mut Vec<Output>) -> Option<Vec<Event>> {
        self.schedule(now);
        while let Some((to, data)) = self.runtime.to_send() {
            outputs.push(Output::Packet { to: to.address, data: framed(&self.prefix, &data) });
        }
        let mut changed = false;
        while self.runtime.to_notify().is_some() {
            changed = true;
        }
        if !changed {
            return None;
        }
        let live: BTreeMap<Arc<str>, Member> =
            self.foca.iter_members().map(|m| (m.id().name.clone(), m.id().clone())).collect();
        let old = std::mem::replace(&mut self.live, live);
        let gone = old.values().filter(|m| self.live.get(&m.name).is_none_or(|n| n.address != m.address));
        let came = self.live.values().filter(|m| old.get(&m.name).is_none_or(|o| o.address != m.address));
        let left = |m: &Member| Event::MemberLeft { name: m.name.to_string(), address: m.address };
        let joined = |m: &Member| Event::MemberJoined { name: m.name.to_string(), address: m.address };
        Some(gone.map(left).chain(came.map(joined)).collect())
    }

    /// Tells every live member what this one is sending.
    pub(super) fn tell(&self, intent: &[u8], outputs: &mut Vec<Output>) {
        let data = framed(&self.prefix_of_intents, intent);
        outputs.extend(self.live().map(|member| Output::Packet { to: member.address, data: data.clone() }));
    }
}

fn framed(prefix: &[u8; PREFIX_LEN], data: &[u8]) -> Bytes {
    let mut packet = BytesMut::with_capacity(PREFIX_LEN + data.len());
    packet.put_slice(prefix);
    packet.put_slice(data);
    packet.freeze()
}

/// foca's settings out of the reference's flags.
fn config(options: &ClusterOptions) -> foca::Config {
    let three = NonZeroUsize::MIN.saturating_add(2);
    let one = NonZeroUsize::MIN;
    let params = |frequency: Duration, num_members| Some(PeriodicParams { frequency, num_members });
    let mut config = foca::Config::simple();
    config.probe_period = options.probe_interval;
    config.probe_rtt = options.probe_timeout.min(options.probe_interval / 2);
    config.num_indirect_probes = three;
    config.max_transmissions = NonZeroU8::MIN.saturating_add(9);
    // some rounds of gossip fit in: long enough to refute, short enough for the next in line
    config.suspect_to_down_after = options.probe_interval;
    // the flag may be shorter than what foca needs to keep a dead member from coming back by hearsay
    config.remove_down_after = Some(options.reconnect_timeout.max(Duration::from_secs(60)));
    config.max_packet_size = NonZeroUsize::MIN.saturating_add(PACKET_MAX - 1);
    config.notify_down_members = true;
    config.periodic_announce = params(Duration::from_secs(60), one);
    config.periodic_announce_to_down_members = params(options.reconnect_interval, one);
    config.periodic_gossip = params(options.gossip_interval, three);
    config
}
