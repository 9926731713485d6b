//! What the event recorder writes down, when [`Options::record_events`](crate::effects::Options) asks for it: facts
//! with handles to what they are about, so that making one costs little.

use std::sync::Arc;
use std::time::Duration;

use crate::alert::Alert;
use crate::config::InhibitRule;
use crate::effects::DeliveryId;
use crate::label::{Fingerprint, LabelSet};
use crate::matcher::Matcher;
use crate::nflog::SendReason;
use crate::silence::Silence;
use crate::time::Timestamp;

/// One fact.
#[derive(Debug, Clone)]
pub enum Record {
    /// An alert is new.
    AlertCreated(Arc<Alert>),
    /// A post of an alert reached a group that it belongs to.
    AlertGrouped {
        /// The alert.
        alert: Arc<Alert>,
        /// The group.
        group: GroupInfo,
    },
    /// An alert was resolved at a flush of its group that went well.
    AlertResolved {
        /// The alert.
        alert: Arc<Alert>,
        /// The group.
        group: GroupInfo,
    },
    /// A notification went out.
    Notification(Box<Notification>),
    /// A silence is new.
    SilenceCreated(Arc<Silence>),
    /// A silence was changed in place.
    SilenceUpdated(Arc<Silence>),
    /// A silence kept an alert from a notification.
    SilenceMuted {
        /// The silence.
        silence: Arc<Silence>,
        /// The alert.
        alert: Arc<Alert>,
    },
    /// A rule kept an alert from a notification.
    InhibitionMuted {
        /// The rule.
        rule: InhibitRule,
        /// The alert.
        alert: Arc<Alert>,
        /// The alert that inhibits it.
        by: Fingerprint,
    },
}

/// What the stages decided at a flush of a group, for tracing.
#[derive(Debug, Clone)]
pub struct FlushReport {
    /// The group.
    pub group: GroupInfo,
    /// Alerts in it.
    pub alerts: usize,
    /// Held back by inhibition.
    pub inhibited: usize,
    /// Held back by silences.
    pub silenced: usize,
    /// Time intervals that muted all of it.
    pub muted_by: Vec<Arc<str>>,
    /// Alerts that passed and fire.
    pub firing: usize,
    /// Alerts that passed and are resolved.
    pub resolved: usize,
    /// What is due: to be delivered, to which kind of integration, and why.
    pub deliveries: Vec<(DeliveryId, &'static str, SendReason)>,
}

/// Which group.
#[derive(Debug, Clone)]
pub struct GroupInfo {
    /// The group key.
    pub key: Arc<str>,
    /// By which it is grouped.
    pub labels: LabelSet,
    /// Name of the receiver.
    pub receiver: Arc<str>,
}

/// A notification that went out.
#[derive(Debug, Clone)]
pub struct Notification {
    /// When it was looked at: what is resolved counts from then.
    pub at: Timestamp,
    /// The alerts in it, in the order to print.
    pub alerts: Vec<Arc<Alert>>,
    /// Log hashes of the alerts that fired.
    pub firing: Vec<u64>,
    /// Log hashes of the alerts that were resolved, told or not.
    pub resolved: Vec<u64>,
    /// Log hashes of the alerts that were silenced or inhibited.
    pub muted: Vec<u64>,
    /// The group.
    pub group: GroupInfo,
    /// A number of the group that no other group of this process has.
    pub group_serial: u64,
    /// Of the route.
    pub matchers: Vec<Matcher>,
    /// Of the route.
    pub repeat_interval: Duration,
    /// Why it was due.
    pub reason: SendReason,
    /// Flushes of the group so far, this one included.
    pub flush: u64,
    /// Kind of the integration.
    pub integration: &'static str,
    /// Index of the integration among those of its kind in the receiver.
    pub index: u32,
}
