//! How an HTTP client of ours connects: `http_config` with all its parts.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::secret::Secret;
use super::value::Value;

/// A validated `http_config`. Paths of files count from where [`parse_in`](super::parse_in) was told, or are as written.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpConfig {
    /// Excludes `authorization` and `oauth2`.
    pub basic_auth: Option<BasicAuth>,
    /// Header `Authorization: <kind> <credentials>`; excludes `basic_auth` and `oauth2`.
    pub authorization: Option<Authorization>,
    /// A token is fetched and used as bearer; excludes `basic_auth` and `authorization`.
    pub oauth2: Option<OAuth2>,
    /// Whether 3xx answers are followed.
    pub follow_redirects: bool,
    /// Whether HTTP/2 may be used.
    pub enable_http2: bool,
    /// Through which proxy.
    pub proxy: ProxyConfig,
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
            oauth2: None,
            follow_redirects: true,
            enable_http2: true,
            proxy: ProxyConfig::default(),
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

impl SecretSource {
    /// The inline secret if there is one, else the file: what the reference uses where both can come together.
    pub fn of(inline: Option<Secret>, file: Option<String>) -> Option<Self> {
        inline.map(Self::Inline).or(file.map(Self::File))
    }
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

/// How a token is fetched.
#[derive(Clone, Debug, PartialEq)]
pub struct OAuth2 {
    /// Not empty.
    pub client_id: String,
    /// With what the client proves itself.
    pub grant: OAuth2Grant,
    /// Asked for.
    pub scopes: Vec<String>,
    /// Not empty; not checked to be a URL.
    pub token_url: String,
    /// Added to the form that is posted.
    pub endpoint_params: BTreeMap<String, String>,
    /// TLS towards the token's server.
    pub tls: TlsConfig,
    /// Proxy towards the token's server.
    pub proxy: ProxyConfig,
}

/// The two kinds of grant.
#[derive(Clone, Debug, PartialEq)]
pub enum OAuth2Grant {
    /// `client_credentials`, and whatever else is written as `grant_type`.
    ClientCredentials {
        /// `None`: empty.
        secret: Option<SecretSource>,
    },
    /// `urn:ietf:params:oauth:grant-type:jwt-bearer`, RFC 7523.
    JwtBearer {
        /// Private key, PEM; a path in it counts from the working directory.
        key: Option<SecretSource>,
        /// `kid` of the token's header.
        key_id: String,
        /// `RS256` (default), `RS384` or `RS512`.
        algorithm: &'static str,
        /// `None`: the client's ID.
        issuer: Option<String>,
        /// `None`: the token URL.
        audience: Option<String>,
        /// Added to the token.
        claims: BTreeMap<String, Value>,
    },
}

/// Through which proxy requests go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProxyConfig {
    /// For all requests; may hold a password. Not checked for its scheme. Excludes `from_environment`.
    pub url: Option<Secret>,
    /// Hosts, domains and networks without proxy, as in `NO_PROXY`; only with `url`.
    pub no_proxy: Option<String>,
    /// Take `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` of the environment.
    pub from_environment: bool,
    /// Headers for the proxy itself, when a tunnel is opened.
    pub connect_header: BTreeMap<String, Vec<Secret>>,
}

/// TLS towards a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsConfig {
    /// Certificates to trust, PEM, in the config.
    pub ca: Option<String>,
    /// Certificates to trust, PEM, in a file; excludes `ca`.
    pub ca_file: Option<String>,
    /// With what this client proves itself.
    pub client: Option<ClientCertificate>,
    /// Name to expect in the certificate instead of the URL's host.
    pub server_name: Option<String>,
    /// Trust any certificate.
    pub insecure_skip_verify: bool,
    /// `None`: the library's default.
    pub min_version: Option<TlsVersion>,
    /// `None`: the library's default.
    pub max_version: Option<TlsVersion>,
}

/// Certificate and key of a client, PEM; files are read again when they change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// No secret if inline.
    pub certificate: SecretSource,
    /// The private key.
    pub key: SecretSource,
}

/// Versions of TLS that a config can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// `TLS10`
    Tls10,
    /// `TLS11`
    Tls11,
    /// `TLS12`
    Tls12,
    /// `TLS13`
    Tls13,
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
