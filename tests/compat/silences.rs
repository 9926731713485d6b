//! Silences: random histories; the same ids are kept or replaced, the same states and errors, the same alerts silenced.

use std::collections::BTreeMap;
use std::time::Duration;

use alerting::label::LabelSet;
use alerting::matcher::{Matcher, Op};
use alerting::silence::{SilenceCache, SilenceDraft, SilenceError, SilenceId, SilenceLimits, Silences};
use alerting::time::Timestamp;
use serde_json::{Value, json};

use crate::dice::Dice;
use crate::peer::Peer;

const HISTORIES: u64 = 300;
const STEPS: usize = 60;
/// When the peer's clock starts: 2000-01-01.
const START: Timestamp = Timestamp::from_secs(946_684_800);
const SECOND: i64 = 1_000_000_000;

#[test]
fn histories_are_the_same() {
    let mut peer = Peer::start();
    let mut seen = BTreeMap::<String, usize>::new();
    for seed in 0..HISTORIES {
        let mut dice = Dice::new(seed);
        let retention = dice.within(0, 60) * SECOND;
        let max = [0, 0, 3, 8][dice.below(4)];
        let bytes_max = [0, 0, 150, 200][dice.below(4)];
        let steps = history(&mut dice);
        let question = json!({ "retention": retention, "max": max, "maxBytes": bytes_max, "steps": steps });
        let theirs = peer.ask("silences", question).unwrap();
        let limits =
            SilenceLimits { count_max: Some(max).filter(|n| *n > 0), bytes_max: Some(bytes_max).filter(|n| *n > 0) };
        let mut ours = Ours::new(limits, Duration::from_nanos(retention as u64));
        for (at, (step, theirs)) in steps.iter().zip(theirs.as_array().unwrap()).enumerate() {
            let ours = ours.take(step);
            let history = || steps[..=at].iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
            assert_eq!(&ours, theirs, "seed {seed}, retention {retention}, after:\n{}", history());
            let error = ours["error"].as_str().unwrap().split(':').next().unwrap();
            *seen.entry(format!("{} {error}", step["kind"].as_str().unwrap())).or_default() += 1;
            *seen.entry("silenced".into()).or_default() += ours["by"].as_array().unwrap().len();
        }
    }
    for what in [
        "set ",
        "set silence not found",
        "set invalid silence",
        "set exceeded maximum number of silences",
        "set silence exceeded maximum size",
        "expire ",
        "expire silence not found",
        "gc ",
        "match ",
        "silenced",
    ] {
        assert!(seen.get(what).is_some_and(|count| *count > 50), "{what:?} is too rare: {seen:?}");
    }
}

struct Ours {
    silences: Silences,
    limits: SilenceLimits,
    retention: Duration,
    now: i64,
    ids: Vec<SilenceId>,
    caches: BTreeMap<String, SilenceCache>,
}

impl Ours {
    fn new(limits: SilenceLimits, retention: Duration) -> Self {
        let ids = vec![SilenceId("".into())];
        Self { silences: Silences::default(), limits, retention, now: 0, ids, caches: BTreeMap::new() }
    }

    fn take(&mut self, step: &Value) -> Value {
        self.now += step["later"].as_i64().unwrap();
        let now = at(self.now);
        let number = step["id"].as_u64().unwrap_or(0) as usize;
        let id =
            self.ids.get(number).cloned().unwrap_or_else(|| SilenceId("00000000-0000-4000-8000-000000000000".into()));
        let (mut made, mut by) = (0, Vec::new());
        let mut done: Result<(), SilenceError> = Ok(());
        match step["kind"].as_str().unwrap() {
            "set" => {
                let fresh = SilenceId(format!("{:08}-0000-4000-8000-000000000000", self.ids.len()).into());
                let draft = draft(step, (number > 0).then_some(id));
                match self.silences.set(now, draft, self.limits, self.retention, || fresh) {
                    Ok(changed) => made = self.number(&changed.id),
                    Err(error) => done = Err(error),
                }
            }
            "expire" => done = self.silences.expire(now, &id, self.retention).map(drop),
            "gc" => self.silences.forget_expired(now),
            _ => {
                let pairs = step["labels"].as_object().unwrap().iter().map(|(n, v)| (n, v.as_str().unwrap()));
                let labels = LabelSet::new(pairs);
                let cache = self.caches.entry(labels.to_string()).or_default();
                self.silences.refresh(&labels, cache);
                let active = self.silences.active(cache, now);
                by = active.iter().map(|id| self.number(id)).collect();
                by.sort_unstable();
            }
        }
        let stored: Vec<_> = self.silences.iter().cloned().collect();
        let mut rows: Vec<(usize, Value)> = stored
            .iter()
            .map(|s| {
                let number = self.number(&s.id);
                let row = json!({
                    "id": number, "state": s.state_at(now).name(), "comment": s.comment,
                    "starts": since(s.starts_at), "ends": since(s.ends_at), "updated": since(s.updated_at),
                });
                (number, row)
            })
            .collect();
        rows.sort_by_key(|(number, _)| *number);
        let rows: Vec<Value> = rows.into_iter().map(|(_, row)| row).collect();
        let error = done.err().map(|error| error.to_string()).unwrap_or_default();
        json!({ "id": made, "error": error, "by": by, "rows": rows })
    }

