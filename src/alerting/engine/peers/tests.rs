//! Engines that talk to each other without a network between them: what is said arrives at once.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use super::*;
use crate::alert::PostedAlert;
use crate::effects::{Answer, ClusterOptions, DeliveryId, Input, Options, Restored};
use crate::label::LabelSet;
use crate::matcher::{Matcher, Mode, Op};
use crate::notify::{Response, TransportError};
use crate::silence::{SilenceDraft, SilenceId};
use crate::view::Readiness;

const CONFIG: &str = "
route: {receiver: team, group_wait: 10s, group_interval: 60s, repeat_interval: 1h}
receivers: [{name: team, webhook_configs: [{url: 'http://receiver/'}]}]
";

struct Member {
    engine: Engine,
    address: SocketAddr,
    events: Vec<Event>,
    /// Of its clock.
    ahead: Duration,
}

/// Some members, their common clock, and the notifications sent so far, with their sender.
struct Net {
    members: Vec<Member>,
    now: Timestamp,
    /// With whole seconds.
    sent: Vec<(usize, u64)>,
    tickets: BTreeMap<u64, (usize, CallId)>,
    next_ticket: u64,
    answers: Vec<Answer>,
    /// Members that get no answer from the receiver, and those that can't reach it.
    unanswered: Vec<usize>,
    unreachable: Vec<usize>,
    /// Requests that wait for their answer.
    open: Vec<(usize, DeliveryId)>,
    /// Gets nothing and does nothing.
    frozen: Option<usize>,
}

fn at(secs: f64) -> Timestamp {
    Timestamp::from_nanos(1_800_000_000_000_000_000 + (secs * 1e9) as i64)
}

fn address(n: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, n], 9094))
}

fn engine(name: &str, address: SocketAddr, label: &str, now: f64) -> Member {
    let millis = Duration::from_millis;
    let cluster = ClusterOptions {
        name: name.into(),
        advertise: address,
        label: label.into(),
        incarnation: at(now).as_nanos() as u64 / 1_000_000,
        gossip_interval: millis(200),
        pushpull_interval: millis(60_000),
        probe_interval: millis(1_000),
        probe_timeout: millis(500),
        peer_timeout: millis(15_000),
        settle_timeout: millis(60_000),
        reconnect_interval: millis(10_000),
        reconnect_timeout: millis(3_600_000),
    };
    let options =
        Options { seed: u64::from(address.port()) + now as u64, cluster: Some(cluster), ..Options::default() };
    let restored = Restored { started_at: at(now), ..Restored::default() };
    Member { engine: Engine::new(options, restored).unwrap(), address, events: Vec::new(), ahead: Duration::ZERO }
}

impl Net {
    fn of(members: Vec<Member>) -> Self {
        let mut net = Self {
            members,
            now: at(0.0),
            sent: Vec::new(),
            tickets: BTreeMap::new(),
            next_ticket: 1,
            answers: Vec::new(),
            unanswered: Vec::new(),
            unreachable: Vec::new(),
            open: Vec::new(),
            frozen: None,
        };
        for member in 0..net.members.len() {
            net.begin(member);
        }
        net
    }

    fn begin(&mut self, member: usize) {
        let config = crate::config::parse(CONFIG, Mode::Fallback).unwrap();
        self.input(member, Input::Config(Arc::new(config)));
        let addresses = self.members.iter().map(|m| m.address).collect();
        self.input(member, Input::Peers(addresses));
    }

    /// Hands an input in, and everything that follows from it, to whomever.
    fn input(&mut self, member: usize, input: Input) {
        let mut queue = VecDeque::from([(member, input)]);
        while let Some((to, input)) = queue.pop_front() {
            if self.frozen == Some(to) {
                continue;
            }
            let now = self.now + self.members[to].ahead;
            self.members[to].engine.handle(now, input);
            while let Some(output) = self.members[to].engine.poll() {
                self.carry_out(to, output, &mut queue);
            }
        }
    }

