//! What has changed since the last look, and what is to be told of it: pure, one look after the other.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::diagnose::{Finding, Harm, Member};

/// What was seen so far.
#[derive(Debug)]
pub(super) struct Watch {
    /// So many looks in a row make a failure, and an inconsistency.
    threshold: u32,
    /// By URL.
    members: BTreeMap<String, State>,
    /// By code.
    lasting: BTreeMap<&'static str, Lasting>,
    quorum: Option<bool>,
}

#[derive(Debug, Default)]
struct State {
    name: String,
    /// In a row.
    failures: u32,
    error: String,
}

#[derive(Debug)]
struct Lasting {
    /// In a row.
    looks: u32,
    finding: Finding,
}

/// Something that is news.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub(super) enum Change {
    /// A member has not answered so many times in a row.
    MemberFailed { member: String, url: String, error: String },
    /// It answers again.
    MemberRecovered { member: String, url: String },
    /// It is no longer among those that are named.
    MemberGone { member: String, url: String },
    /// Something is wrong between members, or in one.
    Found { code: &'static str, text: String, advice: String },
    /// It is no longer.
    Over { code: &'static str },
    /// Fewer than half of the members, and one, answer.
    QuorumLost { answer: usize, members: usize },
    /// Enough do.
    Quorum { answer: usize, members: usize },
}

/// An alert about the cluster that fires.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Firing {
    pub(super) labels: BTreeMap<&'static str, String>,
    pub(super) summary: String,
    pub(super) description: String,
}

impl Watch {
    pub(super) fn new(threshold: u32) -> Self {
        Self { threshold, members: BTreeMap::new(), lasting: BTreeMap::new(), quorum: None }
    }

    /// Takes in what was seen; the news.
    pub(super) fn look(&mut self, members: &[Member], findings: &[Finding]) -> Vec<Change> {
        let mut news = Vec::new();
        let named: BTreeSet<&str> = members.iter().map(|member| member.url.as_str()).collect();
        self.members.retain(|url, state| {
            let stays = named.contains(url.as_str());
            if !stays {
                news.push(Change::MemberGone { member: state.name.clone(), url: url.clone() });
            }
            stays
        });
        for member in members {
            self.of_member(member, &mut news);
        }
        self.of_findings(findings, &mut news);
        let (answer, members) = (members.iter().filter(|member| member.said.is_some()).count(), members.len());
        let quorum = answer > members / 2;
        match self.quorum.replace(quorum) {
            // nothing is news about what always was
            None if quorum => {}
            Some(before) if before == quorum => {}
            _ if quorum => news.push(Change::Quorum { answer, members }),
            _ => news.push(Change::QuorumLost { answer, members }),
        }
        news
    }

    fn of_member(&mut self, member: &Member, news: &mut Vec<Change>) {
        let state = self.members.entry(member.url.clone()).or_default();
        // one that doesn't answer keeps the name that it had
        if member.said.is_some() || state.name.is_empty() {
            member.name().clone_into(&mut state.name);
        }
        let (name, url) = (state.name.clone(), member.url.clone());
        match &member.error {
            Some(error) => {
                state.failures += 1;
                state.error.clone_from(error);
                if state.failures == self.threshold {
                    news.push(Change::MemberFailed { member: name, url, error: error.clone() });
                }
            }
            None => {
                if state.failures >= self.threshold {
                    news.push(Change::MemberRecovered { member: name, url });
                }
                state.failures = 0;
            }
        }
    }

    fn of_findings(&mut self, findings: &[Finding], news: &mut Vec<Change>) {
        // members that don't answer are counted by themselves, and what is only good to know is for `diagnose`
        let counts = |finding: &&Finding| finding.harm != Harm::Note && finding.code != "unreachable";
        let mut seen = BTreeMap::new();
        for finding in findings.iter().filter(counts) {
            // the worst is first
            seen.entry(finding.code).or_insert(finding);
        }
        let threshold = self.threshold;
        self.lasting.retain(|code, lasting| {
            let stays = seen.contains_key(code);
            if !stays && lasting.looks >= threshold {
                news.push(Change::Over { code });
            }
            stays
        });
        for (code, finding) in seen {
            let lasting = self.lasting.entry(code).or_insert_with(|| Lasting { looks: 0, finding: finding.clone() });
            lasting.finding.clone_from(finding);
            lasting.looks += 1;
            if lasting.looks == threshold {
                let Finding { code, text, advice, .. } = finding.clone();
                news.push(Change::Found { code, text, advice });
            }
        }
    }

    /// Members that have failed, by URL.
    pub(super) fn failed(&self) -> impl Iterator<Item = (&str, bool)> {
        self.members.iter().map(|(url, state)| (url.as_str(), state.failures >= self.threshold))
    }

