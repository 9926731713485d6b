//! What a receiver was told, in a form that is the same for both programs if they mean the same.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::play::Played;
use super::script::{Answer, Story};
use super::sink::Received;

/// One notification.
#[derive(Clone, Debug)]
pub(super) struct Told {
    /// `2: a,b|c (reason)`: the step after which it came, instances that fire and are resolved.
    pub(super) short: String,
    /// The step, the webhook, its answer, and the body with times named by the steps that posted them.
    full: (usize, usize, String, Value),
    /// Seconds since the first step, for people.
    at: f64,
}

/// Notifications in the order in which they came, by group.
pub(super) type Timeline = BTreeMap<String, Vec<Told>>;

/// Reads what a receiver got while a story was played. Attempts in a row that were refused and say the same count as
/// one: how many there are is left to chance.
pub(super) fn timeline(received: &[Received], played: &Played) -> Timeline {
    let mut groups = Timeline::new();
    for received in received.iter().filter(|received| received.at <= played.ended) {
        let after = played.began.iter().filter(|began| **began <= received.at).count();
        let told = Told::new(received, after, played);
        let group = groups.entry(received.body["groupKey"].to_string()).or_default();
        let refused = received.answer.refuses();
        let again = |last: &&Told| last.full == told.full;
        if !(refused && group.iter().rfind(|t| t.full.1 == received.hook).filter(again).is_some()) {
            group.push(told);
        }
    }
    groups
}

/// The same was told at the same points of the story.
pub(super) fn same(a: &Timeline, b: &Timeline) -> bool {
    let full = |timeline: &Timeline| -> Vec<_> {
        let of_group = |(group, told): (&String, &Vec<Told>)| (group.clone(), by_hook(told));
        timeline.iter().map(of_group).collect()
    };
    full(a) == full(b)
}

/// The integrations of a receiver are told at once: their order among each other is left to chance.
fn by_hook(told: &[Told]) -> Vec<(usize, usize, String, Value)> {
    let mut sorted: Vec<_> = told.iter().map(|told| told.full.clone()).collect();
    sorted.sort_by_key(|(after, hook, ..)| (*hook, *after));
    sorted
}

/// The short forms, group by group.
pub(super) fn shorts(timeline: &Timeline) -> Vec<String> {
    timeline.values().flatten().map(|told| told.short.clone()).collect()
}

/// A story and both timelines, for people.
pub(super) fn report(story: &Story, ours: &Timeline, reference: &Timeline) -> String {
    let mut text = format!("{}: {}\n", story.name, story.title);
    for (number, step) in story.steps.iter().enumerate() {
        text += &format!("  step {} at {}: {}\n", number + 1, step.at, step.text);
    }
    if let Some(differs) = &story.differs {
        text += &format!("  is meant to differ: {}\n  ours: {:?}\n", differs.why, differs.here);
        text += &format!("  the reference: {:?}\n", differs.there);
    }
    for (who, timeline) in [("ours", ours), ("the reference", reference)] {
        for (group, told) in timeline {
            text += &format!("  {who} on {group}\n");
            for told in told {
                text += &format!("    {:>7.3} {}\n", told.at, told.short);
            }
        }
    }
    if shorts(ours) == shorts(reference) {
        text += &format!("  the bodies differ:\n  {:?}\n  {:?}\n", fulls(ours), fulls(reference));
    }
    text
}

fn fulls(timeline: &Timeline) -> Vec<String> {
    timeline.values().flatten().map(|told| told.full.3.to_string()).collect()
}

impl Told {
    fn new(received: &Received, after: usize, played: &Played) -> Self {
        let answer = match received.answer {
            Answer::Status(status) if status != 200 => format!(" -> {status}"),
            Answer::Slow(_) if received.answer.refuses() => " -> nothing".to_owned(),
            Answer::Status(_) | Answer::Slow(_) => String::new(),
        };
        let hook = match received.hook {
            1 => String::new(),
            hook => format!("#{hook} "),
        };
        let body = &received.body;
        let of = |status: &str| -> String {
            let those = body["alerts"].as_array().into_iter().flatten().filter(|a| a["status"] == status);
            let names: Vec<&str> = those.map(|a| a["labels"]["instance"].as_str().unwrap_or("-")).collect();
            names.join(",")
        };
        let reason = body["notification_reason"].as_str().unwrap_or_default();
        let short = format!("{after}: {hook}{}|{} ({reason}){answer}", of("firing"), of("resolved"));
        let at = played.began.first().map_or(0.0, |first| (received.at - *first).as_secs_f64());
        Self { short, full: (after, received.hook, answer, named_times(body, played)), at }
    }
}

fn named_times(body: &Value, played: &Played) -> Value {
    let mut body = body.clone();
    for alert in body["alerts"].as_array_mut().into_iter().flatten() {
        for field in ["startsAt", "endsAt"] {
            let time = alert[field].as_str().unwrap_or_default();
            let unset = time.starts_with("0001-");
            let name = played.times.get(time).map_or(if unset { "unset" } else { "not posted" }, String::as_str);
            alert[field] = json!(name);
        }
    }
    body
}
