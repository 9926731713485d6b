//! Carries a story out on both programs at once.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant, SystemTime};

use alerting::time::Timestamp;
use serde_json::{Value, json};

use super::pair::Side;
use super::script::{Action, Answer, Named, Step, Story, Times, Zero};
use crate::http::request;

/// A step that is done so much later than it should be spoils its story: the programs were in another state.
const LATE: Duration = Duration::from_millis(900);

/// When a story's times begin to count.
#[derive(Debug)]
pub(super) struct Clock {
    /// Of steps before zero, and of all steps of stories in which nothing happens to the programs.
    pub(super) zero: Instant,
    /// When the reload or restart was over.
    happened: Mutex<Option<Instant>>,
    over: Condvar,
}

impl Clock {
    pub(super) fn new(zero: Instant) -> Self {
        Self { zero, happened: Mutex::new(None), over: Condvar::new() }
    }

    /// The reload or restart is over.
    pub(super) fn happened(&self) {
        *self.happened.lock().unwrap() = Some(Instant::now());
        self.over.notify_all();
    }

    fn instant(&self, zero: Zero, at: f64) -> Instant {
        if at < 0.0 {
            return self.zero - Duration::from_secs_f64(-at);
        }
        let from = match zero {
            Zero::Start | Zero::Minute => self.zero,
            Zero::Reload | Zero::Restart => {
                let happened = self.happened.lock().unwrap();
                self.over.wait_while(happened, |at| at.is_none()).unwrap().unwrap()
            }
        };
        from + Duration::from_secs_f64(at)
    }
}

/// What was done.
#[derive(Debug)]
pub(super) struct Played {
    /// When each step began.
    pub(super) began: Vec<Instant>,
    /// The machine was too busy for this story to say anything.
    pub(super) late: bool,
    /// What comes later is no part of the story.
    pub(super) ended: Instant,
    /// Times that were posted, as webhooks print them, and what they are.
    pub(super) times: BTreeMap<String, String>,
}

/// Carries all steps out, and waits until all has been said.
pub(super) fn play(story: &Story, clock: &Clock, programs: [&Side; 2]) -> Played {
    let mut player =
        Player { story, programs, since: BTreeMap::new(), silences: BTreeMap::new(), times: BTreeMap::new() };
    let mut began = Vec::new();
    let mut late = false;
    for (number, step) in story.steps.iter().enumerate() {
        let planned = clock.instant(story.zero, step.at);
        std::thread::sleep(planned.saturating_duration_since(Instant::now()));
        began.push(Instant::now());
        player.step(number + 1, step);
        late |= planned.elapsed() > LATE;
    }
    let end = clock.instant(story.zero, story.end);
    std::thread::sleep(end.saturating_duration_since(Instant::now()));
    Played { began, late, ended: Instant::now(), times: player.times }
}

struct Player<'a> {
    story: &'a Story,
    programs: [&'a Side; 2],
    /// Since when alerts fire.
    since: BTreeMap<Named, String>,
    /// Starts of silences, and their ids in each program.
    silences: BTreeMap<String, (String, [String; 2])>,
    times: BTreeMap<String, String>,
}

impl Player<'_> {
    fn step(&mut self, number: usize, step: &Step) {
        match &step.action {
            Action::Post { alerts, resolved, times } => {
                let body = self.alerts(number, alerts, *resolved, times).to_string();
                for program in self.programs {
                    self.send(program, "POST", "/api/v2/alerts", &body, step);
                }
            }
            Action::Silence { name, matchers, from, lasts } => {
                let known = self.silences.get(name).cloned();
                // whoever changes a silence leaves its start
                let starts = known.as_ref().map_or_else(|| now_and(*from), |(starts, _)| starts.clone());
                let ends = now_and(from + lasts);
                let mut ids: [String; 2] = Default::default();
                for (n, program) in self.programs.into_iter().enumerate() {
                    let mut body = json!({
                        "matchers": matchers_json(matchers, &self.story.name),
                        "startsAt": starts, "endsAt": ends, "createdBy": "me", "comment": "story",
                    });
                    if let Some((_, known)) = &known {
                        body["id"] = json!(known[n]);
                    }
                    let answer = self.send(program, "POST", "/api/v2/silences", &body.to_string(), step);
                    let answer: Value = serde_json::from_str(&answer).unwrap();
                    answer["silenceID"].as_str().unwrap().clone_into(&mut ids[n]);
                }
                self.silences.insert(name.clone(), (starts, ids));
            }
            Action::Mark => {}
            Action::Expire(name) => {
                for (program, id) in self.programs.into_iter().zip(self.silences[name].1.clone()) {
                    self.send(program, "DELETE", &format!("/api/v2/silence/{id}"), "", step);
                }
            }
            Action::Answer { hook, answer } => {
                for hook in hook.map_or(1..self.story.hooks() + 1, |hook| hook..hook + 1) {
                    self.answer(hook, *answer);
                }
            }
        }
    }

    fn answer(&self, hook: usize, answer: Answer) {
        for program in self.programs {
            program.sink.answer(&self.story.name, hook, answer);
        }
    }

    fn send(&self, program: &Side, method: &str, path: &str, body: &str, step: &Step) -> String {
        let answer = request(program.web, method, path, body);
        answer.unwrap_or_else(|error| panic!("{} `{}`: {error}", self.story.name, step.text))
    }

    fn alerts(&mut self, number: usize, alerts: &[Named], resolved: bool, times: &Times) -> Value {
        let mut posted = Vec::new();
        for labels in alerts {
            let fresh = now_and(times.starts.unwrap_or_default());
            let since = match (times.starts, self.since.get(labels)) {
                (None, Some(since)) => since.clone(),
                _ => self.remember(fresh, format!("start of step {number}")),
            };
            let mut alert = json!({ "labels": labels, "generatorURL": "http://prometheus.example/" });
            alert["labels"]["story"] = json!(self.story.name);
            if !times.no_start {
                alert["startsAt"] = json!(since);
            }
            if let Some(note) = &times.note {
                alert["annotations"] = json!({ "note": note });
            }
            if !times.no_end {
                let ends = now_and(times.ends.unwrap_or(if resolved { 0.0 } else { 3600.0 }));
                alert["endsAt"] = json!(self.remember(ends, format!("end of step {number}")));
            }
            if resolved {
                self.since.remove(labels);
            } else {
                self.since.insert(labels.clone(), since);
            }
            posted.push(alert);
        }
        json!(posted)
    }

    fn remember(&mut self, time: String, what: String) -> String {
        self.times.entry(time.clone()).or_insert(what);
        time
    }
}

/// As webhooks print it, so that it is found again.
fn now_and(seconds: f64) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let millis = i64::try_from(now.as_millis()).unwrap() + (seconds * 1000.0) as i64;
    Timestamp::from_nanos(millis * 1_000_000).rfc3339_nano()
}

fn matchers_json(matchers: &[(String, String, String)], story: &str) -> Value {
    let matcher = |name: &str, op: &str, value: &str| json!({ "name": name, "value": value, "isRegex": op.ends_with('~'), "isEqual": op.starts_with('=') });
    let own = matcher("story", "=", story);
    std::iter::once(own).chain(matchers.iter().map(|(name, op, value)| matcher(name, op, value))).collect()
}
