//! What a worker has acknowledged outlives kill -9, and alerts outlive a restart.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

use rand::{RngExt, SeedableRng};
use rustix::process::Signal;
use serde_json::{Value, json as object};
use tempfile::TempDir;

use crate::http::{json, request};
use crate::process::{PROGRAM, Running, at, free_port, own_address};
use crate::wait::until;

/// All tests of this file share one address and differ in the ports.
fn address() -> Ipv4Addr {
    static ADDRESS: OnceLock<Ipv4Addr> = OnceLock::new();
    *ADDRESS.get_or_init(own_address)
}

/// A place for the lives of a worker, with a receiver that outlives them.
struct Place {
    dir: TempDir,
    web: SocketAddr,
    sink: SocketAddr,
    _receiver: Running,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (web, sink) = (at(address(), free_port(address())), at(address(), free_port(address())));
        let config = format!(
            "global: {{resolve_timeout: 3s}}\n\
             route: {{receiver: sink, group_by: [alertname], group_wait: 0s, group_interval: 1s}}\n\
             receivers: [{{name: sink, webhook_configs: [{{url: 'http://{sink}/'}}]}}]\n"
        );
        std::fs::write(dir.path().join("alertmanager.yml"), config).unwrap();
        let receiver = Running::start(PROGRAM, dir.path(), &["sink".into(), format!("--listen-address={sink}")]);
        receiver.line("webhook sink on");
        Self { dir, web, sink, _receiver: receiver }
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn args(&self, more: &[&str]) -> Vec<String> {
        let mut args = vec!["worker".to_owned(), format!("--web.listen-address={}", self.web)];
        args.extend(["--cluster.listen-address=".to_owned(), format!("--storage.path={}", self.data().display())]);
        args.extend(more.iter().map(|arg| (*arg).to_owned()));
        args
    }

    fn start(&self, more: &[&str]) -> Running {
        self.ready(Running::start(PROGRAM, self.dir.path(), &self.args(more)))
    }

    fn ready(&self, worker: Running) -> Running {
        until("the worker is ready", || request(self.web, "GET", "/-/ready", ""));
        worker
    }

