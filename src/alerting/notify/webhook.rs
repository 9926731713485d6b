//! The webhook integration: the notification as JSON.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;

use super::render::{Fields, Notification, Unsendable};
use super::value::Rendered;
use super::{Data, Step};
use crate::alert::Alert;
use crate::config::{Secret, UrlSource, WebhookConfig};
use crate::json::{self, Labels};
use crate::label::LabelSet;
use crate::time::UNSET_RFC3339;

/// Body of a notification; the order of the fields is the reference's.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Message<'a> {
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
/// When a template fails, or the URL comes to nothing.
pub(super) fn request(config: &WebhookConfig, of: &Notification<'_>) -> Result<Step, Unsendable> {
    let shown = shown(&of.data.alerts, config.max_alerts);
    let has_templates =
        config.payload.is_some() || matches!(config.url, UrlSource::File(_)) || config.url_is_template();
    if !has_templates {
        return Ok(of.post(of.url(&config.url)?, &config.http, &Message::new("4", of.data, shown)));
    }
    // templates see the alerts that are shown
    let data = Data { alerts: shown.to_vec(), ..of.data.clone() };
    let fields = Fields::new(of.templates, &data);
    let payload = config.payload.as_ref().map(|payload| Rendered::new(&fields, "payload", payload)).transpose()?;
    let url = fields.text("url", of.url(&config.url)?.expose())?;
    if url.is_empty() {
        return Err(Unsendable::Empty("url"));
    }
    let url = Secret::new(url);
    Ok(match payload {
        Some(payload) => of.post(url, &config.http, &payload),
        None => of.post(url, &config.http, &Message::new("4", of.data, shown)),
    })
}

/// The first `max` alerts; all if that is 0.
pub(super) fn shown(alerts: &[Arc<Alert>], max: u64) -> &[Arc<Alert>] {
    match usize::try_from(max) {
        Ok(max) if max > 0 => &alerts[..max.min(alerts.len())],
        Ok(_) | Err(_) => alerts,
    }
}

impl<'a> Message<'a> {
    /// `version`: of the format.
    pub(super) fn new(version: &'static str, data: &'a Data, alerts: &'a [Arc<Alert>]) -> Self {
        // of those that are shown only (reference behaviour)
        let firing = alerts.iter().any(|a| !a.resolved_at(data.now));
        Self {
            receiver: quote_regex(&data.receiver),
            status: if firing { "firing" } else { "resolved" },
            alerts: alerts.iter().map(|a| message_alert(a, data)).collect(),
            notification_reason: data.reason.text(),
            group_labels: Labels(&data.group_labels),
            common_labels: common(alerts.iter().map(|a| &a.labels)),
            common_annotations: common(alerts.iter().map(|a| &a.annotations)),
            route_labels: Labels(&data.route_labels),
            external_url: &data.external_url,
            version,
            group_key: &data.group_key,
            truncated_alerts: (data.alerts.len() - alerts.len()) as u64,
        }
    }

    /// Leaves out all alerts but the first; what is said of all of them stays.
    pub(super) fn cut_to_first(&mut self) {
        self.alerts.truncate(1);
    }
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
