//! What `config/standalone` says to run, run as plain processes: the members of the Compose file, nginx before them, and the
//! command of the systemd unit.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::Signal;
use serde_json::Value;

use crate::http::{json, request};
use crate::peers;
use crate::process::{PROGRAM, Running, at, free_port, own_address};
use crate::sample::ROOT;
use crate::wait::{same, until};

const GOSSIP_PORT: u16 = 9094;
const WEB_PORT: u16 = 9093;

fn read(file: &str) -> String {
    std::fs::read_to_string(Path::new(ROOT).join("config/standalone").join(file)).unwrap()
}

/// The members of the Compose file, as processes; each of its names is an address of loopback.
struct Members {
    ip: Ipv4Addr,
    running: Vec<Option<Running>>,
    dir: tempfile::TempDir,
}

impl Members {
    fn start() -> Self {
        let (ip, dir) = (own_address(), tempfile::tempdir().unwrap());
        let mut members = Self { ip, running: Vec::new(), dir };
        for number in 0..3 {
            let member = members.started(number);
            members.running.push(Some(member));
        }
        (0..3).for_each(|number| members.sees(number, 3));
        members
    }

    fn address(&self, number: u8) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.ip.to_bits() + u32::from(number))
    }

    fn web(&self, number: u8) -> SocketAddr {
        at(self.address(number), WEB_PORT)
    }

    /// Puts addresses in the place of names.
    fn local(&self, text: &str) -> String {
        (0..3).fold(text.to_owned(), |text, number| {
            text.replace(&format!("alertmanager-{number}:"), &format!("{}:", self.address(number)))
        })
    }

    fn started(&self, number: u8) -> Running {
        let compose: Value = serde_saphyr::from_str(&read("compose.yaml")).unwrap();
        let service = &compose["services"][format!("alertmanager-{number}")];
        let data = self.dir.path().join(format!("data-{number}")).display().to_string();
        let config = format!("{ROOT}/config/standalone/alertmanager.yml");
        let own = self.address(number);
        let given = service["command"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap());
        let args = given.map(|arg| {
            self.local(arg)
                .replace("/etc/alertmanager/alertmanager.yml", &config)
                .replace("=/data", &format!("={data}"))
        });
        // in a container these are its own
        let here =
            [format!("--web.listen-address={own}:{WEB_PORT}"), format!("--cluster.listen-address={own}:{GOSSIP_PORT}")];
        Running::start(PROGRAM, self.dir.path(), &args.chain(here).collect::<Vec<_>>())
    }

    fn sees(&self, number: u8, count: usize) {
        until(&format!("member {number} is ready and sees {count}"), || {
            request(self.web(number), "GET", "/-/ready", "")?;
            let status = json(self.web(number), "/api/v2/status")?;
            same(status["cluster"]["peers"].as_array().map(Vec::len), &Some(count))
        });
    }

    /// nginx before them; where it listens.
    fn nginx(&self) -> (Running, SocketAddr) {
        let front = at(self.ip, free_port(self.ip));
        let dir = self.dir.path().join("nginx");
        std::fs::create_dir_all(&dir).unwrap();
        let own = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let temporary = own.map(|name| format!("{name}_temp_path {};\n", dir.join(name).display())).concat();
        let config = self.local(&read("nginx.conf")).replace("listen 80;", &format!("listen {front};"));
        let config = config.replace("http {\n", &format!("http {{\naccess_log off;\n{temporary}"));
        let config = format!("daemon off;\npid {};\nerror_log stderr;\n{config}", dir.join("pid").display());
        let file = dir.join("nginx.conf");
        std::fs::write(&file, config).unwrap();
        let mut nginx = Command::new(peers::path("nginx"));
        nginx.arg("-p").arg(&dir).arg("-c").arg(&file).args(["-e", "stderr"]);
        let running = Running::spawn(nginx);
        until("nginx passes requests on", || request(front, "GET", "/-/ready", ""));
        (running, front)
    }
}

