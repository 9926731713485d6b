//! Behaviour of one engine, told as stories: alerts and answers go in, notifications come out, time is ours.

#![allow(clippy::unwrap_used)]

mod restart;
mod steps;

use std::collections::BTreeSet;

use super::*;
use crate::effects::Snapshots;
use crate::label::LabelSet;
use crate::matcher::{Matcher, Mode, Op};
use crate::notify::Response;
use crate::view::AlertFilter;

const CONFIG: &str = "
route:
  receiver: team
  group_by: [alertname]
  group_wait: 10s
  group_interval: 60s
  repeat_interval: 1h
inhibit_rules:
- source_matchers: [severity=critical]
  target_matchers: [severity=warning]
  equal: [zone]
receivers:
- name: team
  webhook_configs:
  - url: http://receiver/
";

/// What is kept of an engine.
#[derive(Debug, Default, Clone)]
struct Disk {
    files: Option<(bytes::Bytes, bytes::Bytes, Vec<bytes::Bytes>)>,
    /// What of the journal came before the files.
    obsolete: Vec<bytes::Bytes>,
    journal: Vec<bytes::Bytes>,
}

impl Disk {
    fn take(&mut self, snapshots: Snapshots) {
        let alerts = snapshots.alerts.into_iter().flat_map(AlertsPicture::payloads).collect();
        self.files = Some((snapshots.silences, snapshots.notification_log, alerts));
        self.obsolete.append(&mut self.journal);
    }

    fn restored(&self) -> Restored {
        let (silences, notification_log, alerts) = match self.files.clone() {
            Some((silences, log, alerts)) => (Some(silences), Some(log), Some(alerts)),
            None => (None, None, None),
        };
        Restored { silences, notification_log, alerts, journal: self.journal.clone(), ..Restored::default() }
    }
}

/// An engine, its clock in seconds, and the answers that its receiver gives.
struct Story {
    engine: Engine,
    now: f64,
    status: u16,
    retry_after: Option<u64>,
    disk: Disk,
    /// Requests that have no answer yet, while `hold` is set.
    held: Vec<DeliveryId>,
    hold: bool,
    events: Vec<Event>,
    stopped: bool,
}

impl Story {
    fn new() -> Self {
        Self::restored(Restored::default(), 0.0)
    }

    fn restored(restored: Restored, now: f64) -> Self {
        let restored = Restored { started_at: at(now), ..restored };
        let engine = Engine::new(Options::default(), restored).unwrap();
        let mut story = Self {
            engine,
            now,
            status: 200,
            retry_after: None,
            disk: Disk::default(),
            held: Vec::new(),
            hold: false,
            events: Vec::new(),
            stopped: false,
        };
        story.configure(CONFIG);
        story
    }

    fn configure(&mut self, text: &str) -> Vec<String> {
        let config = crate::config::parse(text, Mode::Fallback).unwrap();
        self.input(Input::Config(Arc::new(config)))
    }

    fn input(&mut self, input: Input) -> Vec<String> {
        self.engine.handle(at(self.now), input);
        self.drain()
    }

    /// Carries out what the engine wants; the notifications as `firing|resolved (reason)`.
    fn drain(&mut self) -> Vec<String> {
        let mut sent = Vec::new();
        while let Some(output) = self.engine.poll() {
            match output {
                Output::Deliver { id, request, .. } => {
                    sent.push(told(&request.http().unwrap().body));
                    if self.hold {
                        self.held.push(id);
                        continue;
                    }
                    self.respond(id);
                }
                Output::Append { records, .. } => self.disk.journal.push(records),
                Output::Snapshot(snapshots) => self.disk.take(snapshots),
                Output::Event(event) => self.events.push(event),
                Output::Stopped => self.stopped = true,
                Output::Answer { .. } | Output::Cancel(_) | Output::Record { .. } | Output::Flushed(_) => {}
                Output::Packet { .. } | Output::Call { .. } | Output::Reply { .. } => panic!("there are no peers"),
                Output::ReadFiles { .. } => panic!("there are no files"),
            }
        }
        sent
    }

