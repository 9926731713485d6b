//! Every alert of `config/monitoring/rules.yml` has a page that says what to do.

use std::collections::BTreeSet;

use serde_json::Value;

const DIR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/config/monitoring");

#[test]
fn every_alert_has_a_runbook_and_every_runbook_an_alert() {
    let rules: Value = serde_saphyr::from_str(&std::fs::read_to_string(format!("{DIR}/rules.yml")).unwrap()).unwrap();
    let groups = rules["groups"].as_array().unwrap().iter();
    // these two are posted by the program itself
    let posted = ["AlertmanagerNodeFailure", "AlertmanagerClusterInconsistent"].map(str::to_owned);
    let alerts: BTreeSet<String> = groups
        .flat_map(|group| group["rules"].as_array().unwrap())
        .map(|rule| rule["alert"].as_str().unwrap().to_owned())
        .chain(posted)
        .collect();
    let files = std::fs::read_dir(format!("{DIR}/runbooks")).unwrap().flatten();
    let pages: BTreeSet<String> =
        files.map(|file| file.file_name().to_string_lossy().trim_end_matches(".md").to_owned()).collect();
    assert_eq!(pages, alerts);
    for name in pages {
        let text = std::fs::read_to_string(format!("{DIR}/runbooks/{name}.md")).unwrap();
        let headings: Vec<&str> = text.lines().filter(|line| line.starts_with('#')).collect();
        let title = format!("# {name}");
        assert_eq!(headings, [&title, "## Meaning", "## Impact", "## Diagnosis", "## Mitigation"]);
        let empty =
            text.split("\n## ").skip(1).any(|section| section.lines().skip(1).all(|line| line.trim().is_empty()));
        assert!(!empty, "a section of {name} says nothing");
    }
}

/// What a page tells people to type must be there to be typed.
#[test]
fn commands_and_metrics_that_runbooks_name_exist() {
    let output = |args: &[&str]| {
        let output = std::process::Command::new(crate::process::PROGRAM).args(args).output().unwrap();
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    };
    let help = output(&["--help"]);
    let flags = output(&["worker", "--help"]);
    for file in std::fs::read_dir(format!("{DIR}/runbooks")).unwrap().flatten() {
        let text = std::fs::read_to_string(file.path()).unwrap();
        for command in text.split("alertmanager-operator ").skip(1).filter_map(|rest| rest.split([' ', '`']).next()) {
            assert!(help.contains(&format!("  {command} ")), "{}: there is no `{command}`", file.path().display());
        }
        for flag in text.split("`--").skip(1).filter_map(|rest| rest.split(['`', ' ', '=']).next()) {
            assert!(flags.contains(&format!("--{flag}")), "{}: there is no --{flag}", file.path().display());
        }
    }
}
