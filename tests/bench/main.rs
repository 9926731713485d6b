//! Ours beside the Go Alertmanager: the same load on both, one after the other, and what it cost each in CPU time and
//! memory, as ratios. Figures of two runs are not comparable, their ratios are. It fails when a program loses alerts,
//! never because something took long.

mod cluster;
mod contender;
mod files;
mod http;
mod load;
mod operator;
mod process;
mod scenario;
mod sink;
mod table;

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;

use crate::contender::Contender;
use crate::operator::Subject;
use crate::scenario::{Figure, SCENARIOS, Sizes};
use crate::table::Line;

/// Compares CPU and memory of this worker with the Go Alertmanager's.
#[derive(Parser, Debug)]
struct Flags {
    /// Everything about ten times smaller: does it run, rather than how good is it.
    #[arg(long)]
    quick: bool,
    /// How often to measure each program; the figures are means.
    #[arg(long, default_value_t = 1)]
    rounds: usize,
    /// Measure only scenarios whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// Clusters in namespaces instead of single programs; run it as root by `unshare --net`.
    #[arg(long)]
    cluster: bool,
    /// Operators with so many clusters on an API server alone, instead of programs.
    #[arg(long, value_name = "CLUSTERS")]
    operator: Option<usize>,
    /// Measure only ours, for a profiler's sake.
    #[arg(long)]
    ours_only: bool,
}

fn main() -> ExitCode {
    match run(&Flags::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(flags: &Flags) -> anyhow::Result<()> {
    let ours = Contender::ours()?;
    let reference = if flags.ours_only { None } else { Some(Contender::reference()?) };
    let sizes = if flags.quick { Sizes::QUICK } else { Sizes::FULL };
    // the sink may have as many connections as a program opens
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let all = rustix::process::Rlimit { current: files.maximum, maximum: files.maximum };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, all).context("asking for more open files")?;
    table::facts(&ours, reference.as_ref())?;
    if flags.cluster {
        return clusters(flags, &ours, reference.as_ref());
    }
    if let Some(clusters) = flags.operator {
        return operators(flags, &ours, clusters);
    }
    let mut lines = Vec::new();
    for scenario in SCENARIOS.iter().filter(|scenario| scenario.name.contains(&flags.only)) {
        let measure = |contender: &Contender| {
            progress(&format!("{}: {}", scenario.name, contender.name));
            (scenario.run)(contender, &sizes).with_context(|| format!("{} with {}", scenario.name, contender.name))
        };
        let (mut of_ours, mut of_reference) = (Vec::new(), Vec::new());
        for round in 0..flags.rounds.max(1) {
            // Who comes first alternates, so that a machine that gets slower or faster favours neither.
            if round % 2 == 1 {
                of_ours.push(measure(&ours)?);
            }
            of_reference.extend(reference.as_ref().map(measure).transpose()?);
            if round % 2 == 0 {
                of_ours.push(measure(&ours)?);
            }
        }
        let joined = joined(scenario.name, &of_reference, &of_ours);
        // at once too: who waits for all of it wants to see something
        table::print(&joined)?;
        lines.extend(joined);
    }
    if lines.len() > 1 {
        table::summary(&lines)?;
    }
    Ok(())
}

fn operators(flags: &Flags, ours: &Contender, clusters: usize) -> anyhow::Result<()> {
    const EDITS: usize = 20;
    let measure = |subject: &Subject| operator::run(subject, clusters, EDITS.min(clusters));
    progress("prometheus-operator");
    let of_reference = if flags.ours_only { None } else { Some(measure(&Subject::Reference)?) };
    progress("ours");
    let of_ours = measure(&Subject::ours(ours))?;
    let lines = joined("many clusters, one operator", of_reference.as_slice(), &[of_ours]);
    table::print(&lines)?;
    Ok(table::summary(&lines)?)
}

/// Fails if a cluster of ours tells something twice or never where it must not.
fn clusters(flags: &Flags, ours: &Contender, reference: Option<&Contender>) -> anyhow::Result<()> {
    let sizes = if flags.quick { cluster::Sizes::QUICK } else { cluster::Sizes::FULL };
    let (mut lines, mut broken) = (Vec::new(), None);
    for scenario in cluster::matching(&flags.only) {
        let measure = |contender: &Contender| {
            progress(&format!("{}: {}", scenario.name, contender.name));
            scenario.run(contender, &sizes).with_context(|| format!("{} with {}", scenario.name, contender.name))
        };
        let of_reference = reference.map(measure).transpose()?;
        let of_ours = measure(ours)?;
        broken = broken.or(cluster::check(scenario, &of_ours).err());
        let joined = joined(scenario.name, of_reference.as_slice(), &[of_ours]);
        table::print(&joined)?;
        lines.extend(joined);
    }
    table::summary(&lines)?;
    broken.map_or(Ok(()), Err)
}

/// A line for each figure, with the means of all rounds.
fn joined(scenario: &'static str, reference: &[Vec<Figure>], ours: &[Vec<Figure>]) -> Vec<Line> {
    let mean = |rounds: &[Vec<Figure>], position: usize| {
        let values = rounds.iter().filter_map(|figures| figures.get(position)).map(|figure| figure.value);
        (!rounds.is_empty()).then(|| values.sum::<f64>() / rounds.len() as f64)
    };
    let figures = ours.first().map_or(&[][..], Vec::as_slice);
    let line = |(position, figure): (usize, &Figure)| Line {
        scenario,
        what: figure.what.clone(),
        unit: figure.unit,
        goal: figure.goal,
        reference: mean(reference, position),
        ours: mean(ours, position).unwrap_or(f64::NAN),
    };
    figures.iter().enumerate().map(line).collect()
}

fn progress(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
