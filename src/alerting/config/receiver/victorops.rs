//! VictorOps, today Splunk On-Call.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::error::ConfigError;
use super::super::form::Form;
use super::super::global::Global;
use super::super::http::{HttpConfig, SecretSource};
use super::super::url::ApiUrl;
use super::opsgenie::with_slash;
use super::{Settings, http};

/// Settings of a VictorOps integration. All texts are templates.
#[derive(Clone, Debug)]
pub struct VictoropsConfig {
    /// How to connect.
    pub http: Arc<HttpConfig>,
    /// Second last part of the path.
    pub api_key: SecretSource,
    /// Its path ends with a slash.
    pub api_url: ApiUrl,
    /// Last part of the path; not empty.
    pub routing_key: String,
    /// While firing.
    pub message_type: String,
    /// Text.
    pub state_message: String,
    /// Title.
    pub entity_display_name: String,
    /// Who sends.
    pub monitoring_tool: String,
    /// None has the name of a fixed one.
    pub custom_fields: BTreeMap<String, String>,
}

const RESERVED: [&str; 7] = [
    "routing_key",
    "message_type",
    "state_message",
    "entity_display_name",
    "monitoring_tool",
    "entity_id",
    "entity_state",
];

pub(super) fn read(form: &mut Form<'_>, global: &mut Global) -> Result<Settings, ConfigError> {
    let http = http(form, global)?;
    let both = form.is_set("api_key") && form.is_set("api_key_file");
    let api_key = form.secret_or("api_key", global.victorops_api_key.inline.as_ref())?;
    let api_key_file = form.file_or("api_key_file", global.victorops_api_key.file.as_ref())?;
    let api_url = with_slash(form, "api_url", &mut global.victorops_api_url)?;
    let default = |name: &str| format!(r#"{{{{ template "victorops.default.{name}" . }}}}"#);
    let routing_key = form.text_shown("routing_key", "")?;
    let message_type = form.text_shown("message_type", "CRITICAL")?;
    let state_message = form.text_shown("state_message", &default("state_message"))?;
    let entity_display_name = form.text_shown("entity_display_name", &default("entity_display_name"))?;
    let monitoring_tool = form.text_shown("monitoring_tool", &default("monitoring_tool"))?;
    let custom_fields = form.text_map("custom_fields")?;
    form.complete()?;
    form.refuse_if(routing_key.is_empty(), "routing_key", "missing Routing key in VictorOps config")?;
    form.refuse_if(both, "api_key_file", "at most one of api_key & api_key_file must be configured")?;
    if let Some(name) = RESERVED.into_iter().find(|name| custom_fields.contains_key(*name)) {
        let message = format!(
            "victorOps config contains custom field {name} which cannot be used as it conflicts with the fixed/static \
            fields"
        );
        return Err(form.error("custom_fields", message));
    }
    let Some(api_url) = api_url else { return Err(form.error("api_url", "no global VictorOps URL set")) };
    let Some(api_key) = SecretSource::of(api_key, api_key_file) else {
        return Err(form.error("", "no global VictorOps API Key set"));
    };
    Ok(Settings::Victorops(VictoropsConfig {
        http,
        api_key,
        api_url,
        routing_key,
        message_type,
        state_message,
        entity_display_name,
        monitoring_tool,
        custom_fields,
    }))
}