    fn respond(&mut self, id: DeliveryId) {
        let retry_after = self.retry_after.map(Duration::from_secs);
        let response = Response { status: self.status, retry_after, ..Response::default() };
        self.engine.handle(at(self.now), Input::Delivered { id, result: Ok(response) });
    }

    fn post(&mut self, labels: &[(&str, &str)], ends: f64) -> Vec<String> {
        let labels = LabelSet::new(labels.iter().copied());
        let starts = Some(at(self.now));
        let alert = PostedAlert::new(labels, LabelSet::empty(), "".into(), starts, Some(at(ends)));
        self.input(Input::Alerts { ticket: 1, alerts: vec![alert] })
    }

    fn fire(&mut self, name: &str, instance: &str) -> Vec<String> {
        self.post(&[("alertname", name), ("instance", instance)], self.now + 100_000.0)
    }

    fn resolve(&mut self, name: &str, instance: &str) -> Vec<String> {
        self.post(&[("alertname", name), ("instance", instance)], self.now)
    }

    /// Lets time pass up to `now`; what was sent, with the second at which it was.
    fn until(&mut self, now: f64) -> Vec<String> {
        let mut sent = Vec::new();
        while let Some(wake) = self.engine.next_wake().filter(|wake| *wake <= at(now)) {
            self.now = wake.as_nanos() as f64 / 1e9;
            self.engine.handle(wake, Input::Tick);
            let second = self.now;
            sent.extend(self.drain().into_iter().map(|told| format!("{second:.0}: {told}")));
        }
        self.now = now;
        sent
    }

    fn silence(&mut self, name: &str, value: &str, ends: f64) {
        let draft = SilenceDraft {
            id: None,
            matchers: vec![Matcher::new(Op::Equal, name, value).unwrap()],
            starts_at: None,
            ends_at: at(ends),
            created_by: "me".into(),
            comment: "test".into(),
            annotations: BTreeMap::new(),
        };
        self.input(Input::SetSilence { ticket: 2, draft });
    }
}

fn at(secs: f64) -> Timestamp {
    Timestamp::from_nanos((secs * 1e9) as i64)
}

fn told(body: &[u8]) -> String {
    let body: serde_json::Value = serde_json::from_slice(body).unwrap();
    let of = |status: &str| -> String {
        let those = body["alerts"].as_array().unwrap().iter().filter(|a| a["status"] == status);
        let names: BTreeSet<&str> = those.map(|a| a["labels"]["instance"].as_str().unwrap_or("-")).collect();
        names.into_iter().collect::<Vec<_>>().join(",")
    };
    format!("{}|{} ({})", of("firing"), of("resolved"), body["notification_reason"].as_str().unwrap())
}

#[test]
fn a_group_waits_then_tells_changes_at_its_interval() {
    let mut story = Story::new();
    assert!(story.fire("Down", "a").is_empty());
    assert_eq!(story.until(10.0), ["10: a| (first notification)"]);
    story.fire("Down", "b");
    assert_eq!(story.until(69.0), [""; 0], "a new alert waits for the interval");
    assert_eq!(story.until(75.0), ["70: a,b| (new alerts added)"]);
    story.resolve("Down", "a");
    assert_eq!(story.until(135.0), ["130: b|a (some alerts resolved)"]);
    story.resolve("Down", "b");
    assert_eq!(story.until(200.0), ["190: |b (all alerts resolved)"]);
    assert_eq!(story.until(9000.0), [""; 0]);
    assert_eq!(story.engine.groups.len(), 0, "an empty group is gone");
}

#[test]
fn what_goes_on_is_repeated() {
    let mut story = Story::new();
    story.fire("Down", "a");
    assert_eq!(story.until(3600.0), ["10: a| (first notification)"]);
    assert_eq!(story.until(7000.0), ["3670: a| (repeat interval elapsed)"]);
}

