//! A start with state files on disk.

use std::time::Duration;

use super::{Figure, Sizes, quiet_config};
use crate::contender::Contender;
use crate::process::Process;
use crate::{files, http};

/// The figure is the median of so many starts.
const STARTS: usize = 5;

/// From the start to the first answer with a silence in it.
pub(super) fn run(contender: &Contender, sizes: &Sizes) -> anyhow::Result<Vec<Figure>> {
    let (silences, entries) = (sizes.stored_silences, sizes.stored_entries);
    let path = format!("/api/v2/silence/{}", files::silence_id(silences - 1));
    let mut costs: Vec<Duration> = Vec::new();
    for _ in 0..STARTS {
        let fill = |dir: &std::path::Path| files::write(dir, silences, entries);
        let mut process = Process::start_with(contender, &quiet_config(), &[], fill)?;
        process.until("answering", |process| http::get(process.address, &path).map(drop))?;
        costs.push(process.usage()?.total());
    }
    costs.sort_unstable();
    let what = format!("{silences} silences, {entries} log entries: CPU until one is answered");
    Ok(vec![Figure::cpu(what, 0.2, costs[STARTS / 2])])
}
