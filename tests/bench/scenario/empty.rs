//! A process that has nothing to do.

use super::{Figure, Sizes, Unit, mebibytes, quiet_config};
use crate::contender::Contender;
use crate::process::Process;

/// How often it is started: what it uses is so little that chance matters.
const STARTS: usize = 7;

/// Starts it again and again.
pub(super) fn run(contender: &Contender, _: &Sizes) -> anyhow::Result<Vec<Figure>> {
    let (mut cpu, mut rss) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let process = Process::start(contender, &quiet_config())?;
        cpu.push(process.cpu_to_ready.as_secs_f64() * 1e3);
        process.rest()?;
        rss.push(mebibytes(process.rss()?));
    }
    Ok(vec![
        Figure::new("CPU until ready", Unit::Milliseconds, Some(0.3), median(cpu)),
        Figure::new("memory", Unit::Mebibytes, Some(0.35), median(rss)),
    ])
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
