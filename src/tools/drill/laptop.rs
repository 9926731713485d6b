//! The cluster as processes: `local`, started for the rehearsal, with a copy of the manifest.

use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use operator::local::{self, Outline};
use operator::plan::{GOSSIP_PORT, WEB_PORT};
use reqwest::Client;
use rustix::process::{Pid, Signal, kill_process};

use super::acts::Act;
use super::links::Links;
use super::place::{Place, Trouble};
use super::stage::{Member, Stage};
use super::{DrillError, filler, inside};
use crate::chain::chain;
use crate::stopped::Stop;

const ANSWER_LIMIT: Duration = Duration::from_secs(2);
const STOP_LIMIT: Duration = Duration::from_secs(20);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);

/// `local`, and where its members are.
pub(super) struct Laptop {
    local: Child,
    lines: Arc<Mutex<Vec<String>>>,
    /// Lines that it had said before the act.
    seen: usize,
    /// Of manifest and members; removed in the end.
    dir: tempfile::TempDir,
    /// By name: where it gossips, and where it keeps its state.
    grounds: Vec<(String, SocketAddrV4, PathBuf)>,
    /// Of a world of its own, where there is one: links can be cut there, and disks filled.
    links: Option<Links>,
    /// Files as they were.
    kept: Vec<(PathBuf, String)>,
}

impl Laptop {
    /// Starts `local` with a copy of the manifest.
    pub(super) async fn set(
        outline: &Outline,
        members: u32,
        sink: u16,
        own_world: bool,
        stop: Stop,
    ) -> Result<(Self, Stage), DrillError> {
        let dir = tempfile::Builder::new().prefix("alertmanager-drill-").tempdir();
        let dir = dir.map_err(DrillError::io("making a directory for the drill"))?;
        let (manifest, data) = (dir.path().join("manifest"), dir.path().join("data"));
        copy(&outline.files, &manifest).map_err(DrillError::io("copying the manifest"))?;
        // addresses of others would be in the way where there is no world of its own
        let first = Ipv4Addr::from_bits(Ipv4Addr::new(127, 64, 0, 1).to_bits() + rand::random::<u32>() % 0xffff * 16);
        let (mut all, mut grounds) = (Vec::new(), Vec::new());
        for (ordinal, name) in (0..).zip(outline.members(members)) {
            let address = Ipv4Addr::from_bits(first.to_bits() + ordinal);
            let storage = data.join(&name).join("data");
            std::fs::create_dir_all(&storage).map_err(DrillError::io("making a directory for a member"))?;
            grounds.push((name.clone(), SocketAddrV4::new(address, GOSSIP_PORT), storage));
            all.push(Member { name, url: format!("http://{address}:{WEB_PORT}") });
        }
        let mut links = None;
        if own_world {
            let own = Links::open()?;
            own.loopback().await?;
            own.settle().await?;
            links = Some(own);
            for (_, _, storage) in &grounds {
                inside::small_disk(storage)?;
            }
        }
        let program = std::env::current_exe().map_err(DrillError::io("finding the program's own file"))?;
        let mut command = Command::new(program);
        command.arg("local").arg(&manifest).arg("--data-dir").arg(&data).args([
            format!("--address={first}"),
            format!("--members={members}"),
            format!("--web-port={WEB_PORT}"),
            format!("--cluster-port={GOSSIP_PORT}"),
        ]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // a Ctrl-C is for the rehearsal, which ends it in order
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut local = command.spawn().map_err(DrillError::io("starting `local`"))?;
        let lines = Arc::default();
        if let Some(out) = local.stdout.take() {
            collect(out, &lines);
        }
        if let Some(err) = local.stderr.take() {
            collect(err, &lines);
        }
        // whoever came first in this process has decided already
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().timeout(ANSWER_LIMIT).build().map_err(DrillError::Client)?;
        let sink = format!("http://{first}:{sink}");
        let stage = Stage::new(all, sink, client, stop)?;
        Ok((Self { local, lines, seen: 0, dir, grounds, links, kept: Vec::new() }, stage))
    }

    /// What `local` has said so far.
    fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn ground(&self, of: &Member) -> Result<(SocketAddrV4, &Path), String> {
        let found = self.grounds.iter().find(|(name, _, _)| *name == of.name);
        let (_, gossip, storage) = found.ok_or_else(|| format!("{} is no member", of.name))?;
        Ok((*gossip, storage))
    }

    /// The process of a member.
    fn process(&self, member: &Member) -> Option<i32> {
        let data = self.dir.path().display().to_string();
        let all = local::processes().unwrap_or_default().into_iter();
        all.filter(|found| found.storage.starts_with(&data)).find(|found| found.name == member.name).map(|f| f.pid)
    }

    fn signal(&self, to: &Member, signal: Signal) -> Result<(), String> {
        let pid = self.process(to).and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| format!("{} has no process", to.name))?;
        kill_process(pid, signal).map_err(|error| format!("sending a signal to {}: {error}", to.name))
    }

