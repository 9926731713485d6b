//! Each integration against the reference's own: the same request for the same notification, the same judgement of the
//! answer.

mod chat;
mod jira;
mod paging;
mod plain;
mod sns;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use alerting::alert::{Alert, PostedAlert};
use alerting::config::{self, Config, SecretSource};
use alerting::label::LabelSet;
use alerting::matcher::Mode;
use alerting::nflog::{ReceiverData, SendReason};
use alerting::notify::{self, Data, Files, Notification, Request, Response, Verdict};
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

/// What the receiver says: status, body and type of the body.
type Reply<'a> = (u16, &'a str, &'a str);

const JSON: &str = "application/json; charset=utf-8";

/// What any receiver may say.
const ANSWERS: &[Reply<'static>] = &[
    (200, "", ""),
    (204, "", ""),
    (302, "", ""),
    (400, "bad <request>", ""),
    (401, "who?", "text/plain"),
    (403, "", ""),
    (404, "{\"error\":\"none\"}", JSON),
    (429, "slow down", ""),
    (500, "broken", ""),
    (503, "", ""),
];

/// What an attempt comes to: the requests and the judgement, in the peer's words.
#[derive(Clone, Copy)]
struct Case<'a> {
    config: &'a str,
    group: Alerts,
    /// The last one is said again and again.
    replies: &'a [Reply<'a>],
    /// What the last notification left behind.
    stored: &'a [(&'a str, &'a str)],
}

/// A field that comes to a thousand characters of two bytes for each repetition.
fn long(repetitions: usize) -> String {
    "ä".repeat(1000 * repetitions)
}

