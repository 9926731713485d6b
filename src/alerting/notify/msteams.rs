//! The two Microsoft Teams integrations: a card for a connector, an adaptive card for a workflow.

use serde::Serialize;

use super::Step;
use super::render::{Notification, Unsendable};
use crate::config::{MsTeamsConfig, MsTeamsV2Config};

const FIRING_COLOR: &str = "8C1A1A";
const RESOLVED_COLOR: &str = "2DC72D";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Card {
    #[serde(rename = "@context")]
    context: &'static str,
    r#type: &'static str,
    title: String,
    summary: String,
    text: String,
    theme_color: &'static str,
}

#[derive(Serialize)]
struct Message {
    r#type: &'static str,
    attachments: [Attachment; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Attachment {
    content_type: &'static str,
    content_url: (),
    content: AdaptiveCard,
}

#[derive(Serialize)]
struct AdaptiveCard {
    #[serde(rename = "$schema")]
    schema: &'static str,
    r#type: &'static str,
    version: &'static str,
    body: [Block; 2],
    msteams: Look,
}

#[derive(Serialize)]
struct Look {
    width: &'static str,
}

#[derive(Serialize, Default)]
struct Block {
    r#type: &'static str,
    text: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    weight: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    size: &'static str,
    wrap: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    style: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    color: &'static str,
}

/// The request for a connector.
///
/// # Errors
/// When a template fails.
pub(super) fn request(config: &MsTeamsConfig, of: &Notification<'_>) -> Result<Step, Unsendable> {
    let fields = of.fields();
    let card = Card {
        context: "http://schema.org/extensions",
        r#type: "MessageCard",
        title: fields.text("title", &config.title)?,
        text: fields.text("text", &config.text)?,
        summary: fields.text("summary", &config.summary)?,
        theme_color: if of.firing() { FIRING_COLOR } else { RESOLVED_COLOR },
    };
    Ok(of.post(of.url(&config.webhook_url)?, &config.http, &card))
}

/// The request for a workflow.
///
/// # Errors
/// When a template fails.
pub(super) fn request_v2(config: &MsTeamsV2Config, of: &Notification<'_>) -> Result<Step, Unsendable> {
    let fields = of.fields();
    let title = Block {
        r#type: "TextBlock",
        text: fields.text("title", &config.title)?,
        weight: "Bolder",
        size: "Medium",
        wrap: true,
        style: "heading",
        color: if of.firing() { "Attention" } else { "Good" },
    };
    let text = Block { r#type: "TextBlock", text: fields.text("text", &config.text)?, wrap: true, ..Block::default() };
    let content = AdaptiveCard {
        schema: "http://adaptivecards.io/schemas/adaptive-card.json",
        r#type: "AdaptiveCard",
        version: "1.2",
        body: [title, text],
        msteams: Look { width: "full" },
    };
    let attachment = Attachment { content_type: "application/vnd.microsoft.card.adaptive", content_url: (), content };
    Ok(of.post(of.url(&config.webhook_url)?, &config.http, &Message { r#type: "message", attachments: [attachment] }))
}
