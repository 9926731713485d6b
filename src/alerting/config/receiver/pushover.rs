//! Pushover.

use std::sync::Arc;
use std::time::Duration;

use super::super::error::ConfigError;
use super::super::form::Form;
use super::super::global::Global;
use super::super::http::{HttpConfig, SecretSource};
use super::super::out::Out;
use super::{Settings, http};
use crate::duration::{parse_go, print_go};

/// Settings of a Pushover application. Texts, keys and tokens are templates; those in files are not trimmed.
#[derive(Clone, Debug)]
pub struct PushoverConfig {
    /// How to connect.
    pub http: Arc<HttpConfig>,
    /// Who is told.
    pub user_key: SecretSource,
    /// Of the application.
    pub token: SecretSource,
    /// Title.
    pub title: String,
    /// Text.
    pub message: String,
    /// Link.
    pub url: String,
    /// Text of the link.
    pub url_title: String,
    /// Empty: all.
    pub device: String,
    /// Empty: the user's own.
    pub sound: String,
    /// `-2` to `2`.
    pub priority: String,
    /// Between repetitions of emergencies.
    pub retry: Duration,
    /// End of repetitions of emergencies.
    pub expire: Duration,
    /// After which the message vanishes; 0: never.
    pub ttl: Duration,
    /// Whether the text is HTML; excludes `monospace`.
    pub html: bool,
    /// Whether the text is shown in a monospace font.
    pub monospace: bool,
}

pub(super) fn read(form: &mut Form<'_>, global: &mut Global) -> Result<Settings, ConfigError> {
    let http = http(form, global)?;
    let user_key = (form.secret("user_key")?, form.file("user_key_file")?);
    let token = (form.secret("token")?, form.file("token_file")?);
    let title = form.text("title", r#"{{ template "pushover.default.title" . }}"#)?;
    let message = form.text("message", r#"{{ template "pushover.default.message" . }}"#)?;
    let url = form.text("url", r#"{{ template "pushover.default.url" . }}"#)?;
    let url_title = form.text("url_title", "")?;
    let device = form.text("device", "")?;
    let sound = form.text("sound", "")?;
    let priority = form.text("priority", r#"{{ if eq .Status "firing" }}2{{ else }}0{{ end }}"#)?;
    let retry = duration(form, "retry", Duration::from_secs(60))?;
    let expire = duration(form, "expire", Duration::from_secs(3600))?;
    let ttl = duration(form, "ttl", Duration::ZERO)?;
    let html = form.switch("html")?;
    let monospace = form.switch("monospace")?;
    form.complete()?;
    let both = (user_key.0.is_some() && user_key.1.is_some(), token.0.is_some() && token.1.is_some());
    let Some(user_key) = SecretSource::of(user_key.0, user_key.1) else {
        return Err(form.error("", "one of user_key or user_key_file must be configured"));
    };
    form.refuse_if(both.0, "user_key_file", "at most one of user_key & user_key_file must be configured")?;
    let Some(token) = SecretSource::of(token.0, token.1) else {
        return Err(form.error("", "one of token or token_file must be configured"));
    };
    form.refuse_if(both.1, "token_file", "at most one of token & token_file must be configured")?;
    form.refuse_if(html && monospace, "monospace", "at most one of monospace & html must be configured")?;
    Ok(Settings::Pushover(PushoverConfig {
        http,
        user_key,
        token,
        title,
        message,
        url,
        url_title,
        device,
        sound,
        priority,
        retry,
        expire,
        ttl,
        html,
        monospace,
    }))
}

/// A duration in Go's form, which may be anything that is a text to Go.
fn duration(form: &mut Form<'_>, name: &'static str, default: Duration) -> Result<Duration, ConfigError> {
    let duration = if form.has(name) {
        match form.node(name) {
            Some(_) => parse_go(&form.raw_of(name, "config.duration")?).map_err(|e| form.error(name, e.to_string()))?,
            None => Duration::ZERO,
        }
    } else {
        default
    };
    if !duration.is_zero() {
        form.printed().put(name, Out::text(print_go(duration)));
    }
    Ok(duration)
}
