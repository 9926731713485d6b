//! The generated Secrets: the configuration that the members run, and who gets through to them.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;

use super::Rendering;
use crate::plan::{
    ANNOTATION_CONFIG_HASH, ANNOTATION_MOUNTED_DIGEST, ANNOTATION_SOURCES, WEB_FILE, WEB_TOKEN_FILE, files,
};
use crate::validate::ValidConfig;

/// The file about TLS and users of the API, where there is one.
pub(super) fn web(cluster: &Rendering<'_>) -> Option<Secret> {
    let text = cluster.web_file?;
    Some(Secret {
        metadata: cluster.metadata(cluster.plan.names.web_secret()),
        type_: Some("Opaque".to_owned()),
        data: Some(BTreeMap::from([
            (WEB_FILE.to_owned(), ByteString(text.as_bytes().to_vec())),
            (WEB_TOKEN_FILE.to_owned(), ByteString(cluster.web_token.as_bytes().to_vec())),
        ])),
        ..Secret::default()
    })
}

pub(super) fn render(cluster: &Rendering<'_>, config: &ValidConfig) -> Secret {
    let mut metadata = cluster.metadata(cluster.plan.names.config_secret());
    let mut annotations = BTreeMap::from([
        (ANNOTATION_CONFIG_HASH.to_owned(), config.hash.clone()),
        (ANNOTATION_SOURCES.to_owned(), cluster.sources.to_owned()),
    ]);
    annotations.extend(config.mounted.iter().map(|digest| (ANNOTATION_MOUNTED_DIGEST.to_owned(), digest.clone())));
    metadata.annotations = Some(annotations);
    Secret {
        metadata,
        type_: Some("Opaque".to_owned()),
        data: Some(files(config).into_iter().map(|file| (file.name, ByteString(file.content.into_bytes()))).collect()),
        ..Secret::default()
    }
}
