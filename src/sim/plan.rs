//! What is going to happen in a run, drawn from its seed before it starts.

use std::time::Duration;

use alerting::label::LabelSet;
use alerting::time::Timestamp;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// When virtual time begins.
pub(crate) const START: Timestamp = Timestamp::from_secs(1_800_000_000);

/// Members that come later, at most.
const ADDED_MAX: usize = 2;

/// A history for one cluster.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    /// Whether anything but time passes: loss, crashes, partitions, failing receivers, skewed clocks.
    pub(crate) faults: bool,
    pub(crate) members: usize,
    pub(crate) group_wait: Duration,
    pub(crate) group_interval: Duration,
    pub(crate) repeat_interval: Duration,
    pub(crate) alerts: Vec<PlannedAlert>,
    pub(crate) silences: Vec<PlannedSilence>,
    pub(crate) mishaps: Vec<(Timestamp, Mishap)>,
    /// Faults are over, everything is up and connected.
    pub(crate) healed_at: Timestamp,
    pub(crate) end: Timestamp,
    /// Between two posts of the same alert.
    pub(crate) resend: Duration,
    /// Of packets, in faulty runs before healing; percent.
    pub(crate) loss: u32,
    /// Added to each member's clock.
    pub(crate) skew: Vec<i64>,
    /// Of packets, in faulty runs before healing; percent that come twice, and that come late.
    pub(crate) doubled: u32,
    pub(crate) late: u32,
    /// How long the receiver takes to answer; no fault, since an attempt may take longer.
    pub(crate) answers_after: Duration,
    /// Each post reaches one member only, as through a load balancer.
    pub(crate) balanced: bool,
    /// What operators do to a healthy cluster; no faults.
    pub(crate) chores: Vec<(Timestamp, Chore)>,
}

/// An alert and the times in which it fires.
#[derive(Debug)]
pub(crate) struct PlannedAlert {
    pub(crate) labels: LabelSet,
    pub(crate) episodes: Vec<(Timestamp, Timestamp)>,
}

/// A silence on one instance, made on one member.
#[derive(Debug)]
pub(crate) struct PlannedSilence {
    pub(crate) on: usize,
    pub(crate) at: Timestamp,
    pub(crate) instance: String,
    pub(crate) ends: Timestamp,
}

/// Something that is done on purpose.
#[derive(Debug, Clone)]
pub(crate) enum Chore {
    /// A member reads its configuration again.
    Reload { member: usize },
    /// Each member in turn is told to end and started again, as when an image is changed.
    Roll,
}

/// Something that goes wrong.
#[derive(Debug, Clone)]
pub(crate) enum Mishap {
    /// A member dies at once and comes back after a while, with what its disk has or with nothing.
    Crash { member: usize, down: Duration, empty_disk: bool },
    /// A member is told to end, and started again.
    Restart { member: usize, down: Duration },
    /// One member can't talk to the others.
    Isolate { member: usize, lasts: Duration },
    /// What one member sends doesn't reach another one, though the other way is open.
    Deafen { from: usize, to: usize, lasts: Duration },
    /// Two members can't talk, though both can with the others.
    Cut { between: usize, and: usize, lasts: Duration },
    /// A member stands still, and goes on as if nothing had happened.
    Pause { member: usize, lasts: Duration },
    /// A member is added, or taken away for good, gracefully.
    Scale { add: bool },
    /// The receiver answers 500.
    ReceiverFails { lasts: Duration },
    /// One member can't reach the receiver.
    Unreachable { member: usize, lasts: Duration },
}

impl Plan {
    pub(crate) fn draw(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let faults = rng.random_bool(0.5);
        let members = [3, 3, 5, 7][rng.random_range(0..4)];
        let secs = |n: u64| Duration::from_secs(n);
        let group_wait = secs([1, 5, 10, 30][rng.random_range(0..4)]);
        let group_interval = secs([10, 20, 30, 60][rng.random_range(0..4)]);
        let repeat_interval = secs([300, 600, 3600][rng.random_range(0..3)]);
        let healed_at = START + secs(600);
        let end = START + secs(1500);
        let alerts = (0..rng.random_range(1..8)).map(|n| PlannedAlert::draw(n, &mut rng)).collect();
        let silences = (0..rng.random_range(0..3)).map(|_| PlannedSilence::draw(members, &mut rng)).collect();
        let mut mishaps = Vec::new();
        if faults {
            for _ in 0..rng.random_range(1..5) {
                mishaps.push((START + secs(rng.random_range(5..500)), Mishap::draw(members, &mut rng)));
            }
        }
        let skew_max = if faults { [0, 1500, 15_000][rng.random_range(0..3)] } else { 0 };
        let skew = (0..members + ADDED_MAX).map(|_| rng.random_range(-skew_max..=skew_max) * 1_000_000).collect();
        let loss = if faults { rng.random_range(0..20) } else { 0 };
        let (doubled, late) = if faults { (rng.random_range(0..10), rng.random_range(0..10)) } else { (0, 0) };
        let balanced = rng.random_bool(0.3);
        let mut chores = Vec::new();
        for _ in 0..rng.random_range(0..3) {
            let at = START + secs(rng.random_range(30..1200));
            chores.push((at, Chore::Reload { member: rng.random_range(0..members) }));
        }
        if rng.random_bool(0.3) {
            chores.push((START + secs(rng.random_range(60..900)), Chore::Roll));
        }
        // a member that is told to end waits for an answer no longer than that
        let rolled = chores.iter().any(|(_, chore)| matches!(chore, Chore::Roll));
        let resend = secs(rng.random_range(10..40));
        // less than what an attempt may take
        let slowest = group_interval.max(secs(10)).as_millis() as u64 - 1500;
        let slowest = if rolled { slowest.min(14_000) } else { slowest };
        let slow = rng.random_bool(0.3);
        let answers_after = Duration::from_millis(if slow { rng.random_range(100..slowest) } else { 0 });
        Self {
            seed,
            faults,
            members,
            group_wait,
            group_interval,
            repeat_interval,
            alerts,
            silences,
            mishaps,
            healed_at,
            end,
            resend,
            loss,
            skew,
            doubled,
            late,
            answers_after,
            balanced,
            chores,
        }
    }

