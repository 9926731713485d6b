//! Where the configuration of a cluster comes from.

use std::fmt;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The key that is read when none is given.
pub const DEFAULT_CONFIG_KEY: &str = "alertmanager.yml";

/// The source of the Alertmanager configuration: exactly one of the fields.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("[has(self.configMapRef), has(self.secretRef), has(self.inline)].exists_one(given, given)")
    .message("exactly one of configMapRef, secretRef and inline must be given"))]
pub struct ConfigSpec {
    /// A key of a ConfigMap in the same namespace. Edits are seen at once. Example: `{name: main-config}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_map_ref: Option<ConfigMapKey>,

    /// A key of a Secret in the same namespace. Edits are seen at once. Example: `{name: main-config}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretKey>,

    /// The configuration itself, as it would stand in `alertmanager.yml`.
    /// Example: `"route: {receiver: none}\nreceivers: [{name: none}]"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inline: Option<String>,

    /// ConfigMaps and Secrets in the same namespace whose keys are files with templates. The files lie beside the
    /// configuration, which names them without a directory: `templates: ['*.tmpl']`. Edits are seen at once.
    /// Example: `[{configMapRef: {name: main-templates}}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub templates: Vec<TemplateSource>,

    /// Secrets in the same namespace that members find as files, for fields like `password_file`: a key as
    /// `/etc/alertmanager/secrets/<name>/<key>`. Edits arrive within about a minute. Example: `[pager-secrets]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), inner(length(min = 1, max = 253)))]
    pub secrets: Vec<String>,

    /// ConfigMaps likewise, for fields like `ca_file`: a key as `/etc/alertmanager/configmaps/<name>/<key>`.
    /// Example: `[company-ca]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), inner(length(min = 1, max = 253)))]
    pub config_maps: Vec<String>,
}

/// Where files with templates come from: exactly one of the fields.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.configMapRef) != has(self.secretRef)")
    .message("exactly one of configMapRef and secretRef must be given"))]
pub struct TemplateSource {
    /// A ConfigMap, each key of which is a file. Example: `{name: main-templates}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_map_ref: Option<ObjectName>,

    /// A Secret, each key of which is a file. Example: `{name: main-templates}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<ObjectName>,
}

/// An object in the same namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ObjectName {
    /// Its name. Example: `main-templates`.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

impl fmt::Display for TemplateSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.config_map_ref, &self.secret_ref) {
            (Some(map), _) => write!(f, "ConfigMap {}", map.name),
            (None, Some(secret)) => write!(f, "Secret {}", secret.name),
            (None, None) => f.write_str("spec.config.templates"),
        }
    }
}

/// A key of a ConfigMap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigMapKey {
    /// The name of the ConfigMap. Example: `main-config`.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,

    /// The key that holds the configuration. Example: `alertmanager.yml`.
    #[serde(default = "default_key")]
    #[schemars(length(min = 1, max = 253))]
    pub key: String,
}

/// A key of a Secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SecretKey {
    /// The name of the Secret. Example: `main-config`.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,

    /// The key that holds the configuration. Example: `alertmanager.yml`.
    #[serde(default = "default_key")]
    #[schemars(length(min = 1, max = 253))]
    pub key: String,
}

/// [`ConfigSpec`] after its rule: one source. Its text is how messages name it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ConfigSource {
    /// A key of a ConfigMap.
    ConfigMap {
        /// The name of the ConfigMap.
        name: String,
        /// The key in it.
        key: String,
    },
    /// A key of a Secret.
    Secret {
        /// The name of the Secret.
        name: String,
        /// The key in it.
        key: String,
    },
    /// The text in the object itself.
    Inline {
        /// The configuration.
        text: String,
    },
}

/// Why a [`ConfigSpec`] has no source. On Kubernetes the schema excludes it; a manifest read from disk may have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("spec.config: exactly one of configMapRef, secretRef and inline must be given")]
pub struct ConfigSourceError;

impl ConfigSpec {
    /// Whether anything in it comes from that ConfigMap.
    pub fn refers_to_config_map(&self, name: &str) -> bool {
        let templates = self.templates.iter().filter_map(|source| source.config_map_ref.as_ref());
        self.config_map_ref.as_ref().is_some_and(|map| map.name == name)
            || templates.into_iter().any(|map| map.name == name)
            || self.config_maps.iter().any(|map| map == name)
    }

    /// Whether anything in it comes from that Secret.
    pub fn refers_to_secret(&self, name: &str) -> bool {
        let templates = self.templates.iter().filter_map(|source| source.secret_ref.as_ref());
        self.secret_ref.as_ref().is_some_and(|secret| secret.name == name)
            || templates.into_iter().any(|secret| secret.name == name)
            || self.secrets.iter().any(|secret| secret == name)
    }

    /// The one source that is given.
    ///
    /// # Errors
    /// When none or several are given.
    pub fn source(&self) -> Result<ConfigSource, ConfigSourceError> {
        match (&self.config_map_ref, &self.secret_ref, &self.inline) {
            (Some(ConfigMapKey { name, key }), None, None) => {
                Ok(ConfigSource::ConfigMap { name: name.clone(), key: key.clone() })
            }
            (None, Some(SecretKey { name, key }), None) => {
                Ok(ConfigSource::Secret { name: name.clone(), key: key.clone() })
            }
            (None, None, Some(text)) => Ok(ConfigSource::Inline { text: text.clone() }),
            _ => Err(ConfigSourceError),
        }
    }
}

impl fmt::Display for ConfigSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ConfigMap { name, key } => write!(f, "ConfigMap {name}, key {key}"),
            Self::Secret { name, key } => write!(f, "Secret {name}, key {key}"),
            Self::Inline { .. } => f.write_str("spec.config.inline"),
        }
    }
}

fn default_key() -> String {
    DEFAULT_CONFIG_KEY.to_owned()
}
