//! `receivers test`: what is shown, what is sent, and what is said when it fails.

use std::path::Path;
use std::process::{Command, Output};

use crate::process::{self, PROGRAM, Running, at};

fn test(directory: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.args(["receivers", "test", "--config", "am.yml"]).args(args).current_dir(directory).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn a_receiver_is_tried_out() {
    let directory = tempfile::tempdir().unwrap();
    let ip = process::own_address();
    let (sink_port, nobody) = (process::free_port(ip), process::free_port(ip));
    let config = format!(
        "route: {{receiver: team}}
receivers:
- name: team
  webhook_configs: [{{url: 'http://{ip}:{sink_port}/hook/s3cret', http_config: {{authorization: {{credentials: t0ken}}}}}}]
  pagerduty_configs: [{{routing_key: k, url: 'http://{ip}:{nobody}/x'}}]
  email_configs: [{{to: a@x, from: b@x, smarthost: '{ip}:{nobody}', require_tls: false}}]
- name: empty
"
    );
    std::fs::write(directory.path().join("am.yml"), config).unwrap();
    let shown = test(directory.path(), &["--receiver", "team", "--dry-run", "--label", "job=x"]);
    let text = out(&shown);
    assert!(shown.status.success(), "{shown:?}");
    for part in [
        &*format!("# team/webhook[0]\nPOST http://{ip}:{sink_port}/<secret>\n"),
        "\"job\":\"x\"",
        "# team/pagerduty[0]\n",
        "# team/email[0]\nmail to a@x\nfrom b@x\n",
        "Subject: [FIRING:1] ReceiverTest (x none)\n",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("s3cret") && !text.contains("t0ken"), "{text}");

    let sink =
        Running::start(PROGRAM, directory.path(), &["sink".into(), format!("--listen-address={}", at(ip, sink_port))]);
    sink.line("webhook sink on");
    let sent = test(directory.path(), &["--receiver", "team", "--integration", "webhook[0]"]);
    assert_eq!((out(&sent).as_str(), sent.status.code()), ("team/webhook[0]: ok\n", Some(0)));
    sink.line("ReceiverTest");

    let failed = test(directory.path(), &["--receiver", "team"]);
    let text = out(&failed);
    assert_eq!(failed.status.code(), Some(1), "{text}");
    assert!(text.contains("team/webhook[0]: ok") && text.contains("team/pagerduty[0]: failed: "), "{text}");
    assert!(text.contains("team/email[0]: failed: connecting to the mail server: "), "{text}");

    for (args, words) in [
        (&["--receiver", "nobody"][..], "the config has no receiver `nobody`: it has `team`, `empty`"),
        (&["--receiver", "team", "--integration", "slack[0]"], "no integration `slack[0]`: it has "),
    ] {
        let refused = test(directory.path(), args);
        assert!(!refused.status.success());
        assert!(String::from_utf8_lossy(&refused.stderr).contains(words), "{refused:?}");
    }
    assert_eq!(out(&test(directory.path(), &["--receiver", "empty"])), "empty: has no integrations\n");
}
