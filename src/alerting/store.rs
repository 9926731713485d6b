//! The alerts of a member, by number and by fingerprint.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use smallvec::SmallVec;

use crate::alert::Alert;
use crate::inhibit::Roles;
use crate::label::Fingerprint;
use crate::matcher::Matcher;
use crate::route::RouteIndex;
use crate::signature::Signature;
use crate::silence::SilenceCache;
use crate::time::Timestamp;

/// An alert with everything that is computed once for its labels.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) alert: Arc<Alert>,
    /// Where it lands, in the order of the tree.
    pub(crate) routes: SmallVec<[RouteIndex; 2]>,
    /// Groups that hold it now.
    pub(crate) groups: SmallVec<[u32; 2]>,
    pub(crate) silences: SilenceCache,
    pub(crate) roles: Roles,
    /// It was in a group that a new configuration took away.
    pub(crate) regroup: bool,
    /// It has fired here, and no entry of the log has come since that names it as resolved.
    pub(crate) owes_resolve: bool,
    /// The report that all peers were told of last by this member, or with which a peer made it known.
    pub(crate) told: Told,
}

/// When a report was received, and the end that it stated.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Told {
    pub(crate) updated_at: Timestamp,
    pub(crate) ends_at: Timestamp,
}

impl Told {
    pub(crate) fn of(alert: &Alert) -> Self {
        Self { updated_at: alert.updated_at, ends_at: alert.ends_at }
    }

    /// More than half of the time is over in which the peers take the alert for firing.
    pub(crate) fn is_old(&self, now: Timestamp) -> bool {
        let life = self.ends_at.since(self.updated_at);
        !life.is_zero() && now.since(self.updated_at) * 2 > life
    }
}

/// Numbers are used again after their alert was removed.
#[derive(Debug, Default)]
pub(crate) struct Alerts {
    slots: Vec<Option<Slot>>,
    /// Of the labels of each slot, so that filters needn't look at every alert.
    signatures: Vec<Signature>,
    free: Vec<u32>,
    by_fingerprint: HashMap<Fingerprint, u32>,
    /// Alerts per `alertname`, kept only where that is limited.
    per_name: HashMap<String, u32>,
    /// Every alert of a rule links to the same page: kept once.
    links: HashSet<Arc<str>>,
    /// Resolved alerts that were told of and are in no group any more, by log hash.
    let_go: HashMap<u64, u32>,
}

impl Alerts {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.by_fingerprint.len()
    }

    pub(crate) fn number(&self, fingerprint: Fingerprint) -> Option<u32> {
        self.by_fingerprint.get(&fingerprint).copied()
    }

    pub(crate) fn get(&self, number: u32) -> Option<&Slot> {
        self.slots.get(number as usize)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut Slot> {
        self.slots.get_mut(number as usize)?.as_mut()
    }

    pub(crate) fn insert(&mut self, slot: Slot) -> u32 {
        let fingerprint = slot.alert.fingerprint;
        let signature = Signature::of(&slot.alert.labels);
        let number = match self.free.pop() {
            Some(number) => {
                self.slots[number as usize] = Some(slot);
                self.signatures[number as usize] = signature;
                number
            }
            None => {
                self.slots.push(Some(slot));
                self.signatures.push(signature);
                (self.slots.len() - 1) as u32
            }
        };
        self.by_fingerprint.insert(fingerprint, number);
        number
    }

    pub(crate) fn remove(&mut self, number: u32) -> Option<Slot> {
        let slot = self.slots.get_mut(number as usize)?.take()?;
        self.by_fingerprint.remove(&slot.alert.fingerprint);
        self.let_go.remove(&slot.alert.log_hash);
        self.free.push(number);
        Some(slot)
    }

    /// An alert has left its last group.
    pub(crate) fn let_go(&mut self, number: u32) {
        if let Some(log_hash) = self.get(number).map(|slot| slot.alert.log_hash) {
            self.let_go.insert(log_hash, number);
        }
    }

    /// Takes an alert back that was let go.
    pub(crate) fn take_back(&mut self, log_hash: u64) -> Option<u32> {
        self.let_go.remove(&log_hash)
    }

    /// The one copy of a link.
    pub(crate) fn link(&mut self, link: Arc<str>) -> Arc<str> {
        self.links.get_or_insert(link).clone()
    }

    /// Drops links that no alert has any more.
    pub(crate) fn forget_links(&mut self) {
        self.links.retain(|link| Arc::strong_count(link) > 1);
    }

    /// All alerts by number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Slot)> {
        self.slots.iter().zip(0..).filter_map(|(slot, number)| Some((number, slot.as_ref()?)))
    }

    /// Numbers of the alerts that may fulfil all of these; the labels of those are to be looked at.
    pub(crate) fn candidates(&self, matchers: &[Matcher]) -> Vec<u32> {
        let wanted: Vec<SmallVec<[Signature; 1]>> = matchers.iter().filter_map(Signature::wanted).collect();
        let fits = |has: &Signature| wanted.iter().all(|any| any.iter().any(|wanted| has.includes(*wanted)));
        let slots = self.slots.iter().zip(&self.signatures).zip(0..);
        slots.filter(|((slot, has), _)| fits(has) && slot.is_some()).map(|(_, number)| number).collect()
    }

    pub(crate) fn numbers(&self) -> Vec<u32> {
        self.iter().map(|(number, _)| number).collect()
    }

    /// Counts one more alert of this name, unless `max` are there already and none of them is resolved.
    pub(crate) fn admit(&mut self, name: &str, max: usize, now: Timestamp) -> bool {
        let count = self.per_name.get(name).copied().unwrap_or_default();
        if count as usize >= max && self.unresolved_of(name, now) >= max {
            return false;
        }
        *self.per_name.entry_ref(name).or_default() += 1;
        true
    }

    fn unresolved_of(&self, name: &str, now: Timestamp) -> usize {
        self.iter().filter(|(_, slot)| slot.alert.name() == name && !slot.alert.resolved_at(now)).count()
    }

    /// Counts one alert of this name less.
    pub(crate) fn release(&mut self, name: &str) {
        if let Some(count) = self.per_name.get_mut(name) {
            *count = count.saturating_sub(1);
        }
    }
}
