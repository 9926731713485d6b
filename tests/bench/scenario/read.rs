//! Reading alerts: all of them, a few by a regular expression, a few by the value of a label.

use anyhow::{Context, ensure};

use super::{Figure, Sizes, quiet_config};
use crate::contender::Contender;
use crate::http;
use crate::load::{Load, Times};
use crate::process::Process;

/// `node=~"ip-10-32-000[0-2].*"`
const SOME: &str = "?filter=node%3D~%22ip-10-32-000%5B0-2%5D.%2A%22";
/// `node="ip-10-32-0007.eu-west-1.compute.internal"`
const BY_VALUE: &str = "?filter=node%3D%22ip-10-32-0007.eu-west-1.compute.internal%22";

/// Nodes that the alerts are spread over.
const NODES: usize = 1_009;

/// Reads them.
pub(super) fn run(contender: &Contender, sizes: &Sizes) -> anyhow::Result<Vec<Figure>> {
    let process = Process::start(contender, &quiet_config())?;
    let load = Load::new(sizes.read);
    load.post(process.address, &Times::now()?)?;
    let count = |nodes: std::ops::Range<usize>| (0..load.alerts).filter(|n| nodes.contains(&(n % NODES))).count();
    let read = |query: &str, wanted: usize, times: u32| {
        let get = || -> anyhow::Result<()> {
            for _ in 0..times {
                let answer = http::get(process.address, &format!("/api/v2/alerts{query}"))?;
                let seen = answer.matches("\"fingerprint\":").count();
                ensure!(seen == wanted, "{seen} alerts instead of {wanted}");
            }
            Ok(())
        };
        process.cost(get).map(|cost| cost / times).with_context(|| format!("reading alerts{query}"))
    };
    let all = read("", load.alerts, 2)?;
    let hits = count(0..3);
    let some = read(SOME, hits, 10)?;
    let by_value = read(BY_VALUE, count(7..8), 10)?;
    Ok(vec![
        Figure::cpu(format!("GET of {} alerts: CPU", load.alerts), 0.1, all),
        Figure::cpu(format!("with a regular expression of {hits} hits: CPU"), 0.1, some),
        Figure::cpu(format!("by the value of a label, {} hits: CPU", count(7..8)), 0.02, by_value),
    ])
}
