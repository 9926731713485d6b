//! Reads the route tree: first what each node says, then what it inherits.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::error::ConfigError;
use super::matchers::{Reader, key};
use super::model::{GroupBy, Route};
use super::node::Node;
use super::out::{Fields, Out};
use super::section::{Section, Texts};
use crate::duration::print_prometheus;
use crate::label::GoQuoted;
use crate::matcher::{Matcher, valid_label_name};

const FIELDS: [&str; 13] = [
    "receiver",
    "group_by",
    "match",
    "match_re",
    "matchers",
    "mute_time_intervals",
    "active_time_intervals",
    "continue",
    "routes",
    "group_wait",
    "group_interval",
    "repeat_interval",
    "labels",
];

/// One node as written.
pub(super) struct Written<'a> {
    section: Section<'a>,
    receiver: Option<&'a str>,
    group_by: Option<GroupBy>,
    matchers: Vec<Matcher>,
    mute: Texts<'a>,
    active: Texts<'a>,
    continue_matching: bool,
    group_wait: Option<Duration>,
    group_interval: Option<Duration>,
    repeat_interval: Option<Duration>,
    labels: BTreeMap<&'a str, &'a str>,
    routes: Vec<Self>,
}

/// Reads a node and all below it, and prints them.
pub(super) fn read<'a>(node: &'a Node, path: &str, reader: &mut Reader) -> Result<(Written<'a>, Out), ConfigError> {
    if node.is_null() {
        return Err(node.error(path, "missing route"));
    }
    let section = Section::open(node, path, "config.plain", &FIELDS)?;
    let mut printed = Fields::default();
    let receiver = section.text("receiver")?.filter(|name| !name.is_empty());
    printed.put_some("receiver", Out::text(receiver.unwrap_or_default()));
    let group_by = read_group_by(&section, reader, &mut printed)?;
    let matchers = reader.all(&section, ["match", "match_re", "matchers"], &mut printed)?;
    let mute = read_names(&section, "mute_time_intervals", &mut printed)?;
    let active = read_names(&section, "active_time_intervals", &mut printed)?;
    let continue_matching = section.flag("continue", false)?;
    printed.put("continue", Out::Bare(continue_matching.to_string()));
    let (mut routes, mut routes_printed) = (Vec::new(), Vec::new());
    for (path, node) in section.list("routes", "[]*config.Route")?.unwrap_or_default() {
        let (route, out) = read(node, &path, reader)?;
        routes.push(route);
        routes_printed.push(out);
    }
    printed.put_some("routes", Out::List(routes_printed));
    let mut time = |name: &'static str| {
        let value = section.duration(name)?;
        printed.put_some(name, Out::text(value.map(print_prometheus).unwrap_or_default()));
        Ok(value)
    };
    let (group_wait, group_interval, repeat_interval) =
        (time("group_wait")?, time("group_interval")?, time("repeat_interval")?);
    for (name, value) in [("group_interval", group_interval), ("repeat_interval", repeat_interval)] {
        if value.is_some_and(|value| value.is_zero()) {
            return Err(section.error(name, format!("{name} cannot be zero")));
        }
    }
    let labels = read_labels(&section, reader)?;
    printed.put_some("labels", Out::text_map(labels.iter().map(|(k, v)| (*k, *v))));
    let written = Written {
        section,
        receiver,
        group_by,
        matchers,
        mute,
        active,
        continue_matching,
        group_wait,
        group_interval,
        repeat_interval,
        labels,
        routes,
    };
    Ok((written, printed.done()))
}

