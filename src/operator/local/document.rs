//! One YAML document of a manifest, and where in its file it stands.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use k8s_openapi::ByteString;
use kube::CustomResourceExt;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::schema;
use crate::crd::AlertmanagerCluster;

/// Names of pods are made from the object's name, and have a limit.
const NAME_CHARACTERS_MAX: usize = 40;

/// A Kubernetes object as written.
#[derive(Clone, Debug)]
pub(super) struct Document {
    file: PathBuf,
    /// As many empty lines as stand above it in the file, so that parsers count lines as the file does.
    text: String,
    /// Group and version.
    pub api_version: String,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its namespace, if it names one.
    pub namespace: Option<String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    file: PathBuf,
    line: usize,
    /// Whether the lines that follow are those of the text that stands here.
    verbatim: bool,
}

/// What is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    place: Place,
    text: String,
}

/// The documents of a file; `None` for one with nothing in it.
pub(super) fn split(file: &Path, text: &str) -> Vec<Result<Option<Document>, Fault>> {
    let mut documents = vec![String::new()];
    for (idx, line) in text.lines().enumerate() {
        if line == "---" || line.starts_with("--- ") {
            documents.push("\n".repeat(idx + 1));
        } else if let Some(document) = documents.last_mut() {
            document.push_str(line);
            document.push('\n');
        }
    }
    documents.into_iter().map(|text| Document::new(file, text)).collect()
}

impl Document {
    fn new(file: &Path, text: String) -> Result<Option<Self>, Fault> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Head {
            #[serde(default)]
            api_version: String,
            #[serde(default)]
            kind: String,
            #[serde(default)]
            metadata: Metadata,
        }
        #[derive(Deserialize, Default)]
        struct Metadata {
            #[serde(default)]
            name: String,
            namespace: Option<String>,
            annotations: Option<BTreeMap<String, String>>,
        }
        let empty = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
        if text.lines().all(empty) {
            return Ok(None);
        }
        let mut document = Self {
            file: file.to_owned(),
            text,
            api_version: String::new(),
            kind: String::new(),
            name: String::new(),
            namespace: None,
            annotations: BTreeMap::new(),
        };
        let Head { api_version, kind, metadata } = document.read()?;
        if kind.is_empty() || api_version.is_empty() {
            let text = "this is no Kubernetes object: apiVersion or kind is missing".to_owned();
            return Err(Fault { place: document.place(), text });
        }
        document.api_version = api_version;
        document.kind = kind;
        document.name = metadata.name;
        document.namespace = metadata.namespace;
        document.annotations = metadata.annotations.unwrap_or_default();
        Ok(Some(document))
    }

    /// Where it begins.
    pub(super) fn place(&self) -> Place {
        let first = self.text.lines().position(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
        self.at(first.unwrap_or(0) + 1)
    }

    /// Where the value of `key` stands: its first line, if it is written line by line, or else the key's.
    pub(super) fn place_of(&self, key: &str) -> Place {
        let mut lines = self.text.lines().enumerate();
        let found = lines.find_map(|(idx, line)| {
            let value = line.trim_start().trim_start_matches(['"', '\'']).strip_prefix(key)?;
            let value = value.trim_start_matches(['"', '\'']).trim_start().strip_prefix(':')?;
            Some((idx + 1, value.trim_start().starts_with('|')))
        });
        match found {
            Some((line, verbatim)) => Place { file: self.file.clone(), line, verbatim },
            None => self.place(),
        }
    }

    /// Reads it as a `T`.
    ///
    /// # Errors
    /// When it is none.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        serde_saphyr::from_str(&self.text).map_err(|error| {
            let line = error.location().and_then(|location| usize::try_from(location.line()).ok());
            let text = error.without_snippet().to_string();
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            // The place stands in front.
            let text = text.split(" at line ").next().unwrap_or(&text).to_owned();
            Fault { place: line.map_or_else(|| self.place(), |line| self.at(line)), text }
        })
    }

    /// Reads it as the cluster that it must be, as strictly as an API server would.
    ///
    /// # Errors
    /// When an API server would refuse it.
    pub(super) fn read_checked(&self) -> Result<AlertmanagerCluster, Fault> {
        let fault = |text: String| Fault { place: self.place(), text };
        let crd = AlertmanagerCluster::crd();
        if crd.spec.versions.iter().all(|version| format!("{}/{}", crd.spec.group, version.name) != self.api_version) {
            return Err(fault(format!("apiVersion {} is not served", self.api_version)));
        }
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let name = &self.name;
        if name.is_empty()
            || name.len() > NAME_CHARACTERS_MAX
            || !name.chars().all(good)
            || name.starts_with('-')
            || name.ends_with('-')
        {
            let limit = NAME_CHARACTERS_MAX;
            let text = format!("metadata.name must be 1 to {limit} lower-case letters, digits or `-`, not `{name}`");
            return Err(fault(text));
        }
        let wrong = schema::fault::<AlertmanagerCluster>(&self.read()?);
        if let Some(schema::Fault { key, text }) = wrong {
            return Err(Fault { place: self.place_of(&key), text });
        }
        self.read()
    }

    /// The texts of a ConfigMap or Secret by their keys.
    ///
    /// # Errors
    /// When it is neither, or base64 or UTF-8 is wrong.
    pub(super) fn texts(&self) -> Result<BTreeMap<String, String>, Fault> {
        #[derive(Deserialize)]
        struct ConfigMap {
            #[serde(default)]
            data: BTreeMap<String, String>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Secret {
            #[serde(default)]
            data: BTreeMap<String, String>,
            #[serde(default)]
            string_data: BTreeMap<String, String>,
        }
        if self.kind == "ConfigMap" {
            return Ok(self.read::<ConfigMap>()?.data);
        }
        let Secret { data, string_data } = self.read()?;
        let mut texts = BTreeMap::new();
        for (key, encoded) in data {
            let fault = |what: &str| Fault { place: self.place_of(&key), text: format!("{key} is not {what}") };
            let encoded: String = encoded.split_whitespace().collect();
            let ByteString(bytes) = serde_json::from_value(encoded.into()).map_err(|_| fault("encoded in base64"))?;
            texts.insert(key.clone(), String::from_utf8(bytes).map_err(|_| fault("UTF-8"))?);
        }
        texts.extend(string_data);
        Ok(texts)
    }

    fn at(&self, line: usize) -> Place {
        Place { file: self.file.clone(), line, verbatim: false }
    }
}

impl Place {
    /// The file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The line in it, from 1.
    pub const fn line(&self) -> usize {
        self.line
    }

    /// Whether the lines that follow are those of the text that stands here.
    pub const fn is_verbatim(&self) -> bool {
        self.verbatim
    }

    /// Where line `line`, counted from 1, of the text that stands here is.
    pub fn of_line(&self, line: Option<usize>) -> Self {
        let further = line.filter(|_| self.verbatim).unwrap_or(0);
        Self { line: self.line + further, ..self.clone() }
    }
}

impl Fault {
    /// Where it is.
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// What is wrong there.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.text)
    }
}
