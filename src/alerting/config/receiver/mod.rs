//! The receivers: one file per kind of integration, with its settings, how they are read and how they are printed.
//!
//! Texts that are said to be templates are kept as they are written, parsed or not.

mod discord;
mod email;
mod fields;
mod incidentio;
mod jira;
mod mattermost;
mod msteams;
mod opsgenie;
mod pagerduty;
mod pushover;
mod rocketchat;
mod slack;
mod sns;
mod telegram;
mod victorops;
mod webex;
mod webhook;
mod wechat;

use std::sync::Arc;

pub use discord::DiscordConfig;
pub use email::{EmailConfig, Threading};
pub use fields::AttachmentField;
pub use incidentio::IncidentioConfig;
pub use jira::{JiraApi, JiraConfig, JiraField};
pub use mattermost::{MattermostAttachment, MattermostConfig, MattermostPriority};
pub use msteams::{MsTeamsConfig, MsTeamsV2Config};
pub use opsgenie::{OpsgenieConfig, Responder};
pub use pagerduty::{PagerdutyConfig, PagerdutyImage, PagerdutyLink};
pub use pushover::PushoverConfig;
pub use rocketchat::{RocketchatAction, RocketchatConfig};
pub use slack::{SlackAction, SlackConfig, SlackConfirmation};
pub use sns::{Sigv4, SnsConfig};
pub use telegram::{ParseMode, TelegramConfig};
pub use victorops::VictoropsConfig;
pub use webex::WebexConfig;
pub use webhook::WebhookConfig;
pub use wechat::{WechatConfig, WechatMessageType};

use super::error::ConfigError;
use super::form::Form;
use super::global::Global;
use super::http::HttpConfig;
use super::http_read;
use super::model::{Integration, Receiver, UrlSource};
use super::node::Node;
use super::out::Out;
use crate::label::{GoQuoted, LabelSet};

/// The settings of each kind of integration.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "each is what its struct says")]
pub enum Settings {
    Discord(DiscordConfig),
    Email(EmailConfig),
    Incidentio(IncidentioConfig),
    Jira(JiraConfig),
    Mattermost(Box<MattermostConfig>),
    MsTeams(MsTeamsConfig),
    MsTeamsV2(MsTeamsV2Config),
    Opsgenie(Box<OpsgenieConfig>),
    Pagerduty(Box<PagerdutyConfig>),
    Pushover(PushoverConfig),
    Rocketchat(Box<RocketchatConfig>),
    Slack(Box<SlackConfig>),
    Sns(SnsConfig),
    Telegram(TelegramConfig),
    Victorops(VictoropsConfig),
    Webex(WebexConfig),
    Webhook(WebhookConfig),
    Wechat(WechatConfig),
}

