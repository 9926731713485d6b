//! How a receiver's HTTP client connects: the parts of `http_config` that this version acts on.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::secret::Secret;

/// A validated `http_config`. Paths of files are as written: relative ones count from the config file's directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpConfig {
    /// Excludes `authorization`.
    pub basic_auth: Option<BasicAuth>,
    /// Header `Authorization: <kind> <credentials>`; excludes `basic_auth`.
    pub authorization: Option<Authorization>,
    /// Whether 3xx answers are followed.
    pub follow_redirects: bool,
    /// Whether HTTP/2 may be used.
    pub enable_http2: bool,
    /// Proxy for all requests; may hold a password.
    pub proxy_url: Option<Secret>,
    /// TLS towards the server.
    pub tls: TlsConfig,
    /// Extra headers by name.
    pub headers: BTreeMap<Arc<str>, HeaderValues>,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            basic_auth: None,
            authorization: None,
            follow_redirects: true,
            enable_http2: true,
            proxy_url: None,
            tls: TlsConfig::default(),
            headers: BTreeMap::new(),
        }
    }
}

/// A secret in the config, or in a file that is read at each use and trimmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// From the config.
    Inline(Secret),
    /// From a file.
    File(String),
}

/// User and password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BasicAuth {
    /// Empty when not given; not a secret if inline.
    pub username: SecretSource,
    /// `None`: no password.
    pub password: Option<SecretSource>,
}

/// A scheme and its credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// `Bearer` unless given.
    pub kind: String,
    /// `None`: the header is not sent.
    pub credentials: Option<SecretSource>,
}

/// TLS towards the server of a receiver.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsConfig {
    /// Certificates to trust, PEM, in the config.
    pub ca: Option<String>,
    /// Certificates to trust, PEM, in a file; excludes `ca`.
    pub ca_file: Option<String>,
    /// Name to expect in the certificate instead of the URL's host.
    pub server_name: Option<String>,
    /// Trust any certificate.
    pub insecure_skip_verify: bool,
}

/// All values of one header, in the order in which they are sent: values, secrets, files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderValues {
    /// Plain values.
    pub values: Vec<String>,
    /// Values that are not printed.
    pub secrets: Vec<Secret>,
    /// Files whose trimmed content is the value.
    pub files: Vec<String>,
}
