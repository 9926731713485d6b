//! Carries notifications to receivers over HTTP; what to send and what the answer means is the engine's business.

mod client;
pub(crate) mod material;
pub(crate) mod tls;
mod turns;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use alerting::config::{HttpConfig, SecretSource};
use alerting::notify::{Files, Request, Response, TransportError};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Method, RequestBuilder, Url};

use crate::net::lookup::Lookup;
use client::{ClientError, Clients};
use turns::Turns;

/// Sends requests; keeps connections and TLS sessions per way to connect.
#[derive(Debug)]
pub(crate) struct Deliverer {
    clients: Clients,
    turns: Turns,
    /// Against which relative paths of `http_config` count.
    base: PathBuf,
}

/// Why there is no response.
#[derive(Debug, thiserror::Error)]
enum DeliverError {
    #[error("preparing the HTTP client")]
    Client(#[source] ClientError),
    #[error("reading `{path}`")]
    File {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the receiver's URL is not valid")]
    Url,
    #[error("the receiver's header `{0}` is not valid")]
    Header(String),
    /// Without the URL, which may hold a secret.
    #[error("sending the notification")]
    Send(#[source] reqwest::Error),
}

/// What is read of a response's body at least, so that the connection can be used again.
const BODY_READ: usize = 64 << 10;

impl Deliverer {
    /// `base` is the config file's directory; `lookup` replaces the system's way to look names up.
    pub(crate) fn new(base: PathBuf, lookup: Option<Lookup>) -> Self {
        Self { clients: Clients::new(lookup), turns: Turns::default(), base }
    }

    /// What replaces the system's way to look names up.
    pub(crate) fn lookup(&self) -> Option<Arc<Lookup>> {
        self.clients.lookup()
    }

    /// Makes one attempt, which ends within `limit`.
    ///
    /// # Errors
    /// When there's no response at all; a response of any status is one.
    pub(crate) async fn deliver(&self, request: &Request, limit: Duration) -> Result<Response, TransportError> {
        match tokio::time::timeout(limit, self.attempt(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(TransportError { message: crate::log::chain(&error), timed_out: false }),
            Err(_) => Err(TransportError {
                message: format!("no response of the receiver within {limit:?}"),
                timed_out: true,
            }),
        }
    }

    async fn attempt(&self, request: &Request) -> Result<Response, DeliverError> {
        let url = Url::parse(request.url.expose()).map_err(|_| DeliverError::Url)?;
        let client = self.clients.client(&request.http, &self.base).await.map_err(DeliverError::Client)?;
        let _turn = self.turns.turn(&url).await;
        let sending = self.prepared(&client, url, request).await?;
        let response = sending.send().await.map_err(|error| DeliverError::Send(error.without_url()))?;
        Ok(received(response, request.reply_max).await)
    }

    async fn prepared(&self, client: &Client, url: Url, request: &Request) -> Result<RequestBuilder, DeliverError> {
        let method = Method::from_bytes(request.method.as_bytes()).unwrap_or(Method::POST);
        let mut sending = client.request(method, url).body(request.body.clone());
        for (name, value) in &request.headers {
            sending = sending.header(*name, value);
        }
        let mut own_authorization = false;
        for (name, value) in &request.secret_headers {
            own_authorization |= name.eq_ignore_ascii_case(AUTHORIZATION.as_str());
            sending = sending.header(*name, sensitive(value.expose(), name)?);
        }
        let HttpConfig { basic_auth, authorization, headers, .. } = request.http.as_ref();
        if let Some(auth) = basic_auth
            && !own_authorization
        {
            let password = match &auth.password {
                Some(source) => Some(self.secret(source).await?),
                None => None,
            };
            sending = sending.basic_auth(self.secret(&auth.username).await?, password);
        }
        if let Some(auth) = authorization
            && let Some(credentials) = &auth.credentials
            && !own_authorization
        {
            let value = format!("{} {}", auth.kind, self.secret(credentials).await?);
            sending = sending.header(AUTHORIZATION, sensitive(&value, "Authorization")?);
        }
        for (name, values) in headers {
            let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| DeliverError::Header(name.to_string()))?;
            let mut all = values.values.clone();
            all.extend(values.secrets.iter().map(|secret| secret.expose().to_owned()));
            for path in &values.files {
                all.push(trimmed(&self.base.join(path)).await?);
            }
            for value in all {
                sending = sending.header(&header, sensitive(&value, name)?);
            }
        }
        Ok(sending)
    }

    async fn secret(&self, source: &SecretSource) -> Result<String, DeliverError> {
        match source {
            SecretSource::Inline(secret) => Ok(secret.expose().to_owned()),
            SecretSource::File(path) => trimmed(&self.base.join(path)).await,
        }
    }
}

async fn received(mut response: reqwest::Response, reply_max: usize) -> Response {
    let status = response.status().as_u16();
    let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| retry_after(value, SystemTime::now()));
    let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or_default().to_owned();
    let (mut body, mut read) = (Vec::new(), 0);
    // the status is what counts: a body that breaks off is as good as it is
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = reply_max - body.len();
        body.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
        read += chunk.len();
        if read >= BODY_READ.max(reply_max) {
            break;
        }
    }
    Response { status, retry_after, content_type, body: String::from_utf8_lossy(&body).into_owned() }
}

/// Seconds, or a date.
fn retry_after(value: &HeaderValue, now: SystemTime) -> Option<Duration> {
    let text = value.to_str().ok()?.trim();
    if let Ok(secs) = text.parse() {
        return Some(Duration::from_secs(secs));
    }
    httpdate::parse_http_date(text).ok()?.duration_since(now).ok()
}

fn sensitive(value: &str, name: &str) -> Result<HeaderValue, DeliverError> {
    let mut value = HeaderValue::from_str(value).map_err(|_| DeliverError::Header(name.to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Reads files as they are, within `limit`.
///
/// # Errors
/// Which one can't be read, and why: for the log.
pub(crate) async fn read_files(paths: Vec<String>, limit: Duration) -> Result<Files, String> {
    let read = async {
        let mut files = Files::new();
        for path in paths {
            let content = tokio::fs::read_to_string(&path).await;
            let content = content.map_err(|source| DeliverError::File { path: path.clone().into(), source })?;
            files.insert(path, content);
        }
        Ok(files)
    };
    match tokio::time::timeout(limit, read).await {
        Ok(read) => read.map_err(|error: DeliverError| crate::log::chain(&error)),
        Err(_) => Err(format!("the receiver's files can't be read within {limit:?}")),
    }
}

async fn trimmed(path: &Path) -> Result<String, DeliverError> {
    let content = tokio::fs::read_to_string(path).await;
    let content = content.map_err(|source| DeliverError::File { path: path.to_owned(), source })?;
    Ok(content.trim().to_owned())
}

#[cfg(test)]
mod mutual_tests;
#[cfg(test)]
mod tests;
