//! Sockets that somebody else has opened, as systemd does, and TLS on them.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::http::request;
use crate::process::{PROGRAM, Running};
use crate::wait::until;

const CONFIG: &str = "route: {receiver: team}\nreceivers: [{name: team}]\n";

/// A worker that finds `socket` as its descriptor 3, and is told so.
fn worker(dir: &Path, socket: OwnedFd, more: &[&str]) -> Running {
    std::fs::write(dir.join("alertmanager.yml"), CONFIG).unwrap();
    // the shell knows the number of the process that it becomes
    let script = r#"export LISTEN_PID=$$ LISTEN_FDS=1; exec "$0" worker "$@" 3<&0 0</dev/null"#;
    let mut command = Command::new("sh");
    command.args(["-c", script, PROGRAM, "--web.systemd-socket", "--cluster.listen-address="]).args(more);
    command.current_dir(dir).stdin(Stdio::from(socket));
    Running::spawn(command)
}

#[test]
fn a_tcp_socket_of_systemd_is_served() {
    let dir = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let process = worker(dir.path(), listener.into(), &[]);
    until("the worker answers", || request(address, "GET", "/-/ready", ""));
    assert!(process.line("Listening on").contains(&format!("address={address}")));
}

#[test]
fn a_unix_socket_of_systemd_is_served() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("web.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let _process = worker(dir.path(), listener.into(), &["--web.external-url=http://am.example/"]);
    let answer = until("the worker answers", || {
        let failed = |error: std::io::Error| error.to_string();
        let mut stream = UnixStream::connect(&path).map_err(failed)?;
        stream.write_all(b"GET /-/healthy HTTP/1.0\r\n\r\n").map_err(failed)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map_err(failed)?;
        Ok(answer)
    });
    assert!(answer.starts_with("HTTP/1.0 200 OK\r\n") && answer.ends_with("\r\n\r\nOK"), "{answer}");
}

#[test]
fn what_cannot_be_served_is_said() {
    let refused = |args: &[&str]| {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("alertmanager.yml"), CONFIG).unwrap();
        std::fs::write(dir.path().join("web.yml"), "tls_server_config: {cert_file: no.crt, key_file: no.key}\n")
            .unwrap();
        let output = Command::new(PROGRAM)
            .arg("worker")
            .arg("--cluster.listen-address=")
            .args(args)
            .current_dir(dir.path())
            .output();
        let output = output.unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let none = refused(&["--web.systemd-socket"]);
    assert!(none.contains("listening on the sockets of systemd") && none.contains("LISTEN_FDS"), "{none}");
    let file = refused(&["--web.listen-address=127.0.0.1:0", "--web.config.file=web.yml"]);
    assert!(file.contains("reading web config file `web.yml`") && file.contains("no.crt"), "{file}");
    let port = refused(&["--web.listen-address=vsock://nowhere"]);
    assert!(port.contains("listening on `vsock://nowhere`") && port.contains("vsock://:PORT"), "{port}");
}
