//! What the engine did, as log lines in the reference's words where it has some.

use std::sync::Arc;

use alerting::alert::Alert;
use alerting::effects::Event;
use alerting::nflog::LogKey;
use alerting::silence::Silence;
use alerting::time::Timestamp;
use tracing::{Level, debug, info, warn};

/// Which events are worth a line at all.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taste {
    /// `--log.silences`
    pub(crate) silences: bool,
}

/// Logs one event.
pub(crate) fn log(event: &Event, taste: Taste) {
    match event {
        Event::MemberJoined { name, address } => {
            info!(component = "cluster", peer = %name, addr = %address, "peer joined");
        }
        Event::MemberLeft { name, address } => {
            info!(component = "cluster", peer = %name, addr = %address, "peer left");
        }
        Event::Settled { reason, after } => {
            if reason.contains("time") {
                info!(component = "cluster", elapsed = ?after, reason, "gossip not settled but continuing anyway");
            } else {
                info!(component = "cluster", elapsed = ?after, reason, "gossip settled; proceeding");
            }
        }
        Event::Notified { key, alerts, attempts, took, .. } => notified(key, alerts, *attempts, *took),
        Event::AttemptFailed { again: true, .. } => {}
        Event::AttemptFailed { key, attempt, error, again: false } => {
            warn!(
                component = "dispatcher",
                receiver = &*key.receiver,
                integration = integration(key),
                aggrGroup = %key.group,
                attempts = attempt,
                err = %error,
                "Notify attempt failed, will retry later"
            );
        }
        Event::NotifyFailed { key, attempts, alerts, permanent, reason, error } => {
            let canceled = if *permanent { " due to unrecoverable error" } else { "" };
            let to = integration(key);
            let err =
                format!("{}/{to}: notify retry canceled{canceled} after {attempts} attempts: {error}", key.receiver);
            tracing::error!(
                component = "dispatcher",
                aggrGroup = %key.group,
                num_alerts = alerts,
                err,
                reason,
                "Notify for alerts failed"
            );
        }
        Event::Held { key, by } => {
            debug!(
                component = "dispatcher",
                receiver = &*key.receiver,
                integration = integration(key),
                aggrGroup = %key.group,
                peer = %by,
                "holding, a peer is sending it"
            );
        }
        Event::TurnPassed { key } => {
            info!(
                component = "dispatcher",
                receiver = &*key.receiver,
                integration = integration(key),
                aggrGroup = %key.group,
                "leaving it to the next peer, the receiver can't be reached from here"
            );
        }
        Event::TurnTaken { key, by } => {
            info!(
                component = "dispatcher",
                receiver = &*key.receiver,
                integration = integration(key),
                aggrGroup = %key.group,
                peer = %by,
                "trying now, a peer can't reach the receiver"
            );
        }
        Event::StoodStill { late } => {
            warn!(component = "cluster", late = ?late, "this member stood still, asking the peers before it notifies");
        }
        Event::PeerRejected { address, error } => {
            warn!(component = "cluster", addr = %address, err = %error, "peer's message refused");
        }
        Event::AlertLimited { name } => warn!(alertname = %name, "alert dropped, its name has too many"),
        Event::RouteLabelFailed { group, label, error } => {
            tracing::error!(aggrGroup = %group, label = %label, err = %error, "failed to render route label");
        }
        Event::SilenceUnusable { id, cause } => {
            tracing::error!(
                component = "silences",
                silence_id = %id,
                err = %cause,
                "Failed to compile silence matchers during snapshot load"
            );
        }
        Event::SilenceChanged { silence, what } => {
            if taste.silences {
                silence_changed(silence, what);
            }
        }
    }
}

/// The first attempt is what is expected; more than one is worth a line at the usual level (reference behaviour).
fn notified(key: &LogKey, alerts: &[Arc<Alert>], attempts: u32, took: std::time::Duration) {
    let (receiver, integration) = (&*key.receiver, integration(key));
    if attempts > 1 {
        info!(
            component = "dispatcher",
            receiver,
            integration,
            aggrGroup = %key.group,
            attempts,
            duration = ?took,
            numAlerts = alerts.len(),
            "Notify success"
        );
    } else if tracing::enabled!(Level::DEBUG) {
        debug!(
            component = "dispatcher",
            receiver,
            integration,
            aggrGroup = %key.group,
            attempts,
            duration = ?took,
            numAlerts = alerts.len(),
            alerts = counted(alerts),
            "Notify success"
        );
    }
}

fn silence_changed(silence: &Silence, what: &str) {
    let verb = match what {
        "created" => "create",
        "updated" => "update",
        _ => "expire",
    };
    let matchers = silence.matcher_sets.iter().flatten();
    let matchers: Vec<String> = matchers.map(|m| format!("{}{}{}", m.name, m.op.as_str(), m.value)).collect();
    info!(
        component = "silences",
        Id = %silence.id,
        CreatedBy = silence.created_by,
        Comment = silence.comment,
        StartsAt = seconds(silence.starts_at),
        EndsAt = seconds(silence.ends_at),
        Matchers = matchers.join(","),
        "{verb} silence"
    );
}

fn seconds(time: Timestamp) -> String {
    Timestamp::from_secs(time.as_secs()).rfc3339_nano()
}

fn integration(key: &LogKey) -> String {
    format!("{}[{}]", key.integration, key.index)
}

/// `MyAlert: 3, OtherAlert: 1`
fn counted(alerts: &[Arc<Alert>]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for alert in alerts {
        match counts.iter_mut().find(|(name, _)| *name == alert.name()) {
            Some((_, count)) => *count += 1,
            None => counts.push((alert.name(), 1)),
        }
    }
    let texts: Vec<String> = counts.iter().map(|(name, count)| format!("{name}: {count}")).collect();
    texts.join(", ")
}
