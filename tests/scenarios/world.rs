//! The world around the engines: a clock, receivers, disks, and a network without faults but those asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use alerting::config;
use alerting::effects::{Answer, ClusterOptions, DeliveryId, Input, Options, Output};
use alerting::engine::Engine;
use alerting::label::LabelSet;
use alerting::matcher::Mode;
use alerting::notify::{Response, TransportError};
use alerting::silence::SilenceId;
use alerting::time::{Timestamp, parse_rfc3339};
use bytes::Bytes;

use crate::disk::Disk;
use crate::script::{Scenario, duration};
use crate::show;

/// From one member to another.
const NETWORK: Duration = Duration::from_millis(1);

/// Between two look-ups of the members' names.
const LOOK_UP: Duration = Duration::from_secs(5);

/// An end that is not reached.
pub(crate) const FAR: Duration = Duration::from_secs(1000 * 3600);

enum Happening {
    Packet { from: usize, to: usize, data: Bytes },
    Call { from: usize, life: u64, call: u64, to: usize, data: Bytes },
    Reply { to: usize, life: u64, call: u64, result: Result<Bytes, String> },
    Answer { member: usize, life: u64, id: DeliveryId, result: Result<Response, TransportError> },
    LookUp { member: usize, life: u64 },
}

#[derive(Default)]
pub(crate) struct Member {
    pub(crate) engine: Option<Engine>,
    /// Counts its starts.
    pub(crate) life: u64,
    disk: Disk,
    pub(crate) cut: bool,
    /// Calls taken in, and where to reply.
    calls: BTreeMap<u64, (usize, u64, u64)>,
}

/// What a receiver answers.
#[derive(Clone, Copy, Default)]
pub(crate) struct Manners {
    pub(crate) status: Option<u16>,
    pub(crate) retry_after: Option<Duration>,
    /// After this; an answer that never comes takes longer than anybody waits.
    pub(crate) slow: Duration,
}

pub(crate) struct World {
    pub(crate) start: Timestamp,
    pub(crate) now: Timestamp,
    options: BTreeMap<String, String>,
    pub(crate) config: Arc<config::Config>,
    pub(crate) members: Vec<Member>,
    queue: BTreeMap<(Timestamp, u64), Happening>,
    sequence: u64,
    pub(crate) manners: BTreeMap<String, Manners>,
    /// Since when alerts fire.
    pub(crate) since: BTreeMap<LabelSet, Timestamp>,
    pub(crate) silences: BTreeMap<String, (SilenceId, Timestamp)>,
    pub(crate) names: BTreeMap<SilenceId, String>,
    /// The silence that is being set, and its start.
    pub(crate) setting: Option<(String, Timestamp)>,
    seen: Vec<String>,
}

/// What is seen after each step.
pub(crate) fn run(file: &str, scenario: &Scenario) -> Vec<Vec<String>> {
    let place = format!("{file}: {}", scenario.title);
    let mut world = World::new(&place, scenario);
    let mut seen = Vec::new();
    for step in &scenario.steps {
        world.until(world.start + step.at);
        if !seen.is_empty() || !world.seen.is_empty() {
            flush(&mut seen, &mut world.seen);
        }
        seen.push(Vec::new());
        world.step(step);
    }
    flush(&mut seen, &mut world.seen);
    seen
}

/// What was seen belongs to the last step.
fn flush(seen: &mut [Vec<String>], new: &mut Vec<String>) {
    if let Some(last) = seen.last_mut() {
        last.append(new);
    }
}

impl World {
    fn new(place: &str, scenario: &Scenario) -> Self {
        let options: BTreeMap<String, String> = scenario.options.iter().cloned().collect();
        let start = options.get("start").map_or("2026-01-01T00:00:00Z", String::as_str);
        let start = parse_rfc3339(start).unwrap().unwrap();
        let members = options.get("members").map_or(1, |count| count.parse().unwrap());
        let mut world = Self {
            start,
            now: start,
            config: configuration(place, &scenario.config),
            members: (0..members).map(|_| Member::default()).collect(),
            options,
            queue: BTreeMap::new(),
            sequence: 0,
            manners: BTreeMap::new(),
            since: BTreeMap::new(),
            silences: BTreeMap::new(),
            names: BTreeMap::new(),
            setting: None,
            seen: Vec::new(),
        };
        for member in 0..members {
            world.boot(member);
        }
        world
    }

    pub(crate) fn see(&mut self, member: usize, line: &str) {
        let at = show::since(self.start, self.now);
        let who = if self.members.len() > 1 { format!("[{member}] ") } else { String::new() };
        self.seen.push(format!("{at:<8} {who}{line}"));
    }

    // --- time ---

