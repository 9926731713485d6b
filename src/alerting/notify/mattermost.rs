//! The Mattermost integration: a message with attachments.

use serde::Serialize;

use super::render::{Fields, Notification, Unsendable};
use super::{Step, truncate};
use crate::config::{MattermostAttachment, MattermostConfig, MattermostPriority};

/// Mattermost's limit, in characters.
const TEXT_MAX: usize = 16383;

#[derive(Serialize)]
struct Message {
    #[serde(skip_serializing_if = "String::is_empty")]
    text: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    channel: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    username: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    icon_url: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    icon_emoji: String,
    attachments: Vec<Attachment>,
    #[serde(skip_serializing_if = "String::is_empty")]
    r#type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    props: Option<Props>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<Priority>,
}

#[derive(Serialize)]
struct Props {
    #[serde(skip_serializing_if = "String::is_empty")]
    card: String,
}

#[derive(Serialize)]
struct Priority {
    priority: &'static str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    requested_ack: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    persistent_notifications: bool,
}

#[derive(Serialize)]
struct Attachment {
    #[serde(skip_serializing_if = "String::is_empty")]
    fallback: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    color: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pretext: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    text: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    author_name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    author_link: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    author_icon: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    title: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    title_link: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<Field>,
    #[serde(skip_serializing_if = "String::is_empty")]
    thumb_url: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    footer: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    footer_icon: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    image_url: String,
}

#[derive(Serialize)]
struct Field {
    #[serde(skip_serializing_if = "String::is_empty")]
    title: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    short: Option<bool>,
}

/// The request for a notification.
///
/// # Errors
/// When a template fails, or the URL's file is empty.
pub(super) fn request(config: &MattermostConfig, of: &Notification<'_>) -> Result<Step, Unsendable> {
    let fields = of.fields();
    let url = of.url(&config.webhook_url)?;
    if url.is_empty() {
        return Err(Unsendable::Empty("webhook_url"));
    }
    let (text, attachments) = if config.attachments.is_empty() {
        (String::new(), vec![attachment(&fields, &config.attachment)?])
    } else {
        let attachments = config.attachments.iter().map(|one| attachment(&fields, one)).collect::<Result<_, _>>()?;
        (truncate::to_chars(fields.text("text", &config.attachment.text)?, TEXT_MAX), attachments)
    };
    let card = config.card.as_ref().filter(|card| !card.is_empty());
    let message = Message {
        text,
        channel: fields.text("channel", &config.channel)?,
        username: fields.text("username", &config.username)?,
        icon_url: fields.text("icon_url", &config.icon_url)?,
        icon_emoji: fields.text("icon_emoji", &config.icon_emoji)?,
        attachments,
        r#type: fields.text("type", &config.kind)?,
        props: card.map(|card| Ok(Props { card: fields.text("props.card", card)? })).transpose()?,
        priority: config.priority.as_ref().map(|of| priority(&fields, of)).transpose()?.flatten(),
    };
    Ok(of.post(url, &config.http, &message))
}

/// What makes no sense with the priority is left out (reference behaviour).
fn priority(fields: &Fields<'_>, of: &MattermostPriority) -> Result<Option<Priority>, Unsendable> {
    if of.priority.is_empty() {
        return Ok(None);
    }
    let priority = match fields.text("priority", &of.priority)?.to_lowercase().as_str() {
        "urgent" => "urgent",
        "important" => "important",
        _ => "standard",
    };
    Ok(Some(Priority {
        priority,
        requested_ack: of.requested_ack && priority != "standard",
        persistent_notifications: of.persistent_notifications && priority == "urgent",
    }))
}

fn attachment(fields: &Fields<'_>, of: &MattermostAttachment) -> Result<Attachment, Unsendable> {
    let text = |template: &str| fields.text("attachments", template);
    let rows = of
        .fields
        .iter()
        .map(|field| Ok(Field { title: text(&field.title)?, value: text(&field.value)?, short: field.short }));
    Ok(Attachment {
        fallback: text(&of.fallback)?,
        color: text(&of.color)?,
        pretext: text(&of.pretext)?,
        text: text(&of.text)?,
        author_name: text(&of.author_name)?,
        author_link: text(&of.author_link)?,
        author_icon: text(&of.author_icon)?,
        title: text(&of.title)?,
        title_link: text(&of.title_link)?,
        fields: rows.collect::<Result<_, Unsendable>>()?,
        thumb_url: text(&of.thumb_url)?,
        footer: text(&of.footer)?,
        footer_icon: text(&of.footer_icon)?,
        image_url: text(&of.image_url)?,
    })
}
