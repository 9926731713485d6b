//! Mails: what servers of every temper hear, and what is in the messages, from both programs.

mod cases;

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Deserialize;
use serde_json::{Value, json};

use super::Life;
use crate::peer::{Peer, programs};
use crate::process::{self, Running, at};
use crate::wait::until;
use cases::{CONTENTS, Case, DIALOGUES, Place};

/// A connection as a server sees it.
#[derive(Debug, Clone, Deserialize)]
struct Talk {
    lines: Vec<String>,
    message: String,
    over: bool,
}

/// Servers, one for each case, and a program that sends to them.
struct Scene {
    peer: Peer,
    ports: BTreeMap<&'static str, String>,
    life: Life,
}

impl Scene {
    fn start(program: &str, first: &[&str], cases: &'static [Case], send_resolved: bool) -> Self {
        let mut peer = Peer::start();
        let scripts: Vec<Value> = cases.iter().map(script).collect();
        let mut started = peer.ask("mail_servers", json!({ "scripts": scripts })).unwrap();
        let ports: Vec<u16> = serde_json::from_value(started["ports"].take()).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
        write("ca.pem", started["ca"].as_str().unwrap());
        write("password.txt", " from file \n");
        write("alertmanager.yml", &config(cases, &ports, send_resolved));
        let ip = process::own_address();
        let web = at(ip, process::free_port(ip));
        let rest = [
            "--config.file=alertmanager.yml",
            "--storage.path=data",
            "--cluster.listen-address=",
            "--web.external-url=http://am.example:9093/x",
            "--web.route-prefix=/",
        ];
        let mut args: Vec<String> = first.iter().chain(&rest).map(|arg| (*arg).to_owned()).collect();
        args.push(format!("--web.listen-address={web}"));
        let life = Life { program: Running::start(program, directory.path(), &args), web, directory };
        until("an answer", || life.get("/-/healthy"));
        let ports = cases.iter().map(|case| case.name).zip(ports.iter().map(u16::to_string)).collect();
        Self { peer, ports, life }
    }

    /// Waits until each case has as many connections that are over, with their messages if they count.
    fn talks(&mut self, wanted: usize, messages: bool) -> BTreeMap<&'static str, Vec<Talk>> {
        let (peer, ports) = (&mut self.peer, &self.ports);
        until("the mails", || {
            let all: BTreeMap<String, Vec<Talk>> =
                serde_json::from_value(peer.ask("mails", json!({})).unwrap()).unwrap();
            let of = |port: &str| {
                let talks = all.get(port).into_iter().flatten();
                talks.filter(|talk| talk.over && (!messages || !talk.message.is_empty())).cloned().collect::<Vec<_>>()
            };
            let talks: BTreeMap<_, _> = ports.iter().map(|(name, port)| (*name, of(port))).collect();
            match talks.iter().find(|(_, talks)| talks.len() < wanted) {
                None => Ok(talks),
                Some((name, talks)) => Err(format!("{name}: {talks:?}")),
            }
        })
    }
}

fn script(case: &Case) -> Value {
    let ip = if case.place == Place::Elsewhere { "127.0.0.2" } else { "127.0.0.1" };
    json!({ "ip": ip, "tls": case.place == Place::Tls, "banner": case.banner, "rules": case.rules })
}

fn config(cases: &[Case], ports: &[u16], send_resolved: bool) -> String {
    let (mut routes, mut receivers) = (String::new(), String::new());
    for (case, port) in cases.iter().zip(ports) {
        let host = if case.place == Place::Elsewhere { "127.0.0.2" } else { "localhost" };
        // contents need no TLS
        let open = if send_resolved { "require_tls: false, " } else { "" };
        writeln!(routes, "  - {{receiver: {}, continue: true}}", case.name).unwrap();
        writeln!(
            receivers,
            "- name: {}\n  email_configs: [{{{open}send_resolved: {send_resolved}, smarthost: '{host}:{port}', from: 'Us <from@x>', to: 'Team <a@x>, b@y', {}}}]",
            case.name, case.settings
        )
        .unwrap();
    }
    format!(
        "route:\n  receiver: none\n  group_by: [g]\n  group_wait: 1s\n  group_interval: 1s\n  repeat_interval: 1h\n  routes:\n{routes}receivers:\n- name: none\n{receivers}"
    )
}

