//! The stages between a group and its receivers, in the reference's order: inhibition, active intervals, mute
//! intervals, silences. Each tells what it held back and why.

use std::sync::Arc;

use crate::config::{Config, InhibitRule, Route};
use crate::inhibit::{Inhibitor, same_equal_labels};
use crate::silence::Silences;
use crate::store::{Alerts, Slot};
use crate::time::Timestamp;

/// What of a group may be notified now.
#[derive(Debug, Default)]
pub(crate) struct Passed {
    /// Numbers of alerts that fire.
    pub(crate) firing: Vec<u32>,
    /// Numbers of alerts that are resolved.
    pub(crate) resolved: Vec<u32>,
    pub(crate) held: Held,
}

/// What was held back.
#[derive(Debug, Default)]
pub(crate) struct Held {
    /// Numbers of alerts.
    pub(crate) inhibited: Vec<u32>,
    pub(crate) outside_active: u64,
    pub(crate) in_mute: u64,
    /// Numbers of alerts.
    pub(crate) silenced: Vec<u32>,
    /// Silences that the alerts were matched with.
    pub(crate) scanned: u64,
    /// Names of the time intervals that muted the whole group.
    pub(crate) intervals: Vec<Arc<str>>,
}

/// What the stages decide with.
#[derive(Debug)]
pub(crate) struct Stages<'a> {
    pub(crate) config: &'a Config,
    pub(crate) inhibitor: &'a Inhibitor,
    pub(crate) silences: &'a Silences,
}

impl Stages<'_> {
    /// Runs the stages over the alerts of a group.
    pub(crate) fn run(&self, alerts: &mut Alerts, members: &[u32], route: &Route, now: Timestamp) -> Passed {
        let mut passed = Passed::default();
        let mut rest: Vec<u32> = members.to_vec();
        rest.retain(|number| {
            let inhibited = alerts.get(*number).is_some_and(|slot| self.inhibited_by(alerts, slot, now).is_some());
            if inhibited {
                passed.held.inhibited.push(*number);
            }
            !inhibited
        });
        if rest.is_empty() {
            return passed;
        }
        if let Some(intervals) = self.outside_active(route, now) {
            passed.held.outside_active = rest.len() as u64;
            passed.held.intervals = intervals;
            return passed;
        }
        let mute = self.in_mute(route, now);
        if !mute.is_empty() {
            passed.held.in_mute = rest.len() as u64;
            passed.held.intervals = mute;
            return passed;
        }
        for number in rest {
            let Some(slot) = alerts.get_mut(number) else { continue };
            passed.held.scanned += self.silences.refresh(&slot.alert.labels, &mut slot.silences);
            if self.silences.is_silenced(&slot.silences, now) {
                passed.held.silenced.push(number);
            } else if slot.alert.resolved_at(now) {
                passed.resolved.push(number);
            } else {
                passed.firing.push(number);
            }
        }
        passed
    }

    /// The number of the alert that inhibits this one.
    pub(crate) fn inhibited_by(&self, alerts: &Alerts, slot: &Slot, now: Timestamp) -> Option<u32> {
        self.inhibition(alerts, slot, now).map(|(_, source)| source)
    }

    /// The rule that inhibits an alert, and the number of the alert that does.
    pub(crate) fn inhibition(&self, alerts: &Alerts, slot: &Slot, now: Timestamp) -> Option<(&InhibitRule, u32)> {
        self.inhibitor.inhibition(&slot.roles, |source, rule| {
            alerts.get(source).is_some_and(|source| {
                !source.alert.resolved_at(now) && same_equal_labels(rule, &source.alert.labels, &slot.alert.labels)
            })
        })
    }

    /// The active intervals of the route, if there are any and `now` is in none of them.
    fn outside_active(&self, route: &Route, now: Timestamp) -> Option<Vec<Arc<str>>> {
        let names = &route.active_time_intervals;
        let active = names.is_empty() || names.iter().any(|name| self.holds(name, now) > 0);
        (!active).then(|| names.clone())
    }

    /// Names of the mute intervals that hold, once per element that holds (reference behaviour).
    fn in_mute(&self, route: &Route, now: Timestamp) -> Vec<Arc<str>> {
        let names = route.mute_time_intervals.iter();
        names.flat_map(|name| std::iter::repeat_n(name.clone(), self.holds(name, now))).collect()
    }

    fn holds(&self, name: &str, now: Timestamp) -> usize {
        let elements = self.config.time_intervals.get(name).map(Vec::as_slice).unwrap_or_default();
        elements.iter().filter(|element| element.contains(now)).count()
    }
}
