//! API v2 and the paths around it: the same requests to this program and to the Go Alertmanager, the same answers.
//!
//! Requests are data (`requests.rs`, `bodies.rs`); so are the differences that are meant (`meant.rs`).

mod bodies;
mod client;
mod meant;
mod pair;
mod requests;

use client::Request;
use pair::Pair;

/// Sends all to both, in this order; fails with all answers that differ and are not meant to, and with those that
/// are meant to differ and don't.
fn compare(pair: &mut Pair, requests: &[Request]) {
    let mut wrong = Vec::new();
    for request in requests {
        let meant = meant::reason(pair, request);
        match (pair.difference(request, meant.is_none()), meant) {
            (None, None) | (Some(_), Some(_)) => {}
            (Some(difference), None) => wrong.push(difference),
            (None, Some(reason)) => wrong.push(format!("{}: equal, though said to differ: {reason}", request.label())),
        }
    }
    let (count, sent) = (wrong.len(), requests.len());
    assert!(wrong.is_empty(), "{}: {count} of {sent} answers differ:\n{}", pair.name, wrong.join("\n"));
    println!("{}: {sent} requests", pair.name);
}

fn all(pair: &mut Pair) {
    let parts = [requests::before(), bodies::alerts(), bodies::silences(), requests::queries(), requests::around()];
    compare(pair, &parts.concat());
}

#[test]
fn answers_in_the_mode_that_knows_both_syntaxes() {
    all(&mut Pair::start("fallback", &[]));
}

#[test]
fn answers_in_classic_mode() {
    all(&mut Pair::start("classic", &["--enable-feature=classic-mode"]));
}

#[test]
fn answers_in_strict_mode() {
    all(&mut Pair::start("strict", &["--enable-feature=utf8-strict-mode"]));
}

#[test]
fn answers_below_a_prefix() {
    let mut pair = Pair::start("prefix", &["--web.external-url=http://am.example/deep/er/"]);
    pair.prefix = "/deep/er";
    compare(&mut pair, &requests::around());
    compare(&mut pair, &requests::before());
    pair.prefix = "";
    compare(&mut pair, &requests::around());
    compare(&mut pair, &["/deep", "/deep/er", "/deep/er/x", "/deep/er/-/healthy/"].map(Request::get));
}

#[test]
fn answers_to_pages_of_other_origins() {
    let mut pair = Pair::start("cors", &["--web.cors.origin=https?://(a|b)\\.example(:\\d+)?"]);
    compare(&mut pair, &requests::origins());
}

#[test]
fn answers_with_limits() {
    let flags =
        ["--alerts.per-alertname-limit=2", "--silences.max-silences=2", "--silences.max-silence-size-bytes=400"];
    let mut pair = Pair::start("limits", &flags);
    compare(&mut pair, &bodies::over_limits());
}

#[test]
fn silences_of_several_matcher_sets_cannot_be_shown() {
    let mut pair = Pair::start_on("sets", &["--data.maintenance-interval=1h"], bodies::two_sets());
    compare(&mut pair, &requests::sets());
}
