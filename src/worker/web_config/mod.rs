//! `--web.config.file`: TLS, client certificates, passwords, headers and a rate limit for everything that is served.
//!
//! The file and what it names are looked at again for each request and each new TLS connection, as the reference does.
//! Unlike it, a file that has become bad changes nothing: the last good one stays in force, and the log says why.

mod client_auth;
mod file;
mod gate;
mod rate;
mod tls;
mod users;

#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::{HeaderName, HeaderValue};
use rustls::ServerConfig;
use tracing::{error, info};

use file::{FileError, RateLimit, WebFile};
use tls::TlsError;

pub(crate) use file::TlsSection;
pub(crate) use gate::{Gate, check};
pub(crate) use tls::{TlsError as ServerTlsError, build as server_tls, files as server_tls_files};

/// The file can't be used.
#[derive(Debug, thiserror::Error)]
#[error("reading web config file `{path}`")]
pub struct WebConfigError {
    path: PathBuf,
    source: Cause,
}

/// Why.
#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error(transparent)]
    Read(#[from] io::Error),
    #[error("not UTF-8")]
    NotText,
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("TLS can't be turned on or off while the process runs: restart it")]
    Switch,
}

/// What is in force.
#[derive(Debug)]
pub(crate) struct Loaded {
    headers: Vec<(HeaderName, HeaderValue)>,
    users: BTreeMap<String, String>,
    rate_limit: Option<RateLimit>,
    tls: Option<Arc<ServerConfig>>,
}

/// The file, and what it says.
#[derive(Debug)]
pub(crate) struct WebConfig {
    path: PathBuf,
    state: Mutex<State>,
    reload: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct State {
    loaded: Arc<Loaded>,
    /// Of all files that were tried last, good or bad.
    stamps: Stamps,
}

/// What changes when a file changes; `None` for one that can't be looked at.
pub(crate) type Stamps = Vec<(PathBuf, Option<[i64; 5]>)>;

impl Loaded {
    /// What to serve TLS with, if it's on.
    pub(crate) fn tls(&self) -> Option<&Arc<ServerConfig>> {
        self.tls.as_ref()
    }
}

impl WebConfig {
    /// Reads the file and all that it names. It blocks.
    ///
    /// # Errors
    /// When anything in it can't be used.
    pub(crate) fn open(path: &Path) -> Result<Self, WebConfigError> {
        let (stamps, loaded) = load(path);
        let loaded = Arc::new(loaded.map_err(|source| WebConfigError { path: path.to_owned(), source })?);
        let state = Mutex::new(State { loaded, stamps });
        Ok(Self { path: path.to_owned(), state, reload: tokio::sync::Mutex::default() })
    }

    /// What is in force now.
    pub(crate) async fn current(&self) -> Arc<Loaded> {
        if let Some(loaded) = self.unchanged() {
            return loaded;
        }
        let _one_at_a_time = self.reload.lock().await;
        if let Some(loaded) = self.unchanged() {
            return loaded;
        }
        let path = self.path.clone();
        let reloaded = tokio::task::spawn_blocking(move || load(&path)).await;
        let mut state = self.lock();
        // the process is stopping: as it was
        let Ok((stamps, loaded)) = reloaded else { return Arc::clone(&state.loaded) };
        state.stamps = stamps;
        let loaded = loaded.and_then(|loaded| match loaded.tls.is_some() == state.loaded.tls.is_some() {
            true => Ok(loaded),
            false => Err(Cause::Switch),
        });
        match loaded {
            Ok(loaded) => {
                info!(file = %self.path.display(), "web config was read again");
                state.loaded = Arc::new(loaded);
            }
            Err(cause) => {
                let err = crate::log::chain(&cause);
                error!(file = %self.path.display(), err, "web config can't be used, the last good one stays in force");
            }
        }
        Arc::clone(&state.loaded)
    }

    fn unchanged(&self) -> Option<Arc<Loaded>> {
        let state = self.lock();
        let same = state.stamps.iter().all(|(path, then)| stamp(path) == *then);
        same.then(|| Arc::clone(&state.loaded))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What changes when the file changes.
pub(crate) fn stamp(path: &Path) -> Option<[i64; 5]> {
    let data = std::fs::metadata(path).ok()?;
    // the inode is what changes when Kubernetes swaps the directory of a Secret
    let [inode, len] = [data.ino(), data.len()].map(u64::cast_signed);
    Some([data.mtime(), data.mtime_nsec(), data.ctime_nsec(), inode, len])
}

/// Stamps are taken before the files are read: what changes in between is noticed the next time.
fn load(path: &Path) -> (Stamps, Result<Loaded, Cause>) {
    let mut stamps = vec![(path.to_owned(), stamp(path))];
    let directory = path.parent().unwrap_or(Path::new(""));
    let file = read(path);
    if let Ok(file) = &file {
        stamps.extend(tls::files(&file.tls, directory).into_iter().map(|path| {
            let stamp = stamp(&path);
            (path, stamp)
        }));
    }
    (stamps, file.and_then(|file| complete(file, directory)))
}

fn read(path: &Path) -> Result<WebFile, Cause> {
    let text = String::from_utf8(std::fs::read(path)?).map_err(|_| Cause::NotText)?;
    Ok(file::parse(&text)?)
}

fn complete(file: WebFile, directory: &Path) -> Result<Loaded, Cause> {
    let tls = match tls::is_on(&file.tls) {
        true => Some(Arc::new(tls::build(&file.tls, directory, file.http2)?)),
        false => None,
    };
    Ok(Loaded { headers: file.headers, users: file.users, rate_limit: file.rate_limit, tls })
}
