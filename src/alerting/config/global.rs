//! The `global` section: every key is read and checked, also those of receivers that this version cannot drive yet.

use std::sync::Arc;
use std::time::Duration;

use super::error::ConfigError;
use super::http::HttpConfig;
use super::node::Node;
use super::out::{Fields, Out};
use super::secret::HIDDEN;
use super::section::Section;
use super::{http_read, tls_read, url};
use crate::duration::print_prometheus;

/// What the rest of the config takes from it.
pub(super) struct Global {
    pub(super) resolve_timeout: Duration,
    pub(super) http: Arc<HttpConfig>,
    pub(super) http_printed: Out,
    pub(super) printed: Out,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Duration,
    Http,
    Tls,
    Text,
    HostPort,
    Flag,
    /// Not set, true or false.
    OptionalFlag,
    Secret,
    /// A secret that is printed as null when it is empty.
    OptionalSecret,
    Url,
    SecretUrl,
}

/// Name, kind and default in the order in which they are printed.
const FIELDS: [(&str, Kind, &str); 42] = [
    ("resolve_timeout", Kind::Duration, "5m"),
    ("http_config", Kind::Http, ""),
    ("jira_api_url", Kind::Url, ""),
    ("smtp_from", Kind::Text, ""),
    ("smtp_hello", Kind::Text, "localhost"),
    ("smtp_smarthost", Kind::HostPort, ""),
    ("smtp_auth_username", Kind::Text, ""),
    ("smtp_auth_password", Kind::Secret, ""),
    ("smtp_auth_password_file", Kind::Text, ""),
    ("smtp_auth_secret", Kind::Secret, ""),
    ("smtp_auth_secret_file", Kind::Text, ""),
    ("smtp_auth_identity", Kind::Text, ""),
    ("smtp_require_tls", Kind::Flag, "true"),
    ("smtp_tls_config", Kind::Tls, ""),
    ("smtp_force_implicit_tls", Kind::OptionalFlag, ""),
    ("slack_api_url", Kind::SecretUrl, ""),
    ("slack_api_url_file", Kind::Text, ""),
    ("slack_app_token", Kind::Secret, ""),
    ("slack_app_token_file", Kind::Text, ""),
    ("slack_app_url", Kind::Url, "https://slack.com/api/chat.postMessage"),
    ("pagerduty_url", Kind::Url, "https://events.pagerduty.com/v2/enqueue"),
    ("opsgenie_api_url", Kind::Url, "https://api.opsgenie.com/"),
    ("opsgenie_api_key", Kind::Secret, ""),
    ("opsgenie_api_key_file", Kind::Text, ""),
    ("wechat_api_url", Kind::Url, "https://qyapi.weixin.qq.com/cgi-bin/"),
    ("wechat_api_secret", Kind::Secret, ""),
    ("wechat_api_secret_file", Kind::Text, ""),
    ("wechat_api_corp_id", Kind::Text, ""),
    ("victorops_api_url", Kind::Url, "https://alert.victorops.com/integrations/generic/20131114/alert/"),
    ("victorops_api_key", Kind::Secret, ""),
    ("victorops_api_key_file", Kind::Text, ""),
    ("telegram_api_url", Kind::Url, "https://api.telegram.org"),
    ("telegram_bot_token", Kind::Secret, ""),
    ("telegram_bot_token_file", Kind::Text, ""),
    ("webex_api_url", Kind::Url, "https://webexapis.com/v1/messages"),
    ("rocketchat_api_url", Kind::Url, "https://open.rocket.chat/"),
    ("rocketchat_token", Kind::OptionalSecret, ""),
    ("rocketchat_token_file", Kind::Text, ""),
    ("rocketchat_token_id", Kind::OptionalSecret, ""),
    ("rocketchat_token_id_file", Kind::Text, ""),
    ("mattermost_webhook_url", Kind::SecretUrl, ""),
    ("mattermost_webhook_url_file", Kind::Text, ""),
];

/// Of each at most one may be set: the name and the same with `_file`.
const EXCLUSIVE: [&str; 11] = [
    "slack_app_token",
    "slack_api_url",
    "opsgenie_api_key",
    "victorops_api_key",
    "telegram_bot_token",
    "smtp_auth_password",
    "rocketchat_token",
    "rocketchat_token_id",
    "smtp_auth_secret",
    "wechat_api_secret",
    "mattermost_webhook_url",
];