type Read = fn(&mut Form<'_>, &mut Global) -> Result<Settings, ConfigError>;

struct Kind {
    /// As in metrics and logs.
    name: &'static str,
    /// Its list in a receiver.
    field: &'static str,
    /// The reference's types of the list's items.
    list: &'static str,
    item: &'static str,
    /// Place in the order in which a receiver's integrations are built, which is not that of printing.
    order: u8,
    send_resolved: bool,
    read: Read,
}

const fn kind(
    name: &'static str,
    field: &'static str,
    types: (&'static str, &'static str),
    order: u8,
    send_resolved: bool,
    read: Read,
) -> Kind {
    Kind { name, field, list: types.0, item: types.1, order, send_resolved, read }
}

/// In the order in which they are printed.
const KINDS: [Kind; 18] = [
    kind("discord", "discord_configs", ("[]*discord.DiscordConfig", "discord.plain"), 10, true, discord::read),
    kind("email", "email_configs", ("[]*config.EmailConfig", "config.plain"), 1, false, email::read),
    kind(
        "incidentio",
        "incidentio_configs",
        ("[]*incidentio.IncidentioConfig", "incidentio.plain"),
        15,
        true,
        incidentio::read,
    ),
    kind(
        "pagerduty",
        "pagerduty_configs",
        ("[]*pagerduty.PagerdutyConfig", "pagerduty.plain"),
        2,
        true,
        pagerduty::read,
    ),
    kind("slack", "slack_configs", ("[]*config.SlackConfig", "config.plain"), 5, false, slack::read),
    kind("webhook", "webhook_configs", ("[]*webhook.WebhookConfig", "webhook.plain"), 0, true, webhook::read),
    kind("opsgenie", "opsgenie_configs", ("[]*opsgenie.OpsGenieConfig", "opsgenie.plain"), 3, true, opsgenie::read),
    kind("wechat", "wechat_configs", ("[]*config.WechatConfig", "config.plain"), 4, false, wechat::read),
    kind("pushover", "pushover_configs", ("[]*config.PushoverConfig", "config.plain"), 7, true, pushover::read),
    kind("victorops", "victorops_configs", ("[]*config.VictorOpsConfig", "config.plain"), 6, true, victorops::read),
    kind("sns", "sns_configs", ("[]*config.SNSConfig", "config.plain"), 8, true, sns::read),
    kind("telegram", "telegram_configs", ("[]*telegram.TelegramConfig", "telegram.plain"), 9, true, telegram::read),
    kind("webex", "webex_configs", ("[]*config.WebexConfig", "config.plain"), 11, true, webex::read),
    kind("msteams", "msteams_configs", ("[]*msteams.MSTeamsConfig", "msteams.plain"), 12, true, msteams::read),
    kind(
        "msteamsv2",
        "msteamsv2_configs",
        ("[]*msteamsv2.MSTeamsV2Config", "msteamsv2.plain"),
        13,
        true,
        msteams::read_v2,
    ),
    kind("jira", "jira_configs", ("[]*jira.JiraConfig", "jira.plain"), 14, true, jira::read),
    kind(
        "rocketchat",
        "rocketchat_configs",
        ("[]*config.RocketchatConfig", "config.plain"),
        16,
        false,
        rocketchat::read,
    ),
    kind(
        "mattermost",
        "mattermost_configs",
        ("[]*mattermost.MattermostConfig", "mattermost.plain"),
        17,
        true,
        mattermost::read,
    ),
];

/// Reads one receiver.
pub(super) fn read(node: &Node, path: &str, global: &mut Global) -> Result<(Receiver, Out), ConfigError> {
    let mut form = Form::open(node, path, "config.plain")?;
    let name = form.text_shown("name", "")?;
    let mut labels = form.raw_text_map("labels")?;
    let given = labels.get("name").filter(|given| **given != name).cloned();
    labels.insert("name".into(), name.clone());
    form.printed().put("labels", Out::text_map(labels.iter().map(|(k, v)| (&**k, &**v))));
    let mut integrations = Vec::new();
    for kind in &KINDS {
        let mut index = 0;
        let read = form.list(kind.field, kind.list, |node, path| {
            let (settings, send_resolved, out) = read_one(kind, node, path, global)?;
            index += 1;
            Ok((Integration { kind: kind.name, index: index - 1, line: node.line, send_resolved, settings }, out))
        })?;
        integrations.extend(read.into_iter().map(|integration| (kind.order, integration)));
    }
    let printed = form.done_with(|form| {
        form.refuse_if(name.is_empty(), "name", "missing name in receiver")?;
        if let Some(other) = given {
            let (name, other) = (GoQuoted(&name), GoQuoted(&other));
            let message = format!("receiver label \"name\" must match receiver name {name}, got {other}");
            return Err(form.error("labels", message));
        }
        Ok(())
    })?;
    integrations.sort_by_key(|(order, _)| *order);
    let integrations = integrations.into_iter().map(|(_, integration)| integration).collect();
    let labels = LabelSet::new(labels.iter().map(|(k, v)| (&**k, &**v)));
    Ok((Receiver { name: Arc::from(name), labels, integrations }, printed))
}

fn read_one(kind: &Kind, node: &Node, path: &str, global: &mut Global) -> Result<(Settings, bool, Out), ConfigError> {
    if node.is_null() {
        return Err(node.error(path, format!("missing {} config", kind.name)));
    }
    let mut form = Form::open(node, path, kind.item)?;
    let send_resolved = form.flag("send_resolved", kind.send_resolved)?;
    let settings = (kind.read)(&mut form, global)?;
    Ok((settings, send_resolved, form.done()?))
}

/// The receiver's own `http_config`, or that of `global` as a whole.
fn http(form: &mut Form<'_>, global: &Global) -> Result<Arc<HttpConfig>, ConfigError> {
    if let Some(node) = form.node("http_config") {
        let (config, printed) = http_read::read(node, &form.path("http_config"), &global.directory)?;
        form.printed().put("http_config", printed);
        return Ok(Arc::new(config));
    }
    let Some(http) = &global.http else {
        return Err(form.error("", "no http_config: that of global is null; remove it there, or give one here"));
    };
    form.printed().put("http_config", http.printed.clone());
    Ok(Arc::clone(&http.config))
}

/// A secret URL or a file that holds one, exactly one of them. `kind`: for the error texts.
fn webhook_url(form: &mut Form<'_>) -> Result<Option<UrlSource>, ConfigError> {
    let url = form.secret_url("webhook_url")?;
    let file = form.file("webhook_url_file")?;
    match (url, file) {
        (Some(_), Some(_)) => {
            let message = "at most one of webhook_url & webhook_url_file must be configured";
            Err(form.error("webhook_url_file", message))
        }
        (Some(url), None) => Ok(Some(UrlSource::Inline(url))),
        (None, Some(file)) => Ok(Some(UrlSource::File(file))),
        (None, None) => Ok(None),
    }
}
