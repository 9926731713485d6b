//! In which order the members get a new configuration, and what to do next.
//!
//! Member by member, by ordinal: tell the kubelet to refresh the files, ask the member to reload, wait until it reports
//! the hash and is ready, go on; stop at the first that fails. Each call takes one look and names one step.

use std::time::Duration;

/// How long a member may take until it reports the configuration that it was told to load.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// What is seen of one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberState {
    /// Its name.
    pub name: String,
    /// Whether it is in service as its probes say.
    pub in_service: bool,
    /// The hash that it was told to load, if it was told in this life.
    pub told: Option<String>,
    /// What it says of itself; `None` when it does not answer.
    pub report: Option<MemberReport>,
    /// What keeps it from running, as far as is known.
    pub trouble: Option<String>,
}

/// What a member says of itself (`GET /-/config`).
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MemberReport {
    /// The hash of the configuration in force.
    pub hash: String,
    /// Whether it is ready: state merged, configuration loaded.
    pub ready: bool,
    /// Whether the newest attempt to load a configuration succeeded.
    pub last_reload_successful: bool,
    /// Why it did not.
    #[serde(default)]
    pub error: Option<String>,
    /// The names of the members that it sees, itself included.
    #[serde(default)]
    pub peers: Vec<String>,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Every member runs the configuration.
    Done,
    /// Tell this member's kubelet to refresh its files.
    Tell {
        /// The member.
        member: String,
    },
    /// Ask this member to reload, since it was told but does not run the configuration yet.
    Reload {
        /// The member.
        member: String,
    },
    /// Wait for this member to become ready or to come back.
    Wait {
        /// The member.
        member: String,
        /// What it is waited for.
        why: Waiting,
    },
    /// This member was told and did not make it in time: nobody after it is touched.
    Stopped {
        /// The member.
        member: String,
        /// What it reported, or that it reported nothing.
        error: String,
    },
}

/// What a member is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Waiting {
    /// It runs the configuration, but is not ready.
    #[error("it runs the configuration and is not ready yet")]
    NotReady,
    /// It was told, and does not answer.
    #[error("it was told to load the configuration and does not answer")]
    NoAnswer,
    /// It was out of service before its turn came; it reads the configuration when it comes back.
    #[error("it is out of service and reads the configuration when it comes back")]
    OutOfService,
    /// There is nothing for it to load: the configuration could not be written.
    #[error("the configuration has not been written for it")]
    NotGiven,
    /// It has not been started yet.
    #[error("it has not been started yet")]
    NotStarted,
}

/// The next step to get all of `members` (wanted ones, in the order of their ordinals; `None` for one without a pod) to
/// `wanted`. `waited` is how long the member that it is the turn of has been at it.
///
/// A member that was out of service before its turn does not hold up the others: it reads the new files when it starts.
/// One that was told holds them up until it runs the configuration.
pub fn next_step(wanted: &str, members: &[(String, Option<MemberState>)], waited: Duration) -> Step {
    let mut absent = None;
    for (name, state) in members {
        let member = || name.clone();
        let Some(state) = state else {
            absent.get_or_insert(Step::Wait { member: member(), why: Waiting::NotStarted });
            continue;
        };
        let told = state.told.as_deref() == Some(wanted);
        match &state.report {
            Some(report) if report.hash == wanted && report.ready => continue,
            report if !told && !state.in_service => {
                let reads_it = report.as_ref().is_some_and(|report| report.hash == wanted);
                let why = if reads_it { Waiting::NotReady } else { Waiting::OutOfService };
                absent.get_or_insert(Step::Wait { member: member(), why });
                continue;
            }
            Some(report) if told && waited >= PATIENCE => {
                return Step::Stopped { member: member(), error: late(wanted, report) };
            }
            Some(report) if report.hash == wanted => {
                return Step::Wait { member: member(), why: Waiting::NotReady };
            }
            Some(_) if told => return Step::Reload { member: member() },
            None if told && waited >= PATIENCE => {
                return Step::Stopped { member: member(), error: "it does not answer".to_owned() };
            }
            None if told => return Step::Wait { member: member(), why: Waiting::NoAnswer },
            Some(_) | None => return Step::Tell { member: member() },
        }
    }
    absent.unwrap_or(Step::Done)
}

impl Step {
    /// The member that it is about.
    pub fn member(&self) -> Option<&str> {
        match self {
            Self::Done => None,
            Self::Tell { member }
            | Self::Reload { member }
            | Self::Wait { member, .. }
            | Self::Stopped { member, .. } => Some(member),
        }
    }
}

fn late(wanted: &str, report: &MemberReport) -> String {
    match &report.error {
        Some(error) => error.clone(),
        None if report.hash == wanted => "it runs the configuration but does not become ready".to_owned(),
        None => format!("it still runs configuration {}", short(&report.hash)),
    }
}

