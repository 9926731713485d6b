//! What must be true of every run, and what must be true of runs without faults.

use std::collections::BTreeMap;

use alerting::time::Timestamp;

use crate::plan::{Plan, PlannedAlert, START};
use crate::receiver::Received;
use crate::world::World;

/// What is broken, in words; empty if all holds.
pub(crate) fn check(world: &mut World) -> Vec<String> {
    let mut failures = world.broken_promises();
    failures.extend(world.mistaken());
    failures.extend(of_what_was_sent(world));
    failures.extend(world.unequal());
    failures
}

fn of_what_was_sent(world: &World) -> Vec<String> {
    let plan = &world.plan;
    let mut failures = duplicates(world);
    if !plan.faults {
        failures.extend(resolved_again(world));
        failures.extend(plan.alerts.iter().flat_map(|alert| never_told(world, alert)));
    }
    failures.extend(plan.alerts.iter().filter_map(|alert| wrong_at_the_end(world, alert)));
    failures.extend(stale(world));
    failures
}

/// Without faults, and once they are over, nothing is sent twice: two notifications of a group in a row differ, or a repeat was due.
fn duplicates(world: &World) -> Vec<String> {
    let calm = if world.plan.faults { world.plan.healed_at + world.plan.patience() } else { START };
    let mut last: BTreeMap<&str, &Received> = BTreeMap::new();
    let mut failures = Vec::new();
    for now in world.receiver.accepted() {
        if let Some(before) = last.insert(&now.group, now)
            && (&before.firing, &before.resolved) == (&now.firing, &now.resolved)
            && now.at.since(before.at) < world.plan.repeat_interval - world.plan.skew()
            && before.at > calm
        {
            failures.push(format!(
                "{} was sent twice: by member {} at {} and by member {} at {} ({})",
                now.group, before.from, before.at, now.from, now.at, now.reason
            ));
        }
    }
    failures
}

/// That an alert is resolved is told once for each time that it fired.
fn resolved_again(world: &World) -> Vec<String> {
    let mut failures = Vec::new();
    for alert in &world.plan.alerts {
        let instance = alert.labels.value("instance");
        let mut told: Option<Timestamp> = None;
        let of_alert = format!("alertname=\"{}\"", alert.labels.value("alertname"));
        for r in world.receiver.accepted().filter(|r| r.group.contains(&of_alert)) {
            if r.resolved.contains(instance) {
                let since = |told: Timestamp| alert.episodes.iter().any(|(from, to)| *to > told && *from <= r.at);
                if told.is_some_and(|told| !since(told)) {
                    failures.push(format!("{} was said to be resolved at {} again", alert.labels, r.at));
                }
                told = Some(r.at);
            }
        }
    }
    failures
}

/// Every episode that lasts long enough, and isn't silenced, is told.
fn never_told(world: &World, alert: &PlannedAlert) -> Vec<String> {
    let patience = world.plan.patience();
    let instance = alert.labels.value("instance");
    let silenced = world.plan.silences.iter().any(|s| s.instance == instance);
    let long = alert.episodes.iter().filter(|(from, to)| to.since(*from) > patience && *to <= world.plan.end);
    let told = |from: Timestamp, to: Timestamp| {
        world.receiver.accepted().any(|r| r.at >= from && r.at <= to && r.firing.contains(instance))
    };
    // an episode that follows another closely may never have been seen to end
    let told_before = |from: Timestamp| last_word(world, instance, from).is_some_and(|firing| firing);
    long.filter(|(from, to)| !silenced && !told(*from, *to) && !told_before(*from))
        .map(|(from, to)| format!("{} fired from {from} to {to}, and nobody was told", alert.labels))
        .collect()
}

/// Whether the last notification about an instance before `at` said that it fires.
fn last_word(world: &World, instance: &str, at: Timestamp) -> Option<bool> {
    let before = world.receiver.accepted().filter(|r| r.at <= at);
    before.fold(None, |word, r| {
        if r.firing.contains(instance) {
            Some(true)
        } else if r.resolved.contains(instance) {
            Some(false)
        } else {
            word
        }
    })
}

/// Once all has been calm for long enough, the last word about each alert is true.
fn wrong_at_the_end(world: &World, alert: &PlannedAlert) -> Option<String> {
    let Plan { end, .. } = world.plan;
    let instance = alert.labels.value("instance");
    if world.plan.silences.iter().any(|s| s.instance == instance) {
        return None;
    }
    let calm_since = alert.episodes.iter().flat_map(|(from, to)| [*from, *to]).filter(|at| *at <= end).max()?;
    if end.since(calm_since.max(world.plan.healed_at)) < world.plan.patience() * 2 {
        return None;
    }
    let fires = alert.firing_since(end).is_some();
    match last_word(world, instance, end) {
        Some(word) if word == fires => None,
        None if !fires => None,
        word => Some(format!("{} at the end: fires={fires}, but the last word was firing={word:?}", alert.labels)),
    }
}

/// After "resolved" nobody says "firing" unless it fired again.
fn stale(world: &World) -> Vec<String> {
    if world.plan.faults {
        // a member that was cut off may not have heard; what it says is checked at the end
        return Vec::new();
    }
    let mut failures = Vec::new();
    for alert in &world.plan.alerts {
        let instance = alert.labels.value("instance");
        let mut resolved_at: Option<Timestamp> = None;
        for r in world.receiver.accepted() {
            if r.resolved.contains(instance) {
                resolved_at = Some(r.at);
            } else if r.firing.contains(instance) {
                let again = |since: Timestamp| alert.episodes.iter().any(|(from, to)| *to > since && *from <= r.at);
                if resolved_at.is_some_and(|since| !again(since)) {
                    failures.push(format!("{} was said to fire at {} after it was resolved", alert.labels, r.at));
                }
            }
        }
    }
    failures
}
