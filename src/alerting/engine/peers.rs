//! The engine and its peers: what they tell each other, and what follows from it.

use std::sync::Arc;

use bytes::Bytes;

use super::Engine;
use crate::cluster::{Asked, Cluster, Demand, Io, PeerState, lacks};
use crate::effects::{CallId, Event, Output};
use crate::label::Fingerprint;
use crate::nflog::{self, Entry, LogKey};
use crate::silence::{self, Silence, Stored};
use crate::time::Timestamp;
use crate::wire::{self, BucketDigest, Offer, Record, StateDigest, StateParts};

impl Engine {
    /// Lets the cluster part work, then does what it demands, until nothing is left.
    pub(super) fn with_cluster(&mut self, now: Timestamp, work: impl FnOnce(&mut Cluster, &mut Io<'_>)) {
        let Some(cluster) = &mut self.cluster else { return };
        let (mut outputs, mut demands) = (std::mem::take(&mut self.told), Vec::new());
        let alerts = &self.alerts;
        let mut io = Io { outputs: &mut outputs, demands: &mut demands, alerts, joined: 0, left: 0 };
        work(cluster, &mut io);
        self.stats.peers_joined += io.joined;
        self.stats.peers_left += io.left;
        self.stats.cluster_sent = cluster.sent;
        self.stats.cluster_received = cluster.received;
        self.stats.reconnections = cluster.reconnections;
        self.stats.joins = cluster.joins;
        self.stats.name_conflicts = cluster.name_conflicts;
        for output in &outputs {
            if let Output::Event(Event::MemberJoined { name, .. }) = output {
                *self.stats.peers_alive.entry(name.clone()).or_default() += 1;
            }
        }
        self.outputs.extend(outputs.drain(..));
        self.told = outputs;
        for demand in demands {
            self.meet(now, demand);
        }
    }

    fn meet(&mut self, now: Timestamp, demand: Demand) {
        match demand {
            Demand::Reconcile { state, buckets } => {
                let (from, own) = (state.from, self.differing(&buckets));
                self.merge(now, state);
                self.with_cluster(now, |cluster, io| cluster.push(now, from, own, io));
            }
            Demand::MergeAndReply { call, state, asked } => {
                self.merge(now, state);
                let Asked { full, buckets, offers, compares, by } = asked;
                let reply = wire::Reply {
                    digest: Some(self.digest(now)),
                    state: buckets.as_ref().map(|theirs| self.differing(theirs)),
                    buckets: buckets.is_some().then(|| self.buckets()),
                    wanted: self.lacking(now, &offers),
                    ..wire::Reply::default()
                };
                self.with_cluster(now, |cluster, io| cluster.reply(call, &by, full, compares, reply, io));
            }
            Demand::Exchange(to) => {
                let (digest, buckets) = (self.digest(now), self.buckets());
                self.with_cluster(now, |cluster, io| cluster.exchange(to, digest, buckets, io));
            }
            Demand::MembersChanged => self.members_changed(now),
            Demand::TurnPassed { by, topic } => self.turn_passed(now, &by, topic),
        }
    }

    pub(super) fn tick_cluster(&mut self, now: Timestamp) {
        if self.cluster.as_ref().map(Cluster::next_wake).is_none_or(|wake| wake > now) {
            return;
        }
        let digest = self.digest(now);
        self.with_cluster(now, |cluster, io| cluster.tick(now, || digest, io));
    }

    pub(super) fn call_ended(&mut self, now: Timestamp, call: CallId, result: Result<Bytes, String>) {
        let digest = self.digest(now);
        self.with_cluster(now, |cluster, io| cluster.call_ended(now, call, result, || digest, io));
    }

    /// What members compare. Expired entries must not make a difference, so they go first.
    fn digest(&mut self, now: Timestamp) -> StateDigest {
        self.nflog.forget_if_expired(now);
        self.silences.forget_if_expired(now);
        StateDigest { silences: self.silences.digest().total(), notification_log: self.nflog.digest().total() }
    }

    /// Digests of the silences and of the notification log, without what has expired by `now`: equal on members that
    /// hold the same. For tests.
    pub fn state_digest(&mut self, now: Timestamp) -> (u64, u64) {
        let digest = self.digest(now);
        (digest.silences, digest.notification_log)
    }

    fn buckets(&self) -> BucketDigest {
        let (silences, log) = (self.silences.digest(), self.nflog.digest());
        BucketDigest { silences: silences.buckets(), notification_log: log.buckets() }
    }

    /// What is held here where a peer differs.
    fn differing(&self, theirs: &BucketDigest) -> StateParts {
        let silences = self.silences.digest().differing(&theirs.silences);
        let log = self.nflog.digest().differing(&theirs.notification_log);
        StateParts {
            silences: if silences.is_empty() { Bytes::new() } else { self.silences.encode_some(&silences) },
            notification_log: if log.is_empty() { Bytes::new() } else { self.nflog.encode_some(&log) },
        }
    }

    /// Which of a peer's alerts are lacking here.
    fn lacking(&self, now: Timestamp, offers: &[Offer]) -> Vec<u64> {
        let known = |fingerprint| Some(&*self.alerts.get(self.alerts.number(fingerprint)?)?.alert);
        let wanted = offers.iter().filter(|offer| lacks(known(Fingerprint(offer.fingerprint)), offer, now));
        wanted.map(|offer| offer.fingerprint).collect()
    }

    /// Tells the peers about changes made here.
    pub(super) fn publish(&mut self, now: Timestamp, silences: &[Arc<Silence>], entries: &[(LogKey, Arc<Entry>)]) {
        self.stats.silences_propagated += silences.len() as u64;
        self.stats.nflog_propagated += entries.len() as u64;
        self.with_cluster(now, |cluster, io| cluster.publish(now, silences, entries, io));
    }

    fn merge(&mut self, now: Timestamp, state: PeerState) {
        let PeerState { from, parts, alerts } = state;
        match silence::decode(parts.silences) {
            Ok(silences) => silences.into_iter().for_each(|stored| self.merge_silence(now, stored)),
            Err(error) => self.reject(from, &error),
        }
        match nflog::decode(parts.notification_log) {
            Ok(entries) => {
                for (key, entry) in entries {
                    if self.nflog.merge(now, key.clone(), entry)
                        && let Some(entry) = self.nflog.get(&key).cloned()
                    {
                        self.keep_entry(&key, &entry);
                        self.logged_by_peer(now, &key, &entry);
                    }
                }
            }
            Err(error) => self.reject(from, &error),
        }
        match wire::records(&alerts) {
            Ok(records) => {
                for record in records {
                    if let Record::Alert(saved) = record {
                        self.receive_from_peer(now, saved.alert);
                    }
                }
            }
            Err(error) => self.reject(from, &error),
        }
    }

    fn merge_silence(&mut self, now: Timestamp, stored: Stored) {
        match stored {
            Stored::Usable(silence) => {
                if self.silences.merge(now, silence.clone()) {
                    self.keep_silence(&silence);
                }
            }
            Stored::Unusable(silence) => {
                if self.silences.merge_unusable(now, silence.clone()) {
                    self.keep_unusable(&silence.stored);
                    let (id, cause) = (silence.id.to_string(), silence.cause.clone());
                    self.stats.silences_unusable += 1;
                    self.event(Event::SilenceUnusable { id, cause });
                }
            }
        }
    }

    fn reject(&mut self, address: std::net::SocketAddr, error: &dyn std::error::Error) {
        let cause = error.source().map(|source| format!(": {source}")).unwrap_or_default();
        self.outputs.push_back(Output::Event(Event::PeerRejected { address, error: format!("{error}{cause}") }));
    }
}

#[cfg(test)]
mod tests;
