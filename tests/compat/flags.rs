//! The command line: the same words to both programs; the same exit code, and the same mistake in the same words.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::peer::programs;

const PROGRAM: &str = env!("CARGO_BIN_EXE_alertmanager-operator");

/// Ours only.
const OURS: [&str; 6] = [
    "alerts.persist",
    "cluster.dns-server",
    "config.watch",
    "web.drain-delay",
    "web.management-address",
    "web.management-token-file",
];

/// Lines of words; `FILE:` stands for the directory of [`files`].
const LINES: [&str; 119] = [
    "--nope",
    "--nope=1",
    "-x",
    "-xyz",
    "--",
    "-- --nope",
    "-- x",
    "extra",
    "--version",
    "--version --nope",
    "--nope --version",
    "--version extra",
    "--help",
    "-h",
    "--help --nope",
    "--help --version",
    "--no-nope",
    // each flag with a value that both take
    "--config.file=x",
    "--config.file x",
    "--storage.path=other",
    "--data.retention=1h",
    "--data.retention 1h",
    "--data.maintenance-interval=1m",
    "--silences.max-silences=5",
    "--silences.max-silence-size-bytes=100",
    "--log.silences",
    "--no-log.silences",
    "--alerts.gc-interval=1h",
    "--alerts.per-alertname-limit=3",
    "--dispatch.maintenance-interval=1m",
    "--dispatch.start-delay=1s",
    "--no-web.systemd-socket",
    "--web.listen-address=127.0.0.1:0",
    "--web.listen-address=127.0.0.1:0 --web.listen-address=127.0.0.1:0",
    "--web.external-url=http://x/y",
    "--web.route-prefix=/y",
    "--web.cors.origin=.*",
    "--web.get-concurrency=3",
    "--web.timeout=5s",
    "--auto-gomemlimit.ratio=0.5",
    "--cluster.advertise-address=127.0.0.1:1",
    "--cluster.peer-name=x",
    "--cluster.peer=127.0.0.1:1",
    "--cluster.peer=127.0.0.1:1 --cluster.peer=127.0.0.1:2",
    "--cluster.peer-timeout=1s",
    "--cluster.peers-resolve-timeout=1s",
    "--cluster.gossip-interval=1s",
    "--cluster.pushpull-interval=1s",
    "--cluster.tcp-timeout=1s",
    "--cluster.probe-timeout=1s",
    "--cluster.probe-interval=1s",
    "--cluster.settle-timeout=0s",
    "--cluster.reconnect-interval=1s",
    "--cluster.reconnect-timeout=1s",
    "--cluster.allow-insecure-public-advertise-address-discovery",
    "--no-cluster.allow-insecure-public-advertise-address-discovery",
    "--cluster.label=x",
    "--log.level=debug",
    "--log.level=DEBUG",
    "--log.format=json",
    "--enable-feature=classic-mode",
    "--enable-feature=",
    "--enable-feature=alert-names-in-metrics,receiver-name-in-metrics,group-key-in-metrics",
    "--enable-feature=utf8-strict-mode",
    "--enable-feature=auto-gomemlimit",
    // values that are none, or odd
    "--config.file",
    "--log.level",
    "--log.level=nope",
    "--log.level nope",
    "--log.format=JSON",
    "--log.format=x",
    "--data.retention=abc",
    "--data.retention=1x",
    "--data.retention=",
    "--data.retention=5",
    "--data.retention -1h",
    "--data.retention=1w2d3h",
    "--data.retention=1.5h",
    "--data.retention=1y",
    "--data.retention=0",
    "--silences.max-silences=x",
    "--silences.max-silences=-1",
    "--silences.max-silences -1",
    "--silences.max-silences=1.5",
    "--silences.max-silences=1e3",
    "--silences.max-silences=",
    "--alerts.per-alertname-limit=0x10",
    "--web.get-concurrency=one",
    "--auto-gomemlimit.ratio=x",
    "--auto-gomemlimit.ratio=7",
    "--enable-feature=auto-gomemlimit --auto-gomemlimit.ratio=7",
    "--web.timeout=-1s",
    "--dispatch.start-delay=-1s",
    "--web.timeout=",
    "--web.cors.origin=(",
    "--enable-feature=nope",
    "--enable-feature=classic-mode,utf8-strict-mode",
    "--alerts.gc-interval=0s",
    "--dispatch.maintenance-interval=0s",
    "--data.maintenance-interval=0s",
    // switches have no values, and nothing but lists is repeated
    "--log.silences=true",
    "--log.silences=false",
    "--log.silences --log.silences",
    "--log.silences --no-log.silences",
    "--config.file=a --config.file=b",
    "--no-log.level",
    "--no-config.file=x",
    "--web.timeout=1s --web.timeout=1s",
    "--enable-feature=classic-mode --enable-feature=classic-mode",
    // prefixes are not flags
    "--log.lev=debug",
    "--config",
    "--=x",
    // files
    "@FILE:good",
    "@FILE:unknown",
    "@FILE:value",
    "@FILE:extra",
    "@FILE:nowhere",
    "@",
    "@FILE:nested",
];

