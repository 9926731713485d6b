//! Outputs over real files and sockets.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use alerting::config::{EventBatch, EventWebhook, HttpConfig, Secret};
use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use serde_json::Value;

use super::*;

const LIMIT: Duration = Duration::from_secs(60);

fn start(config: &EventRecorderConfig) -> (Recorder, RecorderTask) {
    // only fails when it's installed already
    let _ = rustls::crypto::ring::default_provider().install_default();
    Recorder::start(config, "here".into(), Arc::new(Deliverer::new(PathBuf::new(), None)))
}

fn files(paths: &[&Path]) -> EventRecorderConfig {
    let files = paths.iter().map(|path| path.display().to_string()).collect();
    EventRecorderConfig { files, ..EventRecorderConfig::default() }
}

fn kinds(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    let kind = |line: &str| {
        let event: Value = serde_json::from_str(line).unwrap();
        event["data"].as_object().unwrap().keys().next().unwrap().clone()
    };
    text.lines().map(kind).collect()
}

async fn until(mut condition: impl FnMut() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(LIMIT, wait).await.unwrap();
}

#[tokio::test]
async fn a_renamed_file_is_made_anew_and_bad_outputs_keep_the_old() {
    let directory = tempfile::tempdir().unwrap();
    let (path, rotated) = (directory.path().join("events"), directory.path().join("events.1"));
    let (recorder, task) = start(&files(&[&path]));
    recorder.started("0.34.2", "x");
    until(|| path.exists() && !kinds(&path).is_empty()).await;
    std::fs::rename(&path, &rotated).unwrap();
    recorder.apply(files(&[Path::new("/nowhere/at/all")])).await;
    recorder.stopping();
    task.finish().await;
    assert_eq!(kinds(&rotated), ["alertmanagerStartupEvent"]);
    assert_eq!(kinds(&path), ["alertmanagerShutdownEvent"]);
    let (counts, waiting) = recorder.counts().unwrap();
    let name = format!("file:{}", path.display());
    assert_eq!(counts.recorded[&("alertmanager_startup_event", name, true)], 1);
    assert_eq!(waiting, 0);
}

#[tokio::test]
async fn a_webhook_gets_each_event_though_it_fails_at_first() {
    let seen = Arc::new(Mutex::new(Vec::<String>::new()));
    let at_server = Arc::clone(&seen);
    let answer = move |body: String| {
        let mut seen = at_server.lock().unwrap();
        seen.push(body);
        std::future::ready(if seen.len() == 1 { StatusCode::BAD_GATEWAY } else { StatusCode::OK })
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/?secret=x", listener.local_addr().unwrap());
    let server = tokio::spawn(async move { axum::serve(listener, Router::new().route("/", post(answer))).await });
    let webhook = EventWebhook {
        url: Secret::new(url),
        http: Arc::new(HttpConfig::default()),
        timeout: LIMIT,
        workers: 1,
        max_retries: 3,
        retry_backoff: Duration::from_millis(1),
        batch: Some(EventBatch { max_events: 2, max_bytes: 1 << 20, flush_interval: LIMIT }),
    };
    let (recorder, task) = start(&EventRecorderConfig { webhooks: vec![webhook], ..EventRecorderConfig::default() });
    recorder.started("0.34.2", "x");
    recorder.stopping();
    task.finish().await;
    server.abort();
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0], seen[1]);
    let events: Vec<Value> = serde_json::from_str(&seen[1]).unwrap();
    assert_eq!(events[0]["data"]["alertmanagerStartupEvent"]["version"], "0.34.2");
    assert_eq!(events[1]["data"]["alertmanagerShutdownEvent"], serde_json::json!({}));
    assert_eq!(events[1]["instance"], "here");
}

#[tokio::test]
async fn a_full_queue_drops_and_counts() {
    let (events, _waiting) = mpsc::channel(1);
    let (configs, _updates) = mpsc::channel(1);
    let inner = Inner { events, configs, stats: Arc::default(), instance: String::new(), process: String::new() };
    let recorder = Recorder(Some(Arc::new(inner)));
    recorder.stopping();
    recorder.stopping();
    let (counts, waiting) = recorder.counts().unwrap();
    assert_eq!((counts.dropped["alertmanager_shutdown_event"], waiting), (1, 1));
}
