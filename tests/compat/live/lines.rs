//! Log lines of a short life: the same messages at the same level with the same keys, for what operators grep.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{ALERTS, Life, Sink, config, silence};
use crate::wait::until;

/// Messages that both write in this life, with their level.
const MESSAGES: [(&str, &str); 14] = [
    ("Experimental receiver name in metrics enabled", "WARN"),
    ("Starting Alertmanager", "INFO"),
    ("Build context", "INFO"),
    ("Waiting for gossip to settle...", "INFO"),
    ("Listening on", "INFO"),
    ("gossip not settled but continuing anyway", "INFO"),
    ("Loading configuration file", "INFO"),
    ("Completed loading of configuration file", "INFO"),
    ("Loading configuration file failed", "ERROR"),
    ("create silence", "INFO"),
    ("expire silence", "INFO"),
    ("Notify success", "DEBUG"),
    ("Notify for alerts failed", "ERROR"),
    ("Received shutdown signal, exiting gracefully...", "INFO"),
];

/// Keys that only one of them writes with these messages; see `differences.md`.
const ONE_SIDED: [(&str, &str); 9] = [
    ("Waiting for gossip to settle...", "name"),
    ("Waiting for gossip to settle...", "addr"),
    ("Waiting for gossip to settle...", "peers"),
    ("Waiting for gossip to settle...", "interval"),
    ("gossip not settled but continuing anyway", "polls"),
    ("gossip not settled but continuing anyway", "reason"),
    ("Notify for alerts failed", "reason"),
    ("Received shutdown signal, exiting gracefully...", "elapsed"),
    ("Experimental receiver name in metrics enabled", "feature"),
];

type Line = BTreeMap<String, String>;

/// Reads a line of logfmt.
fn logfmt(mut text: &str) -> Option<Line> {
    let mut line = Line::new();
    while !text.is_empty() {
        let (key, rest) = text.split_once('=')?;
        let value = if rest.starts_with('"') {
            let mut end = 1;
            while rest.as_bytes().get(end)? != &b'"' {
                end += if rest.as_bytes()[end] == b'\\' { 2 } else { 1 };
            }
            text = rest.get(end + 1..)?.trim_start();
            serde_json::from_str::<String>(&rest[..=end]).ok()?
        } else {
            let (value, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            text = rest;
            value.to_owned()
        };
        line.insert(key.to_owned(), value);
    }
    Some(line)
}

/// Reads a line of JSON.
fn json(text: &str) -> Option<Line> {
    let object: Value = serde_json::from_str(text).ok()?;
    let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Some(object.as_object()?.iter().map(|(key, value)| (key.clone(), shown(value))).collect())
}

/// Lives, and tells what was written.
fn life(mut life: Life, sink: &Sink, read: fn(&str) -> Option<Line>) -> Vec<Line> {
    life.post("/-/reload", "").unwrap();
    life.configure("nonsense");
    life.post("/-/reload", "").unwrap_err();
    let id = silence(&life);
    crate::http::request(life.web, "DELETE", &format!("/api/v2/silence/{id}"), "").unwrap();
    life.post("/api/v2/alerts", ALERTS).unwrap();
    life.program.line("Notify for alerts failed");
    life.program.line("Notify success");
    life.program.line("continuing anyway");
    let listening = life.program.line("Listening on");
    assert!(listening.contains(&life.web.to_string()), "{listening}");
    life.stop();
    let lines = life.program.output();
    assert!(!sink.bodies("/ok").is_empty());
    lines.iter().map(|line| read(line).unwrap_or_else(|| panic!("not a log line: {line}"))).collect()
}

fn compare(format: &str, read: fn(&str) -> Option<Line>) {
    let sink = Sink::start();
    let config = config(&sink);
    let format = format!("--log.format={format}");
    let [ours, theirs] = Life::both(
        &config,
        &[
            &format,
            "--log.level=debug",
            "--log.silences",
            "--enable-feature=receiver-name-in-metrics",
            "--cluster.listen-address=@CLUSTER@",
            "--cluster.settle-timeout=1s",
        ],
    );
    let (ours, theirs) = std::thread::scope(|scope| {
        let ours = scope.spawn(|| life(ours, &sink, read));
        (ours.join().unwrap(), life(theirs, &sink, read))
    });
    for (message, level) in MESSAGES {
        let find = |lines: &[Line]| {
            let found = lines.iter().find(|line| line["msg"] == message);
            found.cloned().unwrap_or_else(|| panic!("no `{message}` in {lines:#?}"))
        };
        let (mine, its) = (find(&ours), find(&theirs));
        assert_eq!((mine["level"].as_str(), its["level"].as_str()), (level, level), "{message}");
        let keys = |line: &Line| -> BTreeSet<String> {
            let known = |key: &&String| !ONE_SIDED.contains(&(message, key.as_str()));
            line.keys().filter(known).cloned().collect()
        };
        assert_eq!(keys(&mine), keys(&its), "{message}");
        for key in ["component", "receiver", "integration", "aggrGroup", "attempts", "num_alerts", "Matchers", "file"] {
            // which of several groups was first is chance
            if message != "Notify success" || key != "aggrGroup" {
                assert_eq!(mine.get(key), its.get(key), "{message}: {key}");
            }
        }
        assert!(mine["time"].ends_with('Z') && its["time"].ends_with('Z'), "{message}");
        if message == "Notify for alerts failed" {
            let start = |line: &Line| line["err"].split("unexpected").next().unwrap_or_default().to_owned();
            assert_eq!(start(&mine), start(&its));
        }
    }
}

#[test]
fn logfmt_lines_have_the_same_messages_and_keys() {
    compare("logfmt", logfmt);
}

#[test]
fn json_lines_have_the_same_messages_and_keys() {
    compare("json", json);
}

#[test]
fn the_level_is_kept() {
    let sink = Sink::start();
    let mut life = Life::both(&config(&sink), &["--log.level=error", "--cluster.listen-address="]);
    for life in &mut life {
        until("an answer", || life.get("/-/healthy"));
        life.stop();
        assert_eq!(life.program.output(), [""; 0]);
    }
}