#[test]
fn through_nginx_a_cluster_is_one_alertmanager() {
    let mut members = Members::start();
    let (_nginx, front) = members.nginx();
    let url = format!("http://{front}");

    // what amtool makes it sees at once, and ends again
    for number in 0..10 {
        let comment = format!("--comment=number {number}");
        let add = ["--alertmanager.url", &url, "silence", "add", &comment, "--author=me", "alertname=Down"];
        let (code, id, error) = peers::amtool(&add);
        assert_eq!(code, 0, "{error}");
        let (_, listed, _) = peers::amtool(&["--alertmanager.url", &url, "silence", "query", "-q"]);
        assert!(listed.contains(id.trim()), "number {number}: {listed}");
        let (code, _, error) = peers::amtool(&["--alertmanager.url", &url, "silence", "expire", id.trim()]);
        assert_eq!(code, 0, "{error}");
    }
    // alerts reach one member, and so all
    for number in 0..30 {
        let alert = format!(r#"[{{"labels": {{"alertname": "Load", "number": "{number}"}}}}]"#);
        request(front, "POST", "/api/v2/alerts", &alert).unwrap();
    }
    let alerts = |web| json(web, "/api/v2/alerts").map(|all| all.as_array().map(Vec::len));
    for number in 0..3 {
        let web = members.web(number);
        until("it has all alerts", || same(alerts(web)?, &Some(30)));
    }
    assert!(request(front, "GET", "/", "").unwrap().contains("<!doctype html>"), "the page");

    // without the member that people were with, nothing is refused
    for lost in [0, 1] {
        drop(members.running[usize::from(lost)].take());
        for number in 0..20 {
            let alert = format!(r#"[{{"labels": {{"alertname": "Lost", "number": "{number}"}}}}]"#);
            request(front, "POST", "/api/v2/alerts", &alert).unwrap();
            request(front, "GET", "/api/v2/silences", "").unwrap();
        }
        let back = members.started(lost);
        members.running[usize::from(lost)] = Some(back);
        members.sees(lost, 3);
    }
    until("who was away has the alerts", || same(alerts(members.web(0))?, &Some(50)));
}

#[test]
fn a_load_is_sent_and_counted() {
    let members = Members::start();
    let urls: Vec<String> = (0..3).map(|number| format!("http://{}", members.web(number))).collect();
    let send = |more: &[&str]| {
        let mut command = Command::new(PROGRAM);
        command.args(["send", "--rate=200", "--series=40", "--for=1s", "--output=json"]).args(more);
        let output = command.stdin(Stdio::null()).output().unwrap();
        let value: Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code(), value)
    };
    let (code, told) = send(&["--labels=team=a,severity=page", &urls[0], &urls[1], &urls[2]]);
    assert_eq!((code, told["taken"].as_u64(), told["failed"].as_u64()), (Some(0), Some(600), Some(0)), "{told}");
    let alerts = json(members.web(0), "/api/v2/alerts?filter=team=a&filter=alertname=Load").unwrap();
    assert_eq!(alerts.as_array().map(Vec::len), Some(40));
    let (code, told) =
        send(&["--labels=team=a,severity=page", "--balanced", "--resolve", &urls[0], &urls[1], &urls[2]]);
    assert_eq!((code, told["taken"].as_u64()), (Some(0), Some(200 + 3 * 40)), "{told}");
    until("all are over", || {
        let alerts = json(members.web(0), "/api/v2/alerts?filter=team=a")?;
        same(alerts.as_array().map(Vec::len), &Some(0))
    });
    let nobody = format!("http://{}", at(members.ip, free_port(members.ip)));
    let (code, told) = send(&[&nobody]);
    assert_eq!((code, told["taken"].as_u64(), told["failed"].as_u64()), (Some(1), Some(0), Some(200)), "{told}");
    assert!(told["error"].to_string().contains("refused"), "{told}");
}

#[test]
fn the_unit_starts_reloads_and_stops_a_member() {
    let (dir, ip) = (tempfile::tempdir().unwrap(), own_address());
    let unit = read("systemd/alertmanager.service");
    let config = dir.path().join("alertmanager.yml");
    std::fs::write(&config, read("alertmanager.yml")).unwrap();
    let [web, gossip] = [(); 2].map(|()| at(ip, free_port(ip)));
    // what systemd does with it
    let peers = format!("--cluster.peer={gossip} --cluster.listen-address={gossip} --web.listen-address={web}");
    let command = |key: &str| -> Vec<String> {
        let line = unit.lines().find_map(|line| line.strip_prefix(&format!("{key}="))).unwrap();
        let line = line.replace("$PEERS", &peers).replace("/usr/local/bin/alertmanager-operator", PROGRAM);
        let line = line.replace("/etc/alertmanager/alertmanager.yml", &config.display().to_string());
        let line = line.replace("/var/lib/alertmanager", &dir.path().join("data").display().to_string());
        line.split(' ').map(str::to_owned).collect()
    };
    let check = command("ExecStartPre");
    assert!(Command::new(&check[0]).args(&check[1..]).output().unwrap().status.success());
    let start = command("ExecStart");
    let mut member = Running::start(&start[0], dir.path(), &start[1..]);
    until("it is ready", || request(web, "GET", "/-/ready", ""));
    let hash = || Ok::<_, String>(json(web, "/-/config")?["hash"].to_string());
    let before = hash().unwrap();
    assert_eq!(command("ExecReload"), ["/bin/kill", "-HUP", "$MAINPID"]);
    std::fs::write(&config, read("alertmanager.yml").replace("10s", "11s")).unwrap();
    member.signal(Signal::HUP);
    until("it runs the new config", || if hash()? == before { Err("the old one".to_owned()) } else { Ok(()) });
    member.signal(Signal::TERM);
    assert_eq!(member.wait().code(), Some(0));
    std::fs::write(&config, "route: {receiver: nobody}\n").unwrap();
    assert!(!Command::new(&check[0]).args(&check[1..]).output().unwrap().status.success(), "it would not be started");
}

#[test]
fn files_that_the_compose_file_mounts_are_there() {
    let compose: Value = serde_saphyr::from_str(&read("compose.yaml")).unwrap();
    let services = compose["services"].as_object().unwrap();
    assert_eq!(services.len(), 6);
    let mounts = services.values().flat_map(|service| service["volumes"].as_array().into_iter().flatten());
    let files: Vec<&str> =
        mounts.filter_map(|mount| mount.as_str()?.split(':').next()).filter(|from| from.starts_with('.')).collect();
    assert!(files.len() >= 5, "{files:?}");
    for file in files {
        assert!(Path::new(ROOT).join("config/standalone").join(file).exists(), "{file}");
    }
    let prometheus = format!("{ROOT}/config/standalone/prometheus.yml");
    let checked =
        Command::new(peers::path("promtool")).args(["check", "config", "--syntax-only", &prometheus]).output();
    let checked = checked.unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}
