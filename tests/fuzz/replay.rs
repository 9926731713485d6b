//! The fuzz targets over their corpus, and over thousands of small changes of it, with the stable compiler.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

#[allow(unreachable_pub, reason = "a library for the fuzzer")]
mod targets;

/// Changed copies of each file.
const COPIES: usize = 400;

fn replay(name: &str, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(name);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 8, "{name}: only {} files", files.len());
    let contents: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
    let mut rng = StdRng::seed_from_u64(1);
    for content in &contents {
        target(content);
        for _ in 0..COPIES {
            let other = &contents[rng.random_range(0..contents.len())];
            target(&changed(&mut rng, content.clone(), other));
        }
    }
}

/// A few bytes other, gone, twice, or from another file.
fn changed(rng: &mut StdRng, mut content: Vec<u8>, other: &[u8]) -> Vec<u8> {
    for _ in 0..rng.random_range(1..4) {
        let at = rng.random_range(0..=content.len());
        let until = (at + rng.random_range(0..9)).min(content.len());
        match rng.random_range(0..5) {
            0 => drop(content.drain(at..until)),
            1 => content.extend_from_within(at..until),
            2 => content[at..until].iter_mut().for_each(|byte| *byte ^= 1 << (at % 8)),
            3 => content.insert(at, rng.random()),
            _ => {
                let from = rng.random_range(0..=other.len());
                let part = &other[from..(from + 32).min(other.len())];
                content.splice(at..at, part.iter().copied());
            }
        }
    }
    content
}

#[test]
fn configs() {
    replay("config", targets::config);
}

#[test]
fn matchers() {
    replay("matchers", targets::matchers);
}

#[test]
fn bodies_of_the_api() {
    replay("bodies", targets::bodies);
}

#[test]
fn state_files_and_the_journal() {
    replay("snapshots", targets::snapshots);
}

#[test]
fn what_peers_say() {
    replay("gossip", targets::gossip);
}

#[test]
fn templates() {
    replay("templates", targets::templates);
}
