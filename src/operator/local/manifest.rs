//! What the user's YAML files ask for: one cluster, its configuration, and the Services that the sink stands for.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::document::{Document, Fault, Place, split};
use crate::crd::{AlertmanagerCluster, ConfigSource, ConfigSourceError, GROUP, TemplateSource};
use crate::plan::{ANNOTATION_LOCAL, CONFIG_FILE, ClusterPlan, Names};
use crate::validate::{self, Files, Given, InvalidConfig, Mounts};

/// The value of [`ANNOTATION_LOCAL`] on a Service that the sink stands for.
const SINK: &str = "sink";
/// The namespace of objects that name none.
const DEFAULT_NAMESPACE: &str = "default";

/// A valid manifest.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Manifest {
    /// What is to run, its configuration included.
    pub plan: ClusterPlan,
    /// The Services that the sink stands for: name and port.
    pub sinks: Vec<(String, u16)>,
}

/// The text of the files, to see whether they changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sources(Vec<(PathBuf, String)>);

/// Why a manifest cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// A file or directory cannot be read.
    #[error("reading {}", path.display())]
    Read {
        /// As given.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The files cannot be read any more; the reason in words.
    #[error("{0}")]
    Unreadable(String),
    /// A document is not what its kind must be.
    #[error("{0}")]
    Document(Fault),
    /// No file has an AlertmanagerCluster.
    #[error("no AlertmanagerCluster in {0}")]
    NoCluster(String),
    /// There are several, and no way to tell which is meant.
    #[error("more than one AlertmanagerCluster: {0}; name the files of one")]
    Clusters(String),
    /// The configuration is not given in exactly one way.
    #[error("{place}")]
    Source {
        /// Where the cluster stands.
        place: Place,
        /// What is wrong.
        #[source]
        source: ConfigSourceError,
    },
    /// The configuration is not in the files.
    #[error("{place}: {wanted} is in none of the files")]
    Missing {
        /// Where the cluster stands.
        place: Place,
        /// Object and key.
        wanted: String,
    },
    /// Two template files have the same name, or one has that of the configuration.
    #[error("{place}: there is a file called `{name}` already")]
    TemplateTwice {
        /// Where the second one stands.
        place: Place,
        /// The name.
        name: String,
    },
    /// A worker would refuse the configuration.
    #[error("{place}")]
    Config {
        /// Where the wrong line stands, or the configuration.
        place: Place,
        /// What is wrong.
        #[source]
        source: InvalidConfig,
    },
}

impl Sources {
    /// Reads all files, of directories those whose names end in `.yaml`, `.yml` or `.json`.
    ///
    /// # Errors
    /// When one cannot be read.
    pub(super) fn read(paths: &[PathBuf]) -> Result<Self, ManifestError> {
        let mut files = Vec::new();
        for path in paths {
            let read = |path: &Path| std::fs::read_to_string(path);
            let listed = if path.is_dir() { list(path) } else { Ok(vec![path.clone()]) };
            for file in listed.map_err(|source| ManifestError::Read { path: path.clone(), source })? {
                let text = read(&file).map_err(|source| ManifestError::Read { path: file.clone(), source })?;
                files.push((file, text));
            }
        }
        Ok(Self(files))
    }

    /// The sample cluster, for where its files are not.
    pub(super) fn sample() -> Self {
        Self::embedded(&[
            ("config/samples/cluster.yaml", include_str!("../../../config/samples/cluster.yaml")),
            ("config/samples/sink.yaml", include_str!("../../../config/samples/sink.yaml")),
        ])
    }

    fn embedded(texts: &[(&str, &str)]) -> Self {
        Self(texts.iter().map(|(name, text)| (PathBuf::from(name), (*text).to_owned())).collect())
    }
}

