//! The command line: one subcommand for each role of the program.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use clap::{Parser, Subcommand};

/// Called by this name, the program is a worker without the subcommand.
const WORKER_NAME: &str = "alertmanager";
/// The subcommand that takes all the rest as it is.
const WORKER: &str = "worker";
/// How long what is still under way after the end of a role may take.
const LEFTOVERS_LIMIT: Duration = Duration::from_secs(1);

#[derive(Debug, Parser)]
#[command(name = "alertmanager-operator", version, about, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The controller: turn AlertmanagerClusters into running clusters and keep them healthy
    Operator(operator::OperatorOptions),
    /// A drop-in for alertmanager, one member of a cluster
    #[command(disable_help_flag = true, disable_version_flag = true)]
    Worker {
        /// The flags of alertmanager
        #[arg(value_name = "FLAGS", trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Run an AlertmanagerCluster manifest on loopback, without Kubernetes
    Local(operator::local::Flags),
    /// Print the CRDs
    Crd,
    /// Check configs and manifests as a worker and the operator do
    Check(tools::check::Flags),
    /// Show the routing tree of a config, or where an alert goes in it
    Routes(tools::routes::Flags),
    /// Look at all members of a cluster, and say what is wrong
    Diagnose(tools::diagnose::Flags),
    /// Look at all members of a cluster again and again, and tell of what changes
    Monitor(tools::monitor::Flags),
    /// Back the state of a cluster up, into a directory or a bucket
    Backup(tools::backup::BackupFlags),
    /// Bring a backup back
    Restore(tools::backup::RestoreFlags),
    /// Remove old backups
    Cleanup(tools::backup::CleanupFlags),
    /// Break a cluster of `local` on purpose, and report what was noticed and what was lost
    Drill(tools::drill::Flags),
    /// Post alerts at a rate, to see how a cluster copes
    Send(tools::send::Flags),
    /// Say why an alert notifies, or doesn't
    Why(tools::why::Flags),
    /// Render templates with the data of a notification
    Template(tools::template::Flags),
    /// Try a receiver of a config out
    Receivers(worker::receivers::Flags),
    /// Listen for webhooks, print one line for each notification
    Sink(operator::local::SinkFlags),
}

/// Chooses by the program's name and its first argument, and runs until the end.
///
/// # Errors
/// With whatever the role failed.
pub(crate) fn run(args: Vec<OsString>) -> anyhow::Result<()> {
    let name = args.first().map(Path::new).and_then(Path::file_name);
    if name == Some(OsStr::new(WORKER_NAME)) {
        return worker(args.into_iter().skip(1));
    }
    // a member doesn't pay for the command lines of all other roles
    if args.get(1).is_some_and(|arg| arg == WORKER) {
        return worker(args.into_iter().skip(2));
    }
    match Cli::parse_from(args).command {
        Command::Worker { args } => worker(args),
        Command::Operator(options) => complete(operator::run(options)),
        Command::Local(flags) => complete(operator::local::run(flags)),
        Command::Sink(flags) => complete(operator::local::run_sink(flags)),
        Command::Check(flags) => finish(tools::check::run(&flags)?),
        Command::Routes(flags) => finish(complete(tools::routes::run(flags))?),
        Command::Diagnose(flags) => finish(complete(tools::diagnose::run(flags))?),
        Command::Monitor(flags) => finish(complete(tools::monitor::run(flags))?),
        Command::Backup(flags) => finish(complete(tools::backup::backup(flags))?),
        Command::Restore(flags) => finish(complete(tools::backup::restore(flags))?),
        Command::Cleanup(flags) => finish(complete(tools::backup::cleanup(flags))?),
        Command::Drill(flags) => finish(complete(tools::drill::run(flags))?),
        Command::Send(flags) => finish(complete(tools::send::run(flags))?),
        Command::Why(flags) => finish(complete(tools::why::run(flags))?),
        Command::Template(flags) => finish(tools::template::run(flags)?),
        Command::Receivers(flags) => {
            let tested = complete(worker::receivers::run(flags))?;
            finish(tools::Finished { text: tested.text, warning: None, success: tested.success })
        }
        Command::Crd => {
            let text = operator::crd::crd_yaml()?;
            std::io::stdout().write_all(text.as_bytes()).context("printing the CRDs")
        }
    }
}

fn worker(args: impl IntoIterator<Item = OsString>) -> anyhow::Result<()> {
    match worker::Flags::parse_args(args) {
        Ok(flags) => complete(worker::run(flags)),
        Err(exit) => {
            let text = format!("{}\n", exit.text);
            // Whoever closed the output does not want to read it.
            let _ = match exit.code {
                0 => std::io::stdout().write_all(text.as_bytes()),
                _ => std::io::stderr().write_all(text.as_bytes()),
            };
            std::process::exit(exit.code.into())
        }
    }
}

/// Prints what a tool found out; the exit code says whether it is what was hoped for.
fn finish(finished: tools::Finished) -> anyhow::Result<()> {
    if let Some(warning) = finished.warning {
        writeln!(std::io::stderr(), "warning: {warning}").context("printing a warning")?;
    }
    let mut out = std::io::stdout();
    out.write_all(finished.text.as_bytes()).and_then(|()| out.flush()).context("printing the answer")?;
    if finished.success { Ok(()) } else { std::process::exit(1) }
}

/// Runs a role to its end.
fn complete<T, E>(role: impl Future<Output = Result<T, E>>) -> anyhow::Result<T>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting the runtime")?;
    let result = runtime.block_on(role);
    // A look-up of a name that nobody waits for any more must not hold up the end.
    runtime.shutdown_timeout(LEFTOVERS_LIMIT);
    Ok(result?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn all_that_follows_worker_is_its_own() {
        let cli = Cli::try_parse_from(["x", "worker", "--version", "--config.file=a", "-h"]);
        let Ok(Cli { command: Command::Worker { args } }) = cli else { panic!("{cli:?}") };
        assert_eq!(args, ["--version", "--config.file=a", "-h"]);
    }
}
