//! Slack.

use std::sync::Arc;
use std::time::Duration;

use super::super::error::ConfigError;
use super::super::form::Form;
use super::super::form::not_null;
use super::super::global::Global;
use super::super::global::Pair;
use super::super::http::{Authorization, HttpConfig, SecretSource};
use super::super::http_read::authorization_printed;
use super::super::model::UrlSource;
use super::super::node::Node;
use super::super::out::{Fields, Out};
use super::super::secret::Secret;
use super::{AttachmentField, Settings, fields, http};

/// Settings of a Slack channel. All texts are templates.
#[derive(Clone, Debug)]
pub struct SlackConfig {
    /// How to connect; holds the app's token as authorization, if there is one.
    pub http: Arc<HttpConfig>,
    /// Where to post: a webhook, or the app's URL if there is a token.
    pub url: UrlSource,
    /// Overrides the channel; empty: the webhook's own.
    pub channel: String,
    /// Of the sender.
    pub username: String,
    /// Of the bar beside the attachment.
    pub color: String,
    /// Of the attachment.
    pub title: String,
    /// Link behind the title.
    pub title_link: String,
    /// Above the attachment.
    pub pretext: String,
    /// Of the attachment.
    pub text: String,
    /// Of the message itself; empty: none.
    pub message_text: String,
    /// Of the attachment.
    pub fields: Vec<AttachmentField>,
    /// For fields that don't say it.
    pub short_fields: bool,
    /// Of the attachment.
    pub footer: String,
    /// Where attachments can't be shown.
    pub fallback: String,
    /// For interactive messages.
    pub callback_id: String,
    /// Of the sender.
    pub icon_emoji: String,
    /// Of the sender.
    pub icon_url: String,
    /// In the attachment.
    pub image_url: String,
    /// In the attachment.
    pub thumb_url: String,
    /// Whether names of channels and users become links.
    pub link_names: bool,
    /// Which parts are Markdown; empty: `fallback`, `pretext` and `text`. No templates.
    pub mrkdwn_in: Vec<String>,
    /// Buttons.
    pub actions: Vec<SlackAction>,
    /// Whether later notifications of a group change the first message.
    pub update_message: bool,
    /// Limit of one attempt; 0: none but the pipeline's.
    pub timeout: Duration,
}

/// A button; either `url`, or `name` with `value` and `confirm`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlackAction {
    /// Not empty.
    pub kind: String,
    /// Not empty.
    pub text: String,
    /// Link behind it.
    pub url: String,
    /// Look.
    pub style: String,
    /// For the app.
    pub name: String,
    /// For the app.
    pub value: String,
    /// Asked before.
    pub confirm: Option<SlackConfirmation>,
}

/// A question before a button takes effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlackConfirmation {
    /// Not empty.
    pub text: String,
    /// Title of the dialog.
    pub title: String,
    /// Text of yes.
    pub ok_text: String,
    /// Text of no.
    pub dismiss_text: String,
}

/// Where messages can be changed.
const POST_MESSAGE: &str = "https://slack.com/api/chat.postMessage";

/// What decides where messages go, as written.
struct Target {
    url: Pair,
    token: Pair,
    app_url: Option<String>,
}