fn list(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let manifest = path.extension().is_some_and(|ext| ext == "yaml" || ext == "yml" || ext == "json");
        if manifest && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

impl Manifest {
    /// Finds the cluster and validates all that it needs.
    ///
    /// # Errors
    /// At the first thing that is wrong or missing.
    pub(super) fn new(sources: &Sources) -> Result<Self, ManifestError> {
        let documents = documents(&sources.0)?;
        let document = the_cluster(sources, &documents)?;
        let (cluster, Found { given, place }) = resolve(document, &documents)?;
        let valid = validate::config(&given)
            .map_err(|error| ManifestError::Config { place: place.of_line(error.line), source: error })?;
        let namespace = namespace_of(document);
        let plan = ClusterPlan::new(namespace, &document.name, &cluster.spec, Some(valid));
        let services = documents.iter().filter(|other| namespace_of(other) == namespace);
        let sinks = services.filter_map(|service| sinks(service).transpose()).collect::<Result<Vec<_>, _>>();
        let sinks = sinks.map_err(ManifestError::Document)?.into_iter().flatten().collect();
        Ok(Self { plan, sinks })
    }

    /// With another number of members, if one is given.
    pub(super) fn with_members(mut self, members: Option<u32>) -> Self {
        self.plan.replicas = members.unwrap_or(self.plan.replicas);
        self
    }
}

fn the_cluster<'a>(sources: &Sources, documents: &'a [Document]) -> Result<&'a Document, ManifestError> {
    let clusters: Vec<&Document> = documents.iter().filter(|document| is_cluster(document)).collect();
    match clusters.as_slice() {
        [one] => Ok(one),
        [] => {
            let files: Vec<String> = sources.0.iter().map(|(file, _)| file.display().to_string()).collect();
            let none = "the files given".to_owned();
            Err(ManifestError::NoCluster(if files.is_empty() { none } else { files.join(", ") }))
        }
        several => {
            let named: Vec<String> =
                several.iter().map(|found| format!("{} ({})", found.name, found.place())).collect();
            Err(ManifestError::Clusters(named.join(", ")))
        }
    }
}

fn is_cluster(document: &Document) -> bool {
    document.kind == "AlertmanagerCluster" && document.api_version.split('/').next() == Some(GROUP)
}

fn namespace_of(document: &Document) -> &str {
    document.namespace.as_deref().unwrap_or(DEFAULT_NAMESPACE)
}

fn documents(files: &[(PathBuf, String)]) -> Result<Vec<Document>, ManifestError> {
    let mut documents = Vec::new();
    for (file, text) in files {
        for document in split(file, text) {
            documents.extend(document.map_err(ManifestError::Document)?);
        }
    }
    Ok(documents)
}

/// A configuration that a cluster names, and where its first line stands.
struct Found {
    given: Given,
    place: Place,
}

/// Reads a cluster and finds its configuration among the documents of its namespace.
fn resolve(document: &Document, documents: &[Document]) -> Result<(AlertmanagerCluster, Found), ManifestError> {
    let cluster: AlertmanagerCluster = document.read_checked().map_err(ManifestError::Document)?;
    let source =
        cluster.spec.config.source().map_err(|source| ManifestError::Source { place: document.place(), source })?;
    let (kind, name, key) = match &source {
        ConfigSource::Inline { text } => {
            let (text, place) = (text.clone(), document.place_of("inline"));
            let templates = templates(&cluster.spec.config.templates, document, documents)?;
            return Ok((
                cluster,
                Found {
                    given: Given { text, source, templates, mounted: Mounts::Unchanged(None), version: String::new() },
                    place,
                },
            ));
        }
        ConfigSource::ConfigMap { name, key } => ("ConfigMap", name, key),
        ConfigSource::Secret { name, key } => ("Secret", name, key),
    };
    let missing = || ManifestError::Missing { place: document.place(), wanted: source.to_string() };
    let wanted = |d: &&Document| d.kind == kind && d.name == *name && namespace_of(d) == namespace_of(document);
    let holder = documents.iter().find(wanted).ok_or_else(missing)?;
    let texts = holder.texts().map_err(ManifestError::Document)?;
    let text = texts.get(key).ok_or_else(missing)?.clone();
    let place = holder.place_of(key);
    let templates = templates(&cluster.spec.config.templates, document, documents)?;
    Ok((
        cluster,
        Found {
            given: Given { text, source, templates, mounted: Mounts::Unchanged(None), version: String::new() },
            place,
        },
    ))
}

