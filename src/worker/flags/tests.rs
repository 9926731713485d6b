//! Every flag of the reference by name and default, and the mistakes that must not pass.
#![allow(clippy::unwrap_used)]

use std::ffi::OsString;
use std::time::Duration;

use alerting::matcher::Mode;
use clap::CommandFactory;

use super::*;

/// The reference has none of these.
const OURS: [&str; 6] = [
    "alerts.persist",
    "cluster.dns-server",
    "config.watch",
    "web.drain-delay",
    "web.management-address",
    "web.management-token-file",
];

/// Names and defaults of Alertmanager 0.34.2, as its help prints them; `-`: a switch or none.
const REFERENCE: [(&str, &str); 42] = [
    ("help", "-"),
    ("version", "-"),
    ("config.file", "alertmanager.yml"),
    ("storage.path", "data/"),
    ("data.retention", "120h"),
    ("data.maintenance-interval", "15m"),
    ("silences.max-silences", "0"),
    ("silences.max-silence-size-bytes", "0"),
    ("log.silences", "-"),
    ("alerts.gc-interval", "30m"),
    ("alerts.per-alertname-limit", "0"),
    ("dispatch.maintenance-interval", "30s"),
    ("dispatch.start-delay", "0s"),
    ("web.systemd-socket", "-"),
    ("web.listen-address", ":9093"),
    ("web.config.file", ""),
    ("web.external-url", ""),
    ("web.route-prefix", ""),
    ("web.cors.origin", ""),
    ("web.get-concurrency", "0"),
    ("web.timeout", "0"),
    ("auto-gomemlimit.ratio", "0.9"),
    ("cluster.listen-address", "0.0.0.0:9094"),
    ("cluster.advertise-address", ""),
    ("cluster.peer-name", ""),
    ("cluster.peer", "-"),
    ("cluster.peer-timeout", "15s"),
    ("cluster.peers-resolve-timeout", "15s"),
    ("cluster.gossip-interval", "200ms"),
    ("cluster.pushpull-interval", "1m0s"),
    ("cluster.tcp-timeout", "10s"),
    ("cluster.probe-timeout", "500ms"),
    ("cluster.probe-interval", "1s"),
    ("cluster.settle-timeout", "1m0s"),
    ("cluster.reconnect-interval", "10s"),
    ("cluster.reconnect-timeout", "6h0m0s"),
    ("cluster.tls-config", ""),
    ("cluster.allow-insecure-public-advertise-address-discovery", "-"),
    ("cluster.label", ""),
    ("enable-feature", ""),
    ("log.level", "info"),
    ("log.format", "logfmt"),
];

fn parse(args: &[&str]) -> Result<Flags, Exit> {
    Flags::parse_args(args.iter().map(OsString::from))
}

fn refused(args: &[&str]) -> String {
    let exit = parse(args).unwrap_err();
    assert_eq!(exit.code, 1, "{exit:?}");
    assert_eq!(exit.text.lines().count(), 1, "{exit:?}");
    exit.text
}

#[test]
fn flags_and_defaults_are_the_references() {
    let mut command = Flags::command();
    command.build();
    let arguments = command.get_arguments().filter(|arg| !arg.is_hide_set());
    let mut ours: Vec<(String, String)> = arguments
        .map(|arg| {
            let switch = !arg.get_action().takes_values() || arg.get_default_values().is_empty();
            let default = arg.get_default_values().join(std::ffi::OsStr::new(",")).into_string().unwrap();
            (arg.get_long().unwrap().to_owned(), if switch { "-".into() } else { default })
        })
        .filter(|(name, _)| !OURS.contains(&name.as_str()))
        .collect();
    ours.sort();
    let mut theirs: Vec<(String, String)> = REFERENCE.map(|(n, d)| (n.to_owned(), d.to_owned())).into();
    theirs.sort();
    assert_eq!(ours, theirs);
}

#[test]
fn defaults_pass_the_check() {
    let settings = parse(&[]).unwrap().check().unwrap();
    assert_eq!(settings.engine.retention, Duration::from_secs(120 * 3600));
    assert_eq!(settings.engine.silences_max, None);
    assert_eq!(settings.mode, Mode::Fallback);
    assert_eq!((settings.web_timeout, settings.get_concurrency), (None, None));
    assert_eq!(settings.web_listen, [":9093"]);
    let cluster = settings.cluster.unwrap();
    assert_eq!(cluster.engine.reconnect_timeout, Duration::from_secs(6 * 3600));
    assert!(cluster.peers.is_empty() && cluster.name.is_none() && cluster.advertise.is_none());
}

#[test]
fn both_forms_of_values_and_of_switches_work() {
    let flags = parse(&[
        "--log.silences",
        "--no-web.systemd-socket",
        "--cluster.peer=a:1",
        "--cluster.peer",
        "[::1]:2",
        "--web.listen-address",
        ":1",
        "--web.listen-address=:2",
        "--data.retention=1w2d",
        "--cluster.listen-address=",
        "--silences.max-silences=-1",
        "--alerts.per-alertname-limit",
        "7",
        "--log.format=json",
        "--cluster.dns-server=127.0.0.1:53",
    ])
    .unwrap();
    assert!(flags.log_silences && !flags.web_systemd_socket);
    assert_eq!(flags.cluster_peer, ["a:1", "[::1]:2"]);
    assert_eq!(flags.web_listen_address, [":1", ":2"]);
    let settings = flags.check().unwrap();
    assert_eq!(settings.engine.retention, Duration::from_secs(9 * 86_400));
    assert!(settings.cluster.is_none());
    assert_eq!((settings.engine.silences_max, settings.engine.alerts_per_name_max), (None, Some(7)));
}

