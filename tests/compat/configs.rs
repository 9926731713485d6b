//! Configs: the same verdict, the same text of an error, and the same text when printed back.
//!
//! What may differ is in the table of configs in `differences.md`.

mod cases;
mod meant;

use alerting::config::{self, ConfigError};
use alerting::matcher::Mode;
use serde_json::json;

use crate::peer::Peer;
use meant::{Differs, Meant};

/// So many are shown when a test fails.
const SHOWN: usize = 40;

#[test]
fn whole_configs_are_the_same() {
    compare(&cases::whole());
}

#[test]
fn relative_paths_count_from_the_same_directory() {
    const DIRECTORY: &str = "/config/directory";
    let mut peer = Peer::start();
    for text in cases::whole() {
        let theirs = peer.ask("config_file", json!({ "text": text, "directory": DIRECTORY })).unwrap();
        let ours = config::parse_in(&text, Mode::Fallback, DIRECTORY).unwrap();
        let theirs = theirs.as_str().unwrap();
        assert!(*ours.original == *theirs, "{}", first_line_that_differs(&ours.original, theirs));
    }
}

#[test]
fn every_kind_of_error_is_the_same() {
    let cases = cases::parts();
    assert!(cases.len() > 300, "{} cases", cases.len());
    compare(&cases);
    let unused: Vec<_> = meant::all().into_iter().filter(|m| !cases.iter().any(|text| m.is_about(text))).collect();
    assert!(unused.is_empty(), "no case shows these differences: {unused:#?}");
}

#[test]
fn damaged_configs_are_the_same() {
    let cases = cases::damaged();
    assert!(cases.len() > 3000, "{} cases", cases.len());
    compare(&cases);
}

/// Compares all configs and fails with the first differences that are not meant.
fn compare(texts: &[String]) {
    let mut peer = Peer::start();
    let meant = meant::all();
    let mut found = Vec::new();
    for text in texts {
        let theirs = peer.ask("config", json!({ "text": text }));
        let theirs = theirs.map(|printed| printed.as_str().unwrap().to_owned());
        let ours = config::parse(text, Mode::Fallback);
        let ours = ours.map(|config| config.original.to_string());
        let Some((differs, what)) = difference(&ours, &theirs) else { continue };
        if !meant.iter().any(|m: &Meant| m.differs == differs && m.is_about(text)) {
            found.push(format!("{differs:?}: {what}\n----\n{text}"));
        }
    }
    let shown: Vec<&str> = found.iter().take(SHOWN).map(String::as_str).collect();
    assert!(found.is_empty(), "{} of {} differ\n\n{}", found.len(), texts.len(), shown.join("\n\n"));
}

fn difference(ours: &Result<String, ConfigError>, theirs: &Result<String, String>) -> Option<(Differs, String)> {
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) if ours == theirs => None,
        (Ok(ours), Ok(theirs)) => Some((Differs::Print, first_line_that_differs(ours, theirs))),
        (Ok(_), Err(theirs)) => Some((Differs::Verdict, format!("only the reference refuses it: {theirs}"))),
        (Err(ours), Ok(_)) => Some((Differs::Verdict, format!("only we refuse it: {ours}"))),
        (Err(ours), Err(theirs)) if same_error(ours, theirs) => None,
        (Err(ours), Err(theirs)) => Some((Differs::Error, format!("ours: {ours}\ntheirs: {theirs}"))),
    }
}

/// Whether our error tells what the reference's does.
fn same_error(ours: &ConfigError, theirs: &str) -> bool {
    // a panic is no text that could be compared
    if theirs.starts_with("the reference panics") {
        return true;
    }
    // of the errors of types it lists all, of which ours must be one, on the same line
    if let Some(list) = theirs.strip_prefix("yaml: unmarshal errors:\n") {
        let ours = format!("line {}: {}", ours.line.unwrap_or_default(), ours.message);
        return format!("{list}\n").contains(&format!("  {ours}\n"));
    }
    // each YAML parser has its own words
    if theirs.starts_with("yaml: ") && ours.message.starts_with("yaml: ") {
        return true;
    }
    // a URL may be a secret, so that ours is without it
    let theirs = match (theirs.find("parse \""), theirs.rfind("\": ")) {
        (Some(from), Some(to)) if from < to => format!("{}{}", &theirs[..from], &theirs[to + 3..]),
        _ => theirs.to_owned(),
    };
    ours.message.contains(&theirs)
}

fn first_line_that_differs(ours: &str, theirs: &str) -> String {
    let mut lines = ours.lines().zip(theirs.lines());
    match lines.find(|(ours, theirs)| ours != theirs) {
        Some((ours, theirs)) => format!("ours: {ours}\ntheirs: {theirs}"),
        None => format!("ours: {} lines, theirs: {}", ours.lines().count(), theirs.lines().count()),
    }
}