    fn after(&mut self, delay: Duration, happening: Happening) {
        self.sequence += 1;
        self.queue.insert((self.now + delay, self.sequence), happening);
    }

    fn until(&mut self, end: Timestamp) {
        loop {
            let happens = self.queue.keys().next().map(|(at, _)| *at);
            let wakes = self.members.iter().map(|m| m.engine.as_ref().and_then(Engine::next_wake));
            let wake = wakes.enumerate().filter_map(|(member, at)| Some((at?, member))).min();
            match (happens, wake) {
                (Some(at), wake) if at <= end && wake.is_none_or(|(wake, _)| at <= wake) => {
                    self.now = self.now.max(at);
                    if let Some((_, happening)) = self.queue.pop_first() {
                        self.happen(happening);
                    }
                }
                (_, Some((at, member))) if at <= end => {
                    self.now = self.now.max(at);
                    self.input(member, Input::Tick);
                }
                _ => break,
            }
        }
        self.now = end;
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Packet { from, to, data } => {
                let from = address(from);
                self.input(to, Input::Packet { from, data });
            }
            Happening::Call { from, life, call, to, data } => {
                if self.members[to].engine.is_none() || self.apart(from, to) {
                    let result = Err("no connection".to_owned());
                    return self.after(NETWORK, Happening::Reply { to: from, life, call, result });
                }
                self.sequence += 1;
                let ticket = self.sequence;
                self.members[to].calls.insert(ticket, (from, life, call));
                self.input(to, Input::Called { call: ticket, from: address(from), data });
            }
            Happening::Reply { to, life, call, result } => {
                if self.members[to].life == life {
                    self.input(to, Input::CallEnded { call, result });
                }
            }
            Happening::Answer { member, life, id, result } => {
                if self.members[member].life == life {
                    self.input(member, Input::Delivered { id, result });
                }
            }
            Happening::LookUp { member, life } => {
                if self.members[member].life == life && self.members[member].engine.is_some() {
                    let up = (0..self.members.len()).filter(|m| self.members[*m].engine.is_some());
                    let up = up.map(address).collect();
                    self.input(member, Input::Peers(up));
                    self.after(LOOK_UP, Happening::LookUp { member, life });
                }
            }
        }
    }

    fn apart(&self, a: usize, b: usize) -> bool {
        self.members[a].cut || self.members[b].cut
    }

    // --- members ---

    pub(crate) fn boot(&mut self, member: usize) {
        let option = |name: &str| self.options.get(name);
        let time = |name: &str| option(name).map(|value| duration(value).unwrap());
        let mut options = Options { seed: member as u64 + 1, ..Options::default() };
        options.alert_gc_interval = time("gc").unwrap_or(options.alert_gc_interval);
        options.dispatch_start_delay = time("start-delay").unwrap_or_default();
        options.retention = time("retention").unwrap_or(options.retention);
        options.alerts_per_name_max = option("per-name").map(|value| value.parse().unwrap());
        options.silences_max = option("silences").map(|value| value.parse().unwrap());
        if self.members.len() > 1 {
            options.cluster = Some(self.cluster_options(member));
        }
        let m = &mut self.members[member];
        m.life += 1;
        options.seed += 1000 * m.life;
        let restored = m.disk.restored(self.now);
        m.engine = Some(Engine::new(options, restored).unwrap());
        let life = m.life;
        self.input(member, Input::Config(self.config.clone()));
        if self.members.len() > 1 {
            self.after(NETWORK, Happening::LookUp { member, life });
        }
    }

    fn cluster_options(&self, member: usize) -> ClusterOptions {
        let millis = Duration::from_millis;
        ClusterOptions {
            name: format!("am-{member}"),
            advertise: address(member),
            label: String::new(),
            incarnation: (self.now.as_nanos() / 1_000_000) as u64,
            gossip_interval: millis(200),
            pushpull_interval: millis(60_000),
            probe_interval: millis(1000),
            probe_timeout: millis(500),
            peer_timeout: millis(15_000),
            settle_timeout: millis(60_000),
            reconnect_interval: millis(10_000),
            reconnect_timeout: millis(6 * 3600 * 1000),
        }
    }

    pub(crate) fn input(&mut self, member: usize, input: Input) {
        let Some(mut engine) = self.members[member].engine.take() else { return };
        engine.handle(self.now, input);
        let mut stopped = false;
        // an answer that comes at once is an input between two outputs
        while let Some(output) = engine.poll() {
            stopped |= matches!(output, Output::Stopped);
            if let Some((id, response)) = self.output(member, output) {
                engine.handle(self.now, Input::Delivered { id, result: Ok(response) });
            }
        }
        if stopped {
            self.see(member, "has stopped");
            self.members[member].life += 1;
        } else {
            self.members[member].engine = Some(engine);
        }
    }

    fn output(&mut self, member: usize, output: Output) -> Option<(DeliveryId, Response)> {
        let life = self.members[member].life;
        match output {
            Output::Deliver { id, request, timeout } => {
                return self.deliver(member, id, request.http().unwrap(), timeout);
            }
            Output::Answer { answer, .. } => self.answered(member, answer),
            Output::Append { records, sync, answers } => {
                self.members[member].disk.append(records, sync || !answers.is_empty());
                answers.into_iter().for_each(|(_, answer)| self.answered(member, answer));
            }
            Output::Stopped | Output::ReadFiles { .. } | Output::Record { .. } | Output::Flushed(_) => {}
            Output::Cancel(_) => self.see(member, "breaks off what it sends"),
            Output::Packet { to, data } => {
                if let Some(to) = self.member_at(to).filter(|to| !self.apart(member, *to)) {
                    self.after(NETWORK, Happening::Packet { from: member, to, data });
                }
            }
            Output::Call { call, to, data } => match self.member_at(to) {
                Some(to) => self.after(NETWORK, Happening::Call { from: member, life, call, to, data }),
                None => {
                    let result = Err("no such address".to_owned());
                    self.after(NETWORK, Happening::Reply { to: member, life, call, result });
                }
            },
            Output::Reply { call, data } => {
                if let Some((to, life, call)) = self.members[member].calls.remove(&call) {
                    self.after(NETWORK, Happening::Reply { to, life, call, result: Ok(data) });
                }
            }
            Output::Snapshot(snapshots) => self.members[member].disk.snapshot(snapshots, true),
            Output::Event(event) => {
                if let Some(line) = show::event(&event) {
                    self.see(member, &line);
                }
            }
        }
        None
    }

    fn answered(&mut self, member: usize, answer: Answer) {
        match answer {
            Answer::Refused(error) => self.see(member, &format!("refused: {error}")),
            Answer::NotDurable { cause } => self.see(member, &format!("not durable: {cause}")),
            Answer::Silence(id) => {
                if let Some((name, since)) = self.setting.take() {
                    self.names.insert(id.clone(), name.clone());
                    self.silences.insert(name, (id, since));
                }
            }
            Answer::Done => {}
        }
    }

    fn member_at(&self, at: SocketAddr) -> Option<usize> {
        (0..self.members.len()).find(|member| address(*member) == at)
    }

    fn deliver(
        &mut self,
        member: usize,
        id: DeliveryId,
        request: &alerting::notify::Request,
        timeout: Duration,
    ) -> Option<(DeliveryId, Response)> {
        let url = request_url(request);
        let receiver = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let known = [format!("@{member}"), receiver, String::new()];
        let manners = known.iter().find_map(|of| self.manners.get(of)).copied().unwrap_or_default();
        let body = serde_json::from_slice(&request.body).unwrap();
        let status = manners.slow.is_zero().then(|| manners.status.unwrap_or(200));
        let line = show::webhook(&url, &body) + &show::answer(status, manners.retry_after);
        self.see(member, &line);
        let Some(status) = status else {
            let life = self.members[member].life;
            let result = match manners.slow <= timeout {
                true => Ok(Response { status: 200, retry_after: None, ..Response::default() }),
                false => Err(TransportError { message: "no answer".to_owned(), timed_out: true }),
            };
            self.after(manners.slow.min(timeout), Happening::Answer { member, life, id, result });
            return None;
        };
        Some((id, Response { status, retry_after: manners.retry_after, ..Response::default() }))
    }
}

fn request_url(request: &alerting::notify::Request) -> String {
    request.url.expose().to_owned()
}

fn address(member: usize) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, member as u8 + 1], 9094))
}

/// A configuration from what a scenario says: a route unless it has one, and receivers for all names that routes use.
pub(crate) fn configuration(place: &str, text: &str) -> Arc<config::Config> {
    let mut text = text.to_owned();
    if !text.contains("route:") {
        text += "route: {receiver: team, group_by: [alertname], group_wait: 10s, group_interval: 1m, \
                 repeat_interval: 1h}\n";
    }
    if !text.contains("receivers:") {
        let mentions = text.split("receiver: ").skip(1);
        let names: BTreeSet<String> =
            mentions.filter_map(|rest| rest.split([',', '}', '\n']).next()).map(str::to_owned).collect();
        text += "receivers:\n";
        for name in names {
            text += &format!("- {{name: {name}, webhook_configs: [{{url: 'http://{name}/'}}]}}\n");
        }
    }
    match config::parse(&text, Mode::Fallback) {
        Ok(config) => Arc::new(config),
        Err(error) => panic!("{place}: {error}\n{text}"),
    }
}
