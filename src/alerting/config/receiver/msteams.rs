//! Microsoft Teams: connectors (first version) and workflows (second).

use std::sync::Arc;

use super::super::error::ConfigError;
use super::super::form::Form;
use super::super::global::Global;
use super::super::http::{HttpConfig, ProxyConfig};
use super::super::model::UrlSource;
use super::super::out::{Fields, Out};
use super::super::url::Url;
use super::{Settings, http, webhook_url};

/// Settings of a connector's webhook.
#[derive(Clone, Debug)]
pub struct MsTeamsConfig {
    /// How to connect.
    pub http: Arc<HttpConfig>,
    /// Where to post.
    pub webhook_url: UrlSource,
    /// Template.
    pub title: String,
    /// Template.
    pub summary: String,
    /// Template.
    pub text: String,
}

/// Settings of a workflow's webhook.
#[derive(Clone, Debug)]
pub struct MsTeamsV2Config {
    /// How to connect; takes over the proxy's URL of `global` if it has none.
    pub http: Arc<HttpConfig>,
    /// Where to post.
    pub webhook_url: UrlSource,
    /// Template.
    pub title: String,
    /// Template.
    pub text: String,
}

const NO_URL: &str = "one of webhook_url or webhook_url_file must be configured";

pub(super) fn read(form: &mut Form<'_>, global: &mut Global) -> Result<Settings, ConfigError> {
    let http = http(form, global)?;
    let webhook_url = webhook_url(form)?;
    let title = form.text("title", r#"{{ template "msteams.default.title" . }}"#)?;
    let summary = form.text("summary", r#"{{ template "msteams.default.summary" . }}"#)?;
    let text = form.text("text", r#"{{ template "msteams.default.text" . }}"#)?;
    form.complete()?;
    let Some(webhook_url) = webhook_url else { return Err(form.error("", NO_URL)) };
    Ok(Settings::MsTeams(MsTeamsConfig { http, webhook_url, title, summary, text }))
}

pub(super) fn read_v2(form: &mut Form<'_>, global: &mut Global) -> Result<Settings, ConfigError> {
    let http = http_with_proxy(form, global)?;
    let webhook_url = webhook_url(form)?;
    let title = form.text("title", r#"{{ template "msteamsv2.default.title" . }}"#)?;
    let text = form.text("text", r#"{{ template "msteamsv2.default.text" . }}"#)?;
    form.complete()?;
    let Some(webhook_url) = webhook_url else { return Err(form.error("", NO_URL)) };
    Ok(Settings::MsTeamsV2(MsTeamsV2Config { http, webhook_url, title, text }))
}

fn http_with_proxy(form: &mut Form<'_>, global: &Global) -> Result<Arc<HttpConfig>, ConfigError> {
    let own = http(form, global)?;
    let inherited = global.http.as_ref().and_then(|http| http.config.proxy.url.clone());
    // an empty URL is one as well
    let has_own = form.printed().get("http_config").is_some_and(|printed| printed.has("proxy_url"));
    let (false, Some(url)) = (has_own, inherited) else { return Ok(own) };
    let printed = Url::parse(url.expose()).map(|url| url.redacted()).unwrap_or_default();
    let http = HttpConfig { proxy: ProxyConfig { url: Some(url), ..own.proxy.clone() }, ..HttpConfig::clone(&own) };
    form.printed().change("http_config", |out| {
        let mut fields = Fields::of(out);
        fields.insert_after(&["follow_redirects", "enable_http2"], "proxy_url", Out::text(printed));
        fields.done()
    });
    Ok(Arc::new(http))
}
