//! Whether a group is worth a notification, by what the log knows of it.

use std::sync::Arc;
use std::time::Duration;

use smallvec::SmallVec;

use super::Engine;
use super::delivery::Phase;
use crate::alert::Alert;
use crate::config::Integration;
use crate::effects::DeliveryId;
use crate::nflog::{self, Entry, LogKey, ReceiverData, SendReason};
use crate::pipeline::Passed;
use crate::store::Slot;
use crate::time::Timestamp;

/// A peer's "resolved" outweighs an older "firing" of ours for so long; a sender that means it repeats itself.
const STALE_FIRING: Duration = Duration::from_secs(300);

/// A group as it may be notified now.
pub(super) struct Picture {
    pub(super) firing: Vec<Arc<Alert>>,
    pub(super) resolved: Vec<Arc<Alert>>,
    /// Log hashes, sorted.
    pub(super) firing_hashes: Vec<u64>,
    pub(super) resolved_hashes: Vec<u64>,
}

impl Engine {
    /// Whether the group is worth a notification now, and the picture to send.
    pub(super) fn due_now(
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

    pub(super) fn due_after(
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
        if firing.is_empty() && resolved.is_empty() {
            return None;
        }
        let reason = nflog::due(entry, firing, resolved, integration.send_resolved, route.repeat_interval, tick)?;
        Some((reason, picture))
    }

    /// Whether the log knows firing alerts of the group that this member has not heard of since it started, so recently
    /// that it may still: "all resolved" must wait until then.
    pub(super) fn has_unheard(&self, now: Timestamp, group: u32, key: &LogKey) -> bool {
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
    pub(super) fn due_to_correct(
        &self,
        now: Timestamp,
        id: DeliveryId,
        passed: &Passed,
    ) -> Option<(SendReason, Picture)> {
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
            origin: sent.origin.clone(),
            stored: None,
        };
        self.due_after(now, delivery.group, delivery.integration, Some(&entry), delivery.tick, passed)
    }

    /// Whether a turn that was waited for is only due because of alerts that came during the wait: those are for the
    /// next flush, when the first in position will tell of them.
    pub(super) fn superseded(&self, id: DeliveryId, tick: Timestamp, picture: &Picture) -> bool {
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
            // known from a former life only, while others have gone on without it: that it fires is to be heard first
            let of_old = |a: &Alert| {
                let before = a.updated_at < self.started_at && a.updated_at < entry.timestamp;
                self.cluster.is_some() && before && entry.firing.binary_search(&a.log_hash).is_err()
            };
            firing.retain(|a| !stale(a) && !of_old(a));
        }
        // nothing is owed by this member, and it was over before the last notification, which didn't say that it fires: told by then
        let told = |slot: &Slot| {
            let alert = &slot.alert;
            let hash = alert.log_hash;
            let named = |entry: &Entry| entry.firing.binary_search(&hash).is_ok() || entry.is_unsure(hash);
            !slot.owes_resolve && entry.is_some_and(|entry| alert.ends_at <= entry.timestamp && !named(entry))
        };
        let resolved = passed.resolved.iter().filter_map(|number| self.alerts.get(*number));
        let resolved: Vec<Arc<Alert>> = resolved.filter(|slot| !told(slot)).map(|slot| slot.alert.clone()).collect();
        let (firing_hashes, resolved_hashes) = (hashes(&firing), hashes(&resolved));
        Picture { firing, resolved, firing_hashes, resolved_hashes }
    }
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
