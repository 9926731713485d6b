//! What outlives a member that is killed, and what follows from it in its next life.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::alert::PostedAlert;

impl Story {
    /// Dies at once, and comes back at `now` with what is on disk.
    fn killed(self, now: f64) -> Self {
        Self::restored(self.disk.restored(), now)
    }

    /// Like [`Self::killed`], without the alerts.
    fn killed_without_alerts(self, now: f64) -> Self {
        let restored = Restored { started_at: at(now), ..self.disk.restored() };
        let engine = Engine::new(Options { persist_alerts: false, ..Options::default() }, restored).unwrap();
        let mut story = Self::new();
        (story.engine, story.now) = (engine, now);
        story.configure(CONFIG);
        story
    }

    /// Posts an alert whose sender repeats it every minute, as Prometheus does.
    fn fire_for_minutes(&mut self, instance: &str) {
        self.post(&[("alertname", "Down"), ("instance", instance)], self.now + 240.0);
    }

    fn firing(&mut self) -> Vec<String> {
        let rows = self.engine.view(at(self.now)).alerts(&AlertFilter::default());
        let mut names: Vec<_> = rows.iter().map(|row| row.alert.labels.value("instance").to_owned()).collect();
        names.sort();
        names
    }
}

const NOTHING: [&str; 0] = [];

#[test]
fn silences_are_answered_when_they_are_durable_and_come_back() {
    let mut story = Story::new();
    let matchers = vec![Matcher::new(Op::Equal, "instance", "a").unwrap()];
    let draft = SilenceDraft {
        id: None,
        matchers,
        starts_at: None,
        ends_at: at(1000.0),
        created_by: "me".into(),
        comment: "test".into(),
        annotations: BTreeMap::new(),
    };
    story.engine.handle(at(1.0), Input::SetSilence { ticket: 7, draft });
    let mut answered = 0;
    while let Some(output) = story.engine.poll() {
        match output {
            Output::Append { sync, answers, records } => {
                assert!(sync && matches!(answers[..], [(7, Answer::Silence(_))]), "{answers:?}");
                story.disk.journal.push(records);
                answered += 1;
            }
            Output::Answer { ticket, .. } => panic!("{ticket} is answered before it is on disk"),
            _ => {}
        }
    }
    assert_eq!(answered, 1);
    story.silence("instance", "b", 1000.0);
    let ended = story.engine.silences.iter().find(|s| s.matches(&LabelSet::new([("instance", "b")])));
    let id = ended.unwrap().id.clone();
    story.now = 15.0;
    story.input(Input::ExpireSilence { ticket: 8, id });
    let mut again = story.killed(20.0);
    let mut states: Vec<_> = again.engine.view(at(20.0)).silences().iter().map(|(_, state)| state.name()).collect();
    states.sort_unstable();
    assert_eq!(states, ["active", "expired"]);
}

#[test]
fn an_alert_that_nobody_repeats_is_resolved_once_after_the_grace() {
    let mut story = Story::new();
    story.fire_for_minutes("a");
    assert_eq!(story.until(20.0), ["10: a| (first notification)"]);
    // ends in its downtime: nobody could post then
    let mut story = story.killed(400.0);
    assert_eq!(story.until(699.0), NOTHING);
    assert_eq!(story.firing(), ["a"]);
    assert_eq!(story.until(800.0), ["700: |a (all alerts resolved)"]);
    let mut story = story.killed(801.0);
    assert_eq!((story.until(9000.0), story.engine.groups.len()), (vec![], 0));
}

#[test]
fn a_post_after_the_start_says_what_is_true() {
    let mut story = Story::new();
    story.fire_for_minutes("a");
    story.fire_for_minutes("b");
    story.until(20.0);
    let mut story = story.killed(30.0);
    story.resolve("Down", "a");
    assert_eq!(story.until(71.0), ["70: b|a (some alerts resolved)"]);
    // a newer report counts, also one that ends before the grace is over
    story.post(&[("alertname", "Down"), ("instance", "b")], 100.0);
    assert_eq!(story.until(200.0), ["130: |b (all alerts resolved)"]);
}

#[test]
fn a_resolve_that_came_before_the_end_is_told_after_it() {
    let mut story = Story::new();
    story.fire_for_minutes("a");
    story.until(20.0);
    story.resolve("Down", "a");
    let mut story = story.killed(65.0);
    assert_eq!(story.until(500.0), ["70: |a (all alerts resolved)"]);
    let mut story = story.killed(501.0);
    assert_eq!(story.until(5000.0), NOTHING);
}

#[test]
fn a_new_group_waits_on_where_it_was() {
    let mut story = Story::new();
    story.now = 100.0;
    story.fire_for_minutes("a");
    let mut story = story.killed(105.0);
    assert_eq!(story.until(200.0), ["110: a| (first notification)"]);
}

#[test]
fn what_was_told_as_resolved_never_fires_again_by_itself() {
    let mut story = Story::new();
    story.fire_for_minutes("a");
    story.until(20.0);
    let old = story.disk.clone();
    // ends by itself, which nobody wrote down
    assert_eq!(story.until(500.0), ["250: |a (all alerts resolved)"]);
    let records = story.disk.journal.last().unwrap();
    let entry = crate::wire::fields(records).unwrap()[0].raw.clone();
    let mut disk = old;
    disk.journal.push(entry);
    // the record that it is gone is lost, the log is not
    let mut story = Story::restored(disk.restored(), 1000.0);
    assert_eq!(story.firing(), ["a"], "it is presumed to fire");
    assert_eq!(story.until(5000.0), NOTHING);
    assert_eq!(story.engine.groups.len(), 0);
}

