//! Certificates for gossip: an authority of each cluster's own, one certificate for all its members, and how both are
//! replaced without two members ever distrusting each other.
//!
//! What changes is published in steps that all members must have seen before the next one: first everybody trusts the
//! new authority as well, then the certificate is issued by it, then the old authority is forgotten. The functions here
//! are pure but for the randomness of keys.

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use sha2::{Digest, Sha256};

/// How long an authority lasts; it is replaced when a third of that is left.
const AUTHORITY_DAYS: i64 = 3650;
/// How long a certificate lasts; it is replaced when a third of that is left.
const CERTIFICATE_DAYS: i64 = 90;

/// Who issues certificates. Members never see its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// As PEM.
    pub certificate: String,
    /// As PEM.
    pub key: String,
    /// When it ends.
    pub not_after: Timestamp,
}

/// What members get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// Certificates of the authorities that members trust, as PEM: the newest first.
    pub trusted: Vec<String>,
    /// As PEM.
    pub certificate: String,
    /// As PEM.
    pub key: String,
    /// When it ends.
    pub not_after: Timestamp,
    /// The mark of the authority that issued it.
    pub issuer: String,
    /// When any of this was last changed.
    pub changed: Timestamp,
}

/// Both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificates {
    /// Who issues.
    pub authority: Authority,
    /// What members get.
    pub issued: Issued,
}

/// A key or certificate could not be made.
#[derive(Debug, thiserror::Error)]
#[error("making a certificate for gossip")]
pub struct CertificateError(#[from] rcgen::Error);

/// Who the certificates are for.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The cluster, as `namespace/name`.
    pub cluster: &'a str,
    /// The DNS name under which members find each other.
    pub host: &'a str,
}

impl Certificates {
    /// What there shall be at `now`, given what there is: at most one step further. `overlap` is how long it takes at
    /// most until all members have what was published.
    ///
    /// # Errors
    /// When a key or certificate can't be made.
    pub fn next(
        subject: Subject<'_>,
        authority: Option<Authority>,
        issued: Option<Issued>,
        now: Timestamp,
        overlap: SignedDuration,
    ) -> Result<Self, CertificateError> {
        let lasting = authority.filter(|authority| !wears_out(now, authority.not_after, AUTHORITY_DAYS));
        let authority = lasting.map_or_else(|| new_authority(subject, now), Ok)?;
        let Some(mut issued) = issued else {
            let issued = issue(subject, &authority, vec![authority.certificate.clone()], now)?;
            return Ok(Self { authority, issued });
        };
        let seen_by_all = now.duration_since(issued.changed) >= overlap;
        if issued.trusted.first() != Some(&authority.certificate) {
            issued.trusted.retain(|certificate| *certificate != authority.certificate);
            issued.trusted.insert(0, authority.certificate.clone());
            issued.changed = now;
        } else if issued.issuer != mark(&authority.certificate) && seen_by_all {
            issued = issue(subject, &authority, issued.trusted, now)?;
        } else if issued.issuer == mark(&authority.certificate) && issued.trusted.len() > 1 && seen_by_all {
            issued.trusted.truncate(1);
            issued.changed = now;
        } else if wears_out(now, issued.not_after, CERTIFICATE_DAYS) && issued.issuer == mark(&authority.certificate) {
            issued = issue(subject, &authority, issued.trusted, now)?;
        }
        Ok(Self { authority, issued })
    }

    /// Stands for what members get.
    pub fn mark(&self) -> String {
        mark(&(self.issued.trusted.concat() + &self.issued.certificate))
    }

    /// Whether an authority is being replaced.
    pub fn rotates(&self) -> bool {
        self.issued.trusted.len() > 1 || self.issued.issuer != mark(&self.authority.certificate)
    }
}

