//! What the engine tells the event recorder. Nothing here is done unless it was asked for.

use std::sync::Arc;

use super::Engine;
use crate::effects::{DeliveryId, Output};
use crate::group::Group;
use crate::nflog::{LogKey, SendReason};
use crate::pipeline::{Held, Passed};
use crate::record::{FlushReport, GroupInfo, Notification, Record};
use crate::silence::SilenceState;
use crate::time::Timestamp;

use super::delivery::Sent;

impl Engine {
    fn group_info(&self, group: &Group) -> GroupInfo {
        let receiver = self.running.as_ref().map(|running| running.routes.node(group.route).route.receiver.clone());
        GroupInfo {
            key: group.key.clone(),
            labels: group.labels.clone(),
            receiver: receiver.unwrap_or_else(|| Arc::from("")),
        }
    }

    /// Tells tracing, if there is any, what a flush decided.
    pub(super) fn report_flush(
        &mut self,
        number: u32,
        passed: &Passed,
        deliveries: Vec<(DeliveryId, &'static str, SendReason)>,
    ) {
        if self.running.as_ref().is_none_or(|running| running.config.tracing.is_none()) {
            return;
        }
        let Some(group) = self.groups.get(number) else { return };
        let report = FlushReport {
            group: self.group_info(group),
            alerts: group.alerts.len(),
            inhibited: passed.held.inhibited.len(),
            silenced: passed.held.silenced.len(),
            muted_by: passed.held.intervals.clone(),
            firing: passed.firing.len(),
            resolved: passed.resolved.len(),
            deliveries,
        };
        self.outputs.push_back(Output::Flushed(Box::new(report)));
    }

    /// An alert that was posted is in these groups.
    pub(super) fn record_grouped(&mut self, number: u32) {
        if !self.options.record_events {
            return;
        }
        let Some(slot) = self.alerts.get(number) else { return };
        let alert = slot.alert.clone();
        for group in slot.groups.clone() {
            let Some(group) = self.groups.get(group).map(|group| self.group_info(group)) else { continue };
            self.record(|_| Record::AlertGrouped { alert: alert.clone(), group });
        }
    }

    /// Alerts that were part of a good flush are resolved.
    pub(super) fn record_resolved(&mut self, group: u32, resolved: &[(u32, Timestamp)]) {
        if !self.options.record_events {
            return;
        }
        let Some(info) = self.groups.get(group).map(|group| self.group_info(group)) else { return };
        for (number, _) in resolved {
            let Some(alert) = self.alerts.get(*number).map(|slot| slot.alert.clone()) else { continue };
            self.record(|_| Record::AlertResolved { alert, group: info.clone() });
        }
    }

    /// What a flush held back, and why.
    pub(super) fn record_muted(&mut self, now: Timestamp, held: &Held) {
        if !self.options.record_events {
            return;
        }
        for number in &held.inhibited {
            let (Some(running), Some(slot)) = (&self.running, self.alerts.get(*number)) else { continue };
            let stages = Self::stages(running, &self.silences);
            let Some((rule, source)) = stages.inhibition(&self.alerts, slot, now) else { continue };
            let Some(by) = self.alerts.get(source).map(|source| source.alert.fingerprint) else { continue };
            let (rule, alert) = (rule.clone(), slot.alert.clone());
            self.record(|_| Record::InhibitionMuted { rule, alert, by });
        }
        for number in &held.silenced {
            let Some(slot) = self.alerts.get(*number) else { continue };
            let alert = slot.alert.clone();
            for id in self.silences.active(&slot.silences, now) {
                let Some(silence) = self.silences.get(&id).cloned() else { continue };
                if silence.state_at(now) == SilenceState::Active {
                    self.record(|_| Record::SilenceMuted { silence, alert: alert.clone() });
                }
            }
        }
    }

    /// A notification went out.
    pub(super) fn record_notification(&mut self, number: u32, key: &LogKey, kind: &'static str, sent: &Sent) {
        if !self.options.record_events {
            return;
        }
        let (Some(running), Some(group)) = (&self.running, self.groups.get(number)) else { return };
        let route = &running.routes.node(group.route).route;
        let notification = Notification {
            at: sent.at,
            alerts: sent.alerts.clone(),
            firing: sent.firing.clone(),
            resolved: sent.resolved.clone(),
            muted: sent.muted.clone(),
            group: self.group_info(group),
            group_serial: group.serial,
            matchers: route.matchers.clone(),
            repeat_interval: route.repeat_interval,
            reason: sent.reason,
            flush: group.flushes,
            integration: kind,
            index: key.index,
        };
        self.record(|_| Record::Notification(Box::new(notification)));
    }
}