#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// It ends at once, with what was asked for.
    Told,
    /// The command line is a mistake.
    Mistake(String),
    /// The command line is right as such; there is no config, or a later check says no.
    Later,
}

fn outcome(program: &Path, words: &[String], directory: &Path) -> (Option<i32>, Outcome) {
    let mut command = Command::new(program);
    command.args(words).current_dir(directory);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let outcome = match text.lines().next().and_then(|line| line.strip_prefix("alertmanager: error: ")) {
        _ if output.status.success() => Outcome::Told,
        Some(mistake) => Outcome::Mistake(mistake.to_owned()),
        None => Outcome::Later,
    };
    (output.status.code(), outcome)
}

fn files(directory: &Path) {
    let write = |name: &str, text: &str| std::fs::write(directory.join(name), text).unwrap();
    write("good", "# a comment\n\n  \n--log.level=debug\n--cluster.label\na b\n");
    write("unknown", "--log.level=debug\n--nope\n");
    write("value", "--log.level=nope\n");
    write("extra", "log.level\n");
    write("nested", &format!("--log.silences\n@{}\n", directory.join("unknown").display()));
}

#[test]
fn mistakes_are_the_same() {
    let directory = tempfile::tempdir().unwrap();
    files(directory.path());
    // by its other name, with no command line of ours around the reference's
    let worker = directory.path().join("alertmanager");
    std::os::unix::fs::symlink(PROGRAM, &worker).unwrap();
    let mut differing = Vec::new();
    for line in LINES {
        let base = directory.path().display();
        let mut words: Vec<String> = line.split(' ').map(|word| word.replace("FILE:", &format!("{base}/"))).collect();
        if !line.starts_with("--cluster") && !words.contains(&"--".to_owned()) {
            // in front, where it can't become another flag's value; no port is taken
            words.insert(0, "--cluster.listen-address=".to_owned());
        } else if line.starts_with("--cluster") {
            words.insert(0, "--cluster.listen-address=127.0.0.1:0".to_owned());
        }
        let theirs = outcome(&programs::path("alertmanager"), &words, directory.path());
        let ours = outcome(&worker, &words, directory.path());
        if ours != theirs {
            differing.push(format!("{line}\n  ours   {ours:?}\n  theirs {theirs:?}"));
        }
    }
    assert!(differing.is_empty(), "{} differ:\n{}", differing.len(), differing.join("\n"));
}

#[test]
fn help_lists_the_same_flags_with_the_same_defaults() {
    let help = |program: &Path, first: &[&str]| {
        let output = Command::new(program).args(first).arg("--help").output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty());
        String::from_utf8(output.stdout).unwrap()
    };
    let theirs = help(&programs::path("alertmanager"), &[]);
    let ours = help(Path::new(PROGRAM), &["worker"]);
    let mut listed = BTreeMap::new();
    for line in theirs.lines() {
        // descriptions stand further to the right
        let Some(flag) = line.strip_prefix("      --").or_else(|| line.strip_prefix("  -h, --")) else { continue };
        let flag = flag.split(' ').next().unwrap();
        let (name, default) = flag.split_once('=').unwrap_or((flag, ""));
        listed.insert(name.trim_start_matches("[no-]").to_owned(), default.trim_matches('"').to_owned());
    }
    let mut found = BTreeMap::new();
    let mut last = String::new();
    for line in ours.lines() {
        if let Some(flag) = line.trim_start().trim_start_matches("-h, ").strip_prefix("--") {
            last = flag.split(' ').next().unwrap().to_owned();
            found.insert(last.clone(), String::new());
        }
        if let Some((_, default)) = line.split_once("[default: ") {
            found.insert(last.clone(), default.split(']').next().unwrap().trim_matches('"').to_owned());
        }
    }
    OURS.iter().for_each(|name| drop(found.remove(*name)));
    let names = |of: &BTreeMap<String, String>| of.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&found), names(&listed));
    for (name, default) in &listed {
        // theirs names the value where there is no default
        if *default != name.to_uppercase() {
            assert_eq!(found.get(name), Some(default), "{name}");
        }
    }
}
