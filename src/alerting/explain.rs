//! Why an alert notifies, or doesn't: what the stages, the log and the deliveries say about it at a moment, group by
//! group and integration by integration.

use std::sync::Arc;

use crate::alert::Alert;
use crate::label::{Fingerprint, LabelSet};
use crate::ledger::Line;
use crate::silence::SilenceId;
use crate::time::Timestamp;

/// All that is known about one alert.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The alert.
    pub alert: Arc<Alert>,
    /// Whether it is resolved.
    pub resolved: bool,
    /// Active silences that match it, sorted.
    pub silenced_by: Vec<SilenceId>,
    /// What inhibits it.
    pub inhibited_by: Option<Inhibition>,
    /// Its groups, in the order of the routing tree; none once its end has been told.
    pub groups: Vec<GroupVerdict>,
}

/// A rule and an alert that keep another one quiet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inhibition {
    /// The alert that fires.
    pub by: Fingerprint,
    /// The place of the rule in the configuration, from 0.
    pub rule: usize,
    /// The rule's name, if it has one.
    pub name: Option<Arc<str>>,
}

/// What becomes of an alert in one of its groups.
#[derive(Debug, Clone)]
pub struct GroupVerdict {
    /// Name of the receiver.
    pub receiver: Arc<str>,
    /// The group key: it names the route.
    pub key: Arc<str>,
    /// By which it is grouped.
    pub labels: LabelSet,
    /// When the group is looked at next.
    pub next_flush: Timestamp,
    /// One for each integration of the receiver; a receiver without any notifies nobody.
    pub integrations: Vec<IntegrationVerdict>,
}

/// What becomes of it at one integration.
#[derive(Debug, Clone)]
pub struct IntegrationVerdict {
    /// E.g. `webhook`.
    pub integration: &'static str,
    /// Among those of its kind in the receiver, from 0.
    pub index: u32,
    /// Why it is as it is.
    pub reason: Reason,
    /// The last notification of the group, by any member.
    pub last: Option<LastWord>,
    /// What became of the last ones that this member knows of since its start, the newest first.
    pub history: Vec<Line>,
}

/// The last notification of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastWord {
    /// When.
    pub at: Timestamp,
    /// What it said about the alert.
    pub said: Said,
}

/// What a notification said about an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// That it fires.
    Firing,
    /// That it's resolved.
    Resolved,
    /// Nothing.
    Nothing,
    /// Two members that could not talk said opposite things, and nobody knows which came last.
    Unsure,
}

/// Why an alert notifies or doesn't; [`Reason::code`] is stable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// A silence matches it.
    Silenced,
    /// Another alert inhibits it.
    Inhibited,
    /// Time intervals of the route mute its group.
    TimeMuted(Vec<Arc<str>>),
    /// This member waits for the state of its peers before it notifies.
    Settling,
    /// The group is new, or was looked at last before the alert was in it: its next flush tells of it.
    Waits {
        /// Whether it is the group's first flush.
        first: bool,
    },
    /// It waits for its turn among the members, until then.
    Turn(Timestamp),
    /// Another member is sending it.
    OtherMemberSends(String),
    /// A request is under way.
    Sending,
    /// The last attempt failed; the next one is then.
    DeliveryFailed {
        /// So many were made.
        attempts: u32,
        /// When the next one is made.
        next: Timestamp,
        /// What went wrong.
        error: String,
    },
    /// It was told as it is: again when something changes, or after the repeat interval.
    NotChanged,
    /// Its end isn't told to this integration (`send_resolved`).
    EndNotWanted,
    /// It was resolved before anybody was told that it fires.
    NeverTold,
}

impl Reason {
    /// The same in all versions, for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Silenced => "silenced",
            Self::Inhibited => "inhibited",
            Self::TimeMuted(_) => "time_muted",
            Self::Settling => "settling",
            Self::Waits { first: true } => "group_wait",
            Self::Waits { first: false } => "group_interval",
            Self::Turn(_) => "turn",
            Self::OtherMemberSends(_) => "other_member_sends",
            Self::Sending => "sending",
            Self::DeliveryFailed { .. } => "delivery_failed",
            Self::NotChanged => "not_changed",
            Self::EndNotWanted => "end_not_wanted",
            Self::NeverTold => "never_told",
        }
    }
}

impl Said {
    /// The same in all versions, for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Resolved => "resolved",
            Self::Nothing => "nothing",
            Self::Unsure => "unsure",
        }
    }
}

impl Explanation {
    /// The verdict as people read it, the same in all of our tools. Times are UTC.
    pub fn sentence(&self, now: Timestamp, group: &GroupVerdict, verdict: &IntegrationVerdict) -> String {
        let clock = |at: Timestamp| format!("{} (in {} s)", at.rfc3339_millis(), at.since(now).as_secs());
        let word = if self.resolved { "that it is resolved" } else { "that it fires" };
        let list = |names: Vec<String>| names.join(", ");
        match &verdict.reason {
            Reason::Silenced => {
                format!("silenced by {}", list(self.silenced_by.iter().map(ToString::to_string).collect()))
            }
            Reason::Inhibited => match &self.inhibited_by {
                Some(Inhibition { by, rule, name }) => {
                    let name = name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
                    format!("inhibited by alert {by}, which fires, by rule {rule}{name} of inhibit_rules")
                }
                None => "inhibited by an alert that has just ended".to_owned(),
            },
            Reason::TimeMuted(names) => {
                format!("muted by time: {}", list(names.iter().map(ToString::to_string).collect()))
            }
            Reason::Settling => "this member waits for the state of its peers before it notifies".to_owned(),
            Reason::Waits { .. } => {
                format!("will be told {word} when the group is flushed, at {}", clock(group.next_flush))
            }
            Reason::Turn(until) => format!("waits for this member's turn, at {}", clock(*until)),
            Reason::OtherMemberSends(by) => format!("{by} is sending it"),
            Reason::Sending => "a request is under way".to_owned(),
            Reason::DeliveryFailed { attempts, next, error } => {
                format!("attempt {attempts} failed: {error}; the next one is made at {}", clock(*next))
            }
            Reason::NotChanged => match verdict.last {
                Some(last) => format!("told {word} at {}; nothing has changed since", last.at.rfc3339_millis()),
                None => format!("told {word}"),
            },
            Reason::EndNotWanted => "this integration is not told of the end of alerts (send_resolved)".to_owned(),
            Reason::NeverTold => "it was over before anybody was told that it fires".to_owned(),
        }
    }
}