    async fn link(&self, to: &Member, cut: bool) -> Result<(), String> {
        let Some(links) = &self.links else { return Err("there is no world of its own".to_owned()) };
        let (gossip, _) = self.ground(to)?;
        let done = match cut {
            true => links.cut(Some(*gossip.ip()), gossip.port()).await,
            false => links.heal(Some(*gossip.ip()), gossip.port()).await,
        };
        done.map_err(|error| chain(&error))
    }

    /// A field of the configuration gets a name that nobody knows.
    fn misedit(&mut self) -> Result<(), String> {
        let listed = std::fs::read_dir(self.dir.path().join("manifest")).into_iter().flatten().flatten();
        for file in listed.map(|entry| entry.path()) {
            let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
            if text.contains("route:") {
                let wrong = text.replacen("route:", "rout:", 1);
                std::fs::write(&file, wrong).map_err(|error| format!("{}: {error}", file.display()))?;
                self.kept.push((file, text));
                return Ok(());
            }
        }
        Err("no `route:` is in the manifest".to_owned())
    }
}

#[async_trait]
impl Place for Laptop {
    fn allows(&self, act: Act) -> Result<(), Trouble> {
        match act {
            Act::CutOff | Act::FullDisk if self.links.is_none() => {
                Err(Trouble::NotHere("this system allows no namespaces here (unshare and mount are needed)".to_owned()))
            }
            _ => Ok(()),
        }
    }

    async fn break_it(&mut self, act: Act, target: &Member) -> Result<(), Trouble> {
        self.seen = self.lines().len();
        let done = match act {
            Act::Kill => self.signal(target, Signal::KILL),
            Act::Freeze => self.signal(target, Signal::STOP),
            Act::CutOff => self.link(target, true).await,
            Act::FullDisk => self.ground(target).and_then(|(_, storage)| filler::fill(storage)),
            Act::BadConfig => self.misedit(),
            Act::SlowReceiver => Ok(()),
        };
        done.map_err(Trouble::Failed)
    }

    async fn is_noticed(&self, act: Act, target: &Member) -> Result<(), String> {
        let what = match act {
            Act::Kill => format!("{} ended", target.name),
            _ => "manifest refused".to_owned(),
        };
        let found = self.lines().iter().skip(self.seen).any(|line| line.contains(&what));
        if found { Ok(()) } else { Err("nothing is said".to_owned()) }
    }

    async fn mend(&mut self, act: Act, target: &Member) -> Result<(), String> {
        match act {
            // it's started again by who supervises it
            Act::Kill | Act::SlowReceiver => Ok(()),
            Act::Freeze => self.signal(target, Signal::CONT),
            Act::CutOff => self.link(target, false).await,
            Act::FullDisk => self.ground(target).and_then(|(_, storage)| filler::free(storage)),
            Act::BadConfig => self.kept.drain(..).try_for_each(|(file, text)| {
                std::fs::write(&file, text).map_err(|error| format!("writing {}: {error}", file.display()))
            }),
        }
    }

    async fn strike(&mut self, _: &Stage) -> Result<(), String> {
        // it stops members in order
        if let Some(pid) = Pid::from_raw(self.local.id().cast_signed()) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let deadline = Instant::now() + STOP_LIMIT;
        while Instant::now() < deadline && self.local.try_wait().is_ok_and(|ended| ended.is_none()) {
            tokio::time::sleep(LOOK).await;
        }
        if self.links.is_some() {
            for (_, _, storage) in &self.grounds {
                // what stays is empty, and said nothing of the cluster
                let _ = inside::no_disk(storage);
            }
        }
        Ok(())
    }

    fn last_words(&self) -> Option<String> {
        self.lines().pop()
    }

    fn stays(&self) -> bool {
        false
    }
}

impl Drop for Laptop {
    fn drop(&mut self) {
        // members end with it
        let _ = self.local.kill();
        let _ = self.local.wait();
    }
}

fn copy(files: &[(PathBuf, String)], to: &Path) -> std::io::Result<()> {
    std::fs::create_dir(to)?;
    // files of several directories may have the same name; what is JSON is YAML, too
    files.iter().enumerate().try_for_each(|(number, (_, text))| std::fs::write(to.join(format!("{number}.yaml")), text))
}

fn collect(from: impl Read + Send + 'static, lines: &Arc<Mutex<Vec<String>>>) {
    let lines = Arc::clone(lines);
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    });
}
