//! Reads the receivers. Only webhooks can be sent to yet: any other integration is refused, never dropped.

use std::sync::Arc;

use super::error::ConfigError;
use super::global::Global;
use super::http_read;
use super::model::{Integration, Receiver, Settings, UrlSource, WebhookConfig};
use super::node::Node;
use super::out::{Fields, Out};
use super::secret::{HIDDEN, Secret};
use super::section::Section;
use super::url;
use crate::duration::print_go;
use crate::label::LabelSet;

const FIELDS: [&str; 20] = [
    "name",
    "labels",
    "discord_configs",
    "email_configs",
    "incidentio_configs",
    "pagerduty_configs",
    "slack_configs",
    "webhook_configs",
    "opsgenie_configs",
    "wechat_configs",
    "pushover_configs",
    "victorops_configs",
    "sns_configs",
    "telegram_configs",
    "webex_configs",
    "msteams_configs",
    "msteamsv2_configs",
    "jira_configs",
    "rocketchat_configs",
    "mattermost_configs",
];

const WEBHOOK_FIELDS: [&str; 7] =
    ["send_resolved", "http_config", "url", "url_file", "max_alerts", "timeout", "payload"];

/// Reads one receiver.
pub(super) fn read(node: &Node, path: &str, global: &Global) -> Result<(Receiver, Out), ConfigError> {
    let section = Section::open(node, path, "config.plain", &FIELDS)?;
    let name = section.text("name")?.unwrap_or_default();
    if name.is_empty() {
        return Err(section.error("name", "missing name in receiver"));
    }
    let mut labels = section.text_map("labels")?;
    if let Some(other) = labels.get("name").filter(|other| **other != name) {
        let message = format!("receiver label \"name\" must match receiver name \"{name}\", got \"{other}\"");
        return Err(section.error("labels", message));
    }
    labels.insert("name", name);
    for field in FIELDS.into_iter().skip(2).filter(|field| *field != "webhook_configs") {
        if section.list(field, "[]*config")?.is_some_and(|items| !items.is_empty()) {
            let message =
                format!("{field}: this version sends to webhooks only, other integrations are not supported yet");
            return Err(section.error(field, message));
        }
    }
    let (mut integrations, mut printed_webhooks) = (Vec::new(), Vec::new());
    let webhooks = section.list("webhook_configs", "[]*webhook.WebhookConfig")?.unwrap_or_default();
    for (index, (path, node)) in (0..).zip(webhooks) {
        if node.is_null() {
            return Err(node.error(&path, "missing webhook config"));
        }
        let (integration, out) = read_webhook(node, &path, index, global)?;
        integrations.push(integration);
        printed_webhooks.push(out);
    }
    let mut printed = Fields::default();
    printed.put("name", Out::text(name));
    printed.put("labels", Out::text_map(labels.iter().map(|(k, v)| (*k, *v))));
    printed.put_some("webhook_configs", Out::List(printed_webhooks));
    let receiver = Receiver { name: Arc::from(name), labels: LabelSet::new(labels), integrations };
    Ok((receiver, printed.done()))
}

fn read_webhook(node: &Node, path: &str, index: u32, global: &Global) -> Result<(Integration, Out), ConfigError> {
    let section = Section::open(node, path, "webhook.plain", &WEBHOOK_FIELDS)?;
    let send_resolved = section.flag("send_resolved", true)?;
    let (http, http_printed) = match section.get("http_config") {
        Some(node) => http_read::read(node, &section.path("http_config"))?,
        None => (Arc::clone(&global.http), global.http_printed.clone()),
    };
    let url = read_url(&section)?;
    let max_alerts = section.count("max_alerts", 0)?;
    let timeout = section.go_duration("timeout")?;
    if section.get("payload").is_some() {
        return Err(section.unsupported("payload", ""));
    }
    let mut printed = Fields::default();
    printed.put("send_resolved", Out::Bare(send_resolved.to_string()));
    printed.put("http_config", http_printed);
    let file = match &url {
        UrlSource::Inline(_) => {
            printed.put("url", Out::text(HIDDEN));
            ""
        }
        UrlSource::File(file) => file,
    };
    printed.put("url_file", Out::text(file));
    printed.put("max_alerts", Out::Bare(max_alerts.to_string()));
    printed.put("timeout", Out::text(print_go(timeout)));
    let settings = Settings::Webhook(WebhookConfig { url, max_alerts, timeout, http });
    Ok((Integration { kind: "webhook", index, send_resolved, settings }, printed.done()))
}

fn read_url(section: &Section<'_>) -> Result<UrlSource, ConfigError> {
    let text = |name| Ok(section.text(name)?.filter(|text| !text.is_empty()));
    let (inline, file) = (text("url")?, text("url_file")?);
    if let Some(url) = inline.filter(|url| *url != HIDDEN) {
        if url.contains("{{") {
            return Err(section.unsupported("url", "as a template"));
        }
        url::check(url).map_err(|message| section.error("url", format!("invalid URL: {message}")))?;
    }
    match (inline, file) {
        (Some(url), None) => Ok(UrlSource::Inline(Secret::new(url))),
        (None, Some(file)) => Ok(UrlSource::File(file.to_owned())),
        (None, None) => Err(section.error("", "one of url or url_file must be configured")),
        (Some(_), Some(_)) => Err(section.error("url_file", "at most one of url & url_file must be configured")),
    }
}
