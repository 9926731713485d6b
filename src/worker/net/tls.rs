//! `--cluster.tls-config`: members prove themselves to each other, over TCP only.
//!
//! The file and what it names are looked at again for each new connection: a renewed certificate needs no restart. One
//! that has become bad changes nothing; the log says why.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alerting::config::{ClientCertificate, Secret, SecretSource, TlsConfig, TlsVersion};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ServerConfig};
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};
use tracing::{error, info, warn};

use crate::deliver::material::{Material, MaterialError};
use crate::deliver::tls as trust;
use crate::web_config::{ServerTlsError, Stamps, TlsSection, server_tls, server_tls_files, stamp};

/// The file can't be used.
#[derive(Debug, thiserror::Error)]
#[error("reading gossip TLS config file `{path}`")]
pub struct GossipTlsError {
    path: PathBuf,
    source: Cause,
}

/// Why.
#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error(transparent)]
    Read(#[from] io::Error),
    #[error("{0}")]
    Yaml(String),
    #[error("{0} is required: members are servers and clients of each other")]
    Missing(&'static str),
    #[error("tls_client_config.{0}: {1}")]
    Client(&'static str, &'static str),
    #[error(transparent)]
    Server(#[from] ServerTlsError),
    #[error("tls_client_config")]
    Material(#[from] MaterialError),
    #[error("tls_client_config")]
    Trust(#[from] trust::TlsError),
}

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    tls_server_config: Option<TlsSection>,
    tls_client_config: Option<ClientSection>,
}

/// `tls_client_config`, as written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ClientSection {
    ca: Option<String>,
    ca_file: Option<String>,
    cert: Option<String>,
    cert_file: Option<String>,
    key: Option<String>,
    key_file: Option<String>,
    server_name: Option<String>,
    insecure_skip_verify: Option<bool>,
    min_version: Option<String>,
    max_version: Option<String>,
}

/// Both sides of TLS between members.
#[derive(Debug)]
pub(crate) struct GossipTls {
    path: PathBuf,
    /// Names that the members are found by: a certificate may have one of them instead of the address.
    names: Vec<ServerName<'static>>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
    /// Of all files that were tried last, good or bad.
    stamps: Stamps,
}

impl GossipTls {
    /// Reads the file and all that it names; `peers` are the names under which members are looked up.
    ///
    /// # Errors
    /// When anything in it can't be used.
    pub(crate) async fn open(path: &Path, peers: &[String]) -> Result<Self, GossipTlsError> {
        let names: Vec<_> = peers.iter().filter_map(|name| ServerName::try_from(name.clone()).ok()).collect();
        let (stamps, loaded) = load(path, &names).await;
        let (server, client) = loaded.map_err(|source| GossipTlsError { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), names, state: Mutex::new(State { server, client, stamps }) })
    }

    async fn current(&self) -> (Arc<ServerConfig>, Arc<ClientConfig>) {
        {
            let state = self.lock();
            if state.stamps.iter().all(|(path, then)| stamp(path) == *then) {
                return (Arc::clone(&state.server), Arc::clone(&state.client));
            }
        }
        let (stamps, loaded) = load(&self.path, &self.names).await;
        let mut state = self.lock();
        state.stamps = stamps;
        match loaded {
            Ok((server, client)) => {
                info!(component = "cluster", file = %self.path.display(), "gossip TLS config was read again");
                (state.server, state.client) = (server, client);
            }
            Err(cause) => {
                let err = crate::log::chain(&cause);
                let file = self.path.display();
                error!(component = "cluster", %file, err, "gossip TLS config can't be used, the last good one stays");
            }
        }
        (Arc::clone(&state.server), Arc::clone(&state.client))
    }

    /// The accepting side.
    ///
    /// # Errors
    /// When the other one isn't who it should be.
    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<server::TlsStream<TcpStream>> {
        TlsAcceptor::from(self.current().await.0).accept(stream).await
    }

    /// The connecting side.
    ///
    /// # Errors
    /// When the other one isn't who it should be.
    pub(crate) async fn connect(&self, to: SocketAddr, stream: TcpStream) -> io::Result<client::TlsStream<TcpStream>> {
        let name = ServerName::IpAddress(to.ip().into());
        TlsConnector::from(self.current().await.1).connect(name, stream).await
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Stamps are taken before the files are read: what changes in between is noticed the next time.
async fn load(
    path: &Path,
    names: &[ServerName<'static>],
) -> (Stamps, Result<(Arc<ServerConfig>, Arc<ClientConfig>), Cause>) {
    let mut stamps = vec![(path.to_owned(), stamp(path))];
    let directory = path.parent().unwrap_or(Path::new(""));
    let (server, client) = match read(path).await {
        Ok(sections) => sections,
        Err(cause) => return (stamps, Err(cause)),
    };
    let of_client = [&client.ca_file, &client.cert_file, &client.key_file];
    let of_client = of_client.into_iter().flatten().map(|file| directory.join(file));
    stamps.extend(server_tls_files(&server, directory).into_iter().chain(of_client).map(|path| {
        let stamp = stamp(&path);
        (path, stamp)
    }));
    (stamps, complete(server, client, directory, names).await)
}

async fn read(path: &Path) -> Result<(TlsSection, ClientSection), Cause> {
    let text = tokio::fs::read_to_string(path).await?;
    let text: Text = serde_saphyr::from_str(&text).map_err(|error| {
        let text = error.without_snippet().to_string();
        Cause::Yaml(text.split_whitespace().collect::<Vec<_>>().join(" "))
    })?;
    let server = text.tls_server_config.ok_or(Cause::Missing("tls_server_config"))?;
    Ok((server, text.tls_client_config.ok_or(Cause::Missing("tls_client_config"))?))
}

async fn complete(
    mut server: TlsSection,
    client: ClientSection,
    directory: &Path,
    names: &[ServerName<'static>],
) -> Result<(Arc<ServerConfig>, Arc<ClientConfig>), Cause> {
    if !server.verifies_clients() {
        warn!(
            component = "cluster",
            "members needn't show a certificate: tls_server_config has no `client_auth_type: RequireAndVerifyClientCert`"
        );
    }
    // members are of one kind: nobody needs less than the newest
    server.min_version.get_or_insert_with(|| "TLS13".to_owned());
    let mut serving = server_tls(&server, directory, false)?;
    serving.alpn_protocols.clear();
    let tls = client.into_config()?;
    let material = Material::read(&tls, directory).await?;
    let mut asking = trust::config_for(&tls, &material, false, names)?;
    asking.alpn_protocols.clear();
    Ok((Arc::new(serving), Arc::new(asking)))
}

impl ClientSection {
    fn into_config(self) -> Result<TlsConfig, Cause> {
        let twice = "give one of the text and the file";
        if self.ca.is_some() && self.ca_file.is_some() {
            return Err(Cause::Client("ca", twice));
        }
        let certificate = one("cert", self.cert, self.cert_file)?;
        let client = match (certificate, one("key", self.key, self.key_file)?) {
            (Some(certificate), Some(key)) => Some(ClientCertificate { certificate, key }),
            (None, None) => None,
            (Some(_), None) => return Err(Cause::Client("key", "a certificate needs its key")),
            (None, Some(_)) => return Err(Cause::Client("cert", "a key needs its certificate")),
        };
        Ok(TlsConfig {
            ca: self.ca,
            ca_file: self.ca_file,
            client,
            server_name: self.server_name.filter(|name| !name.is_empty()),
            insecure_skip_verify: self.insecure_skip_verify.unwrap_or(false),
            min_version: Some(version("min_version", self.min_version.as_deref())?.unwrap_or(TlsVersion::Tls13)),
            max_version: version("max_version", self.max_version.as_deref())?,
        })
    }
}

fn one(field: &'static str, text: Option<String>, file: Option<String>) -> Result<Option<SecretSource>, Cause> {
    match (text, file) {
        (Some(_), Some(_)) => Err(Cause::Client(field, "give one of the text and the file")),
        (Some(text), None) => Ok(Some(SecretSource::Inline(Secret::new(text)))),
        (None, Some(file)) => Ok(Some(SecretSource::File(file))),
        (None, None) => Ok(None),
    }
}

fn version(field: &'static str, name: Option<&str>) -> Result<Option<TlsVersion>, Cause> {
    match name {
        None => Ok(None),
        Some("TLS12") => Ok(Some(TlsVersion::Tls12)),
        Some("TLS13") => Ok(Some(TlsVersion::Tls13)),
        Some(_) => Err(Cause::Client(field, "there are TLS12 and TLS13")),
    }
}

#[cfg(test)]
mod tests;