    fn carry_out(&mut self, member: usize, output: Output, queue: &mut VecDeque<(usize, Input)>) {
        let from = self.members[member].address;
        let find = |address: SocketAddr| self.members.iter().position(|m| m.address == address);
        match output {
            Output::Packet { to, data } => queue.extend(find(to).map(|to| (to, Input::Packet { from, data }))),
            Output::Call { call, to, data } => match find(to) {
                Some(to) => {
                    self.next_ticket += 1;
                    self.tickets.insert(self.next_ticket, (member, call));
                    queue.push_back((to, Input::Called { call: self.next_ticket, from, data }));
                }
                None => queue.push_back((member, Input::CallEnded { call, result: Err("nobody there".into()) })),
            },
            Output::Reply { call, data } => {
                let (to, call) = self.tickets.remove(&call).unwrap();
                queue.push_back((to, Input::CallEnded { call, result: Ok(data) }));
            }
            Output::Deliver { id, .. } => {
                let response = Response { status: 200, retry_after: None, ..Response::default() };
                if self.unreachable.contains(&member) {
                    let error = TransportError { message: "connection refused".into(), timed_out: false };
                    return queue.push_back((member, Input::Delivered { id, result: Err(error) }));
                }
                self.sent.push((member, self.now.since(at(0.0)).as_secs()));
                if self.unanswered.contains(&member) {
                    return self.open.push((member, id));
                }
                queue.push_back((member, Input::Delivered { id, result: Ok(response) }));
            }
            Output::Event(event) => self.members[member].events.push(event),
            Output::Answer { answer, .. } => self.answers.push(answer),
            Output::ReadFiles { .. } | Output::Record { .. } | Output::Flushed(_) => {}
            Output::Append { answers, .. } => self.answers.extend(answers.into_iter().map(|(_, answer)| answer)),
            Output::Cancel(_) | Output::Snapshot(_) | Output::Stopped => {}
        }
    }

    fn until(&mut self, now: f64) {
        loop {
            let awake = self.members.iter().enumerate().filter(|(n, _)| self.frozen != Some(*n));
            let wakes = awake.filter_map(|(n, m)| Some((m.engine.next_wake()? - m.ahead, n)));
            let Some((wake, member)) = wakes.min().filter(|(wake, _)| *wake <= at(now)) else { break };
            self.now = self.now.max(wake);
            self.input(member, Input::Tick);
        }
        self.now = at(now);
    }

    fn fire(&mut self, member: usize) {
        let labels = LabelSet::new([("alertname", "Down")]);
        let ends = Some(self.now + Duration::from_secs(100_000));
        let alert = PostedAlert::new(labels, LabelSet::empty(), "".into(), Some(self.now), ends);
        self.input(member, Input::Alerts { ticket: 1, alerts: vec![alert] });
    }

    fn fire_until(&mut self, member: usize, secs: f64) {
        let ends = Some(self.now + Duration::from_secs_f64(secs));
        let labels = LabelSet::new([("alertname", "Down")]);
        let alert = PostedAlert::new(labels, LabelSet::empty(), "".into(), Some(at(0.0)), ends);
        self.input(member, Input::Alerts { ticket: 1, alerts: vec![alert] });
    }

    fn resolve(&mut self, member: usize) {
        self.fire_until(member, 0.0);
    }

    fn fires(&mut self, member: usize) -> bool {
        let alert = self.members[member].engine.alerts.iter().next().map(|(_, slot)| slot.alert.clone());
        alert.is_some_and(|alert| !alert.resolved_at(self.now))
    }

    fn silence(&mut self, member: usize) -> SilenceId {
        let draft = SilenceDraft {
            id: None,
            matchers: vec![Matcher::new(Op::Equal, "alertname", "Other").unwrap()],
            starts_at: None,
            ends_at: self.now + Duration::from_secs(3600),
            created_by: "me".into(),
            comment: "test".into(),
            annotations: BTreeMap::new(),
        };
        self.input(member, Input::SetSilence { ticket: 2, draft });
        let Some(Answer::Silence(id)) = self.answers.last().cloned() else { panic!("{:?}", self.answers) };
        id
    }

    fn has(&mut self, member: usize, id: &SilenceId) -> bool {
        self.members[member].engine.view(self.now).silence(id).is_some()
    }

    /// The code and the sentence of what a member says about the only alert.
    fn why(&mut self, member: usize) -> (&'static str, String) {
        let fingerprint = LabelSet::new([("alertname", "Down")]).fingerprint();
        let explanation = self.members[member].engine.view(self.now).explain(fingerprint).unwrap();
        let group = &explanation.groups[0];
        let one = &group.integrations[0];
        (one.reason.code(), explanation.sentence(self.now, group, one))
    }

