//! What was found, for people and for programs.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::figures::{self, Figures};
use super::judge::{Finding, Harm};
use super::member::{Member, Said};

/// Members, who sees whom, their figures, and the findings.
pub(super) fn text(members: &[Member], findings: &[Finding]) -> String {
    let mut out = String::new();
    let width = members.iter().map(|member| member.name().len()).max().unwrap_or(0);
    for member in members {
        // writing to a string can't fail
        let _ = match &member.said {
            Some(said) => {
                let ready = if said.not_ready.is_some() { "not ready" } else { "ready" };
                let (version, silences) = (&said.version, said.silence_count);
                writeln!(out, "{:width$}  {ready}, {version}, {silences} silences, {}", member.name(), member.url)
            }
            None => writeln!(out, "{:width$}  no answer", member.name()),
        };
    }
    out += &matrix(members);
    for (member, said) in members.iter().filter_map(|member| Some((member, member.said.as_ref()?))) {
        let _ = write!(out, "\n{}\n", member.name());
        figures::text(said).lines().for_each(|line| out += &format!("  {line}\n"));
    }
    if findings.is_empty() {
        out += "\nNothing found.\n";
    }
    for finding in findings {
        let word = match finding.harm {
            Harm::Critical => "CRITICAL",
            Harm::Warning => "WARNING",
            Harm::Note => "NOTE",
        };
        let _ = write!(out, "\n{word} {} [{}]\n  {}\n", finding.text, finding.code, finding.advice);
    }
    out
}

/// The same as an object.
pub(super) fn json(members: &[Member], findings: &[Finding]) -> String {
    let members = members.iter().map(|member| {
        let mut shown = json!(member);
        if let Some(said) = &member.said {
            shown["said"]["figures"] = json!(Figures::of(said));
        }
        shown
    });
    format!("{:#}\n", json!({"members": Value::from_iter(members), "findings": findings}))
}

/// A row for each member, a column for each name; nothing for a single one.
fn matrix(members: &[Member]) -> String {
    let clustered: Vec<&Said> =
        members.iter().filter_map(|member| member.said.as_ref()).filter(|said| !said.name.is_empty()).collect();
    let names: BTreeSet<&str> =
        clustered.iter().flat_map(|said| said.peers.keys().map(String::as_str).chain([said.name.as_str()])).collect();
    if names.len() < 2 {
        return String::new();
    }
    let width = names.iter().map(|name| name.len()).max().unwrap_or(0);
    let mut out = format!("\n{:width$}  sees", "");
    for name in &names {
        let _ = write!(out, " {name}");
    }
    out.push('\n');
    for said in clustered {
        let _ = write!(out, "{:width$}      ", said.name);
        for name in &names {
            let mark = match said.peers.contains_key(*name) {
                _ if *name == said.name => "·",
                true => "yes",
                false => "NO",
            };
            let _ = write!(out, " {mark:^len$}", len = name.len());
        }
        let trimmed = out.trim_end().len();
        out.truncate(trimmed);
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_to_be_read() {
        let said = |name: &str, peers: &[&str]| Said {
            name: name.to_owned(),
            version: "0.34.2".to_owned(),
            peers: peers.iter().map(|peer| ((*peer).to_owned(), String::new())).collect(),
            ..Said::default()
        };
        let member = |said: Said| Member {
            url: format!("http://{}:9093", said.name),
            said: Some(said),
            error: None,
            ..Member::default()
        };
        let members = [member(said("am-0", &["am-0", "am-1"])), member(said("am-1", &["am-1"]))];
        let finding = Finding {
            harm: Harm::Critical,
            code: "not_seen",
            text: "am-1 does not see am-0".to_owned(),
            advice: "look at the network".to_owned(),
        };
        let expected = "am-0  ready, 0.34.2, 0 silences, http://am-0:9093\n\
            am-1  ready, 0.34.2, 0 silences, http://am-1:9093\n\
            \n      sees am-0 am-1\n\
            am-0        ·   yes\n\
            am-1        NO   ·\n\
            \nam-0\n  config e3b0c44298, silences e3b0c44298\n  clock +0.0 s (± 0.0 s)\n  0 alerts received, 0 invalid\n\
            \nam-1\n  config e3b0c44298, silences e3b0c44298\n  clock +0.0 s (± 0.0 s)\n  0 alerts received, 0 invalid\n\
            \nCRITICAL am-1 does not see am-0 [not_seen]\n  look at the network\n";
        assert_eq!(text(&members, &[finding]), expected);
        assert!(text(&members[..1], &[]).ends_with("\nNothing found.\n"));
    }
}
