//! The `global` section: what receivers inherit.

use std::sync::Arc;
use std::time::Duration;

use super::error::ConfigError;
use super::form::Form;
use super::host_port::HostPort;
use super::http::{HttpConfig, TlsConfig};
use super::node::Node;
use super::out::{Fields, Out};
use super::paths::Directory;
use super::secret::Secret;
use super::url::ApiUrl;
use super::{http_read, tls_read};
use crate::duration::print_prometheus;

/// An `http_config` with what is printed of it.
#[derive(Clone)]
pub(super) struct Http {
    pub(super) config: Arc<HttpConfig>,
    pub(super) printed: Out,
}

/// A secret and a file, of which at most one is given.
#[derive(Clone, Default)]
pub(super) struct Pair {
    pub(super) inline: Option<Secret>,
    pub(super) file: Option<String>,
}

impl Pair {
    /// Whether neither is given.
    pub(super) const fn is_none(&self) -> bool {
        self.inline.is_none() && self.file.is_none()
    }
}

/// What `global` says of mail.
#[derive(Default)]
pub(super) struct Smtp {
    pub(super) from: String,
    pub(super) hello: String,
    pub(super) smarthost: HostPort,
    pub(super) username: String,
    pub(super) password: Pair,
    pub(super) secret: Pair,
    pub(super) identity: String,
    pub(super) require_tls: bool,
    pub(super) tls: TlsConfig,
    /// `None`: null.
    pub(super) tls_printed: Option<Out>,
    pub(super) force_implicit_tls: Option<bool>,
}

/// What the rest of the config takes from it.
pub(super) struct Global {
    pub(super) resolve_timeout: Duration,
    /// `None`: null.
    pub(super) http: Option<Http>,
    pub(super) directory: Directory,
    pub(super) smtp: Smtp,
    pub(super) jira_api_url: Option<ApiUrl>,
    pub(super) slack_api_url: Pair,
    pub(super) slack_app_token: Pair,
    pub(super) slack_app_url: Option<ApiUrl>,
    pub(super) pagerduty_url: Option<ApiUrl>,
    /// It gets a slash at its end when a receiver uses it, and is printed with it.
    pub(super) opsgenie_api_url: Option<ApiUrl>,
    pub(super) opsgenie_api_key: Pair,
    /// Like [`Self::opsgenie_api_url`].
    pub(super) wechat_api_url: Option<ApiUrl>,
    pub(super) wechat_api_secret: Pair,
    pub(super) wechat_api_corp_id: String,
    /// Like [`Self::opsgenie_api_url`].
    pub(super) victorops_api_url: Option<ApiUrl>,
    pub(super) victorops_api_key: Pair,
    pub(super) telegram_api_url: Option<ApiUrl>,
    pub(super) telegram_bot_token: Pair,
    pub(super) webex_api_url: Option<ApiUrl>,
    pub(super) rocketchat_api_url: Option<ApiUrl>,
    pub(super) rocketchat_token: Pair,
    pub(super) rocketchat_token_id: Pair,
    pub(super) mattermost_webhook_url: Pair,
    printed: Fields,
}

const OPSGENIE: &str = "opsgenie_api_url";
const WECHAT: &str = "wechat_api_url";
const VICTOROPS: &str = "victorops_api_url";

