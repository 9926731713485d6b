//! Spans of HTTP requests, as children of what the client says, and the same towards receivers.

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::SpanKind;
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::propagation::TraceContextPropagator;

use super::REQUEST;
use crate::api::Api;

struct Incoming<'a>(&'a HeaderMap);

impl Extractor for Incoming<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(|key| key.as_str()).collect()
    }
}

struct Outgoing<'a>(&'a mut Vec<(&'static str, String)>);

impl Injector for Outgoing<'_> {
    fn set(&mut self, key: &str, value: String) {
        // the two headers of the W3C
        match key {
            "traceparent" => self.0.push(("traceparent", value)),
            "tracestate" if !value.is_empty() => self.0.push(("tracestate", value)),
            _ => {}
        }
    }
}

/// Adds the headers that name a span.
pub(crate) fn inject(context: &Context, headers: &mut Vec<(&'static str, String)>) {
    TraceContextPropagator::new().inject_context(context, &mut Outgoing(headers));
}

/// Makes a span of each request, when spans are wanted.
pub(crate) async fn trace(State(api): State<Api>, request: Request, next: Next) -> Response {
    let tracing = &api.state.tracing;
    if !tracing.is_on() {
        return next.run(request).await;
    }
    let parent = TraceContextPropagator::new().extract_with_context(&Context::new(), &Incoming(request.headers()));
    let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
    let name = format!("{method} {path}");
    let attributes = vec![KeyValue::new("http.request.method", method), KeyValue::new("url.path", path)];
    let Some(span) = tracing.start(name, SpanKind::Server, &parent, attributes) else {
        return next.run(request).await;
    };
    let response = REQUEST.scope(span.context().clone(), next.run(request)).await;
    let status = response.status();
    span.attribute(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
    if status.is_server_error() {
        span.failed(String::new());
    }
    span.end();
    response
}
