//! The HTTP surface: what the reference serves, under the same paths, with the same bytes.
//!
//! Handlers parse and validate on their own threads, ask the engine through [`Handle`] for as little as possible, and
//! serialise outside of it.

mod alerts;
mod bearer;
mod cors;
mod debug;
mod deprecated;
mod dto;
mod fallback;
mod groups;
mod gzip;
mod json;
mod limits;
mod measure;
mod page;
mod posted;
mod query;
mod receivers;
mod refusal;
mod refused;
mod request;
mod silences;
mod status;
mod time;
mod ui;
mod uri;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use alerting::alert::PostedAlert;
use alerting::matcher::{Matcher, Mode};
use alerting::silence::SilenceDraft;
use alerting::time::Timestamp;
use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::http::{Method, header};
use axum::middleware;
use axum::response::Response;
use axum::routing::{MethodRouter, get};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

pub(crate) use json::response as json_response;
pub(crate) use measure::HttpStats;
pub(crate) use refusal::{Refusal, text as text_response};
pub(crate) use refused::Refused;

use crate::handle::Handle;
use crate::observed::Observed;
use crate::recorder::Recorder;
use crate::reload::ReloadStatus;
use crate::store::StorageStats;
use crate::trace::{self, Tracing};
use crate::{health, metrics, reach};

/// Asks for a reload of the config; the answer is why the new one isn't used, if it isn't.
pub type ReloadRequest = oneshot::Sender<Result<(), String>>;

/// What the HTTP surface needs of the rest of the process.
#[derive(Debug, Clone)]
pub struct ApiState {
    /// The engine.
    pub handle: Handle,
    /// From the command line.
    pub options: Arc<ApiOptions>,
    /// To the task that reads the config.
    pub reload: mpsc::Sender<ReloadRequest>,
    /// From the same task.
    pub reload_status: watch::Receiver<ReloadStatus>,
    /// Shown by `/metrics`.
    pub(crate) observed: Arc<Observed>,
    /// Shown by `/metrics`.
    pub(crate) recorder: Recorder,
    /// Makes spans of requests.
    pub(crate) tracing: Tracing,
    /// From the threads that write.
    pub storage: Arc<StorageStats>,
    /// Set when the process is about to end, and serves those only that don't know yet.
    pub(crate) leaving: Arc<AtomicBool>,
}

/// How the HTTP surface is to behave.
#[derive(Debug, Clone)]
pub struct ApiOptions {
    /// Below which path everything is mounted; `""` or `"/"`: the root. A slash at the end is ignored.
    pub route_prefix: String,
    /// Shown on the page, without a slash at the end.
    pub external_url: String,
    /// Where it's served by TCP, if it is.
    pub web_port: Option<u16>,
    /// When the process started.
    pub started_at: Timestamp,
    /// Shown by `status` and `alertmanager_build_info`.
    pub version: VersionInfo,
    /// GET requests served at the same time; `None`: as many as there are processors, at least 8.
    pub get_concurrency: Option<usize>,
    /// How long a request may take; `None`: any time.
    pub timeout: Option<Duration>,
    /// The matcher syntax, also for filters, and which label names are valid.
    pub mode: Mode,
    /// Origins of pages that may use API v2 from a browser: a regex matcher; `None`: no CORS at all.
    pub cors_origin: Option<Matcher>,
    /// `alerts.per-alertname-limit`, 0 when there is none: metric only.
    pub alerts_per_name_max: u64,
    /// Labels that are in the metrics only if asked for.
    pub metric_labels: MetricLabels,
}

/// Features `alert-names-in-metrics`, `receiver-name-in-metrics`, `group-key-in-metrics`.
#[derive(Debug, Clone, Copy, Default)]
pub struct MetricLabels {
    /// `alertname` where alerts are dropped.
    pub alert_names: bool,
    /// `receiver_name` of notifications.
    pub receiver_names: bool,
    /// `group_key` of alerts.
    pub group_keys: bool,
}

/// What was built from what; texts may be empty.
#[derive(Debug, Clone)]
pub struct VersionInfo {
    /// Of the program.
    pub version: String,
    /// Of the sources.
    pub revision: String,
    /// Of the sources.
    pub branch: String,
    /// Who built.
    pub build_user: String,
    /// When.
    pub build_date: String,
    /// The compiler, in the place where the reference names its own.
    pub go_version: String,
}

impl VersionInfo {
    /// In the reference's form.
    pub(crate) fn summary(&self) -> String {
        format!("(version={}, branch={}, revision={})", self.version, self.branch, self.revision)
    }

