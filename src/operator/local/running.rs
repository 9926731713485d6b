//! The members that `local` runs on this machine, found among its processes: for who wants to see one end.

use std::io;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

/// A member, as its command line tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningMember {
    /// Its name in the cluster.
    pub name: String,
    /// Its process.
    pub pid: i32,
    /// Where its API is, as `host:port`.
    pub web: String,
    /// Where it keeps its state.
    pub storage: String,
}

impl RunningMember {
    /// The name of the object that it's a member of.
    pub fn cluster(&self) -> &str {
        let name = self.name.strip_prefix("alertmanager-").unwrap_or(&self.name);
        name.rsplit_once('-').map_or(name, |(cluster, _)| cluster)
    }
}

/// No member was ended.
#[derive(Debug, thiserror::Error)]
pub enum KillError {
    /// Processes can't be listed.
    #[error("listing the processes of this machine (in /proc)")]
    List(#[source] io::Error),
    /// None has that name.
    #[error("no member called `{name}` runs here; {}", if .there.is_empty() { "none does".to_owned() } else { format!("there are {there}") })]
    Unknown {
        /// As asked for.
        name: String,
        /// Those that run.
        there: String,
    },
    /// Clusters on other addresses have members of the same names.
    #[error("{count} members called `{name}` run here, of different clusters: stop the others first")]
    Several {
        /// As asked for.
        name: String,
        /// How many.
        count: usize,
    },
    /// The system doesn't allow it.
    #[error("killing process {pid}")]
    Signal {
        /// Which.
        pid: i32,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// All of them that share this process's network, in no order: others can't be reached.
///
/// # Errors
/// When the system doesn't list processes in `/proc`.
pub fn processes() -> io::Result<Vec<RunningMember>> {
    let network = |process: &Path| std::fs::read_link(process.join("ns/net")).ok();
    let (own, mut found) = (network(Path::new("/proc/self")), Vec::new());
    for entry in std::fs::read_dir("/proc")? {
        let entry = entry?;
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        // a process may end while it is looked at
        let Ok(line) = std::fs::read(entry.path().join("cmdline")) else { continue };
        let args: Vec<String> = line.split(|byte| *byte == 0).map(|arg| String::from_utf8_lossy(arg).into()).collect();
        found.extend(member(&args, pid).filter(|_| network(&entry.path()) == own));
    }
    Ok(found)
}

/// A member of `local`: a worker that asks its name server.
fn member(args: &[String], pid: i32) -> Option<RunningMember> {
    let value = |flag: &str| args.iter().find_map(|arg| arg.strip_prefix(flag)?.strip_prefix('='));
    let worker = args.get(1).is_some_and(|arg| arg == "worker") && value("--cluster.dns-server").is_some();
    Some(RunningMember {
        name: value("--cluster.peer-name").filter(|_| worker)?.to_owned(),
        pid,
        web: value("--web.listen-address")?.to_owned(),
        storage: value("--storage.path")?.to_owned(),
    })
}

/// Kills a member by its name, as a crash would. Who supervises it starts it again.
///
/// # Errors
/// When there is not exactly one.
pub(super) fn kill(name: &str) -> Result<RunningMember, KillError> {
    let all = processes().map_err(KillError::List)?;
    let (mut named, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|member| member.name == name);
    match (named.pop(), named.len()) {
        (None, _) => {
            let mut there: Vec<String> = others.into_iter().map(|member| member.name).collect();
            there.sort();
            Err(KillError::Unknown { name: name.to_owned(), there: there.join(", ") })
        }
        (Some(member), 0) => {
            let pid = member.pid;
            let killed = Pid::from_raw(pid).map_or(Ok(()), |pid| kill_process(pid, Signal::KILL));
            killed.map(|()| member).map_err(|error| KillError::Signal { pid, source: error.into() })
        }
        (Some(_), more) => Err(KillError::Several { name: name.to_owned(), count: more + 1 }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_told_from_other_processes() {
        let of = |line: &str| member(&line.split(' ').map(str::to_owned).collect::<Vec<_>>(), 7);
        let [name, web, storage] = ["m-0", "127.0.0.1:93", "/d/m-0/data"].map(str::to_owned);
        let line = format!(
            "./x worker --cluster.peer-name={name} --web.listen-address={web} --storage.path={storage} \
             --cluster.dns-server=127.0.0.1:53"
        );
        assert_eq!(of(&line), Some(RunningMember { name, pid: 7, web, storage }));
        let named =
            |name: &str| RunningMember { name: name.into(), pid: 7, web: String::new(), storage: String::new() };
        assert_eq!(named("alertmanager-my-cluster-12").cluster(), "my-cluster");
        assert_eq!(of("./x worker --cluster.peer-name=m-0 --storage.path=/d"), None, "somebody else's");
        assert_eq!(of("vim worker"), None);
    }
}
