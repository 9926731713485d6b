//! A member in its own namespace: started, stopped, killed, frozen, emptied.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::lab::{self, Lab};
use super::{LIMIT, PAUSE};
use crate::contender::Contender;
use crate::http;
use crate::process::cpu_of;

/// Members of one program.
pub(crate) struct Members<'a> {
    pub(crate) lab: &'a Lab,
    contender: &'a Contender,
    dir: TempDir,
    children: Vec<Option<Child>>,
    /// The namespace of each.
    pub(crate) places: Vec<usize>,
    found: Found,
    /// Of processes that have ended.
    spent: Duration,
}

/// How members find each other.
pub(crate) enum Found {
    /// All addresses are given.
    ByAddress,
    /// All addresses of IPv6 are given.
    ByAddress6,
    /// One name has them all, as that of a headless Service.
    ByName(Name),
}

/// A name that is given to members.
pub(crate) struct Name {
    /// Also the label of their cluster.
    pub(crate) host: &'static str,
    /// What they take for `/etc/resolv.conf`.
    pub(crate) resolv_conf: PathBuf,
}

impl<'a> Members<'a> {
    /// Starts `count` of them and waits until they say that their cluster is ready.
    pub(crate) fn start(contender: &'a Contender, lab: &'a Lab, count: usize, config: &str) -> anyhow::Result<Self> {
        Self::start_found(contender, lab, count, Found::ByAddress, config)
    }

    /// The same, for members that find each other otherwise.
    pub(crate) fn start_found(
        contender: &'a Contender,
        lab: &'a Lab,
        count: usize,
        found: Found,
        config: &str,
    ) -> anyhow::Result<Self> {
        let mut members = Self::new(contender, lab, (0..count).collect(), found, config)?;
        for member in 0..count {
            members.begin(member)?;
        }
        members.until_ready()?;
        Ok(members)
    }

    /// Some that are to run at these places; none is started.
    pub(crate) fn new(
        contender: &'a Contender,
        lab: &'a Lab,
        places: Vec<usize>,
        found: Found,
        config: &str,
    ) -> anyhow::Result<Self> {
        let dir = tempfile::Builder::new().prefix("alertmanager-cluster-").tempdir()?;
        fs::write(dir.path().join("alertmanager.yml"), config)?;
        let children = places.iter().map(|_| None).collect();
        Ok(Self { lab, contender, dir, children, places, found, spent: Duration::ZERO })
    }

    /// Where a member is asked.
    pub(crate) fn api(&self, member: usize) -> SocketAddr {
        lab::api(self.places[member])
    }

    pub(crate) fn count(&self) -> usize {
        self.children.len()
    }

    /// Starts one, with what its directory has.
    pub(crate) fn begin(&mut self, member: usize) -> anyhow::Result<()> {
        let data = self.data(member);
        fs::create_dir_all(&data)?;
        let log = File::options().create(true).append(true).open(self.log_file(member))?;
        let command = self.contender.member(&self.dir.path().join("alertmanager.yml"), &data);
        let place = self.places[member];
        let mut inside = self.lab.inside(place);
        if let Found::ByName(name) = &self.found {
            let shell = ["unshare", "--mount", "sh", "-c", "mount --bind \"$0\" /etc/resolv.conf && exec \"$@\""];
            inside.args(shell).arg(&name.resolv_conf);
        }
        inside.arg(command.get_program()).args(command.get_args());
        inside.arg(format!("--web.listen-address={}", self.api(member)));
        let gossip = |place: usize| match self.found {
            Found::ByAddress6 => SocketAddr::from((lab::address6(place), 9094)),
            Found::ByAddress | Found::ByName(_) => SocketAddr::from((lab::address(place), 9094)),
        };
        inside.arg(format!("--cluster.listen-address={}", gossip(place)));
        inside.arg(format!("--cluster.peer-name=member-{member}"));
        match &self.found {
            Found::ByAddress | Found::ByAddress6 => {
                inside.args(self.places.iter().map(|peer| format!("--cluster.peer={}", gossip(*peer))))
            }
            Found::ByName(Name { host, .. }) => {
                inside.args([format!("--cluster.peer={host}:9094"), format!("--cluster.label={host}")])
            }
        };
        inside.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        self.children[member] = Some(inside.spawn().with_context(|| format!("starting {}", self.contender.name))?);
        Ok(())
    }

