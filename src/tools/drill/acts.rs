//! How a cluster is broken, and how one sees that somebody noticed.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::load::{self, Load, Tally};
use super::place::{Place, Trouble};
use super::stage::{Member, Stage};

/// Before and after each act the cluster is left alone for as long.
const CALM: Duration = Duration::from_secs(2);
/// So long after it was noticed all stays broken.
const BROKEN: Duration = Duration::from_secs(3);
const NOTICE_LIMIT: Duration = Duration::from_secs(60);
const RECOVERY_LIMIT: Duration = Duration::from_secs(120);
/// Until all that was posted was told, at most.
pub(super) const TOLD_LIMIT: Duration = Duration::from_secs(120);
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
    /// The first trouble is the one that is told.
    fn had(&mut self, trouble: Trouble) {
        let (told, why) = match trouble {
            Trouble::NotHere(why) => (&mut self.not_done, why),
            Trouble::Failed(why) => (&mut self.failed, why),
        };
        told.get_or_insert(why);
    }

    /// Whether it was as it should be. What could not be rehearsed here is no failure of the cluster.
    pub(super) fn is_good(&self) -> bool {
        let alerts = &self.alerts;
        let whole = alerts.lost.is_empty() && (alerts.doubled.is_empty() || self.act.may_double());
        let rehearsed = self.failed.is_none() && self.noticed_ms.is_some() && self.well_ms.is_some();
        self.not_done.is_some() || (rehearsed && whole)
    }
}

/// Breaks it, mends it, and counts. What was broken is mended whoever interrupts.
pub(super) async fn perform(act: Act, place: &mut dyn Place, stage: &mut Stage) -> Outcome {
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
    if let Err(trouble) = place.allows(act) {
        outcome.had(trouble);
        return outcome;
    }
    let urls = stage.members.iter().map(|member| member.url.clone()).collect();
    let load = Load::begin(stage.client.clone(), urls, format!("{}-{}", stage.series, act.label()));
    stage.stop.sleep(CALM).await;
    if stage.stop.came() {
        stage.posted.extend(load.end().await);
        outcome.had(Trouble::Failed("it was interrupted before anything was done".to_owned()));
        return outcome;
    }
    let before = Before { hashes: stage.hashes().await, latency: stage.latency().await.unwrap_or_default() };
    let broken = match act {
        Act::SlowReceiver => stage.behave(&format!("?delay={SLOW}")).await.map_err(Trouble::Failed),
        _ => place.break_it(act, &target).await,
    };
    match broken {
        Ok(()) => {
            let noticed = async |stage: &Stage| is_noticed(act, &target, &before, place, stage).await;
            outcome.noticed_ms = stage.until(NOTICE_LIMIT, noticed).await.map(|after| after.as_millis() as u64);
            if act != Act::Kill {
                // who supervises it mends it at once
                stage.stop.sleep(BROKEN).await;
            }
            // a wrong edit that reached a member is no good notice
            if act == Act::BadConfig && stage.hashes().await != before.hashes {
                outcome.noticed_ms = None;
            }
            if let Err(why) = mend(act, &target, place, stage).await {
                outcome.had(Trouble::Failed(why));
            }
        }
        Err(trouble) => {
            if matches!(trouble, Trouble::Failed(_)) {
                // part of it may have been done; the first trouble is what is told
                let _ = mend(act, &target, place, stage).await;
            }
            outcome.had(trouble);
        }
    }
    let well = async |stage: &Stage| is_well(act, &target, stage).await;
    outcome.well_ms = stage.until(RECOVERY_LIMIT, well).await.map(|after| after.as_millis() as u64);
    stage.stop.sleep(CALM).await;
    let posted = load.end().await;
    stage.posted.extend_from_slice(&posted);
    if outcome.not_done.is_some() {
        return outcome;
    }
    let end = Instant::now() + TOLD_LIMIT;
    while !stage.stop.came() {
        if let Ok(received) = stage.received().await {
            outcome.alerts = Tally::of(&posted, &received);
            if outcome.alerts.lost.is_empty() || Instant::now() > end {
                break;
            }
        } else if Instant::now() > end {
            outcome.had(Trouble::Failed("the receiver doesn't say what it got".to_owned()));
            break;
        }
        stage.stop.sleep(Duration::from_secs(1)).await;
    }
    if stage.stop.came() {
        outcome.had(Trouble::Failed("it was interrupted".to_owned()));
    }
    outcome
}

/// Posts an alert, and waits until the receiver has it.
pub(super) async fn probe(stage: &mut Stage) -> Result<(), String> {
    let urls: Vec<String> = stage.members.iter().map(|member| member.url.clone()).collect();
    let posted = [load::post(&stage.client, &urls, format!("{}-probe", stage.series)).await];
    stage.posted.extend_from_slice(&posted);
    let told = async |stage: &Stage| {
        let tally = Tally::of(&posted, &stage.received().await?);
        if tally.posted > 0 && tally.lost.is_empty() { Ok(()) } else { Err("it has not come".to_owned()) }
    };
    match stage.until(TOLD_LIMIT, told).await {
        None if !stage.stop.came() => Err(told(stage).await.err().unwrap_or_default()),
        _ => Ok(()),
    }
}

/// How it was.
struct Before {
    /// What all members ran.
    hashes: Vec<String>,
    /// Of all notifications.
    latency: (f64, f64),
}

async fn is_noticed(
    act: Act,
    target: &Member,
    before: &Before,
    place: &dyn Place,
    stage: &Stage,
) -> Result<(), String> {
    match act {
        Act::Kill | Act::BadConfig => place.is_noticed(act, target).await,
        Act::Freeze | Act::CutOff => {
            for member in stage.members.iter().filter(|member| member.name != target.name) {
                if stage.peers(member).await?.contains(&target.name) {
                    return Err(format!("{} still sees it", member.name));
                }
            }
            Ok(())
        }
        Act::FullDisk => match stage.silence(target, BROKEN).await? {
            true => Err("silences are still taken".to_owned()),
            false => Ok(()),
        },
        Act::SlowReceiver => {
            let (seconds, count) = stage.latency().await?;
            let (seconds, count) = (seconds - before.latency.0, count - before.latency.1);
            if count > 0.0 && seconds / count >= SLOW_NOTICED { Ok(()) } else { Err("nothing is slow".to_owned()) }
        }
    }
}

async fn mend(act: Act, target: &Member, place: &mut dyn Place, stage: &Stage) -> Result<(), String> {
    match act {
        Act::SlowReceiver => stage.behave("").await,
        _ => place.mend(act, target).await,
    }
}

async fn is_well(act: Act, target: &Member, stage: &Stage) -> Result<(), String> {
    if act == Act::FullDisk && !stage.silence(target, BROKEN).await? {
        return Err("silences are still refused".to_owned());
    }
    stage.well().await
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
