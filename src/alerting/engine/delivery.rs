//! Requests of a flush that are delivered, tried again, or given up.
//!
//! The rule that everything here serves: before every attempt the group is looked at as it is *now* and compared with
//! the log as it is *now*. A picture taken before a wait is never sent.

use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;

use super::due::Picture;
use super::labels::sorted_for_print;
use super::{Engine, Running};
use crate::alert::Alert;
use crate::cluster::{self, Topic};
use crate::config::{Integration, Secret};
use crate::effects::{DeliveryId, Event, Output};
use crate::ledger::{Line, Outcome};
use crate::nflog::{Entry, LogKey, Origin, ReceiverData, SendReason};
use crate::notify::{self, Data, Files, Notification, Step, Then, Verdict};
use crate::pipeline::Passed;
use crate::route::RouteIndex;
use crate::time::Timestamp;
use crate::timer::Due;

/// Wait after the first failed attempt, its growth, and its bound.
const BACKOFF_FIRST: Duration = Duration::from_millis(500);
const BACKOFF_GROWTH: f64 = 1.5;
const BACKOFF_MAX: Duration = Duration::from_secs(60);

/// So often an integration may refuse before another member tries, too: something between may refuse only this one.
const ATTEMPTS_ALONE: u32 = 2;

/// Who waits longer than that before its next attempt holds nobody up.
const HOLD_MAX: Duration = Duration::from_secs(5);

/// One flush of a group on its way to one integration.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) group: u32,
    /// Among the receiver's integrations.
    pub(super) integration: usize,
    pub(super) key: LogKey,
    /// What peers know it by.
    pub(super) topic: Topic,
    /// The peers have been told that it is being sent.
    pub(super) claimed: bool,
    /// No attempt before, after one that failed.
    pub(super) not_before: Timestamp,
    pub(super) phase: Phase,
    attempts: u32,
    pub(super) tick: Timestamp,
    pub(super) deadline: Timestamp,
    /// Log hashes of what fired at the tick; kept only while it waits for its turn.
    pub(super) fired_then: Vec<u64>,
    attempted_at: Timestamp,
    last_failure: Option<(&'static str, String)>,
    /// Of the last attempt, which failed so that the receiver may have taken it nevertheless.
    pub(super) unconfirmed: Option<Sent>,
    /// What was read for the next attempt.
    files: Option<Box<Files>>,
    /// How the response to the request under way is read.
    then: Option<Then>,
}

#[derive(Debug)]
pub(super) enum Phase {
    /// For its position among the members.
    Waiting(Timestamp),
    /// For the files that the integration takes.
    Reading,
    /// A request is under way.
    Sending(Sent),
    /// For the next attempt.
    Backoff(Timestamp),
}

/// What the request under way says.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) at: Timestamp,
    pub(super) reason: SendReason,
    pub(super) firing: Vec<u64>,
    pub(super) resolved: Vec<u64>,
    /// What is in the request.
    pub(super) alerts: Vec<Arc<Alert>>,
    /// Log hashes of what was silenced or inhibited; only for the event recorder.
    pub(super) muted: Vec<u64>,
    /// What the integration found, and leaves behind.
    receiver_data: ReceiverData,
    /// What was known when it was made.
    pub(super) origin: Origin,
}

impl Delivery {
    /// Waits from a flush at `tick` until `until`.
    pub(super) fn new(group: u32, integration: usize, key: LogKey, tick: Timestamp, until: Timestamp) -> Self {
        Self {
            group,
            integration,
            topic: cluster::topic(&key),
            key,
            claimed: false,
            not_before: tick,
            phase: Phase::Waiting(until),
            attempts: 0,
            tick,
            deadline: until,
            fired_then: Vec::new(),
            attempted_at: tick,
            last_failure: None,
            unconfirmed: None,
            files: None,
            then: None,
        }
    }