    /// Waits until all say that their cluster is ready.
    pub(crate) fn until_ready(&mut self) -> anyhow::Result<()> {
        let count = self.count();
        for member in 0..count {
            self.until(member, "ready in its cluster", |api| {
                let status = status(api)?;
                let peers = status["cluster"]["peers"].as_array().map_or(0, Vec::len);
                ensure!(status["cluster"]["status"] == "ready" && peers == count, "{}", status["cluster"]);
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Waits until a member has so many members in its cluster.
    pub(crate) fn until_sees(&mut self, member: usize, members: usize) -> anyhow::Result<()> {
        self.until(member, "content with its peers", |api| {
            let seen = metric(api, "alertmanager_cluster_members")?;
            ensure!(seen == members as f64, "it sees {seen} members");
            Ok(())
        })
    }

    /// Waits until a member has so many active silences.
    pub(crate) fn until_silences(&mut self, member: usize, silences: usize) -> anyhow::Result<()> {
        self.until(member, "in possession of all silences", |api| {
            let seen = metric(api, "alertmanager_silences{state=\"active\"}")?;
            ensure!(seen == silences as f64, "it has {seen} silences");
            Ok(())
        })
    }

    /// Calls `look` until it's content.
    pub(crate) fn until<T>(
        &mut self,
        member: usize,
        what: &str,
        look: impl Fn(SocketAddr) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let start = Instant::now();
        loop {
            let instead = match look(self.api(member)) {
                Ok(seen) => return Ok(seen),
                Err(instead) => instead,
            };
            if let Some(status) = self.child(member)?.try_wait()? {
                bail!("member {member} ended ({status}); its log:\n{}", self.log(member));
            }
            ensure!(start.elapsed() < LIMIT, "member {member} wasn't {what}: {instead:#}\n{}", self.log(member));
            sleep(PAUSE / 4);
        }
    }

    /// The member that notifies first.
    pub(crate) fn first(&mut self) -> anyhow::Result<usize> {
        for member in 0..self.count() {
            if metric(self.api(member), "alertmanager_peer_position")? == 0.0 {
                return Ok(member);
            }
        }
        bail!("no member is the first")
    }

    pub(crate) fn signal(&mut self, member: usize, signal: Signal) -> anyhow::Result<()> {
        let pid = Pid::from_child(self.child(member)?);
        kill_process(pid, signal).with_context(|| format!("sending {signal:?} to member {member}"))
    }

    /// Ends one at once.
    pub(crate) fn kill(&mut self, member: usize) -> anyhow::Result<()> {
        self.end(member, Signal::KILL)
    }

    /// Tells one to end, and waits until it has.
    pub(crate) fn stop(&mut self, member: usize) -> anyhow::Result<()> {
        self.end(member, Signal::TERM)
    }

    fn end(&mut self, member: usize, signal: Signal) -> anyhow::Result<()> {
        let spent = cpu_of(self.child(member)?.id())?;
        self.spent += spent;
        self.signal(member, signal)?;
        let start = Instant::now();
        while self.child(member)?.try_wait()?.is_none() {
            ensure!(start.elapsed() < LIMIT, "member {member} doesn't end; its log:\n{}", self.log(member));
            sleep(PAUSE / 4);
        }
        self.children[member] = None;
        Ok(())
    }

    /// Takes away all that it has stored.
    pub(crate) fn empty(&self, member: usize) -> anyhow::Result<()> {
        fs::remove_dir_all(self.data(member)).context("emptying a member")
    }

    /// CPU time of all members so far.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        let mut sum = self.spent;
        for child in self.children.iter().flatten() {
            sum += cpu_of(child.id())?;
        }
        Ok(sum)
    }

    fn child(&mut self, member: usize) -> anyhow::Result<&mut Child> {
        self.children[member].as_mut().context("the member doesn't run")
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self, member: usize) -> anyhow::Result<bool> {
        Ok(self.child(member)?.try_wait()?.is_some())
    }

    fn data(&self, member: usize) -> PathBuf {
        self.dir.path().join(format!("data{member}"))
    }

    fn log_file(&self, member: usize) -> PathBuf {
        self.dir.path().join(format!("log{member}"))
    }

    /// The end of what a member wrote.
    fn log(&self, member: usize) -> String {
        let text = fs::read_to_string(self.log_file(member)).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Members<'_> {
    fn drop(&mut self) {
        for child in self.children.iter_mut().flatten() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn status(api: SocketAddr) -> anyhow::Result<serde_json::Value> {
    Ok(serde_json::from_str(&http::get(api, "/api/v2/status")?)?)
}

/// The value of a series.
pub(crate) fn metric(api: SocketAddr, series: &str) -> anyhow::Result<f64> {
    let text = http::get(api, "/metrics")?;
    let value = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    value.with_context(|| format!("no {series}"))?.parse().with_context(|| format!("reading {series}"))
}