impl Written<'_> {
    /// What only the root must, or must not, say.
    pub(super) fn check_root(&self) -> Result<(), ConfigError> {
        let section = &self.section;
        if self.receiver.is_none() {
            return Err(section.error("receiver", "root route must specify a default receiver"));
        }
        if !self.matchers.is_empty() {
            let given = ["match", "match_re", "matchers"].into_iter().find(|name| section.has(name));
            return Err(section.error(given.unwrap_or_default(), "root route must not have any matchers"));
        }
        if !self.mute.is_empty() {
            let message = "root route must not have any mute time intervals";
            return Err(section.error("mute_time_intervals", message));
        }
        if !self.active.is_empty() {
            let message = "root route must not have any active time intervals";
            return Err(section.error("active_time_intervals", message));
        }
        if self.continue_matching {
            return Err(section.error("continue", "cannot have continue in root route"));
        }
        Ok(())
    }

    /// Whether all receivers of the tree are defined.
    pub(super) fn check_receivers(&self, defined: &BTreeSet<&str>) -> Result<(), ConfigError> {
        self.routes.iter().try_for_each(|route| route.check_receivers(defined))?;
        match self.receiver {
            Some(name) if !defined.contains(name) => {
                Err(self.section.error("receiver", format!("undefined receiver {} used in route", GoQuoted(name))))
            }
            _ => Ok(()),
        }
    }

    /// Whether all time intervals of the tree are defined.
    pub(super) fn check_intervals(&self, defined: &BTreeSet<Arc<str>>) -> Result<(), ConfigError> {
        self.routes.iter().try_for_each(|route| route.check_intervals(defined))?;
        match self.active.iter().chain(&self.mute).find(|(name, _, _)| !defined.contains(*name)) {
            Some((name, path, node)) => {
                Err(node.error(path, format!("undefined time interval {} used in route", GoQuoted(name))))
            }
            None => Ok(()),
        }
    }

    /// The root of the tree, with what its nodes inherit filled in.
    pub(super) fn into_root(self) -> Route {
        let nothing = Route {
            receiver: Arc::from(""),
            group_by: GroupBy::Labels(Vec::new()),
            matchers: Vec::new(),
            mute_time_intervals: Vec::new(),
            active_time_intervals: Vec::new(),
            continue_matching: false,
            group_wait: Duration::from_secs(30),
            group_interval: Duration::from_secs(300),
            repeat_interval: Duration::from_secs(4 * 3600),
            labels: BTreeMap::new(),
            routes: Vec::new(),
            key: Arc::from(""),
            id: Arc::from(""),
        };
        self.below(&nothing, None)
    }

    /// `index`: among the siblings; `None` for the root.
    fn below(self, parent: &Route, index: Option<usize>) -> Route {
        let own = key(&self.matchers);
        let (route_key, id) = match index {
            None => (own.clone(), own),
            Some(index) => (format!("{}/{own}", parent.key), format!("{}/{own}/{index}", parent.id)),
        };
        let mut labels = parent.labels.clone();
        labels.extend(self.labels.iter().map(|(name, value)| (Arc::from(*name), Arc::from(*value))));
        let names = |names: &Texts<'_>| names.iter().map(|(name, _, _)| Arc::from(*name)).collect();
        let mut route = Route {
            receiver: self.receiver.map_or_else(|| Arc::clone(&parent.receiver), Arc::from),
            group_by: self.group_by.unwrap_or_else(|| parent.group_by.clone()),
            mute_time_intervals: names(&self.mute),
            active_time_intervals: names(&self.active),
            matchers: self.matchers,
            continue_matching: self.continue_matching,
            group_wait: self.group_wait.unwrap_or(parent.group_wait),
            group_interval: self.group_interval.unwrap_or(parent.group_interval),
            repeat_interval: self.repeat_interval.unwrap_or(parent.repeat_interval),
            labels,
            routes: Vec::new(),
            key: route_key.into(),
            id: id.into(),
        };
        let children = self.routes.into_iter().enumerate();
        route.routes = children.map(|(at, child)| child.below(&route, Some(at))).collect();
        route
    }
}

fn read_group_by(section: &Section<'_>, reader: &Reader, printed: &mut Fields) -> Result<Option<GroupBy>, ConfigError> {
    let Some(names) = section.texts("group_by")? else { return Ok(None) };
    printed.put_some("group_by", Out::texts(names.iter().map(|(name, _, _)| name)));
    let mut labels = BTreeSet::new();
    let all = names.iter().any(|(name, _, _)| *name == "...");
    for (name, path, node) in names.iter().filter(|(name, _, _)| *name != "...") {
        if !valid_label_name(reader.mode, name) {
            return Err(node.error(path, format!("invalid label name {} in group_by list", GoQuoted(name))));
        }
        if all {
            let message = "cannot have wildcard group_by (`...`) and other labels at the same time";
            return Err(node.error(path, message));
        }
        if !labels.insert(Arc::from(*name)) {
            return Err(node.error(path, format!("duplicated label {} in group_by", GoQuoted(name))));
        }
    }
    Ok(Some(if all { GroupBy::All } else { GroupBy::Labels(labels.into_iter().collect()) }))
}

fn read_names<'a>(section: &Section<'a>, name: &'static str, printed: &mut Fields) -> Result<Texts<'a>, ConfigError> {
    let names = section.texts(name)?.unwrap_or_default();
    printed.put_some(name, Out::texts(names.iter().map(|(name, _, _)| name)));
    Ok(names)
}

fn read_labels<'a>(section: &Section<'a>, reader: &Reader) -> Result<BTreeMap<&'a str, &'a str>, ConfigError> {
    for (name, node, path) in section.map("labels", "model.LabelSet")? {
        if name.is_empty() {
            return Err(node.error(&path, "\"\" is not a valid label name"));
        }
        if !valid_label_name(reader.mode, name) {
            return Err(node.error(&path, format!("invalid label name {} in route labels", GoQuoted(name))));
        }
    }
    section.text_map_of("labels", "model.LabelSet", "model.LabelValue")
}
