//! Puts a config together from its sections and checks what spans them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::error::ConfigError;
use super::hash::{content_hash, metric_hash};
use super::matchers::Reader;
use super::model::{Config, Receiver, Route};
use super::named::mounted_files;
use super::node;
use super::out::{Fields, Out};
use super::paths::Directory;
use super::print::print;
use super::section::Section;
use super::{global, inhibit_read, interval_read, receiver, recorder, route_read, tracing};
use crate::duration::print_prometheus;
use crate::interval::TimeInterval;
use crate::label::GoQuoted;
use crate::matcher::Mode;
use crate::template::Templates;

const FIELDS: [&str; 9] = [
    "global",
    "route",
    "inhibit_rules",
    "receivers",
    "templates",
    "mute_time_intervals",
    "time_intervals",
    "tracing",
    "event_recorder",
];

/// Reads and validates a config; only the first YAML document counts. Paths of files stay as they are written.
///
/// What it accepts need not be in force yet: ask [`Config::unsupported`] before it is used.
///
/// # Errors
/// At the first thing that the reference refuses.
pub fn parse(text: &str, mode: Mode) -> Result<Config, ConfigError> {
    read(text, mode, &Directory::default())
}

/// The same, with those paths that count from the config file's directory joined to `directory`, so that all paths
/// count from the working directory.
///
/// # Errors
/// As [`parse`].
pub fn parse_in(text: &str, mode: Mode, directory: &str) -> Result<Config, ConfigError> {
    read(text, mode, &Directory(Some(directory.to_owned())))
}

fn read(text: &str, mode: Mode, directory: &Directory) -> Result<Config, ConfigError> {
    let document = node::read(text)?.filter(|node| !node.is_null());
    let Some(document) = document else {
        let message = "no route provided in config".to_owned();
        return Err(ConfigError { line: None, column: None, path: String::new(), message });
    };
    let section = Section::open(&document, "", "config.plain", &FIELDS)?;
    let mut reader = Reader { mode, warnings: Vec::new() };
    let mut printed = Fields::default();

    let mut global = global::read(section.get("global"), directory)?;
    let (receivers, receivers_printed) = read_receivers(&section, &mut global)?;
    printed.put("global", global.print());

    let root = match section.get("route") {
        Some(node) => node,
        None => return Err(section.error("route", "no routes provided")),
    };
    let (route, route_printed) = route_read::read(root, "route", &mut reader)?;
    printed.put("route", route_printed);

    let (mut inhibit_rules, mut rules_printed) = (Vec::new(), Vec::new());
    for (path, node) in section.list("inhibit_rules", "[]common.InhibitRule")?.unwrap_or_default() {
        let (rule, out) = inhibit_read::read(node, &path, &mut reader)?;
        inhibit_rules.push(rule);
        rules_printed.push(out);
    }
    printed.put_some("inhibit_rules", Out::List(rules_printed));
    printed.put_some("receivers", receivers_printed);
    let templates = section.texts("templates")?.unwrap_or_default();
    let templates: Vec<String> = templates.into_iter().map(|(pattern, _, _)| directory.join(pattern)).collect();
    printed.put("templates", Out::texts(&templates));

    let mut time_intervals = BTreeMap::new();
    let lists = [
        ("mute_time_intervals", "[]config.MuteTimeInterval", "mute time interval"),
        ("time_intervals", "[]config.TimeInterval", "time interval"),
    ];
    for (field, kind, what) in lists {
        printed.put_some(field, read_intervals(&section, (field, kind), what, &mut time_intervals)?);
    }

    let (mut tracing, mut event_recorder) = (None, None);
    if let Some(node) = section.get("tracing") {
        let (read, out) = tracing::read(node)?;
        printed.put("tracing", out);
        tracing = Some(read);
    }
    if let Some(node) = section.get("event_recorder") {
        let (read, out) = recorder::read(node, directory)?;
        printed.put_some("event_recorder", out);
        event_recorder = Some(read);
    }

    route.check_root()?;
    let names: BTreeSet<&str> = receivers.iter().map(|receiver| &*receiver.name).collect();
    route.check_receivers(&names)?;
    route.check_intervals(&time_intervals.keys().cloned().collect())?;

    let route = route.into_root();
    let mut warnings = reader.warnings;
    warn_of_intervals(&route, &mut warnings);
    warn_of_zones(&time_intervals, &mut warnings);
    Ok(Config {
        resolve_timeout: global.resolve_timeout,
        route,
        receivers,
        inhibit_rules,
        time_intervals,
        templates,
        mounted: mounted_files(text),
        template_set: Templates::builtin(),
        tracing,
        event_recorder,
        original: print(printed.done()).into(),
        hash: content_hash(&[("alertmanager.yml", text.as_bytes())]),
        md5_hash: metric_hash(text.as_bytes()),
        mode,
        warnings,
    })
}

