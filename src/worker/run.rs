//! The wiring, top to bottom, in the reference's order of start.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use alerting::config::Config;
use alerting::effects::{Input, Options, Restored, StateFile};
use alerting::engine::{Engine, RestoreError};
use alerting::time::Timestamp;
use tokio::sync::{mpsc, watch};
use tracing::{info, warn};

use crate::api::{self, ApiOptions, ApiState, VersionInfo};
use crate::deliver::Deliverer;
use crate::event_loop::{self, EventLoop, Outside};
use crate::flags::{ClusterSettings, FlagError, Flags, Settings, host_port};
use crate::handle::Handle;
use crate::log::event::Taste;
use crate::net::lookup::Lookup;
use crate::net::tls::{GossipTls, GossipTlsError};
use crate::net::{Net, Sockets, address, dns};
use crate::observed::Observed;
use crate::process::{self, Stop, StopError};
use crate::recorder::Recorder;
use crate::reload::{self, FileWatch, LoadError, Reading, Reloader};
use crate::serve::{Limits, ListenError, Listeners, Servers};
use crate::store::{Store, StoreError};
use crate::trace::flush::FlushSpans;
use crate::trace::{TraceError, Tracing};
use crate::url::{self, ExternalUrl, UrlError};
use crate::web_config::{WebConfig, WebConfigError};
use crate::{clock, log};

