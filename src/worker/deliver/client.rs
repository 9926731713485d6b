//! One HTTP client for each way to connect, kept across reloads.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use alerting::config::HttpConfig;
use reqwest::redirect::Policy;
use reqwest::{Client, Proxy};
use tokio::time::Instant;

use super::tls::{self, TlsError};
use crate::net::lookup::Lookup;

/// Why there's no client.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// The file of certificates can't be read.
    #[error("reading certificates from `{path}`")]
    CaFile {
        /// Its path.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The TLS settings can't work.
    #[error("setting TLS up")]
    Tls(#[source] TlsError),
    /// The proxy's URL can't be used.
    #[error("setting the proxy up")]
    Proxy,
    /// Anything else.
    #[error("building the client")]
    Build(#[source] reqwest::Error),
}

/// The clients in use.
#[derive(Debug)]
pub(crate) struct Clients {
    lookup: Option<Arc<Lookup>>,
    kept: Mutex<Vec<Kept>>,
}

#[derive(Debug)]
struct Kept {
    http: Arc<HttpConfig>,
    ca: Option<Vec<u8>>,
    client: Client,
    used: Instant,
}

/// A client that nobody used for so long belongs to a receiver that's gone.
const UNUSED_MAX: Duration = Duration::from_secs(3600);

/// Idle connections kept per receiver.
const IDLE_PER_HOST: usize = super::turns::TURNS;

/// As many as the reference follows.
const REDIRECTS_MAX: usize = 10;

/// What receivers see; some of them look for the name.
const USER_AGENT: &str = "Alertmanager/0.34.2";

impl Clients {
    /// `lookup` replaces the system's way to look names up.
    pub(crate) fn new(lookup: Option<Lookup>) -> Self {
        Self { lookup: lookup.map(Arc::new), kept: Mutex::default() }
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
        let ca = match &http.tls.ca_file {
            // read each time: a renewed file makes a new client
            Some(path) => {
                let path = base.join(path);
                Some(tokio::fs::read(&path).await.map_err(|source| ClientError::CaFile { path, source })?)
            }
            None => http.tls.ca.as_ref().map(|pem| pem.clone().into_bytes()),
        };
        if let Some(client) = self.find(http, ca.as_deref()) {
            return Ok(client);
        }
        let client = self.build(http, ca.as_deref())?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|kept| kept.used.elapsed() < UNUSED_MAX);
        kept.push(Kept { http: Arc::clone(http), ca, client: client.clone(), used: Instant::now() });
        Ok(client)
    }

    fn find(&self, http: &Arc<HttpConfig>, ca: Option<&[u8]>) -> Option<Client> {
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |kept: &&mut Kept| (Arc::ptr_eq(&kept.http, http) || kept.http == *http) && kept.ca.as_deref() == ca;
        let kept = all.iter_mut().find(same)?;
        kept.used = Instant::now();
        Some(kept.client.clone())
    }

    fn build(&self, http: &HttpConfig, ca: Option<&[u8]>) -> Result<Client, ClientError> {
        let tls = tls::config(&http.tls, ca, http.enable_http2).map_err(ClientError::Tls)?;
        let redirects = if http.follow_redirects { Policy::limited(REDIRECTS_MAX) } else { Policy::none() };
        let mut builder = Client::builder()
            .user_agent(USER_AGENT)
            .redirect(redirects)
            .referer(false)
            .no_proxy()
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .tls_backend_preconfigured(tls);
        if let Some(url) = &http.proxy.url {
            builder = builder.proxy(Proxy::all(url.expose()).map_err(|_| ClientError::Proxy)?);
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
