//! The Rocket.Chat integration: a message with one attachment.

use serde::{Deserialize, Serialize};

use super::answer::{by_status, logged};
use super::render::{Notification, Unsendable};
use super::{REPLY_READ, Response, Step, Then, Verdict, truncate};
use crate::config::{RocketchatConfig, Secret};

/// Rocket.Chat's limit, in characters.
const TITLE_MAX: usize = 1024;

#[derive(Serialize)]
struct Message {
    #[serde(skip_serializing_if = "String::is_empty")]
    channel: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    emoji: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    avatar: String,
    attachments: [Attachment; 1],
}

#[derive(Serialize)]
struct Attachment {
    #[serde(skip_serializing_if = "String::is_empty")]
    title: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    title_link: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    text: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    image_url: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    thumb_url: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    color: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<Field>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actions: Vec<Action>,
}

#[derive(Serialize)]
struct Field {
    short: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    title: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    value: String,
}

#[derive(Serialize)]
struct Action {
    r#type: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    text: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    url: String,
    is_webview: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    msg: String,
    msg_in_chat_window: bool,
}

/// The request for a notification.
///
/// # Errors
/// When a template fails.
pub(super) fn request(config: &RocketchatConfig, of: &Notification<'_>) -> Result<Step, Unsendable> {
    let fields = of.fields();
    let rows = config.fields.iter().map(|field| {
        let (title, value) = (fields.text("fields", &field.title)?, fields.text("fields", &field.value)?);
        Ok(Field { short: field.short.unwrap_or(config.short_fields), title, value })
    });
    let actions = config.actions.iter().map(|action| {
        Ok(Action {
            r#type: "button",
            text: fields.text("actions", &action.text)?,
            url: fields.text("actions", &action.url)?,
            is_webview: false,
            msg: fields.text("actions", &action.msg)?,
            msg_in_chat_window: false,
        })
    });
    let attachment = Attachment {
        title: truncate::to_chars(fields.text("title", &config.title)?, TITLE_MAX),
        title_link: fields.text("title_link", &config.title_link)?,
        text: fields.text("text", &config.text)?,
        image_url: fields.text("image_url", &config.image_url)?,
        thumb_url: fields.text("thumb_url", &config.thumb_url)?,
        color: fields.text("color", &config.color)?,
        fields: rows.collect::<Result<_, Unsendable>>()?,
        actions: actions.collect::<Result<_, Unsendable>>()?,
    };
    let message = Message {
        channel: fields.text("channel", &config.channel)?,
        emoji: fields.text("emoji", &config.emoji)?,
        avatar: fields.text("icon_url", &config.icon_url)?,
        attachments: [attachment],
    };
    let url = Secret::new(config.api_url.join("api/v1/chat.postMessage").to_string());
    let mut request = of.json("POST", url, &config.http, &message);
    request.secret_headers = vec![
        ("X-Auth-Token", Secret::new(of.secret(&config.token)?)),
        ("X-User-Id", Secret::new(of.secret(&config.token_id)?)),
    ];
    request.reply_max = REPLY_READ;
    Ok(Step { request: request.into(), then: Then::Rocketchat })
}

/// Refusals may come with a status of success.
pub(super) fn verdict(response: &Response) -> Verdict {
    #[derive(Deserialize, Default)]
    struct Reply {
        #[serde(default)]
        success: bool,
        #[serde(default)]
        error: String,
    }
    match by_status(response, logged(&response.body)) {
        Verdict::Done { .. } => {}
        refused => return refused,
    }
    let reason = "clientError";
    match serde_json::from_str(&response.body).map(Option::<Reply>::unwrap_or_default) {
        Ok(Reply { success: true, .. }) => Verdict::DONE,
        Ok(Reply { error, .. }) => {
            Verdict::GiveUp { reason, error: format!("error response from Rocketchat: {}", logged(&error)) }
        }
        Err(error) => {
            let error = format!("could not unmarshal JSON response {:?}: {error}", logged(&response.body));
            Verdict::Retry { after: response.retry_after, reason, error }
        }
    }
}
