//! Who made an entry and what it knew of others. Two members that could not talk may tell opposite things within the
//! same seconds, and clocks don't say who was heard last. What both entries name differently is in doubt then, and stays
//! to be told.

use std::time::Duration;

use prost::Message;

use super::Entry;
use crate::time::Timestamp;
use crate::wire;

/// What two members tell further apart than that came in the order of their clocks: those differ by less, and so does
/// the time that a receiver takes.
const DOUBTFUL: Duration = Duration::from_secs(120);

/// So far back goes what an author knew: that of an entry which is just not too old to be in doubt.
const KNEW: Duration = Duration::from_secs(2 * DOUBTFUL.as_secs());

/// Who made an entry. The empty one is that of a member without a cluster, and of the reference.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Origin {
    /// Names one life of a member; 0: unknown, and never in doubt.
    pub(super) author: u64,
    /// Most entries have none.
    pub(super) more: Option<Box<More>>,
}

/// What few entries have.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct More {
    /// The last entry of others that the author held, by author; recent ones only.
    pub(super) knew: Vec<(u64, Timestamp)>,
    /// Log hashes of alerts of which nobody knows what the receiver has heard last, sorted.
    pub(super) unsure: Vec<u64>,
}

impl Origin {
    /// Of an entry that `author` is about to make at `at`, holding `known` for the same group and integration.
    pub fn after(author: u64, at: Timestamp, known: Option<&Entry>) -> Self {
        let mut knew = Vec::new();
        if let Some(known) = known.filter(|_| author != 0) {
            known_by(known, &mut knew);
            knew.retain(|(other, time)| *other != author && at.since(*time) < KNEW);
        }
        Self::new(author, knew, Vec::new())
    }

    pub(super) fn new(author: u64, knew: Vec<(u64, Timestamp)>, unsure: Vec<u64>) -> Self {
        let more = (!knew.is_empty() || !unsure.is_empty()).then(|| Box::new(More { knew, unsure }));
        Self { author, more }
    }

    pub(super) fn from_wire(author: u64, authors: Vec<u64>, times: Vec<i64>, mut unsure: Vec<u64>) -> Self {
        let knew = authors.into_iter().zip(times.into_iter().map(Timestamp::from_nanos)).collect();
        unsure.sort_unstable();
        unsure.dedup();
        Self::new(author, knew, unsure)
    }

    /// Authors and times.
    pub(super) fn knew_on_wire(&self) -> (Vec<u64>, Vec<i64>) {
        self.knew().iter().map(|(author, time)| (*author, time.as_nanos())).unzip()
    }

    /// What makes a difference between members.
    pub(super) fn feed(&self, hash: &mut xxhash_rust::xxh64::Xxh64) {
        hash.update(&self.author.to_le_bytes());
        self.unsure().iter().for_each(|alert| hash.update(&alert.to_le_bytes()));
    }

    fn unsure(&self) -> &[u64] {
        self.more.as_ref().map_or(&[], |more| &more.unsure)
    }

    fn knew(&self) -> &[(u64, Timestamp)] {
        self.more.as_ref().map_or(&[], |more| &more.knew)
    }
}

impl Entry {
    /// Log hashes of alerts of which nobody knows what the receiver has heard last, sorted.
    pub fn unsure(&self) -> &[u64] {
        self.origin.unsure()
    }

    /// Whether that's so for one.
    pub(crate) fn is_unsure(&self, hash: u64) -> bool {
        self.unsure().binary_search(&hash).is_ok()
    }

    /// What a log holds that gets both entries, in any order; `None`: `self`, as it is.
    pub(super) fn over(&self, earlier: &Self) -> Option<Self> {
        let doubt = self.doubt(earlier);
        if doubt.is_empty() {
            return None;
        }
        let mut unsure = self.unsure().to_vec();
        unsure.extend(doubt);
        unsure.sort_unstable();
        let mut knew = self.origin.knew().to_vec();
        known_by(earlier, &mut knew);
        knew.retain(|(author, time)| *author != self.origin.author && self.timestamp.since(*time) < KNEW);
        let origin = Origin::new(self.origin.author, knew, unsure);
        let stored = self.stored.as_ref().map(|stored| with_doubt(stored, &origin));
        Some(Self { origin, stored, ..self.clone() })
    }

