//! The Go amtool against a worker, and against the Go Alertmanager, to know that what is expected is right.

use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::http::request;
use crate::peers;
use crate::process::{PROGRAM, Running, at, free_port, own_address};
use crate::wait::until;

const CONFIG: &str = "\
route:
  receiver: team
  group_by: [alertname]
  routes:
  - matchers: [severity=\"page\"]
    receiver: pager
receivers:
- name: team
- name: pager
  webhook_configs:
  - url: http://127.0.0.1:9/
";

/// A worker by the name of `alertmanager`, as those have it who replace the one by the other.
struct Worker {
    web: SocketAddr,
    peer: SocketAddr,
    dir: TempDir,
    _process: Running,
}

impl Worker {
    /// Ours, and the reference.
    fn both() -> [Self; 2] {
        [PROGRAM.into(), peers::path("alertmanager")].map(Self::start)
    }

    fn start(program: PathBuf) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("alertmanager.yml"), CONFIG).unwrap();
        symlink(program, dir.path().join("alertmanager")).unwrap();
        let ip = own_address();
        let (web, peer) = (at(ip, free_port(ip)), at(ip, free_port(ip)));
        let args = [
            format!("--web.listen-address={web}"),
            format!("--cluster.listen-address={peer}"),
            "--cluster.settle-timeout=0s".to_owned(),
        ];
        let program = dir.path().join("alertmanager");
        let process = Running::start(program.to_str().unwrap(), dir.path(), &args);
        until("the worker is ready", || request(web, "GET", "/-/ready", ""));
        Self { web, peer, dir, _process: process }
    }

    /// Runs amtool, which must succeed; what it prints.
    fn amtool(&self, args: &[&str]) -> String {
        let (code, stdout, stderr) = self.try_amtool(args);
        assert_eq!(code, 0, "amtool {args:?}: {stdout}{stderr}");
        stdout
    }

    fn try_amtool(&self, args: &[&str]) -> (i32, String, String) {
        let url = format!("--alertmanager.url=http://{}", self.web);
        let all: Vec<&str> = [url.as_str()].into_iter().chain(args.iter().copied()).collect();
        peers::amtool(&all)
    }
}

#[test]
fn alerts() {
    for worker in Worker::both() {
        check_alerts(&worker);
    }
}

fn check_alerts(worker: &Worker) {
    worker.amtool(&["alert", "add", "Disk", "instance=a", "severity=page", "--annotation=summary=full"]);
    worker.amtool(&["alert", "add", "Load", "instance=b"]);
    // Those are shown that have been routed.
    let shown = until("both alerts are shown", || {
        let shown = worker.amtool(&["alert", "query"]);
        if shown.contains("Disk") && shown.contains("Load") { Ok(shown) } else { Err(shown) }
    });
    assert!(shown.lines().next().unwrap().starts_with("Alertname") && shown.contains("full"), "{shown}");
    let disk = worker.amtool(&["alert", "query", "instance=a", "-o", "extended"]);
    assert!(disk.contains("severity=\"page\"") && !disk.contains("Load"), "{disk}");
    let paged = worker.amtool(&["alert", "query", "--receiver=pager", "-o", "simple"]);
    assert!(paged.contains("Disk") && !paged.contains("Load"), "{paged}");
    let json: serde_json::Value = serde_json::from_str(&worker.amtool(&["alert", "query", "-o", "json"])).unwrap();
    assert_eq!(json.as_array().map(Vec::len), Some(2));
}

#[test]
fn silences() {
    for worker in Worker::both() {
        check_silences(&worker);
    }
}

fn check_silences(worker: &Worker) {
    worker.amtool(&["alert", "add", "Disk", "instance=a"]);
    let add = ["silence", "add", "alertname=Disk", "instance=~a|b", "--comment=later", "--author=me", "--duration=1h"];
    let id = worker.amtool(&add).trim().to_owned();
    let shown = worker.amtool(&["silence", "query"]);
    assert!(shown.contains(&id) && shown.contains("later") && shown.contains("me"), "{shown}");
    assert_eq!(worker.amtool(&["silence", "query", "-q", "alertname=Disk"]).trim(), id);
    assert_eq!(worker.amtool(&["silence", "query", "-q", "alertname=Other"]).trim(), "");
    until("the alert is silenced", || {
        let silenced = worker.amtool(&["alert", "query", "--silenced"]);
        if silenced.contains("Disk") { Ok(()) } else { Err(silenced) }
    });
    assert!(!worker.amtool(&["alert", "query", "--active"]).contains("Disk"));

    let update = ["silence", "update", "--comment=much later", id.as_str()];
    let updated = worker.amtool(&update);
    assert!(updated.contains("much later"), "{updated}");
    worker.amtool(&["silence", "expire", &id]);
    assert_eq!(worker.amtool(&["silence", "query", "-q"]).trim(), "");
    assert_eq!(worker.amtool(&["silence", "query", "-q", "--expired"]).trim(), id);
    until("the alert is active again", || {
        let active = worker.amtool(&["alert", "query", "--active"]);
        if active.contains("Disk") { Ok(()) } else { Err(active) }
    });
    let (code, _, stderr) = worker.try_amtool(&["silence", "expire", "3f6c4e0e-0000-4000-8000-000000000000"]);
    assert!(code != 0 && stderr.contains("404"), "{stderr}");
}

#[test]
fn status() {
    let both = Worker::both();
    both.iter().for_each(check_status);
    let [ours, reference] = both.map(|worker| worker.amtool(&["config", "show"]));
    assert_eq!(ours, reference);
    assert!(ours.contains("receiver: pager"), "{ours}");
}

fn check_status(worker: &Worker) {
    let cluster = worker.amtool(&["cluster", "show", "-o", "extended"]);
    assert!(cluster.contains("ready") && cluster.contains(&worker.peer.to_string()), "{cluster}");
    let routes = worker.amtool(&["config", "routes", "test", "severity=page"]);
    assert_eq!(routes.trim(), "pager");
    let checked = worker.amtool(&["check-config", worker.dir.path().join("alertmanager.yml").to_str().unwrap()]);
    assert!(checked.contains("SUCCESS") && checked.contains("2 receivers"), "{checked}");
}
