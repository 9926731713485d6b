//! The virtual world: members, network, clock, disks, senders. One event after the other, the earliest first.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use alerting::alert::PostedAlert;
use alerting::config::{self, Config};
use alerting::effects::{Answer, CallId, ClusterOptions, DeliveryId, Input, Options, Output};
use alerting::engine::Engine;
use alerting::label::LabelSet;
use alerting::matcher::{Matcher, Mode, Op};
use alerting::notify::{Outgoing, Response, TransportError};
use alerting::silence::{SilenceDraft, SilenceId};
use alerting::time::Timestamp;
use alerting::view::AlertFilter;
use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::disk::Disk;
use crate::plan::{Chore, Mishap, Plan, START};
use crate::queue::Queue;
use crate::receiver::Receiver;

/// Calls are lost, too, and take ten seconds to notice that: so often it's tried again before members must be equal.
const CALLS_AGAIN: u32 = 12;

/// Between two look-ups of the peers' names.
const LOOK_UP: Duration = Duration::from_secs(2);

#[derive(Debug)]
enum Happening {
    Wake {
        member: usize,
        life: u64,
    },
    /// What came while a member stood still.
    Later {
        member: usize,
        life: u64,
        input: Box<Input>,
    },
    LookUp {
        member: usize,
        life: u64,
    },
    Packet {
        from: usize,
        to: usize,
        data: Bytes,
    },
    Call {
        from: usize,
        life: u64,
        call: CallId,
        to: usize,
        data: Bytes,
    },
    Reply {
        to: usize,
        life: u64,
        call: CallId,
        result: Result<Bytes, String>,
    },
    Request {
        member: usize,
        life: u64,
        id: DeliveryId,
        body: Bytes,
    },
    Answer {
        member: usize,
        life: u64,
        id: DeliveryId,
        result: Result<Response, TransportError>,
    },
    Post {
        alert: usize,
    },
    PostTo {
        member: usize,
        alert: usize,
        ends: Option<Timestamp>,
    },
    Silence(usize),
    Mishap(Mishap),
    /// A member finds that nobody listens where another one was.
    Refused {
        member: usize,
        life: u64,
        by: usize,
    },
    Chore(Chore),
    Stop {
        member: usize,
        down: Option<Duration>,
    },
    Start {
        member: usize,
        empty_disk: bool,
    },
}

struct Member {
    address: SocketAddr,
    /// Boxed, since it is taken out for each input.
    engine: Option<Box<Engine>>,
    /// Counts its starts: what was meant for a former life is dropped.
    life: u64,
    disk: Disk,
    paused_until: Timestamp,
    /// Taken away for good, or not there yet.
    absent: bool,
    /// What it was told to come back after.
    down: Option<Duration>,
    /// It can't reach the receiver until then.
    unreached_until: Timestamp,
    /// Silences that it has acknowledged, and not lost with its disk.
    promised: Vec<SilenceId>,
    /// When it is to be woken; other wakes in the queue are out of date.
    wake: Option<Timestamp>,
    /// Calls taken in, and where to reply.
    tickets: BTreeMap<u64, (usize, u64, CallId)>,
}

pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) receiver: Receiver,
    pub(crate) log: Vec<String>,
    logging: bool,
    now: Timestamp,
    queue: Queue<Happening>,
    members: Vec<Member>,
    config: Option<Arc<Config>>,
    ticket: u64,
    /// Ways that are cut, from one to another, and until when.
    cuts: BTreeMap<(usize, usize), Timestamp>,
    rng: StdRng,
}

