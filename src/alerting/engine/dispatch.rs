//! From groups that fall due to requests that are delivered, tried again, or given up.
//!
//! The rule that everything here serves: before every attempt the group is looked at as it is *now* and compared with
//! the log as it is *now*. A picture taken before a wait is never sent.

use std::cmp::Ordering;
use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;
use smallvec::SmallVec;

use super::{Engine, Running};
use crate::alert::Alert;
use crate::config::{Integration, Route, Secret};
use crate::effects::{DeliveryId, Event, Output};
use crate::group::Flush;
use crate::label::LabelSet;
use crate::nflog::{self, Entry, LogKey, ReceiverData, SendReason};
use crate::notify::{self, Data, Files, Notification, Step, Then, Verdict};
use crate::pipeline::Passed;
use crate::route::RouteIndex;
use crate::time::Timestamp;
use crate::timer::Due;

/// A flush has at least so long to deliver, however short the group interval is.
const DELIVERY_MIN: Duration = Duration::from_secs(10);

/// A peer's "resolved" outweighs an older "firing" of ours for so long; a sender that means it repeats itself.
const STALE_FIRING: Duration = Duration::from_secs(300);

/// Between a later member's turn and a flush of the first.
const TURN_CLEARANCE: Duration = Duration::from_secs(2);

/// Wait after the first failed attempt, its growth, and its bound.
const BACKOFF_FIRST: Duration = Duration::from_millis(500);
const BACKOFF_GROWTH: f64 = 1.5;
const BACKOFF_MAX: Duration = Duration::from_secs(60);

/// One flush of a group on its way to one integration.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) group: u32,
    /// Among the receiver's integrations.
    pub(super) integration: usize,
    pub(super) key: LogKey,
    phase: Phase,
    attempts: u32,
    tick: Timestamp,
    deadline: Timestamp,
    /// Log hashes of what fired at the tick; kept only while it waits for its turn.
    fired_then: Vec<u64>,
    attempted_at: Timestamp,
    last_failure: Option<(&'static str, String)>,
    /// Of the last attempt, which failed so that the receiver may have taken it nevertheless.
    unconfirmed: Option<Sent>,
    /// What was read for the next attempt.
    files: Option<Box<Files>>,
    /// How the response to the request under way is read.
    then: Option<Then>,
}

#[derive(Debug)]
enum Phase {
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
}

/// A group as it may be notified now.
struct Picture {
    firing: Vec<Arc<Alert>>,
    resolved: Vec<Arc<Alert>>,
    firing_hashes: Vec<u64>,
    resolved_hashes: Vec<u64>,
}

impl Engine {
    // --- flushes ---

    pub(super) fn flush_due(&mut self, now: Timestamp, number: u32) {
        if self.stopping.is_some() {
            return;
        }
        let settled = self.settled;
        let Some(group) = self.groups.get_mut(number) else { return };
        if group.next_flush > now {
            return;
        }
        if group.flush.is_some() {
            // a slow receiver delays the next flush, it doesn't drop it
            group.due = true;
            self.rearm(now, number);
        } else if settled {
            self.start_flush(now, number);
        } else {
            group.due = true;
        }
    }

    /// Flushes what fell due while this member had not settled yet.
    fn flush_held(&mut self, now: Timestamp) {
        for number in self.groups.numbers() {
            if self.groups.get(number).is_some_and(|g| g.due && g.flush.is_none()) {
                self.start_flush(now, number);
            }
        }
    }

    fn rearm(&mut self, now: Timestamp, number: u32) {
        let Some(running) = &self.running else { return };
        let Some(group) = self.groups.get_mut(number) else { return };
        let next = now + running.routes.node(group.route).route.group_interval;
        self.timers.cancel(group.next_flush, Due::Flush(number));
        group.next_flush = next;
        self.timers.set(next, Due::Flush(number));
    }

