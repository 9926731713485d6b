//! From a picture to the list that is asked for: filtered, grouped, sorted, counted.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, OnceLock};

use alerting::label::LabelSet;
use alerting::matcher::Matcher;
use alerting::time::Timestamp;
use alerting::view::AlertStatus;
use hashbrown::HashMap;
use regex::{Regex, RegexBuilder};
use serde::Serialize;

use super::ask::{Ask, Grouping, Sort, States};
use super::board::{Board, Row, Seen};

/// A list, ready to be cut into windows.
#[derive(Debug)]
pub(super) struct Arranged {
    /// In order.
    pub(super) groups: Vec<Section>,
    /// Of the alerts that all but the states let pass, each once.
    pub(super) states: Counts,
    /// Alerts in the list, each once.
    pub(super) alerts: usize,
    /// Alerts that there are at all, each once.
    pub(super) all: usize,
    facets: OnceLock<Vec<Facet>>,
}

/// The values of a label, in no order, with how many alerts have each.
#[derive(Debug)]
pub(super) struct Facet {
    pub(super) name: String,
    pub(super) values: Vec<(String, usize)>,
}

/// A group of the list.
#[derive(Debug)]
pub(super) struct Section {
    /// Names it as long as it exists.
    pub(super) id: u64,
    /// Index in the picture, for groups as they are notified.
    pub(super) group: Option<u32>,
    pub(super) labels: LabelSet,
    /// Indices of rows in the picture, in order.
    pub(super) rows: Vec<u32>,
    pub(super) states: Counts,
    /// How many there are of each value of the label `severity`; `""`: without.
    pub(super) severities: BTreeMap<String, usize>,
    /// When the first and the last of them began.
    began: (Timestamp, Timestamp),
    common: OnceLock<LabelSet>,
}

/// How many alerts are in each state; those in several count in each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    pub(super) active: usize,
    pub(super) silenced: usize,
    pub(super) inhibited: usize,
    pub(super) muted: usize,
}

impl Counts {
    fn add(&mut self, status: &AlertStatus) {
        self.active += usize::from(!status.suppressed());
        self.silenced += usize::from(!status.silenced_by.is_empty());
        self.inhibited += usize::from(!status.inhibited_by.is_empty());
        self.muted += usize::from(!status.muted_by.is_empty());
    }
}

impl States {
    fn shows(self, status: &AlertStatus) -> bool {
        (self.active || status.suppressed())
            && (self.silenced || status.silenced_by.is_empty())
            && (self.inhibited || status.inhibited_by.is_empty())
            && (self.muted || status.muted_by.is_empty())
    }
}

/// Everything but the states.
#[derive(Debug)]
pub(super) struct Filter<'a> {
    matchers: &'a [Matcher],
    /// By index of the group; `None`: all.
    groups: Option<Vec<bool>>,
    text: Option<Regex>,
}

impl<'a> Filter<'a> {
    pub(super) fn new(board: &Board, ask: &'a Ask) -> Self {
        let known = |name: &str| board.config.iter().flat_map(|c| &c.receivers).any(|r| *r.name == *name);
        // a name is a name, even if it is an expression that others match too
        let wants = |matcher: &Matcher, name: &str| match known(&matcher.value) {
            true => *matcher.value == *name,
            false => matcher.matches_value(name),
        };
        let groups = (!ask.receivers.is_empty()).then(|| {
            let wanted = |name: &str| ask.receivers.iter().any(|matcher| wants(matcher, name));
            board.groups.iter().map(|group| wanted(&group.receiver)).collect()
        });
        let text = (!ask.text.is_empty()).then(|| {
            let literal = regex::escape(&ask.text);
            RegexBuilder::new(&literal).case_insensitive(true).build().ok()
        });
        Self { matchers: &ask.matchers, groups, text: text.flatten() }
    }

    pub(super) fn passes(&self, row: &Row) -> bool {
        self.groups.as_ref().is_none_or(|groups| groups[row.group as usize])
            && self.matchers.iter().all(|matcher| matcher.matches(row.labels()))
            && self.text.as_ref().is_none_or(|text| {
                let alert = &row.alert.alert;
                alert.labels.iter().chain(alert.annotations.iter()).any(|(_, value)| text.is_match(value))
            })
    }
}

