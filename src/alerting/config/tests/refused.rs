//! Configs that must not load: what is said of them, and of which line.

use super::*;

#[test]
fn documents_without_a_route() {
    for text in ["", "\n", "# nothing\n", "null", "---\n"] {
        assert_eq!(refusal(text), "no route provided in config", "{text:?}");
    }
    assert_eq!(refusal("{}"), "line 1: no routes provided");
    assert_eq!(refusal("global: {}\nroute:\n"), "line 2: route: no routes provided");
    assert_eq!(refusal("[]"), "line 1: cannot unmarshal !!seq into config.plain");
}

/// Each part stands in a config that is right without it; the lines count from 1 in the part.
#[test]
fn says_what_is_wrong_and_where() {
    let rows = [
        ("foo: 1", "line 1: field foo not found in type config.plain"),
        ("global: {}\nglobal: {}", "line 2: field global already set in type config.plain"),
        ("global:\n  nope: 1", "line 2: global: field nope not found in type config.plain"),
        ("global: []", "line 1: global: cannot unmarshal !!seq into config.plain"),
        (
            "global: {smtp_require_tls: maybe}",
            "line 1: global.smtp_require_tls: cannot unmarshal !!str `maybe` into bool",
        ),
        ("global:\n  resolve_timeout: 1x", "line 2: global.resolve_timeout: unknown unit \"x\" in duration \"1x\""),
        ("global: {smtp_smarthost: 'mail:'}", "line 1: global.smtp_smarthost: address \"mail:\": port cannot be empty"),
        ("global: {pagerduty_url: x}", "line 1: global.pagerduty_url: unsupported scheme \"\" for URL"),
        (
            "global:\n  opsgenie_api_key: a\n  opsgenie_api_key_file: b",
            "line 3: global.opsgenie_api_key_file: at most one of opsgenie_api_key & opsgenie_api_key_file must be configured",
        ),
        (
            "global: {slack_app_token: a, slack_api_url: 'http://a'}",
            "line 1: global.slack_api_url: at most one of slack_app_token/slack_app_token_file & slack_api_url/slack_api_url_file must be configured",
        ),
        (
            "global: {http_config: {authorization: {type: Basic}}}",
            "line 1: global.http_config.authorization.type: authorization type cannot be set to \"basic\", use \"basic_auth\" instead",
        ),
        (
            "global: {http_config: {basic_auth: {password: a, password_file: b}}}",
            "line 1: global.http_config.basic_auth.password_file: at most one of basic_auth password, password_file & password_ref must be configured",
        ),
        (
            "global: {http_config: {basic_auth: {}, authorization: {}}}",
            "line 1: global.http_config.authorization: at most one of basic_auth, oauth2 & authorization must be configured",
        ),
        (
            "global: {http_config: {http_headers: {host: {}}}}",
            "line 1: global.http_config.http_headers: setting header \"Host\" is not allowed",
        ),
        (
            "global: {http_config: {tls_config: {key_file: x}}}",
            "line 1: global.http_config.tls_config: exactly one of cert or cert_file must be configured when a client key is configured",
        ),
        ("route: {}", "line 1: route: root route must specify a default receiver"),
        ("route: {receiver: a, continue: true}", "line 1: route.continue: cannot have continue in root route"),
        ("route:\n  receiver: a\n  match: {a: b}", "line 3: route.match: root route must not have any matchers"),
        ("route:\n  receiver: a\n  matchers: [a=b]", "line 3: route.matchers: root route must not have any matchers"),
        (
            "route: {receiver: a, mute_time_intervals: [x]}",
            "line 1: route.mute_time_intervals: root route must not have any mute time intervals",
        ),
        (
            "route: {receiver: a, active_time_intervals: [x]}",
            "line 1: route.active_time_intervals: root route must not have any active time intervals",
        ),
        (
            "route:\n  receiver: a\n  routes:\n  - receiver: b",
            "line 4: route.routes[0].receiver: undefined receiver \"b\" used in route",
        ),
        (
            "route:\n  receiver: a\n  routes:\n  - routes:\n    - mute_time_intervals: [x]",
            "line 5: route.routes[0].routes[0].mute_time_intervals[0]: undefined time interval \"x\" used in route",
        ),
        ("route: {receiver: a, routes: [null]}", "line 1: route.routes[0]: missing route"),
        (
            "route:\n  receiver: a\n  group_by:\n  - x\n  - x",
            "line 5: route.group_by[1]: duplicated label \"x\" in group_by",
        ),
        (
            "route: {receiver: a, group_by: [x, '...']}",
            "line 1: route.group_by[0]: cannot have wildcard group_by (`...`) and other labels at the same time",
        ),
        ("route: {receiver: a, group_by: ['']}", "line 1: route.group_by[0]: invalid label name \"\" in group_by list"),
        ("route: {receiver: a, group_by: x}", "line 1: route.group_by: cannot unmarshal !!str `x` into []string"),
        ("route: {receiver: a, group_interval: 0s}", "line 1: route.group_interval: group_interval cannot be zero"),
        ("route: {receiver: a, repeat_interval: 0}", "line 1: route.repeat_interval: repeat_interval cannot be zero"),
        ("route: {receiver: a, group_wait: 5}", "line 1: route.group_wait: not a valid duration string: \"5\""),
        ("route: {receiver: a, labels: {'': x}}", "line 1: route.labels.: \"\" is not a valid label name"),
        (
            "route: {receiver: a, routes: [{match: {a-b: c}}]}",
            "line 1: route.routes[0].match.a-b: invalid label name \"a-b\"",
        ),
        (
            "route: {receiver: a, routes: [{match_re: {a: null}}]}",
            "line 1: route.routes[0].match_re.a: invalid regexp value for \"a\"",
        ),
        (
            "route: {receiver: a, routes: [{match_re: {a: '('}}]}",
            "line 1: route.routes[0].match_re: error parsing regexp: missing closing ): `^(?:()$`",
        ),
        (
            "route:\n  receiver: a\n  routes:\n  - matchers:\n    - a=b\n    - foo",
            "line 6: route.routes[0].matchers[1]: bad matcher format: foo",
        ),
        ("receivers: [{}]", "line 1: receivers[0]: missing name in receiver"),
        ("receivers:\n- name: a\n- name: a", "line 3: receivers[1]: notification config name \"a\" is not unique"),
        (
            "receivers: [{name: a, labels: {name: b}}]",
            "line 1: receivers[0].labels: receiver label \"name\" must match receiver name \"a\", got \"b\"",
        ),
        (
            "receivers: [{name: a, foo_configs: []}]",
            "line 1: receivers[0]: field foo_configs not found in type config.plain",
        ),
        (
            "receivers: [{name: a, webhook_configs: [null]}]",
            "line 1: receivers[0].webhook_configs[0]: missing webhook config",
        ),
        (
            "receivers: [{name: a, webhook_configs: [{}]}]",
            "line 1: receivers[0].webhook_configs[0]: one of url or url_file must be configured",
        ),
        (
            "receivers: [{name: a, webhook_configs: [{url: 'http://a', url_file: b}]}]",
            "line 1: receivers[0].webhook_configs[0].url_file: at most one of url & url_file must be configured",
        ),
        (
            "receivers:\n- name: a\n  webhook_configs:\n  - send_resolved: true\n    url: ftp://hunter2",
            "line 5: receivers[0].webhook_configs[0].url: invalid URL: unsupported scheme \"ftp\" for URL",
        ),
        (
            "receivers: [{name: a, webhook_configs: [{url: 'http://a', timeout: 1d}]}]",
            "line 1: receivers[0].webhook_configs[0].timeout: cannot unmarshal !!str `1d` into time.Duration",
        ),
        (
            "receivers: [{name: a, webhook_configs: [{url: 'http://a', max_alerts: -1}]}]",
            "line 1: receivers[0].webhook_configs[0].max_alerts: cannot unmarshal !!int `-1` into uint64",
        ),
        ("inhibit_rules: [{equal: ['']}]", "line 1: inhibit_rules[0].equal[0]: invalid label name \"\" in equal list"),
        (
            "inhibit_rules: [{source_match: {a b: c}}]",
            "line 1: inhibit_rules[0].source_match.a b: invalid label name \"a b\"",
        ),
        ("time_intervals: [{}]", "line 1: time_intervals[0]: missing name in time interval"),
        ("mute_time_intervals: [{}]", "line 1: mute_time_intervals[0]: missing name in mute time interval"),
        (
            "mute_time_intervals: [{name: x}]\ntime_intervals:\n- name: x",
            "line 3: time_intervals[0].name: time interval \"x\" is not unique",
        ),
        (
            "mute_time_intervals: [{name: x}, {name: x}]",
            "line 1: mute_time_intervals[1].name: mute time interval \"x\" is not unique",
        ),
        (
            "time_intervals:\n- name: x\n  time_intervals:\n  - times: [{start_time: 09:00}]",
            "line 4: time_intervals[0].time_intervals[0].times[0]: both start and end times must be provided",
        ),
        (
            "time_intervals: [{name: x, time_intervals: [{weekdays: [foo]}]}]",
            "line 1: time_intervals[0].time_intervals[0].weekdays[0]: foo is not a valid weekday",
        ),
        (
            "time_intervals: [{name: x, time_intervals: [{location: Mars}]}]",
            "line 1: time_intervals[0].time_intervals[0].location: unknown time zone Mars",
        ),
        ("route: [", "line 1: yaml: unclosed bracket '['"),
        ("global: {}\nroute: *x", "line 2: yaml: while parsing node, found unknown anchor"),
    ];
    for (part, message) in rows {
        let mut text = part.to_owned();
        if !part.contains("route:") {
            text.push_str("\nroute: {receiver: a}");
        }
        if !part.contains("receivers:") {
            text.push_str("\nreceivers: [{name: a}]");
        }
        assert_eq!(refusal(&text), message, "{part}");
    }
}