    fn start_flush(&mut self, now: Timestamp, number: u32) {
        self.rearm(now, number);
        self.stats.flushes += 1;
        let Some(passed) = self.run_stages(now, number) else { return };
        let Some(group) = self.groups.get_mut(number) else { return };
        group.due = false;
        let held = &passed.held;
        self.stats.suppressed_inhibition += held.inhibited.len() as u64;
        self.stats.suppressed_active_interval += held.outside_active;
        self.stats.suppressed_mute_interval += held.in_mute;
        self.stats.suppressed_silence += held.silenced.len() as u64;
        group.muted_by = held.intervals.clone();
        group.processed = group.alerts.len();
        group.flushes += 1;
        let resolved = group.alerts.iter().filter_map(|n| {
            let alert = &self.alerts.get(*n)?.alert;
            alert.resolved_at(now).then_some((*n, alert.updated_at))
        });
        let resolved = resolved.collect();
        group.flush = Some(Box::new(Flush { tick: now, resolved, deliveries: Default::default(), failed: false }));
        self.record_muted(now, &passed.held);
        if passed.firing.is_empty() && passed.resolved.is_empty() {
            self.report_flush(number, &passed, Vec::new());
            self.end_flush(now, number);
            return;
        }
        let Some(running) = &self.running else { return };
        let Some(group) = self.groups.get(number) else { return };
        let node = running.routes.node(group.route);
        let receiver = &running.config.receivers[node.receiver];
        let keys: Vec<LogKey> = receiver.integrations.iter().map(|i| log_key(&group.key, &receiver.name, i)).collect();
        let limit = node.route.group_interval.max(DELIVERY_MIN);
        let wait = self.wait_for_turn(&node.route);
        let kinds: Vec<&'static str> = receiver.integrations.iter().map(|i| i.kind).collect();
        let (mut begun, mut reasons, mut unheard) = (Vec::new(), Vec::new(), false);
        for (integration, key) in keys.into_iter().enumerate() {
            self.stats.nflog_queries += 1;
            self.stats.nflog_misses += u64::from(self.nflog.get(&key).is_none());
            let Some((reason, picture)) = self.due_now(now, number, integration, &key, now, &passed) else { continue };
            if picture.firing.is_empty() && self.has_unheard(now, number, &key) {
                unheard = true;
                continue;
            }
            let id = self.next_delivery;
            self.next_delivery += 1;
            let delivery = Delivery {
                group: number,
                integration,
                key,
                phase: Phase::Waiting(now + wait),
                attempts: 0,
                tick: now,
                deadline: now + limit + wait,
                fired_then: if wait.is_zero() { Vec::new() } else { picture.firing_hashes.clone() },
                attempted_at: now,
                last_failure: None,
                unconfirmed: None,
                files: None,
                then: None,
            };
            self.deliveries.insert(id, delivery);
            begun.push((id, reason, picture));
            reasons.push((id, kinds[integration], reason));
        }
        if let Some(flush) = self.groups.get_mut(number).and_then(|g| g.flush.as_mut()) {
            flush.deliveries.extend(begun.iter().map(|(id, ..)| *id));
            flush.failed |= unheard;
        }
        self.report_flush(number, &passed, reasons);
        if begun.is_empty() {
            self.end_flush(now, number);
            return;
        }
        for (id, reason, picture) in begun {
            if wait.is_zero() {
                self.send(now, id, reason, picture, &passed);
            } else {
                self.timers.set(now + wait, Due::Attempt(id));
            }
        }
    }

    fn run_stages(&mut self, now: Timestamp, number: u32) -> Option<Passed> {
        let running = self.running.as_ref()?;
        let group = self.groups.get(number)?;
        let stages = Self::stages(running, &self.silences);
        let passed = stages.run(&mut self.alerts, &group.alerts, &running.routes.node(group.route).route, now);
        self.stats.silences_scanned += passed.held.scanned;
        Some(passed)
    }

    fn wait_for_turn(&self, route: &Route) -> Duration {
        self.cluster.as_ref().map_or(Duration::ZERO, |c| turn(c.peer_timeout() * c.position(), route))
    }

