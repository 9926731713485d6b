//! Spans for requests, what the engine does with them, flushes and attempts, sent to a collector when the config has a
//! `tracing` section. Without one nothing is made and nothing is kept.

mod export;
pub(crate) mod flush;
pub(crate) mod http;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use alerting::config::TracingConfig;
use opentelemetry::trace::{SpanKind, Status, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tracing::{info, warn};

pub use export::TraceError;

/// How long spans that wait may take at the end.
const FLUSH_LIMIT: Duration = Duration::from_secs(5);

tokio::task_local! {
    /// The span of the request that this task answers.
    static REQUEST: Context;
}

/// Makes spans, if that is wanted at the moment. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tracing(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    on: AtomicBool,
    active: RwLock<Option<Active>>,
}

#[derive(Debug, Clone)]
struct Active {
    config: TracingConfig,
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

/// A span that has begun; ended by [`Self::end`] or when dropped.
#[derive(Debug)]
pub(crate) struct Span(Context);

impl Tracing {
    /// Takes a config into use; an unchanged one changes nothing. Needs a tokio runtime.
    ///
    /// # Errors
    /// When spans can't be sent that way; then all stays as it was.
    pub(crate) async fn apply(&self, config: Option<&TracingConfig>) -> Result<(), TraceError> {
        if self.active().map(|active| active.config) == config.cloned() {
            return Ok(());
        }
        let new = match config {
            Some(config) => {
                let provider = export::provider(config).await?;
                let tracer = provider.tracer("alertmanager");
                Some(Active { config: config.clone(), provider, tracer })
            }
            None => None,
        };
        self.0.on.store(new.is_some(), Ordering::Relaxed);
        let old = {
            let mut active = self.0.active.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *active, new)
        };
        close(old).await;
        info!(component = "tracing", enabled = config.is_some(), "Tracing configuration applied");
        Ok(())
    }

    /// Sends what waits and ends.
    pub(crate) async fn finish(&self) {
        self.0.on.store(false, Ordering::Relaxed);
        let old = self.0.active.write().unwrap_or_else(PoisonError::into_inner).take();
        close(old).await;
    }

    /// Whether spans are wanted.
    pub(crate) fn is_on(&self) -> bool {
        self.0.on.load(Ordering::Relaxed)
    }

    /// Begins a span; `None` when none are wanted.
    pub(crate) fn start(
        &self,
        name: impl Into<Cow<'static, str>>,
        kind: SpanKind,
        parent: &Context,
        attributes: Vec<KeyValue>,
    ) -> Option<Span> {
        if !self.is_on() {
            return None;
        }
        let tracer = self.active()?.tracer;
        let builder = tracer.span_builder(name).with_kind(kind).with_attributes(attributes);
        let span = tracer.build_with_context(builder, parent);
        Some(Span(parent.with_span(span)))
    }

    fn active(&self) -> Option<Active> {
        self.0.active.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Span {
    /// What children are begun with.
    pub(crate) fn context(&self) -> &Context {
        &self.0
    }

    /// One more attribute.
    pub(crate) fn attribute(&self, attribute: KeyValue) {
        self.0.span().set_attribute(attribute);
    }

    /// It went wrong.
    pub(crate) fn failed(&self, error: String) {
        self.0.span().set_status(Status::error(error));
    }

    /// It is over.
    pub(crate) fn end(self) {
        self.0.span().end();
    }
}

/// The span of the request that this task answers, if there is one.
pub(crate) fn of_request() -> Option<Context> {
    REQUEST.try_with(Context::clone).ok()
}

async fn close(old: Option<Active>) {
    let Some(old) = old else { return };
    // it blocks until what waits is sent
    let closing = tokio::task::spawn_blocking(move || old.provider.shutdown_with_timeout(FLUSH_LIMIT));
    match closing.await {
        Ok(Ok(())) => {}
        Ok(Err(err)) => warn!(component = "tracing", err = %err, "failed to shut down the tracer provider"),
        Err(err) => warn!(component = "tracing", err = %err, "failed to shut down the tracer provider"),
    }
}
