//! What is to be backed up: from running members, or from the storage directory of one that doesn't run.

use std::path::{Path, PathBuf};

use alerting::nflog::{self, NotificationLog};
use alerting::silence;
use alerting::time::Timestamp;
use bytes::Bytes;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use super::archive::{ALERTS, CLUSTER, CONFIG, NOTIFICATION_LOG, Parts, SILENCES};
use super::silences::{Row, union};
use crate::chain::chain;
use crate::progress::Progress;

/// What was gathered.
#[derive(Debug)]
pub(super) struct Gathered {
    pub(super) parts: Parts,
    /// What could not be had, in words.
    pub(super) lacks: Vec<String>,
}

/// Nothing can be backed up.
#[derive(Debug, thiserror::Error)]
pub enum GatherError {
    /// No member answers.
    #[error("no member answers: {0}")]
    Nobody(String),
    /// A file can't be read.
    #[error("reading {}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A file isn't what it should be.
    #[error("reading {}: {damage}", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// Why not.
        damage: String,
    },
    /// Its state isn't in these files alone.
    #[error("{} has a journal that isn't merged yet: start the worker and back up from its URL, or stop it with SIGTERM first", .0.display())]
    Journal(PathBuf),
}

/// What one member said.
struct Told {
    url: String,
    status: Value,
    silences: Vec<Row>,
    alerts: Value,
    log: Option<Bytes>,
}

/// From members: all that any of them knows, since what one has just learned may not have reached the others.
pub(super) async fn from_members(now: Timestamp, client: &Client, urls: &[String]) -> Result<Gathered, GatherError> {
    let (mut told, mut lacks) = (Vec::new(), Vec::new());
    let progress = Progress::new(urls.len() as u64);
    for (number, url) in (0..).zip(urls) {
        progress.at(number, "members asked");
        match ask(client, url).await {
            Ok(member) => told.push(member),
            Err(error) => lacks.push(error),
        }
    }
    let Some(first) = told.first() else { return Err(GatherError::Nobody(lacks.join("; "))) };
    let config = first.status["config"]["original"].as_str().unwrap_or_default().to_owned();
    let logs: Vec<&Bytes> = told.iter().filter_map(|member| member.log.as_ref()).collect();
    let mut parts = Parts::new();
    match merged(now, &logs) {
        Some(log) => drop(parts.insert(NOTIFICATION_LOG, log)),
        None => lacks.push("the notification log: only members of this program hand it over; back up a data directory of the Go Alertmanager with --data-dir".to_owned()),
    }
    // members that hear of alerts by gossip have all of them, others what they were posted: by fingerprint, once
    let mut alerts = std::collections::BTreeMap::new();
    for alert in told.iter().flat_map(|member| member.alerts.as_array().into_iter().flatten()) {
        alerts.insert(alert["fingerprint"].to_string(), alert);
    }
    let cluster: Vec<Value> = told
        .iter()
        .map(|member| json!({"url": member.url, "cluster": member.status["cluster"], "versionInfo": member.status["versionInfo"]}))
        .collect();
    parts.insert(ALERTS, text(&Value::from_iter(alerts.into_values().cloned())));
    parts.insert(CLUSTER, text(&json!({ "members": cluster })));
    parts.insert(CONFIG, config.into());
    parts.insert(SILENCES, rows(&union(told.into_iter().map(|member| member.silences))));
    Ok(Gathered { parts, lacks })
}

async fn ask(client: &Client, url: &str) -> Result<Told, String> {
    let base = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
    let base = base.trim_end_matches('/').to_owned();
    let get = async |path: &str| {
        let failed = |error: reqwest::Error| format!("{base}{path}: {}", chain(&error));
        let answer = client.get(format!("{base}{path}")).send().await.map_err(failed)?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(failed)?;
        Ok::<_, String>((status, body))
    };
    let json = async |path: &str| match get(path).await? {
        (StatusCode::OK, body) => {
            serde_json::from_slice::<Value>(&body).map_err(|error| format!("{base}{path} answers no JSON: {error}"))
        }
        (status, body) => Err(format!("{base}{path} answers {status}: {}", String::from_utf8_lossy(&body).trim())),
    };
    let status = json("/api/v2/status").await?;
    let silences = serde_json::from_value(json("/api/v2/silences").await?);
    let silences = silences.map_err(|error| format!("{base}/api/v2/silences: {error}"))?;
    let alerts = json("/api/v2/alerts").await?;
    // the Go Alertmanager has no such path
    let log = match get("/-/nflog").await? {
        (StatusCode::OK, body) if nflog::decode(body.clone()).is_ok() => Some(body),
        _ => None,
    };
    Ok(Told { url: base.clone(), status, silences, alerts, log })
}

/// `None`: there is none.
fn merged(now: Timestamp, logs: &[&Bytes]) -> Option<Bytes> {
    let mut all = NotificationLog::default();
    for log in logs {
        for (key, entry) in nflog::decode((*log).clone()).ok()? {
            all.merge(now, key, entry);
        }
    }
    (!logs.is_empty()).then(|| all.encode())
}

/// From a storage directory, of this program's worker or of the Go Alertmanager.
pub(super) fn from_directory(directory: &Path) -> Result<Gathered, GatherError> {
    let read = |name: &str| {
        let path = directory.join(name);
        match std::fs::read(&path) {
            Ok(content) => Ok(Bytes::from(content)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Bytes::new()),
            Err(source) => Err(GatherError::Read { path, source }),
        }
    };
    let listed = std::fs::read_dir(directory);
    let listed = listed.map_err(|source| GatherError::Read { path: directory.to_owned(), source })?;
    for entry in listed.flatten() {
        let journal = entry.file_name().to_string_lossy().starts_with("journal.");
        if journal && entry.metadata().is_ok_and(|file| file.len() > JOURNAL_EMPTY) {
            return Err(GatherError::Journal(directory.to_owned()));
        }
    }
    let (silences, log) = (read("silences")?, read("nflog")?);
    let damaged = |name: &str, damage: String| GatherError::Damaged { path: directory.join(name), damage };
    nflog::decode(log.clone()).map_err(|error| damaged("nflog", chain(&error)))?;
    let silences = silence::read_file(silences).map_err(|error| damaged("silences", chain(&error)))?;
    let mut lacks = vec!["alerts and config: they are not in a storage directory".to_owned()];
    let told: Vec<Row> = silences
        .iter()
        .filter_map(|silence| {
            let row = Row::of(silence);
            if row.is_none() {
                lacks.push(format!("silence {}: it has several lists of matchers", silence.id));
            }
            row
        })
        .collect();
    let cluster = text(&json!({ "directory": directory.display().to_string() }));
    let parts = Parts::from([(CLUSTER, cluster), (NOTIFICATION_LOG, log), (SILENCES, rows(&told))]);
    Ok(Gathered { parts, lacks })
}

/// A journal without a record: its head alone.
pub(super) const JOURNAL_EMPTY: u64 = alerting::journal::MAGIC.len() as u64;

fn rows(rows: &[Row]) -> Bytes {
    text(&serde_json::to_value(rows).unwrap_or_default())
}

fn text(value: &Value) -> Bytes {
    format!("{value:#}\n").into()
}