    /// All integrations are done: resolved alerts that were part of it leave the group.
    pub(super) fn end_flush(&mut self, now: Timestamp, number: u32) {
        let Some(group) = self.groups.get_mut(number) else { return };
        if let Some(flush) = group.flush.take()
            && !flush.failed
            && !flush.resolved.is_empty()
        {
            self.record_resolved(number, &flush.resolved);
            let mut gone: Vec<u32> = Vec::new();
            for (alert, updated_at) in flush.resolved {
                let Some(slot) = self.alerts.get_mut(alert) else { continue };
                if slot.alert.updated_at == updated_at && slot.alert.resolved_at(now) {
                    slot.groups.retain(|g| *g != number);
                    gone.push(alert);
                }
            }
            for alert in &gone {
                let left = self.alerts.get(*alert).filter(|slot| slot.groups.is_empty());
                if let Some(fingerprint) = left.map(|slot| slot.alert.fingerprint) {
                    self.keep_gone(now, fingerprint);
                }
            }
            gone.sort_unstable();
            let Some(group) = self.groups.get_mut(number) else { return };
            group.retain(|alert| gone.binary_search(&alert).is_err());
        }
        if self.remove_group_if_empty(number) {
            return;
        }
        if self.groups.get(number).is_some_and(|g| g.due) && self.settled && self.stopping.is_none() {
            self.start_flush(now, number);
        }
    }

    // --- deliveries ---

    /// Whether the group is worth a notification now, and the picture to send.
    fn due_now(
        &self,
        now: Timestamp,
        group: u32,
        integration: usize,
        key: &LogKey,
        tick: Timestamp,
        passed: &Passed,
    ) -> Option<(SendReason, Picture)> {
        self.due_after(now, group, integration, self.nflog.get(key).map(Arc::as_ref), tick, passed)
    }

    fn due_after(
        &self,
        now: Timestamp,
        group: u32,
        integration: usize,
        entry: Option<&Entry>,
        tick: Timestamp,
        passed: &Passed,
    ) -> Option<(SendReason, Picture)> {
        if passed.firing.is_empty() && passed.resolved.is_empty() {
            // held back is not resolved
            return None;
        }
        let running = self.running.as_ref()?;
        let route = &running.routes.node(self.groups.get(group)?.route).route;
        let integration = running.integrations_of(self.groups.get(group)?.route).get(integration)?;
        let picture = self.picture(now, passed, entry);
        let (firing, resolved) = (&picture.firing_hashes, &picture.resolved_hashes);
        let reason = nflog::due(entry, firing, resolved, integration.send_resolved, route.repeat_interval, tick)?;
        Some((reason, picture))
    }

    /// Whether the log knows firing alerts of the group that this member has not heard of since it started, so recently
    /// that it may still: "all resolved" must wait until then.
    fn has_unheard(&self, now: Timestamp, group: u32, key: &LogKey) -> bool {
        let Some((running, group)) = self.running.as_ref().zip(self.groups.get(group)) else { return false };
        let Some(entry) = self.nflog.get(key) else { return false };
        if now >= self.started_at + running.config.resolve_timeout {
            return false;
        }
        let heard = group.alerts.iter().filter_map(|n| self.alerts.get(*n)).map(|slot| slot.alert.log_hash);
        let heard: SmallVec<[u64; 8]> = heard.collect();
        entry.firing.iter().any(|hash| !heard.contains(hash))
    }

    /// Whether the group is worth a notification to a receiver that has taken the last attempt without saying so. If it
    /// told of an incident that is over by now, or the other way round, the receiver must not be left with that.
    fn due_to_correct(&self, now: Timestamp, id: DeliveryId, passed: &Passed) -> Option<(SendReason, Picture)> {
        let delivery = self.deliveries.get(&id)?;
        let sent = delivery.unconfirmed.as_ref()?;
        if self.nflog.get(&delivery.key).is_some_and(|entry| entry.timestamp > sent.at) {
            // a peer has told since
            return None;
        }
        let entry = Entry {
            timestamp: sent.at,
            expires_at: Timestamp::MAX,
            firing: sent.firing.clone(),
            resolved: sent.resolved.clone(),
            receiver_data: ReceiverData::default(),
            stored: None,
        };
        self.due_after(now, delivery.group, delivery.integration, Some(&entry), delivery.tick, passed)
    }

