//! How a new configuration, and then new arguments, come to the running members: one by one.

use std::time::Duration;

use tokio::time::Instant;

use super::cluster::Cluster;
use super::member::Member;
use crate::error_chain;
use crate::plan::rollout::{Step, next_step, short};
use crate::plan::{self, File};

/// How far a configuration has come.
#[derive(Default)]
pub(super) struct Rollout {
    /// Who it is the turn of, and since when.
    turn: Option<(String, Instant)>,
    /// Nothing is left to do, or nothing can be done, for this hash.
    settled: Option<String>,
}

impl Rollout {
    /// Whether nothing is under way.
    pub(super) fn is_settled(&self) -> bool {
        self.settled.is_some()
    }
}

impl Cluster {
    /// Does the next step of bringing the configuration, and then the arguments, to all members.
    pub(super) async fn roll_out(&mut self) {
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
        let files = plan::files(&config);
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
            Err(error) => self.ground.screen.event(&error_chain(&error)),
        }
    }
}
