//! Configs that must load, configs that must not and where, and what is printed back.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::matcher::Mode;

fn load(text: &str) -> Config {
    parse(text, Mode::Fallback).unwrap()
}

fn refusal(text: &str) -> String {
    parse(text, Mode::Fallback).unwrap_err().to_string()
}

mod receivers;
mod refused;

/// Prints of the reference (0.34.2) for the same texts.
mod printed {
    use super::load;

    #[test]
    fn quotes_wrapping_merges_and_intervals() {
        let config = load(
            r##"route:
  receiver: "yes"
  labels: {y: "12:30", z10: "it's", z9: "a #b", a: "- x", b: "", c: "🙂", d: " lead", e: "null"}
  routes:
  - &base
    match_re: {severity: crit.*}
    matchers: ['long=~"aaaa bbbb cccc dddd eeee ffff gggg hhhh iiii jjjj kkkk llll mmmm nnnn oooo pppp qqqq"']
    group_wait: 1m30s
  - <<: *base
    group_by: []
receivers: [{name: "yes"}]
time_intervals:
- name: x
  time_intervals:
  - times: [{start_time: 09:00, end_time: "24:00"}]
    weekdays: [monday:friday, sunday]
    days_of_month: [-1]
    location: Europe/Paris
  - years: [2026]
- name: "y"
"##,
        );
        insta::assert_snapshot!(config.original, @r##"
global:
  resolve_timeout: 5m
  http_config:
    follow_redirects: true
    enable_http2: true
  smtp_hello: localhost
  smtp_require_tls: true
  smtp_tls_config:
    insecure_skip_verify: false
  slack_app_url: https://slack.com/api/chat.postMessage
  pagerduty_url: https://events.pagerduty.com/v2/enqueue
  opsgenie_api_url: https://api.opsgenie.com/
  wechat_api_url: https://qyapi.weixin.qq.com/cgi-bin/
  victorops_api_url: https://alert.victorops.com/integrations/generic/20131114/alert/
  telegram_api_url: https://api.telegram.org
  webex_api_url: https://webexapis.com/v1/messages
  rocketchat_api_url: https://open.rocket.chat/
route:
  receiver: "yes"
  continue: false
  routes:
  - match_re:
      severity: crit.*
    matchers:
    - long=~"aaaa bbbb cccc dddd eeee ffff gggg hhhh iiii jjjj kkkk llll mmmm nnnn
      oooo pppp qqqq"
    continue: false
    group_wait: 1m30s
  - match_re:
      severity: crit.*
    matchers:
    - long=~"aaaa bbbb cccc dddd eeee ffff gggg hhhh iiii jjjj kkkk llll mmmm nnnn
      oooo pppp qqqq"
    continue: false
    group_wait: 1m30s
  labels:
    a: '- x'
    b: ""
    c: "\U0001F642"
    d: ' lead'
    e: "null"
    "y": "12:30"
    z9: 'a #b'
    z10: it's
receivers:
- name: "yes"
  labels:
    name: "yes"
templates: []
time_intervals:
- name: x
  time_intervals:
  - times:
    - start_time: "09:00"
      end_time: "24:00"
    weekdays: ['monday:friday', sunday]
    days_of_month: ["-1"]
    location: Europe/Paris
  - {years: ["2026"]}
- name: "y"
  time_intervals: []
"##);
    }

    #[test]
    fn webhooks_without_their_secrets() {
        let config = load(
            r##"route: {receiver: web}
receivers:
- name: web
  labels: {kind: page}
  webhook_configs:
  - url: https://user:hunter2@example.com/
    send_resolved: no
    max_alerts: 5
    timeout: 1m30s
    http_config:
      basic_auth: {username: u, password: hunter2}
      proxy_url: http://u:hunter2@proxy:3128
      tls_config: {insecure_skip_verify: true, ca_file: ca.pem, server_name: foo}
      http_headers: {X-Foo: {values: [a, b c], secrets: [hunter2], files: [f]}}
  - url_file: token
    http_config: {bearer_token: hunter2, follow_redirects: false}
global:
  smtp_smarthost: mail:25
  smtp_auth_password: hunter2
  slack_api_url: https://hooks.slack.com/hunter2
  jira_api_url: HTTPS://jira.example.com/a b
  resolve_timeout: 90m
"##,
        );
        assert!(!config.original.contains("hunter2") && !format!("{config:?}").contains("hunter2"));
        insta::assert_snapshot!(config.original, @r##"
global:
  resolve_timeout: 1h30m
  http_config:
    follow_redirects: true
    enable_http2: true
  jira_api_url: https://jira.example.com/a%20b
  smtp_hello: localhost
  smtp_smarthost: mail:25
  smtp_auth_password: <secret>
  smtp_require_tls: true
  smtp_tls_config:
    insecure_skip_verify: false
  slack_api_url: <secret>
  slack_app_url: https://slack.com/api/chat.postMessage
  pagerduty_url: https://events.pagerduty.com/v2/enqueue
  opsgenie_api_url: https://api.opsgenie.com/
  wechat_api_url: https://qyapi.weixin.qq.com/cgi-bin/
  victorops_api_url: https://alert.victorops.com/integrations/generic/20131114/alert/
  telegram_api_url: https://api.telegram.org
  webex_api_url: https://webexapis.com/v1/messages
  rocketchat_api_url: https://open.rocket.chat/
route:
  receiver: web
  continue: false
receivers:
- name: web
  labels:
    kind: page
    name: web
  webhook_configs:
  - send_resolved: false
    http_config:
      basic_auth:
        username: u
        password: <secret>
      tls_config:
        ca_file: ca.pem
        server_name: foo
        insecure_skip_verify: true
      follow_redirects: true
      enable_http2: true
      proxy_url: http://u:xxxxx@proxy:3128
      http_headers:
        X-Foo:
          values:
          - a
          - b c
          secrets:
          - <secret>
          files:
          - f
    url: <secret>
    url_file: ""
    max_alerts: 5
    timeout: 1m30s
  - send_resolved: true
    http_config:
      authorization:
        type: Bearer
        credentials: <secret>
      follow_redirects: false
      enable_http2: true
    url_file: token
    max_alerts: 0
    timeout: 0s
templates: []
"##);
    }
}

const TREE: &str = "
route:
  receiver: a
  group_by: [b, a]
  labels: {team: x, tier: one}
  routes:
  - matchers: ['sev=\"crit\"', foo!=bar]
    match_re: {host: web.*}
    receiver: b
    group_by: ['...']
    group_wait: 0s
    labels: {tier: two}
    continue: true
    active_time_intervals: [days]
    routes:
    - group_by: []
      repeat_interval: 1d
  - match: {x: y}
receivers: [{name: a}, {name: b, webhook_configs: [{url: 'http://x'}, {url_file: y}]}]
time_intervals: [{name: days, time_intervals: [{weekdays: [monday]}]}]
mute_time_intervals: [{name: old}]
";

#[test]
fn the_tree_inherits() {
    let config = load(TREE);
    let root = &config.route;
    let labels = |names: &[&str]| GroupBy::Labels(names.iter().map(|name| (*name).into()).collect());
    assert_eq!((&*root.receiver, &*root.key, &*root.id), ("a", "{}", "{}"));
    assert_eq!(root.group_by, labels(&["a", "b"]));
    assert_eq!((root.group_wait.as_secs(), root.group_interval.as_secs()), (30, 300));
    assert_eq!(root.repeat_interval, Duration::from_secs(4 * 3600));

    let [first, second] = &root.routes[..] else { panic!("two routes") };
    let level = r#"{foo!="bar",host=~"^(?:web.*)$",sev="crit"}"#;
    assert_eq!(&*first.key, format!("{{}}/{level}"));
    assert_eq!(&*first.id, format!("{{}}/{level}/0"));
    assert_eq!((&*first.receiver, &first.group_by), ("b", &GroupBy::All));
    assert!(first.group_wait.is_zero() && first.continue_matching);
    assert_eq!(first.active_time_intervals, ["days".into()]);
    let own: Vec<_> = first.labels.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(own, [("team", "x"), ("tier", "two")]);

    let below = &first.routes[0];
    assert_eq!(&*below.key, format!("{{}}/{level}/{{}}"));
    assert_eq!(&*below.id, format!("{{}}/{level}/0/{{}}/0"));
    assert_eq!((&*below.receiver, &below.group_by), ("b", &labels(&[])));
    assert_eq!(below.repeat_interval, Duration::from_secs(24 * 3600));
    // intervals and continue are a node's own
    assert!(below.active_time_intervals.is_empty() && !below.continue_matching);

    assert_eq!((&*second.id, &*second.receiver), (r#"{}/{x="y"}/1"#, "a"));
    assert_eq!(second.group_by, root.group_by);
    let intervals: Vec<&str> = config.time_intervals.keys().map(|name| &**name).collect();
    assert_eq!(intervals, ["days", "old"]);
}

#[test]
fn receivers_are_complete() {
    let config = load(TREE);
    let [first, second] = &config.receivers[..] else { panic!("two receivers") };
    assert!(first.integrations.is_empty());
    assert_eq!(second.labels.to_string(), r#"{name="b"}"#);
    let [inline, file] = &second.integrations[..] else { panic!("two webhooks") };
    assert_eq!((inline.kind, inline.index, file.index, inline.send_resolved), ("webhook", 0, 1, true));
    let Settings::Webhook(inline) = &inline.settings else { panic!("a webhook") };
    assert_eq!(inline.url, UrlSource::Inline(Secret::new("http://x")));
    assert_eq!((inline.max_alerts, inline.timeout), (0, Duration::ZERO));
    assert_eq!(*inline.http, HttpConfig::default());
    let Settings::Webhook(file) = &file.settings else { panic!("a webhook") };
    assert_eq!(file.url, UrlSource::File("y".into()));
}

#[test]
fn http_config_of_global_is_replaced_as_a_whole() {
    let config = load(
        "
global: {http_config: {follow_redirects: false, authorization: {credentials: x}}}
route: {receiver: a}
receivers: [{name: a, webhook_configs: [{url: 'http://x'}, {url: 'http://y', http_config: {enable_http2: off}}]}]
",
    );
    let http = |at: usize| {
        let Settings::Webhook(webhook) = &config.receivers[0].integrations[at].settings else { panic!("a webhook") };
        &webhook.http
    };
    let inherited = Authorization { kind: "Bearer".into(), credentials: Some(SecretSource::Inline(Secret::new("x"))) };
    assert_eq!((http(0).follow_redirects, http(0).authorization.as_ref()), (false, Some(&inherited)));
    assert_eq!((http(1).follow_redirects, http(1).enable_http2, &http(1).authorization), (true, false, &None));
}

#[test]
fn only_the_first_document_counts() {
    let text = "---\nroute: {receiver: a}\nreceivers: [{name: a}]\n---\nfoo: [\n";
    assert_eq!(&*load(text).route.receiver, "a");
}

#[test]
fn hashes_are_of_the_text() {
    let text = "route: {receiver: a}\nreceivers: [{name: a}]\n";
    let (one, other) = (load(text), load(&format!("{text}\n")));
    assert_eq!(one.hash, content_hash(&[("alertmanager.yml", text.as_bytes())]));
    assert_eq!(one.md5_hash, metric_hash(text.as_bytes()));
    assert!(one.hash != other.hash && one.md5_hash != other.md5_hash);
}

#[test]
fn warns_of_what_will_surprise() {
    let config = load(
        "
route:
  receiver: a
  routes: [{matchers: ['foo=~[a-z]{2}'], repeat_interval: 1m}]
receivers: [{name: a}]
time_intervals: [{name: x, time_intervals: [{location: Local}]}]
",
    );
    let [matcher, repeat, local] = &config.warnings[..] else { panic!("{:?}", config.warnings) };
    assert!(matcher.starts_with("line 4: route.routes[0].matchers[0]: matchers `foo=~[a-z]{2}` "), "{matcher}");
    assert!(repeat.contains("repeat_interval 1m is less than group_interval 5m"), "{repeat}");
    assert!(local.contains("Local"), "{local}");
    assert_eq!(config.retention_warnings(Duration::from_secs(3600)).len(), 1);
    assert!(config.retention_warnings(Duration::from_secs(120 * 3600)).is_empty());
}

#[test]
fn label_names_depend_on_the_mode() {
    let text = "route: {receiver: a, group_by: ['a b']}\nreceivers: [{name: a}]\n";
    assert!(parse(text, Mode::Fallback).is_ok() && parse(text, Mode::Utf8Strict).is_ok());
    let message = parse(text, Mode::Classic).unwrap_err().message;
    assert_eq!(message, "invalid label name \"a b\" in group_by list");
}

#[test]
fn every_global_key_is_known() {
    let text = "
global:
  smtp_auth_identity: i
  smtp_force_implicit_tls: true
  smtp_tls_config: {insecure_skip_verify: true}
  opsgenie_api_key_file: f
  wechat_api_corp_id: c
  victorops_api_key: k
  telegram_bot_token: t
  webex_api_url: http://w
  rocketchat_token_id: ''
  mattermost_webhook_url: <secret>
route: {receiver: a}
receivers: [{name: a}]
";
    let printed = load(text).original;
    for line in ["smtp_force_implicit_tls: true", "rocketchat_token_id: null", "telegram_bot_token: <secret>"] {
        assert!(printed.contains(line), "{line} in {printed}");
    }
}

#[test]
fn a_small_text_cannot_become_a_huge_document() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for at in 1..10 {
        let below = vec![format!("*a{}", at - 1); 10].join(", ");
        text.push_str(&format!("a{at}: &a{at} [{below}]\n"));
    }
    assert!(refusal(&text).ends_with("yaml: document contains excessive aliasing"));
    let deep = "[".repeat(10_000);
    assert!(refusal(&deep).starts_with("line 1: yaml: "));
}

proptest! {
    #[test]
    fn junk_is_refused_calmly(
        text in r#"(route|receivers|name|receiver|matchers|[:\[\]{},&*!|>'"%#a-c\n -]|: |\n  |\n- ){0,60}"#,
    ) {
        let _ = parse(&text, Mode::Fallback);
    }

    #[test]
    fn a_damaged_config_is_refused_or_read(at in 0..TREE.len(), junk in r#"[ -~\n]{0,3}"#, cut in 0_usize..6) {
        let after = (at + cut).min(TREE.len());
        let text = format!("{}{junk}{}", &TREE[..at], &TREE[after..]);
        let _ = parse(&text, Mode::Fallback);
    }

    #[test]
    fn what_is_printed_loads_and_prints_the_same(value in "[ -~\n\t\u{e9}]{0,90}", name in "[a-zA-Z0-9_.-]{1,6}") {
        let label = serde_json::to_string(&value).unwrap();
        let name = serde_json::to_string(&name).unwrap();
        let text = format!("route: {{receiver: {name}, labels: {{x: {label}}}}}\nreceivers: [{{name: {name}}}]\n");
        if let Ok(config) = parse(&text, Mode::Fallback) {
            let again = load(&config.original);
            prop_assert_eq!(again.route.labels, config.route.labels);
            prop_assert_eq!(again.original, config.original);
        }
    }
}