pub(super) fn read(form: &mut Form<'_>, global: &mut Global) -> Result<Settings, ConfigError> {
    let http = http(form, global)?;
    let own = Target {
        url: Pair { inline: form.raw_secret_url("api_url")?, file: form.raw_file("api_url_file")? },
        token: Pair { inline: form.secret("app_token")?, file: form.raw_file("app_token_file")? },
        app_url: form.url_or("app_url", global.slack_app_url.as_ref())?.map(|url| url.to_string()),
    };
    let default = |name: &str| format!(r#"{{{{ template "slack.default.{name}" . }}}}"#);
    let mut config = SlackConfig {
        http,
        url: UrlSource::File(String::new()),
        channel: form.text("channel", "")?,
        username: form.text("username", &default("username"))?,
        color: form.text("color", &default("color"))?,
        title: form.text("title", &default("title"))?,
        title_link: form.text("title_link", &default("titlelink"))?,
        pretext: form.text("pretext", &default("pretext"))?,
        text: form.text("text", &default("text"))?,
        message_text: form.text("message_text", "")?,
        fields: fields::read(form, "Slack", ("[]*config.SlackField", "config.plain"))?,
        short_fields: form.flag("short_fields", false)?,
        footer: form.text("footer", &default("footer"))?,
        fallback: form.text("fallback", &default("fallback"))?,
        callback_id: form.text("callback_id", &default("callbackid"))?,
        icon_emoji: form.text("icon_emoji", &default("iconemoji"))?,
        icon_url: form.text("icon_url", &default("iconurl"))?,
        image_url: form.text("image_url", "")?,
        thumb_url: form.text("thumb_url", "")?,
        link_names: form.flag("link_names", false)?,
        mrkdwn_in: form.texts("mrkdwn_in")?,
        actions: form.list("actions", "[]*config.SlackAction", read_action)?,
        update_message: form.flag("update_message", false)?,
        timeout: form.go_duration("timeout")?,
    };
    form.complete()?;
    let url = own.url.inline.as_ref().map(Secret::expose);
    check_own(form, &own)?;
    let message = "update_message can only be used with bot tokens. api_url must be set to \
                   https://slack.com/api/chat.postMessage";
    form.refuse_if(config.update_message && url != Some(POST_MESSAGE), "update_message", message)?;
    resolve(form, global, own, &mut config)?;
    Ok(Settings::Slack(Box::new(config)))
}

fn check_own(form: &Form<'_>, own: &Target) -> Result<(), ConfigError> {
    let Target { url, token, .. } = own;
    let message = "at most one of api_url & api_url_file must be configured";
    form.refuse_if(url.inline.is_some() && url.file.is_some(), "api_url_file", message)?;
    let message = "at most one of app_token & app_token_file must be configured";
    form.refuse_if(token.inline.is_some() && token.file.is_some(), "app_token_file", message)?;
    let message = "at most one of api_url/api_url_file & app_token/app_token_file must be configured";
    form.refuse_if(!url.is_none() && !token.is_none(), "app_token", message)
}

/// Takes over what `global` says, and decides where to post.
fn resolve(form: &mut Form<'_>, global: &Global, own: Target, config: &mut SlackConfig) -> Result<(), ConfigError> {
    let Some(app_url) = own.app_url else { return Err(form.error("app_url", "no global Slack App URL set")) };
    let own_authorization = form.node("http_config").is_some() && config.http.authorization.is_some();
    let (mut url, mut token) = (own.url, own.token);
    if token.is_none() && !own_authorization && url.inline.is_none() {
        token = global.slack_app_token.clone();
    }
    if url.is_none() {
        url = global.slack_api_url.clone();
    }
    if url.is_none() && token.is_none() {
        return Err(form.error("", "no Slack API URL nor App token set either inline or in a file"));
    }
    let with_token = token.inline.is_some();
    // as part of http_config the file counts from the config's directory, and by itself would not (reference behaviour)
    let token_file = token.file.as_ref().map(|file| global.directory.join(file));
    if let Some(credentials) = SecretSource::of(token.inline, token_file) {
        if config.http.authorization.is_some() {
            return Err(form.error("http_config", "http authorization can't be set when using Slack App tokens"));
        }
        let authorization = Authorization { kind: "Bearer".into(), credentials: Some(credentials) };
        let out = authorization_printed(&authorization);
        form.printed().change("http_config", |http| {
            let mut fields = Fields::of(http);
            fields.insert_after(&["basic_auth"], "authorization", out);
            fields.done()
        });
        let http = HttpConfig { authorization: Some(authorization), ..HttpConfig::clone(&config.http) };
        config.http = Arc::new(http);
        url.inline = Some(Secret::new(app_url));
    }
    let fields = form.printed();
    let hidden = || Out::text(super::super::secret::HIDDEN);
    let before = ["send_resolved", "http_config"];
    if let Some(file) = &token.file {
        fields.insert_after(&before, "app_token_file", Out::text(file));
    }
    if with_token {
        fields.insert_after(&before, "app_token", hidden());
    }
    if let Some(file) = &url.file {
        fields.insert_after(&before, "api_url_file", Out::text(file));
    }
    if url.inline.is_some() {
        fields.insert_after(&before, "api_url", hidden());
    }
    config.url = match (url.inline, url.file) {
        (None, Some(file)) => UrlSource::File(file),
        (inline, _) => UrlSource::Inline(inline.unwrap_or_default()),
    };
    Ok(())
}

fn read_action(node: &Node, path: &str) -> Result<(SlackAction, Out), ConfigError> {
    not_null(node, path, "action in Slack configuration")?;
    let mut form = Form::open(node, path, "config.plain")?;
    let kind = form.text("type", "")?;
    let text = form.text("text", "")?;
    let url = form.text("url", "")?;
    let style = form.text("style", "")?;
    let (mut name, mut value) = (form.raw("name")?, form.raw("value")?);
    let mut confirm = form.node("confirm").map(|node| read_confirmation(node, &form.path("confirm"))).transpose()?;
    form.complete()?;
    form.refuse_if(kind.is_empty(), "type", "missing type in Slack action configuration")?;
    form.refuse_if(text.is_empty(), "text", "missing text in Slack action configuration")?;
    if !url.is_empty() {
        (name, value, confirm) = (String::new(), String::new(), None);
    } else {
        form.refuse_if(name.is_empty(), "name", "missing name or url in Slack action configuration")?;
    }
    form.printed().put_some("name", Out::text(&name));
    form.printed().put_some("value", Out::text(&value));
    let confirm = confirm.map(|(confirm, out)| {
        form.printed().put("confirm", out);
        confirm
    });
    Ok((SlackAction { kind, text, url, style, name, value, confirm }, form.done()?))
}

fn read_confirmation(node: &Node, path: &str) -> Result<(SlackConfirmation, Out), ConfigError> {
    let mut form = Form::open(node, path, "config.plain")?;
    let confirmation = SlackConfirmation {
        text: form.text("text", "")?,
        title: form.text("title", "")?,
        ok_text: form.text("ok_text", "")?,
        dismiss_text: form.text("dismiss_text", "")?,
    };
    form.complete()?;
    let message = "missing text in Slack confirmation configuration";
    form.refuse_if(confirmation.text.is_empty(), "text", message)?;
    Ok((confirmation, form.done()?))
}
