//! Why an alert notifies or doesn't, asked by the command line of a real worker.

use std::process::Command;

use rustix::process::Signal;
use serde_json::Value;

use crate::http::{json, receiver, request};
use crate::process::{PROGRAM, Running, at, free_port, own_address};
use crate::wait::until;

const CONFIG: &str = "route: {receiver: team, group_by: [alertname], group_wait: 1h}\n\
                      receivers: [{name: team, webhook_configs: [{url: 'http://127.0.0.1:9/'}]}]\n";

fn why(url: &str, args: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(PROGRAM).args(["why", "--url", url]).args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_answer_names_the_reason_and_where_it_is() {
    let (dir, ip) = (tempfile::tempdir().unwrap(), own_address());
    std::fs::write(dir.path().join("alertmanager.yml"), CONFIG).unwrap();
    let web = at(ip, free_port(ip));
    let listen = format!("--web.listen-address={web}");
    let args = ["worker", &listen, "--web.route-prefix=/am", "--cluster.listen-address="];
    let _worker = Running::start(PROGRAM, dir.path(), &args.map(str::to_owned));
    until("it is ready", || request(web, "GET", "/am/-/ready", ""));
    let alerts = r#"[{"labels": {"alertname": "Down", "instance": "a"}}, {"labels": {"alertname": "Slow"}}]"#;
    request(web, "POST", "/am/api/v2/alerts", alerts).unwrap();
    let url = format!("http://{web}/am");

    let (code, text, _) = why(&url, &["alertname=Down"]);
    assert_eq!(code, Some(0));
    assert!(text.contains("{alertname=\"Down\", instance=\"a\"}\n  firing since "), "{text}");
    assert!(
        text.contains("  receiver team, group {}:{alertname=\"Down\"}\n    webhook[0]: will be told that it fires"),
        "{text}"
    );
    assert!(text.trim_end().ends_with("[group_wait]") && !text.contains("Slow"), "{text}");

    let silence = r#"{"matchers": [{"name": "alertname", "value": "Down", "isRegex": false}], "createdBy": "me",
        "comment": "c", "startsAt": "2020-01-01T00:00:00Z", "endsAt": "2100-01-01T00:00:00Z"}"#;
    let answer: Value = serde_json::from_str(&request(web, "POST", "/am/api/v2/silences", silence).unwrap()).unwrap();
    let id = answer["silenceID"].as_str().unwrap();
    let listed = json(web, "/am/api/v2/alerts?filter=alertname=Down").unwrap();
    let fingerprint = listed[0]["fingerprint"].as_str().unwrap();
    let (_, text, _) = why(&url, &[fingerprint]);
    assert!(text.contains(&format!("webhook[0]: silenced by {id} [silenced]")), "{text}");
    let (_, text, _) = why(&url, &["--output", "json", fingerprint]);
    let all: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(all[0]["groups"][0]["integrations"][0]["code"], "silenced");
    assert_eq!(all[0]["silencedBy"][0], id);

    assert_eq!(why(&url, &["alertname=Nothing"]), (Some(1), "no such alert\n".into(), String::new()));
    assert_eq!(why(&url, &["0123456789abcdef"]), (Some(1), "no such alert\n".into(), String::new()));
    let (code, _, error) = why(&url, &["alertname"]);
    assert!(code == Some(1) && error.contains("400 Bad Request"), "{error}");
    let (code, _, error) = why(&format!("http://{web}"), &["alertname=Down"]);
    assert!(code == Some(1) && error.contains("does not explain alerts"), "{error}");
}

#[test]
fn what_became_of_notifications_is_on_record() {
    let (dir, ip) = (tempfile::tempdir().unwrap(), own_address());
    let ((takes, _), (refuses, _)) = (receiver(202), receiver(404));
    let config = format!(
        "route: {{receiver: team, group_wait: 0s}}\n\
         receivers: [{{name: team, webhook_configs: [{{url: 'http://{takes}/'}}, {{url: 'http://{refuses}/'}}]}}]\n"
    );
    std::fs::write(dir.path().join("alertmanager.yml"), config).unwrap();
    let web = at(ip, free_port(ip));
    let listen = format!("--web.listen-address={web}");
    let args = ["worker", &listen, "--cluster.listen-address="];
    let args = args.map(str::to_owned);
    let mut worker = Running::start(PROGRAM, dir.path(), &args);
    until("it is ready", || request(web, "GET", "/-/ready", ""));
    request(web, "POST", "/api/v2/alerts", r#"[{"labels": {"alertname": "Down"}}, {"labels": {"alertname": "Slow"}}]"#)
        .unwrap();
    let url = format!("http://{web}");
    let text = until("both have answered", || match why(&url, &["alertname=Down"]).1 {
        text if text.contains("accepted") && text.contains("given up") => Ok(text),
        text => Err(text),
    });
    let lines: Vec<&str> = text.lines().map(|line| line.trim_start()).collect();
    let ends = |end: &str| lines.iter().any(|line| line.ends_with(end));
    assert!(ends("accepted with 202 after 1 attempt: 2 firing, 0 resolved (first notification)"), "{text}");
    let given_up = |line: &&str| line.contains("given up after 1 attempt: ") && line.contains("404");
    let gave_up = lines.iter().find(|line| given_up(line)).unwrap_or_else(|| panic!("{text}"));

    // it's still on record after a restart, and no reason not to start when it can't be read
    let history = dir.path().join("data/ledger");
    for damage in [false, true] {
        worker.signal(Signal::TERM);
        assert!(worker.wait().success());
        if damage {
            std::fs::write(&history, "[[1").unwrap();
        }
        worker = Running::start(PROGRAM, dir.path(), &args);
        until("it is ready", || request(web, "GET", "/-/ready", ""));
        let (_, text, _) = why(&url, &["alertname=Down"]);
        assert_eq!(text.contains(*gave_up), !damage, "{text}");
    }
    worker.line("Leaving out what became of earlier notifications, which can't be read");
}
