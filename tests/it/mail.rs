//! Mails to a real server, over STARTTLS and over TLS at once, with passwords; another program's parser reads them.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::http;
use crate::process::{self, Running, at};
use crate::sample::ROOT;
use crate::wait::until;

const ALERTS: &str = r#"[{"labels":{"alertname":"Größe","severity":"page"},"annotations":{"text":"ünïcode & <b>"}}]"#;

fn certificate(directory: &Path) {
    let args = "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost";
    let made = Command::new("openssl").args(args.split(' ')).current_dir(directory).stderr(Stdio::null()).status();
    assert!(made.unwrap().success());
}

#[test]
fn a_real_server_takes_mails() {
    let directory = tempfile::tempdir().unwrap();
    certificate(directory.path());
    let mut command = Command::new("/usr/bin/python3");
    command.arg(format!("{ROOT}/tests/it/mail_server.py")).args(["cert.pem", "key.pem"]);
    // its input ends with this test
    command.current_dir(directory.path()).stdin(Stdio::piped());
    let server = Running::spawn(command);
    let ports: BTreeMap<String, u16> = serde_json::from_str(&server.line("implicit")).unwrap();
    let config = format!(
        r#"
global:
  smtp_from: Alerts <alerts@example.com>
  smtp_auth_username: me
  smtp_auth_password: p4ss
  smtp_tls_config: {{ca_file: cert.pem}}
route: {{receiver: both, group_wait: 1s}}
receivers:
- name: both
  email_configs:
  - {{to: 'first@example.com', smarthost: 'localhost:{}', text: '{{{{ .CommonAnnotations.text }}}}'}}
  - {{to: 'A <a@example.com>, b@example.com', smarthost: 'localhost:{}', force_implicit_tls: true}}
"#,
        ports["starttls"], ports["implicit"]
    );
    std::fs::write(directory.path().join("alertmanager.yml"), config).unwrap();
    let ip = process::own_address();
    let web = at(ip, process::free_port(ip));
    let args = ["worker", "--config.file=alertmanager.yml", "--storage.path=data", "--cluster.listen-address="];
    let mut args: Vec<String> = args.map(str::to_owned).into();
    args.push(format!("--web.listen-address={web}"));
    let worker = Running::start(process::PROGRAM, directory.path(), &args);
    until("an answer", || http::request(web, "GET", "/-/healthy", ""));
    http::request(web, "POST", "/api/v2/alerts", ALERTS).unwrap();
    let mails = until("two mails", || {
        let lines = server.output();
        let mails: Vec<Value> = lines
            .iter()
            .filter(|line| line.contains("mechanism"))
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        if mails.len() >= 2 { Ok(mails) } else { Err(format!("{lines:?} {:?}", worker.output())) }
    });
    let of = |mechanism: &str| mails.iter().find(|mail| mail["mechanism"] == mechanism).unwrap();
    for (mail, to) in [(of("LOGIN"), &["a@example.com", "b@example.com"][..]), (of("PLAIN"), &["first@example.com"])] {
        assert_eq!(mail["to"].as_array().unwrap(), to);
        assert_eq!((&mail["from"], &mail["tls"]), (&"alerts@example.com".into(), &true.into()));
        assert_eq!(mail["subject"], "[FIRING:1]  (Größe page)");
        assert_eq!(mail["defects"].as_array().unwrap().len(), 0, "{mail}");
        assert!(mail["parts"]["text/html"].as_str().unwrap().contains("Größe"), "{mail}");
    }
    assert_eq!(of("PLAIN")["parts"]["text/plain"], "ünïcode & <b>");
}
