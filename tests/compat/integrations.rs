//! Each integration against the reference's own: the same request for the same notification, the same judgement of the
//! answer.

use std::sync::Arc;
use std::time::Duration;

use alerting::alert::{Alert, PostedAlert};
use alerting::config::{self, Config, UrlSource};
use alerting::label::LabelSet;
use alerting::matcher::Mode;
use alerting::nflog::SendReason;
use alerting::notify::{self, Data, Notification, Response, Verdict};
use alerting::time::{Timestamp, parse_rfc3339};
use serde_json::{Value, json};

use crate::peer::Peer;

/// Name, annotation, and whether it's resolved.
type Alerts = &'static [(&'static str, &'static str, bool)];

const START: &str = "2025-01-02T03:04:05.678901234Z";
const END: &str = "2025-01-02T04:00:00Z";
const RECEIVER: &str = "team.x (pager)";
const GROUP_KEY: &str = "{}/{a=\"b\"}:{job=\"x\"}";
const EXTERNAL_URL: &str = "http://am:9093/x";

const FIRING: Alerts = &[("A", "down", false)];

/// Firing, resolved, both, many, texts that need escapes.
const GROUPS: &[Alerts] = &[
    FIRING,
    &[("A", "up", true)],
    &[("A", "down", false), ("B", "up", true), ("C", "down", false)],
    &[("A", "1", true), ("B", "2", true), ("C", "3", false)],
    &[("Ü <&> \u{2028}", "\"quoted\" \\ 日本語 \u{1f525}\n{{ not a template }}", false)],
];

/// What the receiver says: the status and a body.
const ANSWERS: &[(u16, &str)] = &[
    (200, ""),
    (204, ""),
    (302, ""),
    (400, "bad <request>"),
    (401, "who?"),
    (403, ""),
    (404, "{\"error\":\"none\"}"),
    (429, "slow down"),
    (500, "broken"),
    (503, ""),
];

/// A field that comes to a thousand characters of two bytes for each repetition.
fn long(repetitions: usize) -> String {
    "ä".repeat(1000 * repetitions)
}

/// The parts of a receiver, each with the settings of one integration.
fn receivers(kind: &str, base: &str, variants: &[String]) -> Vec<String> {
    let settings = std::iter::once(String::new()).chain(variants.iter().cloned());
    settings
        .map(|more| format!("route: {{receiver: r}}\nreceivers: [{{name: r, {kind}_configs: [{{{base}{more}}}]}}]\n"))
        .collect()
}

fn alerts(group: Alerts) -> Vec<Arc<Alert>> {
    let time = |text: &str| parse_rfc3339(text).unwrap();
    let alert = |(name, note, resolved): &(&str, &str, bool)| {
        let labels = LabelSet::new([("alertname", *name), ("job", "x"), ("severity", "page")]);
        let annotations = LabelSet::new([("summary", *note), ("same", "for all")]);
        let end = if *resolved { time(END) } else { None };
        let posted = PostedAlert::new(labels, annotations, "http://g?a=1&b=2".into(), time(START), end);
        Arc::new(posted.received(now(), Duration::from_secs(300)))
    };
    group.iter().map(alert).collect()
}

fn now() -> Timestamp {
    Timestamp::from_secs(1_760_000_000)
}

fn question(config: &str, group: Alerts, answer: (u16, &str)) -> Value {
    let alert = |(name, note, resolved): &(&str, &str, bool)| {
        json!({
            "labels": { "alertname": name, "job": "x", "severity": "page" },
            "annotations": { "summary": note, "same": "for all" },
            "startsAt": START,
            "endsAt": if *resolved { END } else { "0001-01-01T00:00:00Z" },
            "generatorURL": "http://g?a=1&b=2",
        })
    };
    json!({
        "config": config, "receiver": RECEIVER, "groupKey": GROUP_KEY, "externalURL": EXTERNAL_URL,
        "groupLabels": { "job": "x" }, "routeLabels": { "team": "<x>" },
        "alerts": group.iter().map(alert).collect::<Vec<_>>(),
        "status": answer.0, "reply": answer.1,
    })
}

