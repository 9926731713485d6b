//! incident.io.

use std::sync::Arc;
use std::time::Duration;

use super::super::error::ConfigError;
use super::super::form::Form;
use super::super::global::Global;
use super::super::http::{HttpConfig, SecretSource};
use super::super::http_read;
use super::super::model::UrlSource;
use super::super::out::Out;
use super::super::paths::Directory;
use super::super::secret::Secret;
use super::{Settings, http};

/// Settings of an alert source of incident.io.
#[derive(Clone, Debug)]
pub struct IncidentioConfig {
    /// How to connect. Paths in the receiver's own one count from the working directory.
    pub http: Arc<HttpConfig>,
    /// Where to post.
    pub url: UrlSource,
    /// Bearer token; a file is read when the config is taken into use. `None`: `http` has an `authorization`.
    pub token: Option<SecretSource>,
    /// At most so many alerts in one body; 0: all.
    pub max_alerts: u64,
    /// Limit of one attempt; 0: none but the pipeline's.
    pub timeout: Duration,
}

pub(super) fn read(form: &mut Form<'_>, global: &mut Global) -> Result<Settings, ConfigError> {
    let own = form.node("http_config");
    let http = match own {
        Some(node) => {
            let (config, printed) = http_read::read(node, &form.path("http_config"), &Directory::default())?;
            form.printed().put("http_config", printed);
            Arc::new(config)
        }
        None => http(form, global)?,
    };
    let url = form.raw_url("url")?;
    form.printed().put("url", url.as_ref().map_or(Out::Null, |url| Out::text(url.to_string())));
    let file = form.text_shown("url_file", "")?;
    let token = form.secret("alert_source_token")?;
    let token_file = form.file("alert_source_token_file")?;
    let max_alerts = form.count("max_alerts")?;
    let timeout = form.go_duration("timeout")?;
    form.complete()?;
    let url = match (url, Some(file).filter(|file| !file.is_empty())) {
        (Some(url), None) => UrlSource::Inline(Secret::new(url.to_string())),
        (None, Some(file)) => UrlSource::File(file),
        (None, None) => return Err(form.error("", "one of url or url_file must be configured")),
        (Some(_), Some(_)) => {
            return Err(form.error("url_file", "at most one of url & url_file must be configured"));
        }
    };
    let message = "at most one of alert_source_token & alert_source_token_file must be configured";
    form.refuse_if(token.is_some() && token_file.is_some(), "alert_source_token_file", message)?;
    let token = SecretSource::of(token, token_file);
    let authorized = own.is_some() && http.authorization.is_some();
    let message = "cannot specify alert_source_token or alert_source_token_file when using http_config.authorization";
    form.refuse_if(authorized && token.is_some(), "alert_source_token", message)?;
    let message =
        "at least one of alert_source_token, alert_source_token_file or http_config.authorization must be configured";
    form.refuse_if(own.is_some() && !authorized && token.is_none(), "http_config", message)?;
    Ok(Settings::Incidentio(IncidentioConfig { http, url, token, max_alerts, timeout }))
}