fn read_receivers(section: &Section<'_>, global: &mut global::Global) -> Result<(Vec<Receiver>, Out), ConfigError> {
    let (mut receivers, mut printed) = (Vec::<Receiver>::new(), Vec::new());
    let mut names = BTreeSet::new();
    for (path, node) in section.list("receivers", "[]config.Receiver")?.unwrap_or_default() {
        let (receiver, out) = receiver::read(node, &path, global)?;
        if !names.insert(Arc::clone(&receiver.name)) {
            let message = format!("notification config name {} is not unique", GoQuoted(&receiver.name));
            return Err(node.error(&path, message));
        }
        receivers.push(receiver);
        printed.push(out);
    }
    Ok((receivers, Out::List(printed)))
}

fn read_intervals(
    section: &Section<'_>,
    (field, kind): (&str, &str),
    what: &str,
    intervals: &mut BTreeMap<Arc<str>, Vec<TimeInterval>>,
) -> Result<Out, ConfigError> {
    let mut printed = Vec::new();
    for (path, node) in section.list(field, kind)?.unwrap_or_default() {
        let (named, out) = interval_read::read(node, &path, what)?;
        if intervals.contains_key(&named.name) {
            return Err(named.section.error("name", format!("{what} {} is not unique", GoQuoted(&named.name))));
        }
        intervals.insert(named.name, named.elements);
        printed.push(out);
    }
    Ok(Out::List(printed))
}

fn warn_of_intervals(route: &Route, warnings: &mut Vec<String>) {
    let Route { repeat_interval, group_interval, .. } = route;
    if repeat_interval < group_interval {
        warnings.push(format!(
            "route {}: repeat_interval {} is less than group_interval {}: notifications repeat only at the next \
             group_interval",
            route.key,
            print_prometheus(*repeat_interval),
            print_prometheus(*group_interval),
        ));
    }
    route.routes.iter().for_each(|route| warn_of_intervals(route, warnings));
}

fn warn_of_zones(intervals: &BTreeMap<Arc<str>, Vec<TimeInterval>>, warnings: &mut Vec<String>) {
    for (name, elements) in intervals {
        let local = |element: &TimeInterval| element.location.as_ref().is_some_and(|l| l.name() == "Local");
        if elements.iter().any(local) {
            warnings.push(format!("time interval {name}: location Local is read as UTC"));
        }
    }
}

impl Config {
    /// What to log about routes that repeat more rarely than the notification log remembers: one line each.
    pub fn retention_warnings(&self, retention: std::time::Duration) -> Vec<String> {
        let mut warnings = Vec::new();
        warn_of_retention(&self.route, retention, &mut warnings);
        warnings
    }
}

fn warn_of_retention(route: &Route, retention: std::time::Duration, warnings: &mut Vec<String>) {
    if route.repeat_interval > retention {
        warnings.push(format!(
            "route {}: repeat_interval {} is greater than the data retention {}: notifications may repeat more often",
            route.key,
            print_prometheus(route.repeat_interval),
            print_prometheus(retention),
        ));
    }
    route.routes.iter().for_each(|route| warn_of_retention(route, retention, warnings));
}
