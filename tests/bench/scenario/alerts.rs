//! Many alerts that are new, then the same again with a later end.

use anyhow::Context;

use super::{Figure, Sizes, Unit, mebibytes, quiet_config};
use crate::contender::Contender;
use crate::load::{Load, Times};
use crate::process::Process;

/// Posts them twice.
pub(super) fn run(contender: &Contender, sizes: &Sizes) -> anyhow::Result<Vec<Figure>> {
    let process = Process::start(contender, &quiet_config())?;
    let load = Load::new(sizes.alerts);
    let times = Times::now()?;
    let new = process.cost(|| load.post(process.address, &times)).context("posting new alerts")?;
    let rss = mebibytes(process.rss()?);
    load.verify_count(process.address, load.groups())?;
    let later = times.later();
    let known = process.cost(|| load.post(process.address, &later)).context("posting known alerts")?;
    let rss_known = mebibytes(process.rss()?);
    let rss_max = mebibytes(process.rss_max()?);
    load.verify_count(process.address, load.groups())?;
    load.verify_times(process.address, &later)?;
    let count = load.alerts as f64;
    let per_100k = |value: f64| value * 1e5 / count;
    let per_million = |cpu: std::time::Duration| cpu.as_secs_f64() * 1e6 / count;
    let of = format!("{} alerts, 64 in a POST, 8 connections", load.alerts);
    Ok(vec![
        Figure::new(format!("{of}; new: CPU per million"), Unit::Seconds, Some(0.2), per_million(new)),
        Figure::new("new: memory per 100k", Unit::Mebibytes, Some(0.25), per_100k(rss)),
        Figure::new("again with a later end: CPU per million", Unit::Seconds, Some(0.1), per_million(known)),
        Figure::new("again: memory per 100k", Unit::Mebibytes, None, per_100k(rss_known)),
        Figure::new("highest memory per 100k", Unit::Mebibytes, None, per_100k(rss_max)),
    ])
}
