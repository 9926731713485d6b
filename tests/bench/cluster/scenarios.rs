//! What a cluster goes through, but for rolling restarts.

use std::net::SocketAddr;
use std::ops::Range;
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use rustix::process::Signal;

use super::lab::{self, Lab};
use super::member::{Found, Members, metric};
use super::pages::{Page, Pages, repeated};
use super::{LIMIT, PAUSE, Sizes};
use crate::contender::Contender;
use crate::http::{self, Connection};
use crate::scenario::{Figure, Unit, config};

/// Of all groups here: what flushes together flushes once.
const GROUP_WAIT: Duration = Duration::from_secs(5);

/// When the last of three members has had its turn, and a little more.
const ALL_TURNS: Duration = Duration::from_secs(5 + 2 * 15 + 10);

pub(super) fn webhook(pages: &Pages) -> String {
    config("alertname", &pages.url(), "5s", "5m")
}

/// Alerts of groups that are called after `batch`.
pub(super) fn alerts(batch: &str, groups: usize) -> String {
    let now = Timestamp::now();
    let end = now + SignedDuration::from_hours(4);
    let alert = |n: usize| {
        serde_json::json!({"labels": {"alertname": format!("{batch}{n}"), "instance": "a"}, "startsAt": now.to_string(),
            "endsAt": end.to_string(), "annotations": {"summary": "something that somebody must look at"}})
    };
    serde_json::Value::from_iter((0..groups).map(alert)).to_string()
}

