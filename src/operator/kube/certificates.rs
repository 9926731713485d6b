//! The Secrets with certificates for gossip: the authority's, which no pod mounts, and the one that members get.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;
use serde_json::json;

use super::{Other, Rendering};
use crate::certificates::{Authority, Certificates, Issued, split};

const NOT_AFTER: &str = "alertmanager.dev/not-after";
const ISSUER: &str = "alertmanager.dev/issuer";
const CHANGED: &str = "alertmanager.dev/changed-at";

/// The names of the files, also in a Secret of cert-manager's.
pub(super) const CERTIFICATE: &str = "tls.crt";
pub(super) const KEY: &str = "tls.key";
pub(super) const TRUSTED: &str = "ca.crt";

/// The kind of a Certificate of cert-manager, which not every API server knows.
const CERTIFICATE_KIND: (&str, &str, &str) = ("cert-manager.io", "v1", "Certificate");

/// What a Secret holds of an authority.
pub fn authority(secret: &Secret) -> Option<Authority> {
    Some(Authority {
        certificate: text(secret, CERTIFICATE)?,
        key: text(secret, KEY)?,
        not_after: time(secret, NOT_AFTER)?,
    })
}

/// What a Secret holds for members.
pub fn issued(secret: &Secret) -> Option<Issued> {
    Some(Issued {
        trusted: split(&text(secret, TRUSTED)?),
        certificate: text(secret, CERTIFICATE)?,
        key: text(secret, KEY)?,
        not_after: time(secret, NOT_AFTER)?,
        issuer: secret.annotations().get(ISSUER)?.clone(),
        changed: time(secret, CHANGED)?,
    })
}

/// Both Secrets: the authority's, and that of the members.
pub(super) fn secrets(cluster: &Rendering<'_>, certificates: &Certificates) -> [Secret; 2] {
    let names = &cluster.plan.names;
    let Certificates { authority, issued } = certificates;
    [
        secret(
            cluster,
            names.authority_secret(),
            &[(NOT_AFTER, authority.not_after.to_string())],
            &[(CERTIFICATE, &authority.certificate), (KEY, &authority.key)],
        ),
        secret(
            cluster,
            names.gossip_secret(),
            &[
                (NOT_AFTER, issued.not_after.to_string()),
                (ISSUER, issued.issuer.clone()),
                (CHANGED, issued.changed.to_string()),
            ],
            &[(TRUSTED, &issued.trusted.concat()), (CERTIFICATE, &issued.certificate), (KEY, &issued.key)],
        ),
    ]
}

/// What cert-manager is asked for, where it shall do it.
pub(super) fn certificate(cluster: &Rendering<'_>) -> Other {
    let secret = cluster.plan.names.gossip_secret();
    let content = cluster.spec.cluster.tls.issuer_ref.as_ref().map(|issuer| {
        json!({ "spec": {
            "secretName": secret,
            "issuerRef": issuer,
            "dnsNames": [cluster.plan.peers_host()],
            "usages": ["server auth", "client auth"],
            "privateKey": {"algorithm": "ECDSA", "rotationPolicy": "Always"},
            "duration": "2160h",
        }})
    });
    cluster.other(CERTIFICATE_KIND, "cert-manager", secret.clone(), |_| {}, content)
}

fn secret(cluster: &Rendering<'_>, name: String, marks: &[(&str, String)], files: &[(&str, &str)]) -> Secret {
    let mut metadata = cluster.metadata(name);
    metadata.annotations = Some(marks.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect());
    let data: BTreeMap<_, _> =
        files.iter().map(|(name, text)| ((*name).to_owned(), ByteString(text.as_bytes().to_vec()))).collect();
    Secret { metadata, type_: Some("Opaque".to_owned()), data: Some(data), ..Secret::default() }
}

fn text(secret: &Secret, key: &str) -> Option<String> {
    String::from_utf8(secret.data.as_ref()?.get(key)?.0.clone()).ok()
}

fn time(secret: &Secret, annotation: &str) -> Option<Timestamp> {
    secret.annotations().get(annotation)?.parse().ok()
}