    /// How many attempts were made, and what was wrong with the last one.
    pub(super) fn failures(&self) -> (u32, String) {
        (self.attempts, self.last_failure.as_ref().map(|(_, error)| error.clone()).unwrap_or_default())
    }
}

impl Engine {
    pub(super) fn attempt(&mut self, now: Timestamp, id: DeliveryId) {
        let Some(delivery) = self.deliveries.get(&id) else { return };
        match delivery.phase {
            Phase::Waiting(until) | Phase::Backoff(until) if until <= now => {}
            Phase::Reading if delivery.files.is_some() => {}
            Phase::Waiting(_) | Phase::Backoff(_) | Phase::Reading | Phase::Sending(_) => return,
        }
        if self.not_yet(now, id) || self.hold(now, id) {
            return;
        }
        let Some(delivery) = self.deliveries.get(&id) else { return };
        let (group, integration, tick) = (delivery.group, delivery.integration, delivery.tick);
        let key = delivery.key.clone();
        let Some(passed) = self.run_stages(now, group) else { return self.finish(now, id, true) };
        let due = self.due_now(now, group, integration, &key, tick, &passed);
        let Some((reason, picture)) = due.or_else(|| self.due_to_correct(now, id, &passed)) else {
            return self.finish(now, id, true);
        };
        let unheard = picture.firing.is_empty() && self.has_unheard(now, group, &key);
        if unheard || self.superseded(id, tick, &picture) {
            return self.finish(now, id, false);
        }
        if !self.announce(now, id) {
            self.send(now, id, reason, picture, &passed);
        }
    }

    /// Sends a group as it is now.
    pub(super) fn send(
        &mut self,
        now: Timestamp,
        id: DeliveryId,
        reason: SendReason,
        picture: Picture,
        passed: &Passed,
    ) {
        let Some(delivery) = self.deliveries.get(&id) else { return };
        let (group, integration, key) = (delivery.group, delivery.integration, delivery.key.clone());
        let Some(labels) = self.route_labels(now, group) else { return };
        self.report_labels(group, &labels);
        let Some(running) = &self.running else { return };
        let Some(of_group) = self.groups.get(group) else { return };
        let node = running.routes.node(of_group.route);
        let receiver = &running.config.receivers[node.receiver];
        let Some(to) = receiver.integrations.get(integration) else { return self.finish(now, id, false) };
        // a member whose clock is ahead may have sent before: what is newer must look newer
        let known = self.nflog.get(&key);
        let at = known.map_or(now, |entry| now.max(entry.timestamp + Duration::from_nanos(1)));
        let mut sent = Sent {
            at,
            reason,
            firing: picture.firing_hashes,
            resolved: picture.resolved_hashes,
            alerts: Vec::new(),
            muted: Vec::new(),
            receiver_data: ReceiverData::default(),
            origin: Origin::after(self.author, at, known.map(Arc::as_ref)),
        };
        // a new incident begins with nothing
        if reason != SendReason::FirstNotification
            && let Some(entry) = self.nflog.get(&key)
        {
            sent.receiver_data = entry.receiver_data.clone();
        }
        if self.options.record_events {
            let muted = passed.held.inhibited.iter().chain(&passed.held.silenced);
            sent.muted = muted.filter_map(|n| self.alerts.get(*n).map(|slot| slot.alert.log_hash)).collect();
        }
        if !to.send_resolved && sent.firing.is_empty() {
            // nothing to say, but the log is kept (reference behaviour)
            self.stats.integration(to.kind, &receiver.name).notifications += 1;
            self.write_down(now, id, sent);
            return self.finish(now, id, true);
        }
        let paths = notify::files(&to.settings);
        let paths: Vec<String> = paths.into_iter().map(str::to_owned).collect();
        self.claim(now, id);
        let Some((running, of_group)) = self.running.as_ref().zip(self.groups.get(group)) else { return };
        let node = running.routes.node(of_group.route);
        let receiver = &running.config.receivers[node.receiver];
        let Some(to) = receiver.integrations.get(integration) else { return };
        let files = self.deliveries.get(&id).and_then(|delivery| delivery.files.as_deref());
        if !paths.is_empty() && files.is_none() {
            return self.read_files(now, id, paths);
        }
        let mut alerts = picture.firing;
        if to.send_resolved {
            alerts.extend(picture.resolved);
        }
        let alerts = sorted_for_print(&alerts);
        let name = name_of(&receiver.name, to);
        let data = Data {
            now,
            receiver: receiver.name.clone(),
            reason,
            group_labels: of_group.labels.clone(),
            route_labels: labels.labels,
            group_key: of_group.key.clone(),
            external_url: self.options.external_url.clone(),
            alerts,
        };
        let no_files = Files::new();
        let notification = Notification {
            data: &data,
            templates: &running.config.template_set,
            integration: &name,
            stored: &sent.receiver_data,
            token: running.token(now, &name),
            files: files.unwrap_or(&no_files),
        };
        let step = notify::request(&to.settings, &notification);
        let own_timeout = notify::timeout(&to.settings);
        if self.time_is_over(now, id) {
            return;
        }
        self.count_attempt(now, id);
        let Some(delivery) = self.deliveries.get_mut(&id) else { return };
        sent.alerts = data.alerts;
        delivery.phase = Phase::Sending(sent);
        delivery.files = None;
        let Step { request, then } = match step {
            Ok(step) => step,
            Err(error) => {
                self.count_failure(id);
                return self.give_up(now, id, error.reason(), error.text(), true);
            }
        };
        let rest = delivery.deadline.since(now);
        delivery.then = Some(then);
        let timeout = own_timeout.map_or(rest, |own| own.min(rest));
        self.outputs.push_back(Output::Deliver { id, request, timeout });
    }