/// Posts the same to several members at once.
pub(super) fn post(members: impl IntoIterator<Item = usize>, json: &str) -> anyhow::Result<()> {
    scope(|scope| {
        let post = |member| move || Connection::open(lab::api(member))?.post("/api/v2/alerts", json);
        let posts: Vec<_> = members.into_iter().map(|member| scope.spawn(post(member))).collect();
        posts.into_iter().try_for_each(|post| post.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a post panicked"))))
    })
}

pub(super) fn count(what: impl Into<String>, goal: Option<f64>, value: usize) -> Figure {
    Figure { what: what.into(), unit: Unit::Count, goal, value: value as f64 }
}

pub(super) fn secs(what: impl Into<String>, goal: Option<f64>, value: Duration) -> Figure {
    Figure { what: what.into(), unit: Unit::Seconds, goal, value: value.as_secs_f64() }
}

/// Between the moment at which all groups were due and the last first page of a group.
fn slowest(pages: &[Page], due: Instant) -> Duration {
    let mut told = std::collections::BTreeSet::new();
    let firsts = pages.iter().filter(|page| told.insert(page.group.clone()));
    firsts.map(|page| page.at.saturating_duration_since(due)).max().unwrap_or(LIMIT)
}

/// The same alerts for all three, all groups at once.
pub(super) fn healthy(contender: &Contender, lab: &Lab, sizes: &Sizes) -> anyhow::Result<Vec<Figure>> {
    healthy_over(Found::ByAddress, contender, lab, sizes)
}

/// The same where members have no other addresses for each other.
pub(super) fn healthy6(contender: &Contender, lab: &Lab, sizes: &Sizes) -> anyhow::Result<Vec<Figure>> {
    healthy_over(Found::ByAddress6, contender, lab, sizes)
}

fn healthy_over(found: Found, contender: &Contender, lab: &Lab, sizes: &Sizes) -> anyhow::Result<Vec<Figure>> {
    let pages = Pages::start()?;
    let start = Instant::now();
    let members = Members::start_found(contender, lab, 3, found, &webhook(&pages))?;
    let ready = start.elapsed();
    let before = members.cpu()?;
    let due = Instant::now() + GROUP_WAIT;
    post(0..3, &alerts("healthy", sizes.groups))?;
    let told = pages.wait_for_groups(sizes.groups, LIMIT);
    sleep((due + ALL_TURNS).saturating_duration_since(Instant::now()));
    let all = pages.all();
    let cpu = (members.cpu()? - before).as_secs_f64() * 1e3 / sizes.groups as f64;
    Ok(vec![
        secs("ready after the start", Some(0.2), ready),
        count("groups that were never told of", None, sizes.groups - told),
        count("notifications told twice", Some(0.0), all.len() - told),
        secs("slowest page", Some(1.0), slowest(&all, due)),
        Figure {
            what: "CPU per notification, of all three".into(),
            unit: Unit::Milliseconds,
            goal: Some(0.25),
            value: cpu,
        },
    ])
}

/// The first in line is killed when half of the groups were told.
pub(super) fn killed(contender: &Contender, lab: &Lab, sizes: &Sizes) -> anyhow::Result<Vec<Figure>> {
    let pages = Pages::start()?;
    let mut members = Members::start(contender, lab, 3, &webhook(&pages))?;
    let first = members.first()?;
    let due = Instant::now() + GROUP_WAIT;
    post(0..3, &alerts("killed", sizes.groups))?;
    pages.wait_for(sizes.groups / 2)?;
    members.kill(first)?;
    let killed = Instant::now();
    for member in (0..3).filter(|member| *member != first) {
        members.until_sees(member, 2)?;
    }
    let noticed = killed.elapsed();
    let told = pages.wait_for_groups(sizes.groups, LIMIT);
    sleep((due + ALL_TURNS).saturating_duration_since(Instant::now()));
    let all = pages.all();
    Ok(vec![
        secs("dead after", Some(0.5), noticed),
        count("groups that were never told of", None, sizes.groups - told),
        count("notifications repeated (in flight at the kill)", Some(1.0), all.len() - told),
        secs("slowest page", Some(0.34), slowest(&all, due)),
    ])
}

pub(super) fn silence(n: usize) -> String {
    silence_with(n, "maintenance")
}

fn silence_with(n: usize, comment: &str) -> String {
    let now = Timestamp::now();
    let end = now + SignedDuration::from_hours(4);
    serde_json::json!({"matchers": [{"name": "instance", "value": format!("i{n}"), "isRegex": false, "isEqual": true}],
        "startsAt": now.to_string(), "endsAt": end.to_string(), "createdBy": "bench", "comment": comment})
    .to_string()
}

/// Makes silences on the first member, eight at a time.
fn make(numbers: Range<usize>, comment: &str) -> anyhow::Result<()> {
    scope(|scope| {
        let make = |worker: usize| {
            let mut own = numbers.clone().filter(move |n| n % 8 == worker);
            move || -> anyhow::Result<()> {
                let mut connection = Connection::open(lab::api(0))?;
                own.try_for_each(|n| connection.post("/api/v2/silences", &silence_with(n, comment)))
            }
        };
        let workers: Vec<_> = (0..8).map(|worker| scope.spawn(make(worker))).collect();
        workers.into_iter().try_for_each(|one| one.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a worker panicked"))))
    })
}

/// What a member holds is more than one message between members may have.
pub(super) fn large(contender: &Contender, lab: &Lab, sizes: &Sizes) -> anyhow::Result<Vec<Figure>> {
    let pages = Pages::start()?;
    let mut members = Members::start(contender, lab, 3, &webhook(&pages))?;
    members.kill(1)?;
    members.kill(2)?;
    make(0..sizes.large, &"a long story ".repeat(320))?;
    members.empty(2)?;
    members.begin(2)?;
    let (start, mut there) = (Instant::now(), 0);
    // the reference refuses such a state, again and again
    while there < sizes.large && start.elapsed() < Duration::from_secs(60) {
        sleep(PAUSE);
        there = metric(lab::api(2), "alertmanager_silences{state=\"active\"}").unwrap_or_default() as usize;
    }
    let took = start.elapsed();
    Ok(vec![
        count(
            format!("of {} silences of 4 KiB, never seen by an empty member", sizes.large),
            Some(0.0),
            sizes.large - there,
        ),
        secs("until it had what it ever got", None, took),
    ])
}

fn seen(member: SocketAddr, silences: usize) -> bool {
    metric(member, "alertmanager_silences{state=\"active\"}").is_ok_and(|seen| seen >= silences as f64)
}

/// Made on one, seen on all; one by one, many at once, and by a member that has lost everything.
pub(super) fn silences(contender: &Contender, lab: &Lab, sizes: &Sizes) -> anyhow::Result<Vec<Figure>> {
    let pages = Pages::start()?;
    let mut members = Members::start(contender, lab, 3, &webhook(&pages))?;
    let mut connection = Connection::open(lab::api(0))?;
    let mut took = Vec::new();
    for n in 0..sizes.looked_at {
        let id = connection.post_for_id("/api/v2/silences", &silence(n), "silenceID")?;
        let made = Instant::now();
        for member in 1..3 {
            while http::get(lab::api(member), &format!("/api/v2/silence/{id}")).is_err() {
                anyhow::ensure!(made.elapsed() < LIMIT, "silence {id} never comes");
            }
        }
        took.push(made.elapsed());
    }
    took.sort();
    let all = sizes.looked_at + sizes.silences;
    make(sizes.looked_at..all, "maintenance")?;
    let made = Instant::now();
    while !(0..3).all(|member| seen(lab::api(member), all)) {
        anyhow::ensure!(made.elapsed() < LIMIT, "not all silences come");
        sleep(PAUSE / 4);
    }
    let spread = made.elapsed();
    members.kill(2)?;
    members.empty(2)?;
    members.begin(2)?;
    let start = Instant::now();
    members.until_silences(2, all)?;
    let back = start.elapsed();
    let p99 = took[took.len() * 99 / 100].as_secs_f64() * 1e3;
    Ok(vec![
        Figure { what: "seen on all, p99".into(), unit: Unit::Milliseconds, goal: Some(0.25), value: p99 },
        secs(format!("{} more, on all after the last was made", sizes.silences), Some(0.03), spread),
        secs("an emptied member has all of them", Some(0.6), back),
    ])
}

/// Nothing gets through to one member while groups flush; then everything does again.
pub(super) fn cut_off(contender: &Contender, lab: &Lab, sizes: &Sizes) -> anyhow::Result<Vec<Figure>> {
    let pages = Pages::start()?;
    let mut members = Members::start(contender, lab, 3, &webhook(&pages))?;
    let last = (members.first()? + 2) % 3;
    lab.cut_off(last)?;
    let cut = Instant::now();
    for member in 0..3 {
        members.until_sees(member, if member == last { 1 } else { 2 })?;
    }
    let noticed = cut.elapsed();
    let due = Instant::now() + GROUP_WAIT;
    post(0..3, &alerts("cut", sizes.groups))?;
    pages.wait_for_groups(sizes.groups, LIMIT);
    sleep((due + ALL_TURNS).saturating_duration_since(Instant::now()));
    let during = pages.all();
    let told = during.iter().map(|page| &page.group).collect::<std::collections::BTreeSet<_>>().len();
    lab.heal()?;
    let healed = Instant::now();
    for member in 0..3 {
        members.until_sees(member, 3)?;
    }
    let together = healed.elapsed();
    pages.forget();
    let due = Instant::now() + GROUP_WAIT;
    post(0..3, &alerts("healed", sizes.groups))?;
    let again = pages.wait_for_groups(sizes.groups, LIMIT);
    sleep((due + ALL_TURNS).saturating_duration_since(Instant::now()));
    Ok(vec![
        secs("noticed by all", Some(0.5), noticed),
        count("groups that were never told of", None, sizes.groups - told),
        count("notifications by both sides", Some(1.1), during.len() - told),
        secs("together again", Some(1.0), together),
        count("groups that were never told of after that", None, sizes.groups - again),
        count("notifications told twice after that", Some(0.0), pages.count() - again),
    ])
}

/// The first in line stands still for 20 seconds, and goes on.
pub(super) fn frozen(contender: &Contender, lab: &Lab, sizes: &Sizes) -> anyhow::Result<Vec<Figure>> {
    let pages = Pages::start()?;
    let mut members = Members::start(contender, lab, 3, &webhook(&pages))?;
    let first = members.first()?;
    post(0..3, &alerts("frozen", sizes.groups))?;
    members.signal(first, Signal::STOP)?;
    let due = Instant::now() + GROUP_WAIT;
    sleep(Duration::from_secs(20));
    members.signal(first, Signal::CONT)?;
    let told = pages.wait_for_groups(sizes.groups, LIMIT);
    for member in 0..3 {
        members.until_sees(member, 3)?;
    }
    sleep((due + ALL_TURNS).saturating_duration_since(Instant::now()));
    let all = pages.all();
    Ok(vec![
        count("groups that were never told of", None, sizes.groups - told),
        count("notifications repeated", Some(0.1), repeated(&all)),
        secs("slowest page", Some(0.5), slowest(&all, due)),
    ])
}

/// One packet of twenty never arrives.
pub(super) fn lossy(contender: &Contender, lab: &Lab, sizes: &Sizes) -> anyhow::Result<Vec<Figure>> {
    let pages = Pages::start()?;
    let mut members = Members::start(contender, lab, 3, &webhook(&pages))?;
    lab.lose(5)?;
    let due = Instant::now() + GROUP_WAIT;
    post(0..3, &alerts("lossy", sizes.groups))?;
    let told = pages.wait_for_groups(sizes.groups, LIMIT);
    sleep((due + ALL_TURNS).saturating_duration_since(Instant::now()));
    let all = pages.all();
    lab.heal()?;
    for member in 0..3 {
        members.until_sees(member, 3)?;
    }
    Ok(vec![
        count("groups that were never told of", None, sizes.groups - told),
        count("notifications told twice", Some(0.0), all.len() - told),
        secs("slowest page", Some(1.0), slowest(&all, due)),
    ])
}

/// Nothing happens.
pub(super) fn idle(contender: &Contender, lab: &Lab, sizes: &Sizes) -> anyhow::Result<Vec<Figure>> {
    let pages = Pages::start()?;
    let members = Members::start(contender, lab, 5, &webhook(&pages))?;
    // what has to be said once has been said
    sleep(Duration::from_secs(sizes.idle / 3));
    let (bytes, cpu, start) = (lab.bytes()?, members.cpu()?, Instant::now());
    sleep(Duration::from_secs(sizes.idle));
    let per_second = |value: f64| value / start.elapsed().as_secs_f64();
    let (bytes, cpu) = ((lab.bytes()? - bytes) as f64 / 1024.0, (members.cpu()? - cpu).as_secs_f64() * 1e3);
    Ok(vec![
        Figure { what: "sent in a second".into(), unit: Unit::Kibibytes, goal: Some(1.0), value: per_second(bytes) },
        Figure { what: "CPU in a second".into(), unit: Unit::Milliseconds, goal: Some(1.0), value: per_second(cpu) },
    ])
}