    fn number(&mut self, id: &SilenceId) -> usize {
        self.ids.iter().position(|known| known == id).unwrap_or_else(|| {
            self.ids.push(id.clone());
            self.ids.len() - 1
        })
    }
}

fn at(nanos: i64) -> Timestamp {
    Timestamp::from_nanos(START.as_nanos() + nanos)
}

fn since(at: Timestamp) -> i64 {
    at.as_nanos() - START.as_nanos()
}

fn draft(step: &Value, id: Option<SilenceId>) -> SilenceDraft {
    let matchers = step["matchers"].as_array().unwrap().iter().map(|m| {
        // in the order of the protobuf
        let op = [Op::Equal, Op::Regex, Op::NotEqual, Op::NotRegex][m["type"].as_u64().unwrap() as usize];
        Matcher::new(op, m["name"].as_str().unwrap(), m["pattern"].as_str().unwrap()).unwrap()
    });
    SilenceDraft {
        id,
        matchers: matchers.collect(),
        starts_at: step["starts"].as_i64().map(at),
        ends_at: at(step["ends"].as_i64().unwrap()),
        created_by: String::new(),
        comment: step["comment"].as_str().unwrap().to_owned(),
        annotations: BTreeMap::new(),
    }
}

fn history(dice: &mut Dice) -> Vec<Value> {
    let mut now = 0;
    let mut drafts: Vec<Value> = Vec::new();
    let mut steps = Vec::new();
    for _ in 0..STEPS {
        let later = [1, dice.within(1, SECOND), dice.within(1, 20) * SECOND][dice.below(3)];
        now += later;
        let mut step = match dice.below(10) {
            0 => json!({ "kind": "gc" }),
            1 | 2 => json!({ "kind": "expire", "id": dice.below(14) + 1 }),
            3 | 4 => json!({ "kind": "match", "labels": labels(dice) }),
            _ => set(dice, now, &mut drafts),
        };
        step["later"] = json!(later);
        steps.push(step);
    }
    steps
}

fn set(dice: &mut Dice, now: i64, drafts: &mut Vec<Value>) -> Value {
    // an edit of what was there before, or something new
    let mut step = if !drafts.is_empty() && dice.chance(60) {
        let mut step = drafts[dice.below(drafts.len())].clone();
        step["id"] = json!(dice.below(drafts.len() + 2));
        step
    } else {
        let count = if dice.chance(5) { 0 } else { dice.below(3) + 1 };
        json!({ "kind": "set", "matchers": (0..count).map(|_| matcher(dice)).collect::<Value>() })
    };
    let fresh = step.get("ends").is_none();
    if fresh || dice.chance(40) {
        let starts = [now - 10 * SECOND, now, now + dice.within(1, 30) * SECOND][dice.below(3)];
        step["starts"] = if dice.chance(30) { Value::Null } else { json!(starts) };
    }
    if fresh || dice.chance(60) {
        step["ends"] = json!(now + dice.within(-5, 60) * SECOND);
    }
    step["comment"] = json!("c".repeat(dice.below(100)));
    drafts.push(step.clone());
    step
}

fn matcher(dice: &mut Dice) -> Value {
    let kind = dice.below(4);
    let regex = kind % 2 == 1;
    let pattern = if regex { dice.pick(&["1|2", ".*", ".+", "x?", "[12]"]) } else { dice.pick(&["1", "2", "x", ""]) };
    json!({ "type": kind, "name": dice.pick(&["a", "b", "c"]), "pattern": pattern })
}

fn labels(dice: &mut Dice) -> Value {
    let mut labels = json!({});
    for name in ["a", "b", "c"] {
        if dice.chance(60) {
            labels[name] = json!(dice.pick(&["1", "2", "x"]));
        }
    }
    labels
}