impl World {
    pub(crate) fn new(plan: Plan, logging: bool) -> Self {
        let member = |n: usize| Member {
            address: SocketAddr::from(([10, 0, 0, n as u8 + 1], 9094)),
            engine: None,
            life: 0,
            disk: Disk::default(),
            paused_until: START,
            absent: n >= plan.members,
            down: None,
            unreached_until: START,
            promised: Vec::new(),
            wake: None,
            tickets: BTreeMap::new(),
        };
        let mut world = Self {
            receiver: Receiver::default(),
            log: Vec::new(),
            logging,
            now: START,
            queue: Queue::default(),
            members: (0..plan.members + plan.added()).map(member).collect(),
            config: None,
            ticket: 0,
            cuts: BTreeMap::new(),
            rng: StdRng::seed_from_u64(plan.seed ^ 0x5eed),
            plan,
        };
        match config::parse(&world.plan.config(), Mode::Fallback) {
            Ok(config) => world.config = Some(Arc::new(config)),
            Err(error) => world.log.push(format!("the drawn configuration is not valid: {error}")),
        }
        for member in 0..world.plan.members {
            let delay = Duration::from_millis(world.rng.random_range(0..2000));
            world.at(START + delay, Happening::Start { member, empty_disk: true });
        }
        for alert in 0..world.plan.alerts.len() {
            for (from, _) in world.plan.alerts[alert].episodes.clone() {
                world.at(from, Happening::Post { alert });
            }
        }
        for silence in 0..world.plan.silences.len() {
            world.at(world.plan.silences[silence].at, Happening::Silence(silence));
        }
        for (at, mishap) in world.plan.mishaps.clone() {
            world.at(at, Happening::Mishap(mishap));
        }
        for (at, chore) in world.plan.chores.clone() {
            world.at(at, Happening::Chore(chore));
        }
        world
    }

    /// Runs until the end of the plan.
    pub(crate) fn run(&mut self) {
        self.run_until(self.plan.end);
    }

    fn run_until(&mut self, end: Timestamp) {
        while let Some((at, happening)) = self.queue.pop_until(end) {
            self.now = at;
            self.happen(happening);
        }
        self.now = end;
    }

    /// Members that don't hold the same as the first one, although there was time for what changed shortly before the
    /// end to get around. Time goes on for it: the last of all checks.
    pub(crate) fn unequal(&mut self) -> Vec<String> {
        let mut unequal = self.differing();
        for _ in 0..CALLS_AGAIN {
            if unequal.is_empty() {
                break;
            }
            self.run_until(self.now + Duration::from_secs(10));
            unequal = self.differing();
        }
        unequal
    }

    fn differing(&mut self) -> Vec<String> {
        // by no member's clock may an entry be expired that isn't by another's
        let now = self.now + Duration::from_secs(40);
        let members = self.members.iter_mut().filter(|m| !m.absent);
        let digests: Vec<_> = members.map(|m| m.engine.as_mut().map(|e| e.state_digest(now))).collect();
        let differs = |(n, digest)| format!("member {n} holds another state than member 0: {digest:?}");
        let others = digests.iter().enumerate().filter(|(_, digest)| **digest != digests[0]);
        others.map(differs).collect()
    }

    /// Members that take an alert for firing which isn't, or the other way around, once all has been calm for a while.
    pub(crate) fn mistaken(&mut self) -> Vec<String> {
        let end = self.plan.end;
        let settling = self.plan.resend * 2 + self.plan.skew() + Duration::from_secs(10);
        let mut mistaken = Vec::new();
        for (n, member) in self.members.iter_mut().enumerate().filter(|(_, m)| !m.absent) {
            let now = Timestamp::from_nanos(end.as_nanos() + self.plan.skew[n]);
            let Some(engine) = &mut member.engine else { continue };
            let rows = engine.view(now).alerts(&AlertFilter::default());
            for alert in &self.plan.alerts {
                let boundaries = alert.episodes.iter().flat_map(|(from, to)| [*from, *to]);
                if boundaries.into_iter().any(|at| end.since(at).max(at.since(end)) < settling) {
                    continue;
                }
                let fires = rows.iter().any(|row| row.alert.labels == alert.labels);
                if fires != alert.firing_since(end).is_some() {
                    mistaken.push(format!("member {n} takes {} for firing={fires}", alert.labels));
                }
            }
        }
        mistaken
    }

