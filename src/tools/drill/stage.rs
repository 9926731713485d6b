//! The cluster that is rehearsed with: `local`, started for it, with a copy of the manifest.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use operator::local::{self, Outline};
use operator::plan::{GOSSIP_PORT, WEB_PORT};
use reqwest::Client;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{DrillError, inside};
use crate::chain::chain;

const ANSWER_LIMIT: Duration = Duration::from_secs(2);
const START_LIMIT: Duration = Duration::from_secs(120);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);

/// One member.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) name: String,
    /// Of its API, without a slash at the end.
    pub(super) url: String,
    pub(super) gossip: SocketAddrV4,
    /// Where it keeps its state.
    pub(super) storage: PathBuf,
}

/// The cluster, and what is around it.
pub(super) struct Stage {
    local: Child,
    lines: Arc<Mutex<Vec<String>>>,
    /// Of manifest and members; removed in the end.
    dir: tempfile::TempDir,
    pub(super) members: Vec<Member>,
    /// The receiver's URL.
    pub(super) sink: String,
    pub(super) client: Client,
    /// Whether links can be cut, and disks filled.
    pub(super) own_world: bool,
}

impl Stage {
    /// Starts `local` with a copy of the manifest, and waits until all are ready and see each other.
    pub(super) async fn set(outline: &Outline, members: u32, sink: u16, own_world: bool) -> Result<Self, DrillError> {
        let dir = tempfile::Builder::new().prefix("alertmanager-drill-").tempdir();
        let dir = dir.map_err(DrillError::io("making a directory for the drill"))?;
        let (manifest, data) = (dir.path().join("manifest"), dir.path().join("data"));
        copy(&outline.files, &manifest).map_err(DrillError::io("copying the manifest"))?;
        // addresses of others would be in the way where there is no world of its own
        let first = Ipv4Addr::from_bits(Ipv4Addr::new(127, 64, 0, 1).to_bits() + rand::random::<u32>() % 0xffff * 16);
        let mut all = Vec::new();
        for (ordinal, name) in (0..).zip(outline.members(members)) {
            let address = Ipv4Addr::from_bits(first.to_bits() + ordinal);
            let storage = data.join(&name).join("data");
            std::fs::create_dir_all(&storage).map_err(DrillError::io("making a directory for a member"))?;
            let (url, gossip) = (format!("http://{address}:{WEB_PORT}"), SocketAddrV4::new(address, GOSSIP_PORT));
            all.push(Member { name, url, gossip, storage });
        }
        if own_world {
            inside::settle()?;
            for member in &all {
                inside::small_disk(&member.storage)?;
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
        let mut stage = Self { local, lines, dir, members: all, sink, client, own_world };
        match stage.until(START_LIMIT, async |stage| stage.well().await).await {
            Some(_) => Ok(stage),
            None => {
                let said = stage.lines().pop().unwrap_or_else(|| "it says nothing".to_owned());
                let lack = stage.well().await.err().unwrap_or_default();
                stage.strike().await;
                Err(DrillError::Start(format!("{lack}; its last line: {said}")))
            }
        }
    }

    /// Ends it, and removes what it wrote.
    pub(super) async fn strike(&mut self) {
        // it stops members in order
        if let Some(pid) = Pid::from_raw(self.local.id().cast_signed()) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let deadline = Instant::now() + ANSWER_LIMIT * 10;
        while Instant::now() < deadline && self.local.try_wait().is_ok_and(|ended| ended.is_none()) {
            tokio::time::sleep(LOOK).await;
        }
        if self.own_world {
            for member in &self.members {
                // what stays is empty, and said nothing of the cluster
                let _ = inside::no_disk(&member.storage);
            }
        }
    }

    /// What `local` has said so far.
    pub(super) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks until it is so; how long that took.
    pub(super) async fn until(
        &self,
        limit: Duration,
        mut so: impl AsyncFnMut(&Self) -> Result<(), String>,
    ) -> Option<Duration> {
        let start = Instant::now();
        while start.elapsed() < limit {
            if so(self).await.is_ok() {
                return Some(start.elapsed());
            }
            tokio::time::sleep(LOOK).await;
        }
        None
    }

    /// Whether all members are ready, run the same, and see each other.
    pub(super) async fn well(&self) -> Result<(), String> {
        let all: BTreeSet<String> = self.members.iter().map(|member| member.name.clone()).collect();
        let mut hashes = BTreeSet::new();
        for member in &self.members {
            if self.peers(member).await? != all {
                return Err(format!("{} doesn't see all members", member.name));
            }
            let config = self.get(&format!("{}/-/config", member.url)).await?;
            if config["ready"] != true {
                return Err(format!("{} isn't ready", member.name));
            }
            hashes.insert(config["hash"].to_string());
        }
        if hashes.len() == 1 { Ok(()) } else { Err("members run different configs".to_owned()) }
    }

    /// The names of those that a member sees, itself included.
    pub(super) async fn peers(&self, member: &Member) -> Result<BTreeSet<String>, String> {
        let status = self.get(&format!("{}/api/v2/status", member.url)).await?;
        let peers = status["cluster"]["peers"].as_array().into_iter().flatten();
        Ok(peers.filter_map(|peer| peer["name"].as_str()).map(str::to_owned).collect())
    }

    /// The JSON at a URL.
    pub(super) async fn get(&self, url: &str) -> Result<Value, String> {
        let answer = self.client.get(url).send().await.map_err(|error| chain(&error))?;
        let body = answer.error_for_status().map_err(|error| chain(&error))?.bytes().await;
        serde_json::from_slice(&body.map_err(|error| chain(&error))?).map_err(|error| error.to_string())
    }

    /// The text of a member's metrics.
    pub(super) async fn metrics(&self, member: &Member) -> Result<crate::diagnose::Metrics, String> {
        let url = format!("{}/metrics", member.url);
        let answer = self.client.get(url).send().await.map_err(|error| chain(&error))?;
        Ok(crate::diagnose::Metrics::read(&answer.text().await.map_err(|error| chain(&error))?))
    }

    /// The process of a member.
    pub(super) fn process(&self, member: &Member) -> Option<i32> {
        let data = self.dir.path().display().to_string();
        let all = local::processes().unwrap_or_default().into_iter();
        all.filter(|found| found.storage.starts_with(&data)).find(|found| found.name == member.name).map(|f| f.pid)
    }

    /// The files of the manifest's copy.
    pub(super) fn manifest(&self) -> Vec<PathBuf> {
        let listed = std::fs::read_dir(self.dir.path().join("manifest")).into_iter().flatten().flatten();
        listed.map(|entry| entry.path()).collect()
    }
}

impl Drop for Stage {
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
