//! How a cluster is broken, and how one sees that somebody noticed.

use std::io::Write as _;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;
use serde_json::json;

use super::inside;
use super::load::{Load, Tally};
use super::stage::{Member, Stage};
use crate::chain::chain;
use crate::clock::now;

/// Before and after each act the cluster is left alone for as long.
const CALM: Duration = Duration::from_secs(2);
/// So long after it was noticed all stays broken.
const BROKEN: Duration = Duration::from_secs(3);
const NOTICE_LIMIT: Duration = Duration::from_secs(60);
const RECOVERY_LIMIT: Duration = Duration::from_secs(120);
/// Until all that was posted was told, at most.
const TOLD_LIMIT: Duration = Duration::from_secs(120);
/// What a slow receiver takes.
const SLOW: &str = "4s";
/// And what it takes on average is noticed, in seconds.
const SLOW_NOTICED: f64 = 1.0;

/// One way to break it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Act {
    /// A member's process is killed.
    Kill,
    /// A member's process is stopped, as on a machine that hangs.
    Freeze,
    /// No peer reaches a member any more, as behind a wrong rule of a firewall.
    CutOff,
    /// A member's disk is full.
    FullDisk,
    /// Somebody edits the configuration, wrongly.
    BadConfig,
    /// The receiver takes seconds for each notification.
    SlowReceiver,
}

/// What came of one act.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Outcome {
    pub(super) act: Act,
    /// With whom, or what.
    pub(super) on: String,
    /// Why it can't be done here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) not_done: Option<String>,
    /// What of it went wrong: of the rehearsal, not of the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) failed: Option<String>,
    /// By what it was noticed, and after how many milliseconds.
    pub(super) noticed_by: &'static str,
    pub(super) noticed_ms: Option<u64>,
    /// After how many milliseconds all was well, once it was mended.
    pub(super) well_ms: Option<u64>,
    pub(super) alerts: Tally,
}

impl Act {
    pub(super) const ALL: [Self; 6] =
        [Self::Kill, Self::Freeze, Self::CutOff, Self::FullDisk, Self::BadConfig, Self::SlowReceiver];

    /// As people read it.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Kill => "a member is killed",
            Self::Freeze => "a member hangs",
            Self::CutOff => "no peer reaches a member",
            Self::FullDisk => "a member's disk is full",
            Self::BadConfig => "the configuration is edited wrongly",
            Self::SlowReceiver => "the receiver is slow",
        }
    }

    /// Whether notifications may come twice: two sides can't talk, or one dies while it sends.
    pub(super) const fn may_double(self) -> bool {
        matches!(self, Self::Kill | Self::Freeze | Self::CutOff)
    }

    const fn label(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Freeze => "freeze",
            Self::CutOff => "cut-off",
            Self::FullDisk => "full-disk",
            Self::BadConfig => "bad-config",
            Self::SlowReceiver => "slow-receiver",
        }
    }

    const fn noticed_by(self) -> &'static str {
        match self {
            Self::Kill => "who supervises it",
            Self::Freeze | Self::CutOff => "its peers",
            Self::FullDisk => "who makes a silence there",
            Self::BadConfig => "who validates it; no member saw it",
            Self::SlowReceiver => "the latency in the metrics",
        }
    }
}

impl Outcome {
    /// Whether it was as it should be. What could not be rehearsed here is no failure of the cluster.
    pub(super) fn is_good(&self) -> bool {
        let alerts = &self.alerts;
        let whole = alerts.lost.is_empty() && (alerts.doubled.is_empty() || self.act.may_double());
        let rehearsed = self.failed.is_none() && self.noticed_ms.is_some() && self.well_ms.is_some();
        self.not_done.is_some() || (rehearsed && whole)
    }
}

