//! Client certificates, to a server that asks for one.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use alerting::config::{ClientCertificate, HttpConfig, ProxyConfig, Secret, SecretSource, TlsConfig};
use alerting::notify::{Request, Response, TransportError};
use bytes::Bytes;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::Deliverer;

const LIMIT: Duration = Duration::from_secs(20);

struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// Certificate and key, PEM.
    fn issue(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }
}

/// Says 200 to whoever shows a certificate of `authority`; each connection serves one request.
async fn server(authority: &Authority) -> (u16, tokio::task::JoinHandle<()>) {
    let (certificate, key) = authority.issue("localhost");
    let provider = Arc::new(ring::default_provider());
    let mut roots = RootCertStore::empty();
    let pem = rustls::pki_types::pem::PemObject::from_pem_slice(authority.pem.as_bytes());
    roots.add(pem.unwrap()).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build().unwrap();
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap());
    let acceptor = TlsAcceptor::from(Arc::new(config.unwrap()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n{}") {
                let Ok(byte) = stream.read_u8().await else { break };
                head.push(byte);
            }
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            let _gone = stream.write_all(answer).await;
            let _gone = stream.shutdown().await;
        }
    });
    (port, task)
}

fn files(directory: &Path, (certificate, key): &(rcgen::Certificate, KeyPair)) {
    std::fs::write(directory.join("own.pem"), certificate.pem()).unwrap();
    std::fs::write(directory.join("own.key"), key.serialize_pem()).unwrap();
}

async fn tell(deliverer: &Deliverer, port: u16, tls: TlsConfig) -> Result<Response, TransportError> {
    tell_through(deliverer, port, tls, ProxyConfig::default()).await
}

async fn tell_through(
    deliverer: &Deliverer,
    port: u16,
    tls: TlsConfig,
    proxy: ProxyConfig,
) -> Result<Response, TransportError> {
    let request = Request {
        method: "POST",
        url: Secret::new(format!("https://localhost:{port}/hook")),
        headers: Vec::new(),
        secret_headers: Vec::new(),
        body: Bytes::from_static(b"{}"),
        http: Arc::new(HttpConfig { tls, proxy, enable_http2: false, ..HttpConfig::default() }),
        sign: None,
        integration: "team/webhook[0]".into(),
        reply_max: 0,
    };
    deliverer.deliver(&request, LIMIT).await
}

#[tokio::test]
async fn a_client_shows_its_certificate_and_a_renewed_one_at_once() {
    let (known, stranger) = (Authority::new(), Authority::new());
    let (port, task) = server(&known).await;
    let directory = tempfile::tempdir().unwrap();
    let deliverer = Deliverer::new(directory.path().to_owned(), None);
    let ca = Some(known.pem.clone());
    let anonymous = TlsConfig { ca: ca.clone(), ..TlsConfig::default() };
    assert!(tell(&deliverer, port, anonymous).await.is_err());

    let own = ClientCertificate {
        certificate: SecretSource::File("own.pem".into()),
        key: SecretSource::File("own.key".into()),
    };
    let tls = TlsConfig { ca: ca.clone(), client: Some(own), ..TlsConfig::default() };
    let missing = tell(&deliverer, port, tls.clone()).await.unwrap_err();
    assert!(missing.message.contains("reading a client certificate from `"), "{missing:?}");
    files(directory.path(), &stranger.issue("client"));
    assert!(tell(&deliverer, port, tls.clone()).await.is_err());
    files(directory.path(), &known.issue("client"));
    assert_eq!(tell(&deliverer, port, tls.clone()).await.unwrap().status, 200);

    let (certificate, key) = known.issue("client");
    let inline = ClientCertificate {
        certificate: SecretSource::Inline(Secret::new(certificate.pem())),
        key: SecretSource::Inline(Secret::new(key.serialize_pem())),
    };
    let tls = TlsConfig { ca, client: Some(inline), ..TlsConfig::default() };
    assert_eq!(tell(&deliverer, port, tls).await.unwrap().status, 200);

    // a key that is none is said without its content
    std::fs::write(directory.path().join("own.key"), "s3cr3t").unwrap();
    let own = ClientCertificate {
        certificate: SecretSource::File("own.pem".into()),
        key: SecretSource::File("own.key".into()),
    };
    let wrong = tell(&deliverer, port, TlsConfig { client: Some(own), ..TlsConfig::default() }).await.unwrap_err();
    assert!(wrong.message.contains("no usable PEM private key") && !wrong.message.contains("s3cr3t"), "{wrong:?}");
    task.abort();
}

/// Opens tunnels to wherever it's asked; the first lines of what it was asked.
async fn proxy() -> (u16, Arc<std::sync::Mutex<Vec<String>>>, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Arc::<std::sync::Mutex<Vec<String>>>::default();
    let heads = Arc::clone(&seen);
    let task = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            let head = String::from_utf8(head).unwrap();
            let to = head.split(' ').nth(1).unwrap().to_owned();
            heads.lock().unwrap().push(head);
            let mut server = TcpStream::connect(to).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut stream, &mut server).await });
        }
    });
    (port, seen, task)
}

#[tokio::test]
async fn a_tunnel_through_a_proxy_ends_at_the_server() {
    let authority = Authority::new();
    let (port, server) = server(&authority).await;
    let (proxy_port, seen, proxy) = proxy().await;
    let (certificate, key) = authority.issue("client");
    let inline = ClientCertificate {
        certificate: SecretSource::Inline(Secret::new(certificate.pem())),
        key: SecretSource::Inline(Secret::new(key.serialize_pem())),
    };
    let tls = TlsConfig { ca: Some(authority.pem.clone()), client: Some(inline), ..TlsConfig::default() };
    let through = ProxyConfig {
        url: Some(Secret::new(format!("http://user:pw@127.0.0.1:{proxy_port}"))),
        connect_header: [("X-Team".into(), vec![Secret::new("sre")])].into(),
        ..ProxyConfig::default()
    };
    let deliverer = Deliverer::new(std::path::PathBuf::new(), None);
    assert_eq!(tell_through(&deliverer, port, tls, through).await.unwrap().status, 200);
    let heads = seen.lock().unwrap().join("").to_lowercase();
    for part in
        [&*format!("connect localhost:{port} "), "x-team: sre\r\n", "proxy-authorization: basic dxnlcjpwdw==\r\n"]
    {
        assert!(heads.contains(part), "{part}: {heads}");
    }
    server.abort();
    proxy.abort();
}
