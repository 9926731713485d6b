//! Jira, which is spoken to in several steps.

use super::*;

const BASE: &str = "api_url: 'http://jira.test/rest/api/2', project: 'P-{{ .GroupLabels.job }}', issue_type: Bug";

const NONE: Reply<'static> = (200, r#"{"issues":[]}"#, JSON);
const OPEN: Reply<'static> = (
    200,
    r#"{"issues":[{"id":"1","key":"P-1","fields":{"status":{"name":"Open","statusCategory":{"key":"new"}}}}]}"#,
    JSON,
);
const DONE: Reply<'static> =
    (200, r#"{"issues":[{"key":"P-1","fields":{"status":{"statusCategory":{"key":"done"}}}},{"key":"P-2"}]}"#, JSON);
const WRITTEN: Reply<'static> = (204, "", "");
const TRANSITIONS: Reply<'static> =
    (200, r#"{"transitions":[{"id":"11","name":"Close"},{"id":"12","name":"Open <again>"}]}"#, JSON);

#[test]
fn an_issue_has_what_the_reference_gives_it() {
    let mut peer = Peer::start();
    let description = r#"{"type": "doc", "text": "a <b> \" \\", "list": [1.50, {"x" : null}, "{{ .Status }}"] }"#;
    let mut variants = vec![
        String::new(),
        format!(", summary: {}, description: {}", long(1), long(33)),
        ", labels: [z, '{{ .Status }}', A], priority: High".into(),
        ", priority: ''".into(),
        ", description: ''".into(),
        ", summary: {template: '{{ .Status }}', enable_update: false}, description: {enable_update: false}".into(),
        ", description: {template: d, enable_update: false}, fields: {description: own}".into(),
        ", fields: {customfield_1: '{{ .Status }}', customfield_2: {value: [1, '2', x]}, priority: {id: '3'}}".into(),
        ", fields: {a: '{{ .Nothing }}'}".into(),
        ", labels: ['{{ .Nothing }}']".into(),
        ", issue_type: '{{ .Nothing }}'".replace("issue_type", "priority"),
        ", wont_fix_resolution: 'Won''t \"fix\"'".into(),
        ", reopen_transition: 'Open <again>', reopen_duration: 90m".into(),
        ", reopen_transition: 'Open <again>', reopen_duration: 30s".into(),
        ", resolve_transition: Close".into(),
    ];
    variants.extend(texts_of(&["summary", "description"]));
    let v3 = BASE.replace("api/2", "api/3/");
    let bases = [
        BASE.to_owned(),
        BASE.replace("jira.test", "x.atlassian.net"),
        format!("{BASE}, api_type: cloud"),
        format!("{}, api_type: datacenter", BASE.replace("jira.test", "x.atlassian.net")),
        format!("{v3}, description: '{description}'"),
        format!("{v3}, description: ' '"),
        format!("{v3}, description: no json"),
        BASE.replace("P-", "{{ .Nothing }}"),
        BASE.replace("/rest/api/2", ""),
        BASE.replace("/rest/api/2", "/a//b/../rest/api/2/"),
    ];
    let same = variants.iter().map(|more| format!("{BASE}{more}"));
    for settings in same.chain(bases) {
        let config = receiver("jira", &settings);
        for group in GROUPS {
            for found in [NONE, OPEN] {
                compare(
                    &mut peer,
                    Case { config: &config, group, replies: &[found, WRITTEN, TRANSITIONS], stored: &[] },
                );
            }
        }
    }
}

#[test]
fn an_issue_goes_where_the_reference_moves_it() {
    let mut peer = Peer::start();
    let moves = "reopen_transition: 'Open <again>', reopen_duration: 1h, resolve_transition: Close";
    let odd = [
        (200, r#"{"issues":[{"key":"P-1"}]}"#, JSON),
        (200, r#"{"issues":[{"key":"P-1","fields":{}}]}"#, JSON),
        (200, r#"{"issues":[{"key":"P-1","fields":{"status":null}}]}"#, JSON),
        (200, r#"{"issues":null}"#, JSON),
        (200, "{}", JSON),
        (200, "{", JSON),
        (200, "", ""),
    ];
    for more in [moves, "resolve_transition: Nowhere, reopen_transition: Nowhere", "labels: []"] {
        let config = receiver("jira", &format!("{BASE}, {more}"));
        for group in GROUPS {
            for found in [NONE, OPEN, DONE].into_iter().chain(odd) {
                compare(
                    &mut peer,
                    Case { config: &config, group, replies: &[found, WRITTEN, TRANSITIONS], stored: &[] },
                );
            }
        }
    }
    let config = receiver("jira", &format!("{BASE}, {moves}"));
    let good = [DONE, WRITTEN, TRANSITIONS, WRITTEN];
    for broken in 0..good.len() {
        for answer in ANSWERS.iter().filter(|(status, ..)| *status != 429) {
            let mut replies = good;
            replies[broken] = *answer;
            compare(&mut peer, Case { config: &config, group: FIRING, replies: &replies, stored: &[] });
        }
    }
}