/// Breaks it, mends it, and counts.
pub(super) async fn perform(act: Act, stage: &mut Stage) -> Outcome {
    let target = stage.members[stage.members.len() - 1].clone();
    let mut outcome = Outcome {
        act,
        on: if matches!(act, Act::BadConfig | Act::SlowReceiver) { "all".to_owned() } else { target.name.clone() },
        not_done: None,
        failed: None,
        noticed_by: act.noticed_by(),
        noticed_ms: None,
        well_ms: None,
        alerts: Tally::default(),
    };
    if matches!(act, Act::CutOff | Act::FullDisk) && !stage.own_world {
        outcome.not_done = Some("this system allows no namespaces here (unshare, ip and mount are needed)".to_owned());
        return outcome;
    }
    let urls = stage.members.iter().map(|member| member.url.clone()).collect();
    let load = Load::begin(stage.client.clone(), urls, act.label());
    tokio::time::sleep(CALM).await;
    let mut broken = Broken {
        act,
        target,
        lines: stage.lines().len(),
        kept: Vec::new(),
        hashes: hashes(stage).await,
        latency: latency(stage).await.unwrap_or_default(),
    };
    outcome.failed = broken.break_it(stage).await.err();
    if outcome.failed.is_none() {
        let noticed = stage.until(NOTICE_LIMIT, async |stage| broken.is_noticed(stage).await).await;
        outcome.noticed_ms = noticed.map(|after| after.as_millis() as u64);
        if act != Act::Kill {
            // who supervises it mends it at once
            tokio::time::sleep(BROKEN).await;
        }
        // a wrong edit that reached a member is no good notice
        if act == Act::BadConfig && hashes(stage).await != broken.hashes {
            outcome.noticed_ms = None;
        }
    }
    if let Err(why) = broken.mend(stage).await {
        outcome.failed.get_or_insert(why);
    }
    let well = stage.until(RECOVERY_LIMIT, async |stage| broken.is_well(stage).await).await;
    outcome.well_ms = well.map(|after| after.as_millis() as u64);
    tokio::time::sleep(CALM).await;
    let posted = load.end().await;
    let end = Instant::now() + TOLD_LIMIT;
    loop {
        if let Ok(received) = stage.get(&format!("{}/received", stage.sink)).await {
            outcome.alerts = Tally::of(&posted, &received);
            if outcome.alerts.lost.is_empty() || Instant::now() > end {
                break;
            }
        } else if Instant::now() > end {
            outcome.failed.get_or_insert("the receiver doesn't say what it got".to_owned());
            break;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    outcome
}

/// What all members run.
async fn hashes(stage: &Stage) -> Vec<String> {
    let mut all = Vec::new();
    for member in &stage.members {
        let config = stage.get(&format!("{}/-/config", member.url)).await.unwrap_or_default();
        all.push(config["hash"].to_string());
    }
    all
}

/// Seconds that all notifications took, and how many they were.
async fn latency(stage: &Stage) -> Result<(f64, f64), String> {
    let mut all = (0.0, 0.0);
    for member in &stage.members {
        let metrics = stage.metrics(member).await?;
        all.0 += metrics.sum("alertmanager_notification_latency_seconds_sum");
        all.1 += metrics.sum("alertmanager_notification_latency_seconds_count");
    }
    Ok(all)
}

struct Broken {
    act: Act,
    target: Member,
    /// Lines that `local` had said before.
    lines: usize,
    /// Files as they were.
    kept: Vec<(std::path::PathBuf, String)>,
    /// What all members ran before.
    hashes: Vec<String>,
    /// Of all notifications before.
    latency: (f64, f64),
}

impl Broken {
    async fn break_it(&mut self, stage: &Stage) -> Result<(), String> {
        match self.act {
            Act::Kill => self.signal(stage, Signal::KILL),
            Act::Freeze => self.signal(stage, Signal::STOP),
            Act::CutOff => inside::cut(self.target.gossip).map_err(|error| chain(&error)),
            Act::FullDisk => self.fill(),
            Act::BadConfig => self.misedit(stage),
            Act::SlowReceiver => behave(stage, &format!("?delay={SLOW}")).await,
        }
    }

    async fn is_noticed(&self, stage: &Stage) -> Result<(), String> {
        let said = |what: &str| {
            let lines = stage.lines();
            let found = lines.iter().skip(self.lines).any(|line| line.contains(what));
            if found { Ok(()) } else { Err("nothing is said".to_owned()) }
        };
        match self.act {
            Act::Kill => said(&format!("{} ended", self.target.name)),
            Act::Freeze | Act::CutOff => {
                for member in stage.members.iter().filter(|member| member.name != self.target.name) {
                    if stage.peers(member).await?.contains(&self.target.name) {
                        return Err(format!("{} still sees it", member.name));
                    }
                }
                Ok(())
            }
            Act::FullDisk => match self.silence(stage).await? {
                true => Err("silences are still taken".to_owned()),
                false => Ok(()),
            },
            Act::BadConfig => said("manifest refused"),
            Act::SlowReceiver => {
                let (seconds, count) = latency(stage).await?;
                let (seconds, count) = (seconds - self.latency.0, count - self.latency.1);
                if count > 0.0 && seconds / count >= SLOW_NOTICED { Ok(()) } else { Err("nothing is slow".to_owned()) }
            }
        }
    }

    async fn mend(&mut self, stage: &Stage) -> Result<(), String> {
        match self.act {
            // it's started again by who supervises it
            Act::Kill => Ok(()),
            Act::Freeze => self.signal(stage, Signal::CONT),
            Act::CutOff => inside::heal(self.target.gossip).map_err(|error| chain(&error)),
            Act::FullDisk => std::fs::remove_file(self.filler()).map_err(|error| error.to_string()),
            Act::BadConfig => self.kept.drain(..).try_for_each(|(file, text)| {
                std::fs::write(&file, text).map_err(|error| format!("writing {}: {error}", file.display()))
            }),
            Act::SlowReceiver => behave(stage, "").await,
        }
    }

    async fn is_well(&self, stage: &Stage) -> Result<(), String> {
        if self.act == Act::FullDisk && !self.silence(stage).await? {
            return Err("silences are still refused".to_owned());
        }
        stage.well().await
    }

    fn signal(&self, stage: &Stage, signal: Signal) -> Result<(), String> {
        let pid = stage.process(&self.target).and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| format!("{} has no process", self.target.name))?;
        kill_process(pid, signal).map_err(|error| format!("sending a signal to {}: {error}", self.target.name))
    }

    fn filler(&self) -> std::path::PathBuf {
        self.target.storage.join("filled-by-drill")
    }

    /// Until there is no room any more.
    fn fill(&self) -> Result<(), String> {
        let mut file = std::fs::File::create(self.filler()).map_err(|error| format!("filling the disk: {error}"))?;
        for size in [64 << 10, 1] {
            let piece = vec![0; size];
            while file.write_all(&piece).is_ok() {}
        }
        Ok(())
    }

    /// Whether the member takes a silence, of something that there isn't.
    async fn silence(&self, stage: &Stage) -> Result<bool, String> {
        let at = now();
        let body = json!({
            "matchers": [{"name": "drill", "value": "nothing", "isRegex": false}],
            "startsAt": at.rfc3339_millis(), "endsAt": (at + BROKEN).rfc3339_millis(),
            "createdBy": "drill", "comment": "a rehearsal",
        });
        let request = stage.client.post(format!("{}/api/v2/silences", self.target.url));
        let request = request.header("content-type", "application/json").body(body.to_string());
        let answer = request.send().await.map_err(|error| chain(&error))?;
        Ok(answer.status().is_success())
    }

    /// A field of the configuration gets a name that nobody knows.
    fn misedit(&mut self, stage: &Stage) -> Result<(), String> {
        for file in stage.manifest() {
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

/// Tells the receiver how to answer.
async fn behave(stage: &Stage, how: &str) -> Result<(), String> {
    let answer = stage.client.put(format!("{}/behaviour{how}", stage.sink)).send().await;
    let answer = answer.map_err(|error| chain(&error))?;
    if answer.status().is_success() { Ok(()) } else { Err(format!("the receiver answers {}", answer.status())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_good_and_what_is_not() {
        let outcome = |act| Outcome {
            act,
            on: "am-2".to_owned(),
            not_done: None,
            failed: None,
            noticed_by: "",
            noticed_ms: Some(1),
            well_ms: Some(1),
            alerts: Tally { posted: 5, ..Tally::default() },
        };
        assert!(outcome(Act::BadConfig).is_good());
        assert!(!Outcome { noticed_ms: None, ..outcome(Act::Kill) }.is_good(), "nobody noticed");
        assert!(!Outcome { well_ms: None, ..outcome(Act::Kill) }.is_good(), "it's still broken");
        assert!(!Outcome { failed: Some("no".to_owned()), ..outcome(Act::Kill) }.is_good());
        let lost = Tally { lost: vec!["a".to_owned()], ..Tally::default() };
        assert!(!Outcome { alerts: lost, ..outcome(Act::Kill) }.is_good());
        let doubled = Tally { doubled: vec!["a".to_owned()], ..Tally::default() };
        assert!(Outcome { alerts: doubled.clone(), ..outcome(Act::CutOff) }.is_good(), "two sides can't talk");
        assert!(!Outcome { alerts: doubled, ..outcome(Act::SlowReceiver) }.is_good());
        let skipped =
            Outcome { not_done: Some("no namespaces".to_owned()), noticed_ms: None, ..outcome(Act::FullDisk) };
        assert!(skipped.is_good(), "that says nothing of the cluster");
    }
}
