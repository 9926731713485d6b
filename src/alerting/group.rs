//! Aggregation groups: which alerts are notified together, and when.

use std::sync::Arc;

use hashbrown::HashMap;
use smallvec::SmallVec;

use crate::effects::DeliveryId;
use crate::label::LabelSet;
use crate::route::RouteIndex;
use crate::time::Timestamp;

/// Alerts of one route with the same group labels.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) route: RouteIndex,
    pub(crate) labels: LabelSet,
    /// `<route key>:<group labels>`
    pub(crate) key: Arc<str>,
    /// Numbers of its alerts in the store, in the order in which they came.
    pub(crate) alerts: SmallVec<[u32; 4]>,
    /// So many of them, from the front, were there at the last flush.
    pub(crate) processed: usize,
    /// No other group of this process has it.
    pub(crate) serial: u64,
    /// Flushes so far.
    pub(crate) flushes: u64,
    /// When it is flushed next.
    pub(crate) next_flush: Timestamp,
    /// The flush under way; most groups have none.
    pub(crate) flush: Option<Box<Flush>>,
    /// It fell due while a flush was under way, or before this member had settled.
    pub(crate) due: bool,
    /// Time intervals that muted it at its last flush.
    pub(crate) muted_by: Vec<Arc<str>>,
}

/// One flush, until all integrations are done with it.
#[derive(Debug)]
pub(crate) struct Flush {
    pub(crate) tick: Timestamp,
    /// Alerts that were resolved then, and since when.
    pub(crate) resolved: Vec<(u32, Timestamp)>,
    pub(crate) deliveries: SmallVec<[DeliveryId; 1]>,
    pub(crate) failed: bool,
}

impl Group {
    /// Keeps the alerts that `stays` says.
    pub(crate) fn retain(&mut self, stays: impl Fn(u32) -> bool) {
        let processed = self.alerts.iter().take(self.processed).filter(|alert| stays(**alert)).count();
        self.alerts.retain(|alert| stays(*alert));
        self.processed = processed;
    }
}

/// All groups, by number and by route and labels. Numbers are used again.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    slots: Vec<Option<Group>>,
    free: Vec<u32>,
    by_labels: HashMap<(RouteIndex, LabelSet), u32>,
    by_key: HashMap<Arc<str>, SmallVec<[u32; 1]>>,
    count: usize,
    made: u64,
}

impl Groups {
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    pub(crate) fn get(&self, number: u32) -> Option<&Group> {
        self.slots.get(number as usize)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut Group> {
        self.slots.get_mut(number as usize)?.as_mut()
    }

    pub(crate) fn find(&self, route: RouteIndex, labels: &LabelSet) -> Option<u32> {
        self.by_labels.get(&(route, labels.clone())).copied()
    }

    /// Groups of that key: several if routes have equal matchers.
    pub(crate) fn of_key(&self, key: &str) -> SmallVec<[u32; 1]> {
        self.by_key.get(key).cloned().unwrap_or_default()
    }

    pub(crate) fn insert(&mut self, mut group: Group) -> u32 {
        self.made += 1;
        group.serial = self.made;
        let number = self.free.pop().unwrap_or(self.slots.len() as u32);
        self.by_labels.insert((group.route, group.labels.clone()), number);
        self.by_key.entry(group.key.clone()).or_default().push(number);
        if number as usize == self.slots.len() {
            self.slots.push(None);
        }
        self.slots[number as usize] = Some(group);
        self.count += 1;
        number
    }

    pub(crate) fn remove(&mut self, number: u32) -> Option<Group> {
        let group = self.slots.get_mut(number as usize)?.take()?;
        self.by_labels.remove(&(group.route, group.labels.clone()));
        if let Some(numbers) = self.by_key.get_mut(&group.key) {
            numbers.retain(|n| *n != number);
            if numbers.is_empty() {
                self.by_key.remove(&group.key);
            }
        }
        self.free.push(number);
        self.count -= 1;
        Some(group)
    }

    /// Moves each group to the route that `successor` names; gives back those without one.
    pub(crate) fn retarget(&mut self, successor: impl Fn(&Group) -> Option<RouteIndex>) -> Vec<(u32, Group)> {
        let targets: Vec<(u32, Option<RouteIndex>)> = self.iter().map(|(n, g)| (n, successor(g))).collect();
        let mut gone = Vec::new();
        for (number, target) in &targets {
            if target.is_none() {
                gone.extend(self.remove(*number).map(|group| (*number, group)));
            }
        }
        self.by_labels.clear();
        for (number, target) in targets {
            if let (Some(target), Some(group)) = (target, self.get_mut(number)) {
                group.route = target;
                let labels = group.labels.clone();
                self.by_labels.insert((target, labels), number);
            }
        }
        gone
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Group)> {
        self.slots.iter().zip(0..).filter_map(|(group, number)| Some((number, group.as_ref()?)))
    }

    pub(crate) fn numbers(&self) -> Vec<u32> {
        self.iter().map(|(number, _)| number).collect()
    }
}
