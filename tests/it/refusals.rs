//! What cannot run says so in one sentence, and leaves nothing running.

use std::net::{TcpListener, UdpSocket};
use std::path::Path;
use std::process::Command;

use crate::process::{PROGRAM, at, free_port, own_address, with_argument};
use crate::sample::Sample;

/// What `local` says when it refuses.
fn refusal(dir: &Path, args: &[String]) -> String {
    let output = Command::new(PROGRAM).arg("local").args(args).current_dir(dir).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "");
    assert!(stderr.starts_with("error: ") && stderr.lines().count() == 1, "{stderr}");
    stderr
}

#[test]
fn taken_address() {
    let ip = own_address();
    let (web, gossip, sink) = (free_port(ip), free_port(ip), free_port(ip));
    let sample = Sample::quick(sink);
    let args = [format!("--address={ip}"), format!("--web-port={web}"), format!("--cluster-port={gossip}"), ".".into()];
    let second = std::net::Ipv4Addr::from_bits(ip.to_bits() + 1);
    let refused = |address: String, purpose: &str, remedy: &str| {
        let text = refusal(&sample.path(), &args);
        for part in [&address, purpose, remedy, "in use"] {
            assert!(text.contains(part), "{text}");
        }
        assert_eq!(with_argument(&format!("={ip}:")), Vec::<i32>::new());
    };

    let taken = TcpListener::bind(at(second, web)).unwrap();
    refused(format!("{second}:{web}"), "the API of alertmanager-main-1", "--web-port");
    drop(taken);
    let taken = UdpSocket::bind(at(second, gossip)).unwrap();
    refused(format!("{second}:{gossip}"), "the gossip of alertmanager-main-1", "--cluster-port");
    drop(taken);
    let _taken = TcpListener::bind(at(ip, sink)).unwrap();
    refused(format!("{ip}:{sink}"), "webhook-sink", "--address");
}

#[test]
fn missing_file() {
    let dir = tempfile::tempdir().unwrap();
    let text = refusal(dir.path(), &["no-such.yaml".into()]);
    assert!(text.contains("no-such.yaml") && text.contains("No such file"), "{text}");
    assert!(refusal(dir.path(), &[".".into()]).contains("no AlertmanagerCluster"));
}

#[test]
fn bad_manifest() {
    let table = [
        ("replicas: 3", "replcas: 3", "unknown field spec.replcas"),
        ("replicas: 3", "replicas: three", "cluster.yaml:"),
        ("replicas: 3", "replicas: 0", "spec.replicas must be at least 1"),
        ("replicas: 3", "replicas: [3", "cluster.yaml:"),
        ("kind: ConfigMap", "kind: Elsewhere", "is in none of the files"),
        ("group_wait: 2s", "group_wait: soon", "ConfigMap main-config"),
        ("group_wait: 2s", "group_wiat: 2s", "ConfigMap main-config"),
    ];
    for (good, bad, expected) in table {
        let sample = Sample::quick(1);
        sample.edit(|text| text.replace(good, bad));
        let text = refusal(&sample.path(), &[".".into()]);
        assert!(text.contains(expected) && text.contains("cluster.yaml:"), "{bad}: {text}");
    }
}

#[test]
fn error_in_the_configuration_names_the_line_of_the_file() {
    let sample = Sample::quick(1);
    sample.edit(|text| text.replace("group_wait: 2s", "group_wait: soon"));
    let text = std::fs::read_to_string(sample.path().join("cluster.yaml")).unwrap();
    let line = 1 + text.lines().position(|line| line.contains("group_wait: soon")).unwrap();
    let refused = refusal(&sample.path(), &[".".into()]);
    assert!(refused.contains(&format!("cluster.yaml:{line}: ")), "{refused}");
}
