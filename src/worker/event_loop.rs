//! The task that owns the engine: hands inputs in, carries outputs out, never waits for the network or the disk.
//!
//! Why it can't deadlock: everything that it starts reports back through bounded queues that only it empties, and it
//! never waits for room in a queue itself.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use alerting::effects::{Answer, DeliveryId, Event, Input, Output, Ticket};
use alerting::engine::Engine;
use alerting::notify::Outgoing;
use bytes::Bytes;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::AbortHandle;
use tokio::time::Instant;
use tracing::warn;

use crate::clock;
use crate::deliver::{self, Deliverer};
use crate::handle::Command;
use crate::log::event::{self, Taste};
use crate::net::Net;
use crate::observed::Observed;
use crate::recorder::Recorder;
use crate::store::Writer;
use crate::trace::flush::{self, FlushSpans};

/// Things from outside that may wait for the event loop; beyond that, who brings them waits.
const ARRIVALS: usize = 1024;

/// Things handled before others get their turn on this thread.
const BATCH: usize = 128;

/// Longest sleep: the wall clock may be set forward meanwhile.
const SLEEP_MAX: Duration = Duration::from_secs(5);

/// Callers whose connection ended are forgotten once so many wait.
const REPLIES_SOFT_MAX: usize = 256;

/// Something that came from outside by another way than the API.
#[derive(Debug)]
pub(crate) enum Arrival {
    /// An input as it is.
    Input(Input),
    /// A peer calls and waits for the reply.
    Called {
        /// Its address.
        from: SocketAddr,
        /// What it says.
        data: Bytes,
        /// Where the reply goes; dropped when there won't be one.
        reply: oneshot::Sender<Bytes>,
    },
}

/// Queue of [`Arrival`]s: sending waits while it's full.
pub(crate) type Arrivals = mpsc::Sender<Arrival>;

/// The ways out.
#[derive(Debug)]
pub(crate) struct Outside {
    /// For receivers.
    pub(crate) deliverer: Arc<Deliverer>,
    /// For peers; `None`: high availability is off.
    pub(crate) net: Option<Net>,
    /// For the state files and the journal.
    pub(crate) writer: Writer,
    /// Which events to log.
    pub(crate) taste: Taste,
    /// Becomes true when this member may notify.
    pub(crate) settled: watch::Sender<bool>,
    /// Where durations go.
    pub(crate) observed: Arc<Observed>,
    /// Where events are recorded.
    pub(crate) recorder: Recorder,
    /// Makes spans of flushes and attempts.
    pub(crate) spans: FlushSpans,
}

/// The engine and everything that waits for it.
#[derive(Debug)]
pub(crate) struct EventLoop {
    engine: Engine,
    outside: Outside,
    arrivals: Arrivals,
    last_ticket: Ticket,
    answers: HashMap<Ticket, oneshot::Sender<Answer>>,
    replies: HashMap<Ticket, oneshot::Sender<Bytes>>,
    deliveries: HashMap<DeliveryId, AbortHandle>,
    stop_limit: Duration,
    stop_deadline: Option<Instant>,
    stopped: bool,
}

/// The queue for everything but commands.
pub(crate) fn arrivals() -> (Arrivals, mpsc::Receiver<Arrival>) {
    mpsc::channel(ARRIVALS)
}

impl EventLoop {
    /// `arrivals` is where results come back; `stop_limit` is the time that the engine has after [`Input::Stop`].
    pub(crate) fn new(engine: Engine, outside: Outside, arrivals: Arrivals, stop_limit: Duration) -> Self {
        Self {
            engine,
            outside,
            arrivals,
            last_ticket: 0,
            answers: HashMap::new(),
            replies: HashMap::new(),
            deliveries: HashMap::new(),
            stop_limit,
            stop_deadline: None,
            stopped: false,
        }
    }

