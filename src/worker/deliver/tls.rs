//! Trust towards receivers: the system's certificates, or the config's, or none.

use std::fmt;
use std::sync::{Arc, OnceLock};

use alerting::config::{TlsConfig, TlsVersion};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, InvalidDnsNameError, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::version::{TLS12, TLS13};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    SupportedProtocolVersion,
};

use super::material::{ClientMaterial, Material};

/// Why TLS can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificates to trust are not PEM, or none.
    #[error("reading the certificates to trust: no usable PEM certificate")]
    NoCertificate,
    /// The name to expect isn't one.
    #[error("server name to expect")]
    ServerName(#[source] InvalidDnsNameError),
    /// The provider can't do any version.
    #[error("choosing protocol versions")]
    Versions(#[source] Error),
    /// Nothing is left of what this program speaks.
    #[error("choosing protocol versions: none of TLS 1.2 and 1.3 is within min_version and max_version")]
    NoVersion,
    /// The client's certificate is not PEM.
    #[error("reading the client certificate: no usable PEM certificate")]
    ClientCertificate,
    /// The client's key is not PEM. The cause would show parts of it.
    #[error("reading the key of the client certificate: no usable PEM private key")]
    ClientKey,
    /// Certificate and key can't be used.
    #[error("using the client certificate")]
    Client(#[source] Error),
    /// The certificates to trust can't be used.
    #[error("trusting the given certificates")]
    Verifier(#[source] rustls::server::VerifierBuilderError),
}

/// Whom to trust.
enum Trust {
    /// Whom the system trusts; looked at when the first certificate has to be judged, so that plain HTTP costs nothing
    /// and works where there's no certificate file at all.
    System,
    /// Only who is vouched for by these, or is one of them.
    Given { verifier: Arc<WebPkiServerVerifier>, certificates: Vec<CertificateDer<'static>> },
    /// Anybody.
    Anybody,
}

/// Judges certificates of receivers.
#[derive(Debug)]
struct Verifier {
    trust: Trust,
    /// To expect instead of the URL's host.
    name: Option<ServerName<'static>>,
    /// As good as the name that was asked for.
    also: Vec<ServerName<'static>>,
    provider: Arc<CryptoProvider>,
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "System",
            Self::Given { .. } => "Given",
            Self::Anybody => "Anybody",
        })
    }
}

/// The client side of TLS for `tls`, whose certificates and key are `material`.
///
/// # Errors
/// When the certificates or the name make no sense.
pub(crate) fn config(tls: &TlsConfig, material: &Material, http2: bool) -> Result<ClientConfig, TlsError> {
    config_for(tls, material, http2, &[])
}

/// The same for servers that may prove to be one of `also` instead of the one that was asked for.
///
/// # Errors
/// When the certificates or the name make no sense.
pub(crate) fn config_for(
    tls: &TlsConfig,
    material: &Material,
    http2: bool,
    also: &[ServerName<'static>],
) -> Result<ClientConfig, TlsError> {
    let provider = provider();
    let trust = match &material.ca {
        _ if tls.insecure_skip_verify => Trust::Anybody,
        Some(pem) => given(pem, &provider)?,
        None => Trust::System,
    };
    let name = tls.server_name.as_ref().map(|name| ServerName::try_from(name.clone()));
    let name = name.transpose().map_err(TlsError::ServerName)?;
    let also = if name.is_some() { Vec::new() } else { also.to_vec() };
    let verifier = Verifier { trust, name, also, provider: Arc::clone(&provider) };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions(tls)?)
        .map_err(TlsError::Versions)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match &material.client {
        Some(own) => {
            let (chain, key) = proof(own)?;
            builder.with_client_auth_cert(chain, key).map_err(TlsError::Client)?
        }
        None => builder.with_no_client_auth(),
    };
    if http2 {
        config.alpn_protocols.push(b"h2".to_vec());
    }
    config.alpn_protocols.push(b"http/1.1".to_vec());
    Ok(config)
}

/// Those of this program's that the settings allow.
fn versions(tls: &TlsConfig) -> Result<Vec<&'static SupportedProtocolVersion>, TlsError> {
    let own = [(TlsVersion::Tls12, &TLS12), (TlsVersion::Tls13, &TLS13)];
    let allowed =
        |version| tls.min_version.is_none_or(|min| min <= version) && tls.max_version.is_none_or(|max| version <= max);
    let versions: Vec<_> = own.into_iter().filter(|(version, _)| allowed(*version)).map(|(_, own)| own).collect();
    if versions.is_empty() { Err(TlsError::NoVersion) } else { Ok(versions) }
}