    /// Silences that a member has acknowledged and that it doesn't know at the end.
    pub(crate) fn broken_promises(&mut self) -> Vec<String> {
        let now = self.plan.end;
        let mut broken = Vec::new();
        for (n, member) in self.members.iter_mut().enumerate() {
            let Some(engine) = &mut member.engine else { continue };
            let mut view = engine.view(now);
            let lost = member.promised.iter().filter(|id| view.silence(id).is_none());
            broken.extend(lost.map(|id| format!("member {n} has acknowledged silence {id} and lost it")));
        }
        broken
    }

    fn at(&mut self, at: Timestamp, happening: Happening) {
        self.queue.push(at, happening);
    }

    fn after(&mut self, from_ms: u64, to_ms: u64, happening: Happening) {
        let delay = Duration::from_micros(self.rng.random_range(from_ms * 1000..to_ms * 1000));
        self.at(self.now + delay, happening);
    }

    fn note(&mut self, line: impl FnOnce() -> String) {
        if self.logging {
            let since = self.now.since(START);
            let line = format!("{:>10.3} {}", since.as_secs_f64(), line());
            self.log.push(line);
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Wake { member, life } => {
                if self.members[member].wake == Some(self.now) {
                    self.members[member].wake = None;
                    self.input(member, life, Input::Tick);
                }
            }
            Happening::Later { member, life, input } => self.input(member, life, *input),
            Happening::LookUp { member, life } => {
                let there = |m: &&Member| m.engine.is_some() && !m.absent;
                let addresses = self.members.iter().filter(there).map(|m| m.address).collect();
                self.input(member, life, Input::Peers(addresses));
                if self.members[member].life == life {
                    self.at(self.now + LOOK_UP, Happening::LookUp { member, life });
                }
            }
            Happening::Packet { from, to, data } => {
                let from = self.members[from].address;
                let life = self.members[to].life;
                self.input(to, life, Input::Packet { from, data });
            }
            Happening::Call { from, life, call, to, data } => {
                if self.members[to].engine.is_none() || self.cut(from, to) || self.cut(to, from) {
                    let result = Err("no connection".to_owned());
                    self.after(1, 5, Happening::Reply { to: from, life, call, result });
                    return;
                }
                self.ticket += 1;
                let ticket = self.ticket;
                let (address, receiver) = (self.members[from].address, self.members[to].life);
                self.members[to].tickets.insert(ticket, (from, life, call));
                self.input(to, receiver, Input::Called { call: ticket, from: address, data });
            }
            Happening::Reply { to, life, call, result } => self.input(to, life, Input::CallEnded { call, result }),
            Happening::Request { member, life, id, body } => {
                let status = self.receiver.take(self.now, member, &body);
                if let Some(last) = self.receiver.received.last().cloned() {
                    self.note(|| {
                        let (group, reason) = (&last.group, &last.reason);
                        format!(
                            "member {member} sends {group}: firing {:?} resolved {:?} ({reason}) -> {status}",
                            last.firing, last.resolved
                        )
                    });
                }
                let result = Ok(Response { status, retry_after: None, ..Response::default() });
                let slow = self.plan.answers_after.as_millis() as u64;
                self.after(slow + 1, slow + 20, Happening::Answer { member, life, id, result });
            }
            Happening::Answer { member, life, id, result } => {
                self.input(member, life, Input::Delivered { id, result });
            }
            Happening::Post { alert } => self.post(alert),
            Happening::PostTo { member, alert, ends } => {
                self.ticket += 1;
                let planned = &self.plan.alerts[alert];
                let labels = planned.labels.clone();
                let posted = PostedAlert::new(labels, LabelSet::empty(), "".into(), None, ends);
                let life = self.members[member].life;
                self.input(member, life, Input::Alerts { ticket: self.ticket, alerts: vec![posted] });
            }
            Happening::Silence(silence) => self.silence(silence),
            Happening::Mishap(mishap) => self.mishap(mishap),
            Happening::Refused { member, life, by } => {
                if self.members[by].engine.is_none() && !self.cut(member, by) && !self.cut(by, member) {
                    self.input(member, life, Input::PeerGone(self.members[by].address));
                }
            }
            Happening::Chore(chore) => self.chore(chore),
            Happening::Stop { member, down } => self.stop(member, down),
            Happening::Start { member, empty_disk } => self.start(member, empty_disk),
        }
    }

