//! All members restarted one after the other, again and again, while all groups have something new to tell all the time.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use anyhow::ensure;
use jiff::{SignedDuration, Timestamp};

use super::lab::{self, Lab};
use super::member::Members;
use super::pages::{Pages, repeated};
use super::{LIMIT, PAUSE, Sizes};
use crate::contender::Contender;
use crate::http::Connection;
use crate::scenario::{Figure, Unit, config};

/// Between two changes of a group: twice the group interval, so that each is told by itself.
const ROUND: Duration = Duration::from_secs(20);

/// Between a member that is back and the next one that goes.
const BETWEEN: Duration = Duration::from_secs(3);

/// Of the groups, which change one part after the other.
const PARTS: usize = 20;

/// In even rounds one instance of each group fires, in odd ones the other one.
fn alerts(round: usize, part: usize, groups: usize) -> String {
    let now = Timestamp::now();
    let later = now + SignedDuration::from_hours(4);
    let names = ["even", "odd"];
    let (firing, resolved) = (names[round % 2], names[(round + 1) % 2]);
    let own = (0..groups).filter(|n| n % PARTS == part);
    let both = own.flat_map(|n| [(n, firing, later), (n, resolved, now)]);
    let both = both.filter(|(_, instance, _)| round > 0 || *instance == firing);
    let alert = |(n, instance, end): (usize, &str, Timestamp)| {
        serde_json::json!({"labels": {"alertname": format!("roll{n}"), "instance": instance}, "endsAt": end.to_string(),
            "annotations": {"summary": "something that somebody must look at"}})
    };
    serde_json::Value::from_iter(both.map(alert)).to_string()
}

pub(super) fn run(contender: &Contender, lab: &Lab, sizes: &Sizes) -> anyhow::Result<Vec<Figure>> {
    let pages = Pages::start()?;
    let mut members = Members::start(contender, lab, 3, &config("alertname", &pages.url(), "1s", "10s"))?;
    let (done, rounds) = (AtomicBool::new(false), AtomicUsize::new(0));
    let rolled = scope(|scope| {
        let posting = scope.spawn(|| {
            let start = Instant::now();
            let step = ROUND / PARTS as u32;
            for n in 0.. {
                sleep((start + step * n as u32).saturating_duration_since(Instant::now()));
                let (round, part) = (n / PARTS, n % PARTS);
                if part == 0 && done.load(Ordering::Relaxed) {
                    break;
                }
                rounds.store(round + 1, Ordering::Relaxed);
                let json = alerts(round, part, sizes.groups);
                for member in 0..3 {
                    // as a Prometheus does: a member that is down misses it, if it isn't tried again
                    let deliver = || Connection::open(lab::api(member))?.post("/api/v2/alerts", &json);
                    drop(deliver());
                }
            }
        });
        sleep(ROUND);
        let rolled = (0..sizes.rolls).try_for_each(|_| roll(&mut members));
        done.store(true, Ordering::Relaxed);
        ensure!(posting.join().is_ok(), "posting panicked");
        rolled
    });
    rolled?;
    let rounds = rounds.load(Ordering::Relaxed);
    let last = ["even", "odd"][(rounds - 1) % 2];
    let untold = || {
        let mut words: BTreeMap<String, bool> = (0..sizes.groups).map(|n| (format!("roll{n}"), false)).collect();
        for page in pages.all() {
            words.insert(page.group, page.firing.iter().eq([last]));
        }
        words.into_values().filter(|told| !told).count()
    };
    // the last member's turn, twice
    let start = Instant::now();
    while untold() > 0 && start.elapsed() < Duration::from_secs(80) {
        sleep(PAUSE);
    }
    let all = pages.all();
    let count =
        |what: &str, goal, value: usize| Figure { what: what.into(), unit: Unit::Count, goal, value: value as f64 };
    Ok(vec![
        count("restarts", None, sizes.rolls * 3),
        count("notifications", None, all.len()),
        count("notifications told twice", Some(0.0), repeated(&all)),
        count("groups whose last change was never told", None, untold()),
    ])
}

fn roll(members: &mut Members<'_>) -> anyhow::Result<()> {
    for member in (0..members.count()).rev() {
        members.stop(member)?;
        members.begin(member)?;
        let start = Instant::now();
        members.until_ready()?;
        ensure!(start.elapsed() < LIMIT, "a member is back too late");
        sleep(BETWEEN);
    }
    Ok(())
}
