//! The generated Secrets: the configuration that the members run, and who gets through to them.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;

use super::Rendering;
use crate::plan::{ANNOTATION_CONFIG_HASH, ANNOTATION_SOURCES, WEB_FILE, files};
use crate::validate::ValidConfig;

/// The file about TLS and users of the API, where there is one.
pub(super) fn web(cluster: &Rendering<'_>) -> Option<Secret> {
    let text = cluster.web_file?;
    Some(Secret {
        metadata: cluster.metadata(cluster.plan.names.web_secret()),
        type_: Some("Opaque".to_owned()),
        data: Some(BTreeMap::from([(WEB_FILE.to_owned(), ByteString(text.as_bytes().to_vec()))])),
        ..Secret::default()
    })
}

pub(super) fn render(cluster: &Rendering<'_>, config: &ValidConfig) -> Secret {
    let mut metadata = cluster.metadata(cluster.plan.names.config_secret());
    metadata.annotations = Some(BTreeMap::from([
        (ANNOTATION_CONFIG_HASH.to_owned(), config.hash.clone()),
        (ANNOTATION_SOURCES.to_owned(), cluster.sources.to_owned()),
    ]));
    Secret {
        metadata,
        type_: Some("Opaque".to_owned()),
        data: Some(files(config).into_iter().map(|file| (file.name, ByteString(file.content.into_bytes()))).collect()),
        ..Secret::default()
    }
}
