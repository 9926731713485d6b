//! The Pushover integration: all is in the query.

use bytes::Bytes;

use super::render::{Notification, Unsendable};
use super::{REPLY_LOGGED, Request, Step, Then, truncate};
use crate::config::{PushoverConfig, Secret, encode_query};

const URL: &str = "https://api.pushover.net/1/messages.json";

/// Pushover's limits, in characters.
const TITLE_MAX: usize = 250;
const MESSAGE_MAX: usize = 1024;
const URL_MAX: usize = 512;

/// The request for a notification.
///
/// # Errors
/// When a template fails.
pub(super) fn request(config: &PushoverConfig, of: &Notification<'_>) -> Result<Step, Unsendable> {
    let fields = of.fields();
    let message = match config.html {
        true => fields.html("message", &config.message)?,
        false => fields.text("message", &config.message)?,
    };
    let message = truncate::to_chars(message, MESSAGE_MAX);
    // an empty one would be refused (reference behaviour)
    let message = Some(message.trim()).filter(|text| !text.is_empty()).unwrap_or("(no details)").to_owned();
    let mut parameters = vec![
        ("token", fields.text("token", of.secret_as_is(&config.token)?)?),
        ("user", fields.text("user_key", of.secret_as_is(&config.user_key)?)?),
        ("title", truncate::to_chars(fields.text("title", &config.title)?, TITLE_MAX)),
        ("message", message),
        ("url", truncate::to_chars(fields.text("url", &config.url)?, URL_MAX)),
        ("url_title", fields.text("url_title", &config.url_title)?),
        ("priority", fields.text("priority", &config.priority)?),
        ("retry", config.retry.as_secs().to_string()),
        ("expire", config.expire.as_secs().to_string()),
        ("device", fields.text("device", &config.device)?),
        ("sound", fields.text("sound", &config.sound)?),
    ];
    for (name, given) in [("html", config.html), ("monospace", config.monospace)] {
        if given {
            parameters.push((name, "1".into()));
        }
    }
    if config.ttl.as_secs() > 0 {
        parameters.push(("ttl", config.ttl.as_secs().to_string()));
    }
    let request = Request {
        method: "POST",
        url: Secret::new(format!("{URL}?{}", encode_query(parameters))),
        headers: vec![("Content-Type", "text/plain".into())],
        secret_headers: Vec::new(),
        body: Bytes::new(),
        http: config.http.clone(),
        sign: None,
        integration: of.integration.clone(),
        reply_max: REPLY_LOGGED,
    };
    Ok(Step { request: request.into(), then: Then::Status })
}
