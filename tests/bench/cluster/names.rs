//! Members that find each other by name, through a real CoreDNS: it comes late, and addresses change hands between two
//! clusters.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tempfile::TempDir;

use super::lab::{self, HUB, Lab};
use super::member::{Found, Members, Name, metric};
use super::pages::Pages;
use super::scenarios::{alerts, count, post, secs, silence, webhook};
use super::{LIMIT, PAUSE, Sizes};
use crate::contender::{Contender, peer};
use crate::http::{self, Connection};
use crate::scenario::Figure;

/// How long members run without anybody who knows names.
const WITHOUT: Duration = Duration::from_secs(12);

/// The reference looks names up every 15 seconds, and asks lost members every 10.
const WATCHED: Duration = Duration::from_secs(45);

/// Who answers for names; members that were told where it is find nobody until it is started.
struct Names {
    dir: TempDir,
    server: Option<Child>,
}

impl Names {
    fn new() -> anyhow::Result<Self> {
        let dir = tempfile::Builder::new().prefix("alertmanager-names-").tempdir()?;
        fs::write(dir.path().join("resolv.conf"), format!("nameserver {HUB}\n"))?;
        let hosts = dir.path().join("hosts");
        let corefile =
            format!(". {{\n  bind {HUB}\n  hosts {} {{\n    ttl 1\n    reload 200ms\n  }}\n}}\n", hosts.display());
        fs::write(dir.path().join("Corefile"), corefile)?;
        Ok(Self { dir, server: None })
    }

    fn resolv_conf(&self) -> PathBuf {
        self.dir.path().join("resolv.conf")
    }

    /// What is so from now on.
    fn say(&self, hosts: &[(&str, &[usize])]) -> anyhow::Result<()> {
        let line = |host: &str, place: &usize| format!("{} {host}\n", lab::address(*place));
        let lines = hosts.iter().flat_map(|(host, places)| places.iter().map(|place| line(host, place)));
        let next = self.dir.path().join("hosts.next");
        fs::write(&next, lines.collect::<String>())?;
        fs::rename(next, self.dir.path().join("hosts")).context("changing names")
    }

    fn start(&mut self) -> anyhow::Result<()> {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]).arg(peer("coredns")?).arg("-conf").arg(self.dir.path().join("Corefile"));
        let server = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        self.server = Some(server.context("starting CoreDNS")?);
        Ok(())
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

/// Nobody answers for names when the members start, and alerts come meanwhile.
pub(super) fn none_at_first(contender: &Contender, lab: &Lab, sizes: &Sizes) -> anyhow::Result<Vec<Figure>> {
    let pages = Pages::start()?;
    let mut names = Names::new()?;
    names.say(&[("one", &[0, 1, 2])])?;
    let name = Name { host: "one", resolv_conf: names.resolv_conf() };
    let mut members = Members::new(contender, lab, vec![0, 1, 2], Found::ByName(name), &webhook(&pages))?;
    for member in 0..3 {
        members.begin(member)?;
    }
    let mut ended = 0;
    for member in 0..3 {
        let start = Instant::now();
        while !members.has_ended(member)? && http::get(members.api(member), "/-/healthy").is_err() {
            ensure!(start.elapsed() < LIMIT, "member {member} neither answers nor ends");
            sleep(PAUSE);
        }
        ended += usize::from(members.has_ended(member)?);
    }
    let alerts = alerts("nameless", sizes.groups);
    for member in 0..3 {
        if !members.has_ended(member)? {
            post([member], &alerts)?;
        }
    }
    sleep(WITHOUT);
    names.start()?;
    let there = Instant::now();
    for member in 0..3 {
        if members.has_ended(member)? {
            members.begin(member)?;
        }
    }
    members.until_ready()?;
    let together = there.elapsed();
    // as a Prometheus says it again and again
    post(0..3, &alerts)?;
    let told = pages.wait_for_groups(sizes.groups, LIMIT);
    sleep(WATCHED);
    Ok(vec![
        count("members that ended at once", None, ended),
        secs("ready after there were names", None, together),
        count("groups that were never told of", None, sizes.groups - told),
        count("notifications told twice", Some(0.0), pages.count() - told),
    ])
}

/// A member of each of two clusters comes back where the other one's was. Members of both are called the same; what
/// tells the clusters apart is their labels. Without labels they would become one: nothing else says that they aren't.
pub(super) fn swapped(contender: &Contender, lab: &Lab, _: &Sizes) -> anyhow::Result<Vec<Figure>> {
    let pages = Pages::start()?;
    let mut names = Names::new()?;
    names.say(&[("one", &[0, 1, 2]), ("two", &[3, 4])])?;
    names.start()?;
    let cluster = |host, places| {
        let name = Name { host, resolv_conf: names.resolv_conf() };
        Members::new(contender, lab, places, Found::ByName(name), &webhook(&pages))
    };
    let mut one = cluster("one", vec![0, 1, 2])?;
    let mut two = cluster("two", vec![3, 4])?;
    for members in [&mut one, &mut two] {
        (0..members.count()).try_for_each(|member| members.begin(member))?;
    }
    one.until_ready()?;
    two.until_ready()?;

    one.kill(2)?;
    two.kill(1)?;
    (one.places[2], two.places[1]) = (4, 2);
    names.say(&[("one", &[0, 1, 4]), ("two", &[3, 2])])?;
    one.begin(2)?;
    two.begin(1)?;
    let start = Instant::now();
    sleep(WATCHED);
    let id = Connection::open(two.api(0))?.post_for_id("/api/v2/silences", &silence(0), "silenceID")?;
    two.until(1, "in possession of the silence", |api| http::get(api, &format!("/api/v2/silence/{id}")).map(drop))?;
    sleep(start.elapsed() / 4);
    let (mut strangers, mut missing, mut silences) = (0, 0, 0);
    for (members, own) in [(&one, 3), (&two, 2)] {
        for member in 0..members.count() {
            let seen = metric(members.api(member), "alertmanager_cluster_members")? as usize;
            strangers += seen.saturating_sub(own);
            missing += own.saturating_sub(seen);
        }
    }
    for member in 0..one.count() {
        silences += usize::from(http::get(one.api(member), &format!("/api/v2/silence/{id}")).is_ok());
    }
    Ok(vec![
        count("members taken in from the other cluster", None, strangers),
        count("silences that came from the other cluster", None, silences),
        count("members not seen by their own cluster", None, missing),
    ])
}