/// The first characters of a hash, enough for the eye.
pub fn short(hash: &str) -> &str {
    hash.get(..10).unwrap_or(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "0ld";
    const NEW: &str = "n3w";

    /// In service, told, hash in force (`-` for no answer), ready; `None` without a pod.
    type Seen = Option<(bool, Option<&'static str>, &'static str, bool)>;

    fn look(members: &[Seen]) -> Vec<(String, Option<MemberState>)> {
        let state = |name: &str, (in_service, told, hash, ready): (bool, Option<&str>, &str, bool)| MemberState {
            name: name.to_owned(),
            in_service,
            told: told.map(str::to_owned),
            report: (hash != "-").then(|| MemberReport {
                hash: hash.to_owned(),
                ready,
                last_reload_successful: true,
                error: None,
                peers: Vec::new(),
            }),
            trouble: None,
        };
        members
            .iter()
            .enumerate()
            .map(|(ordinal, seen)| {
                let name = format!("m-{ordinal}");
                (name.clone(), seen.map(|seen| state(&name, seen)))
            })
            .collect()
    }

    fn step(members: &[Seen]) -> Step {
        next_step(NEW, &look(members), Duration::from_secs(1))
    }

    const DONE: Seen = Some((true, Some(NEW), NEW, true));
    const BEFORE: Seen = Some((true, Some(OLD), OLD, true));

    #[test]
    fn each_look_names_one_step() {
        let m = |ordinal: usize| format!("m-{ordinal}");
        let wait = |ordinal, why| Step::Wait { member: m(ordinal), why };
        let fresh = Some((true, None, NEW, true));
        let down = Some((false, None, "-", false));
        let table = [
            (vec![], Step::Done),
            (vec![DONE, fresh, DONE], Step::Done),
            (vec![BEFORE, BEFORE, BEFORE], Step::Tell { member: m(0) }),
            (vec![Some((true, Some(NEW), OLD, true)), BEFORE], Step::Reload { member: m(0) }),
            (vec![Some((false, Some(NEW), NEW, false)), BEFORE], wait(0, Waiting::NotReady)),
            (vec![Some((true, None, NEW, false)), BEFORE], wait(0, Waiting::NotReady)),
            (vec![Some((true, Some(NEW), "-", false)), BEFORE], wait(0, Waiting::NoAnswer)),
            (vec![Some((false, Some(NEW), "-", false)), BEFORE], wait(0, Waiting::NoAnswer)),
            (vec![DONE, BEFORE, BEFORE], Step::Tell { member: m(1) }),
            // one that was out of service before its turn is passed over, and remembered
            (vec![down, BEFORE], Step::Tell { member: m(1) }),
            (vec![down, DONE], wait(0, Waiting::OutOfService)),
            (vec![None, DONE], wait(0, Waiting::NotStarted)),
            (vec![Some((false, None, OLD, false)), DONE], wait(0, Waiting::OutOfService)),
            (vec![Some((false, None, NEW, false)), DONE], wait(0, Waiting::NotReady)),
            (vec![Some((false, None, NEW, false)), BEFORE], Step::Tell { member: m(1) }),
            (vec![None, down, BEFORE], Step::Tell { member: m(2) }),
            (vec![None, None, None], wait(0, Waiting::NotStarted)),
        ];
        for (members, expected) in table {
            assert_eq!(step(&members), expected, "{members:?}");
        }
    }

    #[test]
    fn stops_at_the_first_that_fails() {
        let stuck = Some((true, Some(NEW), OLD, true));
        let silent = Some((true, Some(NEW), "-", true));
        for failing in [stuck, silent, Some((false, Some(NEW), NEW, false))] {
            let seen = next_step(NEW, &look(&[DONE, failing, BEFORE]), PATIENCE);
            assert!(matches!(&seen, Step::Stopped { member, .. } if member == "m-1"), "{seen:?}");
        }
        let mut seen = look(&[stuck]);
        if let Some(MemberReport { error, .. }) = seen[0].1.as_mut().and_then(|state| state.report.as_mut()) {
            *error = Some("line 3: no".to_owned());
        }
        let expected = Step::Stopped { member: "m-0".to_owned(), error: "line 3: no".to_owned() };
        assert_eq!(next_step(NEW, &seen, PATIENCE), expected);
    }

    #[test]
    fn report_reads_what_the_worker_writes() {
        let text = r#"{"hash":"ab","ready":true,"lastReloadSuccessful":true,"error":null}"#;
        let report: Result<MemberReport, _> = serde_json::from_str(text);
        assert_eq!(report.ok().map(|r| (r.hash, r.ready, r.error)), Some(("ab".to_owned(), true, None)));
    }
}