    /// In the reference's form.
    pub(crate) fn build_context(&self) -> String {
        let (go, user, date) = (&self.go_version, &self.build_user, &self.build_date);
        format!("(go={go}, platform={}/{}, user={user}, date={date}, tags=)", std::env::consts::OS, self.arch())
    }

    /// The processor, named as the reference names it.
    pub(crate) fn arch(&self) -> &'static str {
        match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        }
    }
}

impl Default for VersionInfo {
    fn default() -> Self {
        Self {
            version: crate::COMPATIBLE_VERSION.into(),
            revision: String::new(),
            branch: concat!("alertmanager-operator-", env!("CARGO_PKG_VERSION")).into(),
            build_user: String::new(),
            build_date: String::new(),
            go_version: String::new(),
        }
    }
}

/// What handlers share.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    pub(crate) state: ApiState,
    pub(crate) http: Arc<HttpStats>,
    gets: Arc<Gets>,
    /// For bodies that are read at the same time, in units of [`request::BODY_UNIT`].
    bodies: Arc<Semaphore>,
    boards: Arc<ui::Boards>,
    /// Whoever has connections to peers tried.
    pub(crate) knocking: Arc<tokio::sync::Mutex<()>>,
    /// `""` or `/like/this`.
    pub(crate) prefix: Arc<str>,
}

/// The GET requests that may run at the same time.
#[derive(Debug)]
struct Gets {
    free: Semaphore,
    most: usize,
}

/// The whole HTTP surface.
pub fn router(state: ApiState) -> Router {
    counted_router(state, Arc::default())
}

/// Reads the body of `POST /api/v2/alerts`: the alerts in it that are valid.
///
/// # Errors
/// When nothing of it would be taken; the text of the answer.
pub fn read_alerts(body: &[u8], mode: Mode, now: Timestamp) -> Result<Vec<PostedAlert>, String> {
    posted::read(body, mode, now).map(|batch| batch.alerts).map_err(|refused| match refused {
        posted::Refused::Malformed(text) | posted::Refused::Field(_, text) => text,
    })
}

/// Reads the body of `POST /api/v2/silences`.
///
/// # Errors
/// When it would be refused; for people who debug.
pub fn read_silence(body: &[u8], mode: Mode, now: Timestamp) -> Result<SilenceDraft, String> {
    silences::read(&String::from_utf8_lossy(body), mode, now).map_err(|refusal| format!("{refusal:?}"))
}

/// The same, with counters that others count with too.
pub(crate) fn counted_router(state: ApiState, http: Arc<HttpStats>) -> Router {
    let most = state.options.get_concurrency.filter(|most| *most > 0).unwrap_or_else(default_concurrency);
    let prefix: Arc<str> = state.options.route_prefix.trim_end_matches('/').into();
    let api = Api {
        state,
        http,
        gets: Arc::new(Gets { free: Semaphore::new(most), most }),
        bodies: Arc::new(Semaphore::new(request::BODY_UNITS_MAX)),
        boards: Arc::default(),
        knocking: Arc::default(),
        prefix: prefix.clone(),
    };
    let mut router = Router::new();
    let mut mount = |path: &str, methods: MethodRouter<Api>| {
        let path = format!("{prefix}{path}");
        router = std::mem::take(&mut router).route(&path, methods);
    };
    for (path, methods) in operations() {
        // the reference ignores a slash at the end here
        mount(&format!("/api/v2{path}/"), methods.clone());
        mount(&format!("/api/v2{path}"), methods);
    }
    for (path, methods) in deprecated::paths() {
        mount(path, methods);
    }
    for (path, methods) in ui::paths() {
        mount(path, methods);
    }
    for (path, methods) in page::paths() {
        mount(path, methods);
    }
    mount("/metrics", plain("GET, OPTIONS", get(metrics::show)).layer(middleware::from_fn(gzip::compress)));
    for path in ["/debug/pprof/", "/debug/pprof/{*profile}"] {
        mount(path, plain("GET, OPTIONS, POST", get(debug::profiles).post(debug::profiles)));
    }
    for (path, methods) in operating() {
        mount(path, methods);
    }
    let mut router: Router = router.fallback(fallback::elsewhere).with_state(api.clone());
    if api.state.options.cors_origin.is_some() {
        // around the whole: a layer of the routes themselves would get their `Allow` header into its answers
        router = Router::new().fallback_service(router).layer(middleware::from_fn_with_state(api.clone(), cors::allow));
    }
    router
        .layer(middleware::from_fn_with_state(api.clone(), limits::limit))
        .layer(middleware::from_fn_with_state(api.clone(), measure::measure))
        .layer(middleware::from_fn_with_state(api, trace::http::trace))
}

