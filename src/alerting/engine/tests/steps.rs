//! Attempts of several requests, files that are read for them, and what is kept from one notification to the next.

use super::*;
use crate::notify::{Files, Request};

/// A story whose only integration has these settings.
fn story(kind: &str, settings: &str) -> Story {
    let mut story = Story::new();
    let receivers = format!("receivers:\n- name: team\n  {kind}_configs: [{{{settings}}}]\n");
    story.configure(&format!("{}{receivers}", CONFIG.split_once("receivers:").unwrap().0));
    story
}

/// Lets time pass up to `until`; answers requests with JSON and reads of files; the requests.
fn run(
    story: &mut Story,
    until: f64,
    mut answer: impl FnMut(&Request) -> &'static str,
    mut read: impl FnMut() -> Result<Files, String>,
) -> Vec<String> {
    let mut sent = Vec::new();
    loop {
        let now = at(story.now);
        while let Some(output) = story.engine.poll() {
            match output {
                Output::Deliver { id, request, .. } => {
                    let request = request.http().unwrap().clone();
                    let body = String::from_utf8(request.body.to_vec()).unwrap();
                    sent.push(format!("{} {} {body}", request.method, request.url.expose()));
                    let body = answer(&request).to_owned();
                    let content_type = "application/json".to_owned();
                    let response = Response { status: 200, retry_after: None, content_type, body };
                    story.engine.handle(now, Input::Delivered { id, result: Ok(response) });
                }
                Output::ReadFiles { id, .. } => {
                    story.engine.handle(now, Input::FilesRead { id, result: read() });
                }
                _ => {}
            }
        }
        let Some(wake) = story.engine.next_wake().filter(|wake| *wake <= at(until)) else { break };
        story.now = wake.as_nanos() as f64 / 1e9;
        story.engine.handle(wake, Input::Tick);
    }
    story.now = until;
    sent
}

fn no_files() -> Result<Files, String> {
    panic!("there are no files")
}

#[test]
fn a_message_is_changed_until_its_incident_is_over() {
    let url = "https://slack.com/api/chat.postMessage";
    let mut story = story("slack", &format!("send_resolved: true, update_message: true, channel: c, api_url: '{url}'"));
    let mut count = 0;
    let mut step = |story: &mut Story, until: f64| {
        let answer = |_: &Request| {
            count += 1;
            ["", r#"{"ok":true,"ts":"1.1","channel":"C"}"#, r#"{"ok":true,"ts":"1.1","channel":"C"}"#][count.min(2)]
        };
        let sent = run(story, until, answer, no_files);
        let brief = |text: &String| {
            (text.contains("chat.update"), text.contains(r#""channel":"C","ts":"1.1""#), text.contains("[RESOLVED]"))
        };
        sent.iter().map(brief).collect::<Vec<_>>()
    };
    story.fire("Down", "a");
    assert_eq!(step(&mut story, 20.0), [(false, false, false)]);
    story.fire("Down", "b");
    assert_eq!(step(&mut story, 80.0), [(true, true, false)]);
    story.resolve("Down", "a");
    story.resolve("Down", "b");
    assert_eq!(step(&mut story, 200.0), [(true, true, true)]);
    story.fire("Down", "a");
    assert_eq!(step(&mut story, 400.0), [(false, false, false)], "another incident has another message");
}

#[test]
fn a_token_is_used_again_until_it_is_refused_or_the_config_changes() {
    let mut story = story("wechat", "api_url: 'http://w/', api_secret: s, corp_id: c");
    let mut refuse = false;
    let mut step = |story: &mut Story, until: f64, refuses: bool| -> String {
        refuse = refuses;
        let answer = |request: &Request| match request.method {
            "GET" => r#"{"access_token":"t"}"#,
            _ if std::mem::take(&mut refuse) => r#"{"errcode":42001}"#,
            _ => r#"{"errcode":0}"#,
        };
        let sent = run(story, until, answer, no_files);
        sent.iter().map(|request| if request.starts_with("GET http://w/gettoken?") { 't' } else { 'm' }).collect()
    };
    story.fire("Down", "a");
    assert_eq!(step(&mut story, 20.0, false), "tm");
    story.fire("Other", "a");
    assert_eq!(step(&mut story, 40.0, false), "m");
    story.fire("Third", "a");
    assert_eq!(step(&mut story, 65.0, true), "mtm", "another is asked for");
    // two hours later
    assert_eq!(step(&mut story, 2.5 * 3600.0, false).matches('t').count(), 1);
}

#[test]
fn files_are_read_for_each_attempt_and_their_absence_is_tried_again() {
    let mut story = story("webhook", "url_file: /url");
    story.fire("Down", "a");
    let mut reads = 0;
    let read = || {
        reads += 1;
        match reads {
            1 => Err("no such file".to_owned()),
            _ => Ok(Files::from([("/url".to_owned(), " http://hook/{{ .Status }}\n".to_owned())])),
        }
    };
    let sent = run(&mut story, 60.0, |_| "", read);
    assert_eq!(sent.len(), 1);
    assert!(sent[0].starts_with("POST http://hook/firing {"), "{sent:?}");
    assert_eq!(reads, 2);
}