/// Reads it; an absent or empty one is all defaults.
pub(super) fn read(node: Option<&Node>, directory: &Directory) -> Result<Global, ConfigError> {
    let nothing = Node::empty_mapping();
    let mut form = Form::open(node.unwrap_or(&nothing), "global", "config.plain")?;
    let form = &mut form;
    let resolve_timeout = read_resolve_timeout(form)?;
    let http = read_http(form, directory)?;
    let jira_api_url = form.url_or("jira_api_url", None)?;
    let smtp = read_smtp(form)?;
    let slack_api_url = Pair { inline: form.secret_url("slack_api_url")?, file: form.file("slack_api_url_file")? };
    let slack_app_token = pair(form, "slack_app_token", "slack_app_token_file")?;
    let slack_app_url = url(form, "slack_app_url", "https://slack.com/api/chat.postMessage")?;
    let pagerduty_url = url(form, "pagerduty_url", "https://events.pagerduty.com/v2/enqueue")?;
    let opsgenie_api_url = url(form, OPSGENIE, "https://api.opsgenie.com/")?;
    let opsgenie_api_key = pair(form, "opsgenie_api_key", "opsgenie_api_key_file")?;
    let wechat_api_url = url(form, WECHAT, "https://qyapi.weixin.qq.com/cgi-bin/")?;
    let wechat_api_secret = pair(form, "wechat_api_secret", "wechat_api_secret_file")?;
    let wechat_api_corp_id = form.text("wechat_api_corp_id", "")?;
    let victorops_api_url = url(form, VICTOROPS, "https://alert.victorops.com/integrations/generic/20131114/alert/")?;
    let victorops_api_key = pair(form, "victorops_api_key", "victorops_api_key_file")?;
    let telegram_api_url = url(form, "telegram_api_url", "https://api.telegram.org")?;
    let telegram_bot_token = pair(form, "telegram_bot_token", "telegram_bot_token_file")?;
    let webex_api_url = url(form, "webex_api_url", "https://webexapis.com/v1/messages")?;
    let rocketchat_api_url = url(form, "rocketchat_api_url", "https://open.rocket.chat/")?;
    let rocketchat_token =
        Pair { inline: form.optional_secret("rocketchat_token", None)?, file: form.file("rocketchat_token_file")? };
    let rocketchat_token_id = Pair {
        inline: form.optional_secret("rocketchat_token_id", None)?,
        file: form.file("rocketchat_token_id_file")?,
    };
    let mattermost_webhook_url =
        Pair { inline: form.secret_url("mattermost_webhook_url")?, file: form.file("mattermost_webhook_url_file")? };
    form.complete()?;

    let exclusive = [
        (&slack_app_token, "slack_app_token"),
        (&slack_api_url, "slack_api_url"),
        (&opsgenie_api_key, "opsgenie_api_key"),
        (&victorops_api_key, "victorops_api_key"),
        (&telegram_bot_token, "telegram_bot_token"),
        (&smtp.password, "smtp_auth_password"),
        (&rocketchat_token, "rocketchat_token"),
        (&rocketchat_token_id, "rocketchat_token_id"),
        (&smtp.secret, "smtp_auth_secret"),
        (&wechat_api_secret, "wechat_api_secret"),
        (&mattermost_webhook_url, "mattermost_webhook_url"),
    ];
    for (pair, name) in exclusive {
        let message = format!("at most one of {name} & {name}_file must be configured");
        form.refuse_if(pair.inline.is_some() && pair.file.is_some(), &format!("{name}_file"), &message)?;
    }
    let app_url = slack_app_url.as_ref().map(ToString::to_string);
    let same = app_url.is_some() && slack_api_url.inline.as_ref().map(Secret::expose) == app_url.as_deref();
    let message = "at most one of slack_app_token/slack_app_token_file & slack_api_url/slack_api_url_file must be \
                   configured";
    form.refuse_if(!slack_app_token.is_none() && !slack_api_url.is_none() && !same, "slack_api_url", message)?;
    let printed = std::mem::take(form.printed());
    Ok(Global {
        resolve_timeout,
        http,
        directory: directory.clone(),
        smtp,
        jira_api_url,
        slack_api_url,
        slack_app_token,
        slack_app_url,
        pagerduty_url,
        opsgenie_api_url,
        opsgenie_api_key,
        wechat_api_url,
        wechat_api_secret,
        wechat_api_corp_id,
        victorops_api_url,
        victorops_api_key,
        telegram_api_url,
        telegram_bot_token,
        webex_api_url,
        rocketchat_api_url,
        rocketchat_token,
        rocketchat_token_id,
        mattermost_webhook_url,
        printed,
    })
}