    /// Has the files read that the integration takes; they are read anew for each attempt.
    fn read_files(&mut self, now: Timestamp, id: DeliveryId, paths: Vec<String>) {
        if self.time_is_over(now, id) {
            return;
        }
        let Some(delivery) = self.deliveries.get_mut(&id) else { return };
        delivery.phase = Phase::Reading;
        let timeout = delivery.deadline.since(now);
        self.outputs.push_back(Output::ReadFiles { id, paths, timeout });
    }

    /// What became of the reading of files.
    pub(super) fn files_read(&mut self, now: Timestamp, id: DeliveryId, result: Result<Files, String>) {
        let Some(delivery) = self.deliveries.get_mut(&id) else { return };
        if !matches!(delivery.phase, Phase::Reading) {
            return;
        }
        match result {
            Ok(files) => {
                delivery.files = Some(Box::new(files));
                // time has passed: what is sent is the group as it is now
                self.attempt(now, id);
            }
            Err(error) => {
                self.count_attempt(now, id);
                self.count_failure(id);
                // such a file may be about to be replaced
                self.try_again(now, id, None, "other", error);
            }
        }
    }

    /// Gives up if there is no time left for an attempt.
    fn time_is_over(&mut self, now: Timestamp, id: DeliveryId) -> bool {
        let Some(delivery) = self.deliveries.get(&id) else { return true };
        if now < delivery.deadline {
            return false;
        }
        // what went wrong last says more than that the time is over
        let over = || ("contextDeadlineExceeded", "the time for it is over".to_owned());
        let (reason, error) = delivery.last_failure.clone().unwrap_or_else(over);
        self.give_up(now, id, reason, error, false);
        true
    }

    fn count_attempt(&mut self, now: Timestamp, id: DeliveryId) {
        let Some(delivery) = self.deliveries.get(&id) else { return };
        let kind = self.kind_of(delivery);
        let stats = self.stats.integration(kind, &delivery.key.receiver);
        stats.notifications += u64::from(delivery.attempts == 0);
        stats.requests += 1;
        let Some(delivery) = self.deliveries.get_mut(&id) else { return };
        delivery.attempts += 1;
        delivery.attempted_at = now;
    }

