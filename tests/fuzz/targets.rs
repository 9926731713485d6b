//! What is fuzzed: six ways in for bytes that somebody else wrote. None may panic, and what is accepted must come out
//! of its own print, or its own file, as it was.

#![allow(clippy::expect_used)]

use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::Duration;

use alerting::config;
use alerting::effects::{ClusterOptions, Input, Options, Output, Restored, Snapshots};
use alerting::engine::Engine;
use alerting::journal;
use alerting::matcher::{Mode, parse_list, parse_one};
use alerting::template::{self, Data, Limits, Templates};
use alerting::time::Timestamp;
use bytes::Bytes;

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

const MODES: [Mode; 3] = [Mode::Classic, Mode::Utf8Strict, Mode::Fallback];

/// A config file.
pub fn config(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for mode in MODES {
        match config::parse(&text, mode) {
            Ok(config) => {
                let _ = config.unsupported();
                assert!(!config.original.is_empty());
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

/// Lists of matchers and single ones, in all modes.
pub fn matchers(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for mode in MODES {
        if let Ok((matcher, _)) = parse_one(mode, &text) {
            assert!(matcher.matches_value(&matcher.value) || matcher.op.is_regex() || !matcher.op.is_positive());
        }
        let Ok((matchers, _)) = parse_list(mode, &text) else { continue };
        if matchers.iter().any(|matcher| matcher.name.is_empty()) {
            // `""="x"` is read, and printed as `="x"`, which nobody can read (reference behaviour)
            continue;
        }
        let printed: Vec<String> = matchers.iter().map(ToString::to_string).collect();
        // what is printed is in the newer syntax: quoted names are not in the older one
        let (again, _) = parse_list(Mode::Utf8Strict, &format!("{{{}}}", printed.join(","))).expect("its own print");
        assert_eq!(again, matchers, "{printed:?}");
    }
}

/// Bodies of `POST /api/v2/alerts` and `POST /api/v2/silences`, taken in by an engine.
pub fn bodies(data: &[u8]) {
    for mode in MODES {
        let mut engine = engine(Restored::default(), None);
        if let Ok(alerts) = worker::api::read_alerts(data, mode, NOW) {
            feed(&mut engine, Input::Alerts { ticket: 1, alerts });
        }
        if let Ok(draft) = worker::api::read_silence(data, mode, NOW) {
            feed(&mut engine, Input::SetSilence { ticket: 2, draft });
        }
        let kept = snapshot(&mut engine);
        let again = Restored { silences: Some(kept.silences.clone()), ..Restored::default() };
        assert_eq!(snapshot(&mut self::engine(again, None)).silences, kept.silences);
    }
}

/// State files and the journal; the first byte says which.
pub fn snapshots(data: &[u8]) {
    let Some((which, content)) = data.split_first() else { return };
    let content = Bytes::copy_from_slice(content);
    let restored = match which % 5 {
        0 => Restored { silences: Some(content), ..Restored::default() },
        1 => Restored { notification_log: Some(content), ..Restored::default() },
        2 => Restored { alerts: Some(vec![content]), ..Restored::default() },
        3 => Restored { journal: vec![content], ..Restored::default() },
        _ => match journal::read(&content) {
            Ok(content) => Restored { journal: content.payloads, ..Restored::default() },
            Err(error) => return assert!(!error.to_string().is_empty()),
        },
    };
    match Engine::new(Options::default(), Restored { started_at: NOW, ..restored }) {
        Ok(mut engine) => {
            let kept = snapshot(&mut engine);
            let again = Restored {
                silences: Some(kept.silences.clone()),
                notification_log: Some(kept.notification_log.clone()),
                alerts: kept.alerts.map(|alerts| alerts.payloads().collect()),
                ..Restored::default()
            };
            let again = snapshot(&mut self::engine(again, None));
            assert_eq!((again.silences, again.notification_log), (kept.silences, kept.notification_log));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// What peers say: packets, calls and replies.
pub fn gossip(data: &[u8]) {
    let peer = SocketAddr::from(([10, 0, 0, 2], 9094));
    let mut engine = engine(Restored::default(), Some(cluster()));
    feed(&mut engine, Input::Peers(vec![SocketAddr::from(([10, 0, 0, 1], 9094)), peer]));
    let data = Bytes::copy_from_slice(data);
    feed(&mut engine, Input::Packet { from: peer, data: data.clone() });
    feed(&mut engine, Input::Called { call: 1, from: peer, data: data.clone() });
    for call in 0..4 {
        feed(&mut engine, Input::CallEnded { call, result: Ok(data.clone()) });
    }
    engine.handle(NOW + Duration::from_secs(90), Input::Tick);
    while engine.poll().is_some() {}
    let _ = snapshot(&mut engine);
}

/// A template, rendered as text and as HTML over data of many kinds.
pub fn templates(data: &[u8]) {
    static DATA: LazyLock<Data> = LazyLock::new(|| template::sample_data(NOW));
    let text = String::from_utf8_lossy(data);
    let limits = Limits { steps: 20_000, bytes: 64 << 10 };
    let templates = Templates::builtin().with_limits(limits);
    for mode in [template::Mode::Text, template::Mode::Html] {
        match templates.render(mode, &text, &DATA) {
            Ok(rendered) => {
                assert!(mode == template::Mode::Html || rendered.len() <= limits.bytes.max(text.len()));
                // what it says depends on nothing else
                assert_eq!(templates.render(mode, &text, &DATA).as_ref(), Ok(&rendered));
            }
            Err(error) => assert!(!error.to_string().is_empty() && !error.picture().is_empty()),
        }
    }
}

fn engine(restored: Restored, cluster: Option<ClusterOptions>) -> Engine {
    let restored = Restored { started_at: NOW, ..restored };
    Engine::new(Options { cluster, ..Options::default() }, restored).expect("what an engine wrote")
}

fn cluster() -> ClusterOptions {
    ClusterOptions {
        name: "am-1".into(),
        advertise: SocketAddr::from(([10, 0, 0, 1], 9094)),
        label: String::new(),
        incarnation: 1,
        gossip_interval: Duration::from_millis(200),
        pushpull_interval: Duration::from_secs(60),
        probe_interval: Duration::from_secs(1),
        probe_timeout: Duration::from_millis(500),
        peer_timeout: Duration::from_secs(15),
        settle_timeout: Duration::from_secs(60),
        reconnect_interval: Duration::from_secs(10),
        reconnect_timeout: Duration::from_secs(3600),
    }
}

fn feed(engine: &mut Engine, input: Input) {
    engine.handle(NOW, input);
    while engine.poll().is_some() {}
}

fn snapshot(engine: &mut Engine) -> Snapshots {
    engine.handle(NOW, Input::Snapshot);
    let mut found = None;
    while let Some(output) = engine.poll() {
        if let Output::Snapshot(snapshots) = output {
            found = Some(snapshots);
        }
    }
    found.expect("a snapshot was asked for")
}
