//! Inhibition: random rules and alerts; the same alerts are kept quiet, by a source that the rules allow.

use std::sync::Arc;
use std::time::Duration;

use alerting::alert::PostedAlert;
use alerting::config::{self, Config};
use alerting::effects::{Input, Options, Restored};
use alerting::engine::Engine;
use alerting::label::{Fingerprint, LabelSet};
use alerting::matcher::Mode;
use alerting::time::Timestamp;
use alerting::view::AlertFilter;
use serde_json::{Value, json};

use crate::dice::Dice;
use crate::peer::Peer;

const CASES: u64 = 300;
const ALERTS: usize = 40;
/// When the peer's clock starts: 2000-01-01.
const START: Timestamp = Timestamp::from_secs(946_684_800);
const MINUTE: i64 = 60_000_000_000;

struct Posted {
    labels: LabelSet,
    starts: i64,
    ends: i64,
}

#[test]
fn the_same_alerts_are_inhibited() {
    let mut peer = Peer::start();
    let (mut inhibited, mut firing) = (0, 0);
    for seed in 0..CASES {
        let mut dice = Dice::new(seed);
        let rules: Vec<Value> = (0..dice.below(5) + 1).map(|_| rule(&mut dice)).collect();
        let text = json!({ "route": { "receiver": "x" }, "receivers": [{ "name": "x" }], "inhibit_rules": rules });
        let text = text.to_string();
        let alerts = posted(&mut dice);
        let later = dice.within(1, 40) * MINUTE + 1;
        let asked: Vec<Value> = alerts
            .iter()
            .map(|a| {
                let labels: Value =
                    a.labels.iter().map(|(n, v)| (n.to_owned(), json!(v))).collect::<serde_json::Map<_, _>>().into();
                json!({ "labels": labels, "starts": a.starts, "ends": a.ends })
            })
            .collect();
        let theirs = peer.ask("inhibit", json!({ "config": text, "alerts": asked, "later": later })).unwrap();
        let config = Arc::new(config::parse(&text, Mode::Fallback).unwrap());
        let mut engine = running(&config, &alerts);
        let now = START + Duration::from_nanos(later as u64);
        for row in engine.view(now).alerts(&AlertFilter::default()) {
            let at = alerts.iter().position(|a| a.labels == row.alert.labels).unwrap();
            let ours = row.status.inhibited_by.first().map(Fingerprint::to_string).unwrap_or_default();
            let theirs = theirs[at].as_str().unwrap();
            let allowed = allowed(&config, &alerts, at, later);
            let context = format!("seed {seed}: {} in {text}\nallowed {allowed:?}", alerts[at].labels);
            assert_eq!(ours.is_empty(), theirs.is_empty(), "ours {ours}, theirs {theirs}: {context}");
            for by in [ours.as_str(), theirs] {
                assert!(
                    by.is_empty() == allowed.is_empty() && (by.is_empty() || allowed.contains(&by.to_owned())),
                    "{by}: {context}"
                );
            }
            firing += 1;
            inhibited += usize::from(!ours.is_empty());
        }
    }
    assert!((firing / 10..firing * 9 / 10).contains(&inhibited), "{inhibited} of {firing} inhibited");
}

/// The sources of the first rule that has any: the peer takes one of them by chance.
fn allowed(config: &Config, alerts: &[Posted], target: usize, now: i64) -> Vec<String> {
    let labels = &alerts[target].labels;
    let mut rules = config.inhibit_rules.iter().filter(|rule| rule.target.iter().all(|m| m.matches(labels)));
    let found = rules.find_map(|rule| {
        let both = rule.source.iter().all(|m| m.matches(labels));
        let sources = alerts.iter().filter(|source| {
            source.ends > now
                && rule.source.iter().all(|m| m.matches(&source.labels))
                && !(both && rule.target.iter().all(|m| m.matches(&source.labels)))
                && rule.equal.iter().all(|name| source.labels.value(name) == labels.value(name))
        });
        let sources: Vec<String> = sources.map(|s| s.labels.fingerprint().to_string()).collect();
        (!sources.is_empty()).then_some(sources)
    });
    found.unwrap_or_default()
}

fn running(config: &Arc<Config>, alerts: &[Posted]) -> Engine {
    let options = Options { external_url: "http://x".into(), ..Options::default() };
    let restored = Restored { started_at: START, ..Restored::default() };
    let mut engine = Engine::new(options, restored).unwrap();
    engine.handle(START, Input::Config(Arc::clone(config)));
    let alerts = alerts.iter().map(|a| {
        let at = |nanos: i64| Some(Timestamp::from_nanos(START.as_nanos() + nanos));
        PostedAlert::new(a.labels.clone(), LabelSet::empty(), Arc::from(""), at(a.starts), at(a.ends))
    });
    engine.handle(START, Input::Alerts { ticket: 1, alerts: alerts.collect() });
    while engine.poll().is_some() {}
    engine
}

fn posted(dice: &mut Dice) -> Vec<Posted> {
    let mut alerts: Vec<Posted> = Vec::new();
    while alerts.len() < ALERTS {
        let names = ["a", "b", "c", "zone", "é"];
        let labels = LabelSet::new((0..dice.below(4) + 1).map(|_| (dice.pick(&names), dice.pick(&["1", "2", "x"]))));
        let fresh = alerts.iter().all(|a| a.labels != labels);
        let starts = -dice.within(0, 100) * MINUTE;
        let alert = Posted { labels, starts, ends: starts + dice.within(0, 200) * MINUTE };
        if fresh {
            alerts.push(alert);
        }
    }
    alerts
}

fn rule(dice: &mut Dice) -> Value {
    let mut rule = json!({});
    for side in ["source", "target"] {
        if dice.chance(30) {
            rule[format!("{side}_match")] = json!({ dice.pick(&["a", "b", "c"]): dice.pick(&["1", "2", ""]) });
        }
        if dice.chance(20) {
            rule[format!("{side}_match_re")] = json!({ dice.pick(&["a", "b"]): dice.pick(&["1|2", ".+", "x?"]) });
        }
        let list = (0..dice.below(3)).map(|_| {
            let name = dice.pick(&["a", "b", "c", "zone", "é"]);
            format!("{name}{}\"{}\"", dice.pick(&["=", "!=", "=~", "!~"]), dice.pick(&["1", "2", "x", "1|x", ""]))
        });
        rule[format!("{side}_matchers")] = list.collect();
    }
    let names = ["a", "b", "zone", "é", "absent"];
    rule["equal"] = (0..dice.below(3)).map(|_| json!(dice.pick(&names))).collect();
    rule
}