    fn peers(&mut self, member: usize) -> usize {
        self.members[member].engine.view(self.now).cluster().peers.len()
    }
}

fn three() -> Net {
    Net::of((0..3).map(|n| engine(&format!("am-{n}"), address(n + 1), "prod", 0.0)).collect())
}

#[test]
fn three_find_each_other_and_settle_at_once() {
    let mut net = three();
    for member in 0..3 {
        assert_eq!(net.peers(member), 3);
        let readiness = net.members[member].engine.view(at(0.0)).readiness();
        assert_eq!(readiness, Readiness::Ready, "member {member}");
    }
}

#[test]
fn one_tells_and_the_others_know() {
    let mut net = three();
    (0..3).for_each(|member| net.fire(member));
    net.until(3500.0);
    assert_eq!(net.sent, [(0, 10)]);
    net.until(3700.0);
    assert_eq!(net.sent.len(), 2, "the repeat is told once too: {:?}", net.sent);
}

#[test]
fn what_was_posted_to_one_is_known_to_all_and_told_by_the_first() {
    let mut net = three();
    net.fire(2);
    net.until(5.0);
    assert!((0..3).all(|member| net.fires(member)));
    net.until(100.0);
    assert_eq!(net.sent, [(0, 11)]);
    // any member may hear of the end
    net.resolve(1);
    net.until(200.0);
    assert!((0..3).all(|member| !net.fires(member)));
    assert_eq!(net.sent, [(0, 11), (0, 131)]);
}

#[test]
fn a_member_that_comes_late_knows_the_alerts_and_repeats_nothing() {
    let mut net = three();
    net.fire(1);
    net.until(20.0);
    assert_eq!(net.sent, [(0, 11)]);
    net.members[0] = engine("am-0", address(9), "prod", 20.0);
    net.begin(0);
    net.until(25.0);
    assert!(net.fires(0));
    net.resolve(1);
    net.until(500.0);
    assert_eq!(net.sent, [(0, 11), (0, 71)], "the resolve, by the first in line, which has seen nothing but that");
}

#[test]
fn alerts_that_everybody_was_sent_cost_no_more_than_an_offer() {
    let mut net = three();
    (0..3).for_each(|member| net.fire(member));
    net.until(0.5);
    let before: Vec<u64> = (0..3).map(|n| net.members[n].engine.stats.cluster_sent[0].1).collect();
    net.until(3.0);
    for (n, before) in before.into_iter().enumerate() {
        let sent = net.members[n].engine.stats.cluster_sent[0].1 - before;
        assert!((50..2 * 200).contains(&sent), "{sent} bytes to two peers");
    }
}

#[test]
fn refreshes_at_any_member_keep_it_firing_on_all() {
    let mut net = three();
    // as through a balancer: each minute another one hears of it, and nobody often enough by itself
    for minute in 0..20 {
        net.until(f64::from(minute) * 60.0);
        net.fire_until(minute as usize % 3, 150.0);
    }
    net.until(1200.0);
    assert!((0..3).all(|member| net.fires(member)));
    assert_eq!(net.sent.len(), 1, "{:?}", net.sent);
}

#[test]
fn a_member_that_stood_still_asks_before_it_sends() {
    let mut net = three();
    net.until(10.0);
    (0..3).for_each(|member| net.fire(member));
    net.frozen = Some(0);
    net.until(45.0);
    assert_eq!(net.sent, [(1, 20)], "it takes over from the first, which counts as dead by then");
    net.frozen = None;
    net.until(79.0);
    assert_eq!(net.sent, [(1, 20)]);
    assert!(net.members[0].events.iter().any(|event| matches!(event, Event::StoodStill { .. })));
    assert_eq!((0..3).map(|member| net.peers(member)).collect::<Vec<_>>(), [3, 3, 3]);
}

#[test]
fn a_clock_that_is_ahead_does_not_hold_the_end_back() {
    let mut net = three();
    net.members[2].ahead = Duration::from_secs(30);
    net.fire(2);
    net.until(5.0);
    net.resolve(0);
    net.until(10.0);
    assert!((0..3).all(|member| !net.fires(member)));
}

