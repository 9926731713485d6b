//! Where a config comes from: a file, or a running Alertmanager.

use std::path::{Path, PathBuf};
use std::time::Duration;

use alerting::config::{Config, ConfigError, parse};
use alerting::matcher::Mode;
use serde::Deserialize;

use crate::read::{self, ReadError};

/// How long the Alertmanager may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// Why there is no config.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// None was named.
    #[error("name a config: --config.file FILE, or --url URL of a running Alertmanager")]
    None,
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A worker would refuse it.
    #[error("{name}")]
    Invalid {
        /// File or URL.
        name: String,
        /// What is wrong.
        #[source]
        source: ConfigError,
    },
    /// The Alertmanager does not answer as one.
    #[error("asking {url} for its config")]
    Ask {
        /// Whom.
        url: String,
        /// What went wrong.
        #[source]
        source: reqwest::Error,
    },
    /// The answer is not the status of an Alertmanager.
    #[error("asking {url} for its config: this is not the status of an Alertmanager")]
    Answer {
        /// Whom.
        url: String,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
}

/// Reads the config of the file, or else of the Alertmanager.
pub(super) async fn load(file: Option<&Path>, url: Option<&str>, mode: Mode) -> Result<Config, SourceError> {
    let (name, text) = match (file, url) {
        (Some(file), _) => (file.display().to_string(), read::text(&PathBuf::from(file))?),
        (None, Some(url)) => (url.to_owned(), running(url).await?),
        (None, None) => return Err(SourceError::None),
    };
    parse(&text, mode).map_err(|source| SourceError::Invalid { name, source })
}

async fn running(url: &str) -> Result<String, SourceError> {
    #[derive(Deserialize)]
    struct Status {
        config: Original,
    }
    #[derive(Deserialize)]
    struct Original {
        original: String,
    }
    let failed = |source| SourceError::Ask { url: url.to_owned(), source };
    // whoever came first in this process has decided already
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().timeout(ANSWER_LIMIT).build().map_err(failed)?;
    let address = format!("{}/api/v2/status", with_scheme(url).trim_end_matches('/'));
    let answer = client.get(address).send().await.and_then(reqwest::Response::error_for_status).map_err(failed)?;
    let text = answer.text().await.map_err(failed)?;
    let status: Status =
        serde_json::from_str(&text).map_err(|source| SourceError::Answer { url: url.to_owned(), source })?;
    Ok(status.config.original)
}

fn with_scheme(url: &str) -> String {
    if url.contains("://") { url.to_owned() } else { format!("http://{url}") }
}
