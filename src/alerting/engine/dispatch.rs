//! From groups that fall due to flushes, and what peers' notifications mean for them.

use std::time::Duration;

use super::Engine;
use super::delivery::{Delivery, Phase};
use super::due::{is_of, log_key};
use crate::config::Route;
use crate::group::Flush;
use crate::ledger::{Line, Outcome};
use crate::nflog::{Entry, LogKey};
use crate::pipeline::Passed;
use crate::time::Timestamp;
use crate::timer::Due;

/// A flush has at least so long to deliver, however short the group interval is.
const DELIVERY_MIN: Duration = Duration::from_secs(10);

/// Between a later member's turn and a flush of the first.
const TURN_CLEARANCE: Duration = Duration::from_secs(2);

impl Engine {
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
            alert.resolved_at(now).then_some((*n, alert.ends_at))
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
        let (wait, later) = (self.wait_for_turn(&node.route), self.is_later());
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
            let mut delivery = Delivery::new(number, integration, key, now, now + wait);
            delivery.deadline = now + wait + limit;
            if later {
                delivery.fired_then = picture.firing_hashes.clone();
            }
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
            if later {
                self.timers.set(now + wait, Due::Attempt(id));
            } else if !self.hold(now, id) {
                self.send(now, id, reason, picture, &passed);
            }
        }
    }

    pub(super) fn run_stages(&mut self, now: Timestamp, number: u32) -> Option<Passed> {
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
            for (alert, ends_at) in flush.resolved {
                let Some(slot) = self.alerts.get_mut(alert) else { continue };
                if slot.alert.ends_at == ends_at && slot.alert.resolved_at(now) {
                    slot.groups.retain(|g| *g != number);
                    gone.push(alert);
                }
            }
            for alert in &gone {
                let left = self.alerts.get(*alert).filter(|slot| slot.groups.is_empty());
                if let Some(fingerprint) = left.map(|slot| slot.alert.fingerprint) {
                    self.alerts.let_go(*alert);
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

    /// Members came or went, or this one has settled: turns are taken anew.
    pub(super) fn members_changed(&mut self, now: Timestamp) {
        let done = self.cluster.as_ref().is_some_and(|c| c.settle.done().is_some());
        if done && !self.settled {
            self.settled = true;
            self.flush_held(now);
        }
        let Some((cluster, running)) = self.cluster.as_ref().zip(self.running.as_ref()) else { return };
        let wait = cluster.peer_timeout() * cluster.position();
        let soonest = self.not_all_at_once(now);
        for (id, delivery) in &mut self.deliveries {
            let Phase::Waiting(until) = &mut delivery.phase else { continue };
            let Some(group) = self.groups.get(delivery.group) else { continue };
            let wait = turn(wait, &running.routes.node(group.route).route);
            let at = (delivery.tick + wait).max(soonest);
            if at != *until {
                self.timers.cancel(*until, Due::Attempt(*id));
                self.timers.set(at, Due::Attempt(*id));
                delivery.deadline = delivery.deadline.max(at + DELIVERY_MIN);
                *until = at;
            }
        }
    }

    /// A peer has notified, and told of it: what waits here to say the same is done, and the group is flushed in step with
    /// the peer's.
    pub(super) fn logged_by_peer(&mut self, now: Timestamp, key: &LogKey, entry: &Entry) {
        let topic = crate::cluster::topic(key);
        if let Some(cluster) = &mut self.cluster {
            cluster.heard_of(topic);
        }
        let outcome = Outcome::ByPeer { told: (entry.firing.len(), entry.resolved.len()) };
        self.ledger.write(topic, Line { at: entry.timestamp, outcome });
        // a peer that could not know better has told that something fires which is resolved: that is to be told again
        for hash in entry.firing.iter().chain(entry.unsure()) {
            if let Some(number) = self.alerts.take_back(*hash)
                && self.alerts.get(number).is_some_and(|slot| slot.groups.is_empty() && slot.alert.resolved_at(now))
            {
                self.join_groups(now, number);
            }
        }
        for number in self.groups.of_key(&key.group) {
            self.is_told(number, entry);
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
            let wait = self.wait_for_turn(&node.route);
            let Some(passed) = self.run_stages(now, number) else { continue };
            let said_all = self.due_now(now, number, integration, key, tick, &passed).is_none();
            let waiting = self
                .deliveries
                .iter()
                .find(|(_, d)| d.group == number && d.key == *key && !matches!(d.phase, Phase::Sending(_)));
            let waiting = waiting.map(|(id, _)| *id);
            self.align(now, number, next);
            if let Some(id) = waiting {
                if said_all || next > now {
                    // what the peer didn't know yet is for the next flush, as it would be with one member
                    self.finish(now, id, said_all);
                } else {
                    // which is due on all members
                    self.wait_again(now, id, wait);
                }
            }
        }
    }

    /// An entry of the log names what is resolved: nobody owes that any more.
    pub(super) fn is_told(&mut self, number: u32, entry: &Entry) {
        let Some(group) = self.groups.get(number).filter(|_| !entry.resolved.is_empty()) else { return };
        for alert in group.alerts.iter() {
            if let Some(slot) = self.alerts.get_mut(*alert)
                && entry.resolved.binary_search(&slot.alert.log_hash).is_ok()
                && !entry.is_unsure(slot.alert.log_hash)
            {
                slot.owes_resolve = false;
            }
        }
    }

    /// Flushes a group one interval after it was notified last, on every member alike.
    pub(super) fn align(&mut self, now: Timestamp, number: u32, next: Timestamp) {
        let Some(group) = self.groups.get_mut(number) else { return };
        if next <= now || next == group.next_flush {
            return;
        }
        self.timers.cancel(group.next_flush, Due::Flush(number));
        group.next_flush = next;
        self.timers.set(next, Due::Flush(number));
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
