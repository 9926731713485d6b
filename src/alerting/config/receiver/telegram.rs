//! Telegram.

use std::sync::Arc;

use super::super::error::ConfigError;
use super::super::form::Form;
use super::super::global::Global;
use super::super::http::{HttpConfig, SecretSource};
use super::super::out::Out;
use super::super::url::ApiUrl;
use super::{Settings, http};

/// Settings of a Telegram chat.
#[derive(Clone, Debug)]
pub struct TelegramConfig {
    /// How to connect.
    pub http: Arc<HttpConfig>,
    /// Without the bot's part of the path.
    pub api_url: ApiUrl,
    /// Of the bot.
    pub bot_token: SecretSource,
    /// Not 0; `None`: in the file.
    pub chat_id: Option<i64>,
    /// Holds the chat's ID, read at each send; excludes `chat_id`.
    pub chat_id_file: Option<String>,
    /// Topic in the chat; 0: none.
    pub message_thread_id: i64,
    /// Template.
    pub message: String,
    /// Whether it comes without a sound.
    pub disable_notifications: bool,
    /// How the text is read.
    pub parse_mode: ParseMode,
}

/// How Telegram reads a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseMode {
    /// As it is.
    Plain,
    /// `HTML`: the message is an HTML template.
    Html,
    /// `Markdown`
    Markdown,
    /// `MarkdownV2`
    MarkdownV2,
}

pub(super) fn read(form: &mut Form<'_>, global: &mut Global) -> Result<Settings, ConfigError> {
    let http = http(form, global)?;
    let api_url = form.raw_url("api_url")?.or_else(|| global.telegram_api_url.clone());
    form.printed().put("api_url", api_url.as_ref().map_or(Out::Null, |url| Out::text(url.to_string())));
    let own = (form.is_set("bot_token"), form.is_set("bot_token_file"));
    let inherited = if own.0 || own.1 { Default::default() } else { global.telegram_bot_token.clone() };
    let bot_token = form.secret_or("bot_token", inherited.inline.as_ref())?;
    let bot_token_file = form.file_or("bot_token_file", inherited.file.as_ref())?;
    let chat_id = Some(form.int("chat_id", "int64")?).filter(|id| *id != 0);
    let chat_id_file = form.file("chat_id_file")?;
    let message_thread_id = form.int("message_thread_id", "int")?;
    let message = form.text("message", r#"{{ template "telegram.default.message" . }}"#)?;
    let disable_notifications = form.switch("disable_notifications")?;
    let mode = form.text("parse_mode", "HTML")?;
    form.complete()?;
    form.refuse_if(own.0 && own.1, "bot_token_file", "at most one of bot_token & bot_token_file must be configured")?;
    let neither = chat_id.is_none() && chat_id_file.is_none();
    form.refuse_if(neither, "", "missing chat_id or chat_id_file on telegram_config")?;
    let both = chat_id.is_some() && chat_id_file.is_some();
    form.refuse_if(both, "chat_id_file", "at most one of chat_id & chat_id_file must be configured")?;
    let parse_mode = match mode.as_str() {
        "" => ParseMode::Plain,
        "HTML" => ParseMode::Html,
        "Markdown" => ParseMode::Markdown,
        "MarkdownV2" => ParseMode::MarkdownV2,
        _ => {
            let message = "unknown parse_mode on telegram_config, must be Markdown, MarkdownV2, HTML or empty string";
            return Err(form.error("parse_mode", message));
        }
    };
    let Some(bot_token) = SecretSource::of(bot_token, bot_token_file) else {
        return Err(form.error("", "missing bot_token or bot_token_file on telegram_config"));
    };
    let Some(api_url) = api_url else { return Err(form.error("api_url", "no global Telegram API URL set")) };
    Ok(Settings::Telegram(TelegramConfig {
        http,
        api_url,
        bot_token,
        chat_id,
        chat_id_file,
        message_thread_id,
        message,
        disable_notifications,
        parse_mode,
    }))
}
