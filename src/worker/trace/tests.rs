//! Spans as real collectors receive them, over HTTP and over gRPC.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Mutex;

use alerting::config::{HeaderValues, TracingClient};
use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::trace::v1::Span as Received;
use prost::Message;

use super::*;

type Requests = Arc<Mutex<Vec<(Option<String>, ExportTraceServiceRequest)>>>;

#[derive(Clone, Default)]
struct Collector(Requests);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: tonic::Request<ExportTraceServiceRequest>,
    ) -> Result<tonic::Response<ExportTraceServiceResponse>, tonic::Status> {
        let token = request.metadata().get("x-token").map(|value| value.to_str().unwrap().to_owned());
        self.0.lock().unwrap().push((token, request.into_inner()));
        Ok(tonic::Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    /// Starts to listen, over both protocols.
    async fn listen(&self) -> BTreeMap<TracingClientName, SocketAddr> {
        let seen = self.clone();
        let take = move |headers: HeaderMap, body: Bytes| {
            let token = headers.get("x-token").map(|value| value.to_str().unwrap().to_owned());
            seen.0.lock().unwrap().push((token, ExportTraceServiceRequest::decode(body).unwrap()));
            std::future::ready(ExportTraceServiceResponse::default().encode_to_vec())
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let over_http = listener.local_addr().unwrap();
        let router = Router::new().route("/v1/traces", post(take));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let over_grpc = listener.local_addr().unwrap();
        let service = TraceServiceServer::new(self.clone());
        let incoming = tonic::transport::server::TcpIncoming::from(listener);
        let server = tonic::transport::Server::builder().add_service(service);
        tokio::spawn(async move { server.serve_with_incoming(incoming).await });
        [("http", over_http), ("grpc", over_grpc)].into()
    }

    fn spans(&self) -> Vec<Received> {
        let requests = self.0.lock().unwrap();
        let scopes = requests.iter().flat_map(|(_, request)| &request.resource_spans).flat_map(|r| &r.scope_spans);
        scopes.flat_map(|scope| scope.spans.clone()).collect()
    }
}

type TracingClientName = &'static str;

fn config(client: TracingClient, endpoint: SocketAddr, sampling_fraction: f64) -> TracingConfig {
    let token = HeaderValues { values: vec!["sesame".into()], ..HeaderValues::default() };
    TracingConfig {
        client,
        endpoint: endpoint.to_string(),
        sampling_fraction,
        insecure: true,
        tls: None,
        headers: [("x-token".into(), token)].into(),
        gzip: false,
        timeout: Duration::from_secs(60),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_reach_collectors_over_both_protocols() {
    // only fails when it's installed already
    let _ = rustls::crypto::ring::default_provider().install_default();
    let collector = Collector::default();
    let addresses = collector.listen().await;
    let tracing = Tracing::default();
    assert!(tracing.start("off", SpanKind::Internal, &Context::new(), Vec::new()).is_none());
    for (client, name) in [(TracingClient::Http, "http"), (TracingClient::Grpc, "grpc")] {
        tracing.apply(Some(&config(client, addresses[name], 1.0))).await.unwrap();
        let parent = tracing.start(name, SpanKind::Server, &Context::new(), Vec::new()).unwrap();
        let child = tracing.start("child", SpanKind::Internal, parent.context(), Vec::new()).unwrap();
        child.failed("why".into());
        child.end();
        parent.end();
    }
    tracing.apply(Some(&config(TracingClient::Http, addresses["http"], 0.0))).await.unwrap();
    tracing.start("not sampled", SpanKind::Server, &Context::new(), Vec::new()).unwrap().end();
    tracing.apply(None).await.unwrap();
    assert!(!tracing.is_on());
    let spans = collector.spans();
    let names: BTreeSet<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["child", "grpc", "http"].into());
    for span in spans.iter().filter(|span| span.name == "child") {
        let parent = spans.iter().find(|parent| parent.span_id == span.parent_span_id).unwrap();
        assert_eq!(parent.trace_id, span.trace_id);
        assert_eq!(span.status.as_ref().unwrap().message, "why");
    }
    let requests = collector.0.lock().unwrap();
    assert!(requests.iter().all(|(token, _)| token.as_deref() == Some("sesame")));
    let resource = requests[0].1.resource_spans[0].resource.clone().unwrap();
    assert!(resource.attributes.iter().any(|a| a.key == "service.name"));
}

#[tokio::test]
async fn what_cannot_work_is_said_and_changes_nothing() {
    let tracing = Tracing::default();
    let mut wrong = config(TracingClient::Grpc, ([127, 0, 0, 1], 1).into(), 1.0);
    wrong.headers.insert("bad name".into(), HeaderValues { values: vec!["x".into()], ..HeaderValues::default() });
    let error = tracing.apply(Some(&wrong)).await.unwrap_err();
    assert_eq!(error.to_string(), "`tracing.headers`: `bad name` is not a valid header");
    assert!(!tracing.is_on());
}

#[test]
fn the_headers_of_the_w3c_name_the_span() {
    use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
    let (trace, span) = (TraceId::from(7_u128), SpanId::from(9_u64));
    let context = SpanContext::new(trace, span, TraceFlags::SAMPLED, true, TraceState::default());
    let mut headers = Vec::new();
    http::inject(&Context::new().with_remote_span_context(context), &mut headers);
    assert_eq!(headers, [("traceparent", "00-00000000000000000000000000000007-0000000000000009-01".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flush_is_the_parent_of_its_stages_and_attempts() {
    use alerting::config::{HttpConfig, Secret};
    use alerting::effects::Input;
    use alerting::label::LabelSet;
    use alerting::nflog::SendReason;
    use alerting::notify::{Outgoing, Request, Response};
    use alerting::record::{FlushReport, GroupInfo};

    let _ = rustls::crypto::ring::default_provider().install_default();
    let collector = Collector::default();
    let addresses = collector.listen().await;
    let tracing = Tracing::default();
    tracing.apply(Some(&config(TracingClient::Http, addresses["http"], 1.0))).await.unwrap();
    let mut spans = flush::FlushSpans::new(tracing.clone());
    let request = tracing.start("POST /x", SpanKind::Server, &Context::new(), Vec::new()).unwrap();
    let alerts = Input::Alerts { ticket: 1, alerts: Vec::new() };
    spans.handling(&alerts, Some(request.context())).unwrap().end();
    assert!(spans.handling(&alerts, None).is_none() && spans.handling(&Input::Tick, Some(request.context())).is_none());
    request.end();
    spans.flushed(&FlushReport {
        group: GroupInfo { key: "{}:{}".into(), labels: LabelSet::empty(), receiver: "team".into() },
        alerts: 3,
        inhibited: 1,
        silenced: 1,
        muted_by: Vec::new(),
        firing: 1,
        resolved: 0,
        deliveries: vec![(7, "webhook", SendReason::FirstNotification)],
    });
    let mut to = Outgoing::from(Request {
        method: "POST",
        url: Secret::new("http://localhost/"),
        headers: Vec::new(),
        secret_headers: Vec::new(),
        body: Bytes::new(),
        http: Arc::new(HttpConfig::default()),
        sign: None,
        integration: "team/webhook[0]".into(),
        reply_max: 0,
    });
    let attempt = spans.attempt(7, &mut to);
    let refused = Response { status: 400, retry_after: None, ..Response::default() };
    flush::ended(attempt, &Ok(refused));
    tracing.finish().await;
    let received = collector.spans();
    let find = |name: &str| received.iter().find(|span| span.name == name).unwrap();
    let flush = find("dispatch.AggregationGroup.flush");
    let attempt = find("notify.Integration.Notify");
    for child in [attempt, find("notify.MuteStage.Exec"), find("notify.DedupStage.Exec")] {
        assert_eq!((&child.trace_id, &child.parent_span_id), (&flush.trace_id, &flush.span_id));
    }
    assert_eq!(attempt.status.as_ref().unwrap().message, "unexpected status code 400");
    assert_eq!(find("provider.mem.Put").parent_span_id, find("POST /x").span_id);
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let parent = format!("00-{}-{}-01", hex(&attempt.trace_id), hex(&attempt.span_id));
    assert_eq!(to.http().unwrap().headers, [("traceparent", parent)]);
}
