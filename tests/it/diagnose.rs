//! `diagnose` against real members: of this program, and of the Go Alertmanager.

use std::process::Command;

use serde_json::Value;

use crate::http::{json, request};
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
    // connections among members were tried by them
    let reach = json(cluster.web(0), "/-/reach").unwrap();
    let peers = serde_json::json!({"alertmanager-main-1": {}, "alertmanager-main-2": {}});
    assert_eq!((&reach["peers"], reach["webPort"].as_u64()), (&peers, Some(u64::from(cluster.web(0).port()))));

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

/// A process whose clock is wrong.
fn at_another_time(command: &mut Command, ahead: &str) {
    let library = peers::path("libfaketime.so.1");
    command.env("LD_PRELOAD", library).env("FAKETIME", ahead).env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
}

#[test]
fn a_wrong_clock_a_full_disk_and_a_failing_receiver_are_found() {
    let (dir, ip) = (tempfile::tempdir().unwrap(), own_address());
    let nobody = at(ip, free_port(ip));
    let config = format!(
        "route: {{receiver: r, group_wait: 0s}}\nreceivers: [{{name: r, webhook_configs: [{{url: 'http://{nobody}/'}}]}}]\n"
    );
    std::fs::write(dir.path().join("alertmanager.yml"), config).unwrap();
    let [early, full, gossip_early, gossip_full] = [(); 4].map(|()| at(ip, free_port(ip)));
    let args = |name: &str, web, gossip, peer| {
        [
            "worker".to_owned(),
            format!("--storage.path={name}"),
            format!("--web.listen-address={web}"),
            format!("--cluster.listen-address={gossip}"),
            format!("--cluster.advertise-address={gossip}"),
            format!("--cluster.peer-name={name}"),
            format!("--cluster.peer={peer}"),
            "--cluster.settle-timeout=0s".to_owned(),
        ]
    };
    let mut command = Command::new(PROGRAM);
    command.args(args("early", early, gossip_early, gossip_full)).current_dir(dir.path());
    at_another_time(&mut command, "+90s");
    let _early = Running::spawn(command);
    // a small disk of its own, and hardly any room on it
    std::fs::create_dir(dir.path().join("full")).unwrap();
    let disk = "mount -t tmpfs -o size=8m tmpfs full && head -c 8100000 /dev/zero > full/other && exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", disk, "sh", PROGRAM]).current_dir(dir.path());
    let _full = Running::spawn({
        command.args(args("full", full, gossip_full, gossip_early));
        command
    });
    for web in [early, full] {
        until("it is ready", || request(web, "GET", "/-/ready", ""));
    }
    request(full, "POST", "/api/v2/alerts", r#"[{"labels": {"alertname": "Unheard"}}]"#).unwrap();
    let wanted = ["clocks_apart", "disk_full", "attempts_fail"];
    let found = until("all of it is found", || {
        let (code, found) = codes(&[&early.to_string(), &full.to_string()]);
        let there = wanted.iter().all(|code| found.iter().any(|found| found == code));
        if code == Some(1) && there { Ok(found) } else { Err(format!("{found:?}")) }
    });
    assert!(!found.iter().any(|code| code == "not_seen"), "{found:?}");
    let (_, text) = diagnose(&[&early.to_string(), &full.to_string()]);
    for sentence in [
        "CRITICAL the clock of early is ",
        "full has ",
        "% of its disk left",
        " attempts to notify by webhook, and tries again",
    ] {
        assert!(text.contains(sentence), "`{sentence}` in {text}");
    }
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

#[test]
fn a_certificate_that_ends_soon_is_told_and_a_bundle_has_no_secrets() {
    let (dir, ip) = (tempfile::tempdir().unwrap(), own_address());
    let file = |name: &str| dir.path().join(name).display().to_string();
    let config = "route: {receiver: r}\nreceivers:\n- name: r\n  webhook_configs:\n  - url: http://u:s3cret-1@127.0.0.1:9/s3cret-2\n    \
                  http_config: {proxy_url: 'http://u:s3cret-3@127.0.0.1:9', authorization: {credentials: s3cret-4}}\n  \
                  slack_configs:\n  - {api_url: 'http://127.0.0.1:9/s3cret-5', channel: c}\n";
    std::fs::write(file("alertmanager.yml"), config).unwrap();
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3"])
        .args([
            "-subj",
            "/CN=am",
            "-addext",
            &format!("subjectAltName=IP:{ip}"),
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        ])
        .args(["-out", &file("tls.crt"), "-keyout", &file("tls.key")])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    // of "secret"
    let users = "basic_auth_users: {ann: $2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW}\n";
    let web = format!("tls_server_config: {{cert_file: tls.crt, key_file: tls.key}}\n{users}");
    std::fs::write(file("web.yml"), web).unwrap();
    let (at_web, management) = (at(ip, free_port(ip)), at(ip, free_port(ip)));
    let args = [
        "worker",
        &format!("--web.listen-address={at_web}"),
        &format!("--web.management-address={management}"),
        "--web.config.file=web.yml",
        "--cluster.listen-address=",
    ];
    let _worker = Running::start(PROGRAM, dir.path(), &args.map(str::to_owned));
    until("it is ready", || request(management, "GET", "/-/ready", ""));
    let url = format!("https://ann:secret@{at_web}");
    let (code, text) = diagnose(&["--ca-file", &file("tls.crt"), "--bundle", &file("bundle.tar.gz"), &url]);
    assert!(code == Some(1) && text.contains("has a certificate that ends in "), "{text}");
    let unpacked = Command::new("tar").args(["-xzvf", "bundle.tar.gz"]).current_dir(dir.path()).output().unwrap();
    let names = String::from_utf8(unpacked.stdout).unwrap();
    for name in ["report.txt", "report.json", "member-0/status.json", "member-0/metrics.txt", "member-0/system.json"] {
        assert!(names.lines().any(|line| line == name), "{names}");
        let text = std::fs::read_to_string(file(name)).unwrap();
        assert!(!text.is_empty() && !text.contains("s3cret") && !text.contains(":secret@"), "{name}: {text}");
    }

    // nobody gets through to one that has ended
    let mut later = Command::new(PROGRAM);
    at_another_time(later.args(["diagnose", "--ca-file", &file("tls.crt"), &url]), "+10d");
    let later = later.output().unwrap();
    let text = String::from_utf8_lossy(&later.stdout).into_owned();
    assert!(later.status.code() == Some(1) && text.contains("does not answer: ") && text.contains("xpired"), "{text}");

    let (code, text) = diagnose(&[&url]);
    assert!(code == Some(1) && text.contains("does not answer: "), "an unknown authority: {text}");
    let (code, text) = diagnose(&["--ca-file", &file("none.pem"), &url]);
    assert!(code == Some(1) && text.contains("error: reading the authority "), "{text}");
}