#[test]
fn an_old_alert_is_told_at_once() {
    let mut story = Story::new();
    story.now = 1000.0;
    let labels = LabelSet::new([("alertname", "Down"), ("instance", "a")]);
    let alert = PostedAlert::new(labels, LabelSet::empty(), "".into(), Some(at(0.0)), Some(at(5000.0)));
    let sent = story.input(Input::Alerts { ticket: 1, alerts: vec![alert] });
    assert_eq!(sent, ["a| (first notification)"]);
}

#[test]
fn failures_are_tried_again_until_it_works() {
    let mut story = Story::new();
    story.fire("Down", "a");
    story.status = 500;
    let tries = story.until(15.0);
    assert!(tries.len() > 2, "{tries:?}");
    assert!(story.events.iter().any(|e| matches!(e, Event::AttemptFailed { attempt: 1, .. })));
    story.status = 200;
    assert_eq!(story.until(65.0).len(), 1);
    assert_eq!(story.until(3000.0), [""; 0]);
}

#[test]
fn a_final_answer_is_not_argued_with() {
    let mut story = Story::new();
    story.fire("Down", "a");
    story.status = 404;
    assert_eq!(story.until(65.0), ["10: a| (first notification)"]);
    assert!(story.events.iter().any(|e| matches!(e, Event::NotifyFailed { reason: "clientError", .. })));
    story.status = 200;
    assert_eq!(story.until(75.0), ["70: a| (first notification)"], "the next flush tries again");
}

#[test]
fn a_receiver_that_asks_for_time_gets_it() {
    let mut story = Story::new();
    story.fire("Down", "a");
    (story.status, story.retry_after) = (429, Some(30));
    assert_eq!(story.until(39.0).len(), 1);
    story.status = 200;
    assert_eq!(story.until(41.0), ["40: a| (first notification)"]);
}

#[test]
fn an_attempt_tells_what_is_true_then() {
    let mut story = Story::new();
    story.fire("Down", "a");
    story.fire("Down", "b");
    (story.status, story.retry_after) = (503, Some(20));
    assert_eq!(story.until(11.0), ["10: a,b| (first notification)"]);
    story.status = 200;
    story.resolve("Down", "a");
    assert_eq!(story.until(31.0), ["30: b|a (first notification)"]);
}

#[test]
fn silences_keep_quiet_and_let_go() {
    let mut story = Story::new();
    story.silence("instance", "a", 100.0);
    story.fire("Down", "a");
    assert_eq!(story.until(99.0), [""; 0]);
    let rows = story.engine.view(at(50.0)).alerts(&AlertFilter::default());
    assert_eq!(rows[0].status.silenced_by.len(), 1);
    assert_eq!(story.until(200.0), ["130: a| (first notification)"]);
    assert_eq!(story.engine.stats.suppressed_silence, 2);
}

#[test]
fn a_source_inhibits_while_it_fires() {
    let mut story = Story::new();
    let warning = [("alertname", "Slow"), ("instance", "w"), ("severity", "warning"), ("zone", "1")];
    let critical = [("alertname", "Down"), ("instance", "c"), ("severity", "critical"), ("zone", "1")];
    story.post(&critical, 9999.0);
    story.post(&warning, 9999.0);
    assert_eq!(story.until(20.0), ["10: c| (first notification)"]);
    let rows = story.engine.view(at(20.0)).alerts(&AlertFilter::default());
    assert_eq!(rows.iter().filter(|r| !r.status.inhibited_by.is_empty()).count(), 1);
    story.post(&critical, story.now);
    assert_eq!(story.until(75.0), ["70: |c (all alerts resolved)", "70: w| (first notification)"]);
}

