//! What is measured. A new scenario is one more entry in [`SCENARIOS`].

mod alerts;
mod empty;
mod idle;
mod inhibit;
mod notify;
mod page;
mod read;
mod restart;
mod silences;

use std::time::Duration;

use crate::contender::Contender;

/// All scenarios, in the order in which they run: the short ones first.
pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario { name: "empty process", run: empty::run },
    Scenario { name: "restart", run: restart::run },
    Scenario { name: "inhibition", run: inhibit::run },
    Scenario { name: "silences", run: silences::run },
    Scenario { name: "reading", run: read::run },
    Scenario { name: "page", run: page::run },
    Scenario { name: "notifications", run: notify::many_groups },
    Scenario { name: "one group", run: notify::one_group },
    Scenario { name: "messages", run: notify::messages },
    Scenario { name: "idle groups", run: idle::run },
    Scenario { name: "alerts", run: alerts::run },
];

/// Something that both programs do.
pub(crate) struct Scenario {
    /// What it is called in the table.
    pub(crate) name: &'static str,
    /// Starts a program, puts it under load, and says what it used: always the same figures in the same order.
    pub(crate) run: fn(&Contender, &Sizes) -> anyhow::Result<Vec<Figure>>,
}

/// How much of everything.
pub(crate) struct Sizes {
    /// Alerts that are posted, and posted again.
    pub(crate) alerts: usize,
    /// Alerts that are read.
    pub(crate) read: usize,
    /// Silences there are.
    pub(crate) silences: usize,
    /// Alerts that are read with those.
    pub(crate) silenced: usize,
    /// Alerts that are flushed with those.
    pub(crate) flushed: usize,
    /// Inhibition rules.
    pub(crate) rules: usize,
    /// Alerts on their source side.
    pub(crate) sources: usize,
    /// Alerts on their target side.
    pub(crate) targets: usize,
    /// Groups that notify at once.
    pub(crate) groups: usize,
    /// Alerts of one group.
    pub(crate) one_group: usize,
    /// Groups that have nothing to tell.
    pub(crate) idle: usize,
    /// Silences found at the start.
    pub(crate) stored_silences: usize,
    /// Log entries found at the start.
    pub(crate) stored_entries: usize,
}

impl Sizes {
    /// Where the reference takes minutes it's less than what the goals are about; its cost grows in proportion there.
    pub(crate) const FULL: Self = Self {
        alerts: 200_000,
        read: 100_000,
        silences: 10_000,
        silenced: 2_000,
        flushed: 1_000,
        rules: 500,
        sources: 2_000,
        targets: 20_000,
        groups: 10_000,
        one_group: 20_000,
        idle: 50_000,
        stored_silences: 20_000,
        stored_entries: 50_000,
    };

    /// To see whether it runs.
    pub(crate) const QUICK: Self = Self {
        alerts: 20_000,
        read: 10_000,
        silences: 2_000,
        silenced: 500,
        flushed: 500,
        rules: 50,
        sources: 400,
        targets: 2_000,
        groups: 1_000,
        one_group: 2_000,
        idle: 5_000,
        stored_silences: 2_000,
        stored_entries: 5_000,
    };
}

/// Something measured.
pub(crate) struct Figure {
    /// What it is.
    pub(crate) what: String,
    /// Its unit.
    pub(crate) unit: Unit,
    /// What ours divided by the reference's ought to be: at most, or at least when [`Unit::more_is_better`].
    pub(crate) goal: Option<f64>,
    /// The value in that unit.
    pub(crate) value: f64,
}

/// In what a figure is measured.
#[derive(Clone, Copy)]
pub(crate) enum Unit {
    /// CPU time.
    Microseconds,
    /// CPU time.
    Milliseconds,
    /// CPU time, or time where that is said.
    Seconds,
    /// How many.
    Count,
    /// Pieces of work in a second.
    PerSecond,
    /// A part of a whole; more is better.
    Share,
    /// Memory.
    Kibibytes,
    /// Memory.
    Mebibytes,
}

impl Unit {
    /// Whether a greater value is a better one.
    pub(crate) fn more_is_better(self) -> bool {
        matches!(self, Self::PerSecond | Self::Share)
    }
}

impl Figure {
    /// CPU time.
    fn cpu(what: impl Into<String>, goal: f64, cpu: Duration) -> Self {
        let secs = cpu.as_secs_f64();
        let (unit, value) = (Unit::Milliseconds, secs * 1e3);
        Self { what: what.into(), unit, goal: Some(goal), value }
    }

    /// Anything else.
    fn new(what: impl Into<String>, unit: Unit, goal: Option<f64>, value: f64) -> Self {
        Self { what: what.into(), unit, goal, value }
    }
}

/// A config with one webhook.
pub(crate) fn config(group_by: &str, url: &str, group_wait: &str, group_interval: &str) -> String {
    format!(
        "route:
  receiver: webhook
  group_by: [{group_by}]
  group_wait: {group_wait}
  group_interval: {group_interval}
  repeat_interval: 12h
receivers:
- name: webhook
  webhook_configs:
  - url: {url}
"
    )
}

/// Groups by alertname and cluster; nothing is sent while it is measured. Nobody listens there either.
fn quiet_config() -> String {
    config("alertname, cluster", "http://127.0.0.1:9/", "2h", "2h")
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
