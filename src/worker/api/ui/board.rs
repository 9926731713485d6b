//! A picture of all that fires and all silences, taken in one look at the engine. Whatever the page shows of alerts is made
//! from it.

use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::{Arc, LazyLock};

use alerting::config::Config;
use alerting::engine::View;
use alerting::label::{Fingerprint, LabelSet};
use alerting::route::RouteIndex;
use alerting::silence::{Silence, SilenceId, SilenceState};
use alerting::time::Timestamp;
use alerting::view::{AlertFilter, AlertRow, ClusterView};
use hashbrown::{DefaultHashBuilder, HashMap};

/// Versions are compared within one process only.
static HASHING: LazyLock<DefaultHashBuilder> = LazyLock::new(DefaultHashBuilder::default);

/// How it was at a moment.
#[derive(Debug)]
pub(super) struct Board {
    /// When.
    pub(super) at: Timestamp,
    /// Another one when something changed that a list shows. Clocks that run don't count.
    pub(super) version: u64,
    /// Groups as they are notified, in no order; an alert is in each group that it's in.
    pub(super) groups: Vec<Group>,
    /// Their alerts, those of a group one after the other.
    pub(super) rows: Vec<Row>,
    /// The first row of each alert.
    pub(super) first: HashMap<Fingerprint, u32>,
    /// By id.
    pub(super) silences: Vec<(Arc<Silence>, SilenceState)>,
    /// What is in force; `None` before the first.
    pub(super) config: Option<Arc<Config>>,
    /// This member and its peers.
    pub(super) cluster: ClusterView,
}

/// A group of alerts.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) key: Arc<str>,
    pub(super) route: RouteIndex,
    pub(super) receiver: Arc<str>,
    pub(super) labels: LabelSet,
    pub(super) next_flush: Timestamp,
}

/// An alert in a group.
#[derive(Debug)]
pub(super) struct Row {
    /// Index of the group.
    pub(super) group: u32,
    /// Index of the first row of the same alert.
    first: u32,
    /// It, and what keeps it quiet.
    pub(super) alert: AlertRow,
}

/// What [`Board::take`] brings from the engine: handles only.
#[derive(Debug)]
pub(super) struct Taken {
    at: Timestamp,
    groups: Vec<alerting::view::GroupRow>,
    silences: Vec<(Arc<Silence>, SilenceState)>,
    config: Option<Arc<Config>>,
    cluster: ClusterView,
}

impl Taken {
    /// On the event loop.
    pub(super) fn from(view: &mut View<'_>) -> Self {
        Self {
            at: view.now(),
            groups: view.groups_unordered(&AlertFilter::default()),
            silences: view.silences(),
            config: view.config().cloned(),
            cluster: view.cluster(),
        }
    }
}

impl Board {
    /// Elsewhere.
    pub(super) fn new(taken: Taken) -> Self {
        let Taken { at, groups: grouped, silences, config, cluster } = taken;
        let mut hash = HASHING.build_hasher();
        let count = grouped.iter().map(|group| group.alerts.len()).sum();
        let (mut groups, mut rows) = (Vec::with_capacity(grouped.len()), Vec::with_capacity(count));
        let mut first = HashMap::with_capacity(count);
        for (index, group) in grouped.into_iter().enumerate() {
            (&group.key, &group.receiver).hash(&mut hash);
            for alert in group.alerts {
                hash_row(&alert, &mut hash);
                let first = *first.entry(alert.alert.fingerprint).or_insert(rows.len() as u32);
                rows.push(Row { group: index as u32, first, alert });
            }
            let alerting::view::GroupRow { labels, receiver, key, route, next_flush, .. } = group;
            groups.push(Group { key, route, receiver, labels, next_flush });
        }
        for (silence, state) in &silences {
            (&silence.id.0, silence.updated_at, state.name()).hash(&mut hash);
        }
        config.as_ref().map(|config| config.md5_hash).hash(&mut hash);
        cluster.settled.hash(&mut hash);
        for peer in &cluster.peers {
            let outlook = peer.outlook.as_ref().map(|outlook| (outlook.config, &outlook.sees));
            (&peer.name, peer.address, outlook).hash(&mut hash);
        }
        Self { at, version: hash.finish(), groups, rows, first, silences, config, cluster }
    }

    /// How many different alerts there are.
    pub(super) fn alerts(&self) -> usize {
        self.first.len()
    }

    /// A silence by its id.
    pub(super) fn silence(&self, id: &SilenceId) -> Option<&(Arc<Silence>, SilenceState)> {
        self.silences.binary_search_by(|(silence, _)| silence.id.cmp(id)).ok().map(|at| &self.silences[at])
    }

    /// Each alert once, in the order of the rows.
    pub(super) fn each_alert(&self) -> impl Iterator<Item = &Row> {
        let mut seen = Seen::new(self);
        self.rows.iter().filter(move |row| seen.insert(row))
    }

    /// How many alerts each silence keeps quiet.
    pub(super) fn hits(&self) -> HashMap<&SilenceId, usize> {
        let mut hits = HashMap::new();
        for id in self.each_alert().flat_map(|row| &row.alert.status.silenced_by) {
            *hits.entry(id).or_default() += 1;
        }
        hits
    }

    /// The first row of an alert.
    pub(super) fn row(&self, fingerprint: Fingerprint) -> Option<&Row> {
        self.first.get(&fingerprint).map(|at| &self.rows[*at as usize])
    }
}

/// Alerts that were seen, by their first rows.
#[derive(Debug)]
pub(super) struct Seen(Vec<bool>);

impl Seen {
    pub(super) fn new(board: &Board) -> Self {
        Self(vec![false; board.rows.len()])
    }

    /// Whether it's new.
    pub(super) fn insert(&mut self, row: &Row) -> bool {
        !std::mem::replace(&mut self.0[row.first as usize], true)
    }
}

impl Row {
    pub(super) fn labels(&self) -> &LabelSet {
        &self.alert.alert.labels
    }
}

/// What is shown of an alert. Its end is left out: each report of it moves that.
fn hash_row(row: &AlertRow, hash: &mut impl Hasher) {
    let alert = &row.alert;
    (alert.fingerprint.0, alert.starts_at, &alert.annotations).hash(hash);
    for id in &row.status.silenced_by {
        id.0.hash(hash);
    }
    for by in &row.status.inhibited_by {
        by.0.hash(hash);
    }
    row.status.muted_by.hash(hash);
}
