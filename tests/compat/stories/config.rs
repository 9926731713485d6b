//! One configuration for many stories: each has a route by its own label, and receivers of its own.

use std::fmt::Write;
use std::net::SocketAddr;

use super::script::Story;

/// What a route of a story is unless it says otherwise.
const ROUTE: [(&str, &str); 4] =
    [("group_by", "[alertname]"), ("group_wait", "2s"), ("group_interval", "4s"), ("repeat_interval", "1h")];

/// The configuration whose webhooks go to `sink`. `minute` is the minute of the day from which stories count minutes.
pub(super) fn of(stories: &[Story], reloaded: bool, sink: SocketAddr, minute: i64) -> String {
    let (mut routes, mut receivers) = (String::new(), String::new());
    let (mut inhibit, mut intervals) = (String::new(), String::new());
    for story in stories {
        let fragment = story.fragment(reloaded);
        let name = &story.name;
        let mut route = story_names(&fragment.route, name);
        for (field, value) in ROUTE {
            let own = fragment.route.split("routes:").next().unwrap_or_default();
            if !own.starts_with(field) && !own.contains(&format!(", {field}:")) {
                let separator = if route.is_empty() { "" } else { ", " };
                write!(route, "{separator}{field}: {value}").unwrap();
            }
        }
        writeln!(routes, "  - {{matchers: ['story=\"{name}\"'], receiver: {name}.1, {route}}}").unwrap();
        let mut hook = 0;
        for (number, hooks) in fragment.receivers.iter().enumerate() {
            writeln!(receivers, "- name: {name}.{}", number + 1).unwrap();
            writeln!(receivers, "  webhook_configs:").unwrap();
            for options in hooks {
                hook += 1;
                let options = if options.is_empty() { String::new() } else { format!(", {options}") };
                writeln!(receivers, "  - {{url: 'http://{sink}/{name}/{hook}'{options}}}").unwrap();
            }
        }
        for rule in &fragment.inhibit {
            let of_story = |side: &str| format!("{side}: ['story=\"{name}\"', ");
            let rule = rule.replace("source_matchers: [", &of_story("source_matchers"));
            writeln!(inhibit, "- {{{}}}", rule.replace("target_matchers: [", &of_story("target_matchers"))).unwrap();
        }
        for (interval, spans) in &fragment.intervals {
            let spans = minutes(spans, minute);
            writeln!(intervals, "- {{name: {name}-{interval}, time_intervals: [{spans}]}}").unwrap();
        }
    }
    let mut text = String::from("global: {resolve_timeout: 5s}\nroute:\n  receiver: nobody\n  routes:\n");
    text += &routes;
    if !inhibit.is_empty() {
        write!(text, "inhibit_rules:\n{inhibit}").unwrap();
    }
    if !intervals.is_empty() {
        write!(text, "time_intervals:\n{intervals}").unwrap();
    }
    write!(text, "receivers:\n- name: nobody\n{receivers}").unwrap();
    text
}

/// `$2` is the story's second receiver, `$quiet` its interval of that name.
fn story_names(text: &str, story: &str) -> String {
    let mut pieces = text.split('$');
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let separator = if piece.starts_with(|c: char| c.is_ascii_digit()) { "." } else { "-" };
        write!(out, "{story}{separator}{piece}").unwrap();
    }
    out
}

/// Spans of minutes from the story's zero, like `-2..0`, as elements of a time interval; several with `;`.
fn minutes(spans: &str, zero: i64) -> String {
    let day = 24 * 60;
    let mut elements = Vec::new();
    for span in spans.split(';') {
        let (from, to) = span.trim().split_once("..").unwrap();
        // minute by minute: a span may go over midnight
        for minute in from.parse::<i64>().unwrap()..to.parse::<i64>().unwrap() {
            let from = (zero + minute).rem_euclid(day);
            let time = |minute: i64| format!("'{:02}:{:02}'", minute / 60, minute % 60);
            elements.push(format!("{{times: [{{start_time: {}, end_time: {}}}]}}", time(from), time(from + 1)));
        }
    }
    elements.join(", ")
}