    fn cut(&self, from: usize, to: usize) -> bool {
        self.cuts.get(&(from, to)).is_some_and(|until| *until > self.now)
    }

    fn cut_until(&mut self, from: usize, to: usize, until: Timestamp) {
        let cut = self.cuts.entry((from, to)).or_insert(until);
        *cut = (*cut).max(until);
    }

    fn chore(&mut self, chore: Chore) {
        self.note(|| format!("{chore:?}"));
        match chore {
            Chore::Reload { member } => {
                let life = self.members[member].life;
                if let Some(config) = self.config.clone() {
                    self.input(member, life, Input::Config(config));
                }
            }
            Chore::Roll => {
                // worst case of a StatefulSet: the next one follows soon after the one before is back
                for (n, member) in (0..self.plan.members).rev().enumerate() {
                    let down = Duration::from_millis(self.rng.random_range(500..3000));
                    self.at(
                        self.now + Duration::from_secs(30) * n as u32,
                        Happening::Stop { member, down: Some(down) },
                    );
                }
            }
        }
    }

    /// Tells a member to end, and to come back after a while or never.
    fn stop(&mut self, member: usize, down: Option<Duration>) {
        if self.members[member].engine.is_some() {
            let life = self.members[member].life;
            self.members[member].down = down;
            self.input(member, life, Input::Stop);
        }
    }

    /// A sender posts the alert as it is now to every member, and again after a while.
    fn post(&mut self, alert: usize) {
        let planned = &self.plan.alerts[alert];
        let ends = match planned.firing_since(self.now) {
            Some(_) => self.now + self.plan.resend * 4,
            None => match planned.episodes.iter().rfind(|(_, to)| *to <= self.now) {
                Some((_, to)) if self.now.since(*to) < Duration::from_secs(300) => *to,
                Some(_) | None => return,
            },
        };
        let next_end = planned.episodes.iter().map(|(_, to)| *to).filter(|to| *to > self.now).min();
        let there = |m: &&Member| m.engine.is_some() && !m.absent;
        let serving = self.members.iter().filter(there).count();
        let chosen = if self.plan.balanced && serving > 0 { Some(self.rng.random_range(0..serving)) } else { None };
        let targets = (0..self.members.len()).filter(|n| there(&&self.members[*n])).enumerate();
        let targets: Vec<usize> =
            targets.filter(|(n, _)| chosen.is_none_or(|chosen| chosen == *n)).map(|(_, member)| member).collect();
        for member in targets {
            self.after(1, 30, Happening::PostTo { member, alert, ends: Some(ends) });
        }
        let resend = self.now + self.plan.resend;
        let next = next_end.filter(|end| *end < resend).unwrap_or(resend);
        let starts = planned_start_between(&self.plan.alerts[alert].episodes, self.now, next);
        if !starts {
            self.at(next, Happening::Post { alert });
        }
    }

    fn silence(&mut self, silence: usize) {
        let planned = &self.plan.silences[silence];
        let Ok(matcher) = Matcher::new(Op::Equal, "instance", planned.instance.as_str()) else { return };
        let draft = SilenceDraft {
            id: None,
            matchers: vec![matcher],
            starts_at: None,
            ends_at: planned.ends,
            created_by: "sim".into(),
            comment: "drawn".into(),
            annotations: BTreeMap::new(),
        };
        let on = planned.on;
        self.note(|| format!("silence on member {on}"));
        self.ticket += 1;
        let life = self.members[on].life;
        self.input(on, life, Input::SetSilence { ticket: self.ticket, draft });
    }

