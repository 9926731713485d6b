//! What is measured. A new scenario is one more entry in [`SCENARIOS`].

use anyhow::Context;

use crate::contender::Contender;
use crate::load::{CONFIG, Load, Times};
use crate::process::Process;

/// All scenarios, in the order in which they run.
pub(crate) const SCENARIOS: &[Scenario] =
    &[Scenario { name: "empty process", run: empty }, Scenario { name: "alerts", run: alerts }];

/// Something that both programs do.
pub(crate) struct Scenario {
    /// What it is called in the table.
    pub(crate) name: &'static str,
    /// Starts a program, puts it under load, and says what it used: always the same figures in the same order.
    pub(crate) run: fn(&Contender, &Load) -> anyhow::Result<Vec<Figure>>,
}

/// Something measured.
pub(crate) struct Figure {
    /// What it is.
    pub(crate) what: &'static str,
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
    Milliseconds,
    /// CPU time.
    Seconds,
    /// Pieces of work in a second of CPU time.
    PerCpuSecond,
    /// Memory.
    Mebibytes,
}

impl Unit {
    /// Whether a greater value is a better one.
    pub(crate) fn more_is_better(self) -> bool {
        matches!(self, Self::PerCpuSecond)
    }
}

/// How often an empty process is started: what it uses is so little that chance matters.
const STARTS: usize = 5;

fn empty(contender: &Contender, _: &Load) -> anyhow::Result<Vec<Figure>> {
    let (mut cpu, mut rss) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let process = Process::start(contender, CONFIG)?;
        cpu.push(process.cpu_to_ready.as_secs_f64() * 1e3);
        process.rest()?;
        rss.push(mebibytes(process.rss()?));
    }
    Ok(vec![
        Figure { what: "CPU until ready", unit: Unit::Milliseconds, goal: Some(0.3), value: median(cpu) },
        Figure { what: "memory", unit: Unit::Mebibytes, goal: Some(0.35), value: median(rss) },
    ])
}

fn alerts(contender: &Contender, load: &Load) -> anyhow::Result<Vec<Figure>> {
    let process = Process::start(contender, CONFIG)?;
    let times = Times::now()?;
    let new = cost(&process, load, &times).context("posting new alerts")?;
    let rss = mebibytes(process.rss()?);
    load.verify_count(process.address)?;
    let later = times.later();
    let known = cost(&process, load, &later).context("posting known alerts")?;
    let rss_known = mebibytes(process.rss()?);
    let rss_max = mebibytes(process.rss_max()?);
    load.verify_count(process.address)?;
    load.verify_times(process.address, &later)?;
    let count = load.alerts as f64;
    let per_100k = |value: f64| value * 1e5 / count;
    Ok(vec![
        Figure { what: "new: alerts per CPU second", unit: Unit::PerCpuSecond, goal: Some(5.0), value: count / new },
        Figure { what: "new: CPU per million", unit: Unit::Seconds, goal: Some(0.2), value: new * 1e6 / count },
        Figure { what: "new: memory per 100k", unit: Unit::Mebibytes, goal: Some(0.25), value: per_100k(rss) },
        Figure {
            what: "known: alerts per CPU second",
            unit: Unit::PerCpuSecond,
            goal: Some(10.0),
            value: count / known,
        },
        Figure { what: "known: CPU per million", unit: Unit::Seconds, goal: Some(0.1), value: known * 1e6 / count },
        Figure { what: "known: memory per 100k", unit: Unit::Mebibytes, goal: None, value: per_100k(rss_known) },
        Figure { what: "both: highest memory per 100k", unit: Unit::Mebibytes, goal: None, value: per_100k(rss_max) },
    ])
}

/// CPU seconds that the process uses for the load until it has come to rest.
fn cost(process: &Process, load: &Load, times: &Times) -> anyhow::Result<f64> {
    let before = process.rest()?;
    load.post(process.address, times)?;
    Ok((process.rest()? - before).as_secs_f64())
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
