//! Nothing outlives `local`.

use rustix::process::Signal;

use crate::process::with_argument;
use crate::running::Cluster;
use crate::wait::until;

#[test]
fn sigterm_and_ctrl_c_stop_everything() {
    for signal in [Signal::TERM, Signal::INT] {
        let (mut cluster, _sample) = Cluster::quick();
        let dir = data_dir(&cluster);
        cluster.local.signal(signal);
        assert_eq!(cluster.local.wait().code(), Some(0));
        assert_eq!(with_argument(&format!("={}:", cluster.ip)), Vec::<i32>::new());
        assert!(!std::path::Path::new(&dir).exists(), "{dir} is still there");
    }
}

#[test]
fn members_end_when_local_is_killed() {
    let (mut cluster, _sample) = Cluster::quick();
    let dir = data_dir(&cluster);
    cluster.local.signal(Signal::KILL);
    cluster.local.wait();
    until("all members have ended", || {
        match with_argument("--storage.path=").into_iter().find(|pid| arguments(*pid).contains(&dir)) {
            Some(pid) => Err(format!("{pid} runs")),
            None => Ok(()),
        }
    });
    // What it would have removed itself.
    std::fs::remove_dir_all(dir).unwrap();
}

fn data_dir(cluster: &Cluster) -> String {
    let line = cluster.local.line("each with its files in ");
    line.split("each with its files in ").nth(1).unwrap().to_owned()
}

fn arguments(pid: i32) -> String {
    String::from_utf8_lossy(&std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default()).into_owned()
}
