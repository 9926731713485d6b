//! `diagnose` against real members: of this program, and of the Go Alertmanager.

use std::process::Command;

use serde_json::Value;

use crate::http::request;
use crate::peers;
use crate::process::{PROGRAM, Running, at, free_port, own_address};
use crate::running::Cluster;
use crate::wait::until;

fn diagnose(args: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(PROGRAM).arg("diagnose").args(args).output().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.code(), text)
}

/// The codes of what was found.
fn codes(args: &[&str]) -> (Option<i32>, Vec<String>) {
    let (code, text) = diagnose(&[&["--output", "json"], args].concat());
    let value: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let findings = value["findings"].as_array().unwrap().iter();
    (code, findings.map(|finding| finding["code"].as_str().unwrap().to_owned()).collect())
}

#[test]
fn a_healthy_cluster_has_no_findings_and_what_breaks_is_named() {
    let (cluster, _sample) = Cluster::quick();
    let urls: Vec<String> = (0..3).map(|member| cluster.web(member).to_string()).collect();
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let (code, text) = diagnose(&urls);
    assert!(code == Some(0) && text.ends_with("\nNothing found.\n"), "{text}");
    assert!(text.contains("alertmanager-main-0  ready, ") && text.contains(" sees "), "{text}");

    let (code, text) = diagnose(&urls[..2]);
    assert!(code == Some(1) && text.contains("alertmanager-main-2 at "), "{text}");
    assert!(text.contains("is a peer of alertmanager-main-0, alertmanager-main-1"), "{text}");

    let nobody = at(cluster.ip, free_port(cluster.ip)).to_string();
    let (code, text) = diagnose(&[urls[0], urls[1], urls[2], &nobody]);
    assert_eq!(code, Some(1));
    assert!(text.contains(&format!("CRITICAL http://{nobody} does not answer: ")), "{text}");
    assert!(text.contains("onnection refused"), "the cause is told: {text}");
}

#[test]
fn members_apart_with_different_configs_are_told_so() {
    let (dir, ip) = (tempfile::tempdir().unwrap(), own_address());
    let start = |name: &str, label: &str, receiver: &str| {
        let home = dir.path().join(name);
        std::fs::create_dir(&home).unwrap();
        let config = format!("route: {{receiver: {receiver}}}\nreceivers: [{{name: {receiver}}}]\n");
        std::fs::write(home.join("alertmanager.yml"), config).unwrap();
        let (web, gossip) = (at(ip, free_port(ip)), at(ip, free_port(ip)));
        let args = [
            "worker".to_owned(),
            format!("--web.listen-address={web}"),
            format!("--cluster.listen-address={gossip}"),
            format!("--cluster.advertise-address={gossip}"),
            format!("--cluster.peer-name={name}"),
            format!("--cluster.label={label}"),
            "--cluster.settle-timeout=0s".to_owned(),
        ];
        let running = Running::start(PROGRAM, &home, &args);
        until("it is ready", || request(web, "GET", "/-/ready", ""));
        (running, web.to_string())
    };
    let (_one, one) = start("one", "a", "left");
    let (_two, two) = start("two", "b", "right");
    let (code, found) = codes(&[&one, &two]);
    assert_eq!((code, found), (Some(1), ["not_seen", "not_seen", "config_differs"].map(str::to_owned).to_vec()));
    let (_, text) = diagnose(&[&one, &two]);
    assert!(text.contains("one does not see two") && text.contains("receiver: left"), "{text}");
}

#[test]
fn the_go_alertmanager_can_be_asked_too() {
    let (dir, ip) = (tempfile::tempdir().unwrap(), own_address());
    std::fs::write(dir.path().join("alertmanager.yml"), "route: {receiver: r}\nreceivers: [{name: r}]\n").unwrap();
    let web = at(ip, free_port(ip));
    let args = [format!("--web.listen-address={web}"), "--cluster.listen-address=".to_owned()];
    let program = peers::path("alertmanager");
    let _go = Running::start(program.to_str().unwrap(), dir.path(), &args);
    until("it is ready", || request(web, "GET", "/-/ready", ""));
    let (code, text) = diagnose(&[&web.to_string()]);
    assert!(code == Some(0) && text.contains("ready, 0.34.2") && text.ends_with("Nothing found.\n"), "{text}");
}

#[test]
fn what_names_no_member_is_refused() {
    let (code, text) = diagnose(&[]);
    assert!(code == Some(2) && text.contains("<URL>"), "{text}");
    let (code, text) = diagnose(&["--dns", "nowhere.invalid:9093"]);
    assert!(code == Some(1) && text.contains("looking up `nowhere.invalid:9093`"), "{text}");
    let (code, text) = diagnose(&["http://[x"]);
    assert!(code == Some(1) && text.contains("reading the URL `http://[x`"), "{text}");
}