/// What those who keep the process running need, and nothing that clients do: always at the root. `http` is what clients'
/// requests are counted with, for the metrics. Who bears the token of the file `token` may post alerts here, too, and read
/// what a backup has: the operator and its backups, past the certificate and the passwords of users.
pub(crate) fn management_router(state: ApiState, http: Arc<HttpStats>, token: Option<PathBuf>) -> Router {
    let api = Api {
        state,
        http,
        gets: Arc::new(Gets { free: Semaphore::new(default_concurrency()), most: default_concurrency() }),
        bodies: Arc::new(Semaphore::new(request::BODY_UNITS_MAX)),
        boards: Arc::default(),
        knocking: Arc::default(),
        prefix: "".into(),
    };
    let metrics = plain("GET, OPTIONS", get(metrics::show)).layer(middleware::from_fn(gzip::compress));
    let mut routes = operating().into_iter().fold(Router::new(), |router, (path, methods)| router.route(path, methods));
    if let Some(file) = token {
        let paths: [(_, _, MethodRouter<Api>); 3] = [
            ("/api/v2/alerts", "GET,POST", get(alerts::list).post(alerts::add)),
            ("/api/v2/silences", "GET", get(silences::list)),
            ("/api/v2/status", "GET", get(status::show)),
        ];
        let file = Arc::new(file);
        for (path, allow, methods) in paths {
            let methods = methods.layer(middleware::from_fn_with_state(file.clone(), bearer::check));
            routes = routes.route(path, operation(allow, methods));
        }
    }
    routes.route("/metrics", metrics).fallback(fallback::elsewhere).with_state(api)
}

/// Probes, reloads, and what backups need.
fn operating() -> [(&'static str, MethodRouter<Api>); 6] {
    [
        ("/-/healthy", probe(health::healthy)),
        ("/-/ready", probe(health::ready)),
        ("/-/config", plain("GET, OPTIONS", get(health::config))),
        ("/-/nflog", plain("GET, OPTIONS", get(health::notification_log))),
        ("/-/reach", plain("GET, OPTIONS", get(reach::show))),
        ("/-/reload", plain("OPTIONS, POST", axum::routing::post(health::reload))),
    ]
}

fn operations() -> [(&'static str, MethodRouter<Api>); 6] {
    [
        ("/status", operation("GET", get(status::show))),
        ("/receivers", operation("GET", get(receivers::list))),
        ("/alerts", operation("GET,POST", get(alerts::list).post(alerts::add))),
        ("/alerts/groups", operation("GET", get(groups::list))),
        ("/silences", operation("GET,POST", get(silences::list).post(silences::set))),
        ("/silence/{id}", operation("DELETE,GET", get(silences::show).delete(silences::expire))),
    ]
}

/// Below `/api/v2` other methods, HEAD too, are refused in JSON.
fn operation(allow: &'static str, methods: MethodRouter<Api>) -> MethodRouter<Api> {
    let refuse = move |method| std::future::ready(refusal::method_not_allowed(&method, allow));
    methods.head(refuse).fallback(refuse)
}

/// Elsewhere other methods, HEAD too, are refused in text, and OPTIONS says which there are.
fn plain(allow: &'static str, methods: MethodRouter<Api>) -> MethodRouter<Api> {
    let refuse = move |method| std::future::ready(refusal::plain_method_not_allowed(&method, allow));
    methods.head(refuse).fallback(refuse)
}

/// As [`plain`], for what answers HEAD too.
fn probe<T: 'static>(handler: impl Handler<T, Api>) -> MethodRouter<Api> {
    let refuse = |method| std::future::ready(refusal::plain_method_not_allowed(&method, "GET, HEAD, OPTIONS"));
    get(handler).fallback(refuse).layer(middleware::from_fn(bare_head))
}

/// An answer to HEAD doesn't say what the body would be (reference behaviour).
async fn bare_head(request: Request, next: middleware::Next) -> Response {
    let is_head = request.method() == Method::HEAD;
    let mut response = next.run(request).await;
    if is_head {
        response.headers_mut().remove(header::CONTENT_TYPE);
    }
    response
}

fn default_concurrency() -> usize {
    std::thread::available_parallelism().map_or(8, |n| n.get().max(8))
}