#[test]
fn time_intervals_mute_the_group_and_let_go() {
    // the stories begin at the epoch, which is a Thursday at midnight, UTC
    let config = |field: &str, span: &str| {
        let named = format!("time_intervals: [{{name: span, time_intervals: [{{times: [{span}]}}]}}]\n");
        CONFIG.replace(
            "inhibit_rules:",
            &format!("  routes: [{{receiver: team, {field}: [span]}}]\n{named}inhibit_rules:"),
        )
    };
    let first_two_minutes = "{start_time: '00:00', end_time: '00:02'}";
    let mut muted = Story::new();
    muted.configure(&config("mute_time_intervals", first_two_minutes));
    muted.fire("Down", "a");
    assert_eq!(muted.until(119.0), [""; 0]);
    let groups = muted.engine.view(at(100.0)).groups(&AlertFilter::default());
    assert_eq!(groups[0].alerts[0].status.muted_by, ["span".into()]);
    assert_eq!(muted.until(135.0), ["130: a| (first notification)"]);
    assert_eq!((muted.engine.stats.suppressed_mute_interval, muted.engine.stats.suppressed_active_interval), (2, 0));

    let mut active = Story::new();
    active.configure(&config("active_time_intervals", first_two_minutes));
    active.fire("Down", "a");
    assert_eq!(active.until(60.0), ["10: a| (first notification)"]);
    active.until(121.0);
    active.fire("Down", "b");
    assert_eq!(active.until(1000.0), [""; 0], "outside of its only active interval");
    assert!(active.engine.stats.suppressed_active_interval > 0);
}

#[test]
fn a_slow_receiver_delays_the_next_flush_and_drops_none() {
    let mut story = Story::new();
    story.hold = true;
    story.fire("Down", "a");
    assert_eq!(story.until(11.0).len(), 1);
    story.fire("Down", "b");
    assert_eq!(story.until(71.0), [""; 0]);
    story.hold = false;
    let id = story.held[0];
    story.respond(id);
    assert_eq!(story.drain(), ["a,b| (new alerts added)"]);
}

#[test]
fn a_reload_changes_nothing_for_routes_that_stay() {
    let mut story = Story::new();
    story.fire("Down", "a");
    story.until(12.0);
    story.fire("Down", "b");
    assert!(story.configure(CONFIG).is_empty());
    let longer = CONFIG.replace("repeat_interval: 1h", "repeat_interval: 2h");
    assert!(story.configure(&longer).is_empty());
    assert_eq!(story.until(71.0), ["70: a,b| (new alerts added)"]);
}

#[test]
fn a_reload_moves_alerts_to_their_new_routes() {
    let mut story = Story::new();
    story.fire("Down", "a");
    story.until(20.0);
    let by_instance = CONFIG.replace("[alertname]", "[alertname, instance]");
    assert_eq!(story.configure(&by_instance), ["a| (first notification)"], "another group, never told, long waited");
    assert_eq!(story.engine.groups.len(), 1);
    story.resolve("Down", "a");
    assert_eq!(story.until(200.0), ["80: |a (all alerts resolved)"]);
}

#[test]
fn a_restart_remembers_what_was_told() {
    let mut story = Story::new();
    story.fire("Down", "a");
    story.until(20.0);
    story.input(Input::Stop);
    story.until(21.0);
    assert!(story.stopped);
    let restored = Restored { alerts: None, ..story.disk.restored() };
    let mut again = Story::restored(restored, 30.0);
    again.fire("Down", "a");
    assert_eq!(again.until(200.0), [""; 0]);
    again.resolve("Down", "a");
    assert_eq!(again.until(300.0), ["250: |a (all alerts resolved)"], "at the pace of before");
}

#[test]
fn a_stopping_member_finishes_what_it_sends() {
    let mut story = Story::new();
    story.hold = true;
    story.fire("Down", "a");
    story.until(10.0);
    story.input(Input::Stop);
    assert!(!story.stopped, "a request is under way");
    let id = story.held[0];
    story.respond(id);
    story.drain();
    assert!(story.stopped);
    assert_eq!(story.engine.nflog.len(), 1);
}

#[test]
fn a_corrupt_file_is_refused() {
    let restored =
        Restored { notification_log: Some(bytes::Bytes::from_static(b"\x0anonsense")), ..Restored::default() };
    let error = Engine::new(Options::default(), restored).unwrap_err();
    assert_eq!(error.to_string(), "restoring the notification log");
}

#[test]
fn names_have_a_limit_when_asked_for() {
    let mut story = Story::new();
    story.engine.options.alerts_per_name_max = Some(2);
    for instance in ["a", "b", "c"] {
        story.fire("Down", instance);
    }
    assert_eq!(story.until(10.0), ["10: a,b| (first notification)"]);
    assert_eq!(story.engine.stats.alerts_limited.values().sum::<u64>(), 1);
}

