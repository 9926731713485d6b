//! Rocket.Chat.

use std::sync::Arc;

use super::super::error::ConfigError;
use super::super::form::Form;
use super::super::form::not_null;
use super::super::global::Global;
use super::super::http::{HttpConfig, SecretSource};
use super::super::node::Node;
use super::super::out::Out;
use super::super::url::ApiUrl;
use super::{AttachmentField, Settings, fields, http};

/// Settings of a Rocket.Chat channel. All texts are templates.
#[derive(Clone, Debug)]
pub struct RocketchatConfig {
    /// How to connect.
    pub http: Arc<HttpConfig>,
    /// Where to post.
    pub api_url: ApiUrl,
    /// The user's ID; a file is read when the config is taken into use.
    pub token_id: SecretSource,
    /// A file is read when the config is taken into use.
    pub token: SecretSource,
    /// Overrides the channel.
    pub channel: String,
    /// Of the bar beside the attachment.
    pub color: String,
    /// Of the attachment.
    pub title: String,
    /// Link behind the title.
    pub title_link: String,
    /// Of the attachment.
    pub text: String,
    /// Of the attachment.
    pub fields: Vec<AttachmentField>,
    /// For fields that don't say it.
    pub short_fields: bool,
    /// Of the sender.
    pub emoji: String,
    /// Of the sender.
    pub icon_url: String,
    /// In the attachment.
    pub image_url: String,
    /// In the attachment.
    pub thumb_url: String,
    /// Whether names of channels and users become links.
    pub link_names: bool,
    /// Buttons.
    pub actions: Vec<RocketchatAction>,
}

/// A button. The reference reads more of it than it sends; this is what it sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RocketchatAction {
    /// Template.
    pub text: String,
    /// Template.
    pub url: String,
    /// Template.
    pub msg: String,
}

pub(super) fn read(form: &mut Form<'_>, global: &mut Global) -> Result<Settings, ConfigError> {
    let http = http(form, global)?;
    let api_url = form.url_or("api_url", global.rocketchat_api_url.as_ref())?;
    let own_id = form.node("token_id").is_some() && form.is_set("token_id_file");
    let own_token = form.node("token").is_some() && form.is_set("token_file");
    let token_id = form.optional_secret("token_id", global.rocketchat_token_id.inline.as_ref())?;
    let token_id_file = form.file_or("token_id_file", global.rocketchat_token_id.file.as_ref())?;
    let token = form.optional_secret("token", global.rocketchat_token.inline.as_ref())?;
    let token_file = form.file_or("token_file", global.rocketchat_token.file.as_ref())?;
    let default = |name: &str| format!(r#"{{{{ template "rocketchat.default.{name}" . }}}}"#);
    let channel = form.text("channel", "")?;
    let color = form.text("color", r#"{{ if eq .Status "firing" }}red{{ else }}green{{ end }}"#)?;
    let title = form.text("title", &default("title"))?;
    let title_link = form.text("title_link", &default("titlelink"))?;
    let text = form.text("text", &default("text"))?;
    let fields = fields::read_lax(form)?;
    let short_fields = form.flag("short_fields", false)?;
    let emoji = form.text("emoji", &default("emoji"))?;
    let icon_url = form.text("icon_url", &default("iconurl"))?;
    let image_url = form.text("image_url", "")?;
    let thumb_url = form.text("thumb_url", "")?;
    let link_names = form.flag("link_names", false)?;
    let actions = form.list("actions", "[]*config.RocketchatAttachmentAction", read_action)?;
    form.complete()?;
    form.refuse_if(own_token, "token_file", "at most one of token & token_file must be configured")?;
    form.refuse_if(own_id, "token_id_file", "at most one of token_id & token_id_file must be configured")?;
    // one may be the receiver's and the other global: then it is the file
    let source = |inline: Option<_>, file: Option<_>| file.map(SecretSource::File).or(inline.map(SecretSource::Inline));
    let Some(token_id) = source(token_id, token_id_file) else {
        return Err(form.error("", "no global Rocketchat TokenID set either inline or in a file"));
    };
    let Some(token) = source(token, token_file) else {
        return Err(form.error("", "no global Rocketchat Token set either inline or in a file"));
    };
    let Some(api_url) = api_url else { return Err(form.error("api_url", "no global Rocketchat API URL set")) };
    Ok(Settings::Rocketchat(Box::new(RocketchatConfig {
        http,
        api_url,
        token_id,
        token,
        channel,
        color,
        title,
        title_link,
        text,
        fields,
        short_fields,
        emoji,
        icon_url,
        image_url,
        thumb_url,
        link_names,
        actions,
    })))
}

fn read_action(node: &Node, path: &str) -> Result<(RocketchatAction, Out), ConfigError> {
    not_null(node, path, "action in Rocketchat configuration")?;
    let mut form = Form::open(node, path, "config.RocketchatAttachmentAction")?;
    form.text_shown("type", "")?;
    let text = form.text_shown("text", "")?;
    let url = form.text_shown("url", "")?;
    form.text_shown("imageurl", "")?;
    form.flag("iswebview", false)?;
    form.text_shown("webviewheightratio", "")?;
    let msg = form.text_shown("msg", "")?;
    form.flag("msginchatwindow", false)?;
    form.text_shown("msgprocessingtype", "")?;
    Ok((RocketchatAction { text, url, msg }, form.done()?))
}
