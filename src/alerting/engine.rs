//! The engine.

use crate::effects::{Input, Options, Output, Restored};
use crate::time::Timestamp;
use crate::view::*;
use crate::stats::Stats;
use crate::config::Config;
use crate::silence::{Silence, SilenceId, SilenceState};
use std::sync::Arc;

/// A member's whole state and all of its decisions.
#[derive(Debug)]
pub struct Engine {}

/// The files on disk can't be used.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The silences.
    #[error("restoring the silences")]
    Silences(#[source] crate::silence::DecodeError),
    /// The notification log.
    #[error("restoring the notification log")]
    NotificationLog(#[source] crate::nflog::DecodeError),
}

impl Engine {
    /// Starts with what was on disk. Nothing notifies before the first [`Input::Config`].
    ///
    /// # Errors
    /// When a state file is corrupt.
    pub fn new(_options: Options, _restored: Restored) -> Result<Self, RestoreError> {
        Ok(Self {})
    }

    /// Takes an input in; drain [`Self::poll`] after each.
    pub fn handle(&mut self, _now: Timestamp, _input: Input) {}

    /// The next thing to do outside.
    pub fn poll(&mut self) -> Option<Output> {
        None
    }

    /// When to call [`Self::handle`] with [`Input::Tick`] at the latest.
    pub fn next_wake(&self) -> Option<Timestamp> {
        None
    }

    /// What readers may see as of `now`. Brings cached decisions up to date, hence `mut`.
    pub fn view(&mut self, now: Timestamp) -> View<'_> {
        View { engine: self, now }
    }
}

/// A picture of an [`Engine`] at a moment.
#[derive(Debug)]
pub struct View<'a> {
    #[allow(dead_code)]
    engine: &'a mut Engine,
    #[allow(dead_code)]
    now: Timestamp,
}

impl View<'_> {
    /// Alerts that aren't resolved and pass the filter, sorted by fingerprint.
    pub fn alerts(&mut self, _filter: &AlertFilter) -> Vec<AlertRow> {
        Vec::new()
    }

    /// Groups with at least one alert that passes the filter, sorted by labels, then receiver.
    pub fn groups(&mut self, _filter: &AlertFilter) -> Vec<GroupRow> {
        Vec::new()
    }

    /// All silences with their states, in the order of their ids.
    pub fn silences(&self) -> Vec<(Arc<Silence>, SilenceState)> {
        Vec::new()
    }

    /// One silence.
    pub fn silence(&self, _id: &SilenceId) -> Option<(Arc<Silence>, SilenceState)> {
        None
    }

    /// The running configuration.
    pub fn config(&self) -> Option<&Arc<Config>> {
        None
    }

    /// The cluster.
    pub fn cluster(&self) -> ClusterView {
        ClusterView::default()
    }

    /// Whether this member is ready for traffic.
    pub fn readiness(&self) -> Readiness {
        Readiness::Ready
    }

    /// Counters.
    pub fn stats(&self) -> &Stats {
        static EMPTY: std::sync::OnceLock<Stats> = std::sync::OnceLock::new();
        EMPTY.get_or_init(Stats::default)
    }

    /// Unresolved alerts in groups: active, suppressed. Metric `alertmanager_alerts`.
    pub fn alert_counts(&mut self) -> (u64, u64) {
        (0, 0)
    }

    /// Live aggregation groups.
    pub fn group_count(&self) -> usize {
        0
    }

    /// Entries of the notification log.
    pub fn nflog_len(&self) -> usize {
        0
    }
}
