//! Many clusters on one API server: what the operator asks of it, and what that costs, beside prometheus-operator, which
//! does the same for its `Alertmanager` objects. There are no nodes: no member ever starts.

mod server;
mod subject;

use std::io::{self, Write};
use std::time::{Duration, Instant};

use anyhow::ensure;
use rustix::process::{Pid, Signal, kill_process};

use crate::process::cpu_of;
use crate::scenario::{Figure, Unit};
use server::{Server, started};
pub(crate) use subject::Subject;

/// For anything that must happen.
const LIMIT: Duration = Duration::from_secs(600);

/// How long nothing is done.
const IDLE: Duration = Duration::from_secs(30);

/// What is measured of an operator with so many clusters, so many of which are edited.
pub(crate) fn run(subject: &Subject, clusters: usize, edits: usize) -> anyhow::Result<Vec<Figure>> {
    let server = Server::start()?;
    subject.define(&server)?;
    server.create(&subject.objects(clusters))?;

    let per_cluster = |requests: usize| requests as f64 / clusters as f64;
    let start = Instant::now();
    let mut first = started(&mut subject.command(&server)?, Some(&server.kubeconfig("operator.log")))?;
    while subject.reconciled(&server)? < clusters {
        ensure!(first.try_wait()?.is_none(), "the operator ended: {}", server.log("operator.log"));
        ensure!(start.elapsed() < LIMIT, "not all clusters come: {}", server.log("operator.log"));
        std::thread::sleep(Duration::from_millis(50));
    }
    let took = start.elapsed();
    let from_nothing = settled(&server)?;
    let cpu = cpu_of(first.id())?;
    // told to end, it lets the next one begin at once; killed, it would keep it waiting for its lease
    kill_process(Pid::from_child(&first), Signal::TERM)?;
    first.wait()?;

    let before = server.requests()?.all;
    let mut second = started(&mut subject.command(&server)?, Some(&server.kubeconfig("operator.log")))?;
    settled(&server)?;
    let again = server.requests()?.all - before;

    let mut waits = Vec::new();
    for edit in 0..edits {
        let number = edit * clusters / edits;
        let old = subject.generated(&server, number)?;
        subject.edit(&server, number, edit)?;
        let edited = Instant::now();
        while subject.generated(&server, number)? == old {
            ensure!(edited.elapsed() < LIMIT, "the edit of cluster {number} never arrives");
        }
        waits.push(edited.elapsed());
    }
    waits.sort();
    settled(&server)?;

    let (idle_before, idle_cpu) = (server.requests()?, cpu_of(second.id())?);
    std::thread::sleep(IDLE);
    let (idle, idle_cpu) = (server.requests()?, cpu_of(second.id())? - idle_cpu);
    let memory = memory_max(second.id())?;
    second.kill()?;
    second.wait()?;

    let figure = |what: &str, unit, goal, value| Figure { what: what.to_owned(), unit, goal, value };
    let millis = |duration: Duration| duration.as_secs_f64() * 1e3;
    Ok(vec![
        figure("all are there after", Unit::Seconds, Some(1.0), took.as_secs_f64()),
        figure("requests per cluster, from nothing", Unit::Count, Some(1.0), per_cluster(from_nothing)),
        figure("CPU per cluster, from nothing", Unit::Milliseconds, Some(1.0), millis(cpu) / clusters as f64),
        figure("requests per cluster, after a restart", Unit::Count, Some(0.2), per_cluster(again)),
        figure("edit until it is in the Secret, p50", Unit::Milliseconds, Some(0.1), millis(waits[edits / 2])),
        figure("the same, slowest", Unit::Milliseconds, None, millis(waits[edits - 1])),
        figure("writes while nothing happens, 30 s", Unit::Count, Some(0.0), (idle.writes - idle_before.writes) as f64),
        figure("requests while nothing happens, 30 s", Unit::Count, None, (idle.all - idle_before.all) as f64),
        figure("CPU while nothing happens, 30 s", Unit::Milliseconds, Some(1.0), millis(idle_cpu)),
        figure("memory, most", Unit::Mebibytes, Some(0.5), memory as f64 / f64::from(1 << 20)),
    ])
}

/// Waits until the operator writes nothing any more. Returns how many requests there were.
fn settled(server: &Server) -> anyhow::Result<usize> {
    const QUIET: Duration = Duration::from_secs(10);
    let (mut before, mut since) = (server.requests()?, Instant::now());
    let start = Instant::now();
    while since.elapsed() < QUIET {
        std::thread::sleep(Duration::from_secs(1));
        let now = server.requests()?;
        if now.writes != before.writes {
            (before, since) = (now, Instant::now());
        }
        // one that never comes to rest is measured as it is
        if start.elapsed() > 6 * QUIET {
            break;
        }
    }
    writeln!(io::stderr(), "  requests: {:?}", before.by_kind)?;
    Ok(before.all)
}

fn memory_max(pid: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}
