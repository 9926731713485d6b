//! The file with its certificates: what is refused, who may connect, what happens when files change.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::*;

/// An authority.
pub(crate) struct Authority {
    pub(crate) pem: String,
    der: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key, as PEM and as rustls has them.
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
    der: (CertificateDer<'static>, PrivateKeyDer<'static>),
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        Self { pem: certificate.pem(), der: certificate.der().clone(), issuer: Issuer::new(params, key) }
    }

    pub(crate) fn issue(&self, name: &str) -> Pair {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.subject_alt_names.push(SanType::IpAddress("127.0.0.1".parse().unwrap()));
        params.subject_alt_names.push(SanType::URI("spiffe://a/b".try_into().unwrap()));
        Pair::new(params.signed_by(&key, &self.issuer).unwrap(), &key)
    }

    /// What a client trusts, and shows.
    pub(crate) fn client(&self, shown: Option<&Pair>) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let builder = builder.with_root_certificates(roots);
        match shown {
            None => builder.with_no_client_auth(),
            Some(pair) => builder.with_client_auth_cert(vec![pair.der.0.clone()], pair.der.1.clone_key()).unwrap(),
        }
    }
}

impl Pair {
    fn new(certificate: rcgen::Certificate, key: &KeyPair) -> Self {
        let der = (certificate.der().clone(), PrivateKeyDer::try_from(key.serialize_der()).unwrap());
        Self { certificate: certificate.pem(), key: key.serialize_pem(), der }
    }

    /// One that vouches for itself.
    fn lonely() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["lonely".into()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self::new(params.self_signed(&key).unwrap(), &key)
    }
}