    fn count_failure(&mut self, id: DeliveryId) {
        let Some(delivery) = self.deliveries.get(&id) else { return };
        let kind = self.kind_of(delivery);
        self.stats.integration(kind, &delivery.key.receiver).requests_failed += 1;
    }

    /// What became of a request.
    pub(super) fn delivered(
        &mut self,
        now: Timestamp,
        id: DeliveryId,
        result: Result<notify::Response, notify::TransportError>,
    ) {
        let Some(delivery) = self.deliveries.get_mut(&id) else { return };
        let Phase::Sending(sent) = &delivery.phase else { return };
        let (mut sent, then) = (sent.clone(), delivery.then.take().unwrap_or(Then::Status));
        let unreached = result.is_err();
        let status = result.as_ref().map_or(0, |response| response.status);
        let verdict = match result {
            Ok(response) => then.verdict(&response),
            Err(error) => {
                let reason = if error.timed_out { "contextDeadlineExceeded" } else { "other" };
                Verdict::Retry { after: None, reason, error: error.message }
            }
        };
        let name = self.deliveries.get(&id).and_then(|delivery| self.name_of(delivery));
        let tokens = self.running.as_mut().map(|running| &mut running.tokens).zip(name);
        let verdict = match verdict {
            Verdict::Learned { token, step } => {
                tokens.map(|(tokens, name)| tokens.insert(name, (now, token)));
                Verdict::Next(step)
            }
            Verdict::Expired { error } => {
                tokens.map(|(tokens, name)| tokens.remove(&name));
                Verdict::Retry { after: None, reason: "other", error }
            }
            verdict => verdict,
        };
        let verdict = match verdict {
            Verdict::Next(step) => match self.go_on(now, id, *step) {
                Some(verdict) => verdict,
                None => return,
            },
            verdict => verdict,
        };
        let Some(delivery) = self.deliveries.get(&id) else { return };
        let (kind, delivery_attempts) = (self.kind_of(delivery), delivery.attempts);
        let took = now.since(delivery.attempted_at);
        self.stats.integration(kind, &delivery.key.receiver).latency(took);
        match verdict {
            Verdict::Next(_) | Verdict::Learned { .. } | Verdict::Expired { .. } => {}
            Verdict::Done { keep } => {
                for (name, value) in keep {
                    sent.receiver_data.set_text(name, value);
                }
                let (key, group, attempts) = (delivery.key.clone(), delivery.group, delivery.attempts);
                let topic = delivery.topic;
                self.record_notification(group, &key, kind, &sent);
                let (reason, told) = (sent.reason, (sent.firing.len(), sent.resolved.len()));
                let outcome = Outcome::Accepted { reason, told, attempts, took, status };
                self.ledger.write(topic, Line { at: sent.at, outcome });
                let event = Event::Notified { key, reason: sent.reason, alerts: sent.alerts.clone(), attempts, took };
                self.event(event);
                self.write_down(now, id, sent);
                self.finish(now, id, true);
            }
            Verdict::Retry { after, reason, error } => {
                self.count_failure(id);
                // one that says when to ask again means all members
                if unreached || (after.is_none() && delivery_attempts >= ATTEMPTS_ALONE) {
                    self.pass_on(id);
                }
                self.try_again(now, id, after, reason, error);
            }
            Verdict::GiveUp { reason, error } => {
                self.count_failure(id);
                self.give_up(now, id, reason, error, true);
            }
        }
    }

