//! The `tracing` section.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::error::ConfigError;
use super::form::Form;
use super::http::{HeaderValues, TlsConfig};
use super::node::Node;
use super::out::Out;
use super::paths::Directory;
use super::value::print_float;
use super::{http_read, tls_read};

/// Where spans go. Paths count from the working directory.
#[derive(Clone, Debug, PartialEq)]
pub struct TracingConfig {
    /// The protocol.
    pub client: TracingClient,
    /// Not empty.
    pub endpoint: String,
    /// Share of traces that are kept where no parent decides.
    pub sampling_fraction: f64,
    /// No TLS.
    pub insecure: bool,
    /// TLS towards the endpoint; `None`: not given.
    pub tls: Option<TlsConfig>,
    /// Sent with each export; files in it are not used by the reference.
    pub headers: BTreeMap<Arc<str>, HeaderValues>,
    /// Whether exports are compressed with gzip.
    pub gzip: bool,
    /// Of one export; 0: the library's default.
    pub timeout: Duration,
}

/// The protocols of OTLP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TracingClient {
    /// `grpc`
    Grpc,
    /// `http`
    Http,
}

/// Reads it.
pub(super) fn read(node: &Node) -> Result<(TracingConfig, Out), ConfigError> {
    let mut form = Form::open(node, "tracing", "tracing.plain")?;
    let form_ref = &mut form;
    let client = read_client(form_ref)?;
    let endpoint = form_ref.text("endpoint", "")?;
    let sampling_fraction = form_ref.float("sampling_fraction")?;
    if sampling_fraction != 0.0 {
        form_ref.printed().put("sampling_fraction", Out::Bare(print_float(sampling_fraction)));
    }
    let insecure = form_ref.switch("insecure")?;
    let mut tls = None;
    if let Some(node) = form_ref.node("tls_config") {
        let (read, out) = tls_read::read(node, &form_ref.path("tls_config"), &Directory::default())?;
        form_ref.printed().put("tls_config", out);
        tls = Some(read);
    }
    let has_headers = form_ref.node("headers").is_some();
    let entries = form_ref.entries("headers", "config.Headers")?;
    let (headers, out) = http_read::headers(entries, &Directory::default())?;
    if has_headers {
        form_ref.printed().put("headers", out);
    }
    let compression = form_ref.text("compression", "")?;
    let timeout = form_ref.duration("timeout")?;
    form.complete()?;
    form.refuse_if(endpoint.is_empty(), "endpoint", "tracing endpoint must be set")?;
    let message = format!("invalid compression type {compression} provided, valid options: gzip");
    form.refuse_if(!matches!(compression.as_str(), "" | "gzip"), "compression", &message)?;
    let gzip = compression == "gzip";
    let config = TracingConfig { client, endpoint, sampling_fraction, insecure, tls, headers, gzip, timeout };
    Ok((config, form.done()?))
}

fn read_client(form: &mut Form<'_>) -> Result<TracingClient, ConfigError> {
    const NAME: &str = "client_type";
    if form.node(NAME).is_none() {
        if !form.has(NAME) {
            form.printed().put(NAME, Out::text("grpc"));
        }
        return Ok(TracingClient::Grpc);
    }
    let text = form.raw_of(NAME, "tracing.plain")?;
    form.printed().put(NAME, Out::text(&text));
    match text.as_str() {
        "grpc" => Ok(TracingClient::Grpc),
        "http" => Ok(TracingClient::Http),
        _ => {
            let message = format!("expected tracing client type to be to be http or grpc, but got {text}");
            Err(form.error(NAME, message))
        }
    }
}
