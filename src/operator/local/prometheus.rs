//! Prometheus servers beside the cluster, two as one has them: the same targets, the same rules, each alert by both.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::future::join_all;
use serde_json::json;

use super::member::Ground;
use super::process::{Process, Program};

const RULES: &str = include_str!("../../../config/monitoring/rules.yml");
/// Those above wait for minutes; who rehearses doesn't want to.
const SOON: &str = "\
groups:
  - name: local
    rules:
      - alert: LocalMemberDown
        expr: up{job=\"alertmanager\"} == 0
        for: 5s
        annotations: {summary: \"{{ $labels.instance }} does not answer\"}
";
const NAMES: [&str; 2] = ["prometheus-a", "prometheus-b"];
const MEMBERS: &str = "members.json";
/// Ends a program with the thread that started it, so that nothing outlives us however we end.
const WITH_US: [&str; 3] = ["setpriv", "--pdeathsig", "TERM"];

/// The servers.
pub(super) struct Servers {
    dirs: Vec<PathBuf>,
    processes: Vec<Process>,
}

impl Servers {
    /// Starts them, each at its address. They send alerts to all members, below `prefix`, and scrape them.
    ///
    /// # Errors
    /// When a file can't be written.
    pub(super) fn start(
        program: &Path,
        at: &[IpAddr],
        port: u16,
        prefix: &str,
        members: &[SocketAddr],
        ground: &Ground,
    ) -> io::Result<Self> {
        let mut started = Self { dirs: Vec::new(), processes: Vec::new() };
        for (name, address) in NAMES.into_iter().zip(at) {
            let dir = ground.dir.join(name);
            std::fs::create_dir_all(&dir)?;
            std::fs::write(dir.join("prometheus.yml"), config(name, prefix))?;
            std::fs::write(dir.join("rules.yml"), RULES)?;
            std::fs::write(dir.join("local.yml"), SOON)?;
            write_members(&dir, members)?;
            let listen = SocketAddr::new(*address, port);
            let own = [
                program.display().to_string(),
                format!("--config.file={}", dir.join("prometheus.yml").display()),
                format!("--storage.tsdb.path={}", dir.join("data").display()),
                "--storage.tsdb.retention.time=1d".to_owned(),
                format!("--web.listen-address={listen}"),
            ];
            let mut line: Vec<String> = WITH_US.map(str::to_owned).into_iter().filter(|_| has(WITH_US[0])).collect();
            line.extend(own);
            let path = line.remove(0).into();
            let program = Program { name: name.to_owned(), path, args: line, log: dir.join("log") };
            ground.screen.event(&format!("starting {name} at http://{listen}"));
            started.processes.push(Process::start(program, Arc::clone(&ground.screen), ground.ended.clone()));
            started.dirs.push(dir);
        }
        Ok(started)
    }

    /// Has them know who the members are now.
    ///
    /// # Errors
    /// When a file can't be written.
    pub(super) fn follow(&self, members: &[SocketAddr]) -> io::Result<()> {
        self.dirs.iter().try_for_each(|dir| write_members(dir, members))
    }

    /// Ends them, and waits.
    pub(super) async fn stop(&mut self) {
        self.processes.iter().for_each(Process::begin_stop);
        join_all(self.processes.iter_mut().map(Process::ended)).await;
    }
}

/// The file appears whole or not at all.
fn write_members(dir: &Path, members: &[SocketAddr]) -> io::Result<()> {
    let targets: Vec<String> = members.iter().map(ToString::to_string).collect();
    let aside = dir.join("members.new");
    std::fs::write(&aside, json!([{ "targets": targets }]).to_string())?;
    std::fs::rename(aside, dir.join(MEMBERS))
}

/// The label that tells the two apart is not part of their alerts: these are the same.
fn config(name: &str, prefix: &str) -> String {
    format!(
        "global: {{scrape_interval: 2s, evaluation_interval: 2s, external_labels: {{prometheus: {name}}}}}\n\
         rule_files: [rules.yml, local.yml]\n\
         alerting:\n  \
           alert_relabel_configs: [{{regex: prometheus, action: labeldrop}}]\n  \
           alertmanagers: [{{path_prefix: '{prefix}/', file_sd_configs: [{{files: [{MEMBERS}]}}]}}]\n\
         scrape_configs:\n  \
           - {{job_name: alertmanager, metrics_path: '{prefix}/metrics', file_sd_configs: [{{files: [{MEMBERS}]}}]}}\n"
    )
}

/// Whether a program is in PATH.
fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_have_the_same_alerts() {
        let text = config("prometheus-a", "/am");
        assert!(text.contains("labeldrop") && text.contains("path_prefix: '/am/'"), "{text}");
        assert!(serde_saphyr::from_str::<serde_json::Value>(&text).is_ok(), "{text}");
        assert!(serde_saphyr::from_str::<serde_json::Value>(SOON).is_ok());
    }
}
