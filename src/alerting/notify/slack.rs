//! The Slack integration: a message with one attachment, sent anew or changed.
//!
//! A text that can't be rendered does not keep the message back: it is left out, with all that come after it (reference
//! behaviour).

use std::cell::Cell;

use serde::{Deserialize, Serialize};

use super::answer::{by_status, logged};
use super::render::{Fields, Notification, Unsendable};
use super::{REPLY_READ, Response, Step, Then, Verdict, truncate};
use crate::config::{AttachmentField, Secret, SlackAction, SlackConfig};

/// Slack's limit, in characters.
const TITLE_MAX: usize = 1024;

/// Where a message is changed.
const UPDATE: &str = "https://slack.com/api/chat.update";

/// What is found again of a message that can be changed; the names are the reference's.
const TIMESTAMP: &str = "threadTs";
const CHANNEL: &str = "channelId";

#[derive(Serialize)]
struct Message<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    channel: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    ts: &'a str,
    #[serde(skip_serializing_if = "String::is_empty")]
    username: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    icon_emoji: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    icon_url: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    link_names: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    text: String,
    attachments: [Attachment<'a>; 1],
}

#[derive(Serialize)]
struct Attachment<'a> {
    #[serde(skip_serializing_if = "String::is_empty")]
    title: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    title_link: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pretext: String,
    text: String,
    fallback: String,
    callback_id: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<Field>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actions: Vec<Action>,
    #[serde(skip_serializing_if = "String::is_empty")]
    image_url: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    thumb_url: String,
    footer: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    color: String,
    mrkdwn_in: Vec<&'a str>,
}

#[derive(Serialize)]
struct Field {
    #[serde(skip_serializing_if = "String::is_empty")]
    title: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    value: String,
    short: bool,
}

#[derive(Serialize)]
struct Action {
    #[serde(skip_serializing_if = "String::is_empty")]
    r#type: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    text: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    url: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    style: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirm: Option<Confirmation>,
}

#[derive(Serialize)]
struct Confirmation {
    #[serde(skip_serializing_if = "String::is_empty")]
    text: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    title: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    ok_text: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    dismiss_text: String,
}

/// What Slack says in JSON.
#[derive(Deserialize, Default)]
struct Reply {
    #[serde(default)]
    ok: bool,
    #[serde(default)]
    error: String,
    #[serde(default)]
    channel: String,
    #[serde(default)]
    ts: String,
}

/// Renders until the first text that can't be.
struct Texts<'a> {
    fields: Fields<'a>,
    failed: Cell<bool>,
}

impl Texts<'_> {
    fn of(&self, template: &str) -> String {
        let rendered = if self.failed.get() { None } else { self.fields.text("", template).ok() };
        self.failed.set(rendered.is_none());
        rendered.unwrap_or_default()
    }

    fn field(&self, field: &AttachmentField, short: bool) -> Field {
        Field { title: self.of(&field.title), value: self.of(&field.value), short: field.short.unwrap_or(short) }
    }

    fn action(&self, action: &SlackAction) -> Action {
        Action {
            r#type: self.of(&action.kind),
            text: self.of(&action.text),
            url: self.of(&action.url),
            style: self.of(&action.style),
            name: self.of(&action.name),
            value: self.of(&action.value),
            confirm: action.confirm.as_ref().map(|confirm| {
                let title = self.of(&confirm.title);
                Confirmation {
                    title,
                    text: self.of(&confirm.text),
                    ok_text: self.of(&confirm.ok_text),
                    dismiss_text: self.of(&confirm.dismiss_text),
                }
            }),
        }
    }
}

/// The request for a notification.
///
/// # Errors
/// When the URL's file was not read.
pub(super) fn request(config: &SlackConfig, of: &Notification<'_>) -> Result<Step, Unsendable> {
    let texts = Texts { fields: of.fields(), failed: Cell::new(false) };
    // in the order of the reference, since a failure takes effect on what follows
    let title = truncate::to_chars(texts.of(&config.title), TITLE_MAX);
    let title_link = texts.of(&config.title_link);
    let pretext = texts.of(&config.pretext);
    let text = texts.of(&config.text);
    let fallback = texts.of(&config.fallback);
    let callback_id = texts.of(&config.callback_id);
    let image_url = texts.of(&config.image_url);
    let thumb_url = texts.of(&config.thumb_url);
    let footer = texts.of(&config.footer);
    let color = texts.of(&config.color);
    let fields = config.fields.iter().map(|field| texts.field(field, config.short_fields)).collect();
    let actions = config.actions.iter().map(|action| texts.action(action)).collect();
    let mut mrkdwn_in: Vec<&str> = config.mrkdwn_in.iter().map(String::as_str).collect();
    if mrkdwn_in.is_empty() {
        mrkdwn_in = vec!["fallback", "pretext", "text"];
    }
    let attachment = Attachment {
        title,
        title_link,
        pretext,
        text,
        fallback,
        callback_id,
        fields,
        actions,
        image_url,
        thumb_url,
        footer,
        color,
        mrkdwn_in,
    };
    let mut url = of.url(&config.url)?;
    let channel = texts.of(&config.channel);
    let mut message = Message {
        channel: &channel,
        ts: "",
        username: texts.of(&config.username),
        icon_emoji: texts.of(&config.icon_emoji),
        icon_url: texts.of(&config.icon_url),
        link_names: config.link_names,
        text: texts.of(&config.message_text),
        attachments: [attachment],
    };
    let stored = |name| of.stored.text(name).filter(|text| !text.is_empty());
    if config.update_message
        && let Some((ts, channel)) = stored(TIMESTAMP).zip(stored(CHANNEL))
    {
        url = Secret::new(UPDATE);
        (message.ts, message.channel) = (ts, channel);
    }
    let mut request = of.json("POST", url, &config.http, &message);
    request.reply_max = REPLY_READ;
    Ok(Step { request: request.into(), then: Then::Slack { keep: config.update_message } })
}

/// What Slack's answer means: the status is not all.
pub(super) fn verdict(keep: bool, response: &Response) -> Verdict {
    match by_status(response, logged(&response.body)) {
        Verdict::Done { .. } => {}
        refused => return refused,
    }
    let reason = "clientError";
    let shown = logged(&response.body);
    if !response.content_type.starts_with("application/json") {
        return match response.body.as_str() {
            "ok" => Verdict::DONE,
            _ => Verdict::GiveUp { reason, error: format!("received an error response from Slack: {shown}") },
        };
    }
    let reply = match serde_json::from_str::<Option<Reply>>(&response.body) {
        Ok(reply) => reply.unwrap_or_default(),
        Err(error) => {
            let error = format!("could not unmarshal JSON response {shown:?}: {error}");
            return Verdict::Retry { after: response.retry_after, reason, error };
        }
    };
    if !reply.ok {
        return Verdict::GiveUp { reason, error: format!("error response from Slack: {}", logged(&reply.error)) };
    }
    if !keep || reply.ts.is_empty() || reply.channel.is_empty() {
        return Verdict::DONE;
    }
    Verdict::Done { keep: vec![(TIMESTAMP, reply.ts), (CHANNEL, reply.channel)] }
}
