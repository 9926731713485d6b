//! What conditions say, and when their time of transition moves.

use super::*;
use crate::crd::ConfigSource;
use crate::plan::rollout::MemberReport;

const HASH: &str = "0123456789abcdef";

fn member(ordinal: u32, hash: &str, in_service: bool) -> (String, Option<MemberState>) {
    let name = format!("alertmanager-pager-{ordinal}");
    let report = MemberReport {
        hash: hash.to_owned(),
        ready: in_service,
        last_reload_successful: true,
        error: None,
        peers: (0..3).map(|n| format!("alertmanager-pager-{n}")).collect(),
    };
    (name.clone(), Some(MemberState { name, in_service, told: None, report: Some(report), trouble: None }))
}

fn healthy() -> Facts {
    Facts {
        backup: None,
        generation: Some(4),
        object: "pager".to_owned(),
        wanted_hash: Some(HASH.to_owned()),
        refused: None,
        held_back: None,
        storage: Standing { ready: true, reason: "Bound", message: String::new() },
        rotates: false,
        certificates: Standing { ready: true, reason: "Valid", message: String::new() },
        hibernates: false,
        members: (0..3).map(|ordinal| member(ordinal, HASH, true)).collect(),
        pods: 3,
        step: Step::Done,
        rejected: None,
        pods_current: true,
    }
}

fn starting() -> Facts {
    let mut facts = healthy();
    facts.members[2] = member(2, HASH, false);
    facts.step = Step::Wait { member: "alertmanager-pager-2".to_owned(), why: Waiting::NotReady };
    facts
}

fn refused() -> Facts {
    let source = ConfigSource::Secret { name: "s".to_owned(), key: "k".to_owned() };
    Facts { refused: Some(Refused::NotFound(source)), ..healthy() }
}

fn stopped() -> Facts {
    let mut facts = healthy();
    facts.members[1] = member(1, "0ld", true);
    facts.step = Step::Stopped { member: "alertmanager-pager-1".to_owned(), error: "line 3: no".to_owned() };
    facts
}

/// `Ready Reconciling Stalled ConfigValid ConfigProgrammed Available GossipConverged` as letters, and the reason
/// of Ready.
fn summary(facts: &Facts) -> String {
    let status = next(None, facts, "now");
    let letter = |type_: ConditionType| match status.condition(type_).unwrap().status {
        ConditionStatus::True => 'T',
        ConditionStatus::False => 'F',
        ConditionStatus::Unknown => 'U',
    };
    let letters: String = ConditionType::ALL.into_iter().take(7).map(letter).collect();
    format!("{letters} {}", status.condition(ConditionType::Ready).unwrap().reason)
}

#[test]
fn conditions_of_each_situation() {
    assert_eq!(summary(&healthy()), "TFFTTTT AllMembersReady");
    assert_eq!(summary(&starting()), "FTFTFTT MembersNotReady");
    assert_eq!(summary(&refused()), "FFTFTTT ConfigNotFound");
    assert_eq!(summary(&Facts { wanted_hash: None, ..refused() }), "FFTFFTT ConfigNotFound");
    assert_eq!(summary(&stopped()), "FFTTFTT RolloutStopped");
    assert_eq!(summary(&Facts { pods: 5, ..healthy() }), "FTFTTTT ScalingDown");
    assert_eq!(summary(&Facts { pods_current: false, ..healthy() }), "FTFTTTT UpdatingPods");
    let rejected = Some("no".to_owned());
    assert_eq!(summary(&Facts { rejected, ..healthy() }), "FFTTTTT ApplyRejected");
    let step = Step::Tell { member: "alertmanager-pager-0".to_owned() };
    assert_eq!(summary(&Facts { step, ..healthy() }), "FTFTFTT RollingOut");
    let held_back = Some("f00".to_owned());
    assert_eq!(summary(&Facts { held_back, ..healthy() }), "FTFTFTT RolloutPaused");
    let asleep = Facts { hibernates: true, members: Vec::new(), pods: 0, ..healthy() };
    assert_eq!(summary(&asleep), "FFFTTFU Hibernating");
    let mut apart = healthy();
    if let Some(report) = apart.members[0].1.as_mut().and_then(|state| state.report.as_mut()) {
        report.peers.truncate(2);
    }
    assert_eq!(summary(&apart), "FTFTTTF MembersApart");
    let message = next(None, &apart, "now").condition(ConditionType::GossipConverged).unwrap().message.clone();
    assert_eq!(message, "alertmanager-pager-0 does not see alertmanager-pager-2");
    let mut silent = healthy();
    for (_, state) in &mut silent.members[1..] {
        *state = None;
    }
    silent.step = Step::Wait { member: "alertmanager-pager-1".to_owned(), why: Waiting::NotStarted };
    assert_eq!(summary(&silent), "FTFTFFF MembersNotReady");
}

