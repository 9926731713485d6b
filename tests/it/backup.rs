//! Backups of real members, into a directory and into a real S3 server, and back: nothing lost, nobody paged again.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use rustix::process::Signal;
use serde_json::Value;

use crate::http::{json, receiver, request};
use crate::peers;
use crate::process::{PROGRAM, Running, at, free_port, own_address};
use crate::wait::until;

/// Runs one of our commands; its exit code, and what it says.
fn run(args: &[&str], environment: &[(&str, &str)]) -> (Option<i32>, String, String) {
    let output = Command::new(PROGRAM).args(args).envs(environment.iter().copied()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// The JSON that a command prints when all is well.
fn good(args: &[&str], environment: &[(&str, &str)]) -> Value {
    let (code, out, err) = run(&[args, &["--output=json"]].concat(), environment);
    assert_eq!(code, Some(0), "{args:?}: {out}{err}");
    serde_json::from_str(&out).unwrap()
}

fn start(program: &Path, dir: &Path, data: &Path, web: SocketAddr) -> Running {
    let mut command = Command::new(program);
    if program == Path::new(PROGRAM) {
        command.arg("worker");
    }
    command.current_dir(dir).args([
        format!("--web.listen-address={web}"),
        format!("--storage.path={}", data.display()),
        "--cluster.listen-address=".to_owned(),
    ]);
    let running = Running::spawn(command);
    until("it is ready", || request(web, "GET", "/-/ready", ""));
    running
}

fn silence(web: SocketAddr, value: &str, ends: &str) -> String {
    let body = serde_json::json!({
        "matchers": [{"name": "instance", "value": value, "isRegex": false}], "createdBy": "me", "comment": "c",
        "startsAt": "2020-01-01T00:00:00Z", "endsAt": ends,
    });
    let answer = request(web, "POST", "/api/v2/silences", &body.to_string()).unwrap();
    serde_json::from_str::<Value>(&answer).unwrap()["silenceID"].as_str().unwrap().to_owned()
}

fn stop(mut running: Running) {
    running.signal(Signal::TERM);
    assert_eq!(running.wait().code(), Some(0));
}

const FOREVER: &str = "2100-01-01T00:00:00Z";
const ALERT: &str = r#"[{"labels": {"alertname": "Down", "instance": "a"}}]"#;

#[test]
fn who_starts_on_a_backup_keeps_quiet_about_what_was_told_and_silenced() {
    let (dir, ip) = (tempfile::tempdir().unwrap(), own_address());
    let (url, told) = receiver(200);
    let config = format!(
        "route: {{receiver: r, group_wait: 0s, group_interval: 1s}}\n\
         receivers: [{{name: r, webhook_configs: [{{url: 'http://{url}/'}}]}}]\n"
    );
    std::fs::write(dir.path().join("alertmanager.yml"), config).unwrap();
    let web = at(ip, free_port(ip));
    let worker = start(Path::new(PROGRAM), dir.path(), &dir.path().join("old"), web);
    request(web, "POST", "/api/v2/alerts", ALERT).unwrap();
    let first = told.recv_timeout(crate::wait::LIMIT).unwrap();
    assert_eq!(first["alerts"][0]["labels"]["instance"], "a");
    let kept = silence(web, "b", FOREVER);
    let ended = silence(web, "c", FOREVER);
    request(web, "DELETE", &format!("/api/v2/silence/{ended}"), "").unwrap();
    until("the receiver's answer is in the log", || match request(web, "GET", "/-/nflog", "")? {
        log if log.is_empty() => Err("nothing is".to_owned()),
        _ => Ok(()),
    });
    let place = dir.path().join("backups").display().to_string();
    let taken = good(&["backup", &format!("http://{web}"), "--to", &place], &[]);
    let parts: Vec<&String> = taken["parts"].as_object().unwrap().keys().collect();
    assert_eq!(parts, ["alerts.json", "cluster.json", "config.yml", "nflog", "silences.json"]);
    assert_eq!(taken["lacks"].as_array().map(Vec::len), Some(0));
    stop(worker);

    let new = dir.path().join("new");
    let restore = ["restore", "--from", &place, "--data-dir", &new.display().to_string()];
    let tried = good(&[&restore[..], &["--dry-run"]].concat(), &[]);
    assert!(tried["dryRun"] == true && !new.exists(), "nothing was changed");
    let done = good(&restore, &[])["done"].clone();
    assert_eq!((&done["restored"], &done["over"], &done["logEntries"]), (&1.into(), &1.into(), &1.into()), "{done}");
    let (code, _, error) = run(&restore, &[]);
    assert!(code == Some(1) && error.contains("is there already: a member's state is not overwritten"), "{error}");
    let skipped = good(&[&restore[..], &["--if-empty"]].concat(), &[])["skipped"].to_string();
    assert!(skipped.contains("new/nflog is there already"), "{skipped}");

    let web = at(ip, free_port(ip));
    let _worker = start(Path::new(PROGRAM), dir.path(), &new, web);
    // who joins those who are there gets their state; who finds nobody is the first
    let third = dir.path().join("third").display().to_string();
    let joining = |peer: SocketAddr| {
        let peer = peer.to_string();
        good(&["restore", "--from", &place, "--data-dir", &third, "--if-empty", "--unless-alive", &peer], &[])
    };
    let nothing = dir.path().join("nothing").display().to_string();
    std::fs::create_dir(&nothing).unwrap();
    let none = ["restore", "--from", &nothing, "--data-dir", &third];
    assert!(run(&none, &[]).2.contains("there is no whole backup at all"));
    assert!(good(&[&none[..], &["--or-none"]].concat(), &[])["skipped"].to_string().contains("has no backup"));
    let skipped = joining(web)["skipped"].to_string();
    assert!(skipped.contains(&format!("{web} is alive, and has the state")), "{skipped}");
    assert_eq!(joining(at(ip, free_port(ip)))["done"]["restored"], 1);

    let silences = json(web, "/api/v2/silences").unwrap();
    assert_eq!((silences.as_array().map(Vec::len), &silences[0]["id"]), (Some(1), &kept.as_str().into()));
    request(web, "POST", "/api/v2/alerts", ALERT).unwrap();
    until("the alert was looked at, and nobody told", || {
        let fingerprint = json(web, "/api/v2/alerts")?[0]["fingerprint"].as_str().unwrap_or_default().to_owned();
        let explained = json(web, &format!("/api/ui/v1/alerts/{fingerprint}"))?;
        match &explained["groups"][0]["integrations"][0]["code"] {
            code if code == "not_changed" => Ok(()),
            code => Err(code.to_string()),
        }
    });
    assert!(told.try_recv().is_err(), "it was told before");
}

#[test]
fn a_member_with_passwords_is_backed_up_past_them_and_old_backups_go() {
    let (dir, ip) = (tempfile::tempdir().unwrap(), own_address());
    let file = |name: &str| dir.path().join(name).display().to_string();
    std::fs::write(file("alertmanager.yml"), "route: {receiver: r}\nreceivers: [{name: r}]\n").unwrap();
    // of "secret"
    let users = "basic_auth_users: {ann: $2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW}\n";
    std::fs::write(file("web.yml"), users).unwrap();
    std::fs::write(file("token"), "t0ken\n").unwrap();
    let (web, management) = (at(ip, free_port(ip)), at(ip, free_port(ip)));
    let args = [
        "worker",
        &format!("--web.listen-address={web}"),
        &format!("--web.management-address={management}"),
        "--web.management-token-file=token",
        "--web.config.file=web.yml",
        "--cluster.listen-address=",
    ];
    let _worker = Running::start(PROGRAM, dir.path(), &args.map(str::to_owned));
    until("it is ready", || request(management, "GET", "/-/ready", ""));
    let (place, url) = (file("backups"), format!("http://{management}"));
    let (code, _, error) = run(&["backup", &url, "--to", &place], &[]);
    assert!(code == Some(1) && error.contains("answers 401"), "{error}");
    let (code, _, error) = run(&["backup", &url, "--to", &place, "--token-file", &file("none")], &[]);
    assert!(code == Some(1) && error.contains("reading the token in "), "{error}");

    let take = |more: &[&str]| {
        let args = ["backup", &url, "--to", &place, "--token-file", &file("token")];
        good(&[&args, more].concat(), &[])
    };
    let first = take(&[]);
    assert_eq!(first["removed"], serde_json::json!([]));
    let second = take(&["--keep-days", "0"]);
    assert_eq!(second["removed"], serde_json::json!([first["name"]]), "the newest stays, however old");
}

#[test]
fn the_go_alertmanager_is_backed_up_and_gets_what_it_lacks() {
    let (dir, ip) = (tempfile::tempdir().unwrap(), own_address());
    std::fs::write(dir.path().join("alertmanager.yml"), "route: {receiver: r}\nreceivers: [{name: r}]\n").unwrap();
    let (go, data) = (peers::path("alertmanager"), dir.path().join("go"));
    let web = at(ip, free_port(ip));
    let peer = start(&go, dir.path(), &data, web);
    let (kept, ended) = (silence(web, "b", FOREVER), silence(web, "c", FOREVER));
    request(web, "DELETE", &format!("/api/v2/silence/{ended}"), "").unwrap();
    let by_api = dir.path().join("api").display().to_string();
    let taken = good(&["backup", &format!("http://{web}"), "--to", &by_api], &[]);
    assert!(taken["lacks"].to_string().contains("only members of this program hand it over"), "{taken}");
    stop(peer);
    let by_files = dir.path().join("files").display().to_string();
    let taken = good(&["backup", "--data-dir", &data.display().to_string(), "--to", &by_files], &[]);
    assert!(taken["parts"]["nflog"].is_object(), "{taken}");

    // each into a new one
    for (number, place) in [&by_api, &by_files].into_iter().enumerate() {
        let web = at(ip, free_port(ip));
        let _other = start(&go, dir.path(), &dir.path().join(format!("other-{number}")), web);
        let url = format!("http://{web}");
        let restore = ["restore", "--from", place, "--to", &url];
        let done = good(&restore, &[])["done"].clone();
        assert_eq!((&done["restored"], &done["there"], &done["over"]), (&1.into(), &0.into(), &1.into()), "{done}");
        let again = good(&restore, &[])["done"].clone();
        assert_eq!((&again["restored"], &again["there"]), (&0.into(), &1.into()), "{again}");
        let silences = json(web, "/api/v2/silences").unwrap();
        assert_eq!(silences.as_array().map(Vec::len), Some(1));
        assert_eq!(silences[0]["matchers"][0]["value"], "b");
        let restored = json(web, "/api/v2/silences").unwrap()[0]["id"].clone();
        assert_ne!(restored, kept.as_str(), "the API gives its own");
    }
    // or into the files of one that starts then
    let files = dir.path().join("from-files");
    good(&["restore", "--from", &by_files, "--data-dir", &files.display().to_string()], &[]);
    let web = at(ip, free_port(ip));
    let _third = start(&go, dir.path(), &files, web);
    assert_eq!(json(web, "/api/v2/silences").unwrap()[0]["id"], kept.as_str());
}

#[test]
fn a_bucket_is_as_good_as_a_directory() {
    let (dir, ip) = (tempfile::tempdir().unwrap(), own_address());
    std::fs::write(dir.path().join("alertmanager.yml"), "route: {receiver: r}\nreceivers: [{name: r}]\n").unwrap();
    let (web, s3) = (at(ip, free_port(ip)), at(ip, free_port(ip)));
    let _worker = start(Path::new(PROGRAM), dir.path(), &dir.path().join("data"), web);
    silence(web, "b", FOREVER);
    let [root, meta] = ["s3", "meta"].map(|name| dir.path().join(name).display().to_string());
    std::fs::create_dir_all(format!("{root}/backups")).unwrap();
    std::fs::create_dir_all(&meta).unwrap();
    let mut server = Command::new(peers::path("versitygw"));
    let (key, secret) = ("key-of-the-test", "secret-of-the-test");
    server.args(["--port", &s3.to_string(), "--access", key, "--secret", secret, "posix", "--sidecar", &meta, &root]);
    let _server = Running::spawn(server);
    until("the S3 server answers", || std::net::TcpStream::connect(s3).map_err(|error| error.to_string()));
    let endpoint = format!("http://{s3}");
    let environment = [
        ("AWS_ACCESS_KEY_ID", key),
        ("AWS_SECRET_ACCESS_KEY", secret),
        ("AWS_ENDPOINT", &endpoint),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_REGION", "us-east-1"),
    ];
    let (url, place) = (format!("http://{web}"), "s3://backups/pager/main");
    let taken = good(&["backup", &url, "--to", place], &environment);
    let listed = good(&["restore", "--from", place, "--list"], &environment);
    assert_eq!((listed.as_array().map(Vec::len), &listed[0]["name"]), (Some(1), &taken["name"]));
    let done = good(&["restore", "--from", place, "--to", &url], &environment);
    assert_eq!(done["done"]["there"], 1, "{done}");
    let removed = good(&["cleanup", "--in", place, "--keep-days=0"], &environment);
    assert_eq!(removed["removed"].as_array().map(Vec::len), Some(0), "the newest stays");
    let second = good(&["backup", &url, "--to", place], &environment);
    let removed = good(&["cleanup", "--in", place, "--keep-days=0"], &environment);
    assert_eq!(removed["removed"], serde_json::json!([taken["name"]]));
    assert_eq!(good(&["restore", "--from", place, "--list"], &environment)[0]["name"], second["name"]);

    let wrong = [environment[0], ("AWS_SECRET_ACCESS_KEY", "guess"), environment[2], environment[3], environment[4]];
    let (code, _, error) = run(&["backup", &url, "--to", place], &wrong);
    assert!(code == Some(1) && error.contains("writing pager/main/"), "{error}");
}

#[test]
fn what_can_not_be_done_is_one_sentence() {
    let (dir, ip) = (tempfile::tempdir().unwrap(), own_address());
    let (place, nobody) = (dir.path().display().to_string(), at(ip, free_port(ip)).to_string());
    let table: [(&[&str], &str); 6] = [
        (&["backup", &nobody, "--to", &place], "no member answers: http://"),
        (&["backup", "--data-dir", "/nonexistent", "--to", &place], "reading /nonexistent: "),
        (&["restore", "--from", &place, "--to", "http://x"], "there is no whole backup at all"),
        (&["restore", "20260101T000000000Z", "--from", &place, "--to", "http://x"], "there is no whole backup called"),
        (&["restore", "--from", "/nonexistent/backups", "--list"], "opening `/nonexistent/backups`: a directory"),
        (&["restore", "--from", "ftp://x/y", "--list"], "opening `ftp://x/y`: a directory, s3://BUCKET/PATH"),
    ];
    for (args, part) in table {
        let (code, out, error) = run(args, &[]);
        assert!(code == Some(1) && error.contains(part) && error.lines().count() == 1, "{args:?}: {out}{error}");
    }
}
