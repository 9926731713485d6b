//! What a step does to the world.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use alerting::alert::PostedAlert;
use alerting::effects::Input;
use alerting::label::LabelSet;
use alerting::matcher::{Matcher, Mode, parse_one};
use alerting::silence::SilenceDraft;
use alerting::time::Timestamp;

use crate::script::{Step, duration};
use crate::show;
use crate::world::{FAR, Manners, World, configuration};

impl World {
    pub(crate) fn step(&mut self, step: &Step) {
        let words: Vec<&str> = step.words.iter().map(String::as_str).collect();
        let done = match words.as_slice() {
            ["fire", words @ ..] => self.post(words, false),
            ["resolve", words @ ..] => self.post(words, true),
            ["silence", name, words @ ..] => self.silence(name, words),
            ["expire", name] => {
                let id = self.silences[*name].0.clone();
                self.input(0, Input::ExpireSilence { ticket: 0, id });
                Some(())
            }
            ["answer", words @ ..] => self.answer(words),
            ["reload"] => {
                self.config = configuration(&step.place, &step.config);
                for member in 0..self.members.len() {
                    self.input(member, Input::Config(self.config.clone()));
                }
                Some(())
            }
            ["stop", member] => member.parse().ok().map(|member| self.input(member, Input::Stop)),
            ["crash", member] => member.parse().ok().map(|member: usize| {
                self.members[member].engine = None;
                self.members[member].life += 1;
            }),
            ["start", member] => member.parse().ok().map(|member| self.boot(member)),
            ["cut", member] => member.parse().ok().map(|member: usize| self.members[member].cut = true),
            ["join", member] => member.parse().ok().map(|member: usize| self.members[member].cut = false),
            ["show", what] => {
                for member in 0..self.members.len() {
                    let Some(mut engine) = self.members[member].engine.take() else { continue };
                    for line in show::view(&mut engine, what, self.start, self.now, &self.names) {
                        self.see(member, &line);
                    }
                    self.members[member].engine = Some(engine);
                }
                Some(())
            }
            ["wait"] | ["end"] => Some(()),
            _ => None,
        };
        assert!(done.is_some(), "{}: not understood: {}", step.place, step.words.join(" "));
    }

    /// `fire a,label=value b @starts=-5m @ends=2m @noend @note=text @to=0`
    fn post(&mut self, words: &[&str], resolved: bool) -> Option<()> {
        let (mut alerts, mut starts, mut ends, mut no_end, mut to) = (Vec::new(), None, None, false, None);
        let mut annotations = LabelSet::empty();
        for word in words {
            match word.split_once('=') {
                Some(("@starts", value)) => starts = Some(self.moved(value)?),
                Some(("@ends", value)) => ends = Some(self.moved(value)?),
                Some(("@note", value)) => annotations = LabelSet::new([("note", value)]),
                Some(("@to", value)) => to = Some(value.parse::<usize>().ok()?),
                _ if *word == "@noend" => no_end = true,
                _ => alerts.push(labels(word)?),
            }
        }
        let mut posted = Vec::new();
        for labels in alerts {
            let known = self.since.get(&labels).copied();
            let since = starts.or(known).unwrap_or(self.now);
            let end = ends.unwrap_or(if resolved { self.now } else { self.now + FAR });
            if resolved {
                self.since.remove(&labels)
            } else {
                self.since.insert(labels.clone(), since)
            };
            let end = (!no_end).then_some(end);
            posted.push(PostedAlert::new(labels, annotations.clone(), "".into(), Some(since), end));
        }
        let members: BTreeSet<usize> = (0..self.members.len()).filter(|m| to.is_none_or(|to| to == *m)).collect();
        for member in members {
            self.input(member, Input::Alerts { ticket: 0, alerts: posted.clone() });
        }
        Some(())
    }

    /// `silence s instance=a for 5m from 1m`; again for one that is known: its new version, with the old start
    fn silence(&mut self, name: &str, words: &[&str]) -> Option<()> {
        let (mut matchers, mut from, mut lasts): (Vec<Matcher>, _, _) = (Vec::new(), None, Duration::ZERO);
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "for" => lasts = duration(words.next()?)?,
                "from" => from = Some(self.now + duration(words.next()?)?),
                matcher => matchers.push(parse_one(Mode::Fallback, matcher).ok()?.0),
            }
        }
        let known = self.silences.get(name).cloned();
        let since = known.as_ref().map(|(_, since)| *since);
        let starts_at = from.or(since).unwrap_or(self.now);
        self.setting = Some((name.to_owned(), starts_at));
        let draft = SilenceDraft {
            id: known.map(|(id, _)| id),
            matchers,
            starts_at: Some(starts_at),
            ends_at: from.unwrap_or(self.now) + lasts,
            created_by: "me".to_owned(),
            comment: "scenario".to_owned(),
            annotations: BTreeMap::new(),
        };
        self.input(0, Input::SetSilence { ticket: 0, draft });
        self.setting = None;
        Some(())
    }

    /// `answer 503`, `answer team 429 after 30s`, `answer slow 20s`, `answer never`
    fn answer(&mut self, words: &[&str]) -> Option<()> {
        let (receiver, words) = match words {
            [receiver, rest @ ..] if !rest.is_empty() && *receiver != "slow" && receiver.parse::<u16>().is_err() => {
                (*receiver, rest)
            }
            words => ("", words),
        };
        let manners = match words {
            ["never"] => Manners { slow: FAR, ..Manners::default() },
            ["slow", time] => Manners { slow: duration(time)?, ..Manners::default() },
            [status] => Manners { status: Some(status.parse().ok()?), ..Manners::default() },
            [status, "after", time] => {
                Manners { status: Some(status.parse().ok()?), retry_after: Some(duration(time)?), ..Manners::default() }
            }
            _ => return None,
        };
        self.manners.insert(receiver.to_owned(), manners);
        Some(())
    }

    /// A time relative to now: `-5m`, `2s`.
    fn moved(&self, text: &str) -> Option<Timestamp> {
        match text.strip_prefix('-') {
            Some(text) => Some(self.now - duration(text)?),
            None => Some(self.now + duration(text)?),
        }
    }
}

/// `instance,label=value,…`
fn labels(word: &str) -> Option<LabelSet> {
    let mut parts = word.split(',');
    let mut labels = BTreeMap::from([("alertname", "Down"), ("instance", parts.next()?)]);
    for part in parts {
        let (name, value) = part.split_once('=')?;
        labels.insert(name, value);
    }
    Some(LabelSet::new(labels))
}
