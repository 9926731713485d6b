//! The silences of a member, indexed so that an alert meets only those that can match it.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hashbrown::HashMap;
use smallvec::SmallVec;

use super::record::Unusable;
use super::{Silence, SilenceDraft, SilenceError, SilenceId, SilenceState, record, validate};
use crate::digest::{self, Digest, STATE_MAX, Wanted};
use crate::index::MatcherIndex;
use crate::label::LabelSet;
use crate::time::Timestamp;
use crate::wire;

/// Bounds on what may be stored.
#[derive(Clone, Copy, Debug, Default)]
pub struct SilenceLimits {
    /// Most silences, expired ones included.
    pub count_max: Option<usize>,
    /// Most bytes of one stored silence.
    pub bytes_max: Option<usize>,
}

/// The silences that match one alert, found once and brought up to date when there are new ones.
#[derive(Clone, Debug, Default)]
pub struct SilenceCache {
    numbers: SmallVec<[u32; 2]>,
    seen: u32,
}

/// What a request did.
#[derive(Clone, Debug, PartialEq)]
pub struct Changed {
    /// The id to answer with.
    pub id: SilenceId,
    /// New versions, to be kept and told to the peers, in order.
    pub versions: Vec<Arc<Silence>>,
    /// `created`, `updated` or `expired`.
    pub what: &'static str,
}

#[derive(Debug)]
struct Stored {
    silence: Arc<Silence>,
    /// In the index; `None` once it's known to be expired.
    number: Option<u32>,
}

/// All silences of a member.
#[derive(Debug, Default)]
pub struct Silences {
    stored: BTreeMap<SilenceId, Stored>,
    by_number: HashMap<u32, Arc<Silence>>,
    index: MatcherIndex,
    /// Silences that can't be matched here; they are only kept and passed on.
    unusable: BTreeMap<SilenceId, Arc<Unusable>>,
    next_number: u32,
    /// Made when it's first asked for, which only peers do.
    digest: OnceLock<Digest>,
    /// No silence is to be forgotten before this.
    next_expiry: Option<Timestamp>,
}

impl Silences {
    /// The silence of that id.
    pub fn get(&self, id: &SilenceId) -> Option<&Arc<Silence>> {
        self.stored.get(id).map(|s| &s.silence)
    }

    /// How many there are, expired ones included.
    pub fn len(&self) -> usize {
        self.stored.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.stored.is_empty()
    }