    /// Runs until the engine has stopped and the state files are on disk.
    pub(crate) async fn run(mut self, mut commands: mpsc::Receiver<Command>, mut arrived: mpsc::Receiver<Arrival>) {
        let (mut asked, mut came) = (Vec::with_capacity(BATCH), Vec::with_capacity(BATCH));
        self.drain();
        while !self.stopped {
            let wake = Instant::now() + self.sleep();
            tokio::select! {
                count = commands.recv_many(&mut asked, BATCH) => if count == 0 {
                    // nobody is left who could ask it to stop
                    self.handle(Input::Stop);
                    break;
                },
                _ = arrived.recv_many(&mut came, BATCH) => {}
                () = tokio::time::sleep_until(wake) => {}
            }
            asked.drain(..).for_each(|command| self.command(command));
            came.drain(..).for_each(|arrival| self.arrival(arrival));
            if self.engine.next_wake().is_some_and(|at| at <= clock::now()) {
                self.handle(Input::Tick);
            }
            if self.outside.writer.wants_snapshot() {
                self.handle(Input::Snapshot);
            }
            if self.stop_deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                warn!("the engine did not stop in time, leaving anyway");
                break;
            }
            // those who got an answer run on this thread next
            tokio::task::yield_now().await;
        }
        self.end().await;
    }

    async fn end(self) {
        self.deliveries.values().for_each(AbortHandle::abort);
        self.outside.writer.finish().await;
        if let Some(net) = self.outside.net {
            net.finish().await;
        }
    }

    /// Until the engine wants to be woken; not zero, so that a mistake there can't take the processor.
    fn sleep(&self) -> Duration {
        let until = self.engine.next_wake().map_or(SLEEP_MAX, |at| at.since(clock::now()));
        let until = until.clamp(Duration::from_millis(1), SLEEP_MAX);
        match self.stop_deadline {
            Some(deadline) => until.min(deadline.saturating_duration_since(Instant::now())),
            None => until,
        }
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Ask { make, request, reply } => {
                let ticket = self.ticket();
                self.answers.insert(ticket, reply);
                let input = make(ticket);
                let span = self.outside.spans.handling(&input, request.as_ref());
                self.handle(input);
                if let Some(span) = span {
                    span.end();
                }
            }
            Command::View(look) => {
                look(&mut self.engine.view(clock::now()));
                // bringing cached decisions up to date may have had effects
                self.drain();
            }
            Command::Feed(input) => self.handle(input),
        }
    }

    fn arrival(&mut self, arrival: Arrival) {
        match arrival {
            // it was cancelled while its result was in the queue
            Arrival::Input(Input::Delivered { id, .. } | Input::FilesRead { id, .. })
                if self.deliveries.remove(&id).is_none() => {}
            Arrival::Input(input) => self.handle(input),
            Arrival::Called { from, data, reply } => {
                if self.replies.len() >= REPLIES_SOFT_MAX {
                    self.replies.retain(|_, reply| !reply.is_closed());
                }
                let call = self.ticket();
                self.replies.insert(call, reply);
                self.handle(Input::Called { call, from, data });
            }
        }
    }

    fn handle(&mut self, input: Input) {
        if matches!(input, Input::Stop) && self.stop_deadline.is_none() {
            self.stop_deadline = Some(Instant::now() + self.stop_limit);
        }
        let alerts = match &input {
            Input::Alerts { alerts, .. } => alerts.len(),
            _ => 0,
        };
        let (rounds, start) = (self.engine.maintenance_rounds(), Instant::now());
        self.engine.handle(clock::now(), input);
        let took = start.elapsed();
        if self.engine.maintenance_rounds() > rounds {
            self.outside.observed.maintenance(took);
        }
        if alerts > 0 {
            self.outside.observed.alerts(alerts, took);
        }
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.engine.poll() {
            self.carry_out(output);
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Answer { ticket, answer } => {
                if let Some(reply) = self.answers.remove(&ticket) {
                    // who asked may have hung up
                    let _ = reply.send(answer);
                }
            }
            Output::Deliver { id, mut request, timeout } => {
                let span = self.outside.spans.attempt(id, &mut request);
                let (deliverer, back) = (Arc::clone(&self.outside.deliverer), self.arrivals.clone());
                let task = tokio::spawn(async move {
                    let result = match &request {
                        Outgoing::Http(request) => deliverer.deliver(request, timeout).await,
                        Outgoing::Mail(mail) => deliverer.mail(mail, timeout).await,
                    };
                    flush::ended(span, &result);
                    // the loop has ended: so has the process
                    let _ = back.send(Arrival::Input(Input::Delivered { id, result })).await;
                });
                self.deliveries.insert(id, task.abort_handle());
            }
            Output::ReadFiles { id, paths, timeout } => {
                let back = self.arrivals.clone();
                let task = tokio::spawn(async move {
                    let result = deliver::read_files(paths, timeout).await;
                    // the loop has ended: so has the process
                    let _ = back.send(Arrival::Input(Input::FilesRead { id, result })).await;
                });
                self.deliveries.insert(id, task.abort_handle());
            }
            Output::Cancel(id) => {
                if let Some(task) = self.deliveries.remove(&id) {
                    task.abort();
                }
            }
            Output::Packet { to, data } => {
                if let Some(net) = &self.outside.net {
                    net.packet(to, data);
                }
            }
            Output::Call { call, to, data } => {
                let streams = self.outside.net.as_ref().map(Net::streams);
                let (back, observed) = (self.arrivals.clone(), Arc::clone(&self.outside.observed));
                tokio::spawn(async move {
                    let start = Instant::now();
                    let result = match streams {
                        Some(streams) => streams.call(to, data).await.map_err(|error| crate::log::chain(&error)),
                        None => Err("high availability is off".to_owned()),
                    };
                    if result.is_ok() {
                        observed.ping(to, start.elapsed());
                    }
                    // the loop has ended: so has the process
                    let _ = back.send(Arrival::Input(Input::CallEnded { call, result })).await;
                });
            }
            Output::Reply { call, data } => {
                if let Some(reply) = self.replies.remove(&call) {
                    // the peer may have hung up
                    let _ = reply.send(data);
                }
            }
            Output::Append { records, sync, answers } => {
                let waiting = answers.into_iter();
                let waiting = waiting.filter_map(|(ticket, answer)| Some((self.answers.remove(&ticket)?, answer)));
                let waiting = waiting.collect();
                self.outside.writer.append(records, sync, waiting);
            }
            Output::Snapshot(snapshots) => self.outside.writer.put(snapshots),
            Output::Event(event) => {
                if matches!(event, Event::Settled { .. }) {
                    self.outside.settled.send_replace(true);
                }
                if let Some(net) = &mut self.outside.net {
                    match &event {
                        Event::MemberJoined { address, .. } => net.watches().begin(*address),
                        Event::MemberLeft { address, .. } => net.watches().end(*address),
                        _ => {}
                    }
                }
                event::log(&event, self.outside.taste);
            }
            Output::Record { position, record } => self.outside.recorder.record(position, &record),
            Output::Flushed(report) => self.outside.spans.flushed(&report),
            Output::Stopped => self.stopped = true,
        }
    }

    fn ticket(&mut self) -> Ticket {
        self.last_ticket += 1;
        self.last_ticket
    }
}

#[cfg(test)]
mod tests;
