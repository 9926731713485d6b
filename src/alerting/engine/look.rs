//! Read-only pictures of an engine.

use std::sync::Arc;

use bytes::Bytes;
use hashbrown::HashSet;

use super::{Engine, labels::print_order};
use crate::config::{Config, Receiver};
use crate::explain::Explanation;
use crate::label::{Fingerprint, LabelSet};
use crate::silence::{Silence, SilenceId, SilenceState};
use crate::stats::Stats;
use crate::time::Timestamp;
use crate::view::{AlertCounts, AlertFilter, AlertRow, AlertStatus, ClusterView, GroupRow, Readiness};

/// A picture of an [`Engine`] at a moment.
#[derive(Debug)]
pub struct View<'a> {
    engine: &'a mut Engine,
    now: Timestamp,
}

impl<'a> View<'a> {
    pub(super) fn new(engine: &'a mut Engine, now: Timestamp) -> Self {
        Self { engine, now }
    }

    /// The moment of the picture.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Alerts that aren't resolved and pass the filter, sorted by fingerprint.
    pub fn alerts(&mut self, filter: &AlertFilter) -> Vec<AlertRow> {
        let mut rows = Vec::new();
        for number in self.engine.alerts.candidates(&filter.matchers) {
            if let Some(row) = self.row(number, filter, None) {
                rows.push(row);
            }
        }
        rows.sort_by_key(|row| row.alert.fingerprint);
        rows
    }

    /// Groups with at least one alert that passes the filter, sorted by labels, then receiver.
    pub fn groups(&mut self, filter: &AlertFilter) -> Vec<GroupRow> {
        let mut rows = self.groups_unordered(filter);
        for row in &mut rows {
            row.alerts.sort_by(|a, b| print_order(&a.alert.labels, &b.alert.labels));
        }
        rows.sort_by(|a, b| a.labels.cmp(&b.labels).then_with(|| a.receiver.cmp(&b.receiver)));
        rows
    }

    /// The same, for who sorts them otherwise, elsewhere: groups and their alerts as they lie.
    pub fn groups_unordered(&mut self, filter: &AlertFilter) -> Vec<GroupRow> {
        let mut rows = Vec::new();
        for number in self.engine.groups.numbers() {
            let Some(group) = self.engine.groups.get(number) else { continue };
            let Some(running) = &self.engine.running else { break };
            let node = running.routes.node(group.route);
            let receiver = &running.config.receivers[node.receiver];
            if !is_wanted(receiver, filter) {
                continue;
            }
            let rendered = self.engine.route_labels(self.now, number);
            let mut row = GroupRow {
                labels: group.labels.clone(),
                receiver: receiver.name.clone(),
                route_labels: rendered.map(|rendered| rendered.labels).unwrap_or_else(LabelSet::empty),
                key: group.key.clone(),
                route: group.route,
                next_flush: group.next_flush,
                alerts: Vec::new(),
            };
            let muted_by = group.muted_by.clone();
            for alert in group.alerts.clone() {
                row.alerts.extend(self.row(alert, filter, Some(&muted_by)));
            }
            if !row.alerts.is_empty() {
                rows.push(row);
            }
        }
        if let Some(running) = &self.engine.running
            && (filter.receiver.is_some() || !filter.receiver_matchers.is_empty())
        {
            // of receivers that aren't asked for, groups say nothing (reference behaviour)
            let receivers = &running.config.receivers;
            let shown = |name: &Arc<str>| receivers.iter().any(|r| r.name == *name && is_wanted(r, filter));
            for alert in rows.iter_mut().flat_map(|row| &mut row.alerts) {
                alert.receivers = alert.receivers.iter().filter(|name| shown(name)).cloned().collect();
            }
        }
        rows
    }

    fn row(&mut self, number: u32, filter: &AlertFilter, muted_by: Option<&[Arc<str>]>) -> Option<AlertRow> {
        let engine = &mut *self.engine;
        let slot = engine.alerts.get(number)?;
        if slot.alert.resolved_at(self.now) || !filter.matchers.iter().all(|m| m.matches(&slot.alert.labels)) {
            return None;
        }
        let running = engine.running.as_ref()?;
        let receivers = running.receivers_of(&slot.routes);
        let names = |wanted: &regex::Regex| receivers.iter().any(|name| wanted.is_match(name));
        if filter.receiver.as_ref().is_some_and(|wanted| !names(wanted)) {
            return None;
        }
        if !filter.receiver_matchers.is_empty() {
            let labels_match = |route: &u32| {
                let labels = &running.config.receivers[running.routes.node(*route).receiver].labels;
                filter.receiver_matchers.iter().all(|m| m.matches(labels))
            };
            if !slot.routes.iter().any(labels_match) {
                return None;
            }
        }
        let status = self.status(number, muted_by)?;
        let dropped = (filter.without_active && status.silenced_by.is_empty() && status.inhibited_by.is_empty())
            || (filter.without_silenced && !status.silenced_by.is_empty())
            || (filter.without_inhibited && !status.inhibited_by.is_empty())
            || (filter.without_muted && !status.muted_by.is_empty());
        let alert = self.engine.alerts.get(number)?.alert.clone();
        (!dropped).then_some(AlertRow { alert, status, receivers })
    }