#[test]
fn ids_are_random_uuids_and_repeatable() {
    let id = |seed| new_silence_id(&mut StdRng::seed_from_u64(seed)).to_string();
    assert_eq!(id(7), id(7));
    assert_ne!(id(7), id(8));
    let id = id(7);
    let (version, variant) = (id.as_bytes()[14], id.as_bytes()[19]);
    assert_eq!((id.len(), version, b"89ab".contains(&variant)), (36, b'4', true), "{id}");
}

/// The code and the sentence of the only integration of the only group that an alert is in.
fn why(story: &mut Story, name: &str, instance: &str) -> (&'static str, String) {
    let labels = LabelSet::new([("alertname", name), ("instance", instance)]);
    let fingerprint = PostedAlert::new(labels, LabelSet::empty(), "".into(), None, None).fingerprint;
    let now = at(story.now);
    let explanation = story.engine.view(now).explain(fingerprint).unwrap();
    let [group] = &explanation.groups[..] else { panic!("{:?}", explanation.groups) };
    let [one] = &group.integrations[..] else { panic!("{:?}", group.integrations) };
    (one.reason.code(), explanation.sentence(now, group, one))
}

#[test]
fn every_state_of_an_alert_is_explained() {
    let mut story = Story::new();
    story.fire("Down", "a");
    let (code, text) = why(&mut story, "Down", "a");
    assert_eq!((code, text.contains("(in 10 s)")), ("group_wait", true), "{text}");
    story.hold = true;
    story.until(11.0);
    assert_eq!(why(&mut story, "Down", "a").0, "sending");
    story.hold = false;
    (story.status, story.retry_after) = (500, Some(20));
    let id = story.held.pop().unwrap();
    story.respond(id);
    story.drain();
    let (code, text) = why(&mut story, "Down", "a");
    assert!(code == "delivery_failed" && text.starts_with("attempt 1 failed: "), "{code}: {text}");
    (story.status, story.retry_after) = (200, None);
    story.until(40.0);
    let (code, text) = why(&mut story, "Down", "a");
    assert!(code == "not_changed" && text.starts_with("told that it fires at "), "{code}: {text}");
    story.fire("Down", "b");
    assert_eq!(why(&mut story, "Down", "b").0, "group_interval");
    story.silence("instance", "a", 5000.0);
    let (code, text) = why(&mut story, "Down", "a");
    assert!(code == "silenced" && text.starts_with("silenced by "), "{code}: {text}");
    assert_eq!(why(&mut story, "Down", "b").0, "group_interval");
    story.resolve("Down", "b");
    let (code, text) = why(&mut story, "Down", "b");
    assert!(code == "never_told", "{code}: {text}");
    assert!(story.engine.view(at(40.0)).explain(crate::label::Fingerprint(1)).is_none());
}

#[test]
fn what_inhibits_is_named_with_its_rule() {
    let mut story = Story::new();
    story.post(&[("alertname", "Zone"), ("severity", "critical"), ("zone", "z")], 5000.0);
    story.post(&[("alertname", "Down"), ("severity", "warning"), ("zone", "z")], 5000.0);
    let of = |labels: [(&'static str, &'static str); 3]| {
        PostedAlert::new(LabelSet::new(labels), LabelSet::empty(), "".into(), None, None).fingerprint
    };
    let source = of([("alertname", "Zone"), ("severity", "critical"), ("zone", "z")]);
    let target = of([("alertname", "Down"), ("severity", "warning"), ("zone", "z")]);
    let explanation = story.engine.view(at(0.0)).explain(target).unwrap();
    let inhibition = explanation.inhibited_by.clone().unwrap();
    assert_eq!((inhibition.by, inhibition.rule), (source, 0));
    let group = &explanation.groups[0];
    let sentence = explanation.sentence(at(0.0), group, &group.integrations[0]);
    assert_eq!(sentence, format!("inhibited by alert {source}, which fires, by rule 0 of inhibit_rules"));
}
