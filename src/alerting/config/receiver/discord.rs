//! Discord.

use std::sync::Arc;

use super::super::error::ConfigError;
use super::super::form::Form;
use super::super::global::Global;
use super::super::http::HttpConfig;
use super::super::model::UrlSource;
use super::{Settings, http, webhook_url};

/// Settings of a Discord webhook.
#[derive(Clone, Debug)]
pub struct DiscordConfig {
    /// How to connect.
    pub http: Arc<HttpConfig>,
    /// Where to post.
    pub webhook_url: UrlSource,
    /// Template of the text outside of the embed; empty: none.
    pub content: String,
    /// Template of the embed's title.
    pub title: String,
    /// Template of the embed's description.
    pub message: String,
    /// Not a template; empty: the webhook's own.
    pub username: String,
    /// Not a template; empty: the webhook's own.
    pub avatar_url: String,
}

pub(super) fn read(form: &mut Form<'_>, global: &mut Global) -> Result<Settings, ConfigError> {
    let http = http(form, global)?;
    let webhook_url = webhook_url(form)?;
    let content = form.text("content", "")?;
    let title = form.text("title", r#"{{ template "discord.default.title" . }}"#)?;
    let message = form.text("message", r#"{{ template "discord.default.message" . }}"#)?;
    let username = form.text("username", "")?;
    let avatar_url = form.text("avatar_url", "")?;
    form.complete()?;
    let Some(webhook_url) = webhook_url else {
        return Err(form.error("", "one of webhook_url or webhook_url_file must be configured"));
    };
    Ok(Settings::Discord(DiscordConfig { http, webhook_url, content, title, message, username, avatar_url }))
}