/// The template files that a cluster names, out of the documents of its namespace.
fn templates(sources: &[TemplateSource], cluster: &Document, documents: &[Document]) -> Result<Files, ManifestError> {
    let mut files = Files::new();
    for source in sources {
        let missing = || ManifestError::Missing { place: cluster.place(), wanted: source.to_string() };
        let (kind, name) = match (&source.config_map_ref, &source.secret_ref) {
            (Some(map), None) => ("ConfigMap", &map.name),
            (None, Some(secret)) => ("Secret", &secret.name),
            _ => return Err(missing()),
        };
        let wanted = |d: &&Document| d.kind == kind && d.name == *name && namespace_of(d) == namespace_of(cluster);
        let holder = documents.iter().find(wanted).ok_or_else(missing)?;
        for (name, text) in holder.texts().map_err(ManifestError::Document)? {
            if name == CONFIG_FILE || files.insert(name.clone(), text).is_some() {
                return Err(ManifestError::TemplateTwice { place: holder.place_of(&name), name });
            }
        }
    }
    Ok(files)
}

/// A cluster of a manifest with the configuration that it names, which nobody has validated.
#[derive(Clone, Debug)]
pub struct ClusterConfig {
    /// Where the cluster stands.
    pub cluster: Place,
    /// `namespace/name` of the cluster.
    pub name: String,
    /// The configuration.
    pub text: String,
    /// The template files beside it.
    pub templates: Files,
    /// Where it stands.
    pub place: Place,
}

/// All clusters of the files, given by name and content, each with its configuration or why there is none.
///
/// # Errors
/// When a document is no Kubernetes object, or there is no cluster at all.
pub fn cluster_configs(
    files: &[(PathBuf, String)],
) -> Result<Vec<Result<ClusterConfig, ManifestError>>, ManifestError> {
    let documents = documents(files)?;
    let clusters: Vec<_> = documents
        .iter()
        .filter(|document| is_cluster(document))
        .map(|document| {
            let (_, Found { given: Given { text, templates, .. }, place }) = resolve(document, &documents)?;
            let name = format!("{}/{}", namespace_of(document), document.name);
            Ok(ClusterConfig { cluster: document.place(), name, text, templates, place })
        })
        .collect();
    if clusters.is_empty() {
        let files: Vec<String> = files.iter().map(|(file, _)| file.display().to_string()).collect();
        return Err(ManifestError::NoCluster(files.join(", ")));
    }
    Ok(clusters)
}

/// What a manifest would have `local` run, without running it.
#[derive(Clone, Debug)]
pub struct Outline {
    /// The name of the cluster.
    pub cluster: String,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// The Services for which there would be a sink, with their ports.
    pub sinks: Vec<(String, u16)>,
    /// The files, with their content.
    pub files: Vec<(PathBuf, String)>,
    names: Names,
}

impl Outline {
    /// The names of so many members.
    pub fn members(&self, count: u32) -> Vec<String> {
        (0..count).map(|ordinal| self.names.member(ordinal)).collect()
    }
}

/// Reads files, and directories of them, as `local` does.
///
/// # Errors
/// As `local`: at the first thing that is wrong or missing.
pub fn outline(paths: &[PathBuf]) -> Result<Outline, ManifestError> {
    let sources = Sources::read(paths)?;
    let Manifest { plan, sinks } = Manifest::new(&sources)?;
    let documents = documents(&sources.0)?;
    let annotations = the_cluster(&sources, &documents)?.annotations.clone();
    let cluster = format!("{}/{}", plan.namespace, plan.names.object);
    Ok(Outline { cluster, annotations, sinks, files: sources.0, names: plan.names })
}