/// Stands for a certificate.
pub fn mark(certificate: &str) -> String {
    Sha256::digest(certificate).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Splits a bundle of PEM certificates.
pub fn split(bundle: &str) -> Vec<String> {
    const END: &str = "-----END CERTIFICATE-----\n";
    bundle.split_inclusive(END).filter(|part| part.ends_with(END)).map(str::to_owned).collect()
}

fn wears_out(now: Timestamp, not_after: Timestamp, days: i64) -> bool {
    not_after.duration_since(now) < SignedDuration::from_hours(days * 24 / 3)
}

fn new_authority(subject: Subject<'_>, now: Timestamp) -> Result<Authority, CertificateError> {
    let key = KeyPair::generate()?;
    let mut params = authority_params(subject)?;
    let not_after = valid(&mut params, now, AUTHORITY_DAYS);
    let certificate = one_newline(&params.self_signed(&key)?.pem());
    Ok(Authority { certificate, key: key.serialize_pem(), not_after })
}

fn issue(
    subject: Subject<'_>,
    authority: &Authority,
    trusted: Vec<String>,
    now: Timestamp,
) -> Result<Issued, CertificateError> {
    let issuer = Issuer::new(authority_params(subject)?, KeyPair::from_pem(&authority.key)?);
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(vec![subject.host.to_owned()])?;
    params.distinguished_name.push(DnType::CommonName, format!("alertmanager {}", subject.cluster));
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    let not_after = valid(&mut params, now, CERTIFICATE_DAYS);
    let certificate = one_newline(&params.signed_by(&key, &issuer)?.pem());
    let issuer = mark(&authority.certificate);
    Ok(Issued { trusted, certificate, key: key.serialize_pem(), not_after, issuer, changed: now })
}

fn authority_params(subject: Subject<'_>) -> Result<CertificateParams, CertificateError> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name.push(DnType::CommonName, format!("gossip of alertmanager {}", subject.cluster));
    Ok(params)
}

/// From the day before, since clocks differ, for so many days. Returns the end.
fn valid(params: &mut CertificateParams, now: Timestamp, days: i64) -> Timestamp {
    let day = |days: i64| now.saturating_add(SignedDuration::from_hours(24 * days)).unwrap_or(now);
    let midnight = |at: Timestamp| {
        let date = at.to_zoned(k8s_openapi::jiff::tz::TimeZone::UTC).date();
        date_time_ymd(date.year().into(), date.month().unsigned_abs(), date.day().unsigned_abs())
    };
    params.not_before = midnight(day(-1));
    params.not_after = midnight(day(days));
    Timestamp::from_second(params.not_after.unix_timestamp()).unwrap_or(now)
}

fn one_newline(pem: &str) -> String {
    format!("{}\n", pem.replace('\r', "").trim_end())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const SUBJECT: Subject<'static> = Subject { cluster: "ops/pager", host: "peers.ops.svc" };
    const OVERLAP: SignedDuration = SignedDuration::from_mins(10);

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + 60 * minutes).unwrap()
    }

    fn next(before: Option<&Certificates>, minutes: i64) -> Certificates {
        let before = before.cloned();
        let (authority, issued) = before.map_or((None, None), |c| (Some(c.authority), Some(c.issued)));
        Certificates::next(SUBJECT, authority, issued, at(minutes), OVERLAP).unwrap()
    }

    #[test]
    fn nothing_changes_until_a_third_is_left() {
        let first = next(None, 0);
        assert!(!first.rotates());
        assert_eq!(split(&first.issued.trusted.concat()), first.issued.trusted);
        assert_eq!(next(Some(&first), 59 * 24 * 60), first);
        let renewed = next(Some(&first), 61 * 24 * 60);
        assert_eq!(renewed.authority, first.authority);
        assert_ne!(renewed.issued.certificate, first.issued.certificate);
        assert_eq!(renewed.issued.trusted, first.issued.trusted);
    }

    #[test]
    fn an_authority_is_replaced_in_steps_that_everybody_follows() {
        let first = next(None, 0);
        // its Secret was deleted
        let both = Certificates::next(SUBJECT, None, Some(first.issued.clone()), at(100), OVERLAP).unwrap();
        assert_ne!(both.authority.certificate, first.authority.certificate);
        assert_eq!(both.issued.trusted, [both.authority.certificate.clone(), first.authority.certificate.clone()]);
        assert_eq!(both.issued.certificate, first.issued.certificate, "nobody would believe another one yet");
        assert_eq!(next(Some(&both), 105), both, "not all have seen it yet");
        let moved = next(Some(&both), 110);
        assert_eq!(moved.issued.issuer, mark(&both.authority.certificate));
        assert_eq!(moved.issued.trusted, both.issued.trusted, "some still show the old one");
        assert_eq!(next(Some(&moved), 115), moved);
        let done = next(Some(&moved), 120);
        assert_eq!(done.issued.trusted, std::slice::from_ref(&both.authority.certificate));
        assert_eq!(done.issued.certificate, moved.issued.certificate);
        assert!(!done.rotates() && moved.rotates() && both.rotates());
        assert_eq!(next(Some(&done), 500), done);
    }

    #[test]
    fn a_lost_certificate_is_issued_again_by_the_same_authority() {
        let first = next(None, 0);
        let again = Certificates::next(SUBJECT, Some(first.authority.clone()), None, at(5), OVERLAP).unwrap();
        assert_eq!(again.authority, first.authority);
        assert_eq!(again.issued.trusted, first.issued.trusted);
    }
}