    fn status(&mut self, number: u32, muted_by: Option<&[Arc<str>]>) -> Option<AlertStatus> {
        let engine = &mut *self.engine;
        let slot = engine.alerts.get_mut(number)?;
        engine.stats.silences_scanned += engine.silences.refresh(&slot.alert.labels, &mut slot.silences);
        let slot = engine.alerts.get(number)?;
        let stages = Engine::stages(engine.running.as_ref()?, &engine.silences);
        let inhibitor = stages.inhibited_by(&engine.alerts, slot, self.now);
        let inhibitor = inhibitor.and_then(|source| engine.alerts.get(source));
        Some(AlertStatus {
            silenced_by: engine.silences.active(&slot.silences, self.now),
            inhibited_by: inhibitor.map(|source| source.alert.fingerprint).into_iter().collect(),
            muted_by: muted_by.map(<[_]>::to_vec).unwrap_or_default(),
        })
    }

    /// Why an alert notifies, or doesn't; `None` if it isn't known.
    pub fn explain(&mut self, fingerprint: Fingerprint) -> Option<Explanation> {
        self.engine.explain(self.now, fingerprint)
    }

    /// The notification log, as its file has it.
    pub fn notification_log(&self) -> Bytes {
        self.engine.nflog.encode()
    }

    /// All silences with their states, in the order of their ids.
    pub fn silences(&mut self) -> Vec<(Arc<Silence>, SilenceState)> {
        self.engine.stats.silences_queries += 1;
        self.engine.silences.iter().map(|s| (s.clone(), s.state_at(self.now))).collect()
    }

    /// States of all silences, for counting them; not a query.
    pub fn silence_states(&self) -> impl Iterator<Item = SilenceState> {
        self.engine.silences.iter().map(|s| s.state_at(self.now))
    }

    /// One silence.
    pub fn silence(&mut self, id: &SilenceId) -> Option<(Arc<Silence>, SilenceState)> {
        self.engine.stats.silences_queries += 1;
        self.engine.silences.get(id).map(|s| (s.clone(), s.state_at(self.now)))
    }

    /// The running configuration.
    pub fn config(&self) -> Option<&Arc<Config>> {
        self.engine.running.as_ref().map(|r| &r.config)
    }

    /// The cluster.
    pub fn cluster(&self) -> ClusterView {
        let alone = || ClusterView { settled: self.engine.settled, ..ClusterView::default() };
        self.engine.cluster.as_ref().map_or_else(alone, |c| c.view(self.now))
    }

    /// Whether this member is ready for traffic.
    pub fn readiness(&self) -> Readiness {
        if self.engine.running.is_none() {
            return Readiness::Waiting("the configuration to be loaded".into());
        }
        if self.engine.stopping.is_some() {
            return Readiness::Waiting("the end: this member is stopping".into());
        }
        match &self.engine.cluster {
            Some(cluster) if !self.engine.settled => Readiness::Waiting(cluster.settle.waits_for()),
            Some(_) | None => Readiness::Ready,
        }
    }

    /// Counters.
    pub fn stats(&self) -> &Stats {
        &self.engine.stats
    }

    /// Unresolved alerts in groups, each once. Metric `alertmanager_alerts`.
    pub fn alert_counts(&mut self) -> AlertCounts {
        let mut counts = AlertCounts::default();
        let mut processed: HashSet<u32> = HashSet::new();
        for (_, group) in self.engine.groups.iter() {
            processed.extend(group.alerts.iter().take(group.processed));
        }
        for number in self.engine.alerts.numbers() {
            if self.engine.alerts.get(number).is_some_and(|slot| !slot.groups.is_empty()) {
                self.count(number, processed.contains(&number), &mut counts);
            }
        }
        counts
    }

    /// Unresolved alerts of each group, by the group's key. Groups of equal key are told apart by nothing but their
    /// place in the list.
    pub fn alert_counts_by_group(&mut self) -> Vec<(Arc<str>, AlertCounts)> {
        let mut all = Vec::new();
        for number in self.engine.groups.numbers() {
            let Some(group) = self.engine.groups.get(number) else { continue };
            let (key, alerts, processed) = (group.key.clone(), group.alerts.clone(), group.processed);
            let mut counts = AlertCounts::default();
            for (place, alert) in alerts.into_iter().enumerate() {
                self.count(alert, place < processed, &mut counts);
            }
            all.push((key, counts));
        }
        all
    }

    fn count(&mut self, number: u32, processed: bool, counts: &mut AlertCounts) {
        let engine = &mut *self.engine;
        let Some(slot) = engine.alerts.get_mut(number) else { return };
        if slot.alert.resolved_at(self.now) {
            return;
        }
        if !processed {
            counts.unprocessed += 1;
            return;
        }
        engine.stats.silences_scanned += engine.silences.refresh(&slot.alert.labels, &mut slot.silences);
        let silenced = engine.silences.is_silenced(&slot.silences, self.now);
        let (Some(running), Some(slot)) = (&engine.running, engine.alerts.get(number)) else { return };
        let stages = Engine::stages(running, &engine.silences);
        let quiet = silenced || stages.inhibited_by(&engine.alerts, slot, self.now).is_some();
        if quiet { counts.suppressed += 1 } else { counts.active += 1 }
    }

    /// Live aggregation groups.
    pub fn group_count(&self) -> usize {
        self.engine.groups.len()
    }

    /// Entries of the notification log.
    pub fn nflog_len(&self) -> usize {
        self.engine.nflog.len()
    }
}

/// Whether a filter asks for this receiver.
fn is_wanted(receiver: &Receiver, filter: &AlertFilter) -> bool {
    filter.receiver.as_ref().is_none_or(|wanted| wanted.is_match(&receiver.name))
        && filter.receiver_matchers.iter().all(|matcher| matcher.matches(&receiver.labels))
}