/// A config with these settings of one integration.
fn receiver(kind: &str, settings: &str) -> String {
    format!("route: {{receiver: r}}\nreceivers: [{{name: r, {kind}_configs: [{{{settings}}}]}}]\n")
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

fn question(case: Case<'_>) -> Value {
    let alert = |(name, note, resolved): &(&str, &str, bool)| {
        json!({
            "labels": { "alertname": name, "job": "x", "severity": "page" },
            "annotations": { "summary": note, "same": "for all" },
            "startsAt": START,
            "endsAt": if *resolved { END } else { "0001-01-01T00:00:00Z" },
            "generatorURL": "http://g?a=1&b=2",
        })
    };
    let reply = |(status, body, kind): &Reply<'_>| json!({ "status": status, "body": body, "contentType": kind });
    json!({
        "config": case.config, "receiver": RECEIVER, "groupKey": GROUP_KEY, "externalURL": EXTERNAL_URL,
        "groupLabels": { "job": "x" }, "routeLabels": { "team": "<x>" },
        "alerts": case.group.iter().map(alert).collect::<Vec<_>>(),
        "replies": case.replies.iter().map(reply).collect::<Vec<_>>(),
        "stored": case.stored.iter().copied().collect::<BTreeMap<_, _>>(),
    })
}

/// What this program makes of it.
fn ours(config: &Config, case: Case<'_>) -> Value {
    let data = Data {
        now: now(),
        receiver: RECEIVER.into(),
        reason: SendReason::NewAlerts,
        group_labels: LabelSet::new([("job", "x")]),
        route_labels: LabelSet::new([("team", "<x>")]),
        group_key: GROUP_KEY.into(),
        external_url: EXTERNAL_URL.into(),
        alerts: alerts(case.group),
    };
    let name: Arc<str> = "r/kind[0]".into();
    let settings = &config.receivers[0].integrations[0].settings;
    let read = |path: &str| (path.to_owned(), std::fs::read_to_string(path).unwrap());
    let files: Files = notify::files(settings).into_iter().map(read).collect();
    let mut stored = ReceiverData::default();
    for (name, value) in case.stored {
        stored.set_text(name, (*value).to_owned());
    }
    let templates = &config.template_set;
    let of = Notification { data: &data, templates, integration: &name, stored: &stored, token: None, files: &files };
    let mut requests = Vec::new();
    let mut replies = case.replies.iter();
    let mut reply = replies.next().unwrap();
    let mut next = notify::request(settings, &of);
    let (retry, failed, reason) = loop {
        let step = match next {
            Ok(step) => step,
            Err(error) => break (false, true, error.reason()),
        };
        requests.push(sent(step.request.http().unwrap()));
        let (status, body, kind) = *reply;
        let body = body.to_owned();
        let response = Response { status, retry_after: None, content_type: kind.into(), body };
        match step.then.verdict(&response) {
            Verdict::Next(step) | Verdict::Learned { step, .. } => next = Ok(*step),
            Verdict::Done { keep } => {
                keep.into_iter().for_each(|(name, value)| stored.set_text(name, value));
                break (false, false, "");
            }
            Verdict::Expired { .. } => break (true, true, "other"),
            Verdict::Retry { reason, .. } => break (true, true, reason),
            Verdict::GiveUp { reason, .. } => break (false, true, reason),
        }
        reply = replies.next().unwrap_or(reply);
    };
    let kept = ["threadTs", "channelId"].map(|name| (name, stored.text(name)));
    let kept: BTreeMap<_, _> = kept.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let requests = if requests.is_empty() { Value::Null } else { json!(requests) };
    json!({ "requests": requests, "retry": retry, "failed": failed, "reason": reason, "stored": kept })
}

/// A request as the receiver sees it.
fn sent(request: &Request) -> Value {
    let mut headers: BTreeMap<String, &str> = BTreeMap::new();
    // what the shell adds
    if let Some(authorization) = &request.http.authorization
        && let Some(SecretSource::Inline(credentials)) = &authorization.credentials
    {
        assert_eq!((authorization.kind.as_str(), credentials.expose()), ("Bearer", "t"));
        headers.insert("authorization".into(), "Bearer t");
    }
    let signed = request.sign.as_ref().map(|sign| format!("AWS4 {} {} sns", sign.sigv4.access_key, sign.sigv4.region));
    if let Some(signed) = &signed {
        headers.insert("authorization".into(), signed);
    }
    headers.extend(request.headers.iter().map(|(name, value)| (name.to_lowercase(), value.as_str())));
    headers.extend(request.secret_headers.iter().map(|(name, value)| (name.to_lowercase(), value.expose())));
    let url = request.url.expose();
    // no request has an empty path
    let url = if url.matches('/').count() == 2 { format!("{url}/") } else { url.to_owned() };
    json!({
        "method": request.method, "url": url, "headers": headers, "body": std::str::from_utf8(&request.body).unwrap(),
    })
}

fn compare(peer: &mut Peer, case: Case<'_>) {
    let read = config::parse(case.config, Mode::default()).unwrap();
    let ours = ours(&read, case);
    let mut theirs = peer.ask("notify", question(case)).unwrap();
    let fields = theirs.as_object_mut().unwrap();
    let error = fields.remove("error").unwrap();
    let failed = error != "";
    fields.insert("failed".into(), json!(failed));
    // without an error it says nothing
    let mut retry = failed && fields["retry"] == true;
    // meant: a rate limit is tried again whatever the kind, what can't be rendered is not
    match fields["requests"].is_null() {
        true => retry = false,
        false => retry |= case.replies[0].0 == 429,
    }
    fields.insert("retry".into(), json!(retry));
    let Case { config, group, replies, stored } = case;
    assert_eq!(ours, theirs, "{config}\n{group:?}\n{replies:?}\n{stored:?}\n{error}");
}

/// Every config with every group, and the first config with every answer; `good` is one of success.
fn compare_answers(kind: &str, base: &str, variants: &[String], good: Reply<'_>, answers: &[Reply<'_>]) {
    let mut peer = Peer::start();
    let first = receiver(kind, base);
    let case = Case { config: &first, group: FIRING, replies: &[good], stored: &[] };
    let variants: Vec<String> = variants.iter().map(|more| receiver(kind, &format!("{base}{more}"))).collect();
    for config in std::iter::once(&first).chain(&variants) {
        for group in GROUPS {
            compare(&mut peer, Case { config, group, ..case });
        }
    }
    for answer in ANSWERS.iter().chain(answers) {
        compare(&mut peer, Case { replies: &[*answer], ..case });
    }
}

/// The same for a kind of which only the status counts.
fn compare_all(kind: &str, base: &str, variants: &[String]) {
    compare_answers(kind, base, variants, ANSWERS[0], &[]);
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

/// Those of several fields.
fn texts_of(fields: &[&str]) -> Vec<String> {
    fields.iter().flat_map(|field| texts(field)).collect()
}

/// A file with a secret; it's gone when this is dropped.
fn file(content: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), content).unwrap();
    file
}
