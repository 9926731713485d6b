//! The Webex integration: a Markdown message in a room.

use serde::Serialize;

use super::render::{Notification, Unsendable};
use super::{Step, truncate};
use crate::config::{Secret, WebexConfig};

/// Webex's limit, in bytes.
const MESSAGE_MAX: usize = 7439;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    markdown: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    room_id: String,
}

/// The request for a notification.
///
/// # Errors
/// When a template fails.
pub(super) fn request(config: &WebexConfig, of: &Notification<'_>) -> Result<Step, Unsendable> {
    let fields = of.fields();
    let markdown = truncate::to_bytes(fields.text("message", &config.message)?, MESSAGE_MAX);
    // a message without a room is Webex's to refuse (reference behaviour)
    let message = Message { markdown, room_id: fields.text_or_nothing(&config.room_id) };
    let url = Secret::new(config.api_url.to_string());
    Ok(of.post(url, &config.http, &message))
}
