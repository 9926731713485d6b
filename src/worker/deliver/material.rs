//! Certificates and keys of a `tls_config`, as config or files have them at this moment.

use std::fmt;
use std::path::{Path, PathBuf};

use alerting::config::{SecretSource, TlsConfig};

/// What a `tls_config` refers to, PEM and not yet looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Material {
    /// Whom to trust; `None`: whom the system trusts.
    pub(crate) ca: Option<Vec<u8>>,
    /// Own certificate.
    pub(crate) client: Option<ClientMaterial>,
}

/// With what this client proves itself.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ClientMaterial {
    /// The certificate and what vouches for it.
    pub(crate) certificate: Vec<u8>,
    /// Its private key.
    pub(crate) key: Vec<u8>,
}

/// Why it can't be had.
#[derive(Debug, thiserror::Error)]
#[error("reading {what} from `{path}`")]
pub struct MaterialError {
    what: &'static str,
    path: PathBuf,
    #[source]
    source: std::io::Error,
}

impl fmt::Debug for ClientMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientMaterial")
    }
}

impl Material {
    /// Reads all files anew, so that a renewed one is noticed; relative paths count from `base`.
    ///
    /// # Errors
    /// When a file can't be read.
    pub(crate) async fn read(tls: &TlsConfig, base: &Path) -> Result<Self, MaterialError> {
        let ca = match (&tls.ca, &tls.ca_file) {
            (Some(pem), _) => Some(pem.clone().into_bytes()),
            (None, Some(path)) => Some(file("certificates to trust", base.join(path)).await?),
            (None, None) => None,
        };
        let client = match &tls.client {
            Some(own) => Some(ClientMaterial {
                certificate: source("a client certificate", &own.certificate, base).await?,
                key: source("the key of a client certificate", &own.key, base).await?,
            }),
            None => None,
        };
        Ok(Self { ca, client })
    }
}

async fn source(what: &'static str, source: &SecretSource, base: &Path) -> Result<Vec<u8>, MaterialError> {
    match source {
        SecretSource::Inline(pem) => Ok(pem.expose().as_bytes().to_vec()),
        SecretSource::File(path) => file(what, base.join(path)).await,
    }
}

async fn file(what: &'static str, path: PathBuf) -> Result<Vec<u8>, MaterialError> {
    tokio::fs::read(&path).await.map_err(|source| MaterialError { what, path, source })
}
