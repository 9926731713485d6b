//! The VictorOps integration: an alert for the REST endpoint.

use std::collections::BTreeMap;

use super::render::{Notification, Unsendable};
use super::{Step, truncate};
use crate::config::{Secret, VictoropsConfig};

/// VictorOps' limit, in characters.
const MESSAGE_MAX: usize = 20480;

/// The request for a notification.
///
/// # Errors
/// When a template fails.
pub(super) fn request(config: &VictoropsConfig, of: &Notification<'_>) -> Result<Step, Unsendable> {
    let fields = of.fields();
    let routing_key = fields.text("routing_key", &config.routing_key)?;
    let url = config.api_url.with_suffix(&format!("{}/{routing_key}", of.secret(&config.api_key)?));
    let mut kind = fields.text("message_type", &config.message_type)?;
    if !of.firing() {
        kind = "RECOVERY".into();
    } else if !["INFO", "WARNING", "CRITICAL"].contains(&kind.as_str()) {
        kind = "CRITICAL".into();
    }
    let mut message = BTreeMap::from([
        ("message_type", kind),
        ("entity_id", of.key_hash()),
        ("entity_display_name", fields.text("entity_display_name", &config.entity_display_name)?),
        ("state_message", truncate::to_chars(fields.text("state_message", &config.state_message)?, MESSAGE_MAX)),
        ("monitoring_tool", fields.text("monitoring_tool", &config.monitoring_tool)?),
    ]);
    for (name, value) in &config.custom_fields {
        message.insert(name, fields.text("custom_fields", value)?);
    }
    Ok(of.post(Secret::new(url.to_string()), &config.http, &message))
}
