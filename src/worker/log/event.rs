//! What the engine did, as log lines in the reference's words where it has some.

use alerting::effects::Event;
use alerting::nflog::LogKey;
use tracing::{debug, info, warn};

/// Which events are worth a line at all.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taste {
    /// `--log.silences`
    pub(crate) silences: bool,
}

/// Logs one event.
pub(crate) fn log(event: &Event, taste: Taste) {
    match event {
        Event::MemberJoined { name, address } => info!(peer = %name, addr = %address, "peer joined"),
        Event::MemberLeft { name, address } => info!(peer = %name, addr = %address, "peer left"),
        Event::Settled { reason, after } => {
            if reason.contains("time") {
                info!(elapsed = ?after, reason, "gossip not settled but continuing anyway");
            } else {
                info!(elapsed = ?after, reason, "gossip settled; proceeding");
            }
        }
        Event::Notified { key, reason, firing, resolved, attempts } => {
            let (receiver, integration) = names(key);
            debug!(
                component = "dispatcher",
                receiver,
                integration,
                aggrGroup = %key.group,
                attempts,
                firing,
                resolved,
                reason = reason.text(),
                "Notify success"
            );
        }
        Event::AttemptFailed { key, attempt, error } => {
            let (receiver, integration) = names(key);
            warn!(
                component = "dispatcher",
                receiver,
                integration,
                aggrGroup = %key.group,
                attempts = attempt,
                err = %error,
                "Notify attempt failed, will retry later"
            );
        }
        Event::NotifyFailed { key, attempts, reason, error } => {
            let (receiver, integration) = names(key);
            tracing::error!(
                component = "dispatcher",
                receiver,
                integration,
                aggrGroup = %key.group,
                attempts,
                reason,
                err = %error,
                "Notify for alerts failed"
            );
        }
        Event::PeerRejected { address, error } => warn!(addr = %address, err = %error, "peer's message refused"),
        Event::AlertLimited { name } => warn!(alertname = %name, "alert dropped, its name has too many"),
        Event::RouteLabelFailed { group, label, error } => {
            tracing::error!(aggrGroup = %group, label = %label, err = %error, "failed to render route label");
        }
        Event::SilenceUnusable { id, cause } => {
            tracing::error!(silence_id = %id, err = %cause, "Failed to compile silence matchers during snapshot load");
        }
        Event::SilenceChanged { id, what } => {
            if taste.silences {
                info!(silence_id = %id, "silence {what}");
            }
        }
    }
}

fn names(key: &LogKey) -> (&str, String) {
    (&key.receiver, format!("{}[{}]", key.integration, key.index))
}
