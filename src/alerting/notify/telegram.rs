//! The Telegram integration: a message of a bot in a chat.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::answer::logged;
use super::render::{Notification, Unsendable};
use super::{REPLY_READ, Response, Step, Then, Verdict, truncate};
use crate::config::{ParseMode, Secret, TelegramConfig};

/// Telegram's limit, in characters.
const MESSAGE_MAX: usize = 4096;

/// Stands for HTML that is too long, since HTML can't be cut anywhere; the text is the reference's.
const TOO_LONG: &str = "Alertmanager notification could not be sent: message length exceeds Telegram limits.\n\
                        \t\t\tPlease check the template used for producing the message content.";

/// The request for a notification.
///
/// # Errors
/// When the template fails, or the file with the chat holds no number.
pub(super) fn request(config: &TelegramConfig, of: &Notification<'_>) -> Result<Step, Unsendable> {
    let fields = of.fields();
    let text = match config.parse_mode {
        ParseMode::Html => {
            let html = fields.html("message", &config.message)?;
            if html.chars().count() > MESSAGE_MAX { TOO_LONG.to_owned() } else { html }
        }
        _ => truncate::to_chars(fields.text("message", &config.message)?, MESSAGE_MAX),
    };
    let chat = match &config.chat_id_file {
        Some(path) => of.file(path)?.trim().parse().map_err(|_| Unsendable::NoNumber(path.clone()))?,
        None => config.chat_id.unwrap_or_default(),
    };
    let mut message = BTreeMap::from([("chat_id", chat.to_string()), ("text", text)]);
    message.insert("disable_web_page_preview", "true".into());
    if config.disable_notifications {
        message.insert("disable_notification", "true".into());
    }
    if config.message_thread_id != 0 {
        message.insert("message_thread_id", config.message_thread_id.to_string());
    }
    let mode = match config.parse_mode {
        ParseMode::Plain => None,
        ParseMode::Html => Some("HTML"),
        ParseMode::Markdown => Some("Markdown"),
        ParseMode::MarkdownV2 => Some("MarkdownV2"),
    };
    if let Some(mode) = mode {
        message.insert("parse_mode", mode.into());
    }
    let url = Secret::new(format!("{}/bot{}/sendMessage", config.api_url, of.secret(&config.bot_token)?));
    let mut request = of.json("POST", url, &config.http, &message);
    request.reply_max = REPLY_READ;
    Ok(Step { request: request.into(), then: Then::Telegram })
}

/// Every refusal is tried again, and all are counted alike; the status does not count (reference behaviour).
pub(super) fn verdict(response: &Response) -> Verdict {
    #[derive(Deserialize, Default)]
    struct Reply {
        #[serde(default)]
        ok: bool,
        #[serde(default)]
        description: String,
        #[serde(default)]
        parameters: Parameters,
    }
    #[derive(Deserialize, Default)]
    struct Parameters {
        retry_after: Option<u64>,
    }
    let reply: Result<Reply, _> = serde_json::from_str(&response.body);
    let (after, error) = match reply {
        Ok(Reply { ok: true, .. }) => return Verdict::DONE,
        Ok(reply) => (reply.parameters.retry_after, format!("telegram: {}", logged(&reply.description))),
        Err(_) => (None, "telegram: the answer is not the JSON that it should be".to_owned()),
    };
    let after = after.map(Duration::from_secs).or(response.retry_after);
    Verdict::Retry { after, reason: "other", error: format!("{error} ({})", response.status) }
}
