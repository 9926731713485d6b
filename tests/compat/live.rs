//! This program and the reference, running side by side over the same config.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tempfile::TempDir;

use crate::http;
use crate::peer::programs;
use crate::process::{self, Running, at};
use crate::wait::until;

mod applied;
mod events;
mod kafka;
mod lines;
mod mail;
mod metrics;
mod sns;
mod ways;

/// One of the two programs, running.
struct Life {
    program: Running,
    web: SocketAddr,
    directory: TempDir,
}

/// Takes notifications and events: 200 for `/ok`, 400 for everything else.
struct Sink {
    address: SocketAddr,
    bodies: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Life {
    /// Ours, then the reference.
    fn both(config: &str, args: &[&str]) -> [Self; 2] {
        let ip = process::own_address();
        let ours = [&["worker"], args].concat();
        [Self::start(process::PROGRAM, ip, config, &ours), Self::start_reference(ip, config, args)]
    }

    fn start_reference(ip: Ipv4Addr, config: &str, args: &[&str]) -> Self {
        let program = programs::path("alertmanager");
        Self::start(program.to_str().unwrap(), ip, config, args)
    }

    /// `@DIR@` in the config stands for its directory, `@CLUSTER@` in an argument for a free address for peers.
    fn start(program: &str, ip: Ipv4Addr, config: &str, args: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let web = at(ip, process::free_port(ip));
        let cluster = at(ip, process::free_port(ip)).to_string();
        write_config(directory.path(), config);
        let mut all: Vec<String> = args.iter().map(|arg| arg.replace("@CLUSTER@", &cluster)).collect();
        all.extend([
            "--config.file=alertmanager.yml".to_owned(),
            "--storage.path=data".to_owned(),
            format!("--web.listen-address={web}"),
        ]);
        let life = Self { program: Running::start(program, directory.path(), &all), web, directory };
        until("an answer", || life.get("/-/healthy"));
        life
    }

    fn configure(&self, config: &str) {
        write_config(self.directory.path(), config);
    }

    fn get(&self, path: &str) -> Result<String, String> {
        http::request(self.web, "GET", path, "")
    }

    fn post(&self, path: &str, body: &str) -> Result<String, String> {
        http::request(self.web, "POST", path, body)
    }

    /// Stops it as an operator would.
    fn stop(&mut self) {
        self.program.signal(rustix::process::Signal::TERM);
        assert!(self.program.wait().success());
    }
}

fn write_config(directory: &Path, config: &str) {
    let config = config.replace("@DIR@", &directory.display().to_string());
    std::fs::write(directory.join("alertmanager.yml"), config).unwrap();
}

impl Sink {
    fn start() -> Self {
        let listener = TcpListener::bind((process::own_address(), 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let bodies = Arc::<Mutex<Vec<(String, Value)>>>::default();
        let kept = Arc::clone(&bodies);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || serve(stream, &kept));
            }
        });
        Self { address, bodies }
    }

    /// What came to a path, in the order in which it came.
    fn bodies(&self, path: &str) -> Vec<Value> {
        let all = self.bodies.lock().unwrap();
        all.iter().filter(|(to, _)| to == path).map(|(_, body)| body.clone()).collect()
    }
}

/// One request per connection.
fn serve(mut stream: std::net::TcpStream, kept: &Mutex<Vec<(String, Value)>>) {
    let mut data = Vec::new();
    let mut chunk = [0; 4096];
    let (head, length) = loop {
        let Ok(count @ 1..) = stream.read(&mut chunk) else { return };
        data.extend_from_slice(&chunk[..count]);
        let Some(end) = data.windows(4).position(|w| w == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&data[..end]).to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
        break (head, end + 4 + length.unwrap_or(0));
    };
    while data.len() < length {
        let Ok(count @ 1..) = stream.read(&mut chunk) else { return };
        data.extend_from_slice(&chunk[..count]);
    }
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let body = &data[data.windows(4).position(|w| w == b"\r\n\r\n").unwrap_or(0) + 4..];
    let status = if path.starts_with("/ok") { "200 OK" } else { "400 Bad Request" };
    kept.lock().unwrap().push((path, serde_json::from_slice(body).unwrap_or_default()));
    let _ = stream.write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").as_bytes());
}

/// Routes to a receiver that works and to one that doesn't; each group is flushed once.
fn config(sink: &Sink) -> String {
    let to = sink.address;
    format!(
        r#"
route:
  receiver: good
  group_by: [alertname]
  group_wait: 1s
  group_interval: 1h
  routes:
    - receiver: bad
      matchers: [to="bad"]
    - receiver: good
      matchers: [never="x"]
      mute_time_intervals: [always]
receivers:
  - name: good
    webhook_configs: [{{url: "http://{to}/ok"}}]
  - name: bad
    webhook_configs: [{{url: "http://{to}/bad"}}]
  - name: idle
time_intervals:
  - name: always
    time_intervals: [{{times: [{{start_time: "00:00", end_time: "24:00"}}]}}]
inhibit_rules:
  - name: loud
    source_matchers: [alertname="Source"]
    target_matchers: [alertname="Target"]
    equal: [zone]
"#
    )
}

/// Silences `Silenced`; the silence's id.
fn silence(life: &Life) -> String {
    let draft = r#"{"matchers":[{"name":"alertname","value":"Silenced","isRegex":false}],"comment":"c",
        "startsAt":"2026-01-01T00:00:00Z","endsAt":"2099-01-01T00:00:00Z","createdBy":"me"}"#;
    let answer: Value = serde_json::from_str(&life.post("/api/v2/silences", draft).unwrap()).unwrap();
    answer["silenceID"].as_str().unwrap().to_owned()
}

/// One alert of each fate: told, refused by the receiver, inhibited (and what inhibits it), silenced, muted by time.
const ALERTS: &str = r#"[
    {"labels":{"alertname":"Told","x":"1"},"annotations":{"a":"b"},"startsAt":"2026-01-01T00:00:00Z"},
    {"labels":{"alertname":"Refused","to":"bad"}},
    {"labels":{"alertname":"Source","zone":"z"}},
    {"labels":{"alertname":"Target","zone":"z"}},
    {"labels":{"alertname":"Silenced"}},
    {"labels":{"alertname":"Muted","never":"x"}}
]"#;
