//! A world of its own: namespaces of Linux, without root where the system allows that. There is no network but loopback, so
//! that nobody outside is paged, and all of it ends with this program.

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::Path;
use std::process::{Command, Stdio};

use super::DrillError;
use crate::Finished;

/// The world: who is root in it, and what it has of its own.
const WORLD: [&str; 7] =
    ["--map-root-user", "--net", "--mount", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc"];

/// Where rules for links stand before the one that delivers to loopback.
const CUT: &str = "10";
const DELIVER: &str = "100";

/// Whether there can be one here: the tools are there, and the system allows it.
pub(super) fn is_possible() -> bool {
    let mut probe = Command::new("unshare");
    probe.args(WORLD).args(["ip", "link", "set", "lo", "up"]);
    let probe = probe.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    probe.is_ok_and(|status| status.success())
}

/// This command line, in there.
pub(super) fn again() -> Result<Finished, DrillError> {
    let program = std::env::current_exe().map_err(DrillError::io("finding the program's own file"))?;
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    let mut command = Command::new("unshare");
    command.args(WORLD).arg(program).args(args).arg("--inside").stdin(Stdio::null()).stderr(Stdio::inherit());
    let output = command.output().map_err(DrillError::io("making namespaces for the drill"))?;
    // what went wrong was said by it
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(Finished { text, warning: None, success: output.status.success() })
}

/// Makes loopback work, and room for rules about it.
pub(super) fn settle() -> Result<(), DrillError> {
    ip(&["link", "set", "lo", "up"])?;
    ip(&["rule", "add", "pref", DELIVER, "lookup", "local"])?;
    ip(&["rule", "del", "pref", "0"])
}

/// From now on nobody gets through to that address.
pub(super) fn cut(to: SocketAddrV4) -> Result<(), DrillError> {
    rules("add", to)
}

/// And now again.
pub(super) fn heal(to: SocketAddrV4) -> Result<(), DrillError> {
    rules("del", to)
}

fn rules(verb: &str, to: SocketAddrV4) -> Result<(), DrillError> {
    let (address, port): (Ipv4Addr, u16) = (*to.ip(), to.port());
    let (address, port) = (address.to_string(), port.to_string());
    ["tcp", "udp"].into_iter().try_for_each(|protocol| {
        ip(&["rule", verb, "pref", CUT, "to", &address, "ipproto", protocol, "dport", &port, "blackhole"])
    })
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

fn ip(args: &[&str]) -> Result<(), DrillError> {
    let mut command = Command::new("ip");
    command.args(args);
    done(&format!("ip {}", args.join(" ")), command)
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
