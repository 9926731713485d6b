//! WeChat Work.

use std::sync::Arc;

use super::super::error::ConfigError;
use super::super::form::Form;
use super::super::global::Global;
use super::super::http::{HttpConfig, SecretSource};
use super::super::out::Out;
use super::super::url::ApiUrl;
use super::opsgenie::with_slash;
use super::{Settings, http};

/// Settings of a WeChat agent. All texts but the corporation's ID are templates.
#[derive(Clone, Debug)]
pub struct WechatConfig {
    /// How to connect.
    pub http: Arc<HttpConfig>,
    /// For the token.
    pub api_secret: SecretSource,
    /// Of the corporation; not empty.
    pub corp_id: String,
    /// Text.
    pub message: String,
    /// Its path ends with a slash.
    pub api_url: ApiUrl,
    /// Users.
    pub to_user: String,
    /// Departments.
    pub to_party: String,
    /// Tags.
    pub to_tag: String,
    /// Who sends.
    pub agent_id: String,
    /// How the text is shown.
    pub message_type: WechatMessageType,
}

/// How a text is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WechatMessageType {
    /// `text`
    Text,
    /// `markdown`
    Markdown,
}

pub(super) fn read(form: &mut Form<'_>, global: &mut Global) -> Result<Settings, ConfigError> {
    let http = http(form, global)?;
    let own = (form.is_set("api_secret"), form.is_set("api_secret_file"));
    let inherited = if own.0 || own.1 { Default::default() } else { global.wechat_api_secret.clone() };
    let api_secret = form.secret_or("api_secret", inherited.inline.as_ref())?;
    let api_secret_file = form.file_or("api_secret_file", inherited.file.as_ref())?;
    let default = |name: &str| format!(r#"{{{{ template "wechat.default.{name}" . }}}}"#);
    let corp_id = form.text_or("corp_id", &global.wechat_api_corp_id)?;
    let message = form.text("message", &default("message"))?;
    let api_url = with_slash(form, "api_url", &mut global.wechat_api_url)?;
    let to_user = form.text("to_user", &default("to_user"))?;
    let to_party = form.text("to_party", &default("to_party"))?;
    let to_tag = form.text("to_tag", &default("to_tag"))?;
    let agent_id = form.text("agent_id", &default("agent_id"))?;
    let kind = Some(form.raw("message_type")?).filter(|kind| !kind.is_empty()).unwrap_or_else(|| "text".into());
    form.printed().put("message_type", Out::text(&kind));
    form.complete()?;
    let message_type = match kind.as_str() {
        "text" => WechatMessageType::Text,
        "markdown" => WechatMessageType::Markdown,
        _ => {
            let kind = crate::label::GoQuoted(&kind);
            let message = format!("weChat message type {kind} does not match valid options ^(text|markdown)$");
            return Err(form.error("message_type", message));
        }
    };
    let message_both = "at most one of api_secret & api_secret_file must be configured";
    form.refuse_if(own.0 && own.1, "api_secret_file", message_both)?;
    let Some(api_url) = api_url else { return Err(form.error("api_url", "no global Wechat URL set")) };
    let Some(api_secret) = SecretSource::of(api_secret, api_secret_file) else {
        return Err(form.error("", "no global Wechat Api Secret set either inline or in a file"));
    };
    form.refuse_if(corp_id.is_empty(), "corp_id", "no global Wechat CorpID set")?;
    Ok(Settings::Wechat(WechatConfig {
        http,
        api_secret,
        corp_id,
        message,
        api_url,
        to_user,
        to_party,
        to_tag,
        agent_id,
        message_type,
    }))
}
