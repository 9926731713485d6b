//! Tools beside `amtool`: the same answers on standard output, the same exit codes.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;

use serde_json::{Value, json};

use crate::dice::Dice;
use crate::peer::programs;
use crate::routes::{labels, tree};

const PROGRAM: &str = env!("CARGO_BIN_EXE_alertmanager-operator");
const TREES: u64 = 15;
const NESTED: &str = "\
route:
  receiver: all
  routes:
  - {matchers: ['severity=~\"crit.*\"'], receiver: pager, continue: true}
  - matchers: [team=db]
    receiver: db
    routes:
    - {match: {env: prod}, receiver: db-pager}
    - {match_re: {env: 'dev|test'}, receiver: 'db \"quoted\"'}
receivers: [{name: all}, {name: pager}, {name: db}, {name: db-pager}, {name: 'db \"quoted\"'}]
";

/// Exit code, standard output, standard error.
fn ours(args: &[&str]) -> (i32, String, String) {
    let output = Command::new(PROGRAM).args(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

/// Asks both; `args` follow `routes`.
fn same(args: &[&str]) -> String {
    let (code, out, err) = ours(&[&["routes"], args].concat());
    let theirs = programs::amtool(&[&["config", "routes"], args].concat());
    assert_eq!((code, out.as_str()), (theirs.0, theirs.1.as_str()), "{args:?}: {err} {}", theirs.2);
    out
}

#[test]
fn routing_trees_look_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config.yml");
    let flag = format!("--config.file={}", file.display());
    for seed in 0..TREES {
        let mut dice = Dice::new(1000 + seed);
        std::fs::write(&file, tree(&mut dice).to_string()).unwrap();
        same(&["show", &flag]);
        for _ in 0..3 {
            let labels = labels(&mut dice);
            let quoted = labels.as_object().unwrap().iter().map(|(name, value)| format!("{}={value}", json!(name)));
            let words: Vec<String> = quoted.collect();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            same(&[&["test", &flag, "--tree", "--verify.receivers=r0"], words.as_slice()].concat());
        }
    }
}

#[test]
fn alerts_are_routed_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config.yml");
    std::fs::write(&file, NESTED).unwrap();
    let flag = format!("--config.file={}", file.display());
    assert_eq!(same(&["test", &flag, "team=db", "severity=critical"]), "pager,db\n");
    assert_eq!(same(&["test", &flag, "--verify.receivers=pager,db", "team=db", "severity=critical"]), "pager,db\n");
    assert!(same(&["test", &flag, "--verify.receivers=all", "team=db"]).contains("WARNING"));
    for words in [&[][..], &["team=db", "env=prod"], &["team=db", "env=test"], &["a=b", "a=c"], &["team=\"db\""]] {
        for tree in [&[][..], &["--tree"]] {
            same(&[&["test", &flag], tree, words].concat());
        }
    }
    same(&[&flag]);
    for wrong in [&["team"][..], &["team=~db"], &["team!=db"], &["="]] {
        same(&[&["test", &flag], wrong].concat());
    }
    same(&["show", "--config.file=/no/such/file"]);
    same(&["show"]);
}

#[test]
fn a_running_alertmanager_can_be_asked() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/prefix", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            request.push(byte[0]);
        }
        let body = json!({ "config": { "original": NESTED } }).to_string();
        let length = body.len();
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}").unwrap();
        String::from_utf8(request).unwrap()
    });
    let (code, out, err) = ours(&["routes", "test", "--url", &url, "team=db"]);
    assert_eq!((code, out.as_str()), (0, "db\n"), "{err}");
    assert!(server.join().unwrap().starts_with("GET /prefix/api/v2/status "));
}

#[test]
fn check_agrees_about_files() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).display().to_string();
    let (good, bad) = (path("good.yml"), path("bad.yml"));
    std::fs::write(&good, NESTED).unwrap();
    std::fs::write(&bad, NESTED.replace("receiver: db\n", "receiver: nobody\n")).unwrap();
    for files in [&[good.as_str()][..], &[&bad], &[&good, &bad, &good]] {
        let (code, out, _) = ours(&[&["check"], files].concat());
        let theirs = programs::amtool(&[&["check-config"], files].concat());
        assert_eq!(code, theirs.0, "{out}");
        // they say why on the same line, we show the line that is wrong
        let common = |text: &str| -> Vec<String> {
            let lines =
                text.lines().filter(|l| l.starts_with("Checking") || l.starts_with("Found:") || l.starts_with(" - "));
            lines.map(|line| line.split("FAILED").next().unwrap().to_owned()).collect()
        };
        assert_eq!(common(&out), common(&theirs.1));
    }
    let (code, out, _) = ours(&["check", "--format=json", &bad, &good]);
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &report["ok"]), (1, &json!(false)));
    assert_eq!(report["checked"][0]["errors"][0]["line"], 6);
    assert_eq!(report["checked"][1]["found"]["receivers"], 5);
    let (code, _, err) = ours(&["check", &path("missing.yml")]);
    assert!(code == 1 && err.contains("missing.yml"), "{err}");
}

#[test]
fn templates_render_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).display().to_string();
    std::fs::write(path("a.tmpl"), "{{ define \"own\" }}{{ .Status | toUpper }} <{{ .Receiver }}>{{ end }}").unwrap();
    let data = json!({
        "receiver": "r&d", "status": "firing", "externalURL": "http://x",
        "alerts": [{ "status": "firing", "labels": { "a": "b" }, "startsAt": "2026-01-02T03:04:05Z" }],
    });
    std::fs::write(path("data.json"), data.to_string()).unwrap();
    let (glob, data) =
        (format!("--template.glob={}", path("*.tmpl")), format!("--template.data={}", path("data.json")));
    let (glob, data) = (glob.as_str(), data.as_str());
    let texts = [
        "{{ template \"own\" . }}",
        "{{ range .Alerts }}{{ .Labels.SortedPairs.Values | join \",\" }} {{ .Annotations }};{{ end }}",
        "{{ .CommonLabels }} {{ .ExternalURL }} {{ len .Alerts.Firing }}",
        "{{ template \"slack.default.title\" . }}",
        "{{ nope }}",
        "{{ template \"nowhere\" . }}",
    ];
    for text in texts {
        let text = format!("--template.text={text}");
        for rest in [&[][..], &["--template.type=html"], &[data], &["--template.type=html", data]] {
            let args = [&["template", "render", glob, &text], rest].concat();
            let (code, out, err) = ours(&args);
            let theirs = programs::amtool(&args);
            assert_eq!((code, out.as_str()), (theirs.0, theirs.1.as_str()), "{args:?}: {err} {}", theirs.2);
        }
    }
}
