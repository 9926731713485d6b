//! One HTTP client for each way to connect, kept across reloads.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use alerting::config::HttpConfig;
use reqwest::Client;
use reqwest::redirect::Policy;
use tokio::time::Instant;

use super::material::{Material, MaterialError};
use super::proxy::{self, Environment, ProxyError};
use super::tls::{self, TlsError};
use crate::net::lookup::Lookup;

/// Why there's no client.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// A file of the TLS settings can't be read.
    #[error(transparent)]
    Material(MaterialError),
    /// The TLS settings can't work.
    #[error("setting TLS up")]
    Tls(#[source] TlsError),
    /// The proxy can't be used.
    #[error("setting the proxy up")]
    Proxy(#[source] ProxyError),
    /// Anything else.
    #[error("building the client")]
    Build(#[source] reqwest::Error),
}

/// The clients in use.
#[derive(Debug)]
pub(crate) struct Clients {
    lookup: Option<Arc<Lookup>>,
    environment: Environment,
    kept: Mutex<Vec<Kept>>,
}

#[derive(Debug)]
struct Kept {
    http: Arc<HttpConfig>,
    material: Material,
    client: Client,
    used: Instant,
}

/// A client that nobody used for so long belongs to a receiver that's gone.
const UNUSED_MAX: Duration = Duration::from_secs(3600);

/// Idle connections kept per receiver.
const IDLE_PER_HOST: usize = super::turns::TURNS;

/// What receivers see; some of them look for the name.
const USER_AGENT: &str = "Alertmanager/0.34.2";

impl Clients {
    /// `lookup` replaces the system's way to look names up; `environment` may name proxies.
    pub(crate) fn new(lookup: Option<Lookup>, environment: Environment) -> Self {
        Self { lookup: lookup.map(Arc::new), environment, kept: Mutex::default() }
    }

    /// What replaces the system's way to look names up.
    pub(crate) fn lookup(&self) -> Option<Arc<Lookup>> {
        self.lookup.clone()
    }

    /// The client for `http`; relative paths in it count from `base`.
    ///
    /// # Errors
    /// When the settings can't work.
    pub(crate) async fn client(&self, http: &Arc<HttpConfig>, base: &Path) -> Result<Client, ClientError> {
        // read each time: a renewed file makes a new client
        let material = Material::read(&http.tls, base).await.map_err(ClientError::Material)?;
        if let Some(client) = self.find(http, &material) {
            return Ok(client);
        }
        let client = self.build(http, &material)?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|kept| kept.used.elapsed() < UNUSED_MAX);
        kept.push(Kept { http: Arc::clone(http), material, client: client.clone(), used: Instant::now() });
        Ok(client)
    }

    fn find(&self, http: &Arc<HttpConfig>, material: &Material) -> Option<Client> {
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let same =
            |kept: &&mut Kept| (Arc::ptr_eq(&kept.http, http) || kept.http == *http) && kept.material == *material;
        let kept = all.iter_mut().find(same)?;
        kept.used = Instant::now();
        Some(kept.client.clone())
    }

    fn build(&self, http: &HttpConfig, material: &Material) -> Result<Client, ClientError> {
        let tls = tls::config(&http.tls, material, http.enable_http2).map_err(ClientError::Tls)?;
        let mut builder = Client::builder()
            .user_agent(USER_AGENT)
            .redirect(Policy::none())
            .referer(false)
            .no_proxy()
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .tls_backend_preconfigured(tls);
        for proxy in proxy::proxies(&http.proxy, self.environment).map_err(ClientError::Proxy)? {
            builder = builder.proxy(proxy);
        }
        if !http.enable_http2 {
            builder = builder.http1_only();
        }
        if let Some(lookup) = &self.lookup {
            builder = builder.dns_resolver(Arc::clone(lookup));
        }
        builder.build().map_err(|error| ClientError::Build(error.without_url()))
    }

    /// How many there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}
