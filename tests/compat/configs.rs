//! Configs: the same verdict, and the same text when printed back.

use alerting::config;
use alerting::matcher::Mode;
use serde_json::json;

use crate::peer::Peer;

#[test]
fn the_smallest_config_prints_the_same() {
    let text = "route: {receiver: x}\nreceivers: [{name: x}]\n";
    let theirs = Peer::start().ask("config", json!({ "text": text })).unwrap();
    let ours = config::parse(text, Mode::Fallback).unwrap();
    assert_eq!(&*ours.original, theirs.as_str().unwrap());
}
