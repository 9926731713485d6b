//! Spans of flushes and of the attempts that follow from them.

use std::collections::BTreeMap;

use alerting::effects::{DeliveryId, Input};
use alerting::notify::{Outgoing, Response, TransportError};
use alerting::record::FlushReport;
use opentelemetry::trace::SpanKind;
use opentelemetry::{Context, KeyValue};

use super::{Span, Tracing, http};

/// Deliveries whose flush is remembered.
const KEPT: usize = 4096;

/// Knows which flush a delivery belongs to.
#[derive(Debug, Default)]
pub(crate) struct FlushSpans {
    tracing: Tracing,
    flushes: BTreeMap<DeliveryId, Context>,
}

impl FlushSpans {
    /// Without any flushes yet.
    pub(crate) fn new(tracing: Tracing) -> Self {
        Self { tracing, flushes: BTreeMap::new() }
    }

    /// What the engine does with something that a request brought.
    pub(crate) fn handling(&self, input: &Input, request: Option<&Context>) -> Option<Span> {
        let request = request?;
        let (name, attributes) = match input {
            Input::Alerts { alerts, .. } => ("provider.mem.Put", vec![count("alerting.alerts.count", alerts.len())]),
            Input::SetSilence { .. } => ("silences.Set", Vec::new()),
            Input::ExpireSilence { id, .. } => {
                ("silences.Expire", vec![KeyValue::new("alerting.silence.id", id.to_string())])
            }
            _ => return None,
        };
        self.tracing.start(name, SpanKind::Internal, request, attributes)
    }

    /// A group was flushed: what its stages decided.
    pub(crate) fn flushed(&mut self, report: &FlushReport) {
        let attributes = vec![
            KeyValue::new("alerting.aggregation_group.key", report.group.key.to_string()),
            KeyValue::new("alerting.notify.receiver.name", report.group.receiver.to_string()),
            count("alerting.alerts.count", report.alerts),
        ];
        let started =
            self.tracing.start("dispatch.AggregationGroup.flush", SpanKind::Internal, &Context::new(), attributes);
        let Some(flush) = started else { return };
        for (reason, muted) in [("inhibition", report.inhibited), ("silence", report.silenced)] {
            let attributes =
                vec![count("alerting.alerts.muted.count", muted), KeyValue::new("alerting.suppressed.reason", reason)];
            self.stage(&flush, "notify.MuteStage.Exec", attributes);
        }
        if !report.muted_by.is_empty() {
            let names = report.muted_by.join(",");
            self.stage(&flush, "notify.TimeMuteStage.Exec", vec![KeyValue::new("alerting.time_intervals", names)]);
        }
        for (id, integration, reason) in &report.deliveries {
            let attributes = vec![
                KeyValue::new("alerting.integration.name", *integration),
                KeyValue::new("alerting.notify.reason", reason.text()),
                count("alerting.alerts.firing.count", report.firing),
                count("alerting.alerts.resolved.count", report.resolved),
            ];
            self.stage(&flush, "notify.DedupStage.Exec", attributes);
            self.flushes.insert(*id, flush.context().clone());
        }
        while self.flushes.len() > KEPT {
            self.flushes.pop_first();
        }
        flush.end();
    }

    fn stage(&self, flush: &Span, name: &'static str, attributes: Vec<KeyValue>) {
        if let Some(stage) = self.tracing.start(name, SpanKind::Internal, flush.context(), attributes) {
            stage.end();
        }
    }

    /// Begins an attempt, and names its span to the receiver.
    pub(crate) fn attempt(&self, id: DeliveryId, request: &mut Outgoing) -> Option<Span> {
        if !self.tracing.is_on() {
            return None;
        }
        let none = Context::new();
        let parent = self.flushes.get(&id).unwrap_or(&none);
        let attributes = vec![KeyValue::new("alerting.notify.integration.name", request.integration().to_string())];
        let span = self.tracing.start("notify.Integration.Notify", SpanKind::Client, parent, attributes)?;
        if let Outgoing::Http(request) = request {
            http::inject(span.context(), &mut request.headers);
        }
        Some(span)
    }
}

/// Ends an attempt with what came of it.
pub(crate) fn ended(span: Option<Span>, result: &Result<Response, TransportError>) {
    let Some(span) = span else { return };
    match result {
        Ok(response) => {
            span.attribute(KeyValue::new("http.response.status_code", i64::from(response.status)));
            if !(200..300).contains(&response.status) {
                span.failed(format!("unexpected status code {}", response.status));
            }
        }
        Err(error) => span.failed(error.message.clone()),
    }
    span.end();
}

fn count(name: &'static str, count: usize) -> KeyValue {
    KeyValue::new(name, i64::try_from(count).unwrap_or(i64::MAX))
}
