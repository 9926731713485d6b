//! Tokens in files that both programs read when a config is taken into use, and not before and not later.

use super::Life;
use crate::peer::programs;
use crate::process::{self, Running};
use crate::wait::until;

const GOOD: &str = "route: {receiver: a}\nreceivers: [{name: a}]\n";

/// Receivers that lack a file, and what is said of it.
const LACKING: [(&str, &str); 4] = [
    (
        "incidentio_configs: [{url: 'http://x', alert_source_token_file: /nowhere/token}]",
        "failed to read alert_source_token_file: open /nowhere/token: ",
    ),
    (
        "incidentio_configs: [{url: 'http://x', alert_source_token_file: token}]",
        "failed to read alert_source_token_file: open token: ",
    ),
    (
        "rocketchat_configs: [{token_id: x, token_file: /nowhere/token}]",
        "could not read /nowhere/token: open /nowhere/token: ",
    ),
    ("rocketchat_configs: [{token: x, token_id_file: /nowhere/id}]", "could not read /nowhere/id: open /nowhere/id: "),
];

fn lacking(receiver: &str) -> String {
    format!("route: {{receiver: a}}\nreceivers:\n- name: a\n  {receiver}\n")
}

#[test]
fn a_token_that_cannot_be_read_is_no_start() {
    let reference = programs::path("alertmanager");
    for (program, first) in [(process::PROGRAM, &["worker"][..]), (reference.to_str().unwrap(), &[])] {
        for (receiver, words) in LACKING {
            let directory = tempfile::tempdir().unwrap();
            super::write_config(directory.path(), &lacking(receiver));
            let rest =
                ["--config.file=alertmanager.yml", "--cluster.listen-address=", "--web.listen-address=127.0.0.1:0"];
            let args: Vec<String> = first.iter().chain(&rest).map(|arg| (*arg).to_owned()).collect();
            let mut running = Running::start(program, directory.path(), &args);
            assert_eq!(running.wait().code(), Some(1), "{program}: {receiver}");
            until("the reason", || {
                let output = running.output().join("\n");
                if output.contains(words) { Ok(()) } else { Err(output) }
            });
        }
    }
}

#[test]
fn a_token_that_cannot_be_read_leaves_the_running_config() {
    for life in Life::both(GOOD, &["--cluster.listen-address="]) {
        let running = || life.get("/api/v2/status").unwrap().split("\"original\"").nth(1).unwrap().to_owned();
        let before = running();
        for (receiver, words) in LACKING {
            life.configure(&lacking(receiver));
            let refused = life.post("/-/reload", "").unwrap_err();
            assert!(refused.contains("500") && refused.contains("failed to reload config: "), "{refused}");
            assert!(refused.contains(words), "{refused}");
            assert_eq!(running(), before);
            let metrics = life.get("/metrics").unwrap();
            assert!(metrics.contains("\nalertmanager_config_last_reload_successful 0\n"), "{receiver}");
        }
        life.configure(GOOD);
        life.post("/-/reload", "").unwrap();
    }
}
