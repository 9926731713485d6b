//! The webhook integration: the notification as JSON.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;

use super::render::{Fields, Notification, Unsendable};
use super::{Data, Request};
use crate::alert::Alert;
use crate::config::{Secret, UrlSource, WebhookConfig};
use crate::json::{self, Labels};
use crate::label::LabelSet;
use crate::time::UNSET_RFC3339;

/// Body of a notification; the order of the fields is the reference's.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Message<'a> {
    receiver: String,
    status: &'static str,
    alerts: Vec<MessageAlert<'a>>,
    #[serde(rename = "notification_reason")]
    notification_reason: &'static str,
    group_labels: Labels<'a>,
    common_labels: BTreeMap<&'a str, &'a str>,
    common_annotations: BTreeMap<&'a str, &'a str>,
    route_labels: Labels<'a>,
    #[serde(rename = "externalURL")]
    external_url: &'a str,
    version: &'static str,
    group_key: &'a str,
    truncated_alerts: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MessageAlert<'a> {
    status: &'static str,
    labels: Labels<'a>,
    annotations: Labels<'a>,
    starts_at: String,
    ends_at: String,
    #[serde(rename = "generatorURL")]
    generator_url: &'a str,
    fingerprint: String,
}

/// The request for a notification.
///
/// # Errors
/// When the URL is a template that fails, or comes to nothing.
pub fn request(config: &WebhookConfig, of: &Notification<'_>) -> Result<Request, Unsendable> {
    let data = of.data;
    let all = data.alerts.len();
    let shown = match usize::try_from(config.max_alerts) {
        Ok(max) if max > 0 => max.min(all),
        Ok(_) | Err(_) => all,
    };
    let alerts = &data.alerts[..shown];
    // of those that are shown only (reference behaviour)
    let firing = alerts.iter().any(|a| !a.resolved_at(data.now));
    let message = Message {
        receiver: quote_regex(&data.receiver),
        status: if firing { "firing" } else { "resolved" },
        alerts: alerts.iter().map(|a| message_alert(a, data)).collect(),
        notification_reason: data.reason.text(),
        group_labels: Labels(&data.group_labels),
        common_labels: common(alerts.iter().map(|a| &a.labels)),
        common_annotations: common(alerts.iter().map(|a| &a.annotations)),
        route_labels: Labels(&data.route_labels),
        external_url: &data.external_url,
        version: "4",
        group_key: &data.group_key,
        truncated_alerts: (all - shown) as u64,
    };
    Ok(of.post(url(config, of, alerts)?, &config.http, &message))
}

/// Where to post; a template sees the alerts that are shown.
fn url(config: &WebhookConfig, of: &Notification<'_>, shown: &[Arc<Alert>]) -> Result<UrlSource, Unsendable> {
    let UrlSource::Inline(template) = &config.url else { return Ok(config.url.clone()) };
    if !config.url_is_template() {
        return Ok(config.url.clone());
    }
    let data = Data { alerts: shown.to_vec(), ..of.data.clone() };
    let url = Fields::new(of.templates, &data).text("url", template.expose())?;
    if url.is_empty() { Err(Unsendable::EmptyUrl) } else { Ok(UrlSource::Inline(Secret::new(url))) }
}

fn message_alert<'a>(alert: &'a Alert, data: &Data) -> MessageAlert<'a> {
    let resolved = alert.resolved_at(data.now);
    MessageAlert {
        status: if resolved { "resolved" } else { "firing" },
        labels: Labels(&alert.labels),
        annotations: Labels(&alert.annotations),
        starts_at: alert.starts_at.rfc3339_nano(),
        ends_at: if resolved { alert.ends_at.rfc3339_nano() } else { UNSET_RFC3339.into() },
        generator_url: &alert.generator_url,
        fingerprint: alert.fingerprint.to_string(),
    }
}

/// The pairs that all sets share.
fn common<'a>(mut sets: impl Iterator<Item = &'a LabelSet>) -> BTreeMap<&'a str, &'a str> {
    let mut common: BTreeMap<&str, &str> = sets.next().map(|set| set.iter().collect()).unwrap_or_default();
    for set in sets {
        if common.is_empty() {
            break;
        }
        common.retain(|name, value| set.get(name) == Some(value));
    }
    common
}

/// Receivers see the name as a regular expression that matches it only (reference behaviour).
fn quote_regex(name: &str) -> String {
    let mut quoted = String::with_capacity(name.len());
    for c in name.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted
}

/// JSON as Go's encoder writes it: `<`, `>`, `&` and the line separators escaped, a newline at the end.
pub fn go_json(value: &impl Serialize) -> Bytes {
    let mut out = json::encode(value);
    out.push(b'\n');
    out.into()
}
