//! The config file: text in, validated and immutable [`Config`] out, or the line that is wrong.

mod error;
mod global;
mod hash;
mod http;
mod http_read;
mod inhibit_read;
mod interval_read;
mod load;
mod matchers;
mod model;
mod node;
mod out;
mod print;
mod quote;
mod receiver_read;
mod route_read;
mod scalar;
mod secret;
mod section;
#[cfg(test)]
mod tests;
mod tls_read;
mod url;

pub use error::ConfigError;
pub use hash::{ConfigHash, content_hash, metric_hash};
pub use http::{Authorization, BasicAuth, HeaderValues, HttpConfig, SecretSource, TlsConfig};
pub use load::parse;
pub use model::{Config, GroupBy, InhibitRule, Integration, Receiver, Route, Settings, UrlSource, WebhookConfig};
pub use secret::{HIDDEN, Secret};
