//! The Discord integration: one embed in a message.

use serde::Serialize;

use super::render::{Notification, Unsendable};
use super::{Step, truncate};
use crate::config::{DiscordConfig, is_url};

/// Discord's limits, in characters.
const TITLE_MAX: usize = 256;
const DESCRIPTION_MAX: usize = 4096;
const CONTENT_MAX: usize = 2000;

const RED: u32 = 0x0099_2d22;
const GREEN: u32 = 0x002e_cc71;

#[derive(Serialize)]
struct Message<'a> {
    content: String,
    embeds: [Embed; 1],
    #[serde(skip_serializing_if = "str::is_empty")]
    username: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    avatar_url: &'a str,
}

#[derive(Serialize)]
struct Embed {
    title: String,
    description: String,
    color: u32,
}

/// The request for a notification.
///
/// # Errors
/// When a template fails.
pub(super) fn request(config: &DiscordConfig, of: &Notification<'_>) -> Result<Step, Unsendable> {
    let fields = of.fields();
    let title = truncate::to_chars(fields.text("title", &config.title)?, TITLE_MAX);
    let description = truncate::to_chars(fields.text("message", &config.message)?, DESCRIPTION_MAX);
    let content = truncate::to_chars(fields.text("content", &config.content)?, CONTENT_MAX);
    let message = Message {
        content,
        embeds: [Embed { title, description, color: if of.firing() { RED } else { GREEN } }],
        username: &config.username,
        // one that makes no sense is left out (reference behaviour)
        avatar_url: if is_url(&config.avatar_url) { &config.avatar_url } else { "" },
    };
    Ok(of.post(of.url(&config.webhook_url)?, &config.http, &message))
}
