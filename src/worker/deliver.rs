//! Carries notifications to receivers over HTTP; what to send and what the answer means is the engine's business.

mod aws;
mod client;
mod journey;
pub(crate) mod material;
mod oauth2;
mod proxy;
mod smtp;
pub(crate) mod tls;
mod turns;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use alerting::config::{HttpConfig, SecretSource};
use alerting::notify::oauth2::TokenError;
use alerting::notify::{Files, Mail, Request, Response, TransportError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::{Method, Url};

use crate::net::lookup::Lookup;
use aws::{AwsError, Signers, Surroundings};
use client::{ClientError, Clients};
use journey::{Journey, RedirectError};
use oauth2::Tokens;
use turns::Turns;

/// Sends requests; keeps connections and TLS sessions per way to connect.
#[derive(Debug)]
pub(crate) struct Deliverer {
    clients: Arc<Clients>,
    signers: Signers,
    turns: Turns,
    tokens: Tokens,
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
    #[error(transparent)]
    Redirect(RedirectError),
    #[error(transparent)]
    Aws(AwsError),
    #[error("fetching the OAuth2 token: `token_url` is not valid")]
    TokenUrl,
    #[error("fetching the OAuth2 token")]
    TokenSend(#[source] reqwest::Error),
    #[error("fetching the OAuth2 token")]
    Token(#[source] TokenError),
    #[error("making the OAuth2 assertion: a number among `claims` can't be JSON")]
    Claims,
    /// The cause would show parts of it.
    #[error(
        "signing the OAuth2 assertion: `client_certificate_key` is no usable RSA key: it must be PEM, PKCS#1 or PKCS#8, of 2048 bits at least"
    )]
    SigningKey,
}

/// Headers that a way to connect adds to each request.
#[derive(Debug, Default)]
struct Added {
    /// Unless the request brings an own one.
    authorization: Option<HeaderValue>,
    /// Goes before all others.
    token: Option<HeaderValue>,
    extra: HeaderMap,
}

/// What is read of a response's body at least, so that the connection can be used again.
const BODY_READ: usize = 64 << 10;

impl Deliverer {
    /// `base` is the config file's directory; `lookup` replaces the system's way to look names up.
    pub(crate) fn new(base: PathBuf, lookup: Option<Lookup>) -> Self {
        Self {
            clients: Arc::new(Clients::new(lookup, proxy::environment)),
            signers: Signers::default(),
            turns: Turns::default(),
            tokens: Tokens::default(),
            base,
        }
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

    /// Makes one attempt to hand a mail over, which ends within `limit`. Who has it answers 250.
    ///
    /// # Errors
    /// When the mail isn't taken: all of that may be over with the next attempt (reference behaviour).
    pub(crate) async fn mail(&self, mail: &Mail, limit: Duration) -> Result<Response, TransportError> {
        smtp::deliver(mail, &self.base, self.lookup(), limit).await
    }

    async fn attempt(&self, request: &Request) -> Result<Response, DeliverError> {
        let method = Method::from_bytes(request.method.as_bytes()).unwrap_or(Method::POST);
        let mut headers = HeaderMap::new();
        for (name, value) in &request.headers {
            let invalid = |_| DeliverError::Header((*name).to_owned());
            headers.append(header_name(name)?, HeaderValue::from_str(value).map_err(invalid)?);
        }
        for (name, value) in &request.secret_headers {
            headers.append(header_name(name)?, sensitive(value.expose(), name)?);
        }
        let mut http = Arc::clone(&request.http);
        let url = match &request.sign {
            None => Url::parse(request.url.expose()).map_err(|_| DeliverError::Url)?,
            Some(signing) => {
                let environment = proxy::environment;
                http = aws::http(signing, &http, environment);
                let around = Surroundings { clients: Arc::clone(&self.clients), http: Arc::clone(&http), environment };
                let signed = self.signers.signed(signing, &around, request.url.expose(), headers, &request.body).await;
                let url;
                (url, headers) = signed.map_err(DeliverError::Aws)?;
                url
            }
        };
        let added = self.added(&http).await?;
        let journey = Journey::new(method, url, headers, request.body.clone());
        let response = self.send(&http, journey, Some(&added)).await?;
        Ok(received(response, request.reply_max).await)
    }

    /// Sends a request to wherever its answers send it.
    async fn send(
        &self,
        http: &Arc<HttpConfig>,
        mut journey: Journey<Bytes>,
        added: Option<&Added>,
    ) -> Result<reqwest::Response, DeliverError> {
        let client = self.clients.client(http, &self.base).await.map_err(DeliverError::Client)?;
        loop {
            let _turn = self.turns.turn(&journey.url).await;
            let mut url = journey.url.clone();
            let headers = added.map_or_else(|| journey.headers.clone(), |added| added.to(&journey));
            if headers.contains_key(AUTHORIZATION) {
                // fails only where there's no user either
                let _ = url.set_username("");
                let _ = url.set_password(None);
            }
            let mut sending = client.request(journey.method.clone(), url).headers(headers);
            if let Some(body) = &journey.body {
                sending = sending.body(body.clone());
            }
            let response = sending.send().await.map_err(|error| DeliverError::Send(error.without_url()))?;
            let (status, location) = (response.status().as_u16(), response.headers().get(LOCATION));
            if !http.follow_redirects || !journey.goes_on(status, location).map_err(DeliverError::Redirect)? {
                return Ok(response);
            }
        }
    }

    /// What `http` adds, read anew from its files.
    async fn added(&self, http: &HttpConfig) -> Result<Added, DeliverError> {
        let HttpConfig { basic_auth, authorization, oauth2, headers, .. } = http;
        let mut added = Added::default();
        if let Some(auth) = basic_auth {
            let password = match &auth.password {
                Some(source) => self.secret(source).await?,
                None => String::new(),
            };
            added.authorization = Some(basic(&self.secret(&auth.username).await?, &password)?);
        }
        if let Some(auth) = authorization
            && let Some(credentials) = &auth.credentials
        {
            let value = format!("{} {}", auth.kind, self.secret(credentials).await?);
            added.authorization = Some(sensitive(&value, AUTHORIZATION.as_str())?);
        }
        if let Some(oauth2) = oauth2 {
            added.token = Some(self.token(oauth2).await?);
        }
        for (name, values) in headers {
            let header = header_name(name)?;
            let inline = values.values.iter().map(String::as_str);
            for value in inline.chain(values.secrets.iter().map(|secret| secret.expose())) {
                added.extra.append(&header, sensitive(value, name)?);
            }
            for path in &values.files {
                added.extra.append(&header, sensitive(&trimmed(&self.base.join(path)).await?, name)?);
            }
        }
        Ok(added)
    }

    async fn secret(&self, source: &SecretSource) -> Result<String, DeliverError> {
        match source {
            SecretSource::Inline(secret) => Ok(secret.expose().to_owned()),
            SecretSource::File(path) => trimmed(&self.base.join(path)).await,
        }
    }
}

impl Added {
    /// All headers of a request at this point of its journey: strangers get no credentials (reference behaviour).
    fn to<B>(&self, journey: &Journey<B>) -> HeaderMap {
        let mut headers = journey.headers.clone();
        for (name, value) in &self.extra {
            headers.append(name, value.clone());
        }
        if journey.strayed() {
            journey::without_secrets(&mut headers);
        } else if let Some(token) = &self.token {
            headers.insert(AUTHORIZATION, token.clone());
        } else if let Some(value) = &self.authorization
            && !headers.contains_key(AUTHORIZATION)
            && journey.url.username().is_empty()
            && journey.url.password().is_none()
        {
            headers.insert(AUTHORIZATION, value.clone());
        }
        headers
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

fn header_name(name: &str) -> Result<HeaderName, DeliverError> {
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| DeliverError::Header(name.to_owned()))
}

/// The value of `Authorization` that proves a user by a password (RFC 7617).
fn basic(user: &str, password: &str) -> Result<HeaderValue, DeliverError> {
    sensitive(&format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))), AUTHORIZATION.as_str())
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
#[cfg(test)]
mod token_tests;
