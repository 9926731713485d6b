//! A running program: its start, what it has used so far, and its end.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use tempfile::TempDir;

use crate::contender::Contender;
use crate::http;

/// How long a program may take to become ready, to come to rest, or to show what it was given.
pub(crate) const LIMIT: Duration = Duration::from_secs(300);

/// A program uses next to nothing when it uses at most this in [`REST`].
const REST_CPU: Duration = Duration::from_millis(20);
const REST: Duration = Duration::from_secs(1);

/// From here on the kernel's count of all threads, dead ones too, is exact enough.
const ROUGH_FROM: Duration = Duration::from_secs(1);

/// What the kernel counts CPU time in: `USER_HZ`, the same on all architectures that we build for.
const TICK: Duration = Duration::from_millis(10);

/// A program under load; killed when dropped.
pub(crate) struct Process {
    /// Where its API is.
    pub(crate) address: SocketAddr,
    /// CPU time that it had used when it said that it is ready.
    pub(crate) cpu_to_ready: Duration,
    child: Child,
    dir: TempDir,
}

impl Process {
    /// Starts a program with a configuration and waits until it's ready.
    pub(crate) fn start(contender: &Contender, config: &str) -> anyhow::Result<Self> {
        Self::start_with(contender, config, &[], |_| Ok(()))
    }

    /// The same with more arguments, and with what `fill` puts into its data directory.
    pub(crate) fn start_with(
        contender: &Contender,
        config: &str,
        args: &[String],
        fill: impl FnOnce(&Path) -> io::Result<()>,
    ) -> anyhow::Result<Self> {
        let dir = tempfile::Builder::new().prefix("alertmanager-bench-").tempdir()?;
        let file = dir.path().join("alertmanager.yml");
        fs::write(&file, config).with_context(|| format!("writing {}", file.display()))?;
        let data = dir.path().join("data");
        fs::create_dir(&data).and_then(|()| fill(&data)).with_context(|| format!("filling {}", data.display()))?;
        let log = File::create(dir.path().join("log"))?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut command = contender.on(port, &file, &data);
        command.args(args).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = command.spawn().with_context(|| format!("starting {}", contender.name))?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut process = Self { address, cpu_to_ready: Duration::ZERO, child, dir };
        process.until("ready", |process| http::get(process.address, "/-/ready").map(drop))?;
        process.cpu_to_ready = process.usage()?.total();
        Ok(process)
    }

    /// Calls `look` until it's content. An error is what it sees instead.
    pub(crate) fn until<T>(
        &mut self,
        what: &str,
        mut look: impl FnMut(&Self) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let start = Instant::now();
        loop {
            let seen = match look(self) {
                Ok(seen) => return Ok(seen),
                Err(instead) => instead,
            };
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended ({status}) before it was {what}; its log:\n{}", self.log());
            }
            ensure!(start.elapsed() < LIMIT, "it wasn't {what} within {LIMIT:?}: {seen:#}; its log:\n{}", self.log());
            sleep(Duration::from_millis(5));
        }
    }

    /// Waits until it does nothing any more; the CPU time that it has used until then.
    pub(crate) fn rest(&self) -> anyhow::Result<Duration> {
        let start = Instant::now();
        let mut before = self.cpu()?;
        loop {
            sleep(REST);
            let now = self.cpu()?;
            if now - before <= REST_CPU {
                return Ok(now);
            }
            before = now;
            ensure!(start.elapsed() < LIMIT, "it was still busy after {LIMIT:?}; its log:\n{}", self.log());
        }
    }

    /// CPU time of all its threads since its start, those that have ended included; in steps of 10 ms.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        cpu_of(self.child.id()).with_context(|| format!("its log:\n{}", self.log()))
    }

    /// Memory that it has in RAM, in bytes.
    pub(crate) fn rss(&self) -> anyhow::Result<u64> {
        self.memory("VmRSS:")
    }

    /// The most memory that it has ever had in RAM, in bytes.
    pub(crate) fn rss_max(&self) -> anyhow::Result<u64> {
        self.memory("VmHWM:")
    }

    fn memory(&self, key: &str) -> anyhow::Result<u64> {
        let status = self.read("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix(key)).with_context(|| format!("no {key}"))?;
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().with_context(|| format!("reading {key}{line}"))?;
        Ok(kib * 1024)
    }

    /// CPU time that `work` costs it until it does nothing any more.
    pub(crate) fn cost(&self, work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<Duration> {
        let (before, before_exact) = (self.rest()?, self.usage()?);
        work()?;
        let all = self.rest()? - before;
        // the exact way misses threads that end meanwhile, which matters only to what takes long
        if all > ROUGH_FROM { Ok(all) } else { Ok(self.usage()?.since(&before_exact)) }
    }

    /// CPU time to the nanosecond of the threads that it has.
    pub(crate) fn usage(&self) -> anyhow::Result<Usage> {
        let mut threads = BTreeMap::new();
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let task = task?;
            // A thread may end in the meantime.
            let Ok(text) = fs::read_to_string(task.path().join("schedstat")) else { continue };
            let nanos = text.split(' ').next().and_then(|first| first.parse().ok());
            let nanos = nanos.with_context(|| format!("no CPU time in `{text}`"))?;
            threads.insert(task.file_name(), Duration::from_nanos(nanos));
        }
        Ok(Usage(threads))
    }

    fn read(&self, file: &str) -> anyhow::Result<String> {
        let path = format!("/proc/{}/{file}", self.child.id());
        fs::read_to_string(&path).with_context(|| format!("reading {path}; its log:\n{}", self.log()))
    }

    /// The end of what it wrote.
    fn log(&self) -> String {
        let text = fs::read(self.dir.path().join("log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

/// CPU time of all threads of a process since its start, those that have ended included; in steps of 10 ms.
pub(crate) fn cpu_of(pid: u32) -> anyhow::Result<Duration> {
    let path = format!("/proc/{pid}/stat");
    let stat = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
    // The name, in parentheses, may hold anything; what follows it starts with the third field.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let field = |number: usize| fields.split_whitespace().nth(number - 3).and_then(|text| text.parse::<u32>().ok());
    match (field(14), field(15)) {
        (Some(user), Some(system)) => Ok(TICK * (user + system)),
        _ => bail!("no CPU time in `{stat}`"),
    }
}

/// CPU time of each thread.
pub(crate) struct Usage(BTreeMap<OsString, Duration>);

impl Usage {
    /// Of all threads.
    pub(crate) fn total(&self) -> Duration {
        self.0.values().sum()
    }

    /// What was used since an earlier look.
    pub(crate) fn since(&self, before: &Self) -> Duration {
        let used =
            |(thread, now): (_, &Duration)| now.saturating_sub(before.0.get(thread).copied().unwrap_or_default());
        self.0.iter().map(used).sum()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
