//! A world of its own: namespaces of Linux, without root where the system allows that. There is no network but loopback, so
//! that nobody outside is paged, and all of it ends with this program.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::DrillError;
use crate::Finished;
use crate::stopped::Stop;

/// The world: who is root in it, and what it has of its own.
const WORLD: [&str; 7] =
    ["--map-root-user", "--net", "--mount", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc"];

/// Whether there can be one here: the tools are there, and the system allows it.
pub(super) fn is_possible() -> bool {
    let mut probe = Command::new("unshare");
    probe.args(WORLD).arg("true");
    let probe = probe.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    probe.is_ok_and(|status| status.success())
}

/// This command line, in there. A signal for this program is one for that.
pub(super) async fn again(stop: &Stop) -> Result<Finished, DrillError> {
    let program = std::env::current_exe().map_err(DrillError::io("finding the program's own file"))?;
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    let mut command = tokio::process::Command::new("unshare");
    command.args(WORLD).arg(program).args(args).arg("--inside");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
    let child = command.spawn().map_err(DrillError::io("making namespaces for the drill"))?;
    let unshare = child.id();
    let mut ended = std::pin::pin!(child.wait_with_output());
    let output = tokio::select! {
        output = &mut ended => output,
        () = stop.sleep(Duration::MAX) => {
            for inner in unshare.into_iter().flat_map(children) {
                // one that has ended needs none
                let _ = kill_process(inner, Signal::TERM);
            }
            ended.await
        }
    };
    let output = output.map_err(DrillError::io("waiting for the drill"))?;
    // what went wrong was said by it
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(Finished { text, warning: None, success: output.status.success() })
}

fn children(of: u32) -> Vec<Pid> {
    let listed = std::fs::read_to_string(format!("/proc/{of}/task/{of}/children")).unwrap_or_default();
    listed.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).collect()
}

/// A file system of its own for a directory, so small that it's soon full.
pub(super) fn small_disk(directory: &Path) -> Result<(), DrillError> {
    let mut mount = Command::new("mount");
    mount.args(["-t", "tmpfs", "-o", "size=4m,mode=0700", "tmpfs"]).arg(directory);
    done("mounting a small disk", mount)
}

/// And away with it: the directory can be removed then.
pub(super) fn no_disk(directory: &Path) -> Result<(), DrillError> {
    let mut umount = Command::new("umount");
    umount.arg("--lazy").arg(directory);
    done("unmounting a small disk", umount)
}

fn done(doing: &str, mut command: Command) -> Result<(), DrillError> {
    let output = command.stdin(Stdio::null()).output().map_err(DrillError::io(doing))?;
    match output.status.success() {
        true => Ok(()),
        false => {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            Err(DrillError::Io { doing: doing.to_owned(), source: std::io::Error::other(said) })
        }
    }
}
