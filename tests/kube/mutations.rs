//! Two hundred damaged configurations: whatever an editor saves, no pod is restarted, and the operator's verdict is the
//! one of `check`.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::kubectl::scratch;
use crate::sample::Sample;
use crate::wait::{same, until};

const DAMAGED: usize = 200;
const EDITS: usize = 25;

/// Draws numbers that are the same in every run.
struct Draw(u64);

impl Draw {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit.max(1) as u64).unwrap()
    }
}

/// One or two things done to a text that an editor, a merge or a template does wrong.
fn damaged(text: &str, draw: &mut Draw) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for _ in 0..=draw.below(2) {
        let at = draw.below(lines.len());
        let place = draw.below(lines[at].len() + 1);
        match draw.below(8) {
            0 => drop(lines.remove(at)),
            1 => lines.insert(at, lines[at].clone()),
            2 => lines[at].insert(0, ' '),
            3 => lines[at].truncate(place),
            4 => lines[at].insert(place, ['{', '"', ':', '\t', '-', 'x', '[', '&'][draw.below(8)]),
            5 => lines[at] = lines[at].replace(": ", ": !!int "),
            6 => lines[at] = lines[at].replace('5', "-5h"),
            _ => lines.insert(at, "<<<<<<< HEAD".to_owned()),
        }
    }
    lines.join("\n") + "\n"
}

#[test]
fn no_damage_to_a_configuration_restarts_a_pod() {
    let sample = Sample::ready();
    let good = sample.config_text();
    let before = sample.settled(3).unwrap();
    let pods = sample.incarnations().unwrap();
    let file = scratch("mutations").join("alertmanager.yml");
    let is_valid = |text: &str| {
        fs::write(&file, text).unwrap();
        let check = Command::new(env!("CARGO_BIN_EXE_alertmanager-operator")).arg("check").arg(&file).output();
        check.unwrap().status.success()
    };
    let mut draw = Draw(0x5eed);
    let (mut valid, mut wanted, mut running) = (0, before.clone(), good.clone());
    for _ in 0..DAMAGED {
        let text = damaged(&good, &mut draw);
        sample.edit_config(&text);
        if !is_valid(&text) {
            until("it is refused", || same(sample.condition("ConfigValid")?.0, &"False".to_owned()));
            assert_eq!(sample.wanted_hash().as_ref(), Ok(&wanted), "the last good one stays");
            continue;
        }
        valid += 1;
        let same_again = std::mem::replace(&mut running, text.clone()) == text;
        wanted = until("it is taken", || {
            same(sample.condition("ConfigValid")?.0, &"True".to_owned())?;
            sample.wanted_hash().and_then(|hash| if (hash == wanted) == same_again { Ok(hash) } else { Err(hash) })
        });
    }
    println!("    {valid} of {DAMAGED} damaged configurations were valid nevertheless");
    assert!(valid < DAMAGED / 2, "the damage is worth the name");
    sample.edit_config(&good);
    until("the good one is in force", || same(sample.settled(3)?, &before));
    assert_eq!(sample.incarnations().unwrap(), pods, "no pod was replaced or restarted");
}

#[test]
fn edits_are_live_within_seconds() {
    let sample = Sample::ready();
    let good = sample.config_text();
    let before = sample.settled(3).unwrap();
    let mut took: Vec<Duration> = Vec::new();
    let mut hash = before.clone();
    for n in 0..EDITS {
        sample.edit_config(&format!("{good}# {n}\n"));
        let start = Instant::now();
        hash = until("it is live on 3/3 members", || {
            let live = sample.live_hashes()?;
            let new = live.first().filter(|new| **new != hash).ok_or("not yet")?.clone();
            same(live, &vec![new.clone(); 3])?;
            Ok(new)
        });
        took.push(start.elapsed());
        until("the status says so", || same(sample.settled(3)?, &hash));
    }
    took.sort();
    let at = |percent: usize| took[(took.len() * percent / 100).min(took.len() - 1)].as_secs_f64();
    println!("    of {EDITS} edits, live on 3/3 members: p50 {:.1} s, p99 {:.1} s", at(50), at(99));
    sample.edit_config(&good);
    until("all is as before", || same(sample.settled(3)?, &before));
}
