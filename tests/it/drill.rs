//! Rehearsals with the sample that is marked for them, and what isn't.

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;

use rustix::process::Signal;
use serde_json::Value;

use crate::http::json;
use crate::peers;
use crate::process::{PROGRAM, Running, at, free_port, kill, own_address, with_argument};
use crate::sample::ROOT;
use crate::wait::{same, until};

const SAMPLE: &str = "config/samples/drill";

/// The report, the exit code, and what else was said.
fn drill(args: &[&str], environment: &[(&str, &str)]) -> (Option<i32>, String, String) {
    let mut command = Command::new(PROGRAM);
    command.arg("drill").args(args).current_dir(ROOT).envs(environment.iter().copied());
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// With another name of the cluster, and another port of the receiver.
fn copy_of_the_sample(to: &Path, name: &str, sink: u16) {
    for file in ["cluster.yaml", "sink.yaml"] {
        let text = std::fs::read_to_string(format!("{ROOT}/{SAMPLE}/{file}")).unwrap();
        let text = text.replace("name: drill\n", &format!("name: {name}\n")).replace("8080", &sink.to_string());
        std::fs::write(to.join(file), text).unwrap();
    }
}

fn acts(report: &str) -> Vec<Value> {
    let report: Value = serde_json::from_str(report).unwrap_or_else(|error| panic!("{error}: {report}"));
    assert_eq!((&report["good"], &report["cluster"]), (&true.into(), &"default/drill".into()), "{report:#}");
    report["acts"].as_array().unwrap().clone()
}

/// It was seen, it got well, and of many alerts each was told.
fn assert_good(act: &Value) {
    assert!(act["noticedMs"].is_u64() && act["wellMs"].is_u64() && act["notDone"].is_null(), "{act:#}");
    let alerts = &act["alerts"];
    assert!(alerts["posted"].as_u64() >= Some(3) && alerts["lost"] == serde_json::json!([]), "{act:#}");
}

#[test]
fn what_breaks_is_noticed_and_nothing_is_lost() {
    let only = "--only=cut-off,full-disk,slow-receiver";
    let dir = tempfile::tempdir().unwrap();
    let own = dir.path().display().to_string();
    let (code, report, told) = drill(&[SAMPLE, only, "--output=json"], &[("TMPDIR", &own)]);
    assert_eq!(code, Some(0), "{report}{told}");
    let acts = acts(&report);
    let names: Vec<&str> = acts.iter().map(|act| act["act"].as_str().unwrap()).collect();
    assert_eq!(names, ["cut-off", "full-disk", "slow-receiver"]);
    acts.iter().for_each(assert_good);
    assert!(told.contains("no peer reaches a member"), "who looks on sees that it goes on: {told}");
    assert_eq!((with_argument(&own), dir.path().read_dir().unwrap().count()), (Vec::<i32>::new(), 0));
}

#[test]
fn without_namespaces_the_rest_is_rehearsed_and_nothing_is_left_running() {
    let dir = tempfile::tempdir().unwrap();
    let own = dir.path().display().to_string();
    // nothing is found there that could make them
    let environment = [("PATH", "/nowhere"), ("TMPDIR", own.as_str())];
    let (code, report, told) = drill(&[SAMPLE, "--only=kill,full-disk,bad-config", "--output=json"], &environment);
    assert_eq!(code, Some(0), "{report}{told}");
    let acts = acts(&report);
    assert_good(&acts[0]);
    assert!(acts[1]["notDone"].as_str().unwrap().contains("allows no namespaces"), "{}", acts[1]);
    assert_good(&acts[2]);
    assert_eq!(with_argument(&own), Vec::<i32>::new());
    assert_eq!(dir.path().read_dir().unwrap().count(), 0);
}

#[test]
fn who_interrupts_it_gets_what_there_is_and_nothing_stays_broken() {
    let dir = tempfile::tempdir().unwrap();
    let own = dir.path().display().to_string();
    let mut command = Command::new(PROGRAM);
    command.args(["drill", SAMPLE, "--only=kill,slow-receiver"]).current_dir(ROOT).env("TMPDIR", &own);
    let mut drill = Running::spawn(command);
    drill.line("a member is killed");
    drill.signal(Signal::TERM);
    assert_eq!(drill.wait().code(), Some(1));
    drill.line("interrupted: what is not in the report was not rehearsed");
    let output = drill.output().join("\n");
    assert!(output.contains("it was interrupted") && !output.contains("the receiver is slow"), "{output}");
    assert_eq!((with_argument(&own), dir.path().read_dir().unwrap().count()), (Vec::<i32>::new(), 0));
}

#[test]
fn who_is_not_marked_is_not_touched() {
    let (code, report, told) = drill(&["config/samples"], &[]);
    assert!(code == Some(1) && report.is_empty(), "{report}");
    let expected = "default/main is not marked for drills: its annotation `alertmanager.dev/drill` must be `allowed`";
    assert!(told.contains(expected), "{told}");
}

#[test]
fn a_member_is_killed_by_its_name_and_started_again() {
    let (dir, ip) = (tempfile::tempdir().unwrap(), own_address());
    // members of other tests have other names
    copy_of_the_sample(dir.path(), "mortal", free_port(ip));
    let ports = [free_port(ip), free_port(ip)];
    let args = [
        "local".to_owned(),
        format!("--address={ip}"),
        format!("--web-port={}", ports[0]),
        format!("--cluster-port={}", ports[1]),
        ".".to_owned(),
    ];
    let local = Running::start(PROGRAM, dir.path(), &args);
    local.line("Post an alert");
    let kill_by_name = |name: &str| {
        let output = Command::new(PROGRAM).args(["local", "--kill", name]).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    let (code, said) = kill_by_name("alertmanager-mortal-1");
    assert!(code == Some(0) && said.contains("killed alertmanager-mortal-1 (process "), "{said}");
    local.line("alertmanager-mortal-1 ended (signal: 9 (SIGKILL)); starting it again");
    let second = at(Ipv4Addr::from_bits(ip.to_bits() + 1), ports[0]);
    until("it is back", || same(json(second, "/-/config")?["ready"].as_bool(), &Some(true)));
    let output = Command::new(PROGRAM).args(["diagnose", "--local=mortal"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("alertmanager-mortal-1  ready"), "{text}");
    let (code, said) = kill_by_name("alertmanager-mortal-7");
    assert!(code == Some(1) && said.contains("no member called `alertmanager-mortal-7` runs here"), "{said}");
}

#[test]
fn two_prometheus_servers_page_once_about_a_member_that_is_down() {
    let (dir, ip) = (tempfile::tempdir().unwrap(), own_address());
    let sink = free_port(ip);
    copy_of_the_sample(dir.path(), "drill", sink);
    let args = [
        "local".to_owned(),
        format!("--address={ip}"),
        format!("--web-port={}", free_port(ip)),
        format!("--cluster-port={}", free_port(ip)),
        format!("--prometheus={}", peers::path("prometheus").display()),
        format!("--prometheus-port={}", free_port(ip)),
        ".".to_owned(),
    ];
    let local = Running::start(PROGRAM, dir.path(), &args);
    local.line("Post an alert");
    let member = with_argument(&format!("--cluster.advertise-address={}", Ipv4Addr::from_bits(ip.to_bits() + 2)));
    kill(member[0], Signal::STOP);
    let told = || -> Result<Vec<Value>, String> {
        let received = json(at(ip, sink), "/received")?;
        let ours = |entry: &&Value| entry["body"]["groupLabels"]["alertname"] == "LocalMemberDown";
        Ok(received.as_array().unwrap().iter().filter(ours).cloned().collect())
    };
    let first = until("both rules' one alert was told", || told()?.pop().ok_or_else(|| "nothing was".to_owned()));
    assert_eq!(
        (first["body"]["status"].as_str(), first["body"]["alerts"].as_array().map(Vec::len)),
        (Some("firing"), Some(1))
    );
    kill(member[0], Signal::CONT);
    until("its end was told", || match told()?.last().map(|last| last["body"]["status"].clone()) {
        Some(status) if status == "resolved" => Ok(()),
        other => Err(format!("{other:?}")),
    });
    assert_eq!(told().unwrap().len(), 2, "each once, though two servers sent it");
    drop(local);
    assert_eq!(with_argument(&format!("--web.listen-address={ip}:")), Vec::<i32>::new(), "nothing is left running");
}
