//! Groups that wait.

use super::{Figure, Sizes, Unit, config};
use crate::contender::Contender;
use crate::load::{Load, Times};
use crate::process::Process;

/// A group for each alert, none of which falls due. What the alerts themselves take counts too, on both sides.
pub(super) fn run(contender: &Contender, sizes: &Sizes) -> anyhow::Result<Vec<Figure>> {
    let process = Process::start(contender, &config("pod", "http://127.0.0.1:9/", "2h", "2h"))?;
    process.rest()?;
    let empty = process.rss()?;
    let load = Load::new(sizes.idle);
    load.post(process.address, &Times::now()?)?;
    process.rest()?;
    let more = process.rss()?.saturating_sub(empty);
    load.verify_count(process.address, load.alerts)?;
    let each = more as f64 / 1024.0 / load.alerts as f64;
    let what = format!("{} groups of an alert each: memory per group", load.alerts);
    Ok(vec![Figure::new(what, Unit::Kibibytes, Some(0.15), each)])
}
