//! Templates: the same text, or an error on the same input.

mod alerts;
mod data;
mod generated;
mod texts;

use alerting::template::{self, Data, Mode, Templates};
use alerting::time::Timestamp;
use serde_json::{Value, json};

use crate::peer::Peer;

/// The moment at which templates are rendered here; the reference has the clock's.
const NOW: Timestamp = Timestamp::from_secs(1_770_000_000);

/// A question, and what the two said when they disagree.
struct Comparison {
    peer: Peer,
    templates: Templates,
    asked: usize,
    failed: usize,
    wrong: Vec<String>,
}

impl Comparison {
    fn new() -> Self {
        Self { peer: Peer::start(), templates: Templates::builtin(), asked: 0, failed: 0, wrong: Vec::new() }
    }

    /// Renders `text` on both sides.
    fn ask(&mut self, text: &str, mode: Mode, data: &Value) {
        let html = mode == Mode::Html;
        let theirs = self.peer.ask("template", json!({ "text": text, "html": html, "data": data }));
        let parsed: Data = template::parse_data(&data.to_string(), NOW).unwrap();
        let ours = self.templates.render(mode, text, &parsed).map_err(|error| error.to_string());
        self.compare(&format!("{mode:?} {text}"), ours, theirs);
    }

    fn compare(&mut self, what: &str, ours: Result<String, String>, theirs: Result<Value, String>) {
        self.asked += 1;
        let theirs = theirs.map(|value| value.as_str().unwrap_or_default().to_owned());
        self.failed += usize::from(theirs.is_err());
        let same = match (&ours, &theirs) {
            (Ok(ours), Ok(theirs)) => ours == theirs,
            (Err(ours), Err(theirs)) => same_error(ours, theirs),
            _ => false,
        };
        if !same {
            self.wrong.push(format!("{what}\n  ours:   {ours:?}\n  theirs: {theirs:?}"));
        }
    }

    fn finish(self, at_least: usize) {
        let shown: Vec<&str> = self.wrong.iter().take(60).map(String::as_str).collect();
        let (asked, wrong) = (self.asked, self.wrong.len());
        assert!(self.wrong.is_empty(), "{wrong} of {asked} differ:\n{}", shown.join("\n"));
        assert!(asked >= at_least, "only {asked} questions");
        println!("{asked} equal, {} of them errors", self.failed);
    }
}

/// Whether two errors are the same. The reference shows the escapers that it has put into a pipeline; where escaping
/// fails the library has no columns; of an element of `list` or `dict` Go says that it's some `interface {}`, and how
/// `%s` prints it.
fn same_error(ours: &str, theirs: &str) -> bool {
    let shown = match theirs.split_once(" | _html_template_") {
        Some((before, after)) => format!("{before}{}", &after[after.find('>').unwrap()..]),
        None => theirs.to_owned(),
    };
    let place = |error: &str| error.split(">: ").next().unwrap().to_owned();
    let loose = ["in type interface {}", "non-comparable type"].iter().any(|part| theirs.contains(part));
    ours == shown
        || (loose && place(ours) == place(&shown))
        || (ours.starts_with("html/template:") && theirs.starts_with("html/template:"))
}

#[test]
fn every_built_in_template_prints_the_same() {
    let mut comparison = Comparison::new();
    let names: Vec<String> = data::BUILTIN.split_whitespace().map(str::to_owned).collect();
    assert_eq!(names.len(), 64);
    for data in data::sets() {
        for name in &names {
            // of no use with any data: an error with its place in a text that is ours
            if name == "pagerduty.default.instances" {
                continue;
            }
            let list = name.starts_with("__text_alert_list");
            let text = format!("{{{{ template \"{name}\" {} }}}}", if list { ".Alerts" } else { "." });
            comparison.ask(&text, Mode::Text, &data);
            comparison.ask(&text, Mode::Html, &data);
        }
    }
    comparison.finish(1500);
}

#[test]
fn every_function_and_member_does_the_same() {
    let mut comparison = Comparison::new();
    let sets = data::sets();
    assert!(sets.len() >= 20 && texts::texts().count() >= 430);
    for data in &sets {
        for text in texts::texts() {
            comparison.ask(text, Mode::Text, data);
            comparison.ask(text, Mode::Html, data);
        }
    }
    comparison.finish(17_000);
}

#[test]
fn html_is_escaped_the_same_in_every_place() {
    let mut comparison = Comparison::new();
    let data = data::special();
    for place in texts::HTML_PLACES {
        for value in texts::HTML_VALUES {
            comparison.ask(&place.replace('@', value), Mode::Html, &data);
        }
    }
    for data in data::sets() {
        for text in texts::HTML_TEXTS {
            comparison.ask(text, Mode::Html, &data);
        }
    }
    comparison.finish(2_400);
}

#[test]
fn what_does_not_parse_is_refused_the_same() {
    let mut comparison = Comparison::new();
    for text in texts::MALFORMED {
        comparison.ask(text, Mode::Text, &json!({}));
    }
    comparison.finish(80);
}

#[test]
fn generated_templates_do_the_same() {
    let mut comparison = Comparison::new();
    let data = data::mixed();
    for seed in 0..1500 {
        comparison.ask(&generated::template(seed), Mode::Text, &data);
    }
    comparison.finish(1500);
}

#[test]
fn files_share_their_names_the_same_way() {
    let mut peer = Peer::start();
    for (files, text) in texts::FILES {
        let named: Vec<Value> = files.iter().map(|(name, text)| json!({ "name": name, "text": text })).collect();
        let theirs = peer.ask("template", json!({ "files": named, "text": text, "data": data::mixed() }));
        let ours = Templates::new(files.iter().copied()).map_err(|error| error.to_string()).and_then(|templates| {
            let data = template::parse_data(&data::mixed().to_string(), NOW).unwrap();
            templates.text(text, &data).map_err(|error| error.to_string())
        });
        assert_eq!(ours, theirs.map(|value| value.as_str().unwrap().to_owned()), "{files:?} {text}");
    }
}
