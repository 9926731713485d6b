//! What is printed: facts about the machine and the programs, then the figures side by side.

use std::fs;
use std::io::{self, Write};
use std::thread::available_parallelism;

use crate::contender::Contender;
use crate::scenario::Unit;

/// A figure of both programs.
pub(crate) struct Line {
    /// Whose figure.
    pub(crate) scenario: &'static str,
    /// What it is.
    pub(crate) what: String,
    /// Of the two values.
    pub(crate) unit: Unit,
    /// For their ratio.
    pub(crate) goal: Option<f64>,
    /// Nothing if only ours was measured.
    pub(crate) reference: Option<f64>,
    /// The value of ours.
    pub(crate) ours: f64,
}

/// Prints where this runs, and what is compared.
pub(crate) fn facts(ours: &Contender, reference: Option<&Contender>) -> anyhow::Result<()> {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split_once(": "));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let mut out = io::stdout().lock();
    let model = model.map_or("unknown CPU", |(_, name)| name);
    writeln!(out, "machine:    {} cores, {model}, Linux {}", available_parallelism()?, kernel.trim())?;
    writeln!(out, "load:       {} before the start", load.split(' ').take(3).collect::<Vec<_>>().join(" "))?;
    if let Some(reference) = reference {
        writeln!(out, "reference:  {}", reference.version()?)?;
    }
    writeln!(out, "ours:       {}", ours.version()?)?;
    if cfg!(debug_assertions) {
        writeln!(
            out,
            "debug build:  its figures say nothing unless $ALERTMANAGER_OPERATOR_BIN is a release; `make bench` makes one"
        )?;
    }
    writeln!(out)?;
    Ok(())
}

/// Prints the figures of a scenario.
pub(crate) fn print(lines: &[Line]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let Some(first) = lines.first() else { return Ok(()) };
    writeln!(out, "{:62}  {:>10}  {:>10}  {:>7}  goal", first.scenario, "reference", "ours", "ratio")?;
    for line in lines {
        let reference = line.reference.map_or_else(|| "-".to_owned(), |value| value_text(value, line.unit));
        let ratio = line.ratio().map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.3}"));
        let ours = value_text(line.ours, line.unit);
        let row = format!("  {:60}  {reference:>10}  {ours:>10}  {ratio:>7}  {}", line.what, goal_text(line));
        writeln!(out, "{}", row.trim_end())?;
    }
    writeln!(out)
}

/// Prints how many goals are met.
pub(crate) fn summary(lines: &[Line]) -> io::Result<()> {
    let met: Vec<bool> = lines.iter().filter_map(Line::met).collect();
    let good = met.iter().filter(|met| **met).count();
    writeln!(io::stdout().lock(), "{good} of {} goals met", met.len())
}

impl Line {
    fn ratio(&self) -> Option<f64> {
        // nothing is the best there can be, also beside nothing
        self.reference.map(|reference| if self.ours == 0.0 { 0.0 } else { self.ours / reference })
    }

    /// Nothing if there is no goal, or no reference.
    fn met(&self) -> Option<bool> {
        let (goal, ratio) = self.goal.zip(self.ratio())?;
        Some(if self.unit.more_is_better() { ratio >= goal } else { ratio <= goal })
    }
}

fn value_text(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Microseconds => format!("{value:.1} us"),
        Unit::Milliseconds => format!("{value:.1} ms"),
        Unit::Seconds => format!("{value:.2} s"),
        Unit::Count => format!("{value:.0}"),
        Unit::PerSecond => format!("{value:.0} /s"),
        Unit::Share => format!("{:.0} %", value * 100.0),
        Unit::Kibibytes => format!("{value:.2} KiB"),
        Unit::Mebibytes => format!("{value:.1} MiB"),
    }
}

fn goal_text(line: &Line) -> String {
    let Some(goal) = line.goal else { return String::new() };
    let sign = if line.unit.more_is_better() { "≥" } else { "≤" };
    let verdict = match line.met() {
        Some(true) => ", ok",
        Some(false) => ", MISSED",
        None => "",
    };
    format!("{sign} {goal}{verdict}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(unit: Unit, reference: Option<f64>, ours: f64) -> Line {
        Line { scenario: "s", what: "w".to_owned(), unit, goal: Some(0.5), reference, ours }
    }

    #[test]
    fn a_goal_is_a_bound_on_the_ratio() {
        assert_eq!(line(Unit::Seconds, Some(4.0), 2.0).met(), Some(true));
        assert_eq!(line(Unit::Seconds, Some(4.0), 2.1).met(), Some(false));
        assert_eq!(line(Unit::PerSecond, Some(4.0), 2.1).met(), Some(true));
        assert_eq!(line(Unit::PerSecond, Some(4.0), 1.9).met(), Some(false));
        assert_eq!(line(Unit::Seconds, None, 2.0).met(), None);
        assert_eq!(goal_text(&line(Unit::Seconds, Some(4.0), 2.1)), "≤ 0.5, MISSED");
    }
}
