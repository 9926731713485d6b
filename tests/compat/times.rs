//! Durations and time intervals: random texts and moments; the same values and prints.

use std::time::Duration;

use alerting::config;
use alerting::duration::{DurationError, parse_flag, parse_go, parse_prometheus, print_go, print_prometheus};
use alerting::matcher::Mode;
use alerting::time::Timestamp;
use serde_json::{Value, json};

use crate::dice::Dice;
use crate::peer::Peer;

const TEXTS: usize = 20_000;
const CONFIGS: u64 = 30;
const INTERVALS: usize = 10;
const MOMENTS: usize = 200;
/// With summer time of an hour and of half an hour, with odd offsets, with a day that was left out, with none of these.
const ZONES: [&str; 8] = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Asia/Kolkata",
    "UTC",
];
/// In seconds: changes to and from summer time in these zones, a leap day, a year's end, a day that Apia left out.
const EDGES: [i64; 9] = [
    1_774_746_000, // 2026-03-29T01:00Z, Berlin
    1_792_890_000, // 2026-10-25T01:00Z, Berlin
    1_772_953_200, // 2026-03-08T07:00Z, New York
    1_793_512_800, // 2026-11-01T06:00Z, New York
    1_775_314_800, // 2026-04-04T15:00Z, Lord Howe
    1_791_041_400, // 2026-10-03T15:30Z, Lord Howe
    1_325_239_200, // 2011-12-30T10:00Z, Apia
    1_709_164_800, // 2024-02-29T00:00Z
    1_798_761_600, // 2027-01-01T00:00Z
];

#[test]
fn durations_mean_the_same() {
    let mut dice = Dice::new(4);
    let alphabet: Vec<char> = "0123456789ywdhmsunµμ.-+ e_".chars().collect();
    let texts: Vec<String> = (0..TEXTS)
        .map(|_| {
            let text: String = (0..dice.below(4)).map(|_| part(&mut dice)).collect();
            if dice.chance(40) { dice.mutate(&text, &alphabet) } else { text }
        })
        .collect();
    let theirs = Peer::start().ask("durations", json!({ "inputs": texts })).unwrap();
    let (mut accepted, mut differing) = (0, Vec::new());
    for (text, theirs) in texts.iter().zip(theirs.as_array().unwrap()) {
        let ours = [
            shown(parse_prometheus(text), print_prometheus),
            shown(parse_go(text), print_go),
            shown(parse_flag(text), print_go),
        ];
        for ((ours, theirs), what) in ours.iter().zip(theirs.as_array().unwrap()).zip(["config", "Go", "flag"]) {
            accepted += usize::from(!ours.starts_with('!'));
            let theirs = theirs.as_str().unwrap();
            // negative ones make no sense anywhere and are refused when read, not when used
            let negative = ours.starts_with("!negative duration");
            if ours != theirs && !negative {
                differing.push(format!("{what} {text:?}: ours {ours}, theirs {theirs}"));
            }
        }
    }
    let shown: Vec<String> = differing.iter().take(20).cloned().collect();
    assert!(differing.is_empty(), "{} differ:\n{}", differing.len(), shown.join("\n"));
    assert!(accepted > TEXTS / 4, "{accepted} accepted");
}

fn part(dice: &mut Dice) -> String {
    let number = match dice.below(6) {
        0 => format!("{}.{}", dice.below(100), dice.below(1000)),
        1 => format!("00{}", dice.below(10)),
        2 => dice.within(0, i64::MAX).to_string(),
        _ => dice.below(400).to_string(),
    };
    let unit = dice.pick(&["y", "w", "d", "h", "m", "s", "ms", "us", "µs", "μs", "ns", "", "x"]);
    let sign = dice.pick(&["", "", "", "", "", "", "-", "+"]);
    format!("{sign}{number}{unit}")
}

fn shown(result: Result<Duration, DurationError>, print: fn(Duration) -> String) -> String {
    result.map_or_else(|error| format!("!{error}"), print)
}

#[test]
fn intervals_contain_the_same_moments() {
    let mut peer = Peer::start();
    let mut inside = 0;
    for seed in 0..CONFIGS {
        let mut dice = Dice::new(seed);
        let intervals: Vec<Value> = (0..INTERVALS)
            .map(|n| {
                let elements: Vec<Value> = (0..dice.below(3) + 1).map(|_| element(&mut dice)).collect();
                json!({ "name": format!("i{n}"), "time_intervals": elements })
            })
            .collect();
        let text = json!({
            "route": { "receiver": "x" }, "receivers": [{ "name": "x" }], "time_intervals": intervals,
        })
        .to_string();
        let moments: Vec<i64> = (0..MOMENTS).map(|_| moment(&mut dice)).collect();
        let theirs = peer.ask("intervals", json!({ "config": text, "times": moments })).unwrap();
        let config = config::parse(&text, Mode::Fallback).unwrap();
        assert_eq!(&*config.original, theirs[0].as_str().unwrap(), "{text}");
        for (n, theirs) in theirs.as_array().unwrap().iter().skip(1).enumerate() {
            let elements = &config.time_intervals[format!("i{n}").as_str()];
            for (second, theirs) in moments.iter().zip(theirs.as_str().unwrap().chars()) {
                let ours = elements.iter().any(|e| e.contains(Timestamp::from_secs(*second)));
                inside += usize::from(ours);
                assert_eq!(ours, theirs == '1', "seed {seed}: {second} in {}", intervals[n]);
            }
        }
    }
    let asked = CONFIGS as usize * INTERVALS * MOMENTS;
    assert!((asked / 20..asked * 3 / 4).contains(&inside), "{inside} of {asked} inside");
}

fn moment(dice: &mut Dice) -> i64 {
    match dice.below(4) {
        // 2000 to 2040
        0 => dice.within(946_684_800, 2_208_988_800),
        _ => {
            EDGES[dice.below(EDGES.len())]
                + dice.within(-40, 40) * 60 * [1, 30, 60, 24 * 60][dice.below(4)]
                + dice.within(0, 59)
        }
    }
}

fn element(dice: &mut Dice) -> Value {
    let mut element = json!({});
    let zone = if dice.chance(70) { Some(dice.pick(&ZONES)) } else { None };
    if let Some(zone) = zone {
        element["location"] = json!(zone);
    }
    // the reference counts a month's days wrongly where clocks change: see differences.md
    let steady = zone.is_none_or(|zone| ["UTC", "Asia/Kathmandu", "Asia/Kolkata"].contains(&zone));
    let from_end = steady && dice.chance(50);
    if dice.chance(30) {
        let start = dice.within(0, 1400);
        let end = dice.within(start + 1, 1440);
        let clock = |minutes: i64| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        element["times"] = json!([{ "start_time": clock(start), "end_time": clock(end) }]);
    }
    if dice.chance(30) {
        element["weekdays"] =
            json!([dice.pick(&["monday:friday", "Sunday", "saturday", "tuesday:wednesday", "sunday:monday"])]);
    }
    if dice.chance(40) {
        let from_start = if steady { ["1", "1:7", "29:31", "31", "28:30"] } else { ["1", "1:7", "5", "10:20", "28"] };
        let days = if from_end { ["-1", "-3:-1", "-28:-20", "1:-1", "5:-3"] } else { from_start };
        element["days_of_month"] = json!([dice.pick(&days)]);
    }
    if dice.chance(20) {
        element["months"] = json!([dice.pick(&["march", "3", "January:March", "10:december", "october:11"])]);
    }
    if dice.chance(15) {
        element["years"] = json!([dice.pick(&["2026", "2011:2025", "2024:2027"])]);
    }
    element
}
