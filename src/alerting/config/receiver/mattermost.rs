//! Mattermost.

use std::sync::Arc;

use super::super::error::ConfigError;
use super::super::form::Form;
use super::super::form::not_null;
use super::super::global::Global;
use super::super::http::HttpConfig;
use super::super::model::UrlSource;
use super::super::out::Out;
use super::{AttachmentField, Settings, fields, http};

/// Settings of a Mattermost webhook. All texts are templates, but for those of `priority`.
#[derive(Clone, Debug)]
pub struct MattermostConfig {
    /// How to connect.
    pub http: Arc<HttpConfig>,
    /// Where to post.
    pub webhook_url: UrlSource,
    /// Overrides the channel.
    pub channel: String,
    /// Of the sender.
    pub username: String,
    /// The receiver's own attachment; `text` is that of the message if there are `attachments`.
    pub attachment: MattermostAttachment,
    /// Of the sender.
    pub icon_url: String,
    /// Of the sender.
    pub icon_emoji: String,
    /// In place of the receiver's own.
    pub attachments: Vec<MattermostAttachment>,
    /// Of the message.
    pub kind: String,
    /// `props.card`: text of the card; `None`: no props.
    pub card: Option<String>,
    /// Of the message.
    pub priority: Option<MattermostPriority>,
}

/// An attachment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the service")]
pub struct MattermostAttachment {
    pub fallback: String,
    pub color: String,
    pub pretext: String,
    pub text: String,
    pub author_name: String,
    pub author_link: String,
    pub author_icon: String,
    pub title: String,
    pub title_link: String,
    pub fields: Vec<AttachmentField>,
    pub thumb_url: String,
    pub footer: String,
    pub footer_icon: String,
    pub image_url: String,
}

/// How urgent a message is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MattermostPriority {
    /// `urgent`, `important`, or anything else for standard.
    pub priority: String,
    /// Ask for an acknowledgement.
    pub requested_ack: bool,
    /// Notify until it is acknowledged.
    pub persistent_notifications: bool,
}

pub(super) fn read(form: &mut Form<'_>, global: &mut Global) -> Result<Settings, ConfigError> {
    let http = http(form, global)?;
    let (mut url, mut file) = (form.raw_secret_url("webhook_url")?, form.raw_file("webhook_url_file")?);
    let both = url.is_some() && file.is_some();
    if url.is_none() && file.is_none() {
        (url, file) = (global.mattermost_webhook_url.inline.clone(), global.mattermost_webhook_url.file.clone());
    }
    form.put_secret("webhook_url", url.is_some());
    form.printed().put_some("webhook_url_file", Out::text(file.as_deref().unwrap_or_default()));
    let channel = form.text("channel", "")?;
    let username = form.text("username", &default("username"))?;
    let attachment = read_own_attachment(form)?;
    let icon_url = form.text("icon_url", "")?;
    let icon_emoji = form.text("icon_emoji", "")?;
    let attachments = form.list("attachments", "[]*mattermost.MattermostAttachment", |node, path| {
        not_null(node, path, "attachment in Mattermost configuration")?;
        let mut form = Form::open(node, path, "mattermost.MattermostAttachment")?;
        Ok((read_attachment(&mut form)?, form.done()?))
    })?;
    let kind = form.text("type", "")?;
    let mut card = None;
    if let Some(node) = form.node("props") {
        let mut props = Form::open(node, &form.path("props"), "mattermost.MattermostProps")?;
        card = Some(props.text("card", "")?);
        let out = props.done()?;
        form.printed().put("props", out);
    }
    let mut priority = None;
    if let Some(node) = form.node("priority") {
        let mut fields = Form::open(node, &form.path("priority"), "mattermost.MattermostPriority")?;
        priority = Some(MattermostPriority {
            priority: fields.text("priority", "")?,
            requested_ack: fields.switch("requested_ack")?,
            persistent_notifications: fields.switch("persistent_notifications")?,
        });
        let out = fields.done()?;
        form.printed().put("priority", out);
    }
    form.complete()?;
    let message = "at most one of webhook_url & webhook_url_file must be configured";
    form.refuse_if(both, "webhook_url_file", message)?;
    let webhook_url = match (url, file) {
        (Some(url), _) => UrlSource::Inline(url),
        (None, Some(file)) => UrlSource::File(file),
        (None, None) => {
            return Err(form.error("", "missing webhook_url or webhook_url_file on mattermost_config"));
        }
    };
    Ok(Settings::Mattermost(Box::new(MattermostConfig {
        http,
        webhook_url,
        channel,
        username,
        attachment,
        icon_url,
        icon_emoji,
        attachments,
        kind,
        card,
        priority,
    })))
}

fn default(name: &str) -> String {
    format!(r#"{{{{ template "mattermost.default.{name}" . }}}}"#)
}

/// The fields of an attachment as they stand among those of the receiver.
fn read_own_attachment(form: &mut Form<'_>) -> Result<MattermostAttachment, ConfigError> {
    let text = form.text("text", &default("text"))?;
    let fallback = form.text("fallback", &default("fallback"))?;
    let color = form.text("color", &default("color"))?;
    let pretext = form.text("pretext", "")?;
    read_rest(form, [fallback, color, pretext, text], [&default("title"), &default("titlelink")])
}

fn read_attachment(form: &mut Form<'_>) -> Result<MattermostAttachment, ConfigError> {
    let fallback = form.text("fallback", "")?;
    let color = form.text("color", "")?;
    let pretext = form.text("pretext", "")?;
    let text = form.text("text", "")?;
    read_rest(form, [fallback, color, pretext, text], ["", ""])
}

fn read_rest(
    form: &mut Form<'_>,
    [fallback, color, pretext, text]: [String; 4],
    [title, title_link]: [&str; 2],
) -> Result<MattermostAttachment, ConfigError> {
    Ok(MattermostAttachment {
        fallback,
        color,
        pretext,
        text,
        author_name: form.text("author_name", "")?,
        author_link: form.text("author_link", "")?,
        author_icon: form.text("author_icon", "")?,
        title: form.text("title", title)?,
        title_link: form.text("title_link", title_link)?,
        fields: fields::read(form, "Mattermost", ("[]*mattermost.MattermostField", "mattermost.plain"))?,
        thumb_url: form.text("thumb_url", "")?,
        footer: form.text("footer", "")?,
        footer_icon: form.text("footer_icon", "")?,
        image_url: form.text("image_url", "")?,
    })
}
