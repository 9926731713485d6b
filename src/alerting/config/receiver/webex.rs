//! Webex.

use std::sync::Arc;

use super::super::error::ConfigError;
use super::super::form::Form;
use super::super::global::Global;
use super::super::http::HttpConfig;
use super::super::url::ApiUrl;
use super::{Settings, http};

/// Settings of a Webex room.
#[derive(Clone, Debug)]
pub struct WebexConfig {
    /// How to connect; has an `authorization`.
    pub http: Arc<HttpConfig>,
    /// Where to post.
    pub api_url: ApiUrl,
    /// Template, Markdown.
    pub message: String,
    /// Template; not empty.
    pub room_id: String,
}

pub(super) fn read(form: &mut Form<'_>, global: &mut Global) -> Result<Settings, ConfigError> {
    let own_http = form.node("http_config").is_some();
    let http = http(form, global)?;
    let api_url = form.url_or("api_url", global.webex_api_url.as_ref())?;
    let message = form.text("message", r#"{{ template "webex.default.message" . }}"#)?;
    let room_id = form.text_shown("room_id", "")?;
    form.complete()?;
    form.refuse_if(room_id.is_empty(), "room_id", "missing room_id on webex_config")?;
    let authorized = own_http && http.authorization.is_some();
    form.refuse_if(!authorized, "http_config", "missing webex_configs.http_config.authorization")?;
    let Some(api_url) = api_url else { return Err(form.error("", "no global Webex URL set")) };
    Ok(Settings::Webex(WebexConfig { http, api_url, message, room_id }))
}