    /// Sends the next request of an attempt; what it comes to if its time is over.
    fn go_on(&mut self, now: Timestamp, id: DeliveryId, step: Step) -> Option<Verdict> {
        let delivery = self.deliveries.get(&id)?;
        let route = self.groups.get(delivery.group).map(|group| group.route);
        let integrations = self.running.as_ref().zip(route).map(|(running, route)| running.integrations_of(route));
        let integration = integrations.and_then(|all| all.get(delivery.integration));
        let rest = delivery.deadline.since(now);
        let own = integration.and_then(|i| notify::timeout(&i.settings));
        let timeout = own.map_or(rest, |own| own.saturating_sub(now.since(delivery.attempted_at)).min(rest));
        if timeout.is_zero() {
            let error = "the time for an attempt was over before its last request".to_owned();
            return Some(Verdict::Retry { after: None, reason: "contextDeadlineExceeded", error });
        }
        self.deliveries.get_mut(&id)?.then = Some(step.then);
        self.outputs.push_back(Output::Deliver { id, request: step.request, timeout });
        None
    }

    fn try_again(
        &mut self,
        now: Timestamp,
        id: DeliveryId,
        after: Option<Duration>,
        reason: &'static str,
        error: String,
    ) {
        let jitter: f64 = self.rng.random_range(0.5..1.5);
        let stopping = self.stopping.is_some();
        let Some(delivery) = self.deliveries.get_mut(&id) else { return };
        let exponent = i32::try_from(delivery.attempts.saturating_sub(1)).unwrap_or(i32::MAX).min(30);
        let backoff = BACKOFF_FIRST.mul_f64(BACKOFF_GROWTH.powi(exponent) * jitter).min(BACKOFF_MAX);
        let until = now + backoff.max(after.unwrap_or_default());
        if stopping || until >= delivery.deadline {
            // there may be time left for another one
            self.pass_on(id);
            return self.give_up(now, id, reason, error, false);
        }
        delivery.not_before = until;
        if until > now + HOLD_MAX {
            self.release(id);
        }
        let Some(delivery) = self.deliveries.get_mut(&id) else { return };
        if let Phase::Sending(sent) = std::mem::replace(&mut delivery.phase, Phase::Backoff(until)) {
            delivery.unconfirmed = Some(sent);
        }
        let again = delivery.last_failure.as_ref().is_some_and(|(_, last)| *last == error);
        delivery.last_failure = Some((reason, error.clone()));
        let event = Event::AttemptFailed { key: delivery.key.clone(), attempt: delivery.attempts, error, again };
        self.timers.set(until, Due::Attempt(id));
        self.event(event);
    }

    fn give_up(&mut self, now: Timestamp, id: DeliveryId, reason: &'static str, error: String, permanent: bool) {
        let Some(delivery) = self.deliveries.get(&id) else { return };
        let kind = self.kind_of(delivery);
        let (key, attempts) = (delivery.key.clone(), delivery.attempts);
        let alerts = self.groups.get(delivery.group).map_or(0, |group| group.alerts.len());
        let outcome = Outcome::GaveUp { attempts, error: error.clone() };
        self.ledger.write(delivery.topic, Line { at: now, outcome });
        let event = Event::NotifyFailed { key, attempts, alerts, permanent, reason, error };
        self.stats.integration(kind, &delivery.key.receiver).fail(reason);
        self.event(event);
        self.finish(now, id, false);
    }

