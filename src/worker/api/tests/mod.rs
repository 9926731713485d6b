//! Tests of the HTTP surface over a real engine, whose clock stands still. The expected bytes are the reference's.
#![allow(clippy::unwrap_used)]

mod elsewhere;
mod metrics;
mod ui;
mod v2;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use alerting::effects::{ClusterOptions, Input, Options, Output, Restored};
use alerting::engine::Engine;
use alerting::time::{Timestamp, parse_rfc3339};
use axum::body::Body;
use axum::http::Request;
use axum::response::Response;
use http_body_util::BodyExt;
use tokio::sync::{mpsc, watch};
use tower::ServiceExt;

use super::*;
use crate::handle::Command;

const CONFIG: &str = r#"
route:
  receiver: team-x
  group_by: [alertname]
  routes:
    - receiver: team-y
      matchers: [team="y"]
      group_by: [cluster]
receivers:
  - name: team-x
    webhook_configs:
      - url: http://127.0.0.1:1/x
  - name: team-y
    webhook_configs:
      - url: http://127.0.0.1:1/y
inhibit_rules:
  - source_matchers: [severity="critical"]
    target_matchers: [severity="warning"]
    equal: [alertname]
"#;

/// The moment of all tests.
fn clock() -> Timestamp {
    parse_rfc3339("2026-11-21T12:46:01.113Z").unwrap().unwrap()
}

/// A worker without sockets.
struct Rig {
    router: Router,
    handle: Handle,
    reload: mpsc::Receiver<ReloadRequest>,
}

/// What came back.
#[derive(Debug, PartialEq)]
struct Answer {
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
}

impl Rig {
    /// With [`CONFIG`] loaded.
    async fn new() -> Self {
        let rig = Self::without_config(|_| {}, None);
        rig.load_config().await;
        rig
    }

    fn without_config(change: impl FnOnce(&mut ApiOptions), cluster: Option<ClusterOptions>) -> Self {
        let (handle, commands) = Handle::new();
        tokio::spawn(serve(commands, cluster));
        Self::over(handle, change)
    }

    fn over(handle: Handle, change: impl FnOnce(&mut ApiOptions)) -> Self {
        let config = alerting::config::parse(CONFIG, Mode::default()).unwrap();
        let status = ReloadStatus {
            hash: config.hash,
            md5_hash: 42,
            last_success: true,
            last_success_time: clock(),
            error: None,
        };
        let (reload, requests) = mpsc::channel(1);
        let mut options = ApiOptions {
            route_prefix: String::new(),
            external_url: "http://localhost:9093".into(),
            web_port: None,
            started_at: clock(),
            version: VersionInfo { version: "0.34.2".into(), go_version: "go1.26.8".into(), ..VersionInfo::default() },
            get_concurrency: Some(8),
            timeout: None,
            mode: Mode::default(),
            cors_origin: None,
            alerts_per_name_max: 0,
            metric_labels: MetricLabels::default(),
        };
        change(&mut options);
        let state = ApiState {
            leaving: Arc::default(),
            handle: handle.clone(),
            options: Arc::new(options),
            reload,
            reload_status: watch::channel(status).1,
            observed: Arc::default(),
            recorder: Recorder::default(),
            tracing: Tracing::default(),
            storage: Default::default(),
        };
        Self { router: router(state), handle, reload: requests }
    }

    async fn load_config(&self) {
        let config = alerting::config::parse(CONFIG, Mode::default()).unwrap();
        self.handle.feed(Input::Config(Arc::new(config))).await.unwrap();
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response: Response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let headers = parts.headers.iter().map(|(n, v)| (n.to_string(), v.to_str().unwrap().to_owned()));
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status.as_u16(),
            headers: headers.filter(|(name, _)| name != "content-length").collect(),
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    /// `METHOD /path`, with a JSON body unless it's empty.
    async fn ask(&self, line: &str, body: &str) -> Answer {
        let (method, path) = line.split_once(' ').unwrap();
        let mut request = Request::builder().method(method).uri(path);
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    /// The value of a series.
    async fn metric(&self, series: &str) -> String {
        let text = self.get("/metrics").await.body;
        let line =
            text.lines().find_map(|line| line.strip_prefix(series)).unwrap_or_else(|| panic!("{series}\n{text}"));
        line.trim().to_owned()
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path}"), "").await
    }
}

impl Answer {
    fn brief(&self) -> (u16, &str) {
        (self.status, &self.body)
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// The event loop without the world: what the engine wants to send goes nowhere.
async fn serve(mut commands: mpsc::Receiver<Command>, cluster: Option<ClusterOptions>) {
    let options = Options { cluster, ..Options::default() };
    let restored = Restored { started_at: clock(), ..Restored::default() };
    let mut engine = Engine::new(options, restored).unwrap();
    let mut waiting = BTreeMap::new();
    let mut ticket = 0;
    while let Some(command) = commands.recv().await {
        match command {
            Command::Ask { make, reply, .. } => {
                ticket += 1;
                waiting.insert(ticket, reply);
                engine.handle(clock(), make(ticket));
            }
            Command::View(look) => look(&mut engine.view(clock())),
            Command::Feed(input) => engine.handle(clock(), input),
        }
        while let Some(output) = engine.poll() {
            let answers = match output {
                Output::Answer { ticket, answer } => vec![(ticket, answer)],
                Output::Append { answers, .. } => answers,
                _ => Vec::new(),
            };
            for (ticket, answer) in answers {
                waiting.remove(&ticket).unwrap().send(answer).unwrap();
            }
        }
    }
}

/// Of a cluster of which nobody else was ever seen.
fn lonely() -> ClusterOptions {
    ClusterOptions {
        name: "am-0".into(),
        advertise: "127.0.0.1:9094".parse().unwrap(),
        label: String::new(),
        incarnation: 1,
        gossip_interval: Duration::from_millis(200),
        pushpull_interval: Duration::from_secs(60),
        probe_interval: Duration::from_secs(1),
        probe_timeout: Duration::from_millis(500),
        peer_timeout: Duration::from_secs(15),
        settle_timeout: Duration::from_secs(60),
        reconnect_interval: Duration::from_secs(10),
        reconnect_timeout: Duration::from_secs(3600),
    }
}