fn proof(own: &ClientMaterial) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
    let chain = CertificateDer::pem_slice_iter(&own.certificate).collect::<Result<Vec<_>, _>>();
    let chain = chain.ok().filter(|chain| !chain.is_empty()).ok_or(TlsError::ClientCertificate)?;
    let key = PrivateKeyDer::from_pem_slice(&own.key).map_err(|_| TlsError::ClientKey)?;
    Ok((chain, key))
}

fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| Arc::new(ring::default_provider())))
}

fn given(pem: &[u8], provider: &Arc<CryptoProvider>) -> Result<Trust, TlsError> {
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    let certificates = certificates.map_err(|_| TlsError::NoCertificate)?;
    let (added, _) = roots.add_parsable_certificates(certificates.iter().cloned());
    if added == 0 {
        return Err(TlsError::NoCertificate);
    }
    let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    let verifier = builder.build().map_err(TlsError::Verifier)?;
    Ok(Trust::Given { verifier, certificates })
}

/// Whether a certificate that is trusted by itself is good for this name now. Webpki refuses it if it could also vouch
/// for others, as what `openssl req -x509` makes; Go takes it.
fn is_itself(certificate: &CertificateDer<'_>, name: &ServerName<'_>, now: UnixTime) -> Result<(), Error> {
    verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).map_err(|_| CertificateError::BadEncoding)?;
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    match parsed.validity() {
        validity if now < validity.not_before.timestamp() => Err(CertificateError::NotValidYet.into()),
        validity if now > validity.not_after.timestamp() => Err(CertificateError::Expired.into()),
        _ => Ok(()),
    }
}

/// Read once: all clients share it.
fn system(provider: &Arc<CryptoProvider>) -> Option<&'static Arc<WebPkiServerVerifier>> {
    static SYSTEM: OnceLock<Option<Arc<WebPkiServerVerifier>>> = OnceLock::new();
    let load = || {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        // an empty store can't be built: then nobody is trusted
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build().ok()
    };
    SYSTEM.get_or_init(load).as_ref()
}

