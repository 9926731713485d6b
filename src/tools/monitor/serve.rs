//! `/metrics` of the monitor itself.

use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;

use super::Seen;

/// Serves until the process ends.
pub(super) async fn start(address: SocketAddr, seen: Arc<Mutex<Seen>>) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    let router = Router::new().route("/metrics", get(metrics)).with_state(seen);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(())
}

async fn metrics(State(seen): State<Arc<Mutex<Seen>>>) -> impl IntoResponse {
    let text = text(&seen.lock().unwrap_or_else(PoisonError::into_inner));
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}

fn text(seen: &Seen) -> String {
    let mut out = String::new();
    let mut head = |name: &str, kind: &str, help: &str, samples: &[(String, f64)]| {
        // writing to a string can't fail
        let _ = write!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
        for (labels, value) in samples {
            let _ = writeln!(out, "{name}{labels} {value}");
        }
    };
    let one = |value: f64| [(String::new(), value)];
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let up: Vec<_> = seen
        .watch
        .failed()
        .map(|(url, failed)| (format!("{{url=\"{}\"}}", quoted(url)), f64::from(u8::from(!failed))))
        .collect();
    let found: Vec<_> = seen.watch.found().map(|code| (format!("{{code=\"{code}\"}}"), 1.0)).collect();
    head("alertmanager_monitor_member_up", "gauge", "Whether a member has not failed.", &up);
    head("alertmanager_monitor_finding", "gauge", "What is wrong and lasts.", &found);
    let quorum = f64::from(u8::from(seen.watch.has_quorum()));
    head("alertmanager_monitor_quorum", "gauge", "Whether more than half of the members answer.", &one(quorum));
    head("alertmanager_monitor_looks_total", "counter", "Looks so far.", &one(seen.looks as f64));
    let took = seen.took.as_secs_f64();
    head("alertmanager_monitor_look_duration_seconds", "gauge", "How long the last look took.", &one(took));
    out
}
