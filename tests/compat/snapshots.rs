//! State files, both ways: what one program wrote, the other reads, and nothing in it is lost.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use alerting::effects::{Input, Options, Output, Restored, Snapshots};
use alerting::engine::Engine;
use alerting::matcher::{Matcher, Op};
use alerting::silence::SilenceDraft;
use alerting::time::Timestamp;
use serde_json::{Value, json};

use crate::peer::Peer;

const NOW: Timestamp = Timestamp::from_secs(1_650_000_000);

fn hex(data: &[u8]) -> String {
    data.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn bytes(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
}

/// A start of ours with these files.
fn engine(silences: Vec<u8>, log: Vec<u8>) -> Engine {
    let restored = Restored {
        silences: Some(silences.into()),
        notification_log: Some(log.into()),
        started_at: NOW,
        ..Restored::default()
    };
    Engine::new(Options::default(), restored).unwrap()
}

/// What it writes.
fn snapshot(engine: &mut Engine) -> Snapshots {
    engine.handle(NOW, Input::Snapshot);
    let outputs = std::iter::from_fn(|| engine.poll());
    let mut snapshots = outputs.filter_map(|output| match output {
        Output::Snapshot(snapshots) => Some(snapshots),
        _ => None,
    });
    snapshots.next().unwrap()
}

/// The records of a file after the reference has read and written it.
fn rewritten(peer: &mut Peer, kind: &str, file: &str) -> (String, Value) {
    let answer = peer
        .ask(&format!("{kind}-file"), json!({ "data": file }))
        .unwrap_or_else(|error| panic!("{kind} {file}: {error}"));
    (answer["data"].as_str().unwrap().to_owned(), answer["records"].clone())
}

#[test]
fn files_survive_the_other_program_with_all_their_fields() {
    let mut peer = Peer::start();
    let mut records = 0;
    for seed in 0..250 {
        let drawn = peer.ask("generate", json!({ "seed": seed })).unwrap();
        let text = |kind: &str| drawn[kind].as_str().unwrap().to_owned();
        let ours = snapshot(&mut engine(bytes(&text("silences")), bytes(&text("nflog"))));
        for (kind, ours) in [("silences", &ours.silences), ("nflog", &ours.notification_log)] {
            let (_, theirs) = rewritten(&mut peer, kind, &text(kind));
            let (_, of_ours) = rewritten(&mut peer, kind, &hex(ours));
            assert_eq!(of_ours, theirs, "seed {seed}, {kind}");
            records += theirs.as_array().unwrap().len();
        }
        // what they have written since is the same to us
        let (silences, _) = rewritten(&mut peer, "silences", &hex(&ours.silences));
        let (log, _) = rewritten(&mut peer, "nflog", &hex(&ours.notification_log));
        let again = snapshot(&mut engine(bytes(&silences), bytes(&log)));
        assert_eq!(
            rewritten(&mut peer, "silences", &hex(&again.silences)).1,
            rewritten(&mut peer, "silences", &silences).1
        );
        assert_eq!(
            rewritten(&mut peer, "nflog", &hex(&again.notification_log)).1,
            rewritten(&mut peer, "nflog", &log).1
        );
    }
    assert!(records > 1000, "{records}");
}

#[test]
fn silences_made_here_come_back_from_the_other_program_as_they_were() {
    let mut engine = engine(Vec::new(), Vec::new());
    for n in 0..200_u64 {
        let op = [Op::Equal, Op::NotEqual, Op::Regex, Op::NotRegex][(n % 4) as usize];
        let matchers = vec![
            Matcher::new(Op::Equal, "alertname", "é \"quoted\"").unwrap(),
            Matcher::new(op, "instance", format!("i{n}|x").as_str()).unwrap(),
        ];
        let draft = SilenceDraft {
            id: None,
            matchers,
            starts_at: (n % 3 == 0).then_some(NOW + Duration::from_nanos(n)),
            ends_at: NOW + Duration::from_millis(1000 + n),
            created_by: format!("by {n}"),
            comment: "x".repeat(n as usize),
            annotations: (0..n % 3).map(|m| (m.to_string(), "text".to_owned())).collect::<BTreeMap<_, _>>(),
        };
        engine.handle(NOW, Input::SetSilence { ticket: n, draft });
        while engine.poll().is_some() {}
    }
    let ours = snapshot(&mut engine).silences;
    let mut peer = Peer::start();
    let (theirs, records) = rewritten(&mut peer, "silences", &hex(&ours));
    assert_eq!(records.as_array().unwrap().len(), 200);
    let again = snapshot(&mut self::engine(bytes(&theirs), Vec::new())).silences;
    assert_eq!(hex(&again), hex(&ours));
}

#[test]
fn both_refuse_what_is_cut_off() {
    let mut peer = Peer::start();
    let drawn = peer.ask("generate", json!({ "seed": 1 })).unwrap();
    for kind in ["silences", "nflog"] {
        let whole = drawn[kind].as_str().unwrap();
        let cut = &whole[..whole.len() - 2];
        assert!(peer.ask(&format!("{kind}-file"), json!({ "data": cut })).is_err());
        let data = Some(bytes(cut).into());
        let restored = match kind {
            "silences" => Restored { silences: data, ..Restored::default() },
            _ => Restored { notification_log: data, ..Restored::default() },
        };
        assert!(Engine::new(Options::default(), restored).is_err());
    }
}