    fn mishap(&mut self, mishap: Mishap) {
        self.note(|| format!("{mishap:?}"));
        match mishap {
            Mishap::Crash { member, down, empty_disk } => {
                if self.members[member].engine.take().is_some() {
                    self.members[member].life += 1;
                    for other in (0..self.members.len()).filter(|other| *other != member) {
                        let life = self.members[other].life;
                        self.after(200, 260, Happening::Refused { member: other, life, by: member });
                    }
                    let lost = self.rng.random_range(0.0..=1.0);
                    self.members[member].disk.crash(lost);
                    if empty_disk {
                        self.members[member].promised.clear();
                    }
                    self.at(self.now + down, Happening::Start { member, empty_disk });
                }
            }
            Mishap::Restart { member, down } => self.stop(member, Some(down)),
            Mishap::Isolate { member, lasts } => {
                for other in 0..self.members.len() {
                    self.cut_until(member, other, self.now + lasts);
                    self.cut_until(other, member, self.now + lasts);
                }
            }
            Mishap::Deafen { from, to, lasts } => self.cut_until(from, to, self.now + lasts),
            Mishap::Cut { between, and, lasts } => {
                self.cut_until(between, and, self.now + lasts);
                self.cut_until(and, between, self.now + lasts);
            }
            Mishap::Pause { member, lasts } => self.members[member].paused_until = self.now + lasts,
            Mishap::Scale { add: true } => {
                if let Some(member) = self.members.iter().position(|m| m.absent && m.life == 0) {
                    self.members[member].absent = false;
                    self.start(member, true);
                }
            }
            Mishap::Scale { add: false } => {
                let there = self.members.iter().filter(|m| !m.absent).count();
                if let Some(member) = self.members.iter().rposition(|m| !m.absent).filter(|_| there > 2) {
                    self.members[member].absent = true;
                    self.stop(member, None);
                }
            }
            Mishap::Unreachable { member, lasts } => self.members[member].unreached_until = self.now + lasts,
            Mishap::ReceiverFails { lasts } => self.receiver.failing_until = Some(self.now + lasts),
        }
    }

    fn start(&mut self, member: usize, empty_disk: bool) {
        if self.members[member].engine.is_some() {
            return;
        }
        if empty_disk {
            self.members[member].disk = Disk::default();
        }
        let local = self.local(member);
        let m = &mut self.members[member];
        m.life += 1;
        m.wake = None;
        let options = Options {
            seed: self.plan.seed.wrapping_mul(31).wrapping_add(member as u64 * 1000 + m.life),
            maintenance_interval: Duration::from_secs(120),
            alert_gc_interval: Duration::from_secs(60),
            cluster: Some(cluster_options(member, m.address, local)),
            ..Options::default()
        };
        let restored = m.disk.restored(local);
        match Engine::new(options, restored) {
            Ok(engine) => m.engine = Some(Box::new(engine)),
            Err(error) => self.log.push(format!("member {member} can't start: {error}")),
        }
        let life = self.members[member].life;
        self.note(|| format!("member {member} starts"));
        if let Some(config) = self.config.clone() {
            self.input(member, life, Input::Config(config));
        }
        self.after(1, 100, Happening::LookUp { member, life });
    }

    /// What a member's clock shows.
    fn local(&self, member: usize) -> Timestamp {
        Timestamp::from_nanos(self.now.as_nanos() + self.plan.skew[member])
    }

    fn input(&mut self, member: usize, life: u64, input: Input) {
        let local = self.local(member);
        if self.members[member].life != life {
            return;
        }
        if self.members[member].paused_until > self.now {
            let until = self.members[member].paused_until;
            self.at(until, Happening::Later { member, life, input: Box::new(input) });
            return;
        }
        let Some(mut engine) = self.members[member].engine.take() else { return };
        engine.handle(local, input);
        let mut stopped = false;
        while let Some(output) = engine.poll() {
            stopped |= matches!(output, Output::Stopped);
            self.output(member, life, output);
        }
        if stopped {
            self.members[member].life += 1;
            if let Some(down) = self.members[member].down.take() {
                self.at(self.now + down, Happening::Start { member, empty_disk: false });
            }
            return;
        }
        if let Some(wake) = engine.next_wake() {
            let wake = Timestamp::from_nanos(wake.as_nanos() - self.plan.skew[member]);
            // an engine that asks for now again and again would never let time pass
            let wake = wake.max(self.now + Duration::from_micros(1));
            if self.members[member].wake != Some(wake) {
                self.members[member].wake = Some(wake);
                self.at(wake, Happening::Wake { member, life });
            }
        }
        self.members[member].engine = Some(engine);
    }