    /// All of them in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Silence>> {
        self.stored.values().map(|s| &s.silence)
    }

    /// Equal on members that hold the same versions of the same silences.
    pub(crate) fn digest(&self) -> &Digest {
        self.digest.get_or_init(|| {
            let usable = self.stored.values().map(|s| (&s.silence.id, s.silence.updated_at));
            let unusable = self.unusable.values().map(|s| (&s.id, s.updated_at));
            let mut digest = Digest::default();
            usable.chain(unusable).for_each(|(id, at)| digest.toggle(place_of(id), digest_of(id, at)));
            digest
        })
    }

    /// A version has come, or gone.
    fn count_in_digest(&mut self, id: &SilenceId, updated_at: Timestamp) {
        if let Some(digest) = self.digest.get_mut() {
            digest.toggle(place_of(id), digest_of(id, updated_at));
        }
    }

    /// Makes or changes a silence as asked. What can't be changed in place is ended, and a new one made
    /// (reference behaviour).
    ///
    /// # Errors
    /// When the draft makes no sense, names an unknown id, or goes beyond a limit; nothing is changed then.
    pub fn set(
        &mut self,
        now: Timestamp,
        draft: SilenceDraft,
        limits: SilenceLimits,
        retention: Duration,
        new_id: impl FnOnce() -> SilenceId,
    ) -> Result<Changed, SilenceError> {
        let starts_at = draft.starts_at.unwrap_or(now);
        validate(&draft, starts_at)?;
        let previous = match &draft.id {
            Some(id) => Some(self.get(id).cloned().ok_or(SilenceError::NotFound)?),
            None => None,
        };
        let in_place = previous.as_ref().filter(|p| p.may_become(&draft, starts_at, now)).map(|p| p.id.clone());
        let count = self.stored.len();
        if let (None, Some(limit)) = (&in_place, limits.count_max)
            && count >= limit
        {
            return Err(SilenceError::TooMany { count, limit });
        }
        let what = if in_place.is_some() { "updated" } else { "created" };
        let starts_at = if in_place.is_some() { starts_at } else { starts_at.max(now) };
        let id = in_place.unwrap_or_else(new_id);
        let silence = Silence {
            id: id.clone(),
            matcher_sets: vec![draft.matchers],
            starts_at,
            ends_at: draft.ends_at,
            updated_at: now,
            expires_at: draft.ends_at + retention,
            created_by: draft.created_by,
            comment: draft.comment,
            annotations: draft.annotations,
            unknown: previous.as_ref().filter(|p| p.id == id).and_then(|p| p.unknown.clone()),
        };
        if let Some(limit) = limits.bytes_max {
            let bytes = record::stored_len(&silence);
            if bytes > limit {
                return Err(SilenceError::TooBig { bytes, limit });
            }
        }
        let mut versions = Vec::new();
        if let Some(previous) = previous.filter(|p| p.id != id && p.state_at(now) != SilenceState::Expired) {
            versions.extend(self.end(now, &previous, retention));
        }
        let silence = Arc::new(silence);
        if self.merge(now, silence.clone()) {
            versions.push(silence);
        }
        Ok(Changed { id, versions, what })
    }

    /// Ends a silence; one that has ended already stays as it is.
    ///
    /// # Errors
    /// When there is none of that id.
    pub fn expire(&mut self, now: Timestamp, id: &SilenceId, retention: Duration) -> Result<Changed, SilenceError> {
        let silence = self.get(id).cloned().ok_or(SilenceError::NotFound)?;
        let versions = match silence.state_at(now) {
            SilenceState::Expired => Vec::new(),
            SilenceState::Active | SilenceState::Pending => self.end(now, &silence, retention).into_iter().collect(),
        };
        Ok(Changed { id: id.clone(), versions, what: "expired" })
    }

    fn end(&mut self, now: Timestamp, silence: &Arc<Silence>, retention: Duration) -> Option<Arc<Silence>> {
        let mut ended = Silence::clone(silence);
        // a version made in the same nanosecond must win all the same
        ended.updated_at = now.max(silence.updated_at + Duration::from_nanos(1));
        ended.starts_at = silence.starts_at.min(now);
        ended.ends_at = now;
        ended.expires_at = now + retention;
        let ended = Arc::new(ended);
        self.merge(now, ended.clone()).then_some(ended)
    }

    /// Takes a version unless an equally new or newer one is there, or it's out of date. Tells whether it was taken.
    pub fn merge(&mut self, now: Timestamp, silence: Arc<Silence>) -> bool {
        if silence.expires_at < now {
            return false;
        }
        let old = self.stored.remove(&silence.id);
        if let Some(old) = &old
            && old.silence.updated_at >= silence.updated_at
        {
            let kept = Stored { silence: old.silence.clone(), number: old.number };
            self.stored.insert(silence.id.clone(), kept);
            return false;
        }
        let mut number = None;
        if let Some(old) = old {
            self.count_in_digest(&old.silence.id, old.silence.updated_at);
            if old.silence.matcher_sets == silence.matcher_sets {
                number = old.number;
            } else {
                self.unfile(&old);
            }
        }
        if silence.state_at(now) == SilenceState::Expired {
            if let Some(number) = number {
                self.unfile(&Stored { silence: silence.clone(), number: Some(number) });
            }
            number = None;
        } else {
            let filed = number.unwrap_or_else(|| self.file(&silence));
            self.by_number.insert(filed, silence.clone());
            number = Some(filed);
        }
        self.count_in_digest(&silence.id, silence.updated_at);
        self.next_expiry = Some(self.next_expiry.map_or(silence.expires_at, |next| next.min(silence.expires_at)));
        self.stored.insert(silence.id.clone(), Stored { silence, number });
        true
    }

    /// Takes versions of silences by the same rules; many at once into an empty store cost less than one by one.
    pub(crate) fn merge_all(&mut self, now: Timestamp, mut silences: Vec<Arc<Silence>>) {
        silences.sort_by(|a, b| a.id.cmp(&b.id));
        if !self.stored.is_empty() || silences.windows(2).any(|pair| pair[0].id == pair[1].id) {
            for silence in silences {
                self.merge(now, silence);
            }
            return;
        }
        silences.retain(|silence| silence.expires_at >= now);
        self.by_number.reserve(silences.len());
        let mut filed = Vec::with_capacity(silences.len());
        for silence in silences {
            let expired = silence.state_at(now) == SilenceState::Expired;
            let number = if expired { None } else { Some(self.file(&silence)) };
            if let Some(number) = number {
                self.by_number.insert(number, silence.clone());
            }
            self.count_in_digest(&silence.id, silence.updated_at);
            self.next_expiry = Some(self.next_expiry.map_or(silence.expires_at, |next| next.min(silence.expires_at)));
            filed.push((silence.id.clone(), Stored { silence, number }));
        }
        // made from sorted pairs it's packed, too
        self.stored = filed.into_iter().collect();
    }

    /// Takes a silence that can't be matched here, by the same rules. Tells whether it was taken.
    pub(crate) fn merge_unusable(&mut self, now: Timestamp, silence: Arc<Unusable>) -> bool {
        let old = self.unusable.get(&silence.id);
        if silence.expires_at < now || old.is_some_and(|old| old.updated_at >= silence.updated_at) {
            return false;
        }
        let expires_at = silence.expires_at;
        self.count_in_digest(&silence.id, silence.updated_at);
        if let Some(old) = self.unusable.insert(silence.id.clone(), silence) {
            self.count_in_digest(&old.id, old.updated_at);
        }
        self.next_expiry = Some(self.next_expiry.map_or(expires_at, |next| next.min(expires_at)));
        true
    }

    fn file(&mut self, silence: &Silence) -> u32 {
        let number = self.next_number;
        self.next_number += 1;
        for set in &silence.matcher_sets {
            self.index.insert(set, number);
        }
        number
    }

    fn unfile(&mut self, stored: &Stored) {
        if let Some(number) = stored.number {
            self.by_number.remove(&number);
            for set in &stored.silence.matcher_sets {
                self.index.remove(set, number);
            }
        }
    }

    /// Forgets what was kept long enough, and takes what has expired out of the index.
    pub fn forget_expired(&mut self, now: Timestamp) {
        let expired: Vec<SilenceId> = self
            .stored
            .iter()
            .filter(|(_, s)| s.silence.expires_at <= now || s.silence.state_at(now) == SilenceState::Expired)
            .map(|(id, _)| id.clone())
            .collect();
        for id in expired {
            let Some(mut stored) = self.stored.remove(&id) else { continue };
            self.unfile(&stored);
            stored.number = None;
            if stored.silence.expires_at <= now {
                self.count_in_digest(&stored.silence.id, stored.silence.updated_at);
            } else {
                self.stored.insert(id, stored);
            }
        }
        let mut digest = self.digest.get_mut();
        self.unusable.retain(|id, silence| {
            let keep = silence.expires_at > now;
            if let Some(digest) = digest.as_deref_mut().filter(|_| !keep) {
                digest.toggle(place_of(id), digest_of(id, silence.updated_at));
            }
            keep
        });
        let unusable = self.unusable.values().map(|silence| silence.expires_at);
        self.next_expiry = self.iter().map(|silence| silence.expires_at).chain(unusable).min();
    }

    /// Like [`Self::forget_expired`], but looks at the silences only if one of them is to be forgotten.
    pub fn forget_if_expired(&mut self, now: Timestamp) {
        if self.next_expiry.is_some_and(|next| next <= now) {
            self.forget_expired(now);
        }
    }

    /// Brings what is known for an alert up to date: only silences that are new since the last time are tried. Tells
    /// how many were.
    pub fn refresh(&self, labels: &LabelSet, cache: &mut SilenceCache) -> u64 {
        if cache.seen == self.next_number {
            return 0;
        }
        let mut tried = 0;
        self.index.candidates(labels, cache.seen, |number| {
            tried += 1;
            let matches = self.by_number.get(&number).is_some_and(|s| s.matches(labels));
            if matches && !cache.numbers.contains(&number) {
                cache.numbers.push(number);
            }
        });
        cache.seen = self.next_number;
        tried
    }

    /// Ids of the silences that work on the alert at `now`, sorted. The cache must be fresh.
    pub fn active(&self, cache: &SilenceCache, now: Timestamp) -> Vec<SilenceId> {
        if cache.numbers.is_empty() {
            return Vec::new();
        }
        let silences = cache.numbers.iter().filter_map(|n| self.by_number.get(n));
        let active = silences.filter(|s| s.state_at(now) == SilenceState::Active);
        let mut ids: Vec<SilenceId> = active.map(|s| s.id.clone()).collect();
        ids.sort();
        ids
    }

    /// Whether any silence works on the alert at `now`. The cache must be fresh.
    pub fn is_silenced(&self, cache: &SilenceCache, now: Timestamp) -> bool {
        let mut silences = cache.numbers.iter().filter_map(|n| self.by_number.get(n));
        silences.any(|s| s.state_at(now) == SilenceState::Active)
    }

    /// The reference's file format: length-delimited `MeshSilence` records.
    pub fn encode(&self) -> Bytes {
        let mut buf = BytesMut::new();
        for silence in self.iter() {
            record::encode_silence(silence, &mut buf);
        }
        for silence in self.unusable.values() {
            wire::put_delimited(&silence.stored, &mut buf);
        }
        buf.freeze()
    }

    /// The silences in these buckets, bucket by bucket until the message is full.
    pub(crate) fn encode_some(&self, wanted: &Wanted) -> Bytes {
        let ids = self.stored.keys().chain(self.unusable.keys()).map(|id| (place_of(id), id));
        let mut ids: Vec<_> = ids.filter(|(place, _)| wanted.has(*place)).collect();
        ids.sort_unstable();
        let mut buf = BytesMut::new();
        for (_, id) in ids {
            if buf.len() >= STATE_MAX {
                break;
            }
            if let Some(stored) = self.stored.get(id) {
                record::encode_silence(&stored.silence, &mut buf);
            } else if let Some(unusable) = self.unusable.get(id) {
                wire::put_delimited(&unusable.stored, &mut buf);
            }
        }
        buf.freeze()
    }
}

/// The bucket of a silence in the digest.
fn place_of(id: &SilenceId) -> usize {
    digest::bucket_of(xxhash_rust::xxh64::xxh64(id.0.as_bytes(), 0))
}

fn digest_of(id: &SilenceId, updated_at: Timestamp) -> u64 {
    xxhash_rust::xxh64::xxh64(id.0.as_bytes(), updated_at.as_nanos() as u64)
}

#[cfg(test)]
mod tests;
