//! `tls_server_config`: from its section and the files that it names to what rustls serves with.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, SupportedKxGroup, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{CipherSuite, ServerConfig, SupportedProtocolVersion, version};

use super::client_auth::{ClientAuth, ClientAuthError, ClientVerifier};
use super::file::TlsSection;

/// Why TLS can't be served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    /// Half of a pair.
    #[error("tls_server_config: missing one of {0} or {0}_file")]
    Missing(&'static str),
    /// A file can't be read.
    #[error("tls_server_config.{field}: reading `{path}`")]
    Read {
        /// Which file.
        field: &'static str,
        /// Where it is.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Not PEM, or without what should be in it.
    #[error("tls_server_config.{field}: no PEM {wanted} in it")]
    Pem {
        /// Which field.
        field: &'static str,
        /// What should be there.
        wanted: &'static str,
    },
    /// A word that means nothing.
    #[error("tls_server_config.{field}: unknown value `{value}`")]
    Unknown {
        /// Which field.
        field: &'static str,
        /// What was given.
        value: String,
    },
    /// A word that means something that this program can't do.
    #[error("tls_server_config.{field}: {value} is not supported, because it is not safe or not implemented; {hint}")]
    Unsupported {
        /// Which field.
        field: &'static str,
        /// What was given.
        value: String,
        /// What can be given instead.
        hint: &'static str,
    },
    /// Nothing is left to agree upon.
    #[error("tls_server_config: min_version is above max_version, or no cipher suite is left for them")]
    Nothing,
    /// The certificate and the key can't be used, or not together.
    #[error("tls_server_config: using certificate and key")]
    Pair(#[source] rustls::Error),
    /// Judging clients can't be set up.
    #[error(transparent)]
    ClientAuth(#[from] ClientAuthError),
}

const SUITES: &str = "leave out CBC suites: the GCM and CHACHA20 ones are there";
const CURVES: &str = "there are X25519, CurveP256 and CurveP384";
const VERSIONS: &str = "there are TLS12 and TLS13";

/// Whether the section turns TLS on; it may stand there and say nothing that matters.
pub(super) fn is_on(section: &TlsSection) -> bool {
    let texts = [&section.cert, &section.key, &section.client_ca];
    let files = [&section.cert_file, &section.key_file, &section.client_ca_file];
    let all = texts.into_iter().chain(files).chain([&section.client_auth_type]);
    all.flatten().any(|text| !text.is_empty())
}

/// The files that the section names, with paths relative to `directory` made whole.
pub(crate) fn files(section: &TlsSection, directory: &Path) -> Vec<PathBuf> {
    let files = [&section.cert_file, &section.key_file, &section.client_ca_file];
    files.into_iter().flatten().filter(|file| !file.is_empty()).map(|file| directory.join(file)).collect()
}

/// Reads certificates and keys, and checks all the rest.
///
/// # Errors
/// At the first thing that is wrong.
pub(crate) fn build(section: &TlsSection, directory: &Path, http2: bool) -> Result<ServerConfig, TlsError> {
    let certificate = source("cert_file", &section.cert_file, &section.cert, directory)?;
    let certificate = certificate.ok_or(TlsError::Missing("cert"))?;
    let key = source("key_file", &section.key_file, &section.key, directory)?.ok_or(TlsError::Missing("key"))?;
    let chain = certificates("cert", &certificate)?;
    let key = PrivateKeyDer::from_pem_slice(&key);
    let key = key.map_err(|_| TlsError::Pem { field: "key", wanted: "private key" })?;

    let provider = Arc::new(provider(section)?);
    let versions = versions(section)?;
    let auth = ClientAuth::named(section.client_auth_type.as_deref().unwrap_or_default());
    let auth = auth.ok_or_else(|| TlsError::Unknown {
        field: "client_auth_type",
        value: section.client_auth_type.clone().unwrap_or_default(),
    })?;
    let authorities = source("client_ca_file", &section.client_ca_file, &section.client_ca, directory)?;
    let authorities = authorities.map(|pem| certificates("client_ca", &pem)).transpose()?;
    let verifier = ClientVerifier::new(auth, authorities, section.client_allowed_sans.clone(), &provider)?;

    let builder = ServerConfig::builder_with_provider(provider).with_protocol_versions(&versions);
    let builder = builder.map_err(|_| TlsError::Nothing)?;
    let builder = match verifier {
        Some(verifier) => builder.with_client_cert_verifier(Arc::new(verifier)),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain, key).map_err(TlsError::Pair)?;
    config.ignore_client_order = section.prefer_server_cipher_suites.unwrap_or(true);
    if http2 {
        config.alpn_protocols.push(b"h2".to_vec());
    }
    config.alpn_protocols.push(b"http/1.1".to_vec());
    Ok(config)
}

/// The file's content, else the text: a file wins over a text beside it.
fn source(
    field: &'static str,
    file: &Option<String>,
    text: &Option<String>,
    directory: &Path,
) -> Result<Option<Vec<u8>>, TlsError> {
    if let Some(file) = file.as_ref().filter(|file| !file.is_empty()) {
        let path = directory.join(file);
        let content = std::fs::read(&path);
        return content.map(Some).map_err(|source| TlsError::Read { field, path, source });
    }
    Ok(text.as_ref().filter(|text| !text.is_empty()).map(|text| text.clone().into_bytes()))
}

fn certificates(field: &'static str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    read.ok().filter(|found| !found.is_empty()).ok_or(TlsError::Pem { field, wanted: "certificate" })
}

/// The suites and groups that were asked for. TLS 1.3 has all of its suites, whatever the list says: that is the
/// reference's way.
fn provider(section: &TlsSection) -> Result<CryptoProvider, TlsError> {
    let mut provider = ring::default_provider();
    if let Some(names) = section.cipher_suites.as_ref().filter(|names| !names.is_empty()) {
        let wanted = names.iter().map(|name| cipher_suite(name)).collect::<Result<Vec<_>, _>>()?;
        provider.cipher_suites.retain(|suite| suite.tls13().is_some() || wanted.contains(&suite.suite()));
    }
    if let Some(names) = section.curve_preferences.as_ref().filter(|names| !names.is_empty()) {
        provider.kx_groups = names.iter().map(|name| group(name)).collect::<Result<_, _>>()?;
    }
    Ok(provider)
}

fn cipher_suite(name: &str) -> Result<CipherSuite, TlsError> {
    Ok(match name {
        "TLS_AES_128_GCM_SHA256" => CipherSuite::TLS13_AES_128_GCM_SHA256,
        "TLS_AES_256_GCM_SHA384" => CipherSuite::TLS13_AES_256_GCM_SHA384,
        "TLS_CHACHA20_POLY1305_SHA256" => CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" => CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" => CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" => CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" => CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256" => CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256" => CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"
        | "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"
        | "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"
        | "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA" => {
            return Err(TlsError::Unsupported { field: "cipher_suites", value: name.to_owned(), hint: SUITES });
        }
        _ => return Err(TlsError::Unknown { field: "cipher_suites", value: name.to_owned() }),
    })
}

fn group(name: &str) -> Result<&'static dyn SupportedKxGroup, TlsError> {
    Ok(match name {
        "X25519" => ring::kx_group::X25519,
        "CurveP256" => ring::kx_group::SECP256R1,
        "CurveP384" => ring::kx_group::SECP384R1,
        "CurveP521" => {
            return Err(TlsError::Unsupported { field: "curve_preferences", value: name.to_owned(), hint: CURVES });
        }
        _ => return Err(TlsError::Unknown { field: "curve_preferences", value: name.to_owned() }),
    })
}

fn versions(section: &TlsSection) -> Result<Vec<&'static SupportedProtocolVersion>, TlsError> {
    let number = |field, given: &Option<String>, default| match given.as_deref() {
        None => Ok(default),
        Some("TLS13") => Ok(13),
        Some("TLS12") => Ok(12),
        Some(old @ ("TLS10" | "TLS11")) => Err(TlsError::Unsupported { field, value: old.to_owned(), hint: VERSIONS }),
        Some(other) => Err(TlsError::Unknown { field, value: other.to_owned() }),
    };
    let (min, max) =
        (number("min_version", &section.min_version, 12)?, number("max_version", &section.max_version, 13)?);
    let all = [(12, &version::TLS12), (13, &version::TLS13)];
    Ok(all.into_iter().filter(|(number, _)| (min..=max).contains(number)).map(|(_, version)| version).collect())
}
