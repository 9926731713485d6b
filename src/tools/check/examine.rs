//! What is found in files, and what is wrong with it.

use std::path::{Path, PathBuf};

use alerting::config::{Config, ConfigError, parse_in};
use alerting::matcher::Mode;
use alerting::template::Templates;
use operator::local::{ClusterConfig, ManifestError, Place, cluster_configs};
use operator::validate::template_files;

use crate::Syntax;

/// One config that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Checked {
    /// The file that holds the config or the cluster.
    pub(super) file: PathBuf,
    /// `namespace/name` of the AlertmanagerCluster whose config it is.
    pub(super) cluster: Option<String>,
    /// What is in it, if it is a config at all.
    pub(super) found: Option<Counts>,
    /// What a worker would log about it.
    pub(super) warnings: Vec<String>,
    /// Why it is refused; none: it is not.
    pub(super) faults: Vec<Fault>,
}

/// What is in a config.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) inhibit_rules: usize,
    pub(super) receivers: usize,
    pub(super) templates: usize,
    pub(super) time_intervals: usize,
}

/// One thing that is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) file: PathBuf,
    /// From 1.
    pub(super) line: Option<usize>,
    /// From 1, in characters.
    pub(super) column: Option<usize>,
    /// Where in the config.
    pub(super) path: String,
    pub(super) message: String,
    /// The line as it stands in the file.
    pub(super) source: Option<String>,
}

/// Finds the files that a pattern of `templates` matches: path and text.
pub(super) type Find = dyn Fn(&str) -> Result<Vec<(PathBuf, String)>, String>;

/// Checks files, given by name and content: configs one by one with their templates, manifests as one set.
pub(super) fn all(files: &[(PathBuf, String)], syntax: &Syntax, find: &Find) -> Vec<Checked> {
    let (manifests, configs): (Vec<_>, Vec<_>) = files.iter().cloned().partition(|(_, text)| is_manifest(text));
    let mut checked: Vec<Checked> = configs.iter().map(|(file, text)| config(file, text, syntax, find)).collect();
    if manifests.is_empty() {
        return checked;
    }
    let unusable = |error: &ManifestError| refused(&manifests, None, error);
    match cluster_configs(&manifests) {
        Err(error) => checked.push(unusable(&error)),
        Ok(clusters) => checked.extend(clusters.into_iter().map(|found| match found {
            Ok(found) => cluster(&manifests, found, syntax.mode()),
            Err(error) => unusable(&error),
        })),
    }
    checked
}

/// Configs know no `apiVersion`, and each document of a manifest has one.
fn is_manifest(text: &str) -> bool {
    let mut lines = text.lines().map(|line| line.trim_start_matches(['{', ' ']));
    lines.any(|line| line.starts_with("apiVersion:") || line.starts_with("\"apiVersion\""))
}

fn config(file: &Path, text: &str, syntax: &Syntax, find: &Find) -> Checked {
    let directory = file.parent().map(|parent| parent.to_string_lossy().into_owned()).unwrap_or_default();
    let checked =
        Checked { file: file.to_owned(), cluster: None, found: None, warnings: Vec::new(), faults: Vec::new() };
    let parsed = parse_in(text, syntax.mode(), &directory).map(|config| in_force(config, syntax.records_events()));
    let faulty = parsed.as_ref().ok().and_then(|config| templates(file, config, find));
    let mut checked = judge(checked, parsed, |error| {
        let source = error.line.and_then(|line| text.lines().nth(line - 1)).map(str::to_owned);
        Fault {
            file: file.to_owned(),
            line: error.line,
            column: error.column,
            path: error.path,
            message: error.message,
            source,
        }
    });
    checked.faults.extend(faulty);
    checked
}

/// What is wrong with the templates of a config.
fn templates(file: &Path, config: &Config, find: &Find) -> Option<Fault> {
    let mut files = Vec::new();
    for pattern in &config.templates {
        match find(pattern) {
            Ok(found) => files.extend(found),
            Err(message) => {
                return Some(Fault { file: file.to_owned(), path: "templates".into(), message, ..Fault::default() });
            }
        }
    }
    let texts = files.iter().map(|(path, text)| (path.to_string_lossy(), text));
    let error = Templates::new(texts).err()?;
    // templates go by the last part of their path
    let named = |path: &&PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy() == error.file);
    let file = files.iter().map(|(path, _)| path).rfind(named).cloned().unwrap_or_else(|| file.to_owned());
    Some(Fault {
        file,
        line: Some(error.line),
        column: Some(error.column),
        path: String::new(),
        message: error.message,
        source: Some(error.source_line),
    })
}

fn cluster(files: &[(PathBuf, String)], found: ClusterConfig, mode: Mode) -> Checked {
    let ClusterConfig { cluster, name, text, templates, place } = found;
    let file = cluster.file().to_owned();
    let checked = Checked { file, cluster: Some(name), found: None, warnings: Vec::new(), faults: Vec::new() };
    // its secrets are in the pods
    // and they are started without further features
    let parsed = parse_in(&text, mode, "").map(|config| in_force(config, false));
    let parsed = parsed.and_then(|config| template_files(&config, &templates).map(|_| config));
    judge(checked, parsed, |error| {
        let at = place.of_line(error.line);
        let source = line_of(files, &at);
        let inner = error.line.filter(|_| at.is_verbatim()).and_then(|line| text.lines().nth(line - 1));
        // the config is indented in the manifest
        let indent = inner.zip(source.as_deref()).and_then(|(inner, outer)| outer.strip_suffix(inner));
        let column = indent.and_then(|indent| Some(indent.chars().count() + error.column?));
        let message = match (at.is_verbatim(), error.line) {
            (false, Some(line)) => format!("line {line} of the config: {}", error.message),
            _ => error.message,
        };
        Fault { file: at.file().to_owned(), line: Some(at.line()), column, path: error.path, message, source }
    })
}

/// Without the part that has no effect.
fn in_force(mut config: Config, records_events: bool) -> Config {
    if !records_events {
        config.event_recorder = None;
    }
    config
}

/// What is accepted and not done yet is refused too, as a worker does.
fn judge(
    mut checked: Checked,
    parsed: Result<Config, ConfigError>,
    fault: impl FnOnce(ConfigError) -> Fault,
) -> Checked {
    match parsed {
        Ok(config) => {
            checked.found = Some(count(&config));
            checked.faults.extend(config.unsupported().map(fault));
            checked.warnings = config.warnings;
        }
        Err(error) => checked.faults.push(fault(error)),
    }
    checked
}

fn count(config: &Config) -> Counts {
    Counts {
        inhibit_rules: config.inhibit_rules.len(),
        receivers: config.receivers.len(),
        templates: config.templates.len(),
        time_intervals: config.time_intervals.len(),
    }
}

/// What cannot even be taken for a config.
fn refused(files: &[(PathBuf, String)], cluster: Option<String>, error: &ManifestError) -> Checked {
    let (place, message) = error.parts();
    let first = files.first().map(|(file, _)| file.clone()).unwrap_or_default();
    let file = place.map_or(first, |place| place.file().to_owned());
    let source = place.and_then(|place| line_of(files, place));
    let line = place.map(Place::line);
    let fault = Fault { file: file.clone(), line, column: None, path: String::new(), message, source };
    Checked { file, cluster, found: None, warnings: Vec::new(), faults: vec![fault] }
}

fn line_of(files: &[(PathBuf, String)], place: &Place) -> Option<String> {
    let (_, text) = files.iter().find(|(file, _)| file == place.file())?;
    text.lines().nth(place.line().checked_sub(1)?).map(str::to_owned)
}
