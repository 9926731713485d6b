//! A team moves from the Go Alertmanager to ours and back: the files go with it, and receivers see the same.

use std::net::SocketAddr;
use std::path::Path;

use rustix::process::Signal;
use serde_json::Value;

use crate::http::{json, request};
use crate::peers;
use crate::process::{PROGRAM, Running, at, free_port, own_address};
use crate::wait::until;

/// One of the two programs on a data directory, and the sink that its webhooks go to.
struct Place {
    web: SocketAddr,
    sink: SocketAddr,
    dir: tempfile::TempDir,
    _sink: Running,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let ip = own_address();
        let (web, sink) = (at(ip, free_port(ip)), at(ip, free_port(ip)));
        let args = ["sink".to_owned(), format!("--listen-address={sink}")];
        let running = Running::start(PROGRAM, dir.path(), &args);
        until("the sink answers", || request(sink, "GET", "/healthz", ""));
        let config = format!(
            "route:\n  receiver: team\n  group_by: [alertname]\n  group_wait: 5s\n  group_interval: 2s\n  \
             repeat_interval: 2h\nreceivers:\n- name: team\n  webhook_configs:\n  - url: http://{sink}/\n"
        );
        std::fs::write(dir.path().join("alertmanager.yml"), config).unwrap();
        Self { web, sink, dir, _sink: running }
    }

    fn start(&self, program: &Path, subcommand: Option<&str>) -> Running {
        let mut args: Vec<String> = subcommand.map(str::to_owned).into_iter().collect();
        args.push(format!("--web.listen-address={}", self.web));
        args.push(format!("--web.external-url=http://{}/", self.web));
        args.push("--cluster.listen-address=".to_owned());
        let running = Running::start(program.to_str().unwrap(), self.dir.path(), &args);
        until("it is ready", || request(self.web, "GET", "/-/ready", ""));
        running
    }

    fn ours(&self) -> Running {
        self.start(Path::new(PROGRAM), Some("worker"))
    }

    fn reference(&self) -> Running {
        self.start(&peers::path("alertmanager"), None)
    }

    fn post(&self, instance: &str, starts: &str, ends: &str) {
        let body = format!(
            r#"[{{"labels":{{"alertname":"Disk","instance":"{instance}","sev":"<hi & lo>"}},
                "annotations":{{"summary":"full \u00e4"}},"generatorURL":"http://prometheus/graph?a=b&c",
                "startsAt":"{starts}","endsAt":"{ends}"}}]"#
        );
        request(self.web, "POST", "/api/v2/alerts", &body).unwrap();
    }

    /// Bodies that the sink has received.
    fn received(&self) -> Vec<Value> {
        let all = json(self.sink, "/received").unwrap();
        all.as_array().unwrap().iter().map(|received| received["body"].clone()).collect()
    }

    fn wait_for(&self, count: usize) -> Vec<Value> {
        until("the notifications are there", || {
            let received = self.received();
            if received.len() >= count { Ok(received) } else { Err(format!("{} of {count}", received.len())) }
        })
    }

    /// The value of a metric without labels.
    fn metric(&self, name: &str) -> f64 {
        let metrics = request(self.web, "GET", "/metrics", "").unwrap();
        let line = metrics.lines().find(|line| line.starts_with(&format!("{name} ")));
        line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or_default()
    }

    /// Waits until a group has been compared with the log: whatever it had to say has been said.
    fn wait_for_comparison(&self) {
        until("a group is compared with the log", || {
            let queries = self.metric("alertmanager_nflog_queries_total");
            if queries >= 1.0 { Ok(()) } else { Err(format!("{queries} queries")) }
        });
    }
}

const LONG_AGO: &str = "2026-01-02T03:04:05.678Z";
const FAR: &str = "2099-01-01T00:00:00Z";
const PAST: &str = "2026-01-03T00:00:00Z";

fn now() -> String {
    let date = std::process::Command::new("date").args(["--utc", "+%FT%T.%3NZ"]).output().unwrap();
    String::from_utf8(date.stdout).unwrap().trim().to_owned()
}

fn end(mut running: Running) {
    running.signal(Signal::TERM);
    assert!(running.wait().success());
}

#[test]
fn the_data_directory_moves_to_the_reference_and_back() {
    let place = Place::new();
    let running = place.ours();
    place.post("a", LONG_AGO, FAR);
    place.wait_for(1);
    let silence = r#"{"matchers":[{"name":"instance","value":"a|z","isRegex":true,"isEqual":true}],
        "startsAt":"2026-01-02T03:04:05Z","endsAt":"2099-01-01T00:00:00Z","createdBy":"me","comment":"moving"}"#;
    let made: Value = serde_json::from_str(&request(place.web, "POST", "/api/v2/silences", silence).unwrap()).unwrap();
    let path = format!("/api/v2/silence/{}", made["silenceID"].as_str().unwrap());
    let before = json(place.web, &path).unwrap();
    end(running);

    let running = place.reference();
    assert_eq!(json(place.web, &path).unwrap(), before);
    request(place.web, "DELETE", &path, "").unwrap();
    place.post("a", LONG_AGO, FAR);
    place.wait_for_comparison();
    assert_eq!(place.received().len(), 1, "it was told by us already");
    place.post("b", LONG_AGO, FAR);
    place.wait_for(2);
    end(running);

    let running = place.ours();
    let ended = json(place.web, &path).unwrap();
    assert_eq!((ended["comment"].as_str(), ended["status"]["state"].as_str()), (Some("moving"), Some("expired")));
    place.post("a", LONG_AGO, FAR);
    place.post("b", LONG_AGO, FAR);
    place.wait_for_comparison();
    assert_eq!(place.received().len(), 2, "it was told by the reference already");
    place.post("a", LONG_AGO, PAST);
    place.post("b", LONG_AGO, PAST);
    let received = place.wait_for(3);
    assert_eq!(received[2]["status"], "resolved");
    end(running);
}

#[test]
fn receivers_see_the_same_from_both() {
    let (ours, reference) = (Place::new(), Place::new());
    let (ours_running, reference_running) = (ours.ours(), reference.reference());
    // just now: an older alert would be told at once, by itself or not
    let starts = now();
    for place in [&ours, &reference] {
        place.post("a", &starts, FAR);
        place.post("b", &starts, FAR);
    }
    for place in [&ours, &reference] {
        place.wait_for(1);
        let past = &place.received()[0]["alerts"][0]["startsAt"].as_str().unwrap().to_owned();
        place.post("a", &starts, past);
        place.wait_for(2);
        place.post("b", &starts, past);
        place.wait_for(3);
    }
    let bodies = |place: &Place| -> Vec<Value> {
        let mut bodies = place.received();
        for body in &mut bodies {
            body["externalURL"] = Value::Null;
        }
        bodies
    };
    assert_eq!(bodies(&ours), bodies(&reference));
    assert_eq!(bodies(&ours)[0]["alerts"].as_array().map(Vec::len), Some(2));
    end(ours_running);
    end(reference_running);
}
