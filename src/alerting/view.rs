//! Read-only pictures of an engine, for the API, metrics and tests.
//!
//! Rows share what they show with the engine (`Arc`), so that a reader takes handles and serialises elsewhere.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use regex::Regex;

use crate::alert::Alert;
pub use crate::cluster::Outlook;
use crate::label::{Fingerprint, LabelSet};
use crate::matcher::Matcher;
use crate::route::RouteIndex;
use crate::silence::SilenceId;
use crate::time::Timestamp;

/// Which alerts to show.
#[derive(Debug, Clone, Default)]
pub struct AlertFilter {
    /// Leave out alerts that are neither silenced, inhibited nor (in groups) muted.
    pub without_active: bool,
    /// Leave out silenced alerts.
    pub without_silenced: bool,
    /// Leave out inhibited alerts.
    pub without_inhibited: bool,
    /// Leave out alerts of groups that a time interval mutes (groups only).
    pub without_muted: bool,
    /// All of these must match the alert's labels.
    pub matchers: Vec<Matcher>,
    /// Must match the name of a receiver of the alert; anchored by the caller.
    pub receiver: Option<Regex>,
    /// All of these must match the labels of a receiver of the alert.
    pub receiver_matchers: Vec<Matcher>,
}

/// Why an alert does not notify now, if it doesn't.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlertStatus {
    /// Active silences that match it, sorted.
    pub silenced_by: Vec<SilenceId>,
    /// The alert that inhibits it.
    pub inhibited_by: Vec<Fingerprint>,
    /// Time intervals that mute its group (groups only).
    pub muted_by: Vec<Arc<str>>,
}

impl AlertStatus {
    /// `suppressed` rather than `active`.
    pub fn suppressed(&self) -> bool {
        !(self.silenced_by.is_empty() && self.inhibited_by.is_empty() && self.muted_by.is_empty())
    }
}

/// One alert.
#[derive(Debug, Clone)]
pub struct AlertRow {
    /// The alert.
    pub alert: Arc<Alert>,
    /// Whether it's kept quiet.
    pub status: AlertStatus,
    /// Names of the receivers that its routes lead to.
    pub receivers: Arc<[Arc<str>]>,
}

/// One aggregation group.
#[derive(Debug, Clone)]
pub struct GroupRow {
    /// By which it is grouped.
    pub labels: LabelSet,
    /// Name of the receiver.
    pub receiver: Arc<str>,
    /// Labels of the route.
    pub route_labels: LabelSet,
    /// The group key.
    pub key: Arc<str>,
    /// Index of its route, counted depth first from the root.
    pub route: RouteIndex,
    /// When it's looked at next.
    pub next_flush: Timestamp,
    /// Its alerts that pass the filter, in the order job, instance, labels.
    pub alerts: Vec<AlertRow>,
}

/// A member of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerRow {
    /// Stable name.
    pub name: String,
    /// Where its packets go.
    pub address: SocketAddr,
    /// For how long it has not acknowledged what this member knows; zero when it knows all.
    pub lag: Duration,
    /// What it sees, as far as it has told.
    pub outlook: Option<Outlook>,
}

/// The cluster as this member sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClusterView {
    /// This member's name; empty when high availability is off.
    pub name: String,
    /// Live members sorted by name, this one included; empty when high availability is off.
    pub peers: Vec<PeerRow>,
    /// High availability is on.
    pub enabled: bool,
    /// This member may notify.
    pub settled: bool,
    /// Peers whose state it waits for until then.
    pub awaited: usize,
    /// Index of this member among `peers`.
    pub position: usize,
    /// Known peers that do not answer.
    pub failed_peers: usize,
    /// Changes that wait to be told to peers.
    pub queued: usize,
}

/// How many alerts that aren't resolved are in which state. Time intervals don't count here (reference behaviour).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AlertCounts {
    /// Nothing keeps them quiet.
    pub active: u64,
    /// Silenced or inhibited.
    pub suppressed: u64,
    /// Their groups were not flushed since they came.
    pub unprocessed: u64,
}

/// Whether this member is ready for traffic, and if not, what it waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// Configuration loaded, state merged or the wait for it over.
    Ready,
    /// Text for `/-/ready`.
    Waiting(String),
}
