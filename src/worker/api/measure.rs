//! Counts requests by where they went, for the metrics.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::HttpBody;
use axum::extract::{Request as HttpRequest, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;

use super::Api;
use super::refused::{Counts, Refused};
use crate::observed::{DURATIONS, Histogram};

/// Upper bounds of response sizes, bytes.
const SIZES: &[f64] = &[1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8];

/// What distinguishes series of durations.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Request {
    /// Pattern of the path, without the prefix.
    pub(crate) handler: &'static str,
    /// In lower case.
    pub(crate) method: &'static str,
    /// Status code.
    pub(crate) code: u16,
}

/// All histograms.
#[derive(Debug, Clone, Default)]
pub(crate) struct Series {
    /// How long requests took, seconds.
    pub(crate) durations: BTreeMap<Request, Histogram>,
    /// Bytes of answers outside of `/api/v2`, by handler and method.
    pub(crate) sizes: BTreeMap<(&'static str, &'static str), Histogram>,
}

/// Counters of the HTTP surface.
#[derive(Debug, Default)]
pub(crate) struct HttpStats {
    series: Mutex<Series>,
    in_flight: AtomicU64,
    over_limit: AtomicU64,
    scrapes: AtomicU64,
    invalid_firing: AtomicU64,
    invalid_resolved: AtomicU64,
    refused: Counts,
}

/// A GET request under way.
pub(super) struct InFlight<'a>(&'a AtomicU64);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl HttpStats {
    /// A copy of the histograms.
    pub(crate) fn series(&self) -> Series {
        self.lock().clone()
    }

    /// GET requests under way.
    pub(crate) fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// GET requests refused for the limit.
    pub(crate) fn over_limit(&self) -> u64 {
        self.over_limit.load(Ordering::Relaxed)
    }

    /// Answered scrapes of the metrics.
    pub(crate) fn scrapes(&self) -> u64 {
        self.scrapes.load(Ordering::Relaxed)
    }

    /// Counts a scrape.
    pub(crate) fn count_scrape(&self) {
        self.scrapes.fetch_add(1, Ordering::Relaxed);
    }

    /// Posted alerts that were invalid: firing, resolved.
    pub(crate) fn invalid(&self) -> (u64, u64) {
        (self.invalid_firing.load(Ordering::Relaxed), self.invalid_resolved.load(Ordering::Relaxed))
    }

    /// Requests refused for what they would cost, by reason.
    pub(crate) fn refused(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.refused.all()
    }

    /// Counts a request that is refused for what it would cost.
    pub(crate) fn refuse(&self, reason: Refused) {
        self.refused.add(reason);
    }

    pub(super) fn count_over_limit(&self) {
        self.over_limit.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_invalid(&self, firing: u64, resolved: u64) {
        self.invalid_firing.fetch_add(firing, Ordering::Relaxed);
        self.invalid_resolved.fetch_add(resolved, Ordering::Relaxed);
    }

    pub(super) fn enter(&self) -> InFlight<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(&self.in_flight)
    }

    fn record(&self, request: Request, took: Duration, size: Option<u64>) {
        let mut series = self.lock();
        if let Some(size) = size.filter(|_| !request.handler.starts_with("/api/v2/")) {
            let sizes = series.sizes.entry((request.handler, request.method));
            sizes.or_insert_with(|| Histogram::new(SIZES)).observe(size as f64);
        }
        let durations = series.durations.entry(request).or_insert_with(|| Histogram::new(DURATIONS));
        durations.observe(took.as_secs_f64());
    }

    /// Only counters are inside: a panic elsewhere leaves nothing half done.
    fn lock(&self) -> MutexGuard<'_, Series> {
        self.series.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Times each request to a path that there is.
pub(super) async fn measure(State(api): State<Api>, request: HttpRequest, next: Next) -> Response {
    let handler = request.uri().path().strip_prefix(&*api.prefix).and_then(handler);
    let method = method_name(request.method());
    let start = Instant::now();
    let response = next.run(request).await;
    if let Some(handler) = handler {
        let code = response.status().as_u16();
        api.http.record(Request { handler, method, code }, start.elapsed(), response.body().size_hint().exact());
    }
    response
}

/// The label of a path without the prefix; `None` for paths that nothing is mounted at. All unknown paths below
/// `/api/v2` share one label: clients must not be able to make any number of series.
pub(super) fn handler(path: &str) -> Option<&'static str> {
    const KNOWN: [&str; 12] = [
        "/",
        "/metrics",
        "/-/healthy",
        "/-/ready",
        "/-/config",
        "/-/reload",
        "/api/v2/status",
        "/api/v2/receivers",
        "/api/v2/alerts",
        "/api/v2/alerts/groups",
        "/api/v2/silences",
        "/api/v2/",
    ];
    // the reference names these by their paths below `/api/v1`
    const GONE: [&str; 4] = ["/status", "/receivers", "/alerts", "/silences"];
    if let Some(known) = KNOWN.into_iter().find(|known| *known == path) {
        return Some(known);
    }
    if path.starts_with("/api/ui/v1/") {
        return Some("/api/ui/v1/");
    }
    if path.starts_with("/assets/") {
        return Some("/assets/");
    }
    if let Some(gone) = path.strip_prefix("/api/v1") {
        let silence = gone.strip_prefix("/silence/").filter(|id| !id.is_empty() && !id.contains('/'));
        return GONE.into_iter().find(|known| *known == gone).or(silence.map(|_| "/silence/:sid"));
    }
    let operation = path.strip_prefix("/api/v2/")?;
    if operation.starts_with("silence/") {
        return Some("/api/v2/silence/{silenceID}");
    }
    let path = path.trim_end_matches('/');
    Some(KNOWN.into_iter().find(|known| *known == path).unwrap_or("/api/v2/"))
}

fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "get",
        Method::POST => "post",
        Method::DELETE => "delete",
        Method::HEAD => "head",
        Method::PUT => "put",
        Method::OPTIONS => "options",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_path_has_one_of_few_labels() {
        let expect = [
            ("/api/v2/alerts", Some("/api/v2/alerts")),
            ("/api/v2/alerts/", Some("/api/v2/alerts")),
            ("/api/v2/silence/1234", Some("/api/v2/silence/{silenceID}")),
            ("/api/v2/nope/x", Some("/api/v2/")),
            ("/api/v1/alerts", Some("/alerts")),
            ("/api/v1/silence/x", Some("/silence/:sid")),
            ("/api/v1/nope", None),
            ("/nope", None),
        ];
        for (path, label) in expect {
            assert_eq!(handler(path), label, "{path}");
        }
    }
}
