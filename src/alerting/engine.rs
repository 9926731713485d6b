//! The state machine: inputs in, decisions out.
//!
//! Four verbs: [`Engine::handle`] takes an input in, [`Engine::poll`] gives what is to be done (drain it after each
//! input), [`Engine::next_wake`] tells when to come back at the latest, [`Engine::view`] shows what is.

mod delivery;
mod dispatch;
mod due;
mod durable;
mod explain;
mod grouping;
mod labels;
mod look;
mod peers;
mod recording;
mod turns;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::alert::{Alert, PostedAlert};
use crate::cluster::Cluster;
use crate::config::{Config, Secret};
use crate::effects::{Answer, ClusterOptions, DeliveryId, Event, Input, Options, Output, Restored};
use crate::group::Groups;
use crate::inhibit::Inhibitor;
use crate::ledger::Ledger;
use crate::nflog::{self, NotificationLog};
use crate::pipeline::Stages;
use crate::record::Record;
use crate::route::Routes;
use crate::silence::{self, Changed, SilenceDraft, SilenceError, SilenceId, SilenceLimits, Silences};
use crate::stats::Stats;
use crate::store::{Alerts, Slot, Told};
use crate::time::Timestamp;
use crate::timer::{Due, Timers};
pub use crate::wire::RecordError;

use delivery::Delivery;
pub use durable::AlertsPicture;
use durable::{Journal, LastLife, Restoring, is_news, is_over};
pub use look::View;

/// How long a stopping member waits for peers to acknowledge what it told them.
const HANDOVER_MAX: Duration = Duration::from_secs(5);

/// How long a stopping member waits for the receivers that it is sending to.
const FINISH_MAX: Duration = Duration::from_secs(15);

/// How long a member of a cluster remembers what is resolved and told.
const RESOLVED_KEPT: Duration = Duration::from_secs(15 * 60);

/// So much that is due is carried out before other inputs have their turn: what was sent is to be known elsewhere before
/// everything else is sent.
const DUE_AT_ONCE: usize = 64;

/// A member's whole state and all of its decisions.
#[derive(Debug)]
pub struct Engine {
    options: Options,
    started_at: Timestamp,
    /// Names this life of this member in the notification log; 0 without a cluster.
    author: u64,
    running: Option<Running>,
    alerts: Alerts,
    groups: Groups,
    silences: Silences,
    nflog: NotificationLog,
    deliveries: BTreeMap<DeliveryId, Delivery>,
    next_delivery: DeliveryId,
    cluster: Option<Cluster>,
    /// May notify.
    settled: bool,
    /// When it wanted to be woken last; members of a cluster only.
    promised: Option<Timestamp>,
    stopping: Option<Stopping>,
    timers: Timers,
    outputs: VecDeque<Output>,
    /// Where the cluster puts its outputs: empty between inputs, kept for its room.
    told: Vec<Output>,
    journal: Journal,
    last_life: LastLife,
    stats: Stats,
    ledger: Ledger,
    rng: StdRng,
}

/// A configuration in force, and what is derived from it.
#[derive(Debug)]
struct Running {
    config: Arc<Config>,
    routes: Routes,
    inhibitor: Inhibitor,
    /// The receiver's name of each route, for alerts that land on one route only.
    receivers: Vec<Arc<[Arc<str>]>>,
    /// What integrations have learned, and when.
    tokens: BTreeMap<Arc<str>, (Timestamp, Secret)>,
}

#[derive(Debug)]
struct Stopping {
    since: Timestamp,
    /// Since when nothing is being sent any more.
    sent: Option<Timestamp>,
    done: bool,
    next_check: Timestamp,
}

