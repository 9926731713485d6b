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
    pub(crate) what: &'static str,
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

/// Prints the figures.
pub(crate) fn print(lines: &[Line]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let widths = (13, 29);
    let (a, b) = widths;
    writeln!(
        out,
        "{:a$}  {:b$}  {:>12}  {:>12}  {:>14}  goal",
        "scenario", "figure", "reference", "ours", "ours/reference"
    )?;
    let mut scenario = "";
    for line in lines {
        let shown = if scenario == line.scenario { "" } else { line.scenario };
        scenario = line.scenario;
        let reference = line.reference.map_or_else(|| "-".to_owned(), |value| value_text(value, line.unit));
        let ratio = line.reference.map(|reference| line.ours / reference);
        let ratio_text = ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.3}"));
        let ours = value_text(line.ours, line.unit);
        let goal = goal_text(line, ratio);
        let row = format!("{shown:a$}  {:b$}  {reference:>12}  {ours:>12}  {ratio_text:>14}  {goal}", line.what);
        writeln!(out, "{}", row.trim_end())?;
    }
    Ok(())
}

fn value_text(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Milliseconds => format!("{value:.1} ms"),
        Unit::Seconds => format!("{value:.2} s"),
        Unit::PerCpuSecond => format!("{value:.0}"),
        Unit::Mebibytes => format!("{value:.1} MiB"),
    }
}

fn goal_text(line: &Line, ratio: Option<f64>) -> String {
    let Some(goal) = line.goal else { return String::new() };
    let (sign, met) = match line.unit.more_is_better() {
        true => ("≥", ratio.map(|ratio| ratio >= goal)),
        false => ("≤", ratio.map(|ratio| ratio <= goal)),
    };
    let verdict = match met {
        Some(true) => ", met",
        Some(false) => ", missed",
        None => "",
    };
    format!("{sign} {goal}{verdict}")
}
