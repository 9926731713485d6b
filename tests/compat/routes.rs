//! Routing: random trees and alerts; the same routes in the same order, the same keys.

use alerting::config;
use alerting::duration::print_go;
use alerting::label::LabelSet;
use alerting::matcher::{Matcher, Mode, Op};
use alerting::route::Routes;
use serde_json::{Map, Value, json};

use crate::dice::Dice;
use crate::peer::Peer;

const TREES: u64 = 100;
const ALERTS: usize = 100;
const CLASSIC_NAMES: [&str; 5] = ["alertname", "severity", "team", "a", "b_1"];
const NAMES: [&str; 9] = ["alertname", "severity", "team", "a", "b_1", "foo.bar", "ünï", "with space", "日本"];
const VALUES: [&str; 10] = ["x", "y", "crit", "critical", "a b", "\"q\"", "back\\slash", "two\nlines", "é", "{x}"];
const REGEXES: [&str; 9] = ["x|y", "crit.*", ".*", ".+", "[a-x]?", "", "(?i)CRIT", "two.lines", "é|\\{x\\}"];

#[test]
fn alerts_land_on_the_same_routes() {
    let mut peer = Peer::start();
    let mut hits = 0;
    for seed in 0..TREES {
        let mut dice = Dice::new(seed);
        let text = tree(&mut dice).to_string();
        let alerts: Vec<Value> = (0..ALERTS).map(|_| labels(&mut dice)).collect();
        let theirs = peer.ask("routes", json!({ "config": text, "alerts": alerts })).unwrap();
        let config = config::parse(&text, Mode::Fallback).unwrap();
        let routes = Routes::new(&config);
        for (alert, theirs) in alerts.iter().zip(theirs.as_array().unwrap()) {
            let pairs = alert.as_object().unwrap().iter().map(|(name, value)| (name, value.as_str().unwrap()));
            let ours = hit(&routes, &LabelSet::new(pairs));
            hits += ours.len();
            assert_eq!(&Value::Array(ours), theirs, "seed {seed}: {alert} in {text}");
        }
    }
    assert!(hits > TREES as usize * ALERTS, "only {hits} hits: the trees are too simple to show anything");
}

fn hit(routes: &Routes, labels: &LabelSet) -> Vec<Value> {
    let found = routes.matching(labels);
    let rows = found.iter().map(|index| {
        let node = routes.node(*index);
        let route = &node.route;
        let group = node.group_labels(labels);
        let own: Map<String, Value> = route.labels.iter().map(|(n, v)| (n.to_string(), json!(&**v))).collect();
        let times = [route.group_wait, route.group_interval, route.repeat_interval].map(print_go);
        json!({
            "receiver": &*route.receiver,
            "key": &*route.key,
            "id": &*route.id,
            "groupLabels": group.to_string(),
            "groupKey": &*node.group_key(&group),
            "labels": own,
            "times": times,
        })
    });
    rows.collect()
}

/// A config as JSON, which is YAML.
pub(crate) fn tree(dice: &mut Dice) -> Value {
    let mut root = node(dice, 0);
    root["receiver"] = json!("r0");
    let receivers: Vec<Value> = (0..6).map(|n| json!({ "name": format!("r{n}") })).collect();
    json!({ "route": root, "receivers": receivers })
}

fn node(dice: &mut Dice, depth: usize) -> Value {
    let mut node = json!({});
    if dice.chance(60) {
        node["receiver"] = json!(format!("r{}", dice.below(6)));
    }
    match dice.below(8) {
        0 => node["group_by"] = json!(["..."]),
        1 => node["group_by"] = json!([]),
        2 | 3 => {
            let mut names: Vec<&str> = (0..dice.below(3) + 1).map(|_| dice.pick(&NAMES)).collect();
            names.sort_unstable();
            names.dedup();
            node["group_by"] = json!(names);
        }
        4 => node["group_by"] = Value::Null,
        _ => {}
    }
    for (field, times) in [
        ("group_wait", ["0s", "30s", "1m30s"]),
        ("group_interval", ["5m", "1h", "1ms"]),
        ("repeat_interval", ["4h", "1w", "90d"]),
    ] {
        if dice.chance(20) {
            node[field] = json!(dice.pick(&times));
        }
    }
    if dice.chance(25) {
        node["labels"] = json!({ dice.pick(&NAMES): dice.pick(&VALUES), "of": "route" });
    }
    if depth > 0 {
        matchers(dice, &mut node);
        node["continue"] = json!(dice.chance(40));
    }
    let children = if depth == 0 { 4 } else { dice.below(4).saturating_sub(depth / 2) };
    node["routes"] = (0..children).map(|_| self::node(dice, depth + 1)).collect();
    node
}

fn matchers(dice: &mut Dice, node: &mut Value) {
    if dice.chance(30) {
        node["match"] = json!({ dice.pick(&CLASSIC_NAMES): dice.pick(&VALUES) });
    }
    if dice.chance(30) {
        node["match_re"] = json!({ dice.pick(&CLASSIC_NAMES): dice.pick(&REGEXES) });
    }
    if dice.chance(60) {
        let list = (0..dice.below(3)).map(|_| {
            let op = [Op::Equal, Op::NotEqual, Op::Regex, Op::NotRegex][dice.below(4)];
            let value = if op.is_regex() { dice.pick(&REGEXES) } else { dice.pick(&VALUES) };
            Matcher::new(op, dice.pick(&NAMES), value).unwrap().to_string()
        });
        node["matchers"] = list.collect();
    }
}

pub(crate) fn labels(dice: &mut Dice) -> Value {
    let mut labels = json!({ "alertname": dice.pick(&VALUES) });
    for _ in 0..dice.below(5) {
        labels[dice.pick(&NAMES)] = json!(dice.pick(&VALUES));
    }
    labels
}
