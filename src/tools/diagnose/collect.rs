//! Asks all members, each all there is to ask, at the same time.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use alerting::nflog::{self, Entry, LogKey};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, InvalidHeaderValue};
use reqwest::{Client, ClientBuilder, StatusCode, Url};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::member::{LogEntry, Member, Metrics, Reach, Said, Silence, Status};
use crate::chain::chain;

/// How long one answer may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// What was told so long ago all members know.
const LOG_SETTLES: Duration = Duration::from_secs(60);

/// How long connecting to a gossip port may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);

/// What was given names no member.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// It is no URL.
    #[error("reading the URL `{0}`: {1}")]
    Url(String, String),
    /// The file with the authority can't be read.
    #[error("reading the authority {}", path.display())]
    Authority {
        /// Which.
        path: PathBuf,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file with the token can't be read, or has none.
    #[error("reading the token in {}", path.display())]
    Token {
        /// Which.
        path: PathBuf,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The token that the operator gave can't be sent.
    #[error("using the operator's token")]
    ClusterToken(#[source] InvalidHeaderValue),
    /// The client can't be made.
    #[error("preparing to ask members")]
    Client(#[source] reqwest::Error),
}

/// All members, in the order in which they were given.
///
/// # Errors
/// When one of them isn't named by a URL.
pub(super) async fn all(client: &Client, urls: &[String]) -> Result<Vec<Member>, CollectError> {
    let bases: Vec<Url> = urls.iter().map(|url| base(url)).collect::<Result<_, _>>()?;
    let asked = bases.into_iter().map(|base| {
        let client = client.clone();
        tokio::spawn(async move { member(&client, base).await })
    });
    let asked: Vec<_> = asked.collect();
    let mut members = Vec::new();
    for (url, member) in urls.iter().zip(asked) {
        let lost = |error: tokio::task::JoinError| Member {
            url: without_password(url),
            error: Some(error.to_string()),
            ..Member::default()
        };
        members.push(member.await.unwrap_or_else(lost));
    }
    Ok(members)
}

/// Asks, and tells, members; those of an authority of the user's own, too, if its file is given, and as one who bears the
/// token of a file.
///
/// # Errors
/// When these can't be read, or there can't be a client.
pub(crate) fn client(authority: Option<&Path>, token: Option<&Path>) -> Result<Client, CollectError> {
    let mut builder = builder();
    if let Some(path) = authority {
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| CollectError::Authority {
            path: path.to_owned(),
            source,
        };
        let pem = std::fs::read(path).map_err(|error| failed(error.into()))?;
        let given = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| failed(error.into()))?;
        builder = given.into_iter().fold(builder, ClientBuilder::add_root_certificate);
    }
    if let Some(path) = token {
        let failed =
            |source: Box<dyn std::error::Error + Send + Sync>| CollectError::Token { path: path.to_owned(), source };
        let token = std::fs::read_to_string(path).map_err(|error| failed(error.into()))?;
        let bearing = bearing(builder, &token);
        builder = bearing.map_err(|error| failed(error.into()))?;
    }
    builder.build().map_err(CollectError::Client)
}

/// Asks members whose connections are passed on from loopback, with the token that they let through, if they want one.
///
/// # Errors
/// When there can't be a client.
pub(crate) fn client_of_cluster(token: Option<&str>) -> Result<Client, CollectError> {
    let mut builder = builder().no_proxy();
    if let Some(token) = token {
        let failed = |error: InvalidHeaderValue| CollectError::ClusterToken(error);
        builder = bearing(builder, token).map_err(failed)?;
    }
    builder.build().map_err(CollectError::Client)
}

fn builder() -> ClientBuilder {
    // whoever came first in this process has decided already
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().timeout(ANSWER_LIMIT).tls_info(true)
}

fn bearing(builder: ClientBuilder, token: &str) -> Result<ClientBuilder, InvalidHeaderValue> {
    let mut value = HeaderValue::try_from(format!("Bearer {}", token.trim()))?;
    value.set_sensitive(true);
    Ok(builder.default_headers(HeaderMap::from_iter([(AUTHORIZATION, value)])))
}

fn base(url: &str) -> Result<Url, CollectError> {
    let address = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
    let address = format!("{}/", address.trim_end_matches('/'));
    Url::parse(&address).map_err(|error| CollectError::Url(url.to_owned(), error.to_string()))
}

async fn member(client: &Client, base: Url) -> Member {
    let base_text = base.as_str().trim_end_matches('/').to_owned();
    let url = without_password(&base_text);
    match said(client, &base).await {
        Ok(said) => Member { url, base: base_text, said: Some(said), error: None },
        Err(error) => Member { url, base: base_text, said: None, error: Some(error) },
    }
}

/// As it may be shown.
fn without_password(url: &str) -> String {
    let Ok(mut parsed) = Url::parse(url) else { return url.to_owned() };
    // only schemes without hosts refuse, and those have no passwords
    let _ = parsed.set_username("").and_then(|()| parsed.set_password(None));
    parsed.as_str().trim_end_matches('/').to_owned()
}

/// The error is for people: it becomes a finding.
async fn said(client: &Client, base: &Url) -> Result<Said, String> {
    let (status, clock): (Status, Clock) = timed(client, base, "api/v2/status").await?;
    let certificate_days = certificate_days(client, base).await;
    let not_ready = match get(client, base, "-/ready").await? {
        (StatusCode::OK, _) => None,
        (_, text) => Some(text.trim().to_owned()),
    };
    let silences: Vec<Silence> = json(client, base, "api/v2/silences?expired=false").await?;
    let (_, metrics) = get(client, base, "metrics").await?;
    let log = log(client, base).await;
    // of our own workers only, and to the millisecond
    let clock = match timed::<Value>(client, base, "api/ui/v1/cluster").await {
        Ok((cluster, around)) => cluster["at"].as_str().and_then(|at| around.exactly(at)).unwrap_or(clock),
        Err(_) => clock,
    };
    let peers: BTreeMap<_, _> = status.cluster.peers.into_iter().map(|peer| (peer.name, peer.address)).collect();
    let name = status.cluster.name;
    let others: Vec<_> = peers.iter().filter(|(peer, _)| **peer != name).map(|(n, a)| (n.clone(), a.clone())).collect();
    let reach: Option<Reach> = json(client, base, "-/reach").await.ok();
    let knocked = if reach.is_some() { Vec::new() } else { others };
    let knock = tokio::task::spawn_blocking(move || {
        let closed = knocked.into_iter().filter_map(|(name, address)| Some((name, closed(&address)?)));
        closed.collect::<BTreeMap<_, _>>()
    });
    Ok(Said {
        name,
        version: [status.version_info.version, status.version_info.branch].join(" ").trim().to_owned(),
        peers,
        not_ready,
        config: status.config.original,
        silence_count: silences.len(),
        log_entries: log.as_ref().map(BTreeMap::len),
        log,
        silences: silences.into_iter().map(|silence| (silence.id, silence.updated_at)).collect(),
        clock_ahead_ms: clock.ahead_ms,
        clock_within_ms: clock.within_ms,
        certificate_days,
        metrics: Metrics::read(&metrics),
        unreachable_gossip: knock.await.unwrap_or_default(),
        reach,
    })
}

/// The notification log; the Go Alertmanager doesn't hand it over.
async fn log(client: &Client, base: &Url) -> Option<BTreeMap<String, LogEntry>> {
    let answer = client.get(base.join("-/nflog").ok()?).send().await.ok()?;
    let content = answer.error_for_status().ok()?.bytes().await.ok()?;
    let now = crate::clock::now();
    let entry = |(key, entry): (LogKey, Arc<Entry>)| {
        let LogKey { group, receiver, integration, index } = key;
        let settled = now.since(entry.timestamp) > LOG_SETTLES && entry.expires_at.since(now) > LOG_SETTLES;
        (format!("{receiver}/{integration}[{index}] {group}"), LogEntry { at: entry.timestamp, settled })
    };
    Some(nflog::decode(content).ok()?.into_iter().map(entry).collect())
}

/// In how many days the certificate ends that was shown; `None`: none was.
async fn certificate_days(client: &Client, base: &Url) -> Option<i64> {
    let answer = client.get(base.join("-/healthy").ok()?).send().await.ok()?;
    let shown = answer.extensions().get::<reqwest::tls::TlsInfo>()?.peer_certificate()?;
    days_of(shown)
}

/// In how many days the first certificate of a file in PEM ends.
pub(super) fn days_left(pem: &[u8]) -> Option<i64> {
    let (_, first) = x509_parser::pem::parse_x509_pem(pem).ok()?;
    days_of(&first.contents)
}

fn days_of(der: &[u8]) -> Option<i64> {
    let (_, certificate) = x509_parser::parse_x509_certificate(der).ok()?;
    Some((certificate.validity().not_after.timestamp() - now_ms() / 1000) / 86_400)
}

/// Why nobody listens there, if nobody does.
fn closed(address: &str) -> Option<String> {
    let address: SocketAddr = address.parse().ok()?;
    TcpStream::connect_timeout(&address, CONNECT_LIMIT).err().map(|error| error.to_string())
}

/// By how much another clock is ahead of ours.
#[derive(Clone, Copy, Debug)]
struct Clock {
    ahead_ms: i64,
    within_ms: i64,
    /// Ours, between question and answer.
    middle_ms: i64,
    /// Half of the time between them.
    half_ms: i64,
}

impl Clock {
    /// From a moment that the answer names itself.
    fn exactly(self, at: &str) -> Option<Self> {
        let at = alerting::time::parse_rfc3339(at).ok()??;
        let ahead_ms = at.as_nanos() / 1_000_000 - self.middle_ms;
        Some(Self { ahead_ms, within_ms: self.half_ms + 1, ..self })
    }
}

async fn timed<T: DeserializeOwned>(client: &Client, base: &Url, path: &str) -> Result<(T, Clock), String> {
    let url = base.join(path).map_err(|error| error.to_string())?;
    let before = now_ms();
    let answer = client.get(url.clone()).send().await.map_err(|error| chain(&error))?;
    let after = now_ms();
    let date = answer.headers().get("date").and_then(|date| date.to_str().ok()).and_then(http_date);
    let status = answer.status();
    let text = answer.text().await.map_err(|error| chain(&error))?;
    if status != StatusCode::OK {
        return Err(format!("{url} answers {status}: {}", text.trim()));
    }
    let value =
        serde_json::from_str(&text).map_err(|error| format!("{url} doesn't answer as an Alertmanager: {error}"))?;
    let (middle_ms, half_ms) = (i64::midpoint(before, after), (after - before) / 2);
    // the header has whole seconds, cut off
    let (ahead_ms, within_ms) = date.map_or((0, i64::MAX), |date| (date * 1000 + 500 - middle_ms, 500 + half_ms));
    Ok((value, Clock { ahead_ms, within_ms, middle_ms, half_ms }))
}

async fn json<T: DeserializeOwned>(client: &Client, base: &Url, path: &str) -> Result<T, String> {
    timed(client, base, path).await.map(|(value, _)| value)
}

async fn get(client: &Client, base: &Url, path: &str) -> Result<(StatusCode, String), String> {
    let url = base.join(path).map_err(|error| error.to_string())?;
    let answer = client.get(url).send().await.map_err(|error| chain(&error))?;
    let status = answer.status();
    Ok((status, answer.text().await.map_err(|error| chain(&error))?))
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Seconds since the epoch.
fn http_date(text: &str) -> Option<i64> {
    let at = httpdate::parse_http_date(text).ok()?;
    i64::try_from(at.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()
}
