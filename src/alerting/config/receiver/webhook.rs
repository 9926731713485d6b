//! Webhooks.

use std::sync::Arc;
use std::time::Duration;

use super::super::error::ConfigError;
use super::super::form::Form;
use super::super::global::Global;
use super::super::http::HttpConfig;
use super::super::model::UrlSource;
use super::super::secret::{HIDDEN, Secret};
use super::super::template;
use super::super::url::ApiUrl;
use super::super::value::Value;
use super::{Settings, http};

/// Settings of a webhook.
#[derive(Clone, Debug)]
pub struct WebhookConfig {
    /// Where to post; a template.
    pub url: UrlSource,
    /// At most so many alerts in one body; 0: all.
    pub max_alerts: u64,
    /// Limit of one attempt; 0: none but the pipeline's.
    pub timeout: Duration,
    /// In place of the usual body; its texts are templates.
    pub payload: Option<Value>,
    /// How to connect.
    pub http: Arc<HttpConfig>,
}

impl WebhookConfig {
    /// Whether the URL has to be rendered before each attempt. That of a file may have to.
    pub fn url_is_template(&self) -> bool {
        matches!(&self.url, UrlSource::Inline(url) if url.expose().contains("{{"))
    }
}

pub(super) fn read(form: &mut Form<'_>, global: &mut Global) -> Result<Settings, ConfigError> {
    let http = http(form, global)?;
    let url = read_url(form)?;
    let file = form.text_shown("url_file", "")?;
    let max_alerts = form.count("max_alerts")?;
    let timeout = form.go_duration("timeout")?;
    let payload = form.value("payload")?;
    form.complete()?;
    let url = match (url, Some(file).filter(|file| !file.is_empty())) {
        (Some(url), None) => UrlSource::Inline(url),
        (None, Some(file)) => UrlSource::File(file),
        (None, None) => return Err(form.error("", "one of url or url_file must be configured")),
        (Some(_), Some(_)) => {
            return Err(form.error("url_file", "at most one of url & url_file must be configured"));
        }
    };
    Ok(Settings::Webhook(WebhookConfig { url, max_alerts, timeout, payload, http }))
}

fn read_url(form: &mut Form<'_>) -> Result<Option<Secret>, ConfigError> {
    let url = form.secret_of("url", "common.plain")?;
    let Some(text) = url.as_ref().map(Secret::expose).filter(|text| *text != HIDDEN) else { return Ok(url) };
    if text.contains("{{") {
        template::check_builtin(text).map_err(|e| form.error("url", format!("invalid template syntax: {e}")))?;
    } else {
        ApiUrl::parse(text).map_err(|e| form.error("url", format!("invalid URL: {e}")))?;
    }
    Ok(url)
}
