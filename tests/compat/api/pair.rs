//! The two programs, side by side on the same config, and what is not compared in their answers.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use alerting::time::{Timestamp, parse_rfc3339};
use serde_json::Value;
use tempfile::TempDir;

use super::client::{Answer, Request};
use crate::peer::programs;
use crate::process::{PROGRAM, Running, at, free_port, own_address};
use crate::wait::until;

const CONFIG: &str = r#"
global:
  resolve_timeout: 5m
route:
  receiver: team-x
  group_by: [alertname]
  group_wait: 1h
  routes:
    - receiver: team-y
      matchers: [team="y"]
      group_by: [cluster, severity]
      continue: true
    - receiver: "team.z/é"
      matchers: [severity=~"page|critical"]
      group_by: ['...']
      mute_time_intervals: [always]
receivers:
  - name: team-x
  - name: team-y
    labels: {owner: why, tier: "1"}
    webhook_configs: [{url: "http://127.0.0.1:9/y"}]
  - name: "team.z/é"
    labels: {owner: zed}
    webhook_configs: [{url: "http://127.0.0.1:9/z"}]
  - name: unused
inhibit_rules:
  - source_matchers: [severity="critical"]
    target_matchers: [severity="warning"]
    equal: [alertname]
time_intervals:
  - name: always
    time_intervals: [{years: ["2000:2099"]}]
"#;

/// How long, in all, a pair may be asked again because it may not have come to rest.
const PATIENCE: Duration = Duration::from_secs(20);

struct Side {
    web: SocketAddr,
    /// Ids of silences in the order in which they were seen.
    ids: Vec<String>,
    _process: Running,
    _dir: TempDir,
}

/// Ours and the reference.
pub(super) struct Pair {
    pub(super) name: &'static str,
    /// Before all paths.
    pub(super) prefix: &'static str,
    sides: [Side; 2],
    patience: Duration,
}

impl Pair {
    pub(super) fn start(name: &'static str, flags: &[&str]) -> Self {
        Self::start_on(name, flags, Vec::new())
    }

    /// With a file of silences to begin with.
    pub(super) fn start_on(name: &'static str, flags: &[&str], silences: Vec<u8>) -> Self {
        let reference = programs::path("alertmanager");
        let ours = Path::new(PROGRAM);
        let ip = own_address();
        let sides = [ours, reference.as_path()].map(|program| Side::start(program, ip, flags, &silences));
        for side in &sides {
            until("the API answers", || std::net::TcpStream::connect(side.web).map_err(|e| e.to_string()));
        }
        Self { name, prefix: "", sides, patience: PATIENCE }
    }

