//! Regular expressions: Go's RE2 and what stands for it here; the same verdict, and the same texts match.

use alerting::matcher::{Matcher, Op};
use serde_json::{Value, json};

use crate::dice::Dice;
use crate::peer::Peer;

const PATTERNS: usize = 20_000;
const BATCH: usize = 2_000;
const TEXTS: usize = 8;
const ALPHABET: [char; 24] = [
    '(', ')', '[', ']', '{', '}', '|', '*', '+', '?', '.', '^', '$', '\\', '-', 'a', 'b', 'd', '1', 'é', ':', ',', '&',
    '~',
];

#[test]
fn patterns_match_the_same_texts() {
    let mut dice = Dice::new(3);
    let mut peer = Peer::start();
    let (mut accepted, mut matched, mut differing) = (0, 0, Vec::new());
    for _ in 0..PATTERNS / BATCH {
        let patterns: Vec<(String, Vec<String>)> = (0..BATCH)
            .map(|_| {
                let pattern = expression(&mut dice, 0);
                let pattern = if dice.chance(40) { dice.mutate(&pattern, &ALPHABET) } else { pattern };
                (pattern, (0..TEXTS).map(|_| text(&mut dice)).collect())
            })
            .collect();
        let asked: Vec<Value> = patterns.iter().map(|(p, t)| json!({ "pattern": p, "texts": t })).collect();
        let theirs = peer.ask("regexes", json!({ "patterns": asked })).unwrap();
        for ((pattern, texts), theirs) in patterns.iter().zip(theirs.as_array().unwrap()) {
            let ours = match Matcher::new(Op::Regex, "x", pattern.as_str()) {
                Ok(matcher) => json!(texts.iter().map(|t| matcher.matches_value(t)).collect::<Vec<_>>()),
                Err(error) => json!(error.to_string()),
            };
            accepted += usize::from(ours.is_array());
            matched += ours.as_array().map_or(0, |row| row.iter().filter(|m| **m == json!(true)).count());
            if ours != *theirs && !(ours.is_string() && theirs.is_string()) {
                differing.push(format!("{pattern:?} on {texts:?}\n  ours   {ours}\n  theirs {theirs}"));
            }
        }
    }
    let shown: Vec<String> = differing.iter().take(20).cloned().collect();
    assert!(differing.is_empty(), "{} of {PATTERNS} differ:\n{}", differing.len(), shown.join("\n"));
    assert!((PATTERNS / 4..PATTERNS * 9 / 10).contains(&accepted), "{accepted} accepted");
    assert!(matched > PATTERNS / 2, "only {matched} texts match");
}

fn expression(dice: &mut Dice, depth: usize) -> String {
    let mut out = String::new();
    for _ in 0..=dice.below(3) {
        out.push_str(&atom(dice, depth));
        if dice.chance(40) {
            out.push_str(
                dice.pick(&["*", "+", "?", "*?", "+?", "{2}", "{1,2}", "{0,}", "{,2}", "{", "{3,1}", "{1001}"]),
            );
        }
        if dice.chance(15) {
            out.push('|');
        }
    }
    out
}

fn atom(dice: &mut Dice, depth: usize) -> String {
    if depth < 3 && dice.chance(25) {
        let open =
            dice.pick(&["(", "(?:", "(?i:", "(?P<n>", "(?<m>", "(?s:", "(?-s:", "(?U:", "(?m:", "(?im-s:", "(?x:"]);
        return format!("{open}{})", expression(dice, depth + 1));
    }
    dice.pick(&[
        "a",
        "b",
        "A",
        "é",
        "日",
        " ",
        "1",
        ".",
        ".",
        ".*",
        "[ab]",
        "[^ab]",
        "[a-c]",
        "[\\d]",
        "[[:alpha:]]",
        "[^[:digit:]]",
        "[a&&b]",
        "[a~~b]",
        "[a--b]",
        "[a-]",
        "[]a]",
        "[é-ï]",
        "\\d",
        "\\D",
        "\\w",
        "\\W",
        "\\s",
        "\\S",
        "\\b",
        "\\B",
        "\\pL",
        "\\p{Greek}",
        "\\P{Lu}",
        "\\p{^Lu}",
        "\\x41",
        "\\x{e9}",
        "\\141",
        "\\n",
        "\\t",
        "\\.",
        "\\-",
        "\\/",
        "\\_",
        "\\Q.*\\E",
        "^",
        "$",
        "\\A",
        "\\z",
        "(?i)",
        "(?s)",
        "\\C",
        "\\Z",
        "\\1",
        "[[.x.]]",
        "[x-z-]",
        "\\é",
        "[\\]]",
        "[\\w-z]",
        "#",
        "&",
        "~",
        "\\p{Latin}",
        "\\p{L}",
        "[\\pL1]",
        "[[:word:]]",
        "[[:^space:]]",
    ])
    .to_owned()
}

fn text(dice: &mut Dice) -> String {
    let parts =
        ["a", "b", "A", "aa", "ab", "1", "é", "É", "日", " ", "\n", "", ".", "_", "-", "k", "\u{212a}", "ſ", "c"];
    (0..dice.below(4)).map(|_| dice.pick(&parts)).collect()
}
