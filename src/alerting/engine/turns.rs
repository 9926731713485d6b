//! Whose turn it is while members tell each other what they are sending.

use std::time::Duration;

use super::Engine;
use super::delivery::{Delivery, Phase};
use crate::cluster::{Cluster, Topic};
use crate::effects::{DeliveryId, Event};
use crate::time::Timestamp;
use crate::timer::Due;

/// Between two members in line whose turns have passed while they waited for something else: the first one's intent has
/// reached the next by then.
const STAGGER: Duration = Duration::from_secs(1);

/// A later member says that it's about to send, and waits so long for an objection: that of one whose turn comes at the
/// same moment.
const OBJECTION: Duration = Duration::from_millis(300);

/// A member that is woken so late has stood still: others have taken its turns.
const STANDSTILL: Duration = Duration::from_millis(1500);

/// Until a delivery is looked at again that waits for this member to know what the others know.
const NOT_YET: Duration = Duration::from_millis(250);

/// What is left for this member when it has held for another one.
const AFTER_HOLDING: Duration = Duration::from_secs(10);

impl Engine {
    /// A process that was stopped, or starved, doesn't know what was sent meanwhile: it asks before it sends again.
    pub(super) fn notice_standstill(&mut self, now: Timestamp) {
        let late = self.promised.map_or(Duration::ZERO, |promised| now.since(promised));
        let Some(cluster) = self.cluster.as_mut().filter(|cluster| cluster.has_peers()) else { return };
        if late > STANDSTILL && self.settled {
            cluster.settle_again(now);
            self.settled = false;
            self.event(Event::StoodStill { late });
        }
    }

    /// Whether a delivery must wait until this member may notify again.
    pub(super) fn not_yet(&mut self, now: Timestamp, id: DeliveryId) -> bool {
        let Some(delivery) = self.deliveries.get_mut(&id).filter(|_| !self.settled) else { return false };
        if let Phase::Waiting(until) | Phase::Backoff(until) = &mut delivery.phase {
            *until = now + NOT_YET;
            self.timers.set(now + NOT_YET, Due::Attempt(id));
        }
        delivery.deadline = delivery.deadline.max(now + AFTER_HOLDING);
        true
    }

    /// Waits while another member is sending the same. It still sends itself if the other one falls silent.
    pub(super) fn hold(&mut self, now: Timestamp, id: DeliveryId) -> bool {
        let Some((cluster, delivery)) = self.cluster.as_mut().zip(self.deliveries.get_mut(&id)) else { return false };
        let Some((by, until)) = cluster.held(now, delivery.topic) else { return false };
        let by = by.to_owned();
        let until = until + STAGGER * cluster.position();
        if std::mem::take(&mut delivery.claimed) {
            cluster.release(delivery.topic);
        }
        match &mut delivery.phase {
            Phase::Waiting(at) | Phase::Backoff(at) => {
                let old = std::mem::replace(at, until);
                self.timers.cancel(old, Due::Attempt(id));
            }
            Phase::Reading | Phase::Sending(_) => return false,
        }
        delivery.deadline = delivery.deadline.max(until + AFTER_HOLDING);
        self.timers.set(until, Due::Attempt(id));
        let key = delivery.key.clone();
        self.event(Event::Held { key, by });
        true
    }

    /// Whether this member isn't the first in line.
    pub(super) fn is_later(&self) -> bool {
        self.cluster.as_ref().is_some_and(|cluster| cluster.position() > 0)
    }

    /// Announces what a later member is about to send; it's to be attempted again when nobody has objected.
    pub(super) fn announce(&mut self, now: Timestamp, id: DeliveryId) -> bool {
        let waits = |delivery: &Delivery| !delivery.claimed && matches!(delivery.phase, Phase::Waiting(_));
        if !self.is_later() || !self.deliveries.get(&id).is_some_and(waits) {
            return false;
        }
        self.claim(now, id);
        if let Some(delivery) = self.deliveries.get_mut(&id) {
            delivery.phase = Phase::Waiting(now + OBJECTION);
            self.timers.set(now + OBJECTION, Due::Attempt(id));
        }
        true
    }

    /// When this member may be next, if its turn has passed.
    pub(super) fn not_all_at_once(&self, now: Timestamp) -> Timestamp {
        now + self.cluster.as_ref().map_or(Duration::ZERO, |cluster| STAGGER * cluster.position())
    }

    /// A delivery that waited goes on waiting, from a flush that begins now.
    pub(super) fn wait_again(&mut self, now: Timestamp, id: DeliveryId, wait: Duration) {
        let Some(delivery) = self.deliveries.get_mut(&id) else { return };
        let (Phase::Waiting(old) | Phase::Backoff(old)) = delivery.phase else { return };
        self.timers.cancel(old, Due::Attempt(id));
        self.timers.set(now + wait, Due::Attempt(id));
        delivery.phase = Phase::Waiting(now + wait);
        delivery.tick = now;
        delivery.deadline = delivery.deadline.max(now + wait + AFTER_HOLDING);
    }

    /// Says that this member is sending, once for a delivery.
    pub(super) fn claim(&mut self, now: Timestamp, id: DeliveryId) {
        let Some((cluster, delivery)) = self.cluster.as_mut().zip(self.deliveries.get_mut(&id)) else { return };
        if !std::mem::replace(&mut delivery.claimed, true) {
            cluster.claim(now, delivery.topic);
        }
    }

    /// Leaves the turn to the next in line; this member tries again when it comes around.
    pub(super) fn pass_on(&mut self, id: DeliveryId) {
        let Some((cluster, delivery)) = self.cluster.as_mut().zip(self.deliveries.get_mut(&id)) else { return };
        if cluster.has_peers() && std::mem::take(&mut delivery.claimed) {
            cluster.pass_on(delivery.topic);
            let key = delivery.key.clone();
            self.event(Event::TurnPassed { key });
        }
    }

    /// Lets others have their turns meanwhile.
    pub(super) fn release(&mut self, id: DeliveryId) {
        let Some((cluster, delivery)) = self.cluster.as_mut().zip(self.deliveries.get_mut(&id)) else { return };
        if std::mem::take(&mut delivery.claimed) {
            cluster.release(delivery.topic);
        }
    }

    /// A delivery ends.
    pub(super) fn let_go(&mut self, delivery: &Delivery, good: bool) {
        if let Some(cluster) = self.cluster.as_mut().filter(|_| delivery.claimed) {
            // of one that went well the log speaks
            if good { cluster.sent_it(delivery.topic) } else { cluster.release(delivery.topic) }
        }
    }

    /// Another member can't reach a receiver.
    pub(super) fn turn_passed(&mut self, now: Timestamp, by: &str, topic: Topic) {
        if !self.cluster.as_ref().is_some_and(|cluster| Cluster::is_next_after(cluster, by)) {
            return;
        }
        let Some((id, delivery)) = self.deliveries.iter_mut().find(|(_, d)| d.topic == topic) else { return };
        let id = *id;
        let at = now.max(delivery.not_before);
        match &mut delivery.phase {
            Phase::Waiting(until) | Phase::Backoff(until) if at < *until => {
                let old = std::mem::replace(until, at);
                self.timers.cancel(old, Due::Attempt(id));
                self.timers.set(at, Due::Attempt(id));
            }
            Phase::Waiting(_) | Phase::Backoff(_) | Phase::Reading | Phase::Sending(_) => return,
        }
        let (key, by) = (delivery.key.clone(), by.to_owned());
        self.event(Event::TurnTaken { key, by });
    }
}