    /// Whether a turn that was waited for is only due because of alerts that came during the wait: those are for the
    /// next flush, when the first in position will tell of them.
    fn superseded(&self, id: DeliveryId, tick: Timestamp, picture: &Picture) -> bool {
        let Some(delivery) = self.deliveries.get(&id) else { return false };
        let Some(running) = &self.running else { return false };
        let Some(group) = self.groups.get(delivery.group) else { return false };
        if !matches!(delivery.phase, Phase::Waiting(until) if until > tick) {
            return false;
        }
        let Some(to) = running.integrations_of(group.route).get(delivery.integration) else { return false };
        let mut firing = picture.firing_hashes.clone();
        firing.retain(|hash| delivery.fired_then.binary_search(hash).is_ok());
        let entry = self.nflog.get(&delivery.key).map(Arc::as_ref);
        let repeat = running.routes.node(group.route).route.repeat_interval;
        nflog::due(entry, &firing, &picture.resolved_hashes, to.send_resolved, repeat, tick).is_none()
    }

    fn picture(&self, now: Timestamp, passed: &Passed, entry: Option<&Entry>) -> Picture {
        let alert = |number: &u32| self.alerts.get(*number).map(|slot| slot.alert.clone());
        let mut firing: Vec<Arc<Alert>> = passed.firing.iter().filter_map(alert).collect();
        if let Some(entry) = entry {
            // a peer has told that it's resolved, and what we know is older than that, if not of a former life
            let lasting = |a: &Alert| now < entry.timestamp + STALE_FIRING || a.updated_at < self.started_at;
            let stale = |a: &Alert| {
                a.updated_at < entry.timestamp && lasting(a) && entry.resolved.binary_search(&a.log_hash).is_ok()
            };
            firing.retain(|a| !stale(a));
        }
        let resolved: Vec<Arc<Alert>> = passed.resolved.iter().filter_map(alert).collect();
        let (firing_hashes, resolved_hashes) = (hashes(&firing), hashes(&resolved));
        Picture { firing, resolved, firing_hashes, resolved_hashes }
    }

    pub(super) fn attempt(&mut self, now: Timestamp, id: DeliveryId) {
        let Some(delivery) = self.deliveries.get(&id) else { return };
        match delivery.phase {
            Phase::Waiting(until) | Phase::Backoff(until) if until <= now => {}
            Phase::Reading if delivery.files.is_some() => {}
            Phase::Waiting(_) | Phase::Backoff(_) | Phase::Reading | Phase::Sending(_) => return,
        }
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
        self.send(now, id, reason, picture, &passed);
    }

