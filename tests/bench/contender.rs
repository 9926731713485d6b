//! The two programs: where they are, and how they are started.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};

/// A program of the test bed.
pub(crate) fn peer(name: &str) -> anyhow::Result<PathBuf> {
    let home = || env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let cache = || env::var_os("XDG_CACHE_HOME").map_or_else(|| home().join(".cache"), PathBuf::from);
    let bin = env::var_os("TESTBED_BIN");
    let bin = bin.map_or_else(|| cache().join("alertmanager-operator-testbed/bin"), PathBuf::from);
    let program = bin.join(name);
    ensure!(program.exists(), "{} is missing: `tests/kube/build.sh {name}` builds it", program.display());
    Ok(program)
}

/// A program that is measured.
pub(crate) struct Contender {
    /// What it is called in the table.
    pub(crate) name: &'static str,
    program: PathBuf,
    subcommand: Option<&'static str>,
}

impl Contender {
    /// The worker of this repository: `$ALERTMANAGER_OPERATOR_BIN`, or what was built beside this program.
    pub(crate) fn ours() -> anyhow::Result<Self> {
        let program = match env::var_os("ALERTMANAGER_OPERATOR_BIN") {
            Some(path) => PathBuf::from(path),
            None => env::current_exe().context("looking for our own program")?.with_file_name("alertmanager-operator"),
        };
        ensure!(program.exists(), "{} is missing: `make bench` builds it", program.display());
        Ok(Self { name: "ours", program, subcommand: Some("worker") })
    }

    /// The Go Alertmanager, from the test bed.
    pub(crate) fn reference() -> anyhow::Result<Self> {
        Ok(Self { name: "reference", program: peer("alertmanager")?, subcommand: None })
    }

    /// Whether it's the worker of this repository.
    pub(crate) fn is_ours(&self) -> bool {
        self.subcommand.is_some()
    }

    /// Where it is.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// The first line of what it says about its version.
    pub(crate) fn version(&self) -> anyhow::Result<String> {
        let output = self.command().arg("--version").output();
        let output = output.with_context(|| format!("asking {} for its version", self.program.display()))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        match text.lines().next() {
            Some(line) => Ok(line.to_owned()),
            None => bail!("{} doesn't tell its version", self.program.display()),
        }
    }

    /// The command that runs it on a port of loopback, alone, with its files in `dir`.
    pub(crate) fn on(&self, port: u16, config: &Path, dir: &Path) -> Command {
        let mut command = self.command();
        command.arg("--config.file").arg(config);
        command.arg("--storage.path").arg(dir);
        command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
        command.arg("--cluster.listen-address=");
        command
    }

    /// The command of a member of a cluster; where it listens and what its peers are is to be added.
    pub(crate) fn member(&self, config: &Path, dir: &Path) -> Command {
        let mut command = self.command();
        command.arg("--config.file").arg(config);
        command.arg("--storage.path").arg(dir);
        command
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(self.subcommand);
        command
    }
}
