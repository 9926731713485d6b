//! Timelines of alerts against the webhooks that are received: the reference is the judge.
//!
//! The stories are the text files of `stories/`. Their times are real, so a story counts only if the machine was quick
//! enough to do each step within its second; others are told again. `STORY=mute-2` tells one alone.

mod config;
mod pair;
mod play;
mod script;
mod sink;
mod told;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use pair::Pair;
use play::{Clock, play};
use script::{Story, Zero};
use told::{report, same, shorts, timeline};

const FILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/compat/stories");

/// How often a story is told at most until the machine is quick enough for it.
const ROUNDS: usize = 4;

/// Two programs that do the same in the same moment as something else happens may take it in another order: a story
/// that differs is told once more, and then it counts.
const CHANCES: usize = 2;

#[test]
fn stories_of_programs_that_run() {
    tell(&[Zero::Start, Zero::Minute]);
}

#[test]
fn stories_with_a_reload() {
    tell(&[Zero::Reload]);
}

#[test]
fn stories_with_a_restart() {
    tell(&[Zero::Restart]);
}

/// The text files by their names, without the extension.
fn files() -> BTreeMap<String, String> {
    let paths = std::fs::read_dir(FILES).unwrap().map(|entry| entry.unwrap().path());
    let texts = paths.filter(|path| path.extension().is_some_and(|extension| extension == "txt"));
    let named = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, std::fs::read_to_string(path).unwrap())
    };
    texts.map(named).collect()
}

/// Tells all stories of these kinds at once; those that came late again.
fn tell(kinds: &[Zero]) {
    let only = std::env::var("STORY").ok();
    let all = files().into_iter().flat_map(|(file, text)| script::read(&file, &text));
    let wanted = |story: &Story| only.as_ref().is_none_or(|only| story.name.starts_with(only.as_str()));
    let mut stories: Vec<Story> = all.filter(|story| kinds.contains(&story.zero) && wanted(story)).collect();
    let mut differ: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for _ in 0..ROUNDS {
        if !stories.is_empty() {
            stories = round(stories, kinds, &mut differ);
        }
    }
    differ.retain(|_, reports| reports.len() == CHANCES);
    let reports: Vec<String> = differ.into_values().flatten().collect();
    assert!(reports.is_empty(), "{} stories differ\n{}", reports.len() / CHANCES, reports.join("\n"));
    let late: Vec<&str> = stories.iter().map(|story| &*story.name).collect();
    assert!(late.is_empty(), "the machine is too busy to tell {late:?}");
}

/// Tells stories once; those that are to be told again.
fn round(stories: Vec<Story>, kinds: &[Zero], differ: &mut BTreeMap<String, Vec<String>>) -> Vec<Story> {
    let earliest = stories.iter().map(Story::begin).fold(0.0, f64::min);
    let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    // time to start the programs too
    let begin = wall + Duration::from_secs_f64(5.0 - earliest);
    let minute = i64::try_from(begin.as_secs() / 60 + 1).unwrap();
    let mut pair = Pair::start(stories.clone(), minute % (24 * 60));
    let until_minute = Duration::from_secs(minute as u64 * 60)
        .saturating_sub(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap());
    let at_minute = Clock::new(Instant::now() + until_minute);
    let at_start = Clock::new(Instant::now() + Duration::from_secs_f64(1.0 - earliest));
    let happens = !kinds.contains(&Zero::Start);
    let [ours, reference] = pair.sides();
    let played: Vec<_> = std::thread::scope(|scope| {
        let mut running = Vec::new();
        for story in &stories {
            let clock = if story.zero == Zero::Minute { &at_minute } else { &at_start };
            let programs = [&ours, &reference];
            running.push(scope.spawn(move || play(story, clock, programs)));
        }
        if happens {
            std::thread::sleep(at_start.zero.saturating_duration_since(Instant::now()));
            if kinds.contains(&Zero::Reload) {
                pair.reload()
            } else {
                pair.restart()
            }
            at_start.happened();
        }
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let mut again = Vec::new();
    for (story, played) in stories.into_iter().zip(played) {
        if played.late {
            again.push(story);
            continue;
        }
        let [ours, reference] = [&ours, &reference].map(|side| timeline(&side.sink.received(&story.name), &played));
        let good = match &story.differs {
            None => same(&ours, &reference),
            Some(differs) => {
                let (here, there) = (shorts(&ours), shorts(&reference));
                assert_ne!(differs.here, differs.there, "{}: no difference", story.name);
                here == differs.here && (there == differs.there || differs.there.is_empty())
            }
        };
        if !good {
            let reports = differ.entry(story.name.clone()).or_default();
            reports.push(report(&story, &ours, &reference));
            if reports.len() < CHANCES {
                again.push(story);
            }
        }
    }
    again
}
