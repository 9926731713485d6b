//! A receiver for webhooks that shows and keeps what it gets, for trying things out.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, put};
use serde::Deserialize;
use std::collections::BTreeMap;
use tokio::net::TcpListener;

/// Notifications kept for `GET /received`.
const KEPT_MAX: usize = 10_000;
/// Bytes kept for `GET /received`, whatever their number.
const KEPT_BYTES_MAX: usize = 16 << 20;
/// Bytes of one notification.
const BODY_BYTES_MAX: usize = 8 << 20;

/// `alertmanager-operator sink`.
#[derive(Debug, Clone, clap::Args)]
pub struct SinkFlags {
    /// Where to listen; without a host: on all addresses.
    #[arg(long = "listen-address", default_value = ":8080", value_name = "HOST:PORT")]
    pub listen_address: String,
}

/// Why the sink stopped.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// The address cannot be listened on.
    #[error("listening for webhooks on {address} (--listen-address)")]
    Listen {
        /// As given.
        address: String,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// Signals cannot be received.
    #[error("waiting for signals")]
    Signals(#[source] std::io::Error),
}

/// Shows each notification as one line and keeps the last ones.
#[derive(Clone)]
pub(super) struct Sink(Arc<Shared>);

struct Shared {
    say: Box<dyn Fn(&str) + Send + Sync>,
    kept: Mutex<Kept>,
    behaviour: Mutex<Behaviour>,
}

/// How notifications are answered, to see how senders cope.
#[derive(Clone, Copy)]
struct Behaviour {
    /// After how long.
    delay: Duration,
    status: StatusCode,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self { delay: Duration::ZERO, status: StatusCode::OK }
    }
}

/// As it's asked for; what isn't named is as it was at first.
#[derive(Deserialize)]
struct Wish {
    delay: Option<String>,
    status: Option<u16>,
}

#[derive(Default)]
struct Kept {
    /// Each a JSON object.
    entries: VecDeque<String>,
    bytes: usize,
    total: u64,
}

/// The parts of Alertmanager's webhook body that are shown.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Notification {
    status: String,
    receiver: String,
    group_labels: BTreeMap<String, String>,
    alerts: Vec<Alert>,
    truncated_alerts: u64,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Alert {
    status: String,
    labels: BTreeMap<String, String>,
}

