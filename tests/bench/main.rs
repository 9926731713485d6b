//! Ours beside the Go Alertmanager: the same load on both, one after the other, and what it cost each in CPU time and
//! memory, as ratios. Figures of two runs are not comparable, their ratios are. It fails when a program loses alerts,
//! never because something took long.

mod contender;
mod http;
mod load;
mod process;
mod scenario;
mod table;

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;

use crate::contender::Contender;
use crate::load::Load;
use crate::scenario::{Figure, SCENARIOS};
use crate::table::Line;

/// Compares CPU and memory of this worker with the Go Alertmanager's.
#[derive(Parser, Debug)]
struct Flags {
    /// How many alerts to post.
    #[arg(long, default_value_t = 200_000)]
    alerts: usize,
    /// How often to measure each program; the figures are means.
    #[arg(long, default_value_t = 2)]
    rounds: usize,
    /// Measure only scenarios whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
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
    let load = Load::new(flags.alerts);
    table::facts(&ours, reference.as_ref())?;
    let mut lines = Vec::new();
    for scenario in SCENARIOS.iter().filter(|scenario| scenario.name.contains(&flags.only)) {
        let measure = |contender: &Contender| {
            progress(&format!("{}: {}", scenario.name, contender.name));
            (scenario.run)(contender, &load).with_context(|| format!("{} with {}", scenario.name, contender.name))
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
        lines.extend(joined(scenario.name, &of_reference, &of_ours));
    }
    table::print(&lines)?;
    Ok(())
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
        what: figure.what,
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