    /// Sends a group as it is now.
    fn send(&mut self, now: Timestamp, id: DeliveryId, reason: SendReason, picture: Picture, passed: &Passed) {
        let Some(delivery) = self.deliveries.get(&id) else { return };
        let (group, integration, key) = (delivery.group, delivery.integration, delivery.key.clone());
        let Some(labels) = self.route_labels(now, group) else { return };
        self.report_labels(group, &labels);
        let Some(running) = &self.running else { return };
        let Some(of_group) = self.groups.get(group) else { return };
        let node = running.routes.node(of_group.route);
        let receiver = &running.config.receivers[node.receiver];
        let Some(to) = receiver.integrations.get(integration) else { return self.finish(now, id, false) };
        let mut sent = Sent {
            at: now,
            reason,
            firing: picture.firing_hashes,
            resolved: picture.resolved_hashes,
            alerts: Vec::new(),
            muted: Vec::new(),
            receiver_data: ReceiverData::default(),
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
        let files = self.deliveries.get(&id).and_then(|delivery| delivery.files.as_deref());
        if !paths.is_empty() && files.is_none() {
            let paths = paths.into_iter().map(str::to_owned).collect();
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
        let kind = self.kind_of(delivery);
        let took = now.since(delivery.attempted_at);
        self.stats.integration(kind, &delivery.key.receiver).latency(took);
        match verdict {
            Verdict::Next(_) | Verdict::Learned { .. } | Verdict::Expired { .. } => {}
            Verdict::Done { keep } => {
                for (name, value) in keep {
                    sent.receiver_data.set_text(name, value);
                }
                let (key, group, attempts) = (delivery.key.clone(), delivery.group, delivery.attempts);
                self.record_notification(group, &key, kind, &sent);
                let event = Event::Notified { key, reason: sent.reason, alerts: sent.alerts.clone(), attempts, took };
                self.event(event);
                self.write_down(now, id, sent);
                self.finish(now, id, true);
            }
            Verdict::Retry { after, reason, error } => {
                self.count_failure(id);
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
            return self.give_up(now, id, reason, error, false);
        }
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
        let event = Event::NotifyFailed { key, attempts, alerts, permanent, reason, error };
        self.stats.integration(kind, &delivery.key.receiver).fail(reason);
        self.event(event);
        self.finish(now, id, false);
    }

    /// Writes down what was sent, and tells the peers.
    fn write_down(&mut self, now: Timestamp, id: DeliveryId, sent: Sent) {
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
            stored: None,
        });
        let (group, first_try) = (delivery.group, delivery.attempts <= 1);
        let next = entry.timestamp + of_route.group_interval;
        if self.nflog.merge(now, key.clone(), entry.clone()) {
            self.keep_entry(&key, &entry);
            self.publish(now, &[], &[(key, entry)]);
        }
        if first_try {
            self.align(now, group, next);
        }
    }

    fn finish(&mut self, now: Timestamp, id: DeliveryId, good: bool) {
        let Some(delivery) = self.deliveries.remove(&id) else { return };
        let Some(flush) = self.groups.get_mut(delivery.group).and_then(|g| g.flush.as_mut()) else { return };
        flush.deliveries.retain(|d| *d != id);
        flush.failed |= !good;
        if flush.deliveries.is_empty() {
            self.end_flush(now, delivery.group);
        }
    }

    pub(super) fn cancel(&mut self, id: DeliveryId) {
        if let Some(delivery) = self.deliveries.remove(&id)
            && matches!(delivery.phase, Phase::Sending(_) | Phase::Reading)
        {
            self.outputs.push_back(Output::Cancel(id));
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
        self.deliveries.retain(|_, d| matches!(d.phase, Phase::Sending(_)));
    }

    // --- what peers do ---

    /// Members came or went, or this one has settled: turns are taken anew.
    pub(super) fn members_changed(&mut self, now: Timestamp) {
        let done = self.cluster.as_ref().is_some_and(|c| c.settle.done().is_some());
        if done && !self.settled {
            self.settled = true;
            self.flush_held(now);
        }
        let Some((cluster, running)) = self.cluster.as_ref().zip(self.running.as_ref()) else { return };
        let wait = cluster.peer_timeout() * cluster.position();
        for (id, delivery) in &mut self.deliveries {
            let Phase::Waiting(until) = &mut delivery.phase else { continue };
            let Some(group) = self.groups.get(delivery.group) else { continue };
            let wait = turn(wait, &running.routes.node(group.route).route);
            let at = (delivery.tick + wait).max(now);
            if at != *until {
                self.timers.cancel(*until, Due::Attempt(*id));
                self.timers.set(at, Due::Attempt(*id));
                delivery.deadline = delivery.deadline.max(at + DELIVERY_MIN);
                *until = at;
            }
        }
    }

    /// A peer has notified: what waits here to say the same is done, and the group is flushed in step with the peer's.
    pub(super) fn logged_by_peer(&mut self, now: Timestamp, key: &LogKey, entry: &Entry) {
        for number in self.groups.of_key(&key.group) {
            let Some(running) = &self.running else { return };
            let Some(group) = self.groups.get(number) else { continue };
            let node = running.routes.node(group.route);
            let receiver = &running.config.receivers[node.receiver];
            let Some(integration) = receiver.integrations.iter().position(|i| is_of(i, key)) else { continue };
            if receiver.name != key.receiver {
                continue;
            }
            let next = entry.timestamp + node.route.group_interval;
            let tick = group.flush.as_ref().map_or(now, |f| f.tick);
            let Some(passed) = self.run_stages(now, number) else { continue };
            let said_all = self.due_now(now, number, integration, key, tick, &passed).is_none();
            let waiting = self
                .deliveries
                .iter()
                .find(|(_, d)| d.group == number && d.key == *key && !matches!(d.phase, Phase::Sending(_)));
            let waiting = waiting.map(|(id, _)| *id).filter(|_| said_all || next > now);
            self.align(now, number, next);
            if let Some(id) = waiting {
                // what the peer didn't know yet is for the next flush, as it would be with one member
                self.finish(now, id, said_all);
            }
        }
    }

    /// Flushes a group one interval after it was notified last, on every member alike.
    fn align(&mut self, now: Timestamp, number: u32, next: Timestamp) {
        let Some(group) = self.groups.get_mut(number) else { return };
        if next <= now || next == group.next_flush {
            return;
        }
        self.timers.cancel(group.next_flush, Due::Flush(number));
        group.next_flush = next;
        self.timers.set(next, Due::Flush(number));
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

/// A later member's turn, kept clear of the moments at which the first one may flush: after intervals, or after the
/// wait of a new group. Whatever changes around a flush would else be sent by both at once.
fn turn(wait: Duration, route: &Route) -> Duration {
    let interval = route.group_interval.as_nanos().max(1);
    if wait.is_zero() || interval <= 2 * TURN_CLEARANCE.as_nanos() {
        return wait;
    }
    let near = |wait: Duration| {
        let past = wait.as_nanos() % interval;
        past.min(interval - past) < TURN_CLEARANCE.as_nanos() || wait.abs_diff(route.group_wait) < TURN_CLEARANCE
    };
    let mut turns = (0..20).map(|n| wait + TURN_CLEARANCE / 2 * n);
    turns.find(|turn| !near(*turn)).unwrap_or(wait)
}

pub(super) fn is_of(integration: &Integration, key: &LogKey) -> bool {
    integration.kind == &*key.integration && integration.index == key.index
}

pub(super) fn log_key(group: &Arc<str>, receiver: &Arc<str>, integration: &Integration) -> LogKey {
    LogKey {
        group: group.clone(),
        receiver: receiver.clone(),
        integration: integration.kind.into(),
        index: integration.index,
    }
}

fn hashes(alerts: &[Arc<Alert>]) -> Vec<u64> {
    let mut hashes: Vec<u64> = alerts.iter().map(|a| a.log_hash).collect();
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

/// By `job`, then `instance`, then all labels (reference behaviour).
pub(super) fn sorted_for_print(alerts: &[Arc<Alert>]) -> Vec<Arc<Alert>> {
    // looked up once for each alert, not once for each comparison
    let mut keyed: Vec<_> = alerts.iter().map(|alert| (first_keys(&alert.labels), alert)).collect();
    keyed.sort_by(|(key, alert), (other_key, other)| key.cmp(other_key).then_with(|| alert.labels.cmp(&other.labels)));
    keyed.into_iter().map(|(_, alert)| alert.clone()).collect()
}

/// `job` and `instance`, each preceded by whether it is missing.
fn first_keys(labels: &LabelSet) -> [(bool, &str); 2] {
    ["job", "instance"].map(|name| labels.get(name).map_or((true, ""), |value| (false, value)))
}

/// The order in which alerts of a group are shown: those that have a `job`, then an `instance`, come first.
pub(super) fn print_order(a: &LabelSet, b: &LabelSet) -> Ordering {
    first_keys(a).cmp(&first_keys(b)).then_with(|| a.cmp(b))
}