impl Arranged {
    pub(super) fn new(board: &Board, ask: &Ask) -> Self {
        let filter = Filter::new(board, ask);
        let (mut sections, mut place) = (Vec::<Section>::new(), HashMap::<u64, usize>::new());
        let (mut states, mut alerts) = (Counts::default(), 0);
        let (mut counted, mut listed) = (Seen::new(board), Seen::new(board));
        for (index, row) in board.rows.iter().enumerate() {
            if !filter.passes(row) {
                continue;
            }
            if counted.insert(row) {
                states.add(&row.alert.status);
            }
            if !ask.states.shows(&row.alert.status) {
                continue;
            }
            let first = listed.insert(row);
            alerts += usize::from(first);
            if !first && ask.grouping != Grouping::Notified {
                continue;
            }
            let id = section_id(board, ask, row);
            let at = *place.entry(id).or_insert_with(|| {
                sections.push(Section::new(id, board, ask, row));
                sections.len() - 1
            });
            let section = &mut sections[at];
            section.rows.push(index as u32);
            section.states.add(&row.alert.status);
            let (start, (first, last)) = (row.alert.alert.starts_at, section.began);
            section.began = (first.min(start), last.max(start));
            let severity = row.labels().value("severity");
            match section.severities.get_mut(severity) {
                Some(count) => *count += 1,
                None => drop(section.severities.insert(severity.to_owned(), 1)),
            }
        }
        for section in &mut sections {
            section.sort(board, ask);
        }
        sort_sections(&mut sections, board, ask);
        Self { groups: sections, states, alerts, all: board.alerts(), facets: OnceLock::new() }
    }

    /// All labels of its alerts, each alert once, by name.
    pub(super) fn facets(&self, board: &Board) -> &[Facet] {
        self.facets.get_or_init(|| {
            let mut seen = Seen::new(board);
            let mut labels: Vec<(&str, HashMap<&str, usize>)> = Vec::new();
            for index in self.groups.iter().flat_map(|section| &section.rows) {
                let row = &board.rows[*index as usize];
                if !seen.insert(row) {
                    continue;
                }
                for (place, (name, value)) in row.labels().iter().enumerate() {
                    // most alerts have the same labels, hence each at the same place
                    let known = labels.get(place).is_some_and(|(known, _)| *known == name);
                    let at = if known { Some(place) } else { labels.iter().position(|(known, _)| *known == name) };
                    let at = at.unwrap_or_else(|| {
                        labels.push((name, HashMap::new()));
                        labels.len() - 1
                    });
                    *labels[at].1.entry(value).or_default() += 1;
                }
            }
            let facet = |(name, values): (&str, HashMap<&str, usize>)| {
                let values = values.into_iter().map(|(value, count)| (value.to_owned(), count)).collect();
                Facet { name: name.to_owned(), values }
            };
            let mut facets: Vec<_> = labels.into_iter().map(facet).collect();
            facets.sort_unstable_by(|a, b| a.name.cmp(&b.name));
            facets
        })
    }

    /// A group by its id.
    pub(super) fn section(&self, id: u64) -> Option<&Section> {
        self.groups.iter().find(|section| section.id == id)
    }
}

impl Section {
    fn new(id: u64, board: &Board, ask: &Ask, row: &Row) -> Self {
        let labels = match &ask.grouping {
            Grouping::Notified => board.groups[row.group as usize].labels.clone(),
            Grouping::Labels(names) => {
                LabelSet::new(names.iter().filter_map(|name| row.labels().get(name).map(|value| (name, value))))
            }
            Grouping::None => LabelSet::empty(),
        };
        Self {
            id,
            group: (ask.grouping == Grouping::Notified).then_some(row.group),
            labels,
            rows: Vec::new(),
            states: Counts::default(),
            severities: BTreeMap::new(),
            began: (Timestamp::MAX, Timestamp::EPOCH),
            common: OnceLock::new(),
        }
    }