#[test]
fn says_what_this_version_cannot_do() {
    let rows = [
        (
            "event_recorder: {kafka_outputs: [{brokers: ['k:1'], topic: t, tls_config: {min_version: TLS10}}]}",
            "event_recorder.kafka_outputs[0].tls_config: TLS 1.0 and TLS 1.1 not supported yet",
        ),
        (
            "receivers: [{name: a, webhook_configs: [{url: 'http://x'}]}]\n\
             global: {http_config: {tls_config: {min_version: TLS11}}}",
            "line 2: receivers[0].webhook_configs[0]: TLS 1.0 and TLS 1.1 not supported yet",
        ),
    ];
    for (part, message) in rows {
        let route = if part.contains("route:") { "" } else { "route: {receiver: a}" };
        let receivers = if part.contains("receivers:") { "" } else { "receivers: [{name: a}]" };
        let config = load(&format!("{route}\n{part}\n{receivers}\n"));
        assert_eq!(config.unsupported().map(|error| error.to_string()).as_deref(), Some(message), "{part}");
    }
    // present but empty is nothing to refuse
    let config = load("templates: []\ntracing:\nroute: {receiver: a}\nreceivers: [{name: a, slack_configs: []}]\n");
    assert!(config.unsupported().is_none());
}

#[test]
fn there_is_no_secret_manager() {
    for part in ["basic_auth: {password_ref: x}", "tls_config: {ca_ref: x}", "authorization: {credentials_ref: x}"] {
        let text = format!("route: {{receiver: a}}\nreceivers: [{{name: a}}]\nglobal: {{http_config: {{{part}}}}}\n");
        assert!(refusal(&text).contains("there is no secret manager"), "{part}");
    }
}
