//! SNS and the way to a role: a server that signs every request again finds both programs' signatures right.

use std::process::Command;

use serde_json::{Value, json};

use super::Life;
use crate::peer::{Peer, programs};
use crate::process::{self, Running, at};
use crate::wait::until;

const CONFIG: &str = "
route:
  receiver: config
  group_wait: 1s
  routes:
  - {receiver: environment, continue: true}
  - {receiver: role, continue: true}
  - {receiver: config}
receivers:
- name: config
  sns_configs: [{topic_arn: config, api_url: '@URL@', sigv4: {region: eu-central-1, access_key: AKIACONFIG0000000000, secret_key: of config}}]
- name: environment
  sns_configs: [{topic_arn: environment, api_url: '@URL@', attributes: {a: 'b & c'}}]
- name: role
  sns_configs: [{topic_arn: role, api_url: '@URL@', sigv4: {region: us-west-2, role_arn: 'arn:aws:iam::123456789012:role/pager', external_id: ours}}]
";

/// Whom, where and for what each request was signed, sorted.
fn signed(program: &str, first: &[&str]) -> Vec<String> {
    let mut peer = Peer::start();
    let url = peer.ask("aws_server", json!({})).unwrap().as_str().unwrap().to_owned();
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("alertmanager.yml"), CONFIG.replace("@URL@", &url)).unwrap();
    let ip = process::own_address();
    let web = at(ip, process::free_port(ip));
    let mut command = Command::new(program);
    command.args(first).args(["--config.file=alertmanager.yml", "--storage.path=data", "--cluster.listen-address="]);
    command.arg(format!("--web.listen-address={web}")).current_dir(directory.path()).env_remove("AWS_CA_BUNDLE");
    for (name, value) in [
        ("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT00000"),
        ("AWS_SECRET_ACCESS_KEY", "of environment"),
        ("AWS_REGION", "sa-east-1"),
        ("AWS_ENDPOINT_URL_STS", &url),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_CONFIG_FILE", "/nowhere"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/nowhere"),
    ] {
        command.env(name, value);
    }
    let life = Life { program: Running::spawn(command), web, directory };
    until("an answer", || life.get("/-/healthy"));
    life.post("/api/v2/alerts", r#"[{"labels":{"alertname":"A"},"startsAt":"2026-01-01T00:00:00Z"}]"#).unwrap();
    let requests = until("four requests", || {
        let seen = peer.ask("aws_requests", json!({})).unwrap();
        if seen.as_array().unwrap().len() >= 4 { Ok(seen) } else { Err(seen.to_string()) }
    });
    let mut requests: Vec<String> = requests.as_array().unwrap().iter().take(4).map(shown).collect();
    requests.sort();
    requests
}

fn shown(request: &Value) -> String {
    assert_eq!(request["right"], true, "{request}");
    // sessions are named and last as each program likes
    let names = ["Action", "Version", "TopicArn", "Subject", "RoleArn", "ExternalId", "MessageAttributes.entry.1.Name"];
    let form: Vec<String> = names.iter().map(|name| format!("{name}={}", request["form"][name])).collect();
    format!("{} {} {} {} {}", request["key"], request["region"], request["service"], request["token"], form.join(" "))
}

#[test]
fn signatures_are_right_with_keys_from_everywhere() {
    let theirs = signed(programs::path("alertmanager").to_str().unwrap(), &[]);
    assert_eq!(signed(process::PROGRAM, &["worker"]), theirs);
    assert!(
        theirs.iter().any(|request| request.contains("\"ASIAROLE000000000000\" \"us-west-2\" \"sns\" \"tok\"")),
        "{theirs:#?}"
    );
}
