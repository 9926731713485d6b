//! What a validated config is. Nothing in here can be inconsistent: names resolve, inheritance is filled in.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::hash::ConfigHash;
use super::receiver::Settings;
use super::recorder::EventRecorderConfig;
use super::secret::Secret;
use super::tracing::TracingConfig;
use crate::interval::TimeInterval;
use crate::label::LabelSet;
use crate::matcher::{Matcher, Mode};
use crate::template::Templates;

/// A validated config; immutable.
#[derive(Clone, Debug)]
pub struct Config {
    /// How long an alert posted without an end fires.
    pub resolve_timeout: Duration,
    /// Root of the route tree.
    pub route: Route,
    /// All receivers in the order of the file.
    pub receivers: Vec<Receiver>,
    /// All inhibition rules in the order of the file.
    pub inhibit_rules: Vec<InhibitRule>,
    /// `time_intervals` and `mute_time_intervals`, which share one name space.
    pub time_intervals: BTreeMap<Arc<str>, Vec<TimeInterval>>,
    /// Patterns of files with templates, in order.
    pub templates: Vec<String>,
    /// Files below the directories of an operator that it names (`*_file`), in the order of their paths: their contents count
    /// in [`Self::hash`]. Others, such as tokens that somebody else rotates, don't.
    pub mounted: Vec<String>,
    /// The built-in templates, and those of the files once the shell has read them.
    pub template_set: Templates,
    /// Where spans go.
    pub tracing: Option<TracingConfig>,
    /// Where events are recorded.
    pub event_recorder: Option<EventRecorderConfig>,
    /// The config printed back, secrets hidden: `config.original` of the status API.
    pub original: Arc<str>,
    /// [`content_hash`](super::content_hash) of the text as `alertmanager.yml`, and of the template files and
    /// the mounted ones once the shell has read them.
    pub hash: ConfigHash,
    /// Value of `alertmanager_config_hash`.
    pub md5_hash: u64,
    /// The matcher syntax that it was read with.
    pub mode: Mode,
    /// What to log when it is loaded, one line each.
    pub warnings: Vec<String>,
}

/// One node of the route tree, with what it inherits filled in.
#[derive(Clone, Debug)]
pub struct Route {
    /// Name of a receiver in [`Config::receivers`].
    pub receiver: Arc<str>,
    /// How alerts are put into groups.
    pub group_by: GroupBy,
    /// All must match; sorted, duplicates kept.
    pub matchers: Vec<Matcher>,
    /// Names in [`Config::time_intervals`] in which it is muted.
    pub mute_time_intervals: Vec<Arc<str>>,
    /// Names in [`Config::time_intervals`] outside of which it is muted; empty: always active.
    pub active_time_intervals: Vec<Arc<str>>,
    /// Whether later siblings are tried after it matched.
    pub continue_matching: bool,
    /// Delay of a group's first notification; may be zero.
    pub group_wait: Duration,
    /// Time between looks at a group; not zero.
    pub group_interval: Duration,
    /// After which an unchanged group is notified again; not zero.
    pub repeat_interval: Duration,
    /// Labels of the route, parents' included.
    pub labels: BTreeMap<Arc<str>, Arc<str>>,
    /// Tried in order.
    pub routes: Vec<Self>,
    /// Matchers from the root on, e.g. `{}/{team="x"}`: first part of group keys. Not unique.
    pub key: Arc<str>,
    /// Like [`Self::key`], with the index among siblings after each level: unique.
    pub id: Arc<str>,
}

/// How alerts are put into groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupBy {
    /// By the values of these labels; sorted. None: one group.
    Labels(Vec<Arc<str>>),
    /// By all labels.
    All,
}

/// A named list of integrations; may have none.
#[derive(Clone, Debug)]
pub struct Receiver {
    /// Unique.
    pub name: Arc<str>,
    /// Its `labels`, with `name` added.
    pub labels: LabelSet,
    /// In the order of the reference: by kind, then by place in the file.
    pub integrations: Vec<Integration>,
}

/// One way to notify.
#[derive(Clone, Debug)]
pub struct Integration {
    /// `webhook`, `email`, …: as in the reference's metrics.
    pub kind: &'static str,
    /// Place among those of its kind in the receiver, from 0.
    pub index: u32,
    /// Whether resolved alerts are notified.
    pub send_resolved: bool,
    /// Line of the config on which it begins, from 1.
    pub line: usize,
    /// What its kind needs.
    pub settings: Settings,
}

/// Where a secret URL comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UrlSource {
    /// From the config: a valid http or https URL, a template where the kind allows one, or `<secret>`, which stands for
    /// a URL that was hidden when the config was printed and can't be sent to.
    Inline(Secret),
    /// Read from this file at each send and trimmed; relative to the working directory.
    File(String),
}

/// Alerts that match `source` mute alerts that match `target`, where the labels of `equal` have the same values.
#[derive(Clone, Debug)]
pub struct InhibitRule {
    /// For metrics and logs.
    pub name: Option<Arc<str>>,
    /// All must match; sorted.
    pub source: Vec<Matcher>,
    /// All must match; sorted.
    pub target: Vec<Matcher>,
    /// Sorted, without duplicates.
    pub equal: Vec<Arc<str>>,
}