    /// Starts a worker that must refuse; what it says.
    fn refusal(&self) -> String {
        let args = self.args(&[]);
        let output = std::process::Command::new(PROGRAM).args(args).current_dir(self.dir.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        let lines: Vec<&str> = stderr.lines().filter(|line| line.starts_with("error: ")).collect();
        assert_eq!(lines.len(), 1, "{stderr}");
        lines[0].to_owned()
    }

    fn silence(&self, name: &str) -> Result<String, String> {
        let body = object!({
            "matchers": [{"name": "alertname", "value": name, "isRegex": false}],
            "startsAt": "2020-01-01T00:00:00Z", "endsAt": "2099-01-01T00:00:00Z",
            "createdBy": "test", "comment": "test",
        });
        let answer = request(self.web, "POST", "/api/v2/silences", &body.to_string())?;
        let answer: Value = serde_json::from_str(&answer).map_err(|error| error.to_string())?;
        Ok(answer["silenceID"].as_str().unwrap().to_owned())
    }

    fn states(&self) -> BTreeMap<String, String> {
        let silences = json(self.web, "/api/v2/silences").unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        silences.as_array().unwrap().iter().map(|s| (text(&s["id"]), text(&s["status"]["state"]))).collect()
    }

    fn post(&self, name: &str, ends: Option<&str>) {
        let mut alert = object!({"labels": {"alertname": name}});
        if let Some(ends) = ends {
            alert["endsAt"] = ends.into();
        }
        request(self.web, "POST", "/api/v2/alerts", &object!([alert]).to_string()).unwrap();
    }

    /// How many notifications say this of an alert.
    fn told(&self, name: &str, status: &str) -> usize {
        let received = json(self.sink, "/received").unwrap();
        let says = |entry: &&Value| {
            let alerts = entry["body"]["alerts"].as_array().into_iter().flatten();
            alerts.into_iter().any(|alert| alert["labels"]["alertname"] == name && alert["status"] == status)
        };
        received.as_array().unwrap().iter().filter(says).count()
    }

    fn until_told(&self, name: &str, status: &str) {
        until(&format!("{name} is told as {status}"), || match self.told(name, status) {
            0 => Err(format!("{:?}", json(self.sink, "/received"))),
            _ => Ok(()),
        });
    }
}

fn kill(mut worker: Running) {
    worker.signal(Signal::KILL);
    worker.wait();
}

#[test]
fn acknowledged_silences_and_expiries_survive_any_kill() {
    let place = Place::new();
    let mut rng = rand::rngs::StdRng::seed_from_u64(4711);
    let acknowledged: Mutex<BTreeMap<String, &str>> = Mutex::default();
    for life in 0..22 {
        let worker = place.start(&[]);
        let states = place.states();
        for (id, state) in &*acknowledged.lock().unwrap() {
            assert_eq!(states.get(id).map(String::as_str), Some(*state), "life {life}: {id}");
        }
        let changes = AtomicUsize::new(0);
        let last = rng.random_range(1..12);
        std::thread::scope(|scope| {
            for writer in 0..3 {
                let (place, acknowledged, changes) = (&place, &acknowledged, &changes);
                scope.spawn(move || {
                    while let Ok(id) = place.silence(&format!("w{writer}")) {
                        acknowledged.lock().unwrap().insert(id.clone(), "active");
                        changes.fetch_add(1, Ordering::Relaxed);
                        if id.as_bytes()[0] % 2 == 0 {
                            // until it is acknowledged it may be the one or the other
                            acknowledged.lock().unwrap().remove(&id);
                            if request(place.web, "DELETE", &format!("/api/v2/silence/{id}"), "").is_err() {
                                return;
                            }
                            acknowledged.lock().unwrap().insert(id, "expired");
                            changes.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
            until("so many changes", || match changes.load(Ordering::Relaxed) {
                some if some >= last => Ok(()),
                some => Err(some.to_string()),
            });
            kill(worker);
        });
    }
    assert!(acknowledged.lock().unwrap().len() > 22);
}

#[test]
fn the_end_of_an_alert_is_told_once_across_kills() {
    let place = Place::new();
    let worker = place.start(&[]);
    place.post("ByPost", Some("2099-01-01T00:00:00Z"));
    place.post("ByEnd", None);
    place.post("Stays", Some("2099-01-01T00:00:00Z"));
    ["ByPost", "ByEnd", "Stays"].iter().for_each(|name| place.until_told(name, "firing"));
    let entries = || {
        let metrics = request(place.web, "GET", "/metrics", "").unwrap();
        metrics.lines().any(|line| line == "alertmanager_nflog_entries 3")
    };
    until("all are logged", || if entries() { Ok(()) } else { Err("not yet".into()) });
    // an acknowledged silence is behind the log's entries in the journal
    place.silence("Other").unwrap();
    kill(worker);

    let worker = place.start(&[]);
    let alerts = json(place.web, "/api/v2/alerts").unwrap();
    assert_eq!(alerts.as_array().unwrap().len(), 3, "{alerts}");
    place.post("ByPost", Some("2021-01-01T00:00:00Z"));
    place.until_told("ByPost", "resolved");
    place.until_told("ByEnd", "resolved");
    place.silence("Another").unwrap();
    kill(worker);

    let worker = place.start(&[]);
    // flushes of all groups go by
    for name in ["Next1", "Next2", "Next3"] {
        place.post(name, Some("2099-01-01T00:00:00Z"));
        place.until_told(name, "firing");
    }
    let told = |name| (place.told(name, "firing"), place.told(name, "resolved"));
    assert_eq!([told("ByPost"), told("ByEnd"), told("Stays")], [(1, 1), (1, 1), (1, 0)]);
    drop(worker);

    // gracefully too
    let worker = place.start(&[]);
    place.post("Stays", Some("2021-01-01T00:00:00Z"));
    place.until_told("Stays", "resolved");
    assert_eq!(told("Stays"), (1, 1));
    drop(worker);
}

#[test]
fn alerts_are_forgotten_when_asked_for() {
    let place = Place::new();
    let worker = place.start(&["--no-alerts.persist"]);
    place.post("Lost", Some("2099-01-01T00:00:00Z"));
    place.until_told("Lost", "firing");
    drop(worker);
    assert!(!place.data().join("alerts").exists() && place.data().join("nflog").exists());
    let worker = place.start(&["--no-alerts.persist"]);
    assert_eq!(json(place.web, "/api/v2/alerts").unwrap(), object!([]));
    drop(worker);
}

#[test]
fn a_damaged_file_stops_the_start_and_a_torn_journal_does_not() {
    let place = Place::new();
    let worker = place.start(&[]);
    place.post("Kept", Some("2099-01-01T00:00:00Z"));
    place.until_told("Kept", "firing");
    place.silence("Kept1").unwrap();
    place.silence("Kept2").unwrap();
    kill(worker);
    let data = place.data();
    let journal = data.join("journal.00000001");
    let whole = std::fs::read(&journal).unwrap();

    let mut damaged = whole.clone();
    damaged[40] ^= 1;
    std::fs::write(&journal, damaged).unwrap();
    let said = place.refusal();
    assert!(said.contains("journal.00000001") && said.contains("byte 8") && said.contains("move it away"), "{said}");

    // a write that was cut off
    std::fs::write(&journal, [&whole[..], &[9; 30]].concat()).unwrap();
    let worker = place.start(&[]);
    worker.line("which a crash cut off");
    assert_eq!(place.states().len(), 2);
    drop(worker);

    for name in ["silences", "nflog", "alerts"] {
        let path = data.join(name);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        let said = place.refusal();
        for part in [&format!("data/{name}`"), "byte ", "move it away"] {
            assert!(said.contains(part), "{part}: {said}");
        }
        std::fs::write(&path, whole).unwrap();
    }
    let worker = place.start(&[]);
    assert_eq!(place.states().len(), 2);
    drop(worker);
}

#[test]
fn what_cannot_be_written_is_not_acknowledged() {
    let place = Place::new();
    // a file may not grow beyond a few KiB, and that is an error instead of a signal
    let script = "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\"";
    let mut args = vec!["-c".to_owned(), script.to_owned(), PROGRAM.to_owned()];
    args.extend(place.args(&[]));
    let worker = place.ready(Running::start("sh", place.dir.path(), &args));
    let (mut good, mut refused) = (Vec::new(), Vec::new());
    for n in 0..200 {
        match place.silence(&format!("n{n}")) {
            Ok(id) => good.push(id),
            Err(error) => refused.push(error),
        }
    }
    assert!(!good.is_empty() && !refused.is_empty(), "{} {}", good.len(), refused.len());
    for error in &refused {
        assert!(error.contains(" 500 ") && error.contains("could not be written to disk"), "{error}");
        assert!(error.contains("File too large"), "{error}");
    }
    worker.line("Writing the journal failed");
    let metrics = request(place.web, "GET", "/metrics", "").unwrap();
    let failures = metrics.lines().find_map(|line| line.strip_prefix("alertmanager_journal_failures_total "));
    assert_eq!(failures.unwrap().parse::<usize>().unwrap(), refused.len());
    kill(worker);

    let worker = place.start(&[]);
    let states = place.states();
    assert!(good.iter().all(|id| states.get(id).is_some_and(|state| state == "active")), "{states:?}");
    drop(worker);
}
