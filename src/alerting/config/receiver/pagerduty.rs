//! PagerDuty.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::super::error::ConfigError;
use super::super::form::Form;
use super::super::global::Global;
use super::super::http::{HttpConfig, SecretSource};
use super::super::out::Out;
use super::super::url::ApiUrl;
use super::super::value::Value;
use super::{Settings, http};

/// Settings of a PagerDuty integration. All texts are templates, keys as well.
#[derive(Clone, Debug)]
pub struct PagerdutyConfig {
    /// How to connect.
    pub http: Arc<HttpConfig>,
    /// For version 1 of the API, which is used if this is given.
    pub service_key: Option<SecretSource>,
    /// For version 2 of the API. One of the two is given.
    pub routing_key: Option<SecretSource>,
    /// Of version 2.
    pub url: ApiUrl,
    /// Who sends.
    pub client: String,
    /// Link to who sends.
    pub client_url: String,
    /// Summary.
    pub description: String,
    /// The defaults filled in.
    pub details: BTreeMap<String, Value>,
    /// Shown with it.
    pub images: Vec<PagerdutyImage>,
    /// Shown with it.
    pub links: Vec<PagerdutyLink>,
    /// The client unless given.
    pub source: String,
    /// Empty: `error`.
    pub severity: String,
    /// Of the event.
    pub class: String,
    /// Of the event.
    pub component: String,
    /// Of the event.
    pub group: String,
    /// Limit of one attempt; 0: none but the pipeline's.
    pub timeout: Duration,
}

/// An image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PagerdutyImage {
    /// Empty after rendering: not sent.
    pub src: String,
    /// Text in its place.
    pub alt: String,
    /// Link behind it.
    pub href: String,
}

/// A link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PagerdutyLink {
    /// Empty after rendering: not sent.
    pub href: String,
    /// Text of it.
    pub text: String,
}

const DETAILS: [(&str, &str); 4] = [
    ("firing", "{{ .Alerts.Firing | toJson }}"),
    ("resolved", "{{ .Alerts.Resolved | toJson }}"),
    ("num_firing", "{{ .Alerts.Firing | len }}"),
    ("num_resolved", "{{ .Alerts.Resolved | len }}"),
];

pub(super) fn read(form: &mut Form<'_>, global: &mut Global) -> Result<Settings, ConfigError> {
    let http = http(form, global)?;
    let service_key = form.secret("service_key")?;
    let service_key_file = form.file("service_key_file")?;
    let routing_key = form.secret("routing_key")?;
    let routing_key_file = form.file("routing_key_file")?;
    let url = form.url_or("url", global.pagerduty_url.as_ref())?;
    let client = form.text("client", r#"{{ template "pagerduty.default.client" . }}"#)?;
    let client_url = form.text("client_url", r#"{{ template "pagerduty.default.clientURL" . }}"#)?;
    let description = form.text("description", r#"{{ template "pagerduty.default.description" .}}"#)?;
    let mut details = form.raw_values("details")?;
    for (name, value) in DETAILS {
        details.entry(name.to_owned()).or_insert_with(|| Value::Text(value.to_owned()));
    }
    form.put_values("details", &details);
    let images = form.list("images", "[]pagerduty.PagerdutyImage", |node, path| {
        let mut form = Form::open(node, path, "pagerduty.PagerdutyImage")?;
        let (src, alt, href) = (form.text("src", "")?, form.text("alt", "")?, form.text("href", "")?);
        Ok((PagerdutyImage { src, alt, href }, form.done()?))
    })?;
    let links = form.list("links", "[]pagerduty.PagerdutyLink", |node, path| {
        let mut form = Form::open(node, path, "pagerduty.PagerdutyLink")?;
        let (href, text) = (form.text("href", "")?, form.text("text", "")?);
        Ok((PagerdutyLink { href, text }, form.done()?))
    })?;
    let source = Some(form.raw("source")?).filter(|text| !text.is_empty()).unwrap_or_else(|| client.clone());
    form.printed().put_some("source", Out::text(&source));
    let severity = form.text("severity", "")?;
    let class = form.text("class", "")?;
    let component = form.text("component", "")?;
    let group = form.text("group", "")?;
    let timeout = form.go_duration("timeout")?;
    form.complete()?;
    let message = "at most one of routing_key & routing_key_file must be configured";
    form.refuse_if(routing_key.is_some() && routing_key_file.is_some(), "routing_key_file", message)?;
    let message = "at most one of service_key & service_key_file must be configured";
    form.refuse_if(service_key.is_some() && service_key_file.is_some(), "service_key_file", message)?;
    let service_key = SecretSource::of(service_key, service_key_file);
    let routing_key = SecretSource::of(routing_key, routing_key_file);
    let message = "missing service or routing key in PagerDuty config";
    form.refuse_if(service_key.is_none() && routing_key.is_none(), "", message)?;
    let Some(url) = url else { return Err(form.error("url", "no global PagerDuty URL set")) };
    Ok(Settings::Pagerduty(Box::new(PagerdutyConfig {
        http,
        service_key,
        routing_key,
        url,
        client,
        client_url,
        description,
        details,
        images,
        links,
        source,
        severity,
        class,
        component,
        group,
        timeout,
    })))
}