    /// Writes down what was sent, and tells the peers.
    pub(super) fn write_down(&mut self, now: Timestamp, id: DeliveryId, sent: Sent) {
        let Some(running) = &self.running else { return };
        let Some(delivery) = self.deliveries.get(&id) else { return };
        let Some(route) = self.groups.get(delivery.group).map(|g| g.route) else { return };
        let of_route = &running.routes.node(route).route;
        // an entry that is forgotten between two flushes would make a resolve look like news of an unknown alert
        let remembered = of_route.repeat_interval.max(of_route.group_interval) * 2;
        let key = delivery.key.clone();
        if let Some(other) = self.nflog.get(&key)
            && other.timestamp > delivery.tick
            && other.firing == sent.firing
        {
            self.stats.duplicates_seen += 1;
        }
        let entry = Arc::new(Entry {
            // the moment whose state was sent, not the one of the receiver's answer
            timestamp: sent.at,
            expires_at: sent.at + self.options.retention.min(remembered),
            firing: sent.firing,
            resolved: sent.resolved,
            receiver_data: sent.receiver_data,
            origin: sent.origin,
            stored: None,
        });
        let (group, first_try) = (delivery.group, delivery.attempts <= 1);
        let next = entry.timestamp + of_route.group_interval;
        if self.nflog.merge(now, key.clone(), entry)
            && let Some(entry) = self.nflog.get(&key).cloned()
        {
            self.is_told(group, &entry);
            self.keep_entry(&key, &entry);
            self.publish(now, &[], &[(key, entry)]);
        }
        if first_try {
            self.align(now, group, next);
        }
    }

    pub(super) fn finish(&mut self, now: Timestamp, id: DeliveryId, good: bool) {
        let Some(delivery) = self.deliveries.remove(&id) else { return };
        self.let_go(&delivery, good);
        let Some(flush) = self.groups.get_mut(delivery.group).and_then(|g| g.flush.as_mut()) else { return };
        flush.deliveries.retain(|d| *d != id);
        flush.failed |= !good;
        if flush.deliveries.is_empty() {
            self.end_flush(now, delivery.group);
        }
    }

    pub(super) fn cancel(&mut self, id: DeliveryId) {
        if let Some(delivery) = self.deliveries.remove(&id) {
            self.let_go(&delivery, false);
            if matches!(delivery.phase, Phase::Sending(_) | Phase::Reading) {
                self.outputs.push_back(Output::Cancel(id));
            }
        }
    }

    fn name_of(&self, delivery: &Delivery) -> Option<Arc<str>> {
        let (running, group) = (self.running.as_ref()?, self.groups.get(delivery.group)?);
        let to = running.integrations_of(group.route).get(delivery.integration)?;
        Some(name_of(&delivery.key.receiver, to))
    }

    fn kind_of(&self, delivery: &Delivery) -> &'static str {
        let route = self.groups.get(delivery.group).map(|g| g.route);
        let running = self.running.as_ref().zip(route);
        let integration = running.and_then(|(r, route)| r.integrations_of(route).get(delivery.integration));
        integration.map_or("webhook", |i| i.kind)
    }

    /// A stopping member leaves what it has not begun to send to its peers.
    pub(super) fn drop_waiting_deliveries(&mut self) {
        let ids: Vec<DeliveryId> = self.deliveries.keys().copied().collect();
        for id in ids {
            if self.deliveries.get(&id).is_some_and(|d| !matches!(d.phase, Phase::Sending(_))) {
                self.pass_on(id);
                self.cancel(id);
            }
        }
    }
}

/// For log and metrics, e.g. `team-x/webhook[0]`.
fn name_of(receiver: &str, to: &Integration) -> Arc<str> {
    format!("{receiver}/{}[{}]", to.kind, to.index).into()
}

impl Running {
    /// What an integration has learned, unless it's too old.
    fn token(&self, now: Timestamp, integration: &str) -> Option<&Secret> {
        let (learned, token) = self.tokens.get(integration)?;
        Some(token).filter(|_| now.since(*learned) <= notify::TOKEN_LIFE)
    }

    /// Names of the receivers that these routes lead to, in the order of the routes.
    pub(super) fn receivers_of(&self, routes: &[RouteIndex]) -> Arc<[Arc<str>]> {
        match routes {
            [route] => self.receivers[*route as usize].clone(),
            routes => routes.iter().map(|route| self.routes.node(*route).route.receiver.clone()).collect(),
        }
    }

    /// The integrations of the receiver that a route leads to.
    pub(super) fn integrations_of(&self, route: RouteIndex) -> &[Integration] {
        &self.config.receivers[self.routes.node(route).receiver].integrations
    }
}
