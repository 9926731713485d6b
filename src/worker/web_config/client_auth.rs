//! Which clients may connect: the five kinds of `client_auth_type`, and the names that certificates must have.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, RootCertStore, SignatureScheme,
};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// What is asked of clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClientAuth {
    /// Nothing.
    None,
    /// A certificate, but none will do, and any.
    Request,
    /// Any certificate.
    RequireAny,
    /// None, or one that an authority vouches for.
    VerifyIfGiven,
    /// One that an authority vouches for.
    RequireAndVerify,
}

/// Why clients can't be judged as asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientAuthError {
    /// Authorities that nobody asks.
    #[error("tls_server_config: client_ca needs a client_auth_type other than NoClientCert")]
    AuthoritiesUnused,
    /// Names that nobody looks at.
    #[error("tls_server_config: client_allowed_sans needs a client_auth_type other than NoClientCert")]
    NamesUnused,
    /// The authorities can't be used.
    #[error("tls_server_config: trusting the certificates of client_ca")]
    Authorities(#[source] rustls::server::VerifierBuilderError),
}

/// A certificate is good, but not for one of the allowed names.
#[derive(Debug, thiserror::Error)]
#[error("none of the certificate's names is in client_allowed_sans")]
struct NotAllowed;

/// Judges clients.
#[derive(Debug)]
pub(super) struct ClientVerifier {
    auth: ClientAuth,
    /// For the kinds that verify.
    chain: Option<Arc<dyn ClientCertVerifier>>,
    /// As given: a client may be its own authority.
    authorities: Vec<CertificateDer<'static>>,
    allowed_names: Option<Vec<String>>,
    provider: Arc<CryptoProvider>,
}

impl ClientAuth {
    /// By its name in the file; `None` for a name that there isn't.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "" | "NoClientCert" => Self::None,
            "RequestClientCert" => Self::Request,
            "RequireAnyClientCert" | "RequireClientCert" => Self::RequireAny,
            "VerifyClientCertIfGiven" => Self::VerifyIfGiven,
            "RequireAndVerifyClientCert" => Self::RequireAndVerify,
            _ => return None,
        })
    }
}

impl ClientVerifier {
    /// `None` when clients are asked for nothing. Without `authorities` the system's are trusted.
    ///
    /// # Errors
    /// When something is given that would have no effect, or the authorities are unusable.
    pub(super) fn new(
        auth: ClientAuth,
        authorities: Option<Vec<CertificateDer<'static>>>,
        allowed_names: Option<Vec<String>>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Option<Self>, ClientAuthError> {
        if auth == ClientAuth::None {
            return match (authorities, allowed_names) {
                (Some(_), _) => Err(ClientAuthError::AuthoritiesUnused),
                (None, Some(_)) => Err(ClientAuthError::NamesUnused),
                (None, None) => Ok(None),
            };
        }
        let authorities = authorities.unwrap_or_default();
        let chain = match auth {
            ClientAuth::VerifyIfGiven | ClientAuth::RequireAndVerify => Some(chain(&authorities, provider)?),
            _ => None,
        };
        Ok(Some(Self { auth, chain, authorities, allowed_names, provider: Arc::clone(provider) }))
    }

    /// A certificate that is in the list of authorities itself is trusted, whatever it is made for.
    fn is_authority(&self, certificate: &CertificateDer<'_>, now: UnixTime) -> bool {
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        self.authorities.iter().any(|authority| authority == certificate)
            && X509Certificate::from_der(certificate).is_ok_and(|(_, parsed)| {
                let validity = parsed.validity();
                (validity.not_before.timestamp()..=validity.not_after.timestamp()).contains(&now)
            })
    }
}

fn chain(
    authorities: &[CertificateDer<'static>],
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, ClientAuthError> {
    let mut roots = RootCertStore::empty();
    if authorities.is_empty() {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    } else {
        roots.add_parsable_certificates(authorities.iter().cloned());
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    verifier.build().map_err(ClientAuthError::Authorities)
}

impl ClientCertVerifier for ClientVerifier {
    /// Names that must be there need a certificate to be in.
    fn client_auth_mandatory(&self) -> bool {
        matches!(self.auth, ClientAuth::RequireAny | ClientAuth::RequireAndVerify) || self.allowed_names.is_some()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chain.as_ref().map_or(&[], |chain| chain.root_hint_subjects())
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if let Some(chain) = &self.chain {
            match chain.verify_client_cert(end_entity, intermediates, now) {
                Ok(_) => {}
                Err(_) if self.is_authority(end_entity, now) => {}
                Err(error) => return Err(error),
            }
        }
        if let Some(allowed) = &self.allowed_names {
            let names = names(end_entity).ok_or(Error::InvalidCertificate(CertificateError::BadEncoding))?;
            if !names.iter().any(|name| allowed.contains(name)) {
                let reason = CertificateError::Other(OtherError(Arc::new(NotAllowed)));
                return Err(Error::InvalidCertificate(reason));
            }
        }
        Ok(ClientCertVerified::assertion())
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

/// The subject alternative names: hosts, mail addresses, IP addresses, URIs. `None` when it is no certificate.
fn names(certificate: &CertificateDer<'_>) -> Option<Vec<String>> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    let Some(extension) = parsed.subject_alternative_name().ok()? else { return Some(Vec::new()) };
    let names = extension.value.general_names.iter().filter_map(|name| match name {
        GeneralName::DNSName(text) | GeneralName::RFC822Name(text) | GeneralName::URI(text) => Some((*text).to_owned()),
        GeneralName::IPAddress(bytes) => match <[u8; 4]>::try_from(*bytes) {
            Ok(four) => Some(Ipv4Addr::from(four).to_string()),
            Err(_) => <[u8; 16]>::try_from(*bytes).ok().map(|bytes| Ipv6Addr::from(bytes).to_string()),
        },
        _ => None,
    });
    Some(names.collect())
}
