//! The running cluster: carries out the plan, watches the members, and follows edits of the manifest.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::addresses::Addresses;
use super::dns::Names;
use super::manifest::{Manifest, ManifestError};
use super::member::{Api, Ground, Member};
use super::process::{Ended, Process};
use super::report;
use super::sinks::Sinks;
use super::{LocalError, report::chain};
use crate::plan::rollout::{Step, next_step, short};
use crate::plan::{CONFIG_FILE, ClusterPlan, File, MemberAddresses, MemberPlan};

/// How often the members are looked at.
const LOOK: Duration = Duration::from_millis(250);
/// How long the start may take before the user is told how things stand.
const START_PATIENCE: Duration = Duration::from_secs(60);

/// Where things listen, and who answers for names.
pub(super) struct Surroundings {
    /// The addresses of the members.
    pub addresses: Addresses,
    /// Where the members ask for names.
    pub dns_server: std::net::SocketAddr,
    /// What is answered there.
    pub names: Names,
}

/// The members and all that belongs to them.
pub(super) struct Cluster {
    manifest: Manifest,
    around: Surroundings,
    ground: Ground,
    ended: mpsc::UnboundedReceiver<Ended>,
    sinks: Sinks,
    api: Api,
    members: Vec<Member>,
    leaving: Vec<Process>,
    rollout: Rollout,
    /// Whether all members have been ready at once, and so the user has been told what is where.
    greeted: bool,
    started: Instant,
    /// The last complaint about a member that cannot be started.
    complaint: Option<String>,
}

/// How far a configuration has come.
struct Rollout {
    /// Who it is the turn of, and since when.
    turn: Option<(String, Instant)>,
    /// Nothing is left to do, or nothing can be done, for this hash.
    settled: Option<String>,
}

impl Cluster {
    /// A cluster with no members yet.
    pub(super) fn new(
        manifest: Manifest,
        around: Surroundings,
        ground: Ground,
        ended: mpsc::UnboundedReceiver<Ended>,
        sinks: Sinks,
        api: Api,
    ) -> Self {
        let rollout = Rollout { turn: None, settled: None };
        let (members, leaving, started) = (Vec::new(), Vec::new(), Instant::now());
        let (greeted, complaint) = (false, None);
        Self { manifest, around, ground, ended, sinks, api, members, leaving, rollout, greeted, started, complaint }
    }

