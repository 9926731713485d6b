//! Which group an alert is in, also after a new configuration.

use std::sync::Arc;

use smallvec::SmallVec;

use super::Engine;
use super::due::{is_of, log_key};
use crate::config::Receiver;
use crate::effects::DeliveryId;
use crate::group::Group;
use crate::nflog::NotificationLog;
use crate::route::{RouteIndex, Routes};
use crate::time::Timestamp;
use crate::timer::Due;

impl Engine {
    /// Puts an alert into the group of each of its routes, making groups as needed.
    pub(super) fn join_groups(&mut self, now: Timestamp, number: u32) {
        let Some(running) = &self.running else { return };
        let Some(slot) = self.alerts.get_mut(number) else { return };
        let mut made: SmallVec<[u32; 2]> = SmallVec::new();
        for route in slot.routes.clone() {
            if slot.groups.iter().any(|g| self.groups.get(*g).is_some_and(|g| g.route == route)) {
                continue;
            }
            let node = running.routes.node(route);
            let labels = node.group_labels(&slot.alert.labels);
            let group = match self.groups.find(route, &labels) {
                Some(group) => group,
                None => {
                    // an alert that has waited long enough elsewhere doesn't wait again (reference behaviour)
                    let old = slot.alert.starts_at + node.route.group_wait < now;
                    let wait = if old { now } else { now + node.route.group_wait };
                    let before = self.last_life.next_flush(&node.route.id, &labels);
                    let wait = before.map_or(wait, |next| next.max(now));
                    let key = node.group_key(&labels);
                    let receiver = &running.config.receivers[node.receiver];
                    let open = last_told(&self.nflog, &key, receiver).map(|told| told + node.route.group_interval);
                    // by the log the group is open: it goes on at its pace, as it does on the member that told of it
                    let wait = open.filter(|next| *next > now).unwrap_or(wait);
                    let next_flush = wait.max(self.started_at + self.options.dispatch_start_delay);
                    let group = self.groups.insert(Group {
                        route,
                        labels,
                        key,
                        alerts: Default::default(),
                        processed: 0,
                        serial: 0,
                        flushes: 0,
                        next_flush,
                        flush: None,
                        due: false,
                        muted_by: Vec::new(),
                    });
                    self.timers.set(next_flush, Due::Flush(group));
                    made.push(group);
                    group
                }
            };
            slot.groups.push(group);
            if let Some(group) = self.groups.get_mut(group) {
                group.alerts.push(number);
            }
        }
        made.into_iter().for_each(|group| self.keep_group(group));
    }

    /// After a new configuration: groups whose route is still there keep their timers and what they are sending.
    pub(super) fn carry_groups_over(&mut self, old: &Routes) {
        let Some(running) = &self.running else { return };
        let successor = |group: &Group| -> Option<RouteIndex> {
            let before = &old.node(group.route).route;
            let same = |after: &crate::config::Route| {
                after.id == before.id && after.receiver == before.receiver && after.group_by == before.group_by
            };
            running.routes.iter().find(|(_, node)| same(&node.route)).map(|(index, _)| index)
        };
        let gone = self.groups.retarget(successor);
        for (number, group) in gone {
            self.timers.cancel(group.next_flush, Due::Flush(number));
            for id in group.flush.into_iter().flat_map(|f| f.deliveries) {
                self.cancel(id);
            }
            for alert in group.alerts {
                // stays marked as grouped until it is placed anew, so that a resolve is not forgotten
                if let Some(slot) = self.alerts.get_mut(alert) {
                    slot.groups.retain(|g| *g != number);
                    slot.regroup = true;
                }
            }
        }
        self.refit_deliveries();
    }

    /// Integrations may have moved within their receiver, or gone.
    fn refit_deliveries(&mut self) {
        let ids: Vec<DeliveryId> = self.deliveries.keys().copied().collect();
        for id in ids {
            let Some(delivery) = self.deliveries.get(&id) else { continue };
            let Some(running) = &self.running else { return };
            let Some(group) = self.groups.get(delivery.group) else { continue };
            let place = running.integrations_of(group.route).iter().position(|i| is_of(i, &delivery.key));
            match (place, self.deliveries.get_mut(&id)) {
                (Some(place), Some(delivery)) => delivery.integration = place,
                (None, Some(delivery)) => {
                    let group = delivery.group;
                    self.cancel(id);
                    if let Some(flush) = self.groups.get_mut(group).and_then(|g| g.flush.as_mut()) {
                        flush.deliveries.retain(|d| *d != id);
                    }
                }
                (_, None) => {}
            }
        }
    }

    /// Takes alerts out of groups that their routes no longer lead to, and puts them where they belong now.
    pub(super) fn regroup(&mut self, now: Timestamp) {
        for number in self.alerts.numbers() {
            let Some(slot) = self.alerts.get_mut(number) else { continue };
            let grouped = !slot.groups.is_empty() || std::mem::take(&mut slot.regroup);
            let (mut stay, mut leave) = (Vec::new(), Vec::new());
            for group in slot.groups.drain(..) {
                let wanted = self.groups.get(group).is_some_and(|g| slot.routes.contains(&g.route));
                if wanted { stay.push(group) } else { leave.push(group) }
            }
            slot.groups.extend(stay);
            let resolved = slot.alert.resolved_at(now);
            for group in leave {
                if let Some(group) = self.groups.get_mut(group) {
                    group.retain(|n| n != number);
                }
            }
            if grouped || !resolved {
                self.join_groups(now, number);
            }
        }
        for number in self.groups.numbers() {
            let idle =
                self.groups.get(number).is_some_and(|g| g.flush.as_ref().is_none_or(|f| f.deliveries.is_empty()));
            if idle {
                self.end_flush(now, number);
            }
        }
    }

    pub(super) fn remove_group_if_empty(&mut self, number: u32) -> bool {
        let empty = self.groups.get(number).is_some_and(|g| g.alerts.is_empty() && g.flush.is_none());
        if empty && let Some(group) = self.groups.remove(number) {
            self.timers.cancel(group.next_flush, Due::Flush(number));
        }
        empty
    }
}

/// When a group was told of last, if something in it was firing then.
fn last_told(nflog: &NotificationLog, group: &Arc<str>, receiver: &Receiver) -> Option<Timestamp> {
    let keys = receiver.integrations.iter().map(|i| log_key(group, &receiver.name, i));
    keys.filter_map(|key| nflog.get(&key).filter(|e| !e.firing.is_empty()).map(|e| e.timestamp)).max()
}