    fn output(&mut self, member: usize, life: u64, output: Output) {
        match output {
            Output::Answer { .. }
            | Output::Cancel(_)
            | Output::ReadFiles { .. }
            | Output::Record { .. }
            | Output::Flushed(_)
            | Output::Stopped => {}
            // the simulated receiver is a webhook
            Output::Deliver { request: Outgoing::Mail(_), .. } => {}
            Output::Deliver { id, request: Outgoing::Http(_), .. }
                if self.members[member].unreached_until > self.now =>
            {
                let error = TransportError { message: "no route to host".into(), timed_out: false };
                self.after(1, 20, Happening::Answer { member, life, id, result: Err(error) });
            }
            Output::Deliver { id, request: Outgoing::Http(request), .. } => {
                self.after(1, 20, Happening::Request { member, life, id, body: request.body });
            }
            Output::Packet { to, data } => {
                let Some(to) = self.members.iter().position(|m| m.address == to) else { return };
                let faulty = self.now < self.plan.healed_at;
                let rng = &mut self.rng;
                let mut happens = |percent: u32| faulty && rng.random_range(0..100) < percent;
                let (lost, doubled, late) =
                    (happens(self.plan.loss), happens(self.plan.doubled), happens(self.plan.late));
                if lost || self.cut(member, to) {
                    return;
                }
                if doubled {
                    self.after(1, 3000, Happening::Packet { from: member, to, data: data.clone() });
                }
                self.after(1, if late { 3000 } else { 20 }, Happening::Packet { from: member, to, data });
            }
            Output::Call { call, to, data } => match self.members.iter().position(|m| m.address == to) {
                Some(to) => self.after(1, 20, Happening::Call { from: member, life, call, to, data }),
                None => {
                    let result = Err("no such address".to_owned());
                    self.after(1, 5, Happening::Reply { to: member, life, call, result });
                }
            },
            Output::Reply { call, data } => {
                if let Some((to, life, call)) = self.members[member].tickets.remove(&call) {
                    let result =
                        if self.cut(member, to) || self.cut(to, member) { Err("cut off".to_owned()) } else { Ok(data) };
                    self.after(1, 20, Happening::Reply { to, life, call, result });
                }
            }
            Output::Append { records, sync, answers } => {
                let sync = sync || !answers.is_empty();
                self.members[member].disk.append(records, sync);
                for (_, answer) in answers {
                    if let Answer::Silence(id) = answer {
                        self.members[member].promised.push(id);
                    }
                }
            }
            Output::Snapshot(snapshots) => {
                // or the end comes between the new files and the removal of what they replace
                let removed = self.rng.random_bool(0.5);
                self.members[member].disk.snapshot(snapshots, removed);
            }
            Output::Event(event) => self.note(|| format!("member {member}: {event:?}")),
        }
    }
}

fn planned_start_between(episodes: &[(Timestamp, Timestamp)], from: Timestamp, to: Timestamp) -> bool {
    episodes.iter().any(|(start, _)| *start > from && *start <= to)
}

fn cluster_options(member: usize, advertise: SocketAddr, now: Timestamp) -> ClusterOptions {
    let millis = Duration::from_millis;
    ClusterOptions {
        name: format!("alertmanager-{member}"),
        advertise,
        label: "sim".into(),
        incarnation: (now.as_nanos() / 1_000_000) as u64,
        gossip_interval: millis(200),
        pushpull_interval: millis(60_000),
        probe_interval: millis(1_000),
        probe_timeout: millis(500),
        peer_timeout: millis(15_000),
        settle_timeout: millis(60_000),
        reconnect_interval: millis(10_000),
        reconnect_timeout: millis(6 * 3600 * 1000),
    }
}