/// Why the worker did not start, or had to end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line makes no sense.
    #[error(transparent)]
    Flags(#[from] FlagError),
    /// The external URL can't be used.
    #[error("setting the external URL")]
    ExternalUrl(#[source] UrlError),
    /// The state files can't be used.
    #[error("opening the storage")]
    Store(#[from] StoreError),
    /// A state file is corrupt.
    #[error("reading state file `{path}` (put it back from a backup, or move it away to start without it)")]
    Restore {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: RestoreError,
    },
    /// The address for peers can't be used.
    #[error("listening for peers on `{address}`")]
    ClusterListen {
        /// As given.
        address: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The address for peers can't be found.
    #[error("listening for peers on `{address}`: no such address")]
    ClusterHost {
        /// As given.
        address: String,
    },
    /// Members can't prove themselves to each other.
    #[error(transparent)]
    GossipTls(#[from] GossipTlsError),
    /// The config can't be used.
    #[error("loading the configuration")]
    Config(#[from] LoadError),
    /// Spans can't be sent as the config says.
    #[error("setting tracing up")]
    Tracing(#[from] TraceError),
    /// The file with TLS and authentication can't be used.
    #[error(transparent)]
    WebConfig(#[from] WebConfigError),
    /// An HTTP address can't be used.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// A listener broke.
    #[error("serving HTTP")]
    Serve(#[source] std::io::Error),
    /// Signals can't be received.
    #[error(transparent)]
    Stop(#[from] StopError),
}

/// How long open HTTP requests may take at the end.
const DRAIN_LIMIT: Duration = Duration::from_secs(5);

/// How long the engine may take at the end: its own limits for receivers and peers together.
const STOP_LIMIT: Duration = Duration::from_secs(21);

/// Reloads that may wait.
const RELOADS: usize = 16;

/// Runs a member until SIGTERM, SIGINT or the end of standard input (with `ALERTMANAGER_EXIT_ON_STDIN_EOF=1`).
///
/// Needs a multi-thread runtime with IO and time; two worker threads suffice.
///
/// # Errors
/// When it can't start or a listener fails. A config that can't be used is in the log too.
pub async fn run(flags: Flags) -> Result<(), Error> {
    log::init(flags.log_level, flags.log_format);
    let started_at = clock::now();
    let settings = flags.check()?;
    let (mut stop, hangup) = Stop::new()?;
    greet(&settings);
    process::raise_file_limit();
    // only fails when it's installed already
    let _ = rustls::crypto::ring::default_provider().install_default();

    let store = Store::open(&settings.storage)?;
    let lookup = Lookup::new(settings.dns_server);
    let sockets = match &settings.cluster {
        Some(cluster) => Some(bind_cluster(cluster, &lookup).await?),
        None => None,
    };
    let reading = Reading { mode: settings.mode, record_events: settings.engine.record_events };
    let config = reload::load(&settings.config_file, reading).await?;
    let restored = store.restore(started_at, settings.engine.persist_alerts)?;
    let web_config = settings.web_config_file.as_deref().map(WebConfig::open).transpose()?.map(Arc::new);
    let listeners = match settings.web_systemd_socket {
        true => Listeners::inherited()?,
        false => Listeners::bind(&settings.web_listen).await?,
    };
    let management = match &settings.management_listen {
        Some(address) => Some(Listeners::bind(std::slice::from_ref(address)).await?),
        None => None,
    };
    let web_port = listeners.tcp_port();
    let external = ExternalUrl::new(settings.external_url.as_deref(), listeners.port()).map_err(Error::ExternalUrl)?;
    let route_prefix = url::route_prefix(settings.route_prefix.as_deref(), &external);
    let options = engine_options(&settings, &external, sockets.as_ref());
    let engine = restore_engine(options, restored, &store)?;

    let (handle, commands) = Handle::new();
    let (arrivals, arrived) = event_loop::arrivals();
    let (settled, is_settled) = watch::channel(settings.cluster.is_none());
    let ipv4_only = sockets.as_ref().is_some_and(|sockets| sockets.local().is_ipv4());
    let tcp_timeout = settings.cluster.as_ref().map_or(Duration::ZERO, |cluster| cluster.tcp_timeout);
    let observed = Arc::<Observed>::default();
    let deliverer = Arc::new(deliverer(&settings, &lookup));
    let (recorder, recording) = match settings.engine.record_events {
        true => {
            let outputs = config.event_recorder.clone().unwrap_or_default();
            let (recorder, task) = Recorder::start(&outputs, process::host_name(), Arc::clone(&deliverer));
            (recorder, Some(task))
        }
        false => (Recorder::default(), None),
    };
    recorder.started(&version().summary(), &version().build_context());
    let tracing = Tracing::default();
    tracing.apply(config.tracing.as_ref()).await?;
    let writer = store.writer(Arc::clone(&observed))?;
    let storage = writer.stats();
    let outside = Outside {
        deliverer,
        net: sockets.map(|sockets| Net::start(sockets, &arrivals, tcp_timeout, &observed)),
        writer,
        taste: Taste { silences: settings.log_silences },
        settled,
        observed: Arc::clone(&observed),
        recorder: recorder.clone(),
        spans: FlushSpans::new(tracing.clone()),
    };
    let engine_loop = EventLoop::new(engine, outside, arrivals.clone(), STOP_LIMIT);
    let engine_task = tokio::spawn(engine_loop.run(commands, arrived));
    let (reloader, reload_status) = Reloader::new(
        settings.config_file.clone(),
        reading,
        &config,
        handle.clone(),
        recorder.clone(),
        tracing.clone(),
    );
    apply(&handle, config).await;
    let (reload, reloads) = mpsc::channel(RELOADS);
    let file_watch = match settings.watch_config {
        true => FileWatch::new(&settings.config_file),
        false => FileWatch::off(),
    };
    let watching = tokio::spawn(reloader.run(reloads, hangup, file_watch));
    let resolving = settings.cluster.as_ref().map(|cluster| {
        let peers = dns::Peers::new(cluster.peers.clone(), lookup.clone(), ipv4_only);
        tokio::spawn(peers.watch(arrivals.clone(), is_settled, cluster.eager))
    });
    drop(arrivals);

    let options = Arc::new(api_options(&settings, &external, route_prefix, web_port, started_at));
    let leaving = Arc::new(AtomicBool::new(false));
    let state = ApiState {
        handle: handle.clone(),
        options,
        reload,
        reload_status,
        storage,
        observed,
        recorder: recorder.clone(),
        tracing: tracing.clone(),
        leaving: Arc::clone(&leaving),
    };

    let http = Arc::default();
    let mut managing = management.map(|listeners| {
        let router = api::management_router(state.clone(), Arc::clone(&http), settings.management_token.clone());
        Servers::start(listeners, router, None, Arc::clone(&http), Limits::default())
    });
    let router = api::counted_router(state, Arc::clone(&http));
    let mut servers = Servers::start(listeners, router, web_config, http, Limits::default());
    let served = tokio::select! {
        () = stop.wait() => Ok(()),
        error = servers.failed() => Err(Error::Serve(error)),
        error = failed(&mut managing) => Err(Error::Serve(error)),
    };
    if served.is_ok() && !settings.drain_delay.is_zero() {
        info!(delay = ?settings.drain_delay, "serving until clients are sent elsewhere");
        leaving.store(true, Ordering::Relaxed);
        tokio::select! {
            () = tokio::time::sleep(settings.drain_delay) => {}
            () = stop.wait() => {}
            _ = servers.failed() => {}
        }
    }
    info!("Shutting down gracefully");
    servers.finish(DRAIN_LIMIT).await;
    if let Some(managing) = managing {
        managing.finish(DRAIN_LIMIT).await;
    }
    watching.abort();
    if let Some(resolving) = resolving {
        resolving.abort();
    }
    // the loop may have ended by itself
    let _ = handle.feed(Input::Stop).await;
    let stopping = Instant::now();
    let _ = engine_task.await;
    tracing.finish().await;
    recorder.stopping();
    if let Some(recording) = recording {
        recording.finish().await;
    }
    info!(elapsed = ?stopping.elapsed(), "Received shutdown signal, exiting gracefully...");
    served
}

async fn failed(servers: &mut Option<Servers>) -> std::io::Error {
    match servers {
        Some(servers) => servers.failed().await,
        None => std::future::pending().await,
    }
}

fn greet(settings: &Settings) {
    // in the reference's order: features are read before anything else is said
    for feature in &settings.features {
        match feature.message {
            Some(message) => warn!("{message}"),
            None => warn!(feature = feature.name, "feature has no effect in this version"),
        }
    }
    info!(version = version().summary(), "Starting Alertmanager");
    info!(build_context = version().build_context(), "Build context");
    for flag in &settings.idle_flags {
        warn!(flag = format!("--{flag}"), "flag has no effect in this version");
    }
}

async fn bind_cluster(cluster: &ClusterSettings, lookup: &Lookup) -> Result<Sockets, Error> {
    let no_host = || Error::ClusterHost { address: cluster.listen.clone() };
    let (host, port) = host_port(&cluster.listen).ok_or_else(no_host)?;
    let listen = address::listen(&host, port, lookup).await.map_err(|_| no_host())?;
    let names: Vec<String> = cluster.peers.iter().map(|(host, _)| host.clone()).collect();
    let tls = match &cluster.tls_config {
        Some(path) => Some(Arc::new(GossipTls::open(path, &names).await?)),
        None => None,
    };
    let bound = Sockets::bind(listen, tls).await;
    bound.map_err(|source| Error::ClusterListen { address: cluster.listen.clone(), source })
}

fn engine_options(settings: &Settings, external: &ExternalUrl, sockets: Option<&Sockets>) -> Options {
    let mut options = settings.engine.clone();
    options.external_url = external.text().to_owned();
    options.seed = rand::random();
    options.cluster = settings.cluster.as_ref().zip(sockets).map(|(cluster, sockets)| {
        let mut engine = cluster.engine.clone();
        let now_ms = u64::try_from(clock::now().as_nanos() / 1_000_000).unwrap_or_default();
        engine.name = cluster.name.clone().unwrap_or_else(|| process::random_name(now_ms));
        engine.advertise = address::advertise(cluster.advertise, sockets.local(), cluster.allow_public);
        engine.incarnation = now_ms;
        info!(
            component = "cluster",
            name = engine.name,
            addr = %engine.advertise,
            peers = cluster.peers.len(),
            "Waiting for gossip to settle..."
        );
        engine
    });
    options
}

fn restore_engine(options: Options, restored: Restored, store: &Store) -> Result<Engine, Error> {
    Engine::new(options, restored).map_err(|source| {
        let path = match &source {
            RestoreError::Silences(_) => store.path(StateFile::Silences),
            RestoreError::NotificationLog(_) => store.path(StateFile::NotificationLog),
            RestoreError::Alerts(_) => store.path(StateFile::Alerts),
            RestoreError::Journal(_) => store.directory().join("journal.*"),
        };
        Error::Restore { path, source }
    })
}

fn deliverer(settings: &Settings, lookup: &Lookup) -> Deliverer {
    // the paths in the config are joined to its directory already; the system's own way knows more places than DNS: it's left alone unless another was asked for
    Deliverer::new(PathBuf::new(), settings.dns_server.map(|_| lookup.clone()))
}

async fn apply(handle: &Handle, config: Arc<Config>) {
    // the loop was just started; if it has ended, the next step notices
    let _ = handle.feed(Input::Config(config)).await;
}

fn api_options(
    settings: &Settings,
    external: &ExternalUrl,
    route_prefix: String,
    web_port: Option<u16>,
    started_at: Timestamp,
) -> ApiOptions {
    ApiOptions {
        route_prefix,
        external_url: external.text().to_owned(),
        web_port,
        started_at,
        version: version(),
        get_concurrency: settings.get_concurrency,
        timeout: settings.web_timeout,
        mode: settings.mode,
        cors_origin: settings.cors_origin.clone(),
        alerts_per_name_max: settings.engine.alerts_per_name_max.map_or(0, |max| max as u64),
        metric_labels: settings.metric_labels,
    }
}

fn version() -> VersionInfo {
    let text = |value: Option<&'static str>| value.unwrap_or_default().to_owned();
    VersionInfo {
        revision: text(option_env!("BUILD_REVISION")),
        branch: text(option_env!("BUILD_BRANCH")),
        build_user: text(option_env!("BUILD_USER")),
        build_date: text(option_env!("BUILD_DATE")),
        ..VersionInfo::default()
    }
}