impl Global {
    /// How it is printed, after all receivers have been read.
    pub(super) fn print(&mut self) -> Out {
        let mut printed = std::mem::take(&mut self.printed);
        let urls =
            [(OPSGENIE, &self.opsgenie_api_url), (WECHAT, &self.wechat_api_url), (VICTOROPS, &self.victorops_api_url)];
        for (name, url) in urls {
            printed.change(name, |_| Out::text(url.as_ref().map(ToString::to_string).unwrap_or_default()));
        }
        printed.done()
    }
}

fn read_resolve_timeout(form: &mut Form<'_>) -> Result<Duration, ConfigError> {
    const NAME: &str = "resolve_timeout";
    let given = if form.has(NAME) { form.raw_duration(NAME)? } else { Duration::from_secs(300) };
    form.printed().put(NAME, Out::text(print_prometheus(given)));
    Ok(given)
}

fn read_http(form: &mut Form<'_>, directory: &Directory) -> Result<Option<Http>, ConfigError> {
    const NAME: &str = "http_config";
    let http = match form.node(NAME) {
        Some(node) => {
            let (config, printed) = http_read::read(node, &form.path(NAME), directory)?;
            Some(Http { config: Arc::new(config), printed })
        }
        None if form.has(NAME) => None,
        None => Some(Http { config: Arc::default(), printed: http_read::default_printed() }),
    };
    if let Some(http) = &http {
        form.printed().put(NAME, http.printed.clone());
    }
    Ok(http)
}

fn read_smtp(form: &mut Form<'_>) -> Result<Smtp, ConfigError> {
    const TLS: &str = "smtp_tls_config";
    let from = form.text("smtp_from", "")?;
    let hello = form.text("smtp_hello", "localhost")?;
    let smarthost = form.raw("smtp_smarthost")?;
    let smarthost = HostPort::parse(&smarthost).map_err(|message| form.error("smtp_smarthost", message))?;
    form.printed().put_some("smtp_smarthost", Out::text(smarthost.to_string()));
    let username = form.text("smtp_auth_username", "")?;
    let password = pair(form, "smtp_auth_password", "smtp_auth_password_file")?;
    let secret = pair(form, "smtp_auth_secret", "smtp_auth_secret_file")?;
    let identity = form.text("smtp_auth_identity", "")?;
    let require_tls = form.flag("smtp_require_tls", true)?;
    // its files count from the working directory
    let (tls, tls_printed) = match form.node(TLS) {
        Some(node) => {
            let (tls, out) = tls_read::read(node, &form.path(TLS), &Directory::default())?;
            (tls, Some(out))
        }
        None if form.has(TLS) => (TlsConfig::default(), None),
        None => (TlsConfig::default(), Some(tls_read::default_printed())),
    };
    form.printed().put_some(TLS, tls_printed.clone().unwrap_or(Out::Null));
    let force_implicit_tls = form.optional_flag("smtp_force_implicit_tls", None)?;
    Ok(Smtp {
        from,
        hello,
        smarthost,
        username,
        password,
        secret,
        identity,
        require_tls,
        tls,
        tls_printed,
        force_implicit_tls,
    })
}

/// A secret and its file.
fn pair(form: &mut Form<'_>, inline: &'static str, file: &'static str) -> Result<Pair, ConfigError> {
    Ok(Pair { inline: form.secret(inline)?, file: form.file(file)? })
}

/// A URL with a default, which is not taken where it is null.
fn url(form: &mut Form<'_>, name: &'static str, default: &str) -> Result<Option<ApiUrl>, ConfigError> {
    let url = if form.has(name) { form.raw_url(name)? } else { ApiUrl::parse(default).ok() };
    form.put_url(name, url.as_ref());
    Ok(url)
}