#[test]
fn without_the_flag_alerts_are_forgotten() {
    let mut story = Story::new();
    story.fire_for_minutes("a");
    story.until(20.0);
    let mut story = story.killed_without_alerts(30.0);
    assert_eq!(story.firing(), NOTHING);
    story.fire_for_minutes("b");
    story.until(80.0);
    let kept = |records: &Bytes| crate::wire::records(records).unwrap().len();
    let kept: usize = story.disk.journal.iter().map(kept).sum();
    assert_eq!(kept, 1, "the log's entry only");
}

#[test]
fn all_is_not_said_to_be_resolved_while_some_may_be_unheard_of() {
    let mut story = Story::new();
    story.fire_for_minutes("a");
    story.fire_for_minutes("b");
    story.until(20.0);
    let mut story = story.killed_without_alerts(30.0);
    story.resolve("Down", "a");
    assert_eq!(story.until(120.0), NOTHING);
    story.fire_for_minutes("b");
    assert_eq!(story.until(200.0), ["130: b|a (some alerts resolved)"]);

    let mut story = story.killed_without_alerts(250.0);
    story.post(&[("alertname", "Down"), ("instance", "c")], 251.0);
    assert_eq!(story.until(549.0), NOTHING);
    // nobody has spoken of b for the resolve timeout
    assert_eq!(story.until(700.0).len(), 1);
}

#[test]
fn alerts_of_long_ago_are_not_revived() {
    let mut story = Story::new();
    story.fire("Down", "a");
    story.until(20.0);
    let mut story = story.killed(20.0 + 121.0 * 3600.0);
    assert_eq!(story.firing(), NOTHING);
}

#[test]
fn a_mere_refresh_is_not_written() {
    let mut story = Story::new();
    let mut post = |now: f64, ends: Option<f64>, text: &str| {
        story.now = now;
        let before = story.disk.journal.len();
        let labels = LabelSet::new([("alertname", "Down"), ("instance", "a")]);
        let annotations = LabelSet::new([("text", text)]);
        let posted = PostedAlert::new(labels, annotations, "".into(), Some(at(1.0)), ends.map(at));
        story.input(Input::Alerts { ticket: 1, alerts: vec![posted] });
        story.disk.journal.len() - before
    };
    assert_eq!(post(1.0, Some(241.0), "x"), 1, "new, with its group");
    assert_eq!(post(61.0, Some(301.0), "x"), 1, "told meanwhile");
    assert_eq!(post(62.0, Some(302.0), "x"), 0);
    assert_eq!(post(63.0, Some(303.0), "y"), 1, "another text");
    assert_eq!(post(64.0, Some(9000.0), "y"), 1, "a much later end");
    assert_eq!(post(65.0, Some(65.0), "y"), 1, "resolved");
    assert_eq!(post(66.0, Some(65.0), "y"), 0, "resolved still");
}

#[derive(Debug, Clone)]
enum Step {
    Fire(u8),
    Resolve(u8),
    Silence(u8),
    Expire(u8),
    Wait(u8),
    Snapshot,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..6_u8).prop_map(Step::Fire),
        (0..6_u8).prop_map(Step::Resolve),
        (0..4_u8).prop_map(Step::Silence),
        any::<u8>().prop_map(Step::Expire),
        (1..90_u8).prop_map(Step::Wait),
        Just(Step::Snapshot),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// After a crash at any point of any history, whatever of the journal is still there from before the snapshot.
    #[test]
    fn a_restart_has_what_was_there(
        steps in proptest::collection::vec(step(), 1..40), from in any::<prop::sample::Index>(),
    ) {
        let mut story = Story::new();
        for step in steps {
            match step {
                Step::Fire(n) => drop(story.fire(["Down", "Slow"][usize::from(n % 2)], &n.to_string())),
                Step::Resolve(n) => drop(story.resolve(["Down", "Slow"][usize::from(n % 2)], &n.to_string())),
                Step::Silence(n) => story.silence("instance", &n.to_string(), story.now + 500.0),
                Step::Expire(n) => {
                    let ids: Vec<_> = story.engine.silences.iter().map(|s| s.id.clone()).collect();
                    if let Some(id) = ids.get(usize::from(n) % ids.len().max(1)).cloned() {
                        story.input(Input::ExpireSilence { ticket: 3, id });
                    }
                }
                Step::Wait(secs) => drop(story.until(story.now + f64::from(secs))),
                Step::Snapshot => drop(story.input(Input::Snapshot)),
            }
        }
        let now = story.now;
        let whole = [story.disk.obsolete.clone(), story.disk.journal.clone()].concat();
        let from = from.index(story.disk.obsolete.len() + 1);
        let disk = Disk { journal: whole[from..].to_vec(), ..story.disk.clone() };
        let firing = story.firing();
        let digest = story.engine.state_digest(at(now));
        let restored = Restored { started_at: at(now), ..disk.restored() };
        let mut engine = Engine::new(Options::default(), restored).unwrap();
        prop_assert_eq!(engine.state_digest(at(now)), digest);
        let mut again = Story::restored(disk.restored(), now);
        prop_assert_eq!(again.firing(), firing);
        // and once more, over what it writes itself
        let digest = again.engine.state_digest(at(now));
        again.input(Input::Snapshot);
        let disk = Disk { journal: [&whole[from..], &again.disk.journal[..]].concat(), ..again.disk.clone() };
        let restored = Restored { started_at: at(now), ..disk.restored() };
        let mut engine = Engine::new(Options::default(), restored).unwrap();
        prop_assert_eq!(engine.state_digest(at(now)), digest);
        let mut third = Story::restored(disk.restored(), now);
        prop_assert_eq!(third.firing(), again.firing());
    }
}
