//! The running cluster: carries out the plan, watches the members, and follows edits of the manifest.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::LocalError;
use super::addresses::Addresses;
use super::dns::Names;
use super::manifest::{Manifest, ManifestError};
use super::member::{Api, Ground, Member};
use super::process::{Ended, Process};
use super::prometheus::Servers;
use super::report;
use super::rollout::Rollout;
use super::sinks::Sinks;
use crate::error_chain;
use crate::plan::rollout::short;
use crate::plan::{ClusterPlan, MemberAddresses, MemberPlan};

/// How often the members are looked at while something is under way.
const LOOK: Duration = Duration::from_millis(200);
/// How often they are looked at when all is as it should be.
const CALM: Duration = Duration::from_secs(1);
/// How long the start may take before the user is told how things stand.
const START_PATIENCE: Duration = Duration::from_secs(60);

/// Where things listen, and who answers for names.
pub(super) struct Surroundings {
    /// The addresses of the members.
    pub addresses: Addresses,
    /// Where the members ask for names.
    pub dns_server: SocketAddr,
    /// What is answered there.
    pub names: Names,
    /// The program that watches the members, and its port, if that is wanted.
    pub prometheus: Option<(PathBuf, u16)>,
}

/// The members and all that belongs to them.
pub(super) struct Cluster {
    pub(super) manifest: Manifest,
    around: Surroundings,
    pub(super) ground: Ground,
    ended: mpsc::UnboundedReceiver<Ended>,
    sinks: Sinks,
    pub(super) api: Api,
    pub(super) members: Vec<Member>,
    leaving: Vec<Process>,
    /// Those that watch the members.
    servers: Option<Servers>,
    pub(super) rollout: Rollout,
    /// Whether all members have been ready at once, and so the user has been told what is where.
    pub(super) greeted: bool,
    started: Instant,
    looked: Option<Instant>,
    /// The last complaint about a member that cannot be started.
    complaint: Option<String>,
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
        let rollout = Rollout::default();
        let (members, leaving, started) = (Vec::new(), Vec::new(), Instant::now());
        let (greeted, looked, complaint, servers) = (false, None, None, None);
        Self {
            manifest,
            around,
            ground,
            ended,
            sinks,
            api,
            members,
            leaving,
            servers,
            rollout,
            greeted,
            started,
            looked,
            complaint,
        }
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
        self.start_servers()?;
        let mut ticks = interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {
                    if self.is_calm() && self.looked.is_some_and(|at| at.elapsed() < CALM) {
                        continue;
                    }
                    self.looked = Some(Instant::now());
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
        if let Some(servers) = &mut self.servers {
            servers.stop().await;
        }
    }

    fn start_servers(&mut self) -> Result<(), LocalError> {
        let Some((program, port)) = &self.around.prometheus else { return Ok(()) };
        let at = [0, 1].map(|ordinal| self.around.addresses.ip(ordinal).into());
        let prefix = if self.serves_prefix() { &self.manifest.plan.prefix } else { "" };
        let started = Servers::start(program, &at, *port, prefix, &self.webs(), &self.ground);
        let failed = |source| LocalError::Files { member: "prometheus".to_owned(), source };
        self.servers = Some(started.map_err(failed)?);
        Ok(())
    }

    /// Where the members' APIs are that should be there.
    fn webs(&self) -> Vec<SocketAddr> {
        (0..self.manifest.plan.replicas).map(|ordinal| self.around.addresses.web(ordinal)).collect()
    }

    async fn settle_leaving(&mut self) {
        join_all(self.leaving.iter_mut().map(Process::ended)).await;
        self.leaving.clear();
    }

    /// Whether nothing is under way.
    fn is_calm(&self) -> bool {
        let count = self.members.len() == self.manifest.plan.member_names().len();
        self.greeted && self.rollout.is_settled() && count && self.members.iter().all(Member::is_ready)
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
                let complaint = error_chain(&error);
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

    pub(super) fn start(&self, ordinal: u32, name: &str) -> Result<Member, LocalError> {
        let plan = self.member_plan(ordinal, name);
        let prefix = if self.serves_prefix() { &self.manifest.plan.prefix } else { "" };
        let url = format!("http://{}{prefix}", self.around.addresses.web(ordinal));
        let failed = |source| LocalError::Files { member: name.to_owned(), source };
        Member::start(plan, url, &self.ground).map_err(failed)
    }

    pub(super) fn member_plan(&self, ordinal: u32, name: &str) -> MemberPlan {
        let plan = &self.manifest.plan;
        let addresses = self.around.addresses;
        let (web, gossip) = (addresses.web(ordinal), addresses.gossip(ordinal));
        let dir = self.ground.dir.join(name);
        let at = MemberAddresses {
            web_listen: web.to_string(),
            management_listen: None,
            drain_seconds: 0,
            web_config: None,
            management_token: None,
            web_port: web.port(),
            gossip_listen: gossip.to_string(),
            gossip_port: gossip.port(),
            gossip_advertise: gossip.to_string(),
            peers: vec![format!("{}.{}.svc:{}", plan.names.peers_service(), plan.namespace, gossip.port())],
            config_dir: dir.join("config").display().to_string(),
            storage_dir: dir.join("data").display().to_string(),
            gossip_tls: None,
        };
        let mut member = plan.member(name, &at);
        member.args.push(format!("--cluster.dns-server={}", self.around.dns_server));
        if !self.serves_prefix() {
            member.args.push("--web.route-prefix=/".to_owned());
        }
        member
    }

    /// On a laptop no proxy stands in front that would serve the external URL's path.
    fn serves_prefix(&self) -> bool {
        let plan = &self.manifest.plan;
        plan.external_url.is_none() || plan.web_flags.iter().any(|flag| flag.starts_with("--web.route-prefix="))
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
        if let Some(servers) = &self.servers
            && let Err(error) = servers.follow(&self.webs())
        {
            self.ground.screen.event(&format!("telling Prometheus who the members are: {error}"));
        }
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

    pub(super) fn named(&mut self, name: &str) -> Option<&mut Member> {
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
                screen.event(&format!("manifest refused, all stays as it is: {}", error_chain(&error)));
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
            self.rollout = Rollout::default();
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
            self.ground.screen.event(&error_chain(&error));
        }
        self.publish();
    }

    /// Greets when the cluster is up, and keeps the status on a terminal.
    fn tell_state(&mut self) {
        if self.ground.screen.is_live() {
            self.ground.screen.status(report::status(&self.members, &self.sinks));
        }
        let up = self.members.iter().all(Member::is_ready);
        if !self.greeted && (up || self.started.elapsed() > START_PATIENCE) {
            self.greeted = true;
            report::greet(&self.ground, &self.manifest, &self.members, &self.sinks);
        }
    }
}