#[test]
fn silences_are_everywhere_at_once_and_come_back_after_a_loss() {
    let mut net = three();
    let id = net.silence(1);
    assert!((0..3).all(|member| net.has(member, &id)));
    net.until(20.0);
    net.members[0] = engine("am-0", address(9), "prod", 20.0);
    net.begin(0);
    assert!(net.has(0, &id), "an empty member at a new address knows it from its peers");
    net.until(30.0);
    assert_eq!((net.peers(1), net.peers(0)), (3, 3), "the old address is forgotten, the name has moved");
}

#[test]
fn another_label_is_never_believed() {
    let mut net = Net::of(vec![engine("am-0", address(1), "prod", 0.0), engine("am-1", address(2), "test", 0.0)]);
    let id = net.silence(0);
    net.until(120.0);
    assert_eq!((net.peers(0), net.peers(1)), (1, 1));
    assert!(!net.has(1, &id));
    let refused = |event: &Event| matches!(event, Event::PeerRejected { error, .. } if error.contains("label"));
    assert!(net.members[0].events.iter().any(refused));
}

#[test]
fn a_peers_nonsense_changes_nothing() {
    let mut net = three();
    let before = net.members[0].engine.state_digest(at(0.0));
    net.tickets.insert(1000, (1, 1000));
    let data = Bytes::from_static(b"\xff\xff\xffnonsense");
    net.input(0, Input::Called { call: 1000, from: address(2), data: data.clone() });
    net.input(0, Input::Packet { from: address(2), data });
    assert_eq!(net.members[0].engine.state_digest(at(0.0)), before);
    assert_eq!(net.peers(0), 3);
    let rejected = |event: &&Event| matches!(event, Event::PeerRejected { .. });
    assert_eq!(net.members[0].events.iter().filter(rejected).count(), 2);
}

#[test]
fn a_slow_receiver_is_asked_by_one_member_only() {
    let mut net = three();
    net.until(10.0);
    net.unanswered = vec![0, 1, 2];
    (0..3).for_each(|member| net.fire(member));
    net.until(55.0);
    assert_eq!(net.sent, [(0, 20)], "the others hold, although their turns have come");
    let (member, id) = net.open.remove(0);
    let response = Response { status: 200, retry_after: None, ..Response::default() };
    net.input(member, Input::Delivered { id, result: Ok(response) });
    net.until(78.0);
    assert_eq!(net.sent, [(0, 20)]);
    assert!(net.members[2].events.iter().any(|event| matches!(event, Event::Held { by, .. } if by == "am-0")));
}

#[test]
fn who_waits_for_whom_is_explained() {
    let mut net = three();
    net.until(10.0);
    net.unanswered = vec![0, 1, 2];
    (0..3).for_each(|member| net.fire(member));
    net.until(21.0);
    assert_eq!(net.why(0).0, "sending");
    for member in [1, 2] {
        assert_eq!(net.why(member), ("other_member_sends", "am-0 is sending it".to_owned()));
    }

    let mut net = three();
    net.until(10.0);
    (0..3).for_each(|member| net.fire(member));
    net.until(19.9);
    // not for so long that the others miss it
    net.frozen = Some(0);
    net.until(20.1);
    let (code, text) = net.why(1);
    assert!(
        code == "turn" && text.contains("waits for this member's turn, at ") && text.ends_with("(in 14 s)"),
        "{text}"
    );
    assert!(net.why(2).1.ends_with("(in 29 s)"), "{}", net.why(2).1);
}

#[test]
fn who_can_not_reach_the_receiver_leaves_it_to_the_next_at_once() {
    let mut net = three();
    net.until(10.0);
    net.unreachable = vec![0, 1];
    (0..3).for_each(|member| net.fire(member));
    net.until(21.0);
    assert_eq!(net.sent, [(2, 20)]);
    net.until(79.0);
    assert_eq!(net.sent, [(2, 20)], "nobody repeats it");
}

#[test]
fn when_nobody_reaches_the_receiver_all_go_on_trying() {
    let mut net = three();
    net.until(10.0);
    net.unreachable = vec![0, 1, 2];
    (0..3).for_each(|member| net.fire(member));
    net.until(30.0);
    assert!(net.sent.is_empty());
    net.unreachable.clear();
    net.until(45.0);
    assert_eq!(net.sent.len(), 1, "{:?}", net.sent);
    net.until(79.0);
    assert_eq!(net.sent.len(), 1, "{:?}", net.sent);
}
