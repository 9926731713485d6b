//! Opsgenie.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::error::ConfigError;
use super::super::form::Form;
use super::super::global::Global;
use super::super::http::{HttpConfig, SecretSource};
use super::super::template;
use super::super::url::ApiUrl;
use super::{Settings, http};

/// Settings of an Opsgenie integration. All texts are templates.
#[derive(Clone, Debug)]
pub struct OpsgenieConfig {
    /// How to connect.
    pub http: Arc<HttpConfig>,
    /// For the header `Authorization: GenieKey …`.
    pub api_key: SecretSource,
    /// Its path ends with a slash.
    pub api_url: ApiUrl,
    /// Title.
    pub message: String,
    /// Text.
    pub description: String,
    /// Where it comes from.
    pub source: String,
    /// Over the common labels.
    pub details: BTreeMap<String, String>,
    /// What it is about.
    pub entity: String,
    /// Who is told.
    pub responders: Vec<Responder>,
    /// Separated by commas.
    pub actions: String,
    /// Separated by commas.
    pub tags: String,
    /// Added note.
    pub note: String,
    /// `P1` to `P5`.
    pub priority: String,
    /// Whether message and description of an open alert are updated.
    pub update_alerts: bool,
}

/// Somebody who is told; at least one of the first three is not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Responder {
    /// By ID.
    pub id: String,
    /// By name.
    pub name: String,
    /// By user name.
    pub username: String,
    /// `team`, `teams`, `user`, `escalation` or `schedule` in any case, or a template.
    pub kind: String,
}

pub(super) fn read(form: &mut Form<'_>, global: &mut Global) -> Result<Settings, ConfigError> {
    let http = http(form, global)?;
    let both = form.is_set("api_key") && form.is_set("api_key_file");
    let api_key = form.secret_or("api_key", global.opsgenie_api_key.inline.as_ref())?;
    let api_key_file = form.file_or("api_key_file", global.opsgenie_api_key.file.as_ref())?;
    let api_url = with_slash(form, "api_url", &mut global.opsgenie_api_url)?;
    let default = |name: &str| format!(r#"{{{{ template "opsgenie.default.{name}" . }}}}"#);
    let message = form.text("message", &default("message"))?;
    let description = form.text("description", &default("description"))?;
    let source = form.text("source", &default("source"))?;
    let details = form.text_map("details")?;
    let entity = form.text("entity", "")?;
    let responders = form.list("responders", "[]opsgenie.OpsGenieConfigResponder", |node, path| {
        let mut form = Form::open(node, path, "opsgenie.OpsGenieConfigResponder")?;
        let id = form.text("id", "")?;
        let name = form.text("name", "")?;
        let username = form.text("username", "")?;
        let kind = form.text("type", "")?;
        Ok((Responder { id, name, username, kind }, form.done()?))
    })?;
    let actions = form.text("actions", "")?;
    let tags = form.text("tags", "")?;
    let note = form.text("note", "")?;
    let priority = form.text("priority", "")?;
    let update_alerts = form.switch("update_alerts")?;
    form.complete()?;
    form.refuse_if(both, "api_key_file", "at most one of api_key & api_key_file must be configured")?;
    responders.iter().try_for_each(|responder| check(form, responder))?;
    let Some(api_url) = api_url else { return Err(form.error("api_url", "no global OpsGenie URL set")) };
    let Some(api_key) = SecretSource::of(api_key, api_key_file) else {
        return Err(form.error("", "no global OpsGenie API Key set either inline or in a file"));
    };
    Ok(Settings::Opsgenie(Box::new(OpsgenieConfig {
        http,
        api_key,
        api_url,
        message,
        description,
        source,
        details,
        entity,
        responders,
        actions,
        tags,
        note,
        priority,
        update_alerts,
    })))
}

fn check(form: &Form<'_>, responder: &Responder) -> Result<(), ConfigError> {
    let Responder { id, name, username, kind } = responder;
    if id.is_empty() && name.is_empty() && username.is_empty() {
        let message = format!(
            "opsGenieConfig responder {{{id} {name} {username} {kind}}} has to have at least one of id, username or \
            name specified"
        );
        return Err(form.error("responders", message));
    }
    if kind.contains("{{") {
        return template::check_builtin(kind).map_err(|e| {
            let message = format!(
                "opsGenieConfig responder {{{id} {name} {username} {kind}}} type contains invalid template syntax: {e}"
            );
            form.error("responders", message)
        });
    }
    let lower = kind.to_lowercase();
    if !["team", "teams", "user", "escalation", "schedule"].contains(&lower.as_str()) {
        let message = format!(
            "opsGenieConfig responder {{{id} {name} {username} {lower}}} type does not match valid options \
            ^(team|teams|user|escalation|schedule)$"
        );
        return Err(form.error("responders", message));
    }
    Ok(())
}

/// A URL whose path ends with a slash: the receiver's own or that of `global`, which gets the slash as well.
pub(super) fn with_slash(
    form: &mut Form<'_>,
    name: &'static str,
    global: &mut Option<ApiUrl>,
) -> Result<Option<ApiUrl>, ConfigError> {
    let url = match form.raw_url(name)? {
        Some(own) => Some(own.with_slash()),
        None => {
            *global = global.as_ref().map(ApiUrl::with_slash);
            global.clone()
        }
    };
    form.put_url(name, url.as_ref());
    Ok(url)
}