    /// What is in doubt besides what was before.
    fn doubt(&self, earlier: &Self) -> Vec<u64> {
        let unknown = self.origin.author == 0 || earlier.origin.author == 0;
        if unknown || self.timestamp.since(earlier.timestamp) >= DOUBTFUL {
            return Vec::new();
        }
        let knows = |(author, time): (u64, Timestamp)| {
            let own = author == self.origin.author && time <= self.timestamp;
            own || self.origin.knew().iter().any(|(known, until)| *known == author && time <= *until)
        };
        let mut doubt = Vec::new();
        let same = (self.origin.author, self.timestamp) == (earlier.origin.author, earlier.timestamp);
        let recent = |time: Timestamp| earlier.timestamp.since(time) < DOUBTFUL;
        if same || earlier.origin.knew().iter().any(|known| recent(known.1) && !knows(*known)) {
            doubt.extend(earlier.unsure());
        }
        if !knows((earlier.origin.author, earlier.timestamp)) {
            let fires = |hash: &&u64| self.firing.binary_search(hash).is_ok();
            doubt.extend(earlier.unsure());
            doubt.extend(earlier.firing.iter().filter(|hash| !fires(hash)));
            doubt.extend(earlier.resolved.iter().filter(fires));
        }
        doubt.sort_unstable();
        doubt.dedup();
        doubt.retain(|hash| !self.is_unsure(*hash));
        doubt
    }
}

/// A record that is kept as it came, and this added: lists of a message that comes in two parts are joined.
fn with_doubt(stored: &[u8], origin: &Origin) -> Box<[u8]> {
    let (knew_authors, knew_times) = origin.knew_on_wire();
    let unsure = origin.unsure().to_vec();
    let entry = wire::Entry { knew_authors, knew_times, unsure, ..wire::Entry::default() };
    let added = wire::MeshEntry { entry: Some(entry), expires_at: None }.encode_to_vec();
    [stored, &added].concat().into()
}

/// Adds what the author of an entry knew, and the entry.
fn known_by(entry: &Entry, knew: &mut Vec<(u64, Timestamp)>) {
    let own = (entry.origin.author, entry.timestamp);
    for (author, time) in entry.origin.knew().iter().copied().chain([own]).filter(|(author, _)| *author != 0) {
        match knew.iter_mut().find(|(known, _)| *known == author) {
            Some((_, known)) => *known = time.max(*known),
            None => knew.push((author, time)),
        }
    }
    knew.sort_unstable();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nflog::ReceiverData;

    const NOTHING: [u64; 0] = [];

    /// Of `author`, with what it held.
    fn entry(author: u64, at: i64, firing: &[u64], resolved: &[u64], held: Option<&Entry>) -> Entry {
        let timestamp = Timestamp::from_secs(at);
        Entry {
            timestamp,
            expires_at: Timestamp::from_secs(at + 7200),
            firing: firing.to_vec(),
            resolved: resolved.to_vec(),
            receiver_data: ReceiverData::default(),
            origin: Origin::after(author, timestamp, held),
            stored: None,
        }
    }

    fn unsure(later: &Entry, earlier: &Entry) -> Vec<u64> {
        later.over(earlier).map(|both| both.unsure().to_vec()).unwrap_or_default()
    }

    #[test]
    fn opposites_are_in_doubt_only_where_neither_knew_of_the_other() {
        let first = entry(1, 0, &[7], &[], None);
        let firing = entry(1, 60, &[7], &[], Some(&first));
        assert_eq!(unsure(&entry(2, 70, &[], &[7], Some(&firing)), &firing), NOTHING, "it knew");
        let apart = entry(2, 70, &[], &[7], Some(&first));
        assert_eq!(unsure(&apart, &firing), [7]);
        assert_eq!(unsure(&apart, &first), NOTHING);
        assert_eq!(unsure(&entry(1, 61, &[], &[7], Some(&firing)), &firing), NOTHING, "its own");
        assert_eq!(unsure(&entry(2, 180, &[], &[7], Some(&first)), &firing), NOTHING, "surely later");
        assert_eq!(unsure(&entry(0, 70, &[], &[7], None), &firing), NOTHING, "nobody knows whose it is");
        let refires = entry(2, 70, &[7], &[], Some(&first));
        assert_eq!(unsure(&refires, &entry(1, 65, &[], &[7], Some(&first))), [7], "the other way round");
    }

    #[test]
    fn who_knew_both_ends_the_doubt() {
        let (here, there) = (entry(1, 10, &[7], &[], None), entry(2, 20, &[], &[7], None));
        let Some(both) = there.over(&here) else { panic!("no doubt") };
        assert_eq!(both.over(&here), None, "again");
        assert_eq!(unsure(&there, &both), [7], "from who has seen both to who has not");
        let told = entry(3, 30, &[], &[7], Some(&both));
        for before in [&here, &there, &both] {
            assert_eq!(unsure(&told, before), NOTHING);
        }
        let one_side = entry(3, 30, &[], &[], Some(&there));
        assert_eq!(unsure(&one_side, &both), [7], "it knew one of both only");
    }
}
