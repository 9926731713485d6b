//! The Opsgenie integration: an alert is created, maybe updated, and closed.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

use super::render::{Fields, Notification, Unsendable};
use super::{Request, Step, Then, truncate};
use crate::config::{OpsgenieConfig, Secret, SecretSource};

/// Opsgenie's limit, in characters.
const MESSAGE_MAX: usize = 130;

#[derive(Serialize)]
struct Create<'a> {
    alias: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    details: BTreeMap<String, String>,
    source: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    responders: Vec<Responder>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    note: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    priority: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    entity: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actions: Vec<String>,
}

#[derive(Serialize, Default, PartialEq)]
struct Responder {
    #[serde(skip_serializing_if = "String::is_empty")]
    id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    username: String,
    r#type: String,
}

#[derive(Serialize)]
struct Close {
    source: String,
}

/// One of the two.
#[derive(Serialize)]
struct Update<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    message: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
}

/// The first request for a notification.
///
/// # Errors
/// When a template fails.
pub(super) fn request(config: &OpsgenieConfig, of: &Notification<'_>) -> Result<Step, Unsendable> {
    let fields = of.fields();
    let mut requests = requests(config, of, &fields)?;
    let key = fields.text("api_key", of.secret_as_is(&config.api_key)?)?;
    let key = if matches!(config.api_key, SecretSource::File(_)) { key.trim() } else { &key };
    let authorization = Secret::new(format!("GenieKey {key}"));
    for request in &mut requests {
        request.secret_headers.push(("Authorization", authorization.clone()));
    }
    let request = requests.pop_front().ok_or(Unsendable::Empty("api_url"))?;
    Ok(Step { request: request.into(), then: Then::Each(requests) })
}

fn requests(
    config: &OpsgenieConfig,
    of: &Notification<'_>,
    fields: &Fields<'_>,
) -> Result<VecDeque<Request>, Unsendable> {
    let alias = of.key_hash();
    let existing = |part: &str| {
        let url = config.api_url.with_suffix(&format!("v2/alerts/{alias}/{part}"));
        Secret::new(url.with_query("identifierType", "alias").to_string())
    };
    let source = fields.text("source", &config.source)?;
    let mut details: BTreeMap<String, String> =
        fields.common_labels().iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    for (name, value) in &config.details {
        details.insert(name.clone(), fields.text("details", value)?);
    }
    if !of.firing() {
        return Ok([of.json("POST", existing("close"), &config.http, &Close { source })].into());
    }
    let message = truncate::to_chars(fields.text("message", &config.message)?, MESSAGE_MAX);
    let description = fields.text("description", &config.description)?;
    let create = Create {
        alias: &alias,
        message: &message,
        description: &description,
        details,
        source,
        responders: responders(config, fields)?,
        tags: split(&fields.text("tags", &config.tags)?),
        note: fields.text("note", &config.note)?,
        priority: fields.text("priority", &config.priority)?,
        entity: fields.text("entity", &config.entity)?,
        actions: split(&fields.text("actions", &config.actions)?),
    };
    let url = Secret::new(config.api_url.with_suffix("v2/alerts").to_string());
    let mut requests = VecDeque::from([of.json("POST", url, &config.http, &create)]);
    if config.update_alerts {
        for (part, message, description) in [("message", &*message, ""), ("description", "", &*description)] {
            let update = Update { message, description };
            requests.push_back(of.json("PUT", existing(part), &config.http, &update));
        }
    }
    Ok(requests)
}

fn responders(config: &OpsgenieConfig, fields: &Fields<'_>) -> Result<Vec<Responder>, Unsendable> {
    let mut responders = Vec::with_capacity(config.responders.len());
    for responder in &config.responders {
        let text = |template: &str| fields.text("responders", template);
        let rendered = Responder {
            id: text(&responder.id)?,
            name: text(&responder.name)?,
            username: text(&responder.username)?,
            r#type: text(&responder.kind)?,
        };
        if rendered == Responder::default() {
            // they may depend on what the alerts share
            continue;
        }
        if rendered.r#type == "teams" {
            for team in split(&rendered.name) {
                responders.push(Responder { name: text(&team)?, r#type: "team".into(), ..Responder::default() });
            }
        } else {
            responders.push(rendered);
        }
    }
    Ok(responders)
}

/// The parts between commas that are not empty.
fn split(text: &str) -> Vec<String> {
    text.trim().split(',').filter(|part| !part.is_empty()).map(str::to_owned).collect()
}
