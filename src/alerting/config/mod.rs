//! The config file: text in, validated and immutable [`Config`] out, or the line that is wrong.

mod error;
mod hash;
mod http;
mod model;
mod secret;

pub use error::ConfigError;
pub use hash::{ConfigHash, content_hash, metric_hash};
pub use http::{Authorization, BasicAuth, HeaderValues, HttpConfig, SecretSource, TlsConfig};
pub use model::{Config, GroupBy, InhibitRule, Integration, Receiver, Route, Settings, UrlSource, WebhookConfig};
pub use secret::{HIDDEN, Secret};

use crate::matcher::Mode;

/// Reads and validates a config; only the first YAML document counts.
///
/// # Errors
/// At the first thing that the reference refuses, and at what this version cannot act on yet.
pub fn parse(_text: &str, _mode: Mode) -> Result<Config, ConfigError> {
    let message = "being written".to_owned();
    Err(ConfigError { line: None, column: None, path: String::new(), message })
}
