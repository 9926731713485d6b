//! The PagerDuty integration: an event of version 1 or 2 of its API.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::answer::unexpected;
use super::render::{Fields, Notification, Unsendable};
use super::value::Rendered;
use super::{Response, Step, Then, Verdict, truncate};
use crate::config::{PagerdutyConfig, Secret};

const V1: &str = "https://events.pagerduty.com/generic/2010-04-15/create_event.json";

/// PagerDuty's limits, in bytes of an event and in characters of its summary.
const EVENT_MAX: usize = 512_000;
const SUMMARY_MAX: usize = 1024;

/// What stands in place of details that are too long; the text is the reference's.
const TOO_LONG: &str = "Custom details have been removed because the original event exceeds the maximum size of 512KB";

/// Both versions; a text that is empty is left out but for `event_action`.
#[derive(Serialize, Default)]
struct Event<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    routing_key: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    service_key: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    dedup_key: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    incident_key: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    event_type: &'a str,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    event_action: &'a str,
    payload: Option<Payload>,
    #[serde(skip_serializing_if = "String::is_empty")]
    client: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    client_url: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    details: BTreeMap<String, Rendered>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    images: Vec<Image>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<Link>,
}

#[derive(Serialize)]
struct Payload {
    summary: String,
    source: String,
    severity: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    class: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    component: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    group: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    custom_details: BTreeMap<String, Rendered>,
}

#[derive(Serialize)]
struct Image {
    src: String,
    alt: String,
    href: String,
}

#[derive(Serialize)]
struct Link {
    href: String,
    text: String,
}

/// The request for a notification.
///
/// # Errors
/// When a template fails, or the key comes to nothing.
pub(super) fn request(config: &PagerdutyConfig, of: &Notification<'_>) -> Result<Step, Unsendable> {
    let fields = of.fields();
    let action = if of.firing() { "trigger" } else { "resolve" };
    let details = Rendered::all(&fields, "details", &config.details)?;
    let key = of.key_hash();
    let description = truncate::to_chars(fields.text("description", &config.description)?, SUMMARY_MAX);
    if let Some(service_key) = &config.service_key {
        let service_key = fields.text("service_key", of.secret(service_key)?)?;
        let with_client = action == "trigger";
        let mut event = Event {
            service_key: not_empty("service_key", &service_key)?,
            incident_key: &key,
            event_type: action,
            description,
            details,
            ..Event::default()
        };
        if with_client {
            event.client = fields.text("client", &config.client)?;
            event.client_url = fields.text("client_url", &config.client_url)?;
        }
        let url = Secret::new(V1);
        let mut step = of.post(url.clone(), &config.http, &event);
        if step.request.http().is_some_and(|request| request.body.len() > EVENT_MAX) {
            event.details = too_long();
            step = of.post(url, &config.http, &event);
        }
        return Ok(Step { then: Then::PagerdutyV1, ..step });
    }
    let routing_key = config.routing_key.as_ref().map(|key| of.secret(key)).transpose()?;
    let routing_key = fields.text("routing_key", routing_key.unwrap_or_default())?;
    let severity = if config.severity.is_empty() { "error" } else { &config.severity };
    let payload = Payload {
        summary: description,
        source: fields.text("source", &config.source)?,
        severity: fields.text("severity", severity)?,
        class: fields.text("class", &config.class)?,
        component: fields.text("component", &config.component)?,
        group: fields.text("group", &config.group)?,
        custom_details: details,
    };
    let mut event = Event {
        routing_key: not_empty("routing_key", &routing_key)?,
        dedup_key: &key,
        event_action: action,
        client: fields.text("client", &config.client)?,
        client_url: fields.text("client_url", &config.client_url)?,
        images: images(config, &fields)?,
        links: links(config, &fields)?,
        payload: Some(payload),
        ..Event::default()
    };
    let url = Secret::new(config.url.to_string());
    let mut step = of.post(url.clone(), &config.http, &event);
    if step.request.http().is_some_and(|request| request.body.len() > EVENT_MAX)
        && let Some(payload) = &mut event.payload
    {
        payload.custom_details = too_long();
        step = of.post(url, &config.http, &event);
    }
    Ok(Step { then: Then::Explained(details_of), ..step })
}

fn too_long() -> BTreeMap<String, Rendered> {
    [("error".to_owned(), Rendered::text(TOO_LONG))].into()
}

fn images(config: &PagerdutyConfig, fields: &Fields<'_>) -> Result<Vec<Image>, Unsendable> {
    let mut images = Vec::with_capacity(config.images.len());
    for image in &config.images {
        let (src, alt) = (fields.text("images", &image.src)?, fields.text("images", &image.alt)?);
        let href = fields.text("images", &image.href)?;
        if !src.is_empty() {
            images.push(Image { src, alt, href });
        }
    }
    Ok(images)
}

fn links(config: &PagerdutyConfig, fields: &Fields<'_>) -> Result<Vec<Link>, Unsendable> {
    let mut links = Vec::with_capacity(config.links.len());
    for link in &config.links {
        let (href, text) = (fields.text("links", &link.href)?, fields.text("links", &link.text)?);
        if !href.is_empty() {
            links.push(Link { href, text });
        }
    }
    Ok(links)
}

fn not_empty<'a>(field: &'static str, text: &'a str) -> Result<&'a str, Unsendable> {
    if text.is_empty() { Err(Unsendable::Empty(field)) } else { Ok(text) }
}

/// Version 1 says 403 when it is called too often, and the reference counts all its failures alike.
pub(super) fn verdict_v1(response: &Response) -> Verdict {
    let error = unexpected(response.status, &details_of(response.status, &response.body));
    match response.status {
        200..=299 => Verdict::DONE,
        403 | 429 | 500..=599 => Verdict::Retry { after: response.retry_after, reason: "other", error },
        _ => Verdict::GiveUp { reason: "other", error },
    }
}

/// What PagerDuty says of a bad request.
fn details_of(status: u16, body: &str) -> String {
    #[derive(Deserialize)]
    struct Refusal {
        #[serde(default)]
        message: String,
        #[serde(default)]
        errors: Vec<String>,
    }
    if status != 400 {
        return String::new();
    }
    let refusal = serde_json::from_str(body);
    refusal.map_or_else(|_| String::new(), |Refusal { message, errors }| format!("{message}: {}", errors.join(",")))
}
