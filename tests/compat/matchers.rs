//! Matchers: random texts, right and nearly right; the same verdict, meaning, print and warning in each mode.

use alerting::matcher::{Matcher, Mode, Op, ParseError, Warning, parse_list, parse_one, valid_label_name};
use serde_json::{Value, json};

use crate::dice::Dice;
use crate::peer::Peer;

const TEXTS: usize = 50_000;
const BATCH: usize = 5_000;
const ALPHABET: [char; 30] = [
    '{', '}', '"', '\\', '=', '~', '!', ',', ' ', '\n', '\t', 'a', 'n', 'x', '0', ':', '_', '.', '\'', '`', 'é', '日',
    '🙂', '(', '*', '[', '\u{a0}', '\u{85}', '\u{7f}', 'u',
];

#[test]
fn texts_mean_the_same_in_each_mode() {
    for (mode, name) in [(Mode::Classic, "classic"), (Mode::Utf8Strict, "utf8"), (Mode::Fallback, "fallback")] {
        let mut dice = Dice::new(1);
        let mut peer = Peer::start();
        let (mut accepted, mut differing) = (0, Vec::new());
        for _ in 0..TEXTS / BATCH {
            let texts: Vec<String> = (0..BATCH).map(|_| text(&mut dice)).collect();
            let theirs = peer.ask("matchers", json!({ "mode": name, "inputs": texts })).unwrap();
            for (text, theirs) in texts.iter().zip(theirs.as_array().unwrap()) {
                let one = parse_one(mode, text).map(|(matcher, warning)| (vec![matcher], warning));
                let ours = [answer(one), answer(parse_list(mode, text))];
                let ours = json!([compared(&ours[0]), compared(&ours[1])]);
                accepted += usize::from(ours[1]["matchers"].is_array());
                if ours != json!([compared(&theirs[0]), compared(&theirs[1])]) {
                    differing.push(format!("{text:?}\n  ours   {ours}\n  theirs {theirs}"));
                }
            }
        }
        let shown: Vec<String> = differing.iter().take(20).cloned().collect();
        assert!(differing.is_empty(), "{name}: {} of {TEXTS} differ:\n{}", differing.len(), shown.join("\n"));
        assert!((TEXTS / 10..TEXTS * 9 / 10).contains(&accepted), "{name}: {accepted} accepted");
    }
}

#[test]
fn label_names_are_judged_alike() {
    let mut dice = Dice::new(2);
    let names: Vec<String> =
        (0..BATCH).map(|_| (0..dice.below(4)).map(|_| ALPHABET[dice.below(30)]).collect()).collect();
    let theirs = Peer::start().ask("label names", json!({ "names": names })).unwrap();
    for (name, theirs) in names.iter().zip(theirs.as_array().unwrap()) {
        let ours = [Mode::Classic, Mode::Utf8Strict].map(|mode| valid_label_name(mode, name));
        assert_eq!(&json!(ours), theirs, "{name:?}");
    }
}

fn answer(result: Result<(Vec<Matcher>, Option<Warning>), ParseError>) -> Value {
    match result {
        Err(error) => json!({ "error": error.to_string(), "warned": false, "matchers": null }),
        Ok((matchers, warning)) => {
            let rows =
                matchers.iter().map(|m| [m.name.to_string(), m.op.to_string(), m.value.to_string(), m.to_string()]);
            json!({ "warned": warning.is_some(), "matchers": rows.collect::<Vec<_>>() })
        }
    }
}

/// Why a regular expression is none is said in other words here: that it is none must be said by both.
fn compared(answer: &Value) -> Value {
    let mut answer = answer.clone();
    if let Some((before, _)) = answer["error"].as_str().and_then(|error| error.split_once("error parsing regexp: ")) {
        answer["error"] = json!(format!("{before}error parsing regexp"));
    }
    // no matchers at all is a disagreement for the reference only: see differences.md
    if answer["matchers"] == json!([]) {
        answer["warned"] = json!(false);
    }
    answer
}

fn text(dice: &mut Dice) -> String {
    let matchers: Vec<String> = (0..dice.below(8).min(3)).map(|_| matcher(dice)).collect();
    let mut text = matchers.join(dice.pick(&[",", ", ", " , ", ",,", " "]));
    if dice.chance(40) {
        text = format!("{{{text}}}");
    }
    if dice.chance(10) {
        text.push_str(dice.pick(&[",", "}", " ", ",}"]));
    }
    if dice.chance(50) { dice.mutate(&text, &ALPHABET) } else { text }
}

fn matcher(dice: &mut Dice) -> String {
    let name =
        dice.pick(&["foo", "a_b", "a:b", "_", "x1", "1x", "\"foo\"", "\"foo bar\"", "é", "日本", "foo.bar", "🙂"]);
    let op = dice.pick(&["=", "!=", "=~", "!~", " = ", "=~ ", "==", "~"]);
    let value = dice.pick(&[
        "bar",
        "\"bar\"",
        "\"\"",
        "",
        "\"a\\\"b\"",
        "\"a\\\\b\"",
        "\"a\\nb\"",
        "a\\nb",
        "\"\\u00e9\"",
        "\"\\x41\"",
        "\"\\xff\"",
        "\"a,b\"",
        "a b",
        "\"a b\"",
        "[a-z]+",
        "\"[a-z]{2}\"",
        "[a-z]{2}",
        "(",
        "\"(\"",
        "🙂",
        "\"\\d+\"",
        "\"\\\\d+\"",
        "'q'",
        "`q`",
        "bar\"",
        "\"bar",
        "\"{x}\"",
        "x|y",
        "\"\\101\"",
        "\"tab\\t\"",
        "\"\\q\"",
        "a=b",
    ]);
    format!("{name}{op}{value}")
}

/// Nothing but what [`Op`] prints is an operator for the peer.
#[test]
fn operators_print_alike() {
    let printed = [Op::Equal, Op::NotEqual, Op::Regex, Op::NotRegex].map(Op::as_str);
    let inputs = printed.map(|op| format!("a{op}b"));
    let theirs = Peer::start().ask("matchers", json!({ "mode": "utf8", "inputs": inputs })).unwrap();
    let theirs: Vec<&str> =
        theirs.as_array().unwrap().iter().filter_map(|row| row[0]["matchers"][0][1].as_str()).collect();
    assert_eq!(theirs, printed);
}
