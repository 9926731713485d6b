//! Who sees whom, and which member is beyond help. Pure.

use std::time::Duration;

use super::rollout::MemberState;

/// After a restart that did not help, the next one waits so long, and twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_secs(60);
/// But no longer than this.
const LONGEST_PAUSE: Duration = Duration::from_secs(1800);

/// How many members of so many are a majority.
pub const fn quorum(wanted: usize) -> usize {
    wanted / 2 + 1
}

/// One member, asked again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pulse {
    /// Its name.
    pub member: String,
    /// Whether it was asked: its pod runs.
    pub asked: bool,
    /// How many questions in a row it has not answered.
    pub failures: u32,
}

/// Members that answer and don't see others that answer: who, and whom not.
pub fn apart(members: &[(String, Option<MemberState>)]) -> Vec<(&str, Vec<&str>)> {
    let answering = || members.iter().filter_map(|(name, state)| Some((name, state.as_ref()?.report.as_ref()?)));
    let unseen = |(name, report): (&'_ String, &super::rollout::MemberReport)| {
        let all = answering().map(|(other, _)| other.as_str());
        let unseen: Vec<&str> = all.filter(|other| other != name && !report.peers.iter().any(|p| p == other)).collect();
        unseen
    };
    let all = answering().map(|(name, report)| (name.as_str(), unseen((name, report))));
    all.filter(|(_, unseen)| !unseen.is_empty()).collect()
}

/// Members whose pods run and that have failed `threshold` times in a row or more.
pub fn failed(pulses: &[Pulse], threshold: u32) -> impl Iterator<Item = &str> {
    let failed = move |pulse: &&Pulse| pulse.asked && pulse.failures >= threshold;
    pulses.iter().filter(failed).map(|pulse| pulse.member.as_str())
}

/// The failed member that may be restarted: no other one sees it either, and a majority answers. Where the operator
/// alone can't reach a member, it is the operator that is cut off.
pub fn beyond_help<'a>(
    members: &[(String, Option<MemberState>)],
    pulses: &'a [Pulse],
    threshold: u32,
) -> impl Iterator<Item = &'a str> {
    let reports: Vec<_> = members.iter().filter_map(|(_, state)| state.as_ref()?.report.clone()).collect();
    let majority = reports.len() >= quorum(members.len());
    failed(pulses, threshold)
        .filter(move |member| majority && !reports.iter().any(|report| report.peers.iter().any(|peer| peer == member)))
}

/// How long after the last of `restarts` restarts the next one has to wait.
pub fn pause_after(restarts: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1_u32.checked_shl(restarts.saturating_sub(1)).unwrap_or(u32::MAX)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::rollout::MemberReport;

    /// Each member with those that it sees; `None` for one that doesn't answer.
    fn look(sees: &[Option<&[&str]>]) -> Vec<(String, Option<MemberState>)> {
        let member = |(ordinal, peers): (usize, &Option<&[&str]>)| {
            let name = format!("m-{ordinal}");
            let report = peers.map(|peers| MemberReport {
                hash: "h".to_owned(),
                ready: true,
                last_reload_successful: true,
                error: None,
                peers: peers.iter().map(|peer| (*peer).to_owned()).collect(),
            });
            (name.clone(), Some(MemberState { name, in_service: true, told: None, report, trouble: None }))
        };
        sees.iter().enumerate().map(member).collect()
    }

    fn pulses(failures: &[u32]) -> Vec<Pulse> {
        let pulse = |(n, failures): (usize, &u32)| Pulse { member: format!("m-{n}"), asked: true, failures: *failures };
        failures.iter().enumerate().map(pulse).collect()
    }

    const ALL: Option<&[&str]> = Some(&["m-0", "m-1", "m-2"]);
    const TWO: Option<&[&str]> = Some(&["m-0", "m-1"]);

    #[test]
    fn who_does_not_see_whom() {
        assert_eq!(apart(&look(&[ALL, ALL, ALL])), []);
        let cut = look(&[TWO, TWO, Some(&["m-2"])]);
        let expected = [("m-0", vec!["m-2"]), ("m-1", vec!["m-2"]), ("m-2", vec!["m-0", "m-1"])];
        assert_eq!(apart(&cut), expected);
        assert_eq!(apart(&look(&[TWO, TWO, None])), [], "one that doesn't answer is another matter");
    }

    #[test]
    fn only_one_that_nobody_sees_is_beyond_help() {
        let first = |sees: &[Option<&[&str]>], failures: &[u32]| {
            beyond_help(&look(sees), &pulses(failures), 3).next().map(str::to_owned)
        };
        assert_eq!(first(&[TWO, TWO, None], &[0, 0, 3]), Some("m-2".to_owned()));
        assert_eq!(first(&[TWO, TWO, None], &[0, 0, 2]), None, "not yet");
        assert_eq!(first(&[ALL, ALL, None], &[0, 0, 9]), None, "its peers see it");
        assert_eq!(first(&[Some(&["m-0"]), None, None], &[0, 9, 9]), None, "no majority answers");
        assert_eq!(first(&[None, None, None], &[9, 9, 9]), None, "the operator is cut off");
    }

    #[test]
    fn restarts_become_rarer() {
        let seconds = |restarts| pause_after(restarts).as_secs();
        assert_eq!([1, 2, 3, 6, 40].map(seconds), [60, 120, 240, 1800, 1800]);
        assert_eq!([1, 2, 3, 4, 5, 98].map(quorum), [1, 2, 2, 3, 3, 50]);
    }
}
