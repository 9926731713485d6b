//! Alerts are told in two steps: what a member knows is offered in short, and sent if the other one wants it. Where every
//! sender posts to every member nothing is wanted, and an alert costs a few bytes.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use crate::alert::Alert;
use crate::label::Fingerprint;
use crate::store::Alerts;
use crate::time::Timestamp;
use crate::wire::{self, Offer};

/// From a report to its offer: a sender that posts to all members is done with that by then.
pub(super) const LINGER: Duration = Duration::from_secs(1);

/// Offers in one call.
const OFFERS_MAX: usize = 4096;

/// Bytes of alerts in one call, and an alert more.
const ALERTS_MAX: usize = 1 << 20;

/// Alerts on their way to one member.
#[derive(Debug, Default)]
pub(super) struct Offers {
    /// To be offered.
    queue: VecDeque<Fingerprint>,
    /// Wanted by the member.
    wanted: VecDeque<Fingerprint>,
}

/// What goes into one call.
#[derive(Debug, Default)]
pub(super) struct Parcel {
    pub(super) offers: Vec<Offer>,
    pub(super) alerts: Bytes,
    sent: Vec<Fingerprint>,
}

impl Parcel {
    pub(super) fn is_empty(&self) -> bool {
        self.offers.is_empty() && self.sent.is_empty()
    }
}

impl Offers {
    pub(super) fn len(&self) -> usize {
        self.queue.len() + self.wanted.len()
    }

    pub(super) fn add(&mut self, now: Timestamp, news: &[Fingerprint], alerts: &Alerts) {
        self.queue.extend(news);
        // a member that takes nothing for long is offered all there is, once
        if self.queue.len() > 2 * alerts.len() + OFFERS_MAX {
            self.add_all(now, alerts);
        }
    }

    /// Offers everything but what is over and told.
    pub(super) fn add_all(&mut self, now: Timestamp, alerts: &Alerts) {
        let kept = alerts.iter().filter(|(_, slot)| !slot.groups.is_empty() || !slot.alert.resolved_at(now));
        self.queue = kept.map(|(_, slot)| slot.alert.fingerprint).collect();
    }

    /// The member lacks these.
    pub(super) fn want(&mut self, fingerprints: &[u64]) {
        self.wanted.extend(fingerprints.iter().map(|f| Fingerprint(*f)));
    }

    pub(super) fn take(&mut self, now: Timestamp, alerts: &Alerts) -> Parcel {
        let mut parcel = Parcel::default();
        let find = |fingerprint| alerts.get(alerts.number(fingerprint)?).map(|slot| &slot.alert);
        let (mut scratch, mut records) = (BytesMut::new(), BytesMut::new());
        while records.len() < ALERTS_MAX
            && let Some(fingerprint) = self.wanted.pop_front()
        {
            if let Some(alert) = find(fingerprint) {
                wire::put_alert(alert, now, &mut scratch, &mut records);
                parcel.sent.push(fingerprint);
            }
        }
        while parcel.offers.len() < OFFERS_MAX
            && let Some(fingerprint) = self.queue.pop_front()
        {
            parcel.offers.extend(find(fingerprint).map(|alert| offer(alert)));
        }
        parcel.alerts = records.freeze();
        parcel
    }

    /// A call with these failed.
    pub(super) fn put_back(&mut self, parcel: &Parcel) {
        parcel.sent.iter().rev().for_each(|f| self.wanted.push_front(*f));
        parcel.offers.iter().rev().for_each(|o| self.queue.push_front(Fingerprint(o.fingerprint)));
    }
}

fn offer(alert: &Alert) -> Offer {
    Offer {
        fingerprint: alert.fingerprint.0,
        starts_at: alert.starts_at.as_nanos(),
        ends_at: alert.ends_at.as_nanos(),
        updated_at: alert.updated_at.as_nanos(),
        content: content(alert),
    }
}

/// Of what labels and times leave out.
fn content(alert: &Alert) -> u64 {
    let mut hash = xxhash_rust::xxh64::Xxh64::new(u64::from(alert.timeout));
    let texts = alert.annotations.iter().flat_map(|(name, value)| [name, value]);
    for text in texts.chain([&*alert.generator_url]) {
        hash.update(&(text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    }
    hash.digest()
}

/// Whether a member that knows `own` of an alert lacks what is offered, in a way that matters: times that moved on a
/// little do not, since every refresh moves them.
pub(crate) fn lacks(own: Option<&Alert>, offer: &Offer, now: Timestamp) -> bool {
    let Some(own) = own else { return true };
    let at = Timestamp::from_nanos;
    let (starts, ends) = (at(offer.starts_at), at(offer.ends_at));
    if starts < own.starts_at && ends > own.starts_at {
        // the same firing, seen earlier
        return true;
    }
    if at(offer.updated_at) <= own.updated_at {
        return false;
    }
    let another = starts > own.starts_at && starts >= own.ends_at;
    // the next offer comes after half of the time, and another refresh
    let lapsing = ends > own.ends_at && own.ends_at.since(now) < ends.since(now) / 8 * 7;
    another || lapsing || ends < own.ends_at || content(own) != offer.content
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::PostedAlert;
    use crate::label::LabelSet;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn alert(starts: i64, ends: i64, updated: i64) -> Alert {
        let labels = LabelSet::new([("alertname", "Down")]);
        let posted = PostedAlert::new(labels, LabelSet::empty(), "".into(), Some(at(starts)), Some(at(ends)));
        posted.received(at(updated), Duration::ZERO)
    }

    fn wanted(own: Alert, offered: Alert, now: i64) -> bool {
        lacks(Some(&own), &offer(&offered), at(now))
    }

    #[test]
    fn what_all_have_from_their_sender_is_not_wanted() {
        assert!(lacks(None, &offer(&alert(10, 300, 10)), at(10)));
        assert!(!wanted(alert(10, 300, 10), alert(10, 300, 10), 11));
        assert!(!wanted(alert(10, 300, 10), alert(10, 300, 11), 11));
        assert!(!wanted(alert(10, 300, 60), alert(10, 240, 10), 61), "older");
        assert!(!wanted(alert(10, 300, 60), alert(10, 310, 70), 71), "a refresh");
    }

    #[test]
    fn what_matters_is_wanted() {
        assert!(wanted(alert(10, 300, 60), alert(10, 480, 240), 241), "about to lapse here");
        assert!(wanted(alert(10, 300, 60), alert(10, 100, 100), 101), "resolved");
        assert!(wanted(alert(10, 100, 100), alert(200, 400, 200), 201), "fires again");
        assert!(wanted(alert(10, 300, 60), alert(8, 300, 59), 61), "began earlier");
        let mut other = alert(10, 300, 70);
        other.generator_url = "http://x/".into();
        assert!(wanted(alert(10, 300, 60), other, 71), "another link");
    }
}
