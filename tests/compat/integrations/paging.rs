//! Services that keep incidents.

use super::*;

#[test]
fn pagerduty() {
    let mut variants = vec![
        format!(", description: {}", long(2)),
        format!(", details: {{a: {}, b: '{{{{ len .Alerts }}}}'}}", long(260)),
        ", details: {firing: '', n: [1, '{{ .Status }}'], '{{ .Status }}': {deep: '[1]'}}".into(),
        ", details: {a: '{{ .Nothing }}'}".into(),
        ", images: [{src: '{{ .Status }}', alt: a, href: h}, {alt: b}], links: [{href: 'http://x', text: t}, {text: u}]"
            .into(),
        ", severity: '', class: c, component: '{{ .Receiver }}', group: g, source: s".into(),
        ", images: [{src: '{{ .Nothing }}'}]".into(),
        ", client: '{{ .Nothing }}'".into(),
    ];
    variants.extend(texts_of(&["description", "client", "client_url"]));
    let answers = [
        (202, r#"{"status":"success"}"#, JSON),
        (400, r#"{"status":"invalid","message":"bad","errors":["a","b"]}"#, JSON),
        (400, "{", JSON),
    ];
    for base in [
        "routing_key: 'key-{{ .GroupLabels.job }}'",
        "routing_key: k, url: 'http://pagerduty.test/v2/enqueue'",
        "service_key: 'key-{{ .GroupLabels.job }}'",
        "routing_key: '{{ .GroupLabels.nothing }}'",
        "service_key: '{{ .GroupLabels.nothing }}'",
    ] {
        compare_answers("pagerduty", base, &variants, ANSWERS[0], &answers);
    }
    let key = file(" {{ .Status }}-key\n");
    for field in ["routing_key_file", "service_key_file"] {
        compare_all("pagerduty", &format!("{field}: {}", key.path().display()), &[]);
    }
}

#[test]
fn opsgenie() {
    let mut variants = vec![
        format!(", message: {}", long(1)),
        ", update_alerts: true, description: '{{ .Status }}'".into(),
        ", update_alerts: true, message: '', description: ''".into(),
        ", responders: [{name: 'a,b,,{{ .Status }}', type: teams}, {id: x, type: user}, {username: u, type: '{{ \
         \"schedule\" }}'}]"
            .into(),
        ", responders: [{name: '{{ .Nothing }}', type: team}]".into(),
        ", responders: [{name: '{{ .CommonLabels.nothing }}', type: '{{ .CommonLabels.nothing }}'}]".into(),
        ", tags: ' a,b ,,{{ .Status }}', actions: 'x,y', note: n, priority: P1, entity: '{{ .Receiver }}'".into(),
        ", details: {severity: mine, new: '{{ .Status }}'}".into(),
        ", details: {new: '{{ .Nothing }}'}".into(),
    ];
    variants.extend(texts_of(&["message", "description", "source", "tags", "note", "priority", "entity", "actions"]));
    let base = "api_url: 'http://opsgenie.test/x', api_key: 'k-{{ .GroupLabels.job }}'";
    compare_all("opsgenie", base, &variants);
    let key = file(" {{ .Status }}-key\n");
    compare_all("opsgenie", &format!("api_key_file: {}", key.path().display()), &[]);
    // the updates follow what is created
    let mut peer = Peer::start();
    let config = receiver("opsgenie", &format!("{base}, update_alerts: true"));
    let case = Case { config: &config, group: FIRING, replies: &[], stored: &[] };
    for broken in 0..3 {
        for status in [202, 400, 500] {
            let mut replies = [(202, "", ""); 3];
            replies[broken].0 = status;
            compare(&mut peer, Case { replies: &replies, ..case });
        }
    }
}

#[test]
fn victorops() {
    let mut variants = vec![
        format!(", state_message: {}", long(21)),
        ", message_type: INFO".into(),
        ", message_type: nonsense".into(),
        ", custom_fields: {a: '{{ .Status }}', b: ''}".into(),
        ", custom_fields: {a: '{{ .Nothing }}'}".into(),
    ];
    variants.extend(texts_of(&["message_type", "state_message", "entity_display_name", "monitoring_tool"]));
    let base = "api_url: 'http://victorops.test/x', api_key: k, routing_key: 'r/{{ .GroupLabels.job }} ?ä'";
    compare_all("victorops", base, &variants);
    let key = file(" k\n");
    let base = format!("api_key_file: {}, routing_key: '{{{{ .Nothing }}}}'", key.path().display());
    compare_all("victorops", &base, &[]);
}

#[test]
fn pushover() {
    let mut variants = vec![
        format!(", title: {}", long(1)),
        format!(", message: {}", long(2)),
        format!(", url: 'http://{}'", long(1)),
        ", html: true, message: '<b>{{ .CommonLabels.alertname }}</b>'".into(),
        ", monospace: true, ttl: 90s, retry: 2m, expire: 3h, priority: '2'".into(),
        ", device: d, sound: '{{ .Status }}', url: 'http://x', url_title: t".into(),
        ", message: '  '".into(),
    ];
    variants.extend(texts_of(&["title", "message", "url", "url_title", "priority", "device", "sound"]));
    compare_all("pushover", "user_key: u, token: 't-{{ .GroupLabels.job }}'", &variants);
    let (user, token) = (file("u\n"), file("t\n"));
    let (user, token) = (user.path().display(), token.path().display());
    compare_all("pushover", &format!("user_key_file: {user}, token_file: {token}"), &[]);
}

#[test]
fn incidentio() {
    let mut variants = vec![", max_alerts: 1".to_owned(), ", max_alerts: 2".into()];
    variants.push(", timeout: 5s".into());
    let answers = [
        (202, r#"{"status":"accepted"}"#, JSON),
        (422, r#"{"message":"bad","errors":["a","b"]}"#, JSON),
        (400, r#"{"error":"x"}"#, JSON),
    ];
    let base = "url: 'http://incident.test/v2/alert_events/http/x', alert_source_token: t";
    compare_answers("incidentio", base, &variants, ANSWERS[0], &answers);
    let url = file(" http://incident.test/file \n");
    let base = format!("url_file: {}, http_config: {{authorization: {{credentials: t}}}}", url.path().display());
    compare_all("incidentio", &base, &[]);
}
