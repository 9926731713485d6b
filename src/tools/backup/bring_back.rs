//! Restoring: into a running cluster by its API, or into the storage directory of a member that doesn't run.

use std::path::{Path, PathBuf};
use std::time::Duration;

use alerting::nflog::{self, NotificationLog};
use alerting::silence::Silence;
use alerting::time::Timestamp;
use bytes::Bytes;
use reqwest::{Client, StatusCode};
use serde_json::Value;

use super::archive::{NOTIFICATION_LOG, Parts, SILENCES};
use super::gather::JOURNAL_EMPTY;
use super::silences::{Row, file};
use crate::chain::chain;
use crate::progress::Progress;

/// How long a silence is kept after its end, as the worker has it by default.
const RETENTION: Duration = Duration::from_secs(120 * 3600);

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Done {
    /// Silences that are there now.
    pub(super) restored: usize,
    /// Silences that were there already.
    pub(super) there: usize,
    /// Silences that have ended, and were left out.
    pub(super) over: usize,
    /// Entries of the notification log.
    pub(super) log_entries: usize,
    /// What could not be done, in words.
    pub(super) failed: Vec<String>,
}

/// Nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// A part can't be read.
    #[error("reading the {part} of the backup: {why}")]
    Part {
        /// Which.
        part: &'static str,
        /// Why not.
        why: String,
    },
    /// The cluster doesn't say what it has.
    #[error("asking {url} for its silences: {why}")]
    Ask {
        /// Who.
        url: String,
        /// Why not.
        why: String,
    },
    /// There is state already.
    #[error("{} is there already: a member's state is not overwritten; move it away, or restore with --to URL, which adds to what there is", .0.display())]
    Occupied(PathBuf),
    /// A file can't be written.
    #[error("writing {}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}

fn rows(parts: &Parts) -> Result<Vec<Row>, RestoreError> {
    let Some(content) = parts.get(SILENCES) else { return Ok(Vec::new()) };
    serde_json::from_slice(content).map_err(|error| RestoreError::Part { part: SILENCES, why: error.to_string() })
}

/// Adds the silences that still work, and are not there. Alerts come again by themselves; the log is the cluster's own.
pub(super) async fn to_cluster(
    now: Timestamp,
    client: &Client,
    parts: &Parts,
    url: &str,
    dry_run: bool,
) -> Result<Done, RestoreError> {
    let wanted = rows(parts)?;
    let url = format!("{}/api/v2/silences", url.trim_end_matches('/'));
    let ask = |why: String| RestoreError::Ask { url: url.clone(), why };
    let answer = client.get(&url).send().await.map_err(|error| ask(chain(&error)))?;
    let (status, body) = (answer.status(), answer.text().await.map_err(|error| ask(chain(&error)))?);
    if status != StatusCode::OK {
        return Err(ask(format!("{status}: {}", body.trim())));
    }
    let mut there: Vec<Row> = serde_json::from_str(&body).map_err(|error| ask(error.to_string()))?;
    there.retain(|row| !row.is_over(now));
    let mut done = Done::default();
    let progress = Progress::new(wanted.len() as u64);
    for (number, row) in (0..).zip(wanted) {
        progress.at(number, "silences");
        if row.is_over(now) {
            done.over += 1;
        } else if there.iter().any(|known| known.does_the_same(&row)) {
            done.there += 1;
        } else if dry_run {
            done.restored += 1;
        } else {
            match post(client, &url, &row).await {
                Ok(()) => done.restored += 1,
                Err(why) => done.failed.push(format!("silence {}: {why}", row.id)),
            }
        }
    }
    Ok(done)
}

async fn post(client: &Client, url: &str, row: &Row) -> Result<(), String> {
    let mut body = serde_json::to_value(row).unwrap_or_default();
    if let Some(fields) = body.as_object_mut() {
        // it is a new one there; its history stays in the backup
        fields.remove("id");
        fields.remove("updatedAt");
    }
    let request = client.post(url).header("content-type", "application/json").body(body.to_string());
    let answer = request.send().await.map_err(|error| chain(&error))?;
    match answer.status() {
        StatusCode::OK => Ok(()),
        status => Err(format!("{status}: {}", answer.text().await.unwrap_or_default().trim())),
    }
}

/// Writes the state files for a member that is to be started on them: with the log, so that nobody is paged again.
pub(super) fn to_directory(
    now: Timestamp,
    parts: &Parts,
    directory: &Path,
    with_expired: bool,
    dry_run: bool,
) -> Result<Done, RestoreError> {
    let mut done = Done::default();
    let mut silences: Vec<Silence> = Vec::new();
    for row in rows(parts)? {
        if row.is_over(now) && !with_expired {
            done.over += 1;
            continue;
        }
        match row.silence(RETENTION) {
            Ok(silence) => silences.push(silence),
            Err(why) => done.failed.push(why),
        }
    }
    done.restored = silences.len();
    let mut log = NotificationLog::default();
    if let Some(content) = parts.get(NOTIFICATION_LOG) {
        let damaged = |error: nflog::DecodeError| RestoreError::Part { part: NOTIFICATION_LOG, why: chain(&error) };
        for (key, entry) in nflog::decode(content.clone()).map_err(damaged)? {
            log.merge(now, key, entry);
        }
    }
    done.log_entries = log.len();
    if let Some(path) = state_in(directory) {
        return Err(RestoreError::Occupied(path));
    }
    if !dry_run {
        // the log first: silences without it would be quiet about alerts, the log without them doubles nothing
        write(directory, "nflog", &log.encode())?;
        write(directory, "silences", &file(&silences))?;
    }
    Ok(done)
}

/// The first file with state in a storage directory.
pub(super) fn state_in(directory: &Path) -> Option<PathBuf> {
    let listed = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = listed.map(|entry| entry.path()).collect();
    files.sort();
    files.into_iter().find(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let least = match &*name {
            "silences" | "nflog" | "alerts" => 0,
            _ if name.starts_with("journal.") => JOURNAL_EMPTY,
            _ => return false,
        };
        path.metadata().is_ok_and(|file| file.len() > least)
    })
}

/// Beside it, then in place: what is there is whole.
fn write(directory: &Path, name: &str, content: &Bytes) -> Result<(), RestoreError> {
    let path = directory.join(name);
    let aside = directory.join(format!("{name}.restoring"));
    let written = || {
        std::fs::create_dir_all(directory)?;
        std::fs::write(&aside, content)?;
        std::fs::File::open(&aside)?.sync_all()?;
        std::fs::rename(&aside, &path)
    };
    written().map_err(|source| RestoreError::Write { path: path.clone(), source })
}

impl Done {
    /// As people read it.
    pub(super) fn text(&self) -> String {
        let Self { restored, there, over, log_entries, failed } = self;
        let mut out = format!(
            "{restored} silences restored, {there} were there already, {over} have ended; {log_entries} entries of the notification log\n"
        );
        failed.iter().for_each(|why| out += &format!("not restored: {why}\n"));
        out
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}