    /// The configuration of all members.
    pub(crate) fn config(&self) -> String {
        let (wait, interval) = (self.group_wait.as_secs(), self.group_interval.as_secs());
        let repeat = self.repeat_interval.as_secs();
        format!(
            "route:\n  receiver: team\n  group_by: [alertname]\n  group_wait: {wait}s\n  group_interval: {interval}s\n  \
             repeat_interval: {repeat}s\nreceivers:\n- name: team\n  webhook_configs:\n  - url: http://receiver/\n"
        )
    }

    /// Members that may be added.
    pub(crate) fn added(&self) -> usize {
        ADDED_MAX
    }

    /// How far two clocks may be apart.
    pub(crate) fn skew(&self) -> Duration {
        let (least, most) = (self.skew.iter().min(), self.skew.iter().max());
        Duration::from_nanos(most.zip(least).map_or(0, |(most, least)| most.abs_diff(*least)))
    }

    /// The longest that a change may take to be told in a healthy cluster: a wait, an interval, and a turn for each.
    pub(crate) fn patience(&self) -> Duration {
        let turns = Duration::from_secs(15 * self.members as u64 + 10);
        self.group_wait + self.group_interval * 2 + self.resend + turns + self.answers_after * 2 + self.skew()
    }
}

impl PlannedAlert {
    fn draw(n: usize, rng: &mut StdRng) -> Self {
        let name = ["Down", "Slow", "Full"][rng.random_range(0..3)];
        let labels = LabelSet::new([("alertname", name.to_owned()), ("instance", format!("i{n}"))]);
        let mut at = 3 + rng.random_range(0..400_u64);
        let mut episodes = Vec::new();
        for _ in 0..rng.random_range(1..4) {
            let lasts = if rng.random_bool(0.2) { rng.random_range(1..30) } else { rng.random_range(60..600) };
            let (from, to) = (START + Duration::from_secs(at), START + Duration::from_secs(at + lasts));
            episodes.push((from, to));
            at += lasts + rng.random_range(20..300);
        }
        Self { labels, episodes }
    }

    /// When it last began to fire, if it fires at `at`.
    pub(crate) fn firing_since(&self, at: Timestamp) -> Option<Timestamp> {
        self.episodes.iter().find(|(from, to)| *from <= at && at < *to).map(|(from, _)| *from)
    }
}

impl PlannedSilence {
    fn draw(members: usize, rng: &mut StdRng) -> Self {
        let at = START + Duration::from_secs(rng.random_range(10..500));
        Self {
            on: rng.random_range(0..members),
            at,
            instance: format!("i{}", rng.random_range(0..4)),
            ends: at + Duration::from_secs(rng.random_range(30..300)),
        }
    }
}

impl Mishap {
    fn draw(members: usize, rng: &mut StdRng) -> Self {
        let member = rng.random_range(0..members);
        let lasts = Duration::from_secs(rng.random_range(1..90));
        let other = (member + rng.random_range(1..members)) % members;
        match rng.random_range(0..9) {
            0 => Self::Crash { member, down: lasts, empty_disk: rng.random_bool(0.5) },
            1 => Self::Restart { member, down: lasts },
            2 => Self::Isolate { member, lasts },
            3 => Self::Unreachable { member, lasts },
            4 => Self::Deafen { from: member, to: other, lasts },
            5 => Self::Cut { between: member, and: other, lasts },
            6 => Self::Pause { member, lasts: lasts / 3 },
            7 => Self::Scale { add: rng.random_bool(0.5) },
            _ => Self::ReceiverFails { lasts },
        }
    }
}
