//! The event recorder: the same events for the same story, in a file, by webhook, in topics and on standard output.

use std::collections::BTreeMap;

use serde_json::Value;

use super::kafka::Brokers;
use super::{ALERTS, Life, Sink, config, silence};
use crate::wait::until;

/// What differs from run to run: times, ids, hosts, versions.
const OWN_KEYS: [&str; 9] =
    ["@timestamp", "instance", "id", "groupUuid", "startsAt", "endsAt", "updatedAt", "version", "buildContext"];

/// An event without what differs from run to run, lists of hashes in order.
fn normal(mut event: Value) -> Value {
    normalize(&mut event);
    event
}

fn normalize(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields.iter_mut() {
                if OWN_KEYS.contains(&key.as_str()) {
                    assert!(value.as_str().is_some_and(|text| !text.is_empty()), "{key}: {value}");
                    // the zero time means something
                    if !value.as_str().is_some_and(|text| text.starts_with("0001")) {
                        *value = "…".into();
                    }
                }
                normalize(value);
            }
        }
        Value::Array(items) => {
            items.iter_mut().for_each(normalize);
            if items.iter().all(|item| item["hash"].is_string()) {
                items.sort_by_key(Value::to_string);
            }
        }
        _ => {}
    }
}

/// How often each event came; they are told by several tasks of the reference, in no fixed order.
pub(super) fn counted(events: impl IntoIterator<Item = Value>) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for event in events {
        *counts.entry(normal(event).to_string()).or_default() += 1;
    }
    counts
}

/// Lives through all kinds of events; those in the file, and those printed.
fn story(mut life: Life) -> [Vec<Value>; 2] {
    let id = silence(&life);
    let longer = format!(
        r#"{{"id":"{id}","matchers":[{{"name":"alertname","value":"Silenced","isRegex":false}}],"comment":"d",
        "startsAt":"2026-01-01T00:00:00Z","endsAt":"2098-01-01T00:00:00Z","createdBy":"you"}}"#
    );
    // the start is compared by the second, and was set to the moment of its making
    let made: Value = serde_json::from_str(&life.get(&format!("/api/v2/silence/{id}")).unwrap()).unwrap();
    let longer = longer.replace("2026-01-01T00:00:00Z", made["startsAt"].as_str().unwrap());
    life.post("/api/v2/silences", &longer).unwrap();
    life.post("/api/v2/alerts", ALERTS).unwrap();
    let path = life.directory.path().join("events.jsonl");
    let read = || -> Vec<Value> {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    };
    let has = |kind: &str, count: usize| {
        let found = read().iter().filter(|event| event["data"][kind].is_object()).count();
        if found >= count { Ok(()) } else { Err(format!("{found} of {kind}")) }
    };
    until("notifications", || has("notification", 2));
    until("mutes", || has("silenceMutedAlert", 1).and(has("inhibitionMutedAlert", 1)));
    let resolved =
        r#"[{"labels":{"alertname":"Late"},"startsAt":"2020-01-01T00:00:00Z","endsAt":"2020-01-02T00:00:00Z"}]"#;
    life.post("/api/v2/alerts", resolved).unwrap();
    until("a resolved alert", || has("alertResolved", 1));
    until("a failed notification", || {
        life.get("/metrics").and_then(|text| {
            let line = "reason=\"clientError\"} 1";
            if text.contains(line) { Ok(()) } else { Err("none".to_owned()) }
        })
    });
    life.stop();
    let printed = life.program.output();
    let printed = printed.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    [read(), printed.filter(|line| line["@timestamp"].is_string()).collect()]
}

#[test]
fn the_same_story_is_recorded_alike_everywhere() {
    let (sink, theirs_sink) = (Sink::start(), Sink::start());
    let (mut brokers, mut their_brokers) = (Brokers::start(), Brokers::start());
    let recorded = |sink: &Sink, brokers: &Brokers| {
        let (to, topics) = (sink.address, brokers.outputs());
        format!(
            "{}event_recorder:\n  file_outputs: [{{path: '@DIR@/events.jsonl'}}]\n  stdout_outputs: [{{}}]\n  \
             webhook_outputs: [{{url: 'http://u:p@{to}/ok/events?token=x', workers: 1}}]\n  \
             kafka_outputs:\n{topics}",
            config(sink)
        )
    };
    let args = ["--cluster.listen-address=", "--enable-feature=event-recorder"];
    let ip = crate::process::own_address();
    let ours = Life::start(crate::process::PROGRAM, ip, &recorded(&sink, &brokers), &[&["worker"], &args[..]].concat());
    let theirs = Life::start_reference(ip, &recorded(&theirs_sink, &their_brokers), &args);
    let ([file, printed], [their_file, _]) = std::thread::scope(|scope| {
        let ours = scope.spawn(|| story(ours));
        let theirs = story(theirs);
        (ours.join().unwrap(), theirs)
    });
    let posted = sink.bodies("/ok/events?token=x");
    assert_eq!(counted(printed), counted(file.clone()));
    assert_eq!(counted(posted), counted(file.clone()));
    for (topic, theirs) in brokers.topics().into_iter().zip(their_brokers.topics()) {
        assert_eq!(topic.manner, theirs.manner);
        assert_eq!(counted(topic.events), counted(file.clone()), "{:?}", topic.manner);
        assert_eq!(counted(theirs.events), counted(their_file.clone()), "{:?}", theirs.manner);
    }
    let (ours, theirs) = (counted(file), counted(their_file));
    let only = |a: &BTreeMap<String, u32>, b: &BTreeMap<String, u32>| -> Vec<String> {
        a.iter().filter(|(event, count)| b.get(*event) != Some(count)).map(|(e, n)| format!("{n} × {e}")).collect()
    };
    let (here, there) = (only(&ours, &theirs), only(&theirs, &ours));
    assert!(here.is_empty() && there.is_empty(), "only here:\n{}\nonly there:\n{}", here.join("\n"), there.join("\n"));
}
