//! The command line as a whole.

use std::process::{Command, Output};

use crate::process::PROGRAM;
use crate::sample::ROOT;

fn run(args: &[&str]) -> Output {
    Command::new(PROGRAM).args(args).output().unwrap()
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn version_and_help() {
    assert!(stdout(&run(&["--version"])).contains(env!("CARGO_PKG_VERSION")));
    let help = stdout(&run(&["--help"]));
    for command in ["operator", "worker", "local", "crd", "sink", "check", "routes", "template", "receivers"] {
        assert!(help.contains(command), "{help}");
    }
    assert_eq!(run(&["no-such-command"]).status.code(), Some(2));
}

#[test]
fn crd_prints_what_the_repository_holds() {
    let file = format!("{ROOT}/crds/alertmanagerclusters.yaml");
    assert_eq!(stdout(&run(&["crd"])), std::fs::read_to_string(file).unwrap());
}

#[test]
fn called_alertmanager_it_is_a_worker() {
    let dir = tempfile::tempdir().unwrap();
    let link = dir.path().join("alertmanager");
    std::os::unix::fs::symlink(PROGRAM, &link).unwrap();
    let help = stdout(&Command::new(&link).arg("--help").output().unwrap());
    assert!(help.contains("--config.file") && !help.contains("Run an AlertmanagerCluster"), "{help}");
    assert_eq!(help, stdout(&run(&["worker", "--help"])));
    let output = Command::new(&link).arg("--no.such.flag").output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}

#[test]
fn sink_tells_what_it_got() {
    let ip = crate::process::own_address();
    let port = crate::process::free_port(ip);
    let args = ["sink".to_owned(), format!("--listen-address={ip}:{port}")];
    let mut sink = crate::process::Running::start(PROGRAM, ROOT.as_ref(), &args);
    sink.line("webhook sink on");
    let body = r#"{"status":"firing","receiver":"r","alerts":[{"status":"firing","labels":{"alertname":"Disk"}}]}"#;
    crate::http::request(crate::process::at(ip, port), "POST", "/hook", body).unwrap();
    sink.line("r  firing    Disk");
    sink.signal(rustix::process::Signal::TERM);
    assert_eq!(sink.wait().code(), Some(0));
}
