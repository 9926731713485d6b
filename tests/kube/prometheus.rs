//! A real Prometheus on the host, with one rule, pointed at the members.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use serde_json::json;

use crate::kubectl::{command, scratch};

/// Runs until it is dropped.
pub(crate) struct Prometheus {
    child: Child,
    dir: PathBuf,
    alertname: String,
}

impl Prometheus {
    /// Starts one whose rule `alertname` fires, and sends it to `members` (addresses without port), once a second.
    pub(crate) fn firing(alertname: &str, members: impl IntoIterator<Item = String>) -> Self {
        let dir = scratch("prometheus");
        let _ = fs::remove_dir_all(&dir);
        let dir = scratch("prometheus");
        write(&dir, "prometheus.yml", CONFIG);
        let targets: Vec<_> = members.into_iter().map(|address| format!("{address}:9093")).collect();
        write(&dir, "members.json", &json!([{ "targets": targets }]).to_string());
        write(&dir, "rules.yml", &rules(alertname, "vector(1)"));
        // a port that was free a moment ago
        let free = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr());
        let address = free.unwrap_or_else(|e| panic!("finding a port for Prometheus: {e}"));
        let log = File::create(dir.join("log")).unwrap_or_else(|e| panic!("making the log of Prometheus: {e}"));
        let child = command("prometheus")
            .current_dir(&dir)
            .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data", "--log.level=debug"])
            // what it says before it knows the members is lost; it says so again after this
            .arg("--rules.alert.resend-delay=5s")
            .arg(format!("--web.listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|e| panic!("starting prometheus (tests/tools/packages.sh fetches it): {e}"));
        Self { child, dir, alertname: alertname.to_owned() }
    }

    /// Makes the rule false; Prometheus then says that the alert is resolved.
    pub(crate) fn resolve(&self) {
        write(&self.dir, "rules.yml", &rules(&self.alertname, "vector(1) < 1"));
        let reload = command("kill").args(["-HUP", &self.child.id().to_string()]).status();
        assert!(reload.is_ok_and(|status| status.success()), "Prometheus is gone: {}", self.log_end());
    }

    fn log_end(&self) -> String {
        let log = fs::read_to_string(self.dir.join("log")).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            println!("---- the end of Prometheus' log\n{}", self.log_end());
        }
    }
}

const CONFIG: &str = "
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [rules.yml]
alerting:
  alertmanagers:
    - file_sd_configs: [{files: [members.json]}]
";

fn rules(alertname: &str, expression: &str) -> String {
    format!(
        "groups:
  - name: story
    rules:
      - alert: {alertname}
        expr: {expression}
        labels: {{severity: critical}}
        annotations: {{summary: told by a real Prometheus}}
"
    )
}

fn write(dir: &std::path::Path, name: &str, text: &str) {
    fs::write(dir.join(name), text).unwrap_or_else(|e| panic!("writing {name}: {e}"));
}