    /// How the answers differ; asked again while they do, if that is `unexpected` and the question changes nothing.
    pub(super) fn difference(&mut self, request: &Request, unexpected: bool) -> Option<String> {
        let again = unexpected && request.method == "GET";
        let start = Instant::now();
        loop {
            let prefix = self.prefix;
            let [ours, reference] = self.sides.each_mut().map(|side| side.ask(prefix, request));
            if ours == reference {
                self.patience = self.patience.saturating_sub(start.elapsed());
                return None;
            }
            if !again || start.elapsed() >= self.patience {
                self.patience = self.patience.saturating_sub(start.elapsed());
                return Some(format!("{}\n  ours:      {ours:?}\n  reference: {reference:?}", request.label()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Side {
    fn start(program: &Path, ip: Ipv4Addr, flags: &[&str], silences: &[u8]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("alertmanager.yml"), CONFIG).unwrap();
        if !silences.is_empty() {
            std::fs::create_dir(dir.path().join("data")).unwrap();
            std::fs::write(dir.path().join("data/silences"), silences).unwrap();
        }
        // one name for both, by which ours knows that it's the worker
        let link = dir.path().join("alertmanager");
        std::os::unix::fs::symlink(program, &link).unwrap();
        let (web, peer) = (at(ip, free_port(ip)), at(ip, free_port(ip)));
        let mut args = vec![format!("--web.listen-address={web}"), format!("--cluster.listen-address={peer}")];
        args.extend(["--cluster.settle-timeout=0s", "--cluster.peer-name=am-0"].map(str::to_owned));
        args.extend(flags.iter().map(|flag| (*flag).to_owned()));
        let process = Running::start(link.to_str().unwrap(), dir.path(), &args);
        process.line("Listening on");
        Self { web, ids: Vec::new(), _process: process, _dir: dir }
    }

    fn ask(&mut self, prefix: &str, request: &Request) -> Answer {
        let mut request = request.clone();
        request.path = format!("{prefix}{}", self.with_ids(&request.path));
        request.body = match String::from_utf8(request.body) {
            Ok(body) => self.with_ids(&body).into_bytes(),
            Err(bytes) => bytes.into_bytes(),
        };
        let mut answer = request.send(self.web);
        if let Some(allow) = answer.headers.get_mut("allow") {
            *allow = sorted(allow);
        }
        answer.body = self.normal(&answer.body, request.path.contains("/status"));
        answer
    }

    /// `{id:N}` is the id that came Nth.
    fn with_ids(&self, text: &str) -> String {
        let named = |text: String, (n, id): (usize, &String)| text.replace(&format!("{{id:{n}}}"), id);
        self.ids.iter().enumerate().fold(text.to_owned(), named)
    }

    /// Without what depends on the moment, on chance and on the build.
    fn normal(&mut self, body: &str, is_status: bool) -> String {
        let Ok(mut value) = serde_json::from_str::<Value>(body) else {
            return body.to_owned();
        };
        self.walk(&mut value);
        // silences that begin or end at the same time come in any order
        if let Some(items) = value.as_array_mut().filter(|items| items.iter().any(|item| item["createdBy"].is_string()))
        {
            items.sort_by_key(ToString::to_string);
        }
        if is_status && let Some(version) = value.get_mut("versionInfo").and_then(Value::as_object_mut) {
            version.values_mut().filter(|value| value.is_string()).for_each(|value| *value = "".into());
        }
        // the newline at the end is part of the answer, the order of keys is not
        format!("{value}{}", if body.ends_with('\n') { "\\n" } else { "" })
    }

    fn walk(&mut self, value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.walk(item)),
            Value::Object(fields) => {
                for (name, field) in fields {
                    self.walk(field);
                    // by ids, which are random
                    if let ("silencedBy", Some(ids)) = (name.as_str(), field.as_array_mut()) {
                        ids.sort_by_key(ToString::to_string);
                    }
                }
            }
            Value::String(text) => *text = self.text(text),
            _ => {}
        }
    }

    fn text(&mut self, text: &str) -> String {
        // ours ends in 2262
        if text.starts_with("9999-12-31T") || text == "2262-04-11T23:47:16.854Z" {
            return "<far away>".to_owned();
        }
        if let Ok(Some(time)) = parse_rfc3339(text) {
            // the reference keeps the sender's offset
            return moment(time).map_or_else(|| time.rfc3339_millis(), str::to_owned);
        }
        if is_id(text) && !text.starts_with("11111111") {
            if !self.ids.iter().any(|id| id == text) {
                self.ids.push(text.to_owned());
            }
            let at = self.ids.iter().position(|id| id == text).unwrap();
            return format!("{{id:{at}}}");
        }
        if text.parse::<SocketAddr>().is_ok_and(|address| address.ip() == self.web.ip()) {
            return "<address>".to_owned();
        }
        // parsers of JSON and of regular expressions say in their own words what is wrong; sizes depend on encodings
        let text = &text.replace("failed to create matcher: ", "");
        for parser in ["\" failed, because ", "error parsing regexp: ", "exceeded maximum size: "] {
            if let Some((before, _)) = text.split_once(parser) {
                return format!("{before}{parser}…");
            }
        }
        // the reference lists methods in an order that differs from process to process
        match text.split_once(" is not allowed, but [") {
            Some((before, methods)) => {
                format!("{before} is not allowed, but {}", sorted(methods.trim_end_matches("] are")))
            }
            None => text.to_owned(),
        }
    }
}

/// Times that the server chose: now, or when an alert without an end ends.
fn moment(time: Timestamp) -> Option<&'static str> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let seconds = time.as_nanos() / 1_000_000_000 - i64::try_from(now.as_secs()).unwrap();
    match seconds {
        -300..=30 => Some("<now>"),
        31..=330 => Some("<in five minutes>"),
        _ => None,
    }
}

fn sorted(list: &str) -> String {
    let mut names: Vec<&str> = list.split(',').map(str::trim).collect();
    names.sort_unstable();
    names.join(", ")
}

fn is_id(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit()) && text.contains('-')
}