    /// What lasts, by code.
    pub(super) fn found(&self) -> impl Iterator<Item = &'static str> {
        self.lasting.iter().filter(|(_, lasting)| lasting.looks >= self.threshold).map(|(code, _)| *code)
    }

    /// Whether enough members answered at the last look.
    pub(super) fn has_quorum(&self) -> bool {
        self.quorum == Some(true)
    }

    /// Whether nothing is wrong.
    pub(super) fn all_is_well(&self) -> bool {
        self.has_quorum() && self.found().next().is_none() && !self.failed().any(|(_, failed)| failed)
    }

    /// The alerts about the cluster that fire now.
    pub(super) fn alerts(&self) -> BTreeSet<Firing> {
        let failed = self.members.values().filter(|state| state.failures >= self.threshold).map(|state| Firing {
            labels: BTreeMap::from([
                ("alertname", "AlertmanagerNodeFailure".to_owned()),
                ("member", state.name.clone()),
                ("severity", "critical".to_owned()),
            ]),
            summary: format!("Alertmanager {} does not answer", state.name),
            description: state.error.clone(),
        });
        let lasting = self.lasting.values().filter(|lasting| lasting.looks >= self.threshold).map(|lasting| Firing {
            labels: BTreeMap::from([
                ("alertname", "AlertmanagerClusterInconsistent".to_owned()),
                ("reason", lasting.finding.code.to_owned()),
                ("severity", if lasting.finding.harm == Harm::Critical { "critical" } else { "warning" }.to_owned()),
            ]),
            summary: lasting.finding.text.clone(),
            description: lasting.finding.advice.clone(),
        });
        failed.chain(lasting).collect()
    }
}

impl Change {
    /// As people read it.
    pub(super) fn sentence(&self) -> String {
        match self {
            Self::MemberFailed { member, url, error } => format!("FAILED {member} at {url}: {error}"),
            Self::MemberRecovered { member, url } => format!("recovered {member} at {url}"),
            Self::MemberGone { member, url } => format!("gone {member} at {url}: it is no longer among the members"),
            Self::Found { code, text, advice } => format!("FOUND {text} [{code}]: {advice}"),
            Self::Over { code } => format!("over [{code}]"),
            Self::QuorumLost { answer, members } => format!("QUORUM LOST {answer} of {members} members answer"),
            Self::Quorum { answer, members } => format!("quorum {answer} of {members} members answer"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::Said;

    fn up(name: &str) -> Member {
        Member {
            url: format!("http://{name}"),
            said: Some(Said { name: name.into(), ..Said::default() }),
            error: None,
            ..Member::default()
        }
    }

    fn down(name: &str) -> Member {
        Member { url: format!("http://{name}"), said: None, error: Some("refused".into()), ..Member::default() }
    }

    fn finding(code: &'static str, text: &str, harm: Harm) -> Finding {
        Finding { harm, code, text: text.into(), advice: "do it".into() }
    }

    #[test]
    fn a_member_has_failed_after_the_threshold_and_keeps_its_name() {
        let mut watch = Watch::new(3);
        let all = [up("a"), up("b"), up("c")];
        let lost = [up("a"), down("b"), up("c")];
        assert_eq!(watch.look(&all, &[]), []);
        assert_eq!(watch.look(&lost, &[]), []);
        assert_eq!(watch.look(&lost, &[]), []);
        assert!(watch.alerts().is_empty() && watch.all_is_well());
        let failed = Change::MemberFailed { member: "b".into(), url: "http://b".into(), error: "refused".into() };
        assert_eq!(watch.look(&lost, &[]), [failed]);
        assert_eq!(watch.look(&lost, &[]), [], "told once");
        let alerts: Vec<_> = watch.alerts().into_iter().collect();
        assert_eq!((alerts.len(), alerts[0].labels["member"].as_str()), (1, "b"));
        assert!(watch.has_quorum() && !watch.all_is_well());
        let recovered = Change::MemberRecovered { member: "b".into(), url: "http://b".into() };
        assert_eq!(watch.look(&all, &[]), [recovered]);
        assert!(watch.alerts().is_empty());
    }

    #[test]
    fn one_that_is_no_longer_named_is_no_failure() {
        let mut watch = Watch::new(1);
        watch.look(&[up("a"), down("b")], &[]);
        let gone = watch.look(&[up("a")], &[]);
        assert_eq!(gone[0], Change::MemberGone { member: "http://b".into(), url: "http://b".into() });
        assert!(watch.alerts().is_empty() && watch.all_is_well());
    }

    #[test]
    fn quorum_is_more_than_half() {
        let mut watch = Watch::new(5);
        watch.look(&[up("a"), up("b"), up("c"), up("d")], &[]);
        let lost = [up("a"), up("b"), down("c"), down("d")];
        assert_eq!(watch.look(&lost, &[]), [Change::QuorumLost { answer: 2, members: 4 }], "at once");
        assert!(!watch.all_is_well());
        let three = [up("a"), up("b"), up("c"), down("d")];
        assert_eq!(watch.look(&three, &[]), [Change::Quorum { answer: 3, members: 4 }]);
        let mut never = Watch::new(5);
        assert_eq!(never.look(&lost, &[]), [Change::QuorumLost { answer: 2, members: 4 }]);
    }

    #[test]
    fn what_lasts_is_told_and_what_passes_is_not() {
        let mut watch = Watch::new(2);
        let all = [up("a"), up("b")];
        let differs = [finding("silences_differ", "1 differ", Harm::Warning), finding("old", "x", Harm::Note)];
        assert_eq!(watch.look(&all, &differs), []);
        assert_eq!(watch.look(&all, &[]), [], "it has passed");
        watch.look(&all, &differs);
        let more = [finding("silences_differ", "2 differ", Harm::Warning)];
        let found = Change::Found { code: "silences_differ", text: "2 differ".into(), advice: "do it".into() };
        assert_eq!(watch.look(&all, &more), [found]);
        let alerts: Vec<_> = watch.alerts().into_iter().collect();
        assert_eq!(alerts[0].labels["reason"], "silences_differ");
        assert_eq!(watch.look(&all, &[]), [Change::Over { code: "silences_differ" }]);
        assert!(watch.alerts().is_empty());
    }
}