impl Sink {
    /// Calls `say` with a line for each notification.
    pub(super) fn new(say: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(Shared { say: Box::new(say), kept: Mutex::default(), behaviour: Mutex::default() }))
    }

    /// Notifications received so far.
    pub(super) fn total(&self) -> u64 {
        self.kept().total
    }

    /// Answers on `listener` until the process ends.
    pub(super) async fn serve(self, listener: TcpListener) {
        if let Err(error) = axum::serve(listener, self.router()).await {
            (self.0.say)(&format!("the webhook sink stopped: {error}"));
        }
    }

    fn router(&self) -> axum::Router {
        axum::Router::new()
            .route("/received", get(received).delete(clear))
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/behaviour", put(behave))
            .fallback(take)
            .layer(axum::extract::DefaultBodyLimit::max(BODY_BYTES_MAX))
            .with_state(self.clone())
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Listens, prints, and ends with SIGINT or SIGTERM.
///
/// # Errors
/// When the address cannot be listened on.
pub async fn run(flags: SinkFlags) -> Result<(), SinkError> {
    let address = flags.listen_address;
    let full = if address.starts_with(':') { format!("0.0.0.0{address}") } else { address.clone() };
    let listener = TcpListener::bind(&full).await.map_err(|source| SinkError::Listen { address, source })?;
    let mut stop = super::signal::Stop::new().map_err(SinkError::Signals)?;
    let screen = super::screen::Screen::stdout();
    if let Ok(SocketAddr::V4(address)) = listener.local_addr() {
        screen.event(&format!("webhook sink on {address}; GET /received shows what came"));
    }
    let sink = Sink::new(move |line| screen.event(line));
    tokio::select! {
        () = sink.serve(listener) => Ok(()),
        () = stop.wait() => Ok(()),
    }
}

async fn take(State(sink): State<Sink>, method: axum::http::Method, body: Bytes) -> impl IntoResponse {
    if method != axum::http::Method::POST && method != axum::http::Method::PUT {
        return (StatusCode::NOT_FOUND, "this is a webhook sink: POST anywhere, GET /received\n");
    }
    let Ok(text) = str::from_utf8(&body) else {
        return (StatusCode::BAD_REQUEST, "not UTF-8\n");
    };
    let line = match serde_json::from_str::<Notification>(text) {
        Ok(notification) => describe(&notification),
        Err(_) if serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() => {
            format!("webhook: JSON of {} bytes, not in the form of Alertmanager's webhooks", text.len())
        }
        Err(_) => return (StatusCode::BAD_REQUEST, "not JSON\n"),
    };
    let Behaviour { delay, status } = *sink.0.behaviour.lock().unwrap_or_else(PoisonError::into_inner);
    if !status.is_success() {
        tokio::time::sleep(delay).await;
        return (status, "as PUT /behaviour said\n");
    }
    sink.kept().push(format!(r#"{{"receivedAt":"{:.3}","body":{}}}"#, jiff::Timestamp::now(), text.trim()));
    (sink.0.say)(&line);
    tokio::time::sleep(delay).await;
    (status, "")
}

/// `PUT /behaviour?delay=4s&status=503`; without a query all is as at first.
async fn behave(State(sink): State<Sink>, Query(wish): Query<Wish>) -> Result<StatusCode, (StatusCode, String)> {
    let refuse = |what: String| (StatusCode::BAD_REQUEST, what + "\n");
    let mut wanted = Behaviour::default();
    if let Some(text) = &wish.delay {
        let delay = alerting::duration::parse_prometheus(text);
        wanted.delay = delay.map_err(|error| refuse(format!("delay: {error}")))?;
    }
    if let Some(code) = wish.status {
        wanted.status = StatusCode::from_u16(code).map_err(|error| refuse(format!("status: {error}")))?;
    }
    *sink.0.behaviour.lock().unwrap_or_else(PoisonError::into_inner) = wanted;
    Ok(StatusCode::NO_CONTENT)
}

async fn received(State(sink): State<Sink>) -> impl IntoResponse {
    let entries: Vec<String> = sink.kept().entries.iter().cloned().collect();
    ([(header::CONTENT_TYPE, "application/json")], format!("[{}]\n", entries.join(",\n")))
}

async fn clear(State(sink): State<Sink>) -> StatusCode {
    let mut kept = sink.kept();
    kept.entries.clear();
    kept.bytes = 0;
    StatusCode::NO_CONTENT
}

impl Kept {
    fn push(&mut self, entry: String) {
        self.total += 1;
        self.bytes += entry.len();
        self.entries.push_back(entry);
        while self.entries.len() > KEPT_MAX || self.bytes > KEPT_BYTES_MAX {
            let Some(oldest) = self.entries.pop_front() else { break };
            self.bytes -= oldest.len();
        }
    }
}

/// One line, in which each alert is named once.
fn describe(notification: &Notification) -> String {
    let Notification { status, receiver, group_labels, alerts, truncated_alerts } = notification;
    let mut line = format!("{receiver}  {status:<8}  ");
    for (idx, alert) in alerts.iter().enumerate() {
        let separator = if idx == 0 { "" } else { ", " };
        let name = alert.labels.get("alertname").map_or("", String::as_str);
        let _ = write!(line, "{separator}{name}{}", labels(&alert.labels));
        if alert.status != *status {
            let _ = write!(line, " {}", alert.status);
        }
    }
    if *truncated_alerts > 0 {
        let _ = write!(line, " and {truncated_alerts} more");
    }
    let group = labels(group_labels);
    if !group.is_empty() {
        let _ = write!(line, "  group {group}");
    }
    line
}

/// All but the name of the alert, which stands elsewhere.
fn labels(labels: &BTreeMap<String, String>) -> String {
    let shown: Vec<String> =
        labels.iter().filter(|(name, _)| *name != "alertname").map(|(name, value)| format!("{name}={value}")).collect();
    if shown.is_empty() { String::new() } else { format!("({})", shown.join(", ")) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    const BODY: &str = r#"{"version":"4","groupKey":"{}:{alertname=\"Disk\"}","status":"firing","receiver":"webhook",
        "groupLabels":{"alertname":"Disk","job":"api"},"truncatedAlerts":0,"alerts":[
        {"status":"firing","labels":{"alertname":"Disk","instance":"a"}},
        {"status":"resolved","labels":{"alertname":"Full","instance":"b"}}]}"#;

    async fn send(address: SocketAddr, method: &str, path: &str, body: &str) -> (u16, String) {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!("{method} {path} HTTP/1.0\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).await.unwrap();
        let (head, body) = reply.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    #[tokio::test]
    async fn shows_keeps_and_forgets() {
        let (said, lines) = mpsc::channel();
        let sink = Sink::new(move |line| said.send(line.to_owned()).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(sink.clone().serve(listener));

        assert_eq!(send(address, "POST", "/any", BODY).await.0, 200);
        assert_eq!(send(address, "POST", "/", "no json").await.0, 400);
        assert_eq!(send(address, "POST", "/", "[1]").await.0, 200);
        assert_eq!(send(address, "GET", "/", "").await.0, 404);
        assert_eq!(send(address, "GET", "/healthz", "").await.0, 200);
        let lines: Vec<String> = lines.try_iter().collect();
        assert_eq!(lines[0], "webhook  firing    Disk(instance=a), Full(instance=b) resolved  group (job=api)");
        assert_eq!(lines.len(), 2);
        let (_, kept) = send(address, "GET", "/received", "").await;
        let kept: serde_json::Value = serde_json::from_str(&kept).unwrap();
        assert_eq!(kept[0]["body"]["alerts"][1]["labels"]["alertname"], "Full");
        assert!(kept[0]["receivedAt"].as_str().unwrap().ends_with('Z'));
        assert_eq!(send(address, "DELETE", "/received", "").await.0, 204);
        assert_eq!(send(address, "GET", "/received", "").await.1, "[]\n");
        assert_eq!(sink.total(), 2);

        assert_eq!(send(address, "PUT", "/behaviour?delay=soon", "").await.0, 400);
        assert_eq!(send(address, "PUT", "/behaviour?status=503&delay=1ms", "").await.0, 204);
        assert_eq!(send(address, "POST", "/any", BODY).await.0, 503);
        assert_eq!(
            (send(address, "PUT", "/behaviour", "").await.0, sink.total()),
            (204, 2),
            "what is refused is not kept"
        );
        assert_eq!(send(address, "POST", "/any", BODY).await.0, 200);
    }

    #[test]
    fn keeps_no_more_than_its_limits() {
        let mut kept = Kept::default();
        for _ in 0..=KEPT_MAX {
            kept.push("x".to_owned());
        }
        assert_eq!((kept.entries.len(), kept.bytes), (KEPT_MAX, KEPT_MAX));
        kept.push("y".repeat(KEPT_BYTES_MAX));
        assert_eq!(kept.entries.len(), 1);
    }
}
