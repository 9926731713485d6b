//! Scenarios in virtual time: what goes into one engine or several, and all that comes out of them.
//!
//! The text files beside this one are scripts and expectations in one: lines that begin with `>` are what the engines
//! did after the step above. `BLESS=1` writes them anew; read the difference before you keep it. `README.md` has the
//! language.

#![allow(clippy::unwrap_used)]

#[allow(dead_code, reason = "shared with the simulation")]
#[path = "../../src/sim/disk.rs"]
mod disk;
mod script;
mod show;
mod steps;
mod world;

use std::path::PathBuf;

const FILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scenarios");

#[test]
fn scenarios_come_out_as_written() {
    let paths = std::fs::read_dir(FILES).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|e| e == "txt")).collect();
    paths.sort();
    let bless = std::env::var_os("BLESS").is_some();
    let (mut told, mut differences) = (0, Vec::new());
    for path in paths {
        let name = path.file_name().unwrap().to_str().unwrap();
        let wanted = std::fs::read_to_string(&path).unwrap();
        let file = script::read(name, &wanted);
        told += file.scenarios.len();
        let seen = script::write(&file, |scenario| world::run(name, scenario));
        if bless && seen != wanted {
            std::fs::write(&path, &seen).unwrap();
        } else if seen != wanted {
            differences.push(difference(name, &wanted, &seen));
        }
    }
    assert!(told >= 40, "only {told} scenarios were found");
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// The lines around the first difference of each scenario.
fn difference(name: &str, wanted: &str, seen: &str) -> String {
    let scenarios = |text: &str| -> Vec<String> { text.split("\n== ").map(str::to_owned).collect() };
    let mut report = String::new();
    for (wanted, seen) in scenarios(wanted).iter().zip(scenarios(seen)) {
        if *wanted != seen {
            let title = wanted.lines().next().unwrap_or_default();
            report += &format!("{name}: {title}\n--- as written\n{wanted}\n--- as it is\n{seen}\n");
        }
    }
    report
}