/// Reads it; an absent or empty one is all defaults.
pub(super) fn read(node: Option<&Node>) -> Result<Global, ConfigError> {
    let names = FIELDS.map(|(name, _, _)| name);
    let section = node.map(|node| Section::open(node, "global", "config.plain", &names)).transpose()?;
    let mut resolve_timeout = Duration::ZERO;
    let mut http = (Arc::new(HttpConfig::default()), http_read::default_printed());
    let mut printed = Fields::default();
    for (name, kind, default) in FIELDS {
        match (kind, &section) {
            (Kind::Http, Some(section)) => {
                if let Some(node) = section.get(name) {
                    http = http_read::read(node, &section.path(name))?;
                }
                printed.put(name, http.1.clone());
            }
            (Kind::Http, None) => printed.put(name, http.1.clone()),
            (Kind::Duration, section) => {
                let given = match section {
                    Some(section) if section.has(name) => section.duration(name)?.unwrap_or_default(),
                    _ => Duration::from_secs(300),
                };
                resolve_timeout = given;
                printed.put(name, Out::text(print_prometheus(given)));
            }
            (kind, Some(section)) if section.has(name) => {
                if let Some(value) = field(section, name, kind)? {
                    printed.put(name, value);
                }
            }
            (Kind::Flag, _) => printed.put(name, Out::Bare(default.into())),
            (Kind::Tls, _) => printed.put(name, tls_read::default_printed()),
            (_, _) => printed.put_some(name, Out::text(default)),
        }
    }
    if let Some(section) = &section {
        check_exclusive(section)?;
    }
    Ok(Global { resolve_timeout, http: http.0, http_printed: http.1, printed: printed.done() })
}

/// Reads a field that is there and prints it, unless the reference leaves it out.
fn field(section: &Section<'_>, name: &'static str, kind: Kind) -> Result<Option<Out>, ConfigError> {
    let hidden = |text: &str| Out::text(if text.is_empty() { "" } else { HIDDEN });
    let value = match kind {
        Kind::Flag => return Ok(Some(Out::Bare(section.flag(name, false)?.to_string()))),
        Kind::OptionalFlag if section.get(name).is_none() => return Ok(None),
        Kind::OptionalFlag => return Ok(Some(Out::Bare(section.flag(name, false)?.to_string()))),
        Kind::Tls => match section.get(name) {
            Some(node) => return Ok(Some(tls_read::read(node, &section.path(name))?.1)),
            None => Out::Null,
        },
        Kind::OptionalSecret => match section.text(name)? {
            Some("") => return Ok(Some(Out::Null)),
            Some(text) => hidden(text),
            None => Out::Null,
        },
        Kind::Secret => hidden(section.text(name)?.unwrap_or_default()),
        Kind::HostPort => Out::text(host_port(section, name)?),
        Kind::Url | Kind::SecretUrl => match section.text(name)? {
            None => Out::Null,
            Some(HIDDEN) if kind == Kind::SecretUrl => Out::text(HIDDEN),
            Some(text) => {
                let parts = url::check(text).map_err(|message| section.error(name, message))?;
                Out::text(if kind == Kind::SecretUrl { HIDDEN.to_owned() } else { parts.printed() })
            }
        },
        Kind::Text | Kind::Duration | Kind::Http => Out::text(section.text(name)?.unwrap_or_default()),
    };
    Ok(Some(value).filter(|value| !value.is_empty()))
}

/// `host:port` as it is printed; empty when not given.
fn host_port(section: &Section<'_>, name: &str) -> Result<String, ConfigError> {
    let text = section.text(name)?.unwrap_or_default();
    if text.is_empty() {
        return Ok(String::new());
    }
    let fail = |reason: &str| section.error(name, format!("address {text}: {reason}"));
    let (host, port) = text.rsplit_once(':').ok_or_else(|| fail("missing port in address"))?;
    match host.strip_prefix('[').map(|rest| rest.strip_suffix(']')) {
        Some(Some(inner)) if !inner.contains(['[', ']']) => {}
        Some(_) => return Err(fail("missing ']' in address")),
        None if host.contains(':') => return Err(fail("too many colons in address")),
        None => {}
    }
    if port.is_empty() {
        return Err(section.error(name, format!("address \"{text}\": port cannot be empty")));
    }
    Ok(text.to_owned())
}

fn check_exclusive(section: &Section<'_>) -> Result<(), ConfigError> {
    let set = |name: &str| section.text(name).is_ok_and(|text| text.is_some_and(|text| !text.is_empty()));
    for name in EXCLUSIVE {
        let file = format!("{name}_file");
        if set(name) && set(&file) {
            let message = format!("at most one of {name} & {file} must be configured");
            return Err(section.error(&file, message));
        }
    }
    let token = set("slack_app_token") || set("slack_app_token_file");
    let url = set("slack_api_url") || set("slack_api_url_file");
    let app_url = section.text("slack_app_url")?.unwrap_or("https://slack.com/api/chat.postMessage");
    if token && url && section.text("slack_api_url")?.unwrap_or_default() != app_url {
        let message = "at most one of slack_app_token/slack_app_token_file & slack_api_url/slack_api_url_file must be \
                       configured";
        return Err(section.error("slack_api_url", message));
    }
    Ok(())
}