    /// Starts the members and keeps them as the manifest wants them, also when it changes.
    ///
    /// # Errors
    /// When a member cannot be started at all, or ends before the cluster was up for the first time.
    pub(super) async fn run(
        &mut self,
        mut edits: mpsc::Receiver<Result<Manifest, ManifestError>>,
    ) -> Result<Infallible, LocalError> {
        self.publish();
        let mut ticks = interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {
                    self.scale().await?;
                    self.look().await;
                    self.roll_out().await;
                    self.tell_state();
                }
                Some(ended) = self.ended.recv() => self.handle_end(ended)?,
                Some(edit) = edits.recv() => self.handle_edit(edit).await,
            }
        }
    }

    /// Ends all members, the last started first, and waits for them.
    pub(super) async fn stop(&mut self) {
        for member in &self.members {
            member.process.begin_stop();
        }
        self.leaving.extend(self.members.drain(..).map(|member| member.process));
        self.settle_leaving().await;
    }

    async fn settle_leaving(&mut self) {
        join_all(self.leaving.iter_mut().map(Process::ended)).await;
        self.leaving.clear();
    }

    /// Starts members that are missing, stops those that are too many.
    async fn scale(&mut self) -> Result<(), LocalError> {
        let wanted = self.manifest.plan.member_names();
        while self.members.len() > wanted.len() {
            let Some(member) = self.members.pop() else { break };
            self.ground.screen.event(&format!("stopping {}", member.plan.name));
            member.process.begin_stop();
            self.leaving.push(member.process);
        }
        for (ordinal, name) in (0u32..).zip(&wanted).skip(self.members.len()) {
            self.settle_leaving().await;
            if let Err(error) = self.around.addresses.check(ordinal, name) {
                let error = LocalError::from(error);
                if !self.greeted {
                    return Err(error);
                }
                let complaint = chain(&error);
                if self.complaint.as_ref() != Some(&complaint) {
                    self.ground.screen.event(&format!("cannot start {name}: {complaint}"));
                    self.complaint = Some(complaint);
                }
                return Ok(());
            }
            self.complaint = None;
            if self.greeted {
                self.ground.screen.event(&format!("starting {name}"));
            }
            let member = self.start(ordinal, name)?;
            self.members.push(member);
        }
        Ok(())
    }

    fn start(&self, ordinal: u32, name: &str) -> Result<Member, LocalError> {
        let plan = self.member_plan(ordinal, name);
        let url = format!("http://{}", self.around.addresses.web(ordinal));
        let failed = |source| LocalError::Files { member: name.to_owned(), source };
        Member::start(plan, url, &self.ground).map_err(failed)
    }

    fn member_plan(&self, ordinal: u32, name: &str) -> MemberPlan {
        let plan = &self.manifest.plan;
        let addresses = self.around.addresses;
        let (web, gossip) = (addresses.web(ordinal), addresses.gossip(ordinal));
        let dir = self.ground.dir.join(name);
        let at = MemberAddresses {
            web_listen: web.to_string(),
            web_port: web.port(),
            gossip_listen: gossip.to_string(),
            gossip_port: gossip.port(),
            gossip_advertise: gossip.to_string(),
            peers: vec![format!("{}.{}.svc:{}", plan.names.peers_service(), plan.namespace, gossip.port())],
            config_dir: dir.join("config").display().to_string(),
            storage_dir: dir.join("data").display().to_string(),
        };
        let mut member = plan.member(name, &at);
        member.args.push(format!("--cluster.dns-server={}", self.around.dns_server));
        if plan.external_url.is_some() {
            // On a laptop no proxy stands in front that would serve the external URL's path.
            member.args.push("--web.route-prefix=/".to_owned());
        }
        member
    }

    /// Makes the names point to the members that should be there.
    fn publish(&self) {
        let plan = &self.manifest.plan;
        let members = plan.member_names();
        let ip = |ordinal| self.around.addresses.ip(ordinal);
        let all: Vec<Ipv4Addr> = (0..plan.replicas).map(ip).collect();
        let (base, peers) = (plan.names.base(), plan.names.peers_service());
        let mut names = BTreeMap::from([(base, all.clone()), (peers.clone(), all)]);
        for (ordinal, member) in (0u32..).zip(members) {
            names.insert(format!("{member}.{peers}"), vec![ip(ordinal)]);
            names.insert(member, vec![ip(ordinal)]);
        }
        names.extend(self.manifest.sinks.iter().map(|(service, _)| (service.clone(), vec![self.sinks.ip()])));
        self.around.names.replace(names);
    }

    async fn look(&mut self) {
        let asked = self.members.iter().map(|member| self.api.report(&member.url));
        let reports = join_all(asked).await;
        for (member, report) in self.members.iter_mut().zip(reports) {
            let before = member.is_ready();
            member.report = report;
            if self.greeted && member.is_ready() != before {
                let state = if before { "is not ready" } else { "is ready" };
                self.ground.screen.event(&format!("{} {state}", member.plan.name));
            }
        }
    }

    /// Does the next step of bringing the configuration, and then the arguments, to all members.
    async fn roll_out(&mut self) {
        let Some(config) = self.manifest.plan.config.clone() else { return };
        let wanted = config.hash.as_str();
        if self.rollout.settled.as_deref() == Some(wanted) {
            return self.renew().await;
        }
        let states: Vec<_> = (self.members.iter()).map(|m| (m.plan.name.clone(), Some(m.state()))).collect();
        let waited = self.rollout.turn.as_ref().map_or(Duration::ZERO, |(_, since)| since.elapsed());
        let step = next_step(wanted, &states, waited);
        let turn = self.rollout.turn.as_ref().map(|(name, _)| name.as_str());
        if step.member() != turn {
            self.rollout.turn = step.member().map(|name| (name.to_owned(), Instant::now()));
        }
        let files = [File { name: CONFIG_FILE.to_owned(), content: config.text.clone() }];
        match step {
            Step::Done if self.members.len() == self.manifest.plan.member_names().len() => {
                self.rollout.settled = Some(wanted.to_owned());
                let count = self.members.len();
                if self.greeted {
                    self.ground
                        .screen
                        .event(&format!("configuration {} runs on {count}/{count} members", short(wanted)));
                }
            }
            Step::Done => {}
            Step::Tell { member } | Step::Reload { member } => self.tell(&member, wanted, &files).await,
            Step::Wait { member, .. } => {
                // One that is down reads the files when it comes back.
                let _ = self.named(&member).map(|member| member.rewrite(&files));
            }
            Step::Stopped { member, error } => self.give_up(&member, wanted, &error),
        }
    }

    async fn tell(&mut self, name: &str, wanted: &str, files: &[File]) {
        let api = self.api.clone();
        let Some(member) = self.named(name) else { return };
        let before = member.plan.files.clone();
        member.told = Some(wanted.to_owned());
        let told = match member.rewrite(files) {
            Ok(()) => api.reload(&member.url).await,
            Err(error) => Err(format!("writing its files: {error}")),
        };
        // Asked anew: it may have died meanwhile, and then it reads the new files when it is back.
        let report = api.report(&member.url).await;
        match (told, &report) {
            (Ok(()), Some(report)) if report.hash == wanted => {
                let line = format!("{name} runs configuration {}", short(wanted));
                self.ground.screen.event(&line);
            }
            (Ok(()), _) | (Err(_), None) => {}
            (Err(error), Some(_)) => {
                // Kept for its next start as well.
                let _ = member.rewrite(&before);
                self.give_up(name, wanted, &error);
            }
        }
    }

    fn give_up(&mut self, name: &str, wanted: &str, error: &str) {
        let (line, hash) = (error.replace('\n', " "), short(wanted));
        self.ground.screen.event(&format!("{name} does not take configuration {hash}, the rest keep theirs: {line}"));
        self.rollout.settled = Some(wanted.to_owned());
    }

    /// Starts one member anew whose arguments have changed, when all others are there.
    async fn renew(&mut self) {
        if !self.members.iter().all(Member::is_ready) {
            return;
        }
        let mut outdated = (0u32..).zip(&self.members).filter_map(|(ordinal, member)| {
            let plan = self.member_plan(ordinal, &member.plan.name);
            (plan.args != member.plan.args).then_some((ordinal, plan.name))
        });
        let Some((ordinal, name)) = outdated.next() else { return };
        drop(outdated);
        self.ground.screen.event(&format!("restarting {name} with its new settings"));
        let Some(member) = self.named(&name) else { return };
        member.process.begin_stop();
        member.process.ended().await;
        match self.start(ordinal, &name) {
            Ok(renewed) => {
                if let Some(member) = self.named(&name) {
                    *member = renewed;
                }
            }
            Err(error) => self.ground.screen.event(&chain(&error)),
        }
    }

    fn named(&mut self, name: &str) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| member.plan.name == name)
    }

    fn handle_end(&mut self, ended: Ended) -> Result<(), LocalError> {
        let Ended { name, status, reason } = ended;
        // Killed from outside is no reason to give up; ending by itself before it was ever up is.
        if !self.greeted && status.is_none_or(|status| status.code().is_some()) {
            return Err(LocalError::Start { member: name, reason });
        }
        if let Some(member) = self.named(&name) {
            member.told = None;
        }
        Ok(())
    }

    async fn handle_edit(&mut self, edit: Result<Manifest, ManifestError>) {
        let screen = &self.ground.screen;
        let manifest = match edit {
            Ok(manifest) => manifest,
            Err(error) => {
                screen.event(&format!("manifest refused, all stays as it is: {}", chain(&error)));
                return;
            }
        };
        let name = |plan: &ClusterPlan| plan.cluster_label();
        if name(&manifest.plan) != name(&self.manifest.plan) {
            screen.event("manifest refused: it is another cluster now; stop this one and start that one");
            return;
        }
        if manifest == self.manifest {
            screen.event("manifest edited, nothing to change");
            return;
        }
        let (new, old) = (&manifest.plan, &self.manifest.plan);
        let hash = |plan: &ClusterPlan| plan.config.as_ref().map(|config| config.hash.clone());
        let mut changes = Vec::new();
        if let (new, Some(hash)) = (hash(new) != hash(old), hash(new))
            && new
        {
            changes.push(format!("configuration {}", short(&hash)));
            self.rollout = Rollout { turn: None, settled: None };
        }
        if new.replicas != old.replicas {
            changes.push(format!("{} members", new.replicas));
        }
        screen.event(&format!(
            "manifest edited: {}",
            if changes.is_empty() { "settings".into() } else { changes.join(", ") }
        ));
        self.manifest = manifest;
        if let Err(error) = self.sinks.follow(&self.manifest.sinks).await {
            self.ground.screen.event(&chain(&error));
        }
        self.publish();
    }

    /// Greets when the cluster is up, and keeps the status on a terminal.
    fn tell_state(&mut self) {
        let up = self.members.iter().all(Member::is_ready);
        if !self.greeted && (up || self.started.elapsed() > START_PATIENCE) {
            self.greeted = true;
            report::greet(&self.ground, &self.manifest, &self.members, &self.sinks);
        }
        if self.ground.screen.is_live() {
            self.ground.screen.status(report::status(&self.members, &self.sinks));
        }
    }
}