/// The files on disk can't be used.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The silences.
    #[error("restoring the silences")]
    Silences(#[source] silence::DecodeError),
    /// The notification log.
    #[error("restoring the notification log")]
    NotificationLog(#[source] nflog::DecodeError),
    /// The alerts.
    #[error("restoring the alerts")]
    Alerts(#[source] RecordError),
    /// The journal.
    #[error("replaying the journal")]
    Journal(#[source] RecordError),
}

impl Engine {
    /// Starts with what was on disk. Nothing notifies before the first [`Input::Config`].
    ///
    /// # Errors
    /// When a state file is corrupt.
    pub fn new(options: Options, restored: Restored) -> Result<Self, RestoreError> {
        let now = restored.started_at;
        let mut restoring = Restoring::default();
        if let Some(file) = restored.silences {
            restoring.silences(now, file)?;
        }
        if let Some(file) = restored.notification_log {
            restoring.notification_log(now, file)?;
        }
        if let Some(payloads) = restored.alerts {
            restoring.saved_alerts(now, &payloads)?;
        }
        restoring.journal(now, &restored.journal)?;
        let (alerts, last_life) = restoring.alerts(now, &options);
        let Restoring { silences, nflog, events, .. } = restoring;
        let stats = Stats { silences_unusable_at_start: events.len() as u64, ..Stats::default() };
        let mut timers = Timers::default();
        timers.set(now + options.maintenance_interval, Due::Maintenance);
        timers.set(now + options.alert_gc_interval, Due::AlertGc);
        let cluster = options.cluster.clone().map(|c| Cluster::new(c, options.seed, now));
        Ok(Self {
            started_at: now,
            author: options.cluster.as_ref().map_or(0, author),
            running: None,
            alerts,
            groups: Groups::default(),
            silences,
            nflog,
            deliveries: BTreeMap::new(),
            next_delivery: 1,
            settled: cluster.is_none(),
            promised: None,
            cluster,
            stopping: None,
            timers,
            outputs: events.into_iter().map(Output::Event).collect(),
            told: Vec::new(),
            journal: Journal::default(),
            last_life,
            stats,
            ledger: Ledger::restored(restored.ledger),
            rng: StdRng::seed_from_u64(options.seed),
            options,
        })
    }

    /// Takes an input in; drain [`Self::poll`] after each.
    pub fn handle(&mut self, now: Timestamp, input: Input) {
        self.notice_standstill(now);
        match input {
            Input::Config(config) => self.apply_config(now, config),
            Input::Alerts { ticket, alerts } => {
                for posted in alerts {
                    self.receive(now, posted);
                }
                self.answer(ticket, Answer::Done);
            }
            Input::SetSilence { ticket, draft } => {
                let changed = self.set_silence(now, draft);
                self.silence_changed(now, ticket, changed);
            }
            Input::ExpireSilence { ticket, id } => {
                let changed = self.silences.expire(now, &id, self.options.retention);
                self.silence_changed(now, ticket, changed);
            }
            Input::Delivered { id, result } => self.delivered(now, id, result),
            Input::FilesRead { id, result } => self.files_read(now, id, result),
            Input::Peers(addresses) => self.with_cluster(now, |c, io| c.peers_resolved(now, &addresses, io)),
            Input::PeerGone(address) => self.with_cluster(now, |c, io| c.gone(now, address, io)),
            Input::Packet { from, data } => self.with_cluster(now, |c, io| c.packet(now, from, &data, io)),
            Input::Called { call, from, data } => self.with_cluster(now, |c, io| c.called(now, call, from, data, io)),
            Input::CallEnded { call, result } => self.call_ended(now, call, result),
            Input::Tick => {}
            Input::Snapshot => self.maintain(now),
            Input::Stop => self.stop(now),
        }
        self.advance(now);
        if self.cluster.as_ref().is_some_and(Cluster::has_intents_to_tell) {
            self.with_cluster(now, |cluster, io| cluster.tell_intents(io));
        }
        self.write_journal();
        self.promised = self.cluster.as_ref().map(Cluster::next_wake);
    }

    /// The next thing to do outside.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`Self::handle`] with [`Input::Tick`] at the latest.
    pub fn next_wake(&self) -> Option<Timestamp> {
        let cluster = self.promised.or_else(|| self.cluster.as_ref().map(Cluster::next_wake));
        let stopping = self.stopping.as_ref().filter(|s| !s.done).map(|s| s.next_check);
        [self.timers.next(), cluster, stopping].into_iter().flatten().min()
    }

    /// What readers may see as of `now`. Brings cached decisions up to date, hence `mut`.
    pub fn view(&mut self, now: Timestamp) -> View<'_> {
        View::new(self, now)
    }

    /// How often expired state was forgotten and the rest packed.
    pub fn maintenance_rounds(&self) -> u64 {
        self.stats.nflog_maintenance
    }

    /// Carries out whatever has fallen due by `now`.
    fn advance(&mut self, now: Timestamp) {
        self.tick_cluster(now);
        for _ in 0..DUE_AT_ONCE {
            let Some(due) = self.timers.pop_due(now) else { break };
            match due {
                Due::Flush(group) => self.flush_due(now, group),
                Due::Attempt(delivery) => self.attempt(now, delivery),
                Due::Maintenance => {
                    self.timers.set(now + self.options.maintenance_interval, Due::Maintenance);
                    self.maintain(now);
                }
                Due::AlertGc => {
                    self.timers.set(now + self.options.alert_gc_interval, Due::AlertGc);
                    self.forget_resolved(now);
                }
            }
        }
        self.check_stopped(now);
    }

    fn answer(&mut self, ticket: u64, answer: Answer) {
        self.outputs.push_back(Output::Answer { ticket, answer });
    }

    fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    /// For the event recorder; `make` isn't called when there is none.
    fn record(&mut self, make: impl FnOnce(&Self) -> Record) {
        if self.options.record_events {
            let position = self.cluster.as_ref().map_or(0, Cluster::position);
            let record = Box::new(make(self));
            self.outputs.push_back(Output::Record { position, record });
        }
    }

    // --- alerts ---

    fn receive(&mut self, now: Timestamp, posted: PostedAlert) {
        let timeout = self.running.as_ref().map_or(Duration::from_secs(300), |r| r.config.resolve_timeout);
        let known = self.alerts.number(posted.fingerprint).and_then(|number| self.alerts.get(number));
        // a peer whose clock is ahead may have had the report before this one
        let known_at = known.map(|slot| slot.alert.updated_at).filter(|at| *at > now);
        let mut alert = posted.received(now, timeout);
        match alert.resolved_at(now) {
            true => self.stats.alerts_received_resolved += 1,
            false => self.stats.alerts_received_firing += 1,
        }
        if let Some(known_at) = known_at {
            alert.updated_at = known_at + Duration::from_nanos(1);
        }
        self.take_alert(now, alert, true);
    }

    /// Takes in a peer's alert.
    fn receive_from_peer(&mut self, now: Timestamp, alert: Alert) {
        self.take_alert(now, alert, false);
    }

    /// `posted` here, or learned from a peer.
    fn take_alert(&mut self, now: Timestamp, alert: Alert, posted: bool) {
        let Some(number) = self.alerts.number(alert.fingerprint) else {
            return self.take_new_alert(now, alert, posted);
        };
        let Some(slot) = self.alerts.get_mut(number) else { return };
        let mut merged = match alert.updated_at < slot.alert.updated_at {
            true => alert.merged_with((*slot.alert).clone()),
            false => slot.alert.merged_with(alert),
        };
        // most refreshes change the times only: keep one copy of the texts
        if merged.annotations == slot.alert.annotations {
            merged.annotations = slot.alert.annotations.clone();
        }
        if merged.generator_url == slot.alert.generator_url {
            merged.generator_url = slot.alert.generator_url.clone();
        }
        merged.labels = slot.alert.labels.clone();
        let over = is_over(&slot.alert, &merged, now);
        let news = (slot.groups.is_empty() && !over) || is_news(&slot.alert, &merged, now);
        let tell = news || slot.told.is_old(now);
        slot.owes_resolve |= !merged.resolved_at(now);
        match Arc::get_mut(&mut slot.alert) {
            Some(alert) => *alert = merged,
            None => slot.alert = Arc::new(merged),
        }
        if slot.groups.len() < slot.routes.len() && !over {
            self.join_groups(now, number);
        }
        if news {
            self.keep_alert(now, number);
        }
        if posted {
            self.stats.alerts_stored += 1;
            if tell {
                self.tell_of_alert(now, number);
            }
            self.record_grouped(number);
        }
        // what one peer has told may not have reached the others: `told` stays as it is
    }

    fn take_new_alert(&mut self, now: Timestamp, alert: Alert, posted: bool) {
        if let Some(max) = self.options.alerts_per_name_max
            && !self.alerts.admit(alert.name(), max, now)
        {
            let name = alert.name().to_owned();
            *self.stats.alerts_limited.entry(name.clone()).or_default() += 1;
            self.event(Event::AlertLimited { name });
            return;
        }
        self.stats.alerts_stored += u64::from(posted);
        let (told, owes_resolve) = (Told::of(&alert), !alert.resolved_at(now));
        let generator_url = self.alerts.link(alert.generator_url);
        let slot = Slot {
            owes_resolve,
            told,
            alert: Arc::new(Alert { generator_url, ..alert }),
            routes: Default::default(),
            groups: Default::default(),
            silences: Default::default(),
            roles: Default::default(),
            regroup: false,
        };
        let number = self.alerts.insert(slot);
        if let Some(slot) = self.alerts.get(number).filter(|_| self.options.record_events) {
            let alert = slot.alert.clone();
            self.record(|_| Record::AlertCreated(alert));
        }
        self.classify(number);
        self.keep_alert(now, number);
        self.join_groups(now, number);
        if posted {
            self.tell_of_alert(now, number);
        }
        self.record_grouped(number);
    }

    fn tell_of_alert(&mut self, now: Timestamp, number: u32) {
        if let Some((cluster, slot)) = self.cluster.as_mut().zip(self.alerts.get_mut(number)) {
            slot.told = Told::of(&slot.alert);
            cluster.tell_of_alert(now, slot.alert.fingerprint);
        }
    }

    /// Finds out what the configuration says about an alert, once for its labels.
    fn classify(&mut self, number: u32) {
        let Some(running) = &mut self.running else { return };
        let Some(slot) = self.alerts.get_mut(number) else { return };
        slot.routes = running.routes.matching(&slot.alert.labels);
        slot.roles = running.inhibitor.roles(&slot.alert.labels);
        running.inhibitor.add_source(number, &slot.roles);
    }

    fn forget_resolved(&mut self, now: Timestamp) {
        // peers may still come with what they didn't know
        let kept = if self.cluster.is_some() { RESOLVED_KEPT } else { Duration::ZERO };
        let gone = |slot: &Slot| slot.groups.is_empty() && slot.alert.ends_at + kept <= now;
        let numbers: Vec<u32> = self.alerts.iter().filter(|(_, s)| gone(s)).map(|(number, _)| number).collect();
        for number in numbers {
            self.forget_alert(number);
        }
        self.alerts.forget_links();
    }

    fn forget_alert(&mut self, number: u32) {
        let Some(slot) = self.alerts.remove(number) else { return };
        if let Some(running) = &mut self.running {
            running.inhibitor.remove_source(number, &slot.roles);
        }
        if self.options.alerts_per_name_max.is_some() {
            self.alerts.release(slot.alert.name());
        }
    }

    // --- configuration ---

    fn apply_config(&mut self, now: Timestamp, config: Arc<Config>) {
        if let Some(cluster) = &mut self.cluster {
            cluster.runs(config.hash.short());
        }
        let routes = Routes::new(&config);
        let inhibitor = Inhibitor::new(&config.inhibit_rules);
        let receivers = routes.iter().map(|(_, node)| Arc::from([node.route.receiver.clone()])).collect();
        match self.running.replace(Running { config, routes, inhibitor, receivers, tokens: BTreeMap::new() }) {
            Some(old) => self.carry_groups_over(&old.routes),
            None => self.go_on_firing(),
        }
        // inhibition is primed before anything can flush
        for number in self.alerts.numbers() {
            self.classify(number);
        }
        self.regroup(now);
        self.forget_last_life();
    }

    // --- silences ---

    fn set_silence(&mut self, now: Timestamp, draft: SilenceDraft) -> Result<Changed, SilenceError> {
        let limits = SilenceLimits { count_max: self.options.silences_max, bytes_max: self.options.silence_bytes_max };
        let rng = &mut self.rng;
        self.silences.set(now, draft, limits, self.options.retention, || new_silence_id(rng))
    }

    fn silence_changed(&mut self, now: Timestamp, ticket: u64, changed: Result<Changed, SilenceError>) {
        match changed {
            Ok(changed) => {
                if !changed.versions.is_empty() {
                    self.tell_of_silences(&changed);
                    changed.versions.iter().for_each(|version| self.keep_silence(version));
                    self.publish(now, &changed.versions, &[]);
                }
                // even when nothing changed: what did before may still be on its way to the disk
                self.answer_when_durable(ticket, Answer::Silence(changed.id));
            }
            Err(error) => self.answer(ticket, Answer::Refused(error)),
        }
    }

    /// A silence that replaces another ends that one, too.
    fn tell_of_silences(&mut self, changed: &Changed) {
        for silence in &changed.versions {
            let what = if silence.id == changed.id { changed.what } else { "expired" };
            self.event(Event::SilenceChanged { silence: silence.clone(), what });
            match what {
                "created" => self.record(|_| Record::SilenceCreated(silence.clone())),
                "updated" => self.record(|_| Record::SilenceUpdated(silence.clone())),
                _ => {}
            }
        }
    }

    // --- maintenance and end ---

    fn maintain(&mut self, now: Timestamp) {
        self.nflog.forget_expired(now);
        self.silences.forget_expired(now);
        self.snapshot(now);
    }

    /// Begins to end: what is being sent is finished, what waits is left to the peers.
    fn stop(&mut self, now: Timestamp) {
        if self.stopping.is_none() {
            self.stopping = Some(Stopping { since: now, sent: None, done: false, next_check: now });
            self.drop_waiting_deliveries();
            self.with_cluster(now, |cluster, io| cluster.tell_all(now, io));
        }
    }

    fn check_stopped(&mut self, now: Timestamp) {
        let Some(stopping) = &mut self.stopping else { return };
        if stopping.done {
            return;
        }
        let sending = !self.deliveries.is_empty() && now.since(stopping.since) < FINISH_MAX;
        let sent = (!sending).then(|| *stopping.sent.get_or_insert(now));
        // what was sent last is to be told, however long that took
        let telling = sent.is_some_and(|sent| now.since(sent) < HANDOVER_MAX);
        if sending || (telling && self.cluster.as_ref().is_some_and(|c| !c.all_delivered())) {
            // come back: receivers and peers may never answer
            stopping.next_check = now + Duration::from_millis(500);
            return;
        }
        stopping.done = true;
        self.with_cluster(now, |cluster, io| cluster.leave(now, io));
        self.maintain(now);
        self.outputs.push_back(Output::Stopped);
    }

    fn stages<'a>(running: &'a Running, silences: &'a Silences) -> Stages<'a> {
        Stages { config: &running.config, inhibitor: &running.inhibitor, silences }
    }
}

/// Never 0.
fn author(member: &ClusterOptions) -> u64 {
    xxhash_rust::xxh64::xxh64(member.name.as_bytes(), member.incarnation).max(1)
}

/// A UUID of version 4 out of the engine's own randomness, so that a run can be repeated.
fn new_silence_id(rng: &mut StdRng) -> SilenceId {
    let bits: u128 = rng.random();
    let bits = (bits & !(0xf << 76) & !(0b11 << 62)) | (4 << 76) | (0b10 << 62);
    let hex = format!("{bits:032x}");
    let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
    SilenceId(parts.join("-").into())
}

#[cfg(test)]
mod tests;
