//! Clusters of three members, or five, in network namespaces of their own: what they tell twice, what they don't tell,
//! and how long they take, with faults and without, beside the Go Alertmanager under the same script.

mod lab;
mod member;
mod names;
mod pages;
mod rolls;
mod scenarios;

use std::time::Duration;

use anyhow::{Context, ensure};

use crate::contender::Contender;
use crate::scenario::Figure;
use lab::Lab;

/// For anything that must happen.
const LIMIT: Duration = Duration::from_secs(300);

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(40);

/// All scenarios, in the order in which they run.
const SCENARIOS: &[Scenario] = &[
    Scenario { name: "three members, healthy", members: 3, run: scenarios::healthy },
    Scenario { name: "three members over IPv6", members: 3, run: scenarios::healthy6 },
    Scenario { name: "the first is killed half way", members: 3, run: scenarios::killed },
    Scenario { name: "silences", members: 3, run: scenarios::silences },
    Scenario { name: "a state of 40 MiB", members: 3, run: scenarios::large },
    Scenario { name: "one member cut off", members: 3, run: scenarios::cut_off },
    Scenario { name: "one member frozen", members: 3, run: scenarios::frozen },
    Scenario { name: "5 % of packets lost", members: 3, run: scenarios::lossy },
    Scenario { name: "no names at the start", members: 3, run: names::none_at_first },
    Scenario { name: "two clusters swap addresses", members: 5, run: names::swapped },
    Scenario { name: "rolling restarts under load", members: 3, run: rolls::run },
    Scenario { name: "five members, idle", members: 5, run: scenarios::idle },
];

/// Something that a cluster of either program goes through.
pub(crate) struct Scenario {
    /// What it is called in the table.
    pub(crate) name: &'static str,
    members: usize,
    run: fn(&Contender, &Lab, &Sizes) -> anyhow::Result<Vec<Figure>>,
}

/// How much of everything.
pub(crate) struct Sizes {
    /// Groups that notify.
    pub(crate) groups: usize,
    /// Silences made one after the other.
    pub(crate) looked_at: usize,
    /// Silences made at once.
    pub(crate) silences: usize,
    /// Silences of 4 KiB.
    pub(crate) large: usize,
    /// Rolling restarts.
    pub(crate) rolls: usize,
    /// Seconds of doing nothing.
    pub(crate) idle: u64,
}

impl Sizes {
    pub(crate) const FULL: Self =
        Self { groups: 1000, looked_at: 200, silences: 5000, large: 10_000, rolls: 20, idle: 30 };
    pub(crate) const QUICK: Self =
        Self { groups: 1000, looked_at: 50, silences: 1000, large: 10_000, rolls: 2, idle: 5 };
}

/// Those whose name contains this.
pub(crate) fn matching(only: &str) -> impl Iterator<Item = &'static Scenario> {
    SCENARIOS.iter().filter(move |scenario| scenario.name.contains(only))
}

impl Scenario {
    /// Puts a cluster through it.
    pub(crate) fn run(&self, contender: &Contender, sizes: &Sizes) -> anyhow::Result<Vec<Figure>> {
        let lab = Lab::new(self.members).context("building a network")?;
        (self.run)(contender, &lab, sizes)
    }
}

/// What no run of ours may show.
pub(crate) fn check(scenario: &Scenario, figures: &[Figure]) -> anyhow::Result<()> {
    for figure in figures {
        let must = ["never told", "never seen", "told twice", "other cluster", "own cluster"]
            .iter()
            .any(|what| figure.what.contains(what));
        ensure!(!must || figure.value == 0.0, "{}: {}: {}", scenario.name, figure.what, figure.value);
    }
    Ok(())
}
