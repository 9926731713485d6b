//! The incident.io integration: the message of a webhook, in another version.

use serde::Deserialize;

use super::render::{Notification, Unsendable};
use super::webhook::{Message, shown};
use super::{Step, Then};
use crate::config::{IncidentioConfig, Secret};

/// incident.io's limit, in bytes.
const MESSAGE_MAX: usize = 512 << 10;

/// The request for a notification.
///
/// # Errors
/// When a file was not read.
pub(super) fn request(config: &IncidentioConfig, of: &Notification<'_>) -> Result<Step, Unsendable> {
    let mut message = Message::new("1", of.data, shown(&of.data.alerts, config.max_alerts));
    let url = of.url(&config.url)?;
    let mut request = of.json("POST", url.clone(), &config.http, &message);
    if request.body.len() > MESSAGE_MAX {
        // one alert is enough for an incident
        message.cut_to_first();
        request = of.json("POST", url, &config.http, &message);
    }
    let token = config.token.as_ref().map(|token| of.secret(token)).transpose()?;
    if let Some(token) = token.filter(|token| !token.is_empty())
        && config.http.basic_auth.is_none()
        && config.http.oauth2.is_none()
    {
        request.secret_headers.push(("Authorization", Secret::new(format!("Bearer {token}"))));
    }
    Ok(Step { request: request.into(), then: Then::Explained(details) })
}

/// What incident.io says in JSON.
fn details(_status: u16, body: &str) -> String {
    #[derive(Deserialize, Default)]
    struct Refusal {
        #[serde(default)]
        message: String,
        #[serde(default)]
        errors: Vec<String>,
        #[serde(default)]
        error: String,
    }
    let Refusal { message, errors, error } = serde_json::from_str(body).unwrap_or_default();
    let parts = [message, error, errors.join(", ")];
    parts.iter().filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>().join(": ")
}
