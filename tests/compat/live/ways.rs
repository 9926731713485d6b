//! `http_config`: redirects, credentials, proxies and tokens. One receiver per case; both programs send it one alert, and
//! the requests that servers, proxies and token servers see must be the same.

mod cases;
mod recorder;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::Command;

use serde_json::{Value, json};

use super::Life;
use crate::peer::{Peer, programs};
use crate::process::{self, Running, at};
use crate::wait::until;
use cases::{CASES, Case};
use recorder::{Places, Seen};

const ALERT: &str = r#"[{"labels":{"alertname":"A"},"startsAt":"2026-01-01T00:00:00Z"}]"#;

/// What one program sent, by case.
fn sent(program: &str, first: &[&str], keys: &Value) -> BTreeMap<&'static str, Vec<String>> {
    let ip = process::own_address();
    let places = Places::start(ip);
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
    write("secret.txt", " file s3cret \n");
    write("pkcs1.pem", keys["pkcs1"].as_str().unwrap());
    write("pkcs8.pem", keys["pkcs8"].as_str().unwrap());
    write("alertmanager.yml", &config(&places));
    let web = at(ip, process::free_port(ip));
    let mut command = Command::new(program);
    command.args(first).args(["--config.file=alertmanager.yml", "--storage.path=data", "--cluster.listen-address="]);
    command.arg(format!("--web.listen-address={web}")).current_dir(directory.path());
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "REQUEST_METHOD"] {
        command.env_remove(name);
    }
    command.env("http_proxy", places.fill("@A@")).env("https_proxy", places.fill("http://u:p@@A@"));
    command.env("no_proxy", places.fill("@AIP@,.past.test"));
    let program = Running::spawn(command);
    let life = Life { program, web, directory };
    until("an answer", || life.get("/-/healthy"));
    life.post("/api/v2/alerts", ALERT).unwrap();
    CASES.iter().map(|case| (case.name, until(case.name, || whole(case, &places)))).collect()
}

/// All that is to be seen of a case, once it is there.
fn whole(case: &Case, places: &Places) -> Result<Vec<String>, String> {
    let seen = places.of(case.name);
    match seen.get(..case.requests) {
        Some(seen) => Ok(seen.iter().map(Seen::to_string).collect()),
        None => Err(format!("{seen:?}")),
    }
}

fn config(places: &Places) -> String {
    let (mut routes, mut receivers) = (String::new(), String::new());
    for case in CASES {
        let name = case.name;
        writeln!(routes, "  - {{receiver: {name}, continue: true}}").unwrap();
        writeln!(receivers, "- name: {name}\n  {}", places.fill(&case.integration())).unwrap();
    }
    format!(
        "route:\n  receiver: none\n  group_wait: 1s\n  group_interval: 1h\n  routes:\n{routes}receivers:\n- name: none\n{receivers}"
    )
}

#[test]
fn both_go_the_same_ways() {
    let mut peer = Peer::start();
    let keys = peer.ask("rsa_keys", json!({})).unwrap();
    let reference = programs::path("alertmanager");
    let theirs = sent(reference.to_str().unwrap(), &[], &keys);
    let ours = sent(process::PROGRAM, &["worker"], &keys);
    let mut differing = String::new();
    for (name, theirs) in theirs {
        let theirs = comparable(theirs, &mut peer, &keys);
        let ours = comparable(ours[name].clone(), &mut peer, &keys);
        if ours != theirs {
            writeln!(
                differing,
                "{name}\n  ours   {}\n  theirs {}",
                ours.join("\n         "),
                theirs.join("\n         ")
            )
            .unwrap();
        }
    }
    assert!(differing.is_empty(), "{differing}");
    assert!(CASES.len() >= 40);
}

/// With what is new each time checked and taken out.
fn comparable(requests: Vec<String>, peer: &mut Peer, keys: &Value) -> Vec<String> {
    let mut read = |request: String| {
        let Some((before, rest)) = request.split_once("assertion=") else { return request };
        let (token, after) = rest.split_once('&').unwrap_or((rest, ""));
        let mut read = peer.ask("jwt", json!({ "token": token, "public": keys["public"] })).unwrap();
        let claims = read["claims"].as_object_mut().unwrap();
        // the token URL, whose address is another one for each program
        if let Some(audience) = claims.get_mut("aud").filter(|text| text.as_str().unwrap().starts_with("http://127")) {
            *audience = json!(audience.as_str().unwrap().rsplit('/').next());
        }
        let (from, to) = (claims.remove("iat").unwrap(), claims.remove("exp").unwrap());
        if let Some(id) = claims.get_mut("jti").filter(|id| *id != "given") {
            let parts: Vec<usize> = id.as_str().unwrap().split('-').map(str::len).collect();
            assert_eq!(parts, [8, 4, 4, 4, 12], "{id}");
            *id = Value::Null;
        }
        format!("{before}{after} {read} for {} s", to.as_f64().unwrap() - from.as_f64().unwrap())
    };
    requests.into_iter().map(&mut read).collect()
}
