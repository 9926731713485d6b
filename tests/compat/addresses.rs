//! Lists of mail addresses: the same addresses, or both none.

use alerting::notify::email::addresses;
use serde_json::json;

use crate::dice::Dice;
use crate::peer::Peer;

const LISTS: usize = 30_000;

const PARTS: [&str; 40] = [
    "a@b",
    "on.call@example.com",
    "jörg@müller.example",
    "a@[127.0.0.1]",
    "a@[::1]",
    "a@[x]",
    "\"quoted local\"@b",
    "\"q\\\"x\"@b",
    "A B <a@b>",
    "\"B, A\" <a@b>",
    "<a@b>",
    "=?utf-8?q?J=C3=B6rg?= <a@b>",
    "=?koi8-r?q?x?= <a@b>",
    "=?utf-8?q?a?= =?utf-8?b?Yg==?= <a@b>",
    "team: a@b, c@d;",
    "nobody:;",
    "a@b (A. B.)",
    "(who) a@b",
    "A (who) B <a@b>",
    "A. B. <a@b>",
    "a..b@c",
    ".a@b",
    "a.@b",
    "a@b.",
    "a@b@c",
    "@b",
    "a@",
    "a",
    "A B",
    "",
    " ",
    "\t",
    ",",
    "(",
    "a@b (x",
    "<a@b",
    "a b@c",
    "a@ b",
    "a @b",
    "\u{1}@b",
];

#[test]
fn the_same_addresses_are_read() {
    let mut dice = Dice::new(11);
    let alphabet: Vec<char> = "ab@.,:;<>()[]\"\\ \tü=?_-".chars().collect();
    let lists: Vec<String> = (0..LISTS)
        .map(|_| {
            let parts: Vec<&str> = (0..dice.below(3) + 1).map(|_| dice.pick(&PARTS)).collect();
            let list = parts.join(dice.pick(&[",", ", ", " , ", ";", " "]));
            if dice.chance(50) { dice.mutate(&list, &alphabet) } else { list }
        })
        .collect();
    let theirs = Peer::start().ask("addresses", json!({ "inputs": lists })).unwrap();
    let (mut read, mut differing) = (0, Vec::new());
    for (list, theirs) in lists.iter().zip(theirs.as_array().unwrap()) {
        let ours = addresses(list);
        read += usize::from(ours.is_ok());
        if json!(ours.as_ref().ok()) != *theirs {
            differing.push(format!("{list:?}: ours {ours:?}, theirs {theirs}"));
        }
    }
    let shown: Vec<String> = differing.iter().take(30).cloned().collect();
    assert!(differing.is_empty(), "{} differ:\n{}", differing.len(), shown.join("\n"));
    assert!((LISTS / 10..LISTS * 9 / 10).contains(&read), "{read} of {LISTS} can be read");
}