    fn sort(&mut self, board: &Board, ask: &Ask) {
        let row = |index: &u32| &board.rows[*index as usize];
        let start = |index: &u32| row(index).alert.alert.starts_at;
        let fingerprint = |index: &u32| row(index).alert.alert.fingerprint;
        match ask.sort {
            Sort::Severity => self.rows.sort_by_cached_key(|index| {
                (ask.rank(row(index).labels().value("severity")), Reverse(start(index)), fingerprint(index))
            }),
            Sort::Name => self.rows.sort_by(|a, b| row(a).labels().cmp(row(b).labels())),
            Sort::Newest => self.rows.sort_by_key(|index| (Reverse(start(index)), fingerprint(index))),
            Sort::Oldest => self.rows.sort_by_key(|index| (start(index), fingerprint(index))),
        }
    }

    /// Labels that all of its alerts have with the same values.
    pub(super) fn common(&self, board: &Board) -> &LabelSet {
        self.common.get_or_init(|| {
            let labels = |index: &u32| board.rows[*index as usize].labels();
            let Some((first, others)) = self.rows.split_first() else { return LabelSet::empty() };
            let mut common: Vec<(&str, &str)> = labels(first).iter().collect();
            for other in others {
                if common.is_empty() {
                    break;
                }
                common.retain(|(name, value)| labels(other).get(name) == Some(value));
            }
            LabelSet::new(common)
        })
    }
}

fn section_id(board: &Board, ask: &Ask, row: &Row) -> u64 {
    let mut hash = DefaultHasher::new();
    match &ask.grouping {
        Grouping::Notified => {
            let group = &board.groups[row.group as usize];
            (&group.key, &group.receiver, group.route).hash(&mut hash);
        }
        Grouping::Labels(names) => names.iter().for_each(|name| (name, row.labels().get(name)).hash(&mut hash)),
        Grouping::None => {}
    }
    hash.finish()
}

fn sort_sections(sections: &mut [Section], board: &Board, ask: &Ask) {
    let receiver = |section: &Section| section.group.map(|group| &board.groups[group as usize].receiver);
    let by_name = |a: &Section, b: &Section| {
        a.labels.cmp(&b.labels).then_with(|| receiver(a).cmp(&receiver(b))).then_with(|| a.id.cmp(&b.id))
    };
    match ask.sort {
        Sort::Severity => {
            let worst = |section: &Section| section.severities.keys().map(|severity| ask.rank(severity)).min();
            // what notifies goes before what is kept quiet
            sections.sort_by(|a, b| {
                let key = |section: &Section| (section.states.active == 0, worst(section), Reverse(section.began.1));
                key(a).cmp(&key(b)).then_with(|| by_name(a, b))
            });
        }
        Sort::Name => sections.sort_by(by_name),
        Sort::Newest => sections.sort_by_cached_key(|section| (Reverse(section.began.1), section.id)),
        Sort::Oldest => sections.sort_by_cached_key(|section| (section.began.0, section.id)),
    }
}

impl Ask {
    /// How bad a value of the label `severity` is for who asks; the worst is 0.
    fn rank(&self, severity: &str) -> usize {
        let own = self.severities.iter().position(|name| name.eq_ignore_ascii_case(severity));
        own.unwrap_or_else(|| self.severities.len() + usize::from(rank(severity)))
    }
}

/// How bad a value of the label `severity` is; the worst is 0. Values in the wild are many, these are most of them.
pub(super) fn rank(severity: &str) -> u8 {
    const RANKS: [&[&str]; 5] = [
        &["critical", "crit", "emergency", "fatal", "disaster", "page", "p1", "sev1"],
        &["high", "error", "major", "p2", "sev2"],
        &["warning", "warn", "average", "medium", "minor", "p3", "sev3"],
        &["low", "ticket", "p4", "sev4"],
        &["info", "information", "informational", "notice", "p5", "sev5"],
    ];
    let known = RANKS.iter().position(|names| names.iter().any(|name| name.eq_ignore_ascii_case(severity)));
    match known {
        Some(rank) => rank as u8,
        // "none" is what Watchdog has
        None if severity.is_empty() || severity.eq_ignore_ascii_case("none") => 5,
        None => 3,
    }
}

/// Receivers that have groups, with how many alerts are in these; one counts in each.
pub(super) fn receivers(board: &Board) -> BTreeMap<Arc<str>, usize> {
    let mut counts = vec![0; board.groups.len()];
    board.rows.iter().for_each(|row| counts[row.group as usize] += 1);
    let mut all = BTreeMap::new();
    for (group, count) in board.groups.iter().zip(counts) {
        *all.entry(group.receiver.clone()).or_default() += count;
    }
    all
}