/// A directory with `server.crt`, `server.key` and `ca.crt`, and the authority.
pub(crate) fn directory() -> (TempDir, Authority) {
    let (directory, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let server = authority.issue("localhost");
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
    write("server.crt", &server.certificate);
    write("server.key", &server.key);
    write("ca.crt", &authority.pem);
    (directory, authority)
}

fn open(directory: &Path, text: &str) -> Result<WebConfig, WebConfigError> {
    std::fs::write(directory.join("web.yml"), text).unwrap();
    WebConfig::open(&directory.join("web.yml"))
}

/// Whether the server takes the client.
async fn takes(config: &Loaded, client: ClientConfig) -> bool {
    let (near, far) = tokio::io::duplex(1 << 16);
    let accepting = TlsAcceptor::from(Arc::clone(config.tls().unwrap())).accept(far);
    let name = ServerName::try_from("localhost").unwrap();
    let connecting = TlsConnector::from(Arc::new(client)).connect(name, near);
    let (accepted, connected) = tokio::join!(accepting, connecting);
    // in TLS 1.3 only the server knows at once
    accepted.is_ok() && connected.is_ok()
}

#[test]
fn mistakes_are_refused_with_their_place() {
    let (directory, _) = directory();
    let pair = "cert_file: server.crt, key_file: server.key";
    let table = [
        ("tls_server_config: {cert_file: server.crt}".to_owned(), "missing one of key or key_file"),
        ("tls_server_config: {key_file: server.key}".to_owned(), "missing one of cert or cert_file"),
        ("tls_server_config: {client_auth_type: NoClientCert}".to_owned(), "missing one of cert or cert_file"),
        ("tls_server_config: {cert_file: no, key_file: server.key}".to_owned(), "cert_file: reading `"),
        ("tls_server_config: {cert_file: server.key, key_file: server.key}".to_owned(), "cert: no PEM certificate"),
        ("tls_server_config: {cert_file: server.crt, key_file: server.crt}".to_owned(), "key: no PEM private key"),
        (format!("tls_server_config: {{{pair}, client_auth_type: Maybe}}"), "client_auth_type: unknown value `Maybe`"),
        (format!("tls_server_config: {{{pair}, client_ca_file: ca.crt}}"), "client_ca needs a client_auth_type"),
        (format!("tls_server_config: {{{pair}, client_allowed_sans: [a]}}"), "client_allowed_sans needs a"),
        (format!("tls_server_config: {{{pair}, min_version: TLS11}}"), "min_version: TLS11 is not supported"),
        (format!("tls_server_config: {{{pair}, max_version: SSL3}}"), "max_version: unknown value `SSL3`"),
        (format!("tls_server_config: {{{pair}, min_version: TLS13, max_version: TLS12}}"), "min_version is above"),
        (format!("tls_server_config: {{{pair}, curve_preferences: [CurveP521]}}"), "CurveP521 is not supported"),
        (format!("tls_server_config: {{{pair}, curve_preferences: [Curve25519]}}"), "unknown value `Curve25519`"),
        (format!("tls_server_config: {{{pair}, cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]}}"), "unknown value"),
        (
            format!("tls_server_config: {{{pair}, cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA]}}"),
            "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA is not supported",
        ),
        ("nonsense: 1".to_owned(), "nonsense"),
    ];
    for (text, part) in table {
        let error = crate::log::chain(&open(directory.path(), &text).unwrap_err());
        assert!(error.starts_with("reading web config file `") && error.contains(part), "{text}: {error}");
    }
    assert!(WebConfig::open(Path::new("/no/such/web.yml")).is_err());
    assert!(open(directory.path(), "tls_server_config: {min_version: TLS13}").unwrap().lock().loaded.tls.is_none());
}

#[tokio::test]
async fn clients_are_judged_as_their_kind_says() {
    let (directory, authority) = directory();
    let (known, lonely, stranger) = (authority.issue("client"), Pair::lonely(), Authority::new().issue("client"));
    std::fs::write(directory.path().join("both.crt"), format!("{}{}", authority.pem, lonely.certificate)).unwrap();
    // none, one that is vouched for, one that is listed itself, one that nobody knows
    let shown = [None, Some(&known), Some(&lonely), Some(&stranger)];
    let table = [
        ("NoClientCert", "", [true, true, true, true]),
        ("RequestClientCert", "", [true, true, true, true]),
        ("RequireAnyClientCert", "", [false, true, true, true]),
        ("RequireClientCert", "", [false, true, true, true]),
        ("VerifyClientCertIfGiven", "client_ca_file: both.crt", [true, true, true, false]),
        ("RequireAndVerifyClientCert", "client_ca_file: both.crt", [false, true, true, false]),
        ("RequireAndVerifyClientCert", "client_ca_file: ca.crt", [false, true, false, false]),
        ("RequireAnyClientCert", "client_allowed_sans: [lonely]", [false, false, true, false]),
        ("RequestClientCert", "client_allowed_sans: [client]", [false, true, false, true]),
        ("RequestClientCert", "client_allowed_sans: [127.0.0.1]", [false, true, false, true]),
        ("RequestClientCert", "client_allowed_sans: ['spiffe://a/b']", [false, true, false, true]),
        ("RequestClientCert", "client_allowed_sans: []", [false, false, false, false]),
    ];
    for (kind, more, expected) in table {
        let text = format!(
            "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_auth_type: {kind}\n  {more}\n"
        );
        let config = open(directory.path(), &text).unwrap().current().await;
        for (shown, expected) in shown.into_iter().zip(expected) {
            assert_eq!(takes(&config, authority.client(shown)).await, expected, "{kind} {more}");
        }
    }
}

#[tokio::test]
async fn versions_and_suites_are_the_ones_asked_for() {
    let (directory, authority) = directory();
    let negotiated = async |more: &str, versions: &[&'static rustls::SupportedProtocolVersion]| {
        let text = format!("tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  {more}\n");
        let config = open(directory.path(), &text).unwrap().current().await;
        let mut roots = RootCertStore::empty();
        roots.add(authority.der.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
        takes(&config, builder.with_root_certificates(roots).with_no_client_auth()).await
    };
    let (old, new) = ([&rustls::version::TLS12], [&rustls::version::TLS13]);
    assert!(negotiated("", &old).await && negotiated("", &new).await);
    assert!(!negotiated("min_version: TLS13", &old).await && negotiated("min_version: TLS13", &new).await);
    assert!(negotiated("max_version: TLS12", &old).await && !negotiated("max_version: TLS12", &new).await);
    // the certificate's key is an ECDSA one
    let (rsa, ecdsa) = ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
    assert!(!negotiated(&format!("cipher_suites: [{rsa}]"), &old).await);
    assert!(negotiated(&format!("cipher_suites: [{ecdsa}]"), &old).await);
    assert!(negotiated(&format!("cipher_suites: [{rsa}]"), &new).await);
    assert!(negotiated("curve_preferences: [CurveP384]", &new).await);
}

#[tokio::test]
async fn changed_files_count_at_once_and_bad_ones_change_nothing() {
    let (directory, authority) = directory();
    let text = "tls_server_config: {cert_file: server.crt, key_file: server.key}\n";
    let config = open(directory.path(), text).unwrap();
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
    let first = config.current().await;
    assert!(Arc::ptr_eq(&first, &config.current().await));

    write("web.yml", &format!("{text}http_server_config: {{headers: {{X-Frame-Options: deny}}}}\n"));
    assert_eq!(config.current().await.headers.len(), 1);
    write("web.yml", "nonsense: 1\n");
    assert_eq!(config.current().await.headers.len(), 1);
    // TLS neither goes nor comes
    write("web.yml", "{}\n");
    assert!(config.current().await.tls().is_some());
    write("web.yml", text);
    assert_eq!(config.current().await.headers.len(), 0);

    // half of a new pair is none
    let other = Authority::new();
    let pair = other.issue("localhost");
    write("server.crt", &pair.certificate);
    assert!(takes(&*config.current().await, authority.client(None)).await);
    write("server.key", &pair.key);
    assert!(!takes(&*config.current().await, authority.client(None)).await);
    assert!(takes(&*config.current().await, other.client(None)).await);
}
