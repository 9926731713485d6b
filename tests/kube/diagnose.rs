//! A cluster is diagnosed by its name, from where its pods can't be reached but through the API server.

use std::process::{Command, Output};

use crate::kubectl::{command, in_node};
use crate::sample::Sample;
use crate::wait::until;

/// A command of ours, told where the API server is.
pub(crate) fn ours(name: &str, args: &[&str]) -> Output {
    // for the kubeconfig that it has
    let kubectl = command("kubectl");
    let kubeconfig = kubectl.get_envs().find(|(name, _)| *name == "KUBECONFIG").and_then(|(_, value)| value);
    let mut ours = Command::new(env!("CARGO_BIN_EXE_alertmanager-operator"));
    ours.arg(name).args(args).arg("--kubeconfig").arg(kubeconfig.unwrap()).output().unwrap()
}

/// The exit code, and all that was said.
pub(crate) fn diagnose(args: &[&str]) -> (Option<i32>, String) {
    let output = ours("diagnose", args);
    (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

#[test]
fn a_cluster_is_diagnosed_by_its_name() {
    let sample = Sample::ready();
    let (_, text) = diagnose(&["--cluster", "default/main"]);
    for member in 0..3 {
        assert!(text.contains(&format!("alertmanager-main-{member}  ready, 0.34.2")), "{text}");
    }
    assert!(text.contains(" sees alertmanager-main-0 alertmanager-main-1") && !text.contains("[not_seen]"), "{text}");

    let process = in_node(&["pgrep", "-f", "^/alertmanager-operator worker.*--cluster.peer-name=alertmanager-main-1 "]);
    let before = sample.incarnations().unwrap();
    in_node(&["kill", "-KILL", process.trim()]);
    until("it runs again", || match sample.incarnations() {
        Ok(now) if now != before => sample.settled(3).map(drop),
        other => Err(format!("{other:?}")),
    });
    let (code, text) = diagnose(&["--cluster", "default/main"]);
    assert!(code == Some(1) && text.contains("alertmanager-main-1 was restarted "), "{text}");
    let (code, text) = diagnose(&["--cluster", "default/nobody"]);
    assert!(code == Some(1) && text.contains("there is no AlertmanagerCluster default/nobody"), "{text}");
    let (code, text) = diagnose(&["--cluster", "main"]);
    assert!(code == Some(1) && text.contains("NAMESPACE/NAME of an AlertmanagerCluster is expected"), "{text}");
}