#[test]
fn a_paused_cluster_keeps_what_was_seen_last() {
    let seen = next(None, &healthy(), "t1");
    let paused = paused(Some(&seen), Some(5), "t2");
    assert_eq!(paused.observed_generation, Some(5));
    assert_eq!(paused.condition(ConditionType::Ready), seen.condition(ConditionType::Ready));
    assert_eq!(paused.condition(ConditionType::Reconciling).unwrap().reason, "Paused");
    assert_eq!(super::paused(Some(&paused), Some(5), "t3"), paused, "written once");
}

#[test]
fn a_stopped_rollout_names_the_member_and_its_error() {
    let status = next(None, &stopped(), "now");
    let condition = status.condition(ConditionType::ConfigProgrammed).unwrap();
    assert_eq!(
        condition.message,
        "2 of 3 members run configuration 0123456789; stopped at alertmanager-pager-1: line 3: no"
    );
    assert_eq!(status.config.unwrap().replicas[1].hash.as_deref(), Some("0ld"));
}

#[test]
fn time_of_transition_moves_only_when_the_status_does() {
    let first = next(None, &starting(), "t1");
    let same = next(Some(&first), &starting(), "t2");
    assert_eq!(same, first);

    let mut other_message = starting();
    other_message.members[1] = member(1, HASH, false);
    let later = next(Some(&first), &other_message, "t3");
    let ready = later.condition(ConditionType::Ready).unwrap();
    assert_eq!(ready.last_transition_time, "t1");

    let healthy = next(Some(&later), &healthy(), "t4");
    let time = |type_| healthy.condition(type_).unwrap().last_transition_time.clone();
    assert_eq!(time(ConditionType::Ready), "t4");
    assert_eq!(time(ConditionType::ConfigProgrammed), "t4");
    assert_eq!(time(ConditionType::ConfigValid), "t1");
}

#[test]
fn remembers_what_all_members_ran_last() {
    let agreed = next(None, &healthy(), "t1");
    let mut newer = stopped();
    newer.wanted_hash = Some("f00".to_owned());
    let config = next(Some(&agreed), &newer, "t2").config.unwrap();
    assert_eq!((config.hash.as_str(), config.programmed_hash.as_deref()), ("f00", Some(HASH)));
}

#[test]
fn counts_are_of_pods() {
    let status = next(None, &Facts { pods: 5, ..starting() }, "t1");
    assert_eq!((status.replicas, status.ready_replicas), (5, 2));
    assert_eq!(status.observed_generation, Some(4));
}

#[test]
fn backups_are_told_of_where_they_are_wanted() {
    assert_eq!(next(None, &healthy(), "t1").condition(ConditionType::BackupHealthy), None);
    let standing = |ready, reason| Standing { ready, reason, message: String::new() };
    let stand = |status, standing| {
        let status = next(None, &Facts { backup: Some((status, standing)), ..healthy() }, "t1");
        (status.condition(ConditionType::BackupHealthy).unwrap().status, status.backup)
    };
    let none = BackupStatus::default();
    assert_eq!(stand(none.clone(), standing(false, "NoneYet")), (ConditionStatus::Unknown, Some(none)));
    let good = BackupStatus { last_successful_time: Some("t0".to_owned()), last_failure: None };
    assert_eq!(stand(good.clone(), standing(true, "LastSucceeded")), (ConditionStatus::True, Some(good.clone())));
    assert_eq!(stand(good, standing(false, "LastFailed")).0, ConditionStatus::False);
}

#[test]
fn what_keeps_a_member_from_starting_is_told() {
    let mut facts = starting();
    let state = facts.members[2].1.as_mut().unwrap();
    (state.report, state.trouble) = (None, Some("restore ended: error: no bucket".to_owned()));
    let status = next(None, &facts, "t1");
    let told = "2 of 3 members are ready; alertmanager-pager-2: restore ended: error: no bucket";
    assert_eq!(status.condition(ConditionType::Available).unwrap().message, told);
}
