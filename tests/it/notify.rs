//! A cluster of three notifies once, whatever happens to its members.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::process::kill;
use crate::running::Cluster;
use crate::wait::until;

/// Longer than the last member waits for the others (position times `--cluster.peer-timeout`, 15 s), so that what would
/// be sent twice has been.
const TURNS: Duration = Duration::from_secs(35);

#[test]
fn sample_runs_as_it_is_and_notifies_once() {
    let cluster = Cluster::of_sample();
    cluster.local.line("curl -H");
    let hash = cluster.hash().unwrap();
    for ordinal in 0..3 {
        let row = cluster.local.line(&format!("http://{}  ", cluster.web(ordinal)));
        assert!(row.contains(&hash[..10]) && row.ends_with("ready"), "{row}");
    }

    let silence = cluster.silence(0, "Hush");
    cluster.until_silenced(1, &silence);
    cluster.until_silenced(2, &silence);
    cluster.post(&[0, 1, 2], "Hush");
    cluster.post(&[0, 1, 2], "Once");
    cluster.until_notified("Once");
    // Others wait for their turn meanwhile; the alerts after it show that notifications do flow.
    let notified = Instant::now();
    let mut number = 0;
    while notified.elapsed() < TURNS {
        number += 1;
        let name = format!("Next{number}");
        cluster.post(&[0, 1, 2], &name);
        cluster.until_notified(&name);
    }
    assert_eq!((cluster.notified("Once"), cluster.notified("Hush")), (1, 0));
    let lines = cluster.local.output();
    let naming: Vec<_> = lines.iter().filter(|line| line.contains("Once")).collect();
    assert!(matches!(naming[..], [line] if line.matches("Once").count() == 1), "{lines:#?}");
}

#[test]
fn curl_line_works_when_pasted() {
    let (cluster, _sample) = Cluster::quick();
    let line = cluster.local.line("curl -H");
    let output = std::process::Command::new("sh").args(["-c", &line]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    cluster.until_notified("Hello");
}

#[test]
fn amtool_line_works_when_pasted() {
    let (cluster, _sample) = Cluster::quick();
    let line = cluster
        .local
        .line("amtool --alertmanager.url")
        .replace("amtool ", &format!("{} ", crate::peers::path("amtool").display()));
    let output = std::process::Command::new("sh").args(["-c", &line]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    cluster.until_notified("Hello");
}

#[test]
fn death_of_the_first_member_loses_nothing_and_doubles_nothing() {
    let (cluster, _sample) = Cluster::quick();
    let silence = cluster.silence(1, "Hush");
    cluster.until_silenced(0, &silence);

    // One alert that it knew, one that comes when it is gone.
    cluster.post(&[0, 1, 2], "Before");
    let first = cluster.worker(0).unwrap();
    kill(first, Signal::KILL);
    cluster.post(&[1, 2], "After");
    cluster.local.line("alertmanager-main-0 ended (signal: 9 (SIGKILL))");
    cluster.until_notified("Before");
    cluster.until_notified("After");

    until("the member is back", || match cluster.worker(0) {
        Ok(pid) if pid != first => Ok(()),
        seen => Err(format!("{seen:?}")),
    });
    cluster.all_ready(3);
    cluster.until_silenced(0, &silence);
    cluster.post(&[0, 1, 2], "Later");
    cluster.until_notified("Later");
    let notified = Instant::now();
    let mut number = 0;
    while notified.elapsed() < TURNS {
        number += 1;
        let name = format!("Next{number}");
        cluster.post(&[0, 1, 2], &name);
        cluster.until_notified(&name);
    }
    for name in ["Before", "After", "Later"] {
        assert_eq!(cluster.notified(name), 1, "{name}");
    }
}