#[test]
fn mistakes_exit_with_1_and_one_line() {
    assert!(refused(&["--bad-flag"]).starts_with("alertmanager: error: "));
    assert!(refused(&["--bad-flag"]).contains("--bad-flag"));
    for args in [
        ["--data.retention=soon", ""],
        ["--data.retention", "-1h"],
        ["--silences.max-silences=many", ""],
        ["--log.level=trace", ""],
        ["--log.format=xml", ""],
        ["--config.file=a", "--config.file=b"],
        ["--log.silences", "--no-log.silences"],
        ["--log.silences=true", ""],
        ["--cluster.dns-server=somewhere", ""],
        ["extra", ""],
        ["--config.file", ""],
        ["@/no/such/file", ""],
    ] {
        let args: Vec<&str> = args.into_iter().filter(|arg| !arg.is_empty()).collect();
        refused(&args);
    }
}

#[test]
fn help_and_version_exit_with_0() {
    for flag in ["-h", "--help"] {
        let exit = parse(&[flag]).unwrap_err();
        assert_eq!(exit.code, 0);
        assert!(REFERENCE.iter().all(|(name, _)| exit.text.contains(&format!("--{name}"))), "{}", exit.text);
        assert!(!exit.text.contains("--no-"), "{}", exit.text);
    }
    let exit = parse(&["--version"]).unwrap_err();
    assert_eq!(exit.code, 0);
    let start = "alertmanager, version 0.34.2 (branch: ";
    assert!(exit.text.starts_with(start), "{}", exit.text);
}

#[test]
fn a_file_holds_arguments_line_by_line() {
    let directory = tempfile::tempdir().unwrap();
    let (inner, outer) = (directory.path().join("inner"), directory.path().join("outer"));
    std::fs::write(&inner, "# no argument\n--cluster.label\na b\n").unwrap();
    std::fs::write(&outer, format!("--log.silences\n\n@{}\n", inner.display())).unwrap();
    let flags = parse(&[&format!("@{}", outer.display()), "--log.level=debug"]).unwrap();
    assert_eq!((flags.log_silences, flags.cluster_label.as_str(), flags.log_level), (true, "a b", LogLevel::Debug));

    std::fs::write(&inner, format!("@{}\n", inner.display())).unwrap();
    assert!(refused(&[&format!("@{}", inner.display())]).contains("too many files"));
}

#[test]
fn what_cannot_hold_is_refused() {
    let table = [
        ("--data.retention=0s", "must be greater than 0"),
        ("--cluster.probe-interval=0s", "must be greater than 0"),
        ("--cluster.advertise-address=host:1", "IP:PORT"),
        ("--cluster.advertise-address=10.0.0.1", "IP:PORT"),
        ("--cluster.peer=nowhere", "HOST:PORT"),
        ("--cluster.peer=::1", "HOST:PORT"),
        ("--cluster.listen-address=9094", "HOST:PORT"),
        ("--enable-feature=auto-gomaxprocs", "unknown option `auto-gomaxprocs`"),
        ("--enable-feature=classic-mode,utf8-strict-mode", "exclude each other"),
        ("--web.cors.origin=(", "not a regular expression"),
    ];
    for (arg, text) in table {
        let error = parse(&[arg]).unwrap().check().unwrap_err();
        assert!(error.to_string().contains(text), "{arg}: {error}");
    }
    // without high availability its durations don't matter, and settling at once is allowed with it
    assert!(parse(&["--cluster.listen-address=", "--cluster.probe-interval=0s"]).unwrap().check().is_ok());
    assert!(parse(&["--cluster.settle-timeout=0"]).unwrap().check().is_ok());
}

/// Manifests have brackets around whatever address the pod has; the reference takes them (tried).
#[test]
fn brackets_may_be_around_any_address() {
    for (given, expected) in
        [("[10.0.0.1]:1", "10.0.0.1:1"), ("[fd00::1]:1", "[fd00::1]:1"), ("10.0.0.1:1", "10.0.0.1:1")]
    {
        let settings = parse(&[&format!("--cluster.advertise-address={given}")]).unwrap().check().unwrap();
        assert_eq!(settings.cluster.unwrap().advertise, Some(expected.parse().unwrap()), "{given}");
    }
}

#[test]
fn features_choose_the_syntax_and_idle_flags_are_known() {
    let settings = parse(&["--enable-feature=classic-mode", "--dispatch.maintenance-interval=1s"]).unwrap().check();
    let settings = settings.unwrap();
    assert_eq!(settings.mode, Mode::Classic);
    assert_eq!(settings.idle_flags, ["dispatch.maintenance-interval"]);
    let strict = parse(&["--enable-feature=utf8-strict-mode,auto-gomemlimit,event-recorder"]).unwrap().check().unwrap();
    assert_eq!(strict.mode, Mode::Utf8Strict);
    assert_eq!(strict.features.iter().filter(|feature| feature.message.is_none()).count(), 1);
    assert!(strict.engine.record_events && !settings.engine.record_events);
    assert!(strict.idle_flags.is_empty());
}