fn both(run: impl Fn(&str, &[&str]) -> BTreeMap<&'static str, Vec<String>>) {
    let theirs = run(programs::path("alertmanager").to_str().unwrap(), &[]);
    let ours = run(process::PROGRAM, &["worker"]);
    let mut differing = String::new();
    for (name, theirs) in theirs {
        let ours = &ours[name];
        assert_eq!(ours.len(), theirs.len(), "{name}\n {ours:#?}\n {theirs:#?}");
        for (ours, theirs) in ours.iter().zip(&theirs).filter(|(ours, theirs)| ours != theirs) {
            // from shortly before the first difference on
            let same = ours.chars().zip(theirs.chars()).take_while(|(a, b)| a == b).count();
            let shown = |text: &str| text.chars().skip(same.saturating_sub(60)).take(200).collect::<String>();
            writeln!(differing, "{name}\n  ours   {}\n  theirs {}", shown(ours), shown(theirs)).unwrap();
        }
    }
    assert!(differing.is_empty(), "{differing}");
}

const ALERT: &str = r#"[{"labels":{"alertname":"A","g":"1"},"startsAt":"2026-01-01T00:00:00Z"}]"#;

#[test]
fn servers_hear_the_same() {
    both(|program, first| {
        let mut scene = Scene::start(program, first, DIALOGUES, false);
        scene.life.post("/api/v2/alerts", ALERT).unwrap();
        let talks = scene.talks(1, false);
        talks.into_iter().map(|(name, talks)| (name, lines(&talks[0]))).collect()
    });
    assert!(DIALOGUES.len() >= 50);
}

/// What was said. The reference says goodbye again where it has already, to a server that didn't like the first one.
fn lines(talk: &Talk) -> Vec<String> {
    let mut lines = talk.lines.clone();
    lines.dedup_by(|a, b| a == b && a == "QUIT");
    lines.push(format!("message: {}", !talk.message.is_empty()));
    lines
}

/// Three groups; the second one's alert ends later.
fn alerts() -> String {
    let long = "lang und länger 日本語 ".repeat(20);
    let alert = |group: &str, name: &str, text: &str| {
        json!({
            "labels": { "alertname": name, "g": group, "long": "y".repeat(200), "kind": "<b>&\"'" },
            "annotations": { "text": text, "long": long, "lines": ". one \n.two\t\r\n\r..three = 3\n\n " },
            "startsAt": "2026-01-01T00:00:00Z", "generatorURL": "http://prom.example/graph?g0.expr=a%3Db&x=<y>",
        })
    };
    json!([
        alert("1", "One", "plain"),
        alert("2", "Two", "Ünïcödé <script>alert(1)</script> & \u{1f525}"),
        alert("3", "Three", "first"),
        alert("3", "Four", "second = equals"),
    ])
    .to_string()
}

#[test]
fn messages_are_the_same() {
    both(|program, first| {
        let mut scene = Scene::start(program, first, CONTENTS, true);
        scene.life.post("/api/v2/alerts", &alerts()).unwrap();
        scene.talks(3, true);
        let mut over: Value = serde_json::from_str(&alerts()).unwrap();
        let mut over = over[1].take();
        over["endsAt"] = json!("2026-01-01T01:00:00Z");
        scene.life.post("/api/v2/alerts", &json!([over]).to_string()).unwrap();
        let talks = scene.talks(4, true);
        let of = |talks: Vec<Talk>| {
            let mut messages: Vec<String> = talks.iter().take(4).map(|talk| masked(&talk.message)).collect();
            messages.sort();
            messages
        };
        talks.into_iter().map(|(name, talks)| (name, of(talks))).collect()
    });
    assert!(CONTENTS.len() >= 10);
}

/// Without what is new in each message; the reference puts its headers in any order.
fn masked(message: &str) -> String {
    let (head, body) = message.split_once("\r\n\r\n").unwrap();
    let mut headers: Vec<String> = head.split("\r\n").map(str::to_owned).collect();
    let boundary = headers.iter().find_map(|header| header.split_once("boundary=")).unwrap().1.to_owned();
    assert!(boundary.len() == 60 && boundary.bytes().all(|b| b.is_ascii_hexdigit()), "{boundary}");
    for header in &mut headers {
        if header.starts_with("Message-Id: ") && !header.ends_with("@own>") {
            let shape: String = header.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
            assert!(shape.starts_with("Message-Id: <0000000000000000000.0") && shape.ends_with('>'), "{header}");
            *header = "Message-Id".to_owned();
        }
        if header.starts_with("Date: ") && header != "Date: never" {
            let shape: String = header.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
            assert!(
                shape.ends_with(" 0000 00:00:00 +0000") && shape.len() == "Date: Mon, 02 Jan 2006 15:04:05 +0000".len(),
                "{header}"
            );
            *header = "Date".to_owned();
        }
    }
    headers.sort();
    // all of it in one line, so that a difference is found
    format!("{headers:?} {body:?}").replace(&boundary, "BOUNDARY")
}