impl ManifestError {
    /// Where it is, when that is known, and what is wrong there.
    pub fn parts(&self) -> (Option<&Place>, String) {
        match self {
            Self::Document(fault) => (Some(fault.place()), fault.text().to_owned()),
            Self::Source { place, source } => (Some(place), source.to_string()),
            Self::Missing { place, wanted } => (Some(place), format!("{wanted} is in none of the files")),
            Self::TemplateTwice { place, name } => (Some(place), format!("there is a file called `{name}` already")),
            Self::Config { place, source } => (Some(place), source.to_string()),
            Self::Read { .. } | Self::Unreadable(_) | Self::NoCluster(_) | Self::Clusters(_) => {
                (None, crate::error_chain(self))
            }
        }
    }
}

/// The ports of a Service that the sink stands for.
fn sinks(document: &Document) -> Result<Option<Vec<(String, u16)>>, Fault> {
    #[derive(serde::Deserialize)]
    struct Service {
        spec: Spec,
    }
    #[derive(serde::Deserialize)]
    struct Spec {
        ports: Vec<Port>,
    }
    #[derive(serde::Deserialize)]
    struct Port {
        port: u16,
    }
    if document.kind != "Service" || document.annotations.get(ANNOTATION_LOCAL).map(String::as_str) != Some(SINK) {
        return Ok(None);
    }
    let service: Service = document.read()?;
    Ok(Some(service.spec.ports.iter().map(|port| (document.name.clone(), port.port)).collect()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const CLUSTER: &str = "\
# a comment
apiVersion: alertmanager.dev/v1alpha1
kind: AlertmanagerCluster
metadata:
  name: main
spec:
  replicas: 2
  config:
    configMapRef:
      name: main-config
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: main-config
data:
  alertmanager.yml: |
    route:
      receiver: none
    receivers:
    - name: none
";
    const SERVICE: &str = "\
---
apiVersion: v1
kind: Service
metadata: {name: webhook-sink, annotations: {alertmanager.dev/local: sink}}
spec: {ports: [{name: http, port: 8080, targetPort: http}]}
---
kind: Deployment
apiVersion: apps/v1
metadata: {name: webhook-sink}
---
";

    fn manifest(texts: &[(&str, &str)]) -> Result<Manifest, String> {
        use std::error::Error;
        Manifest::new(&Sources::embedded(texts)).map_err(|error| {
            let mut text = error.to_string();
            let mut source = error.source();
            while let Some(error) = source {
                text = format!("{text}: {error}");
                source = error.source();
            }
            text
        })
    }

    #[test]
    fn reads_a_cluster_with_all_it_needs() {
        let found = manifest(&[("a.yaml", CLUSTER), ("b.yaml", SERVICE)]).unwrap();
        assert_eq!(found.plan.member_names(), ["alertmanager-main-0", "alertmanager-main-1"]);
        assert_eq!(found.plan.namespace, "default");
        assert_eq!(found.plan.config.unwrap().text, "route:\n  receiver: none\nreceivers:\n- name: none\n");
        assert_eq!(found.sinks, [("webhook-sink".to_owned(), 8080)]);
    }

    #[test]
    fn the_sample_is_built_in() {
        let found = Manifest::new(&Sources::sample()).unwrap();
        assert_eq!((found.plan.replicas, found.sinks), (3, vec![("webhook-sink".to_owned(), 8080)]));
    }

    #[test]
    fn reads_secrets_in_both_their_forms() {
        let secret = |data: &str| {
            let text = CLUSTER.replace("configMapRef", "secretRef").replace("kind: ConfigMap", "kind: Secret");
            text[..=text.find("\ndata:").unwrap()].to_owned() + data
        };
        let config = "route: {receiver: none}\nreceivers: [{name: none}]";
        let plain = secret(&format!("stringData:\n  alertmanager.yml: '{}'\n", config.replace('\n', "\n\n    ")));
        let encoded =
            secret("data:\n  alertmanager.yml: cm91dGU6IHtyZWNlaXZlcjogbm9uZX0KcmVjZWl2ZXJzOiBbe25hbWU6IG5vbmV9XQ==\n");
        for text in [plain, encoded] {
            assert_eq!(manifest(&[("a.yaml", &text)]).unwrap().plan.config.unwrap().text, config);
        }
        let broken = secret("data: {alertmanager.yml: '%%'}\n");
        let error = manifest(&[("a.yaml", &broken)]).unwrap_err();
        assert!(error.starts_with("a.yaml:") && error.contains("base64"), "{error}");
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        let inline = CLUSTER.replace("configMapRef:\n      name: main-config", "inline: 'route: {receiver: x}'");
        let table = [
            (
                CLUSTER.replace("receiver: none", "receiver: nobody"),
                "a.yaml:19: ConfigMap main-config, key alertmanager.yml: ",
            ),
            (
                CLUSTER.replace("    - name: none", "    - nam: none"),
                "a.yaml:21: ConfigMap main-config, key alertmanager.yml: ",
            ),
            (inline, "a.yaml:9: spec.config.inline: "),
            (
                CLUSTER.replace("name: main-config\ndata", "name: other\ndata"),
                "a.yaml:2: ConfigMap main-config, key alertmanager.yml is in none of the files",
            ),
            (
                CLUSTER.replace("  alertmanager.yml: |", "  other: |"),
                "a.yaml:2: ConfigMap main-config, key alertmanager.yml is in none of the files",
            ),
            (CLUSTER.replace("replicas: 2", "replcas: 2"), "a.yaml:7: unknown field spec.replcas"),
            (CLUSTER.replace("replicas: 2", "replicas: 0"), "a.yaml:7: spec.replicas must be at least 1"),
            (CLUSTER.replace("replicas: 2", "replicas: two"), "a.yaml:7: spec.replicas must be of type integer"),
            (CLUSTER.replace("replicas: 2", "replicas: [2"), "a.yaml:"),
            (CLUSTER.replace("  name: main\n", "  name: Main\n"), "a.yaml:2: metadata.name"),
            (
                CLUSTER.replace("      name: main-config\n---", "      name: main-config\n    inline: ''\n---"),
                "a.yaml:2: spec.config: exactly one of",
            ),
            (CLUSTER.replace("v1alpha1", "v9"), "a.yaml:2: apiVersion alertmanager.dev/v9 is not served"),
            (SERVICE.to_owned(), "no AlertmanagerCluster in a.yaml"),
            (
                format!("{CLUSTER}---\n{CLUSTER}"),
                "more than one AlertmanagerCluster: main (a.yaml:2), main (a.yaml:24)",
            ),
            ("just text".to_owned(), "a.yaml:1: "),
        ];
        for (text, expected) in table {
            let error = manifest(&[("a.yaml", &text)]).unwrap_err();
            assert!(error.starts_with(expected), "{error}\nwanted: {expected}");
            assert!(!error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn names_a_file_that_cannot_be_read() {
        let error = Sources::read(&["/no/such/file.yaml".into()]).unwrap_err();
        assert_eq!(error.to_string(), "reading /no/such/file.yaml");
    }

    #[test]
    fn of_a_directory_reads_manifests_in_order() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b.yml", "a.yaml", "notes.txt", ".a.yaml.swp"] {
            std::fs::write(dir.path().join(name), name).unwrap();
        }
        let read = Sources::read(&[dir.path().to_owned()]).unwrap();
        let texts: Vec<&str> = read.0.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts, ["a.yaml", "b.yml"]);
    }
}