impl Verifier {
    fn verify_as(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verifier = match &self.trust {
            Trust::Anybody => return Ok(ServerCertVerified::assertion()),
            Trust::Given { certificates, .. } if certificates.contains(end_entity) => {
                return is_itself(end_entity, name, now).map(|()| ServerCertVerified::assertion());
            }
            Trust::Given { verifier, .. } => verifier,
            Trust::System => {
                system(&self.provider).ok_or(Error::InvalidCertificate(CertificateError::UnknownIssuer))?
            }
        };
        verifier.verify_server_cert(end_entity, intermediates, name, ocsp_response, now)
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let name = self.name.as_ref().unwrap_or(server_name);
        let first = self.verify_as(end_entity, intermediates, name, ocsp_response, now);
        let mut others = self.also.iter();
        first.or_else(|error| {
            let verify = |name| self.verify_as(end_entity, intermediates, name, ocsp_response, now).ok();
            others.find_map(verify).ok_or(error)
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    use tokio::net::{TcpListener, TcpStream};
    use tokio_rustls::{TlsAcceptor, TlsConnector};

    use super::*;

    struct Server {
        ca: String,
        acceptor: TlsAcceptor,
    }

    /// A server that shows a certificate for `receiver.example`.
    fn server() -> Server {
        let ca_key = KeyPair::generate().unwrap();
        let mut ca = CertificateParams::new(Vec::new()).unwrap();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca_pem = ca.self_signed(&ca_key).unwrap().pem();
        let key = KeyPair::generate().unwrap();
        let issuer = Issuer::new(ca, ca_key);
        let leaf = CertificateParams::new(vec!["receiver.example".into()]).unwrap().signed_by(&key, &issuer).unwrap();
        let config = rustls::ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap());
        Server { ca: ca_pem, acceptor: TlsAcceptor::from(Arc::new(config.unwrap())) }
    }

    fn trusting(ca: Option<&str>) -> Material {
        Material { ca: ca.map(Into::into), client: None }
    }

    async fn connects(server: &Server, tls: &TlsConfig, ca: Option<&str>, name: &'static str) -> bool {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let accepting = async { server.acceptor.accept(listener.accept().await.unwrap().0).await.map(drop) };
        let client = Arc::new(config(tls, &trusting(ca), true).unwrap());
        let connecting = async {
            let stream = TcpStream::connect(address).await.unwrap();
            TlsConnector::from(client).connect(ServerName::try_from(name).unwrap(), stream).await.map(drop)
        };
        tokio::join!(accepting, connecting).1.is_ok()
    }

    #[test]
    fn a_certificate_that_is_trusted_itself_must_be_of_the_name_and_the_time() {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["receiver.example".into()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_before = rcgen::date_time_ymd(2026, 1, 1);
        params.not_after = rcgen::date_time_ymd(2027, 1, 1);
        let certificate = params.self_signed(&key).unwrap();
        let Ok(trust) = given(certificate.pem().as_bytes(), &provider()) else { panic!("it can be used") };
        let verifier = Verifier { trust, name: None, also: Vec::new(), provider: provider() };
        let accepts = |der: &CertificateDer<'_>, name: &'static str, secs| {
            let (name, now) =
                (ServerName::try_from(name).unwrap(), UnixTime::since_unix_epoch(Duration::from_secs(secs)));
            verifier.verify_server_cert(der, &[], &name, &[], now).is_ok()
        };
        let (before, within, after) = (1_700_000_000, 1_780_000_000, 1_900_000_000);
        assert!(accepts(certificate.der(), "receiver.example", within));
        for (name, now) in [("other.example", within), ("receiver.example", before), ("receiver.example", after)] {
            assert!(!accepts(certificate.der(), name, now), "{name} {now}");
        }
        let other = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        assert!(!accepts(other.der(), "receiver.example", within));
    }

    #[tokio::test]
    async fn only_who_is_vouched_for_by_the_right_name_is_trusted() {
        let (server, stranger) = (server(), server());
        let (own, other) = (Some(server.ca.as_str()), Some(stranger.ca.as_str()));
        let plain = TlsConfig::default();
        let named = TlsConfig { server_name: Some("receiver.example".into()), ..TlsConfig::default() };
        let misnamed = TlsConfig { server_name: Some("elsewhere.example".into()), ..TlsConfig::default() };
        let blind = TlsConfig { insecure_skip_verify: true, ..TlsConfig::default() };
        let table = [
            (&plain, own, "receiver.example", true),
            (&plain, own, "elsewhere.example", false),
            (&plain, other, "receiver.example", false),
            (&plain, None, "receiver.example", false),
            (&named, own, "elsewhere.example", true),
            (&misnamed, own, "receiver.example", false),
            (&named, other, "elsewhere.example", false),
            (&blind, None, "elsewhere.example", true),
        ];
        for (tls, ca, name, wanted) in table {
            assert_eq!(connects(&server, tls, ca, name).await, wanted, "{tls:?} {name}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(matches!(config(&TlsConfig::default(), &trusting(Some("x")), true), Err(TlsError::NoCertificate)));
        let tls = TlsConfig { server_name: Some("not a name".into()), ..TlsConfig::default() };
        assert!(matches!(config(&tls, &Material::default(), true), Err(TlsError::ServerName(_))));
        let own = |certificate: &str, key: &str| {
            let client = ClientMaterial { certificate: certificate.into(), key: key.into() };
            config(&TlsConfig::default(), &Material { ca: None, client: Some(client) }, true)
        };
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap().pem();
        let other = KeyPair::generate().unwrap().serialize_pem();
        assert!(matches!(own("", &key.serialize_pem()), Err(TlsError::ClientCertificate)));
        assert!(matches!(own(&certificate, &certificate), Err(TlsError::ClientKey)));
        assert!(matches!(own(&certificate, &other), Err(TlsError::Client(_))));
        assert!(own(&certificate, &key.serialize_pem()).is_ok());
    }

    #[test]
    fn versions_are_those_between_the_bounds() {
        use TlsVersion::{Tls10, Tls11, Tls12, Tls13};
        let table = [
            (None, None, 2),
            (Some(Tls12), None, 2),
            (Some(Tls13), None, 1),
            (None, Some(Tls12), 1),
            (Some(Tls12), Some(Tls13), 2),
            (None, Some(Tls11), 0),
            (Some(Tls10), Some(Tls12), 1),
            (Some(Tls13), Some(Tls12), 0),
        ];
        for (min_version, max_version, count) in table {
            let tls = TlsConfig { min_version, max_version, ..TlsConfig::default() };
            assert_eq!(versions(&tls).map_or(0, |versions| versions.len()), count, "{min_version:?} {max_version:?}");
        }
    }
}
