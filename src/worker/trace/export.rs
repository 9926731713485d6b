//! From the `tracing` section to something that sends spans.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use alerting::config::{TlsConfig, TracingClient, TracingConfig};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::KeyValue;
use opentelemetry_otlp::{
    Compression, ExporterBuildError, SpanExporter, WithExportConfig, WithHttpConfig, WithTonicConfig,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::runtime::Tokio;
use opentelemetry_sdk::trace::span_processor_with_async_runtime::BatchSpanProcessor;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tonic::metadata::MetadataMap;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};

use crate::deliver::material::{Material, MaterialError};
use crate::deliver::tls::{self, TlsError};

/// Of one export, unless the config says otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Where an HTTP collector takes spans.
const HTTP_PATH: &str = "/v1/traces";

/// Why spans can't be sent as the config says.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// A file of the TLS settings can't be read.
    #[error("preparing `tracing.tls_config`")]
    Material(#[source] MaterialError),
    /// The TLS settings can't work.
    #[error("setting TLS up for `tracing`")]
    Tls(#[source] TlsError),
    /// Not possible with this protocol.
    #[error("`tracing.tls_config`: {0} needs `client_type: http`")]
    NotWithGrpc(&'static str),
    /// A header can't be sent.
    #[error("`tracing.headers`: `{0}` is not a valid header")]
    Header(String),
    /// Values of headers are not read from files (reference behaviour).
    #[error("header files are not supported for tracing configuration")]
    HeaderFile,
    /// The endpoint is none.
    #[error("`tracing.endpoint` is not HOST:PORT")]
    Endpoint(#[source] tonic::transport::Error),
    /// The client can't be built.
    #[error("building the HTTP client for `tracing`")]
    Client(#[source] reqwest::Error),
    /// The exporter can't be built.
    #[error("building the exporter for `tracing`")]
    Build(#[source] ExporterBuildError),
}

/// Samples, batches and sends in the background.
///
/// # Errors
/// When the section can't work. A collector that doesn't answer is no error.
pub(super) async fn provider(config: &TracingConfig) -> Result<SdkTracerProvider, TraceError> {
    let exporter = match config.client {
        TracingClient::Grpc => grpc(config).await?,
        TracingClient::Http => http(config).await?,
    };
    let resource = Resource::builder_empty().with_attributes([
        KeyValue::new("service.name", "alertmanager"),
        KeyValue::new("service.version", crate::COMPATIBLE_VERSION),
    ]);
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.sampling_fraction)));
    Ok(SdkTracerProvider::builder()
        .with_span_processor(BatchSpanProcessor::builder(exporter, Tokio).build())
        .with_sampler(sampler)
        .with_resource(resource.build())
        .build())
}

async fn grpc(config: &TracingConfig) -> Result<SpanExporter, TraceError> {
    let scheme = if config.insecure { "http" } else { "https" };
    let endpoint = Endpoint::from_shared(format!("{scheme}://{}", config.endpoint)).map_err(TraceError::Endpoint)?;
    let mut endpoint = endpoint.timeout(timeout(config));
    if !config.insecure {
        let tls = client_tls(config.tls.as_ref()).await?;
        endpoint = endpoint.tls_config(tls).map_err(TraceError::Endpoint)?;
    }
    let mut builder = SpanExporter::builder()
        .with_tonic()
        .with_timeout(timeout(config))
        .with_metadata(MetadataMap::from_headers(headers(config)?))
        .with_channel(endpoint.connect_lazy());
    if config.gzip {
        builder = builder.with_compression(Compression::Gzip);
    }
    builder.build().map_err(TraceError::Build)
}

async fn http(config: &TracingConfig) -> Result<SpanExporter, TraceError> {
    let scheme = if config.insecure { "http" } else { "https" };
    let none = TlsConfig::default();
    let settings = config.tls.as_ref().unwrap_or(&none);
    let material = Material::read(settings, Path::new("")).await.map_err(TraceError::Material)?;
    let tls = tls::config(settings, &material, false).map_err(TraceError::Tls)?;
    let client = reqwest::Client::builder().no_proxy().tls_backend_preconfigured(tls).build();
    let header = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let headers: HashMap<String, String> = headers(config)?.iter().map(header).collect();
    let mut builder = SpanExporter::builder()
        .with_http()
        .with_http_client(client.map_err(TraceError::Client)?)
        .with_endpoint(format!("{scheme}://{}{HTTP_PATH}", config.endpoint))
        .with_timeout(timeout(config))
        .with_headers(headers);
    if config.gzip {
        builder = builder.with_compression(Compression::Gzip);
    }
    builder.build().map_err(TraceError::Build)
}

fn timeout(config: &TracingConfig) -> Duration {
    if config.timeout.is_zero() { TIMEOUT } else { config.timeout }
}

/// The first value of each (reference behaviour).
fn headers(config: &TracingConfig) -> Result<HeaderMap, TraceError> {
    let mut headers = HeaderMap::new();
    for (name, values) in &config.headers {
        let secret = || values.secrets.first().map(|secret| secret.expose());
        let Some(value) = values.values.first().map(String::as_str).or_else(secret) else {
            return Err(TraceError::HeaderFile);
        };
        let wrong = || TraceError::Header(name.to_string());
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
        headers.insert(header, HeaderValue::from_str(value).map_err(|_| wrong())?);
    }
    Ok(headers)
}

/// gRPC brings its own TLS client, over the same library.
async fn client_tls(tls: Option<&TlsConfig>) -> Result<ClientTlsConfig, TraceError> {
    let Some(tls) = tls else { return Ok(ClientTlsConfig::new().with_native_roots()) };
    if tls.insecure_skip_verify {
        return Err(TraceError::NotWithGrpc("insecure_skip_verify"));
    }
    if tls.min_version.is_some() || tls.max_version.is_some() {
        return Err(TraceError::NotWithGrpc("a choice of versions"));
    }
    let material = Material::read(tls, Path::new("")).await.map_err(TraceError::Material)?;
    let mut client = match material.ca {
        Some(pem) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem)),
        None => ClientTlsConfig::new().with_native_roots(),
    };
    if let Some(name) = &tls.server_name {
        client = client.domain_name(name);
    }
    if let Some(own) = material.client {
        client = client.identity(Identity::from_pem(own.certificate, own.key));
    }
    Ok(client)
}
