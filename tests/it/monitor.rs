//! `monitor` beside real members: one is killed, and is back.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::http::{json, receiver, request};
use crate::process::{PROGRAM, Running, at, free_port, own_address};
use crate::wait::{LIMIT, until};

fn member(dir: &Path, name: &str, [web, gossip, peer]: [SocketAddr; 3]) -> Running {
    let args = [
        "worker".to_owned(),
        format!("--config.file={}", dir.join("alertmanager.yml").display()),
        format!("--storage.path={}", dir.join(name).display()),
        format!("--web.listen-address={web}"),
        format!("--cluster.listen-address={gossip}"),
        format!("--cluster.advertise-address={gossip}"),
        format!("--cluster.peer-name={name}"),
        format!("--cluster.peer={peer}"),
    ];
    Running::start(PROGRAM, dir, &args)
}

#[test]
fn a_lost_member_is_told_of_by_the_other_one_until_it_is_back() {
    let (dir, ip) = (tempfile::tempdir().unwrap(), own_address());
    let config = "route: {receiver: r, group_wait: 1h}\nreceivers: [{name: r}]\n";
    std::fs::write(dir.path().join("alertmanager.yml"), config).unwrap();
    let [a, b, gossip_a, gossip_b, metrics] = [(); 5].map(|()| at(ip, free_port(ip)));
    let _a = member(dir.path(), "a", [a, gossip_a, gossip_b]);
    let second = member(dir.path(), "b", [b, gossip_b, gossip_a]);
    until("they see each other", || match json(a, "/api/v2/status")?["cluster"]["peers"].as_array().map(Vec::len) {
        Some(2) => request(b, "GET", "/-/ready", ""),
        other => Err(format!("{other:?}")),
    });
    let (hook, told) = receiver(200);
    let urls = [a, b].map(|web| format!("http://{web}"));
    let (hook, listen) = (format!("--webhook=http://{hook}/lb"), format!("--listen={metrics}"));
    let args = ["monitor", "--interval=200ms", "--threshold=2", "--output=json", &urls[0], &urls[1], &hook, &listen];
    let monitor = Running::start(PROGRAM, dir.path(), &args.map(str::to_owned));
    let change =
        |kind: &str| -> Value { serde_json::from_str(&monitor.line(&format!("\"change\":\"{kind}\""))).unwrap() };
    let up = |url: &str, value: u8| {
        let line = format!("alertmanager_monitor_member_up{{url=\"{url}\"}} {value}\n");
        until(&line, || match request(metrics, "GET", "/metrics", "")? {
            text if text.contains(&line) => Ok(()),
            text => Err(text),
        });
    };
    up(&urls[1], 1);

    drop(second);
    let failed = change("member_failed");
    assert_eq!((&failed["member"], &failed["url"]), (&"b".into(), &urls[1].as_str().into()));
    assert!(failed["error"].as_str().unwrap().contains("refused"), "{failed}");
    let hooked = told.recv_timeout(LIMIT).unwrap();
    assert_eq!((&hooked["change"], &hooked["member"]), (&"member_failed".into(), &"b".into()));
    let alerts = || json(a, "/api/v2/alerts?filter=alertname=AlertmanagerNodeFailure");
    let listed = until("the other one has the alert", || match alerts()? {
        alerts if alerts.as_array().is_some_and(|all| all.len() == 1) => Ok(alerts),
        alerts => Err(alerts.to_string()),
    });
    assert_eq!(listed[0]["labels"]["member"], "b");
    up(&urls[1], 0);

    let _b = member(dir.path(), "b", [b, gossip_b, gossip_a]);
    let recovered = change("member_recovered");
    assert_eq!(recovered["member"], "b");
    assert_eq!(told.recv_timeout(LIMIT).unwrap()["change"], "member_recovered");
    until("the alert is over", || match alerts()? {
        alerts if alerts.as_array().is_some_and(Vec::is_empty) => Ok(()),
        alerts => Err(alerts.to_string()),
    });
    up(&urls[1], 1);
}

#[test]
fn one_look_is_enough_for_a_script() {
    let ip = own_address();
    let nobody = at(ip, free_port(ip)).to_string();
    let output = Command::new(PROGRAM).args(["monitor", "--looks=1", "--threshold=1", &nobody]).output().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text.contains(&format!("FAILED http://{nobody} at http://{nobody}: ")), "{text}");
    assert!(text.contains("QUORUM LOST 0 of 1 members answer"), "{text}");
    let output = Command::new(PROGRAM).args(["monitor", "--interval=0s", &nobody]).output().unwrap();
    assert!(String::from_utf8(output.stderr).unwrap().contains("must not be zero"));
}