/// The requests that this program makes, and what it makes of the answer, in the peer's words.
fn ours(config: &Config, group: Alerts, (status, body): (u16, &str)) -> Value {
    let data = Data {
        now: now(),
        receiver: RECEIVER.into(),
        reason: SendReason::NewAlerts,
        group_labels: LabelSet::new([("job", "x")]),
        route_labels: LabelSet::new([("team", "<x>")]),
        group_key: GROUP_KEY.into(),
        external_url: EXTERNAL_URL.into(),
        alerts: alerts(group),
    };
    let name: Arc<str> = "r/kind[0]".into();
    let of = Notification { data: &data, templates: &config.template_set, integration: &name };
    let request = match notify::request(&config.receivers[0].integrations[0].settings, &of) {
        Ok(request) => request,
        Err(error) => return json!({ "requests": null, "retry": false, "failed": true, "reason": error.reason() }),
    };
    let UrlSource::Inline(url) = &request.url else { panic!("a file") };
    let header =
        |name: &str| request.headers.iter().find(|(header, _)| *header == name).map(|(_, value)| value.clone());
    let sent = json!({
        "method": request.method, "url": url.expose(), "contentType": header("Content-Type"),
        "body": std::str::from_utf8(&request.body).unwrap(),
    });
    let (retry, failed, reason) = match notify::verdict(&Response { status, retry_after: None, body: body.into() }) {
        Verdict::Done => (false, false, ""),
        Verdict::Retry { reason, .. } => (true, true, reason),
        Verdict::GiveUp { reason, .. } => (false, true, reason),
    };
    json!({ "requests": [sent], "retry": retry, "failed": failed, "reason": reason })
}

fn compare(peer: &mut Peer, config: &str, group: Alerts, answer: (u16, &str)) {
    let read = config::parse(config, Mode::default()).unwrap();
    let ours = ours(&read, group, answer);
    let mut theirs = peer.ask("notify", question(config, group, answer)).unwrap();
    let fields = theirs.as_object_mut().unwrap();
    let error = fields.remove("error").unwrap();
    fields.insert("failed".into(), json!(error != ""));
    if answer.0 == 429 && !fields["requests"].is_null() {
        // meant: tried again, whatever the kind
        fields.insert("retry".into(), json!(true));
    }
    assert_eq!(ours, theirs, "{config}\n{group:?}\n{answer:?}\n{error}");
}

/// Every config with every group, and the first config with every answer.
fn compare_all(kind: &str, base: &str, variants: &[String]) {
    let mut peer = Peer::start();
    let configs = receivers(kind, base, variants);
    for config in &configs {
        for group in GROUPS {
            compare(&mut peer, config, group, ANSWERS[0]);
        }
    }
    for answer in ANSWERS {
        compare(&mut peer, &configs[0], FIRING, *answer);
    }
}

/// Templated, failing, and without effect: settings of a text field.
fn texts(field: &str) -> Vec<String> {
    let rows = [
        "'{{ .Status | toUpper }} {{ len .Alerts.Firing }} {{ .CommonLabels.alertname }} {{ .RouteLabels.team }}'",
        "'{{ range .Alerts }}{{ .Annotations.summary }},{{ end }}{{ .NotificationReason }}'",
        "'{{ template \"nothing\" . }}'",
        "'{{ .Nothing }}'",
        "''",
    ];
    rows.iter().map(|text| format!(", {field}: {text}")).collect()
}

#[test]
fn webhook() {
    let mut variants = vec![", max_alerts: 1".to_owned(), ", max_alerts: 2".into(), ", max_alerts: 9".into()];
    compare_all("webhook", "url: 'http://hook.test/a?b=c'", &variants);
    variants.push(String::new());
    compare_all("webhook", "url: 'http://hook.test/{{ .GroupLabels.job }}/{{ len .Alerts }}'", &variants);
    compare_all("webhook", "url: '{{ .Nothing }}'", &[]);
    compare_all("webhook", "url: '{{ if false }}x{{ end }}'", &[]);
}

#[test]
fn discord() {
    let mut variants = vec![
        ", username: '{{ .Status }}', avatar_url: 'http://a/b.png'".to_owned(),
        ", avatar_url: 'http://[bad'".into(),
        format!(", title: {}", long(1)),
        format!(", content: {}", long(3)),
        format!(", message: {}", long(5)),
    ];
    for field in ["title", "message", "content"] {
        variants.extend(texts(field));
    }
    compare_all("discord", "webhook_url: 'http://discord.test/api/webhooks/1/secret'", &variants);
}

#[test]
fn msteams() {
    let mut variants = vec![format!(", text: {}", long(30))];
    for field in ["title", "summary", "text"] {
        variants.extend(texts(field));
    }
    compare_all("msteams", "webhook_url: 'http://teams.test/webhook/x'", &variants);
}

#[test]
fn msteamsv2() {
    let mut variants = vec![format!(", text: {}", long(30))];
    for field in ["title", "text"] {
        variants.extend(texts(field));
    }
    compare_all("msteamsv2", "webhook_url: 'http://teams.test/workflows/x?sig=y'", &variants);
}

#[test]
fn webex() {
    let mut variants =
        vec![format!(", message: {}", "x".repeat(7440)), format!(", message: {}{}", "x".repeat(7430), "ä".repeat(5))];
    variants.extend(texts("message"));
    let base = "api_url: 'http://webex.test/v1/messages', room_id: 'room-{{ .GroupLabels.job }}', \
                http_config: {authorization: {credentials: t}}";
    compare_all("webex", base, &variants);
}
