//! The data that is made of alerts, and the labels of routes.

use std::sync::Arc;

use alerting::alert::PostedAlert;
use alerting::label::LabelSet;
use alerting::nflog::SendReason;
use alerting::notify;
use alerting::template::{Data, Templates};
use alerting::time::{Timestamp, parse_rfc3339};
use serde_json::{Value, json};

use crate::peer::Peer;

type Pairs = &'static [(&'static str, &'static str)];

/// Labels, annotations, and whether it's resolved.
type Alerts = &'static [(Pairs, Pairs, bool)];

const START: &str = "2025-01-02T03:04:05.678901234Z";
const END: &str = "2025-01-02T04:00:00Z";

const GROUPS: &[Alerts] = &[
    &[],
    &[(&[("alertname", "A"), ("job", "x")], &[("s", "t")], false)],
    &[(&[("alertname", "A"), ("job", "x")], &[], true)],
    &[
        (&[("alertname", "A"), ("job", "x"), ("n", "1")], &[("s", "t"), ("u", "1")], false),
        (&[("alertname", "A"), ("job", "x"), ("n", "2")], &[("s", "t"), ("u", "2")], true),
        (&[("alertname", "A"), ("job", "x"), ("m", "")], &[("s", "t")], false),
    ],
    &[(&[("alertname", "Ü <&>")], &[("s", "\u{2028}\"")], false), (&[("other", "b")], &[("s", "x")], true)],
];

const ROUTE_LABELS: &[Pairs] = &[
    &[],
    &[("team", "x"), ("page", "yes {not} a template")],
    &[("status", "{{ .Status }} {{ .NotificationReason }} {{ len .Alerts }}"), ("receiver", "{{ .Receiver }}")],
    &[("a", "{{ routeLabels \"b\" }}a"), ("b", "{{ routeLabels \"c\" }}b"), ("c", "{{ .GroupLabels.job }}")],
    &[("a", "{{ routeLabels \"a\" }}"), ("ok", "fine")],
    &[("a", "{{ routeLabels \"b\" }}"), ("b", "{{ routeLabels \"c\" }}"), ("c", "{{ routeLabels \"a\" }}")],
    &[
        ("bad", "{{ .Nothing }}"),
        ("worse", "{{ if"),
        ("via", "{{ routeLabels \"bad\" }}"),
        ("none", "[{{ routeLabels \"x\" }}]"),
    ],
    &[("raw", "{{ .RouteLabels.team }} {{ index .RouteLabels \"team\" }}"), ("team", "{{ .Status }}")],
    &[("first", "{{ (index .Alerts 0).Labels.alertname }}")],
];

fn question(alerts: Alerts, labels: Pairs) -> Value {
    let map = |pairs: Pairs| pairs.iter().map(|(n, v)| ((*n).to_owned(), json!(v))).collect::<serde_json::Map<_, _>>();
    let alerts: Vec<Value> = alerts
        .iter()
        .map(|(labels, annotations, resolved)| {
            let end = if *resolved { END } else { "0001-01-01T00:00:00Z" };
            json!({ "labels": map(labels), "annotations": map(annotations), "startsAt": START, "endsAt": end, "generatorURL": "http://g" })
        })
        .collect();
    json!({
        "receiver": "team.x (pager)", "reason": "new alerts added", "externalURL": "http://am:9093/x",
        "groupLabels": { "job": "x" }, "routeLabels": map(labels), "alerts": alerts,
    })
}

fn data(alerts: Alerts, labels: Pairs) -> Data {
    let time = |text: &str| parse_rfc3339(text).unwrap();
    let now = Timestamp::from_secs(1_760_000_000);
    let alerts = alerts.iter().map(|(labels, annotations, resolved)| {
        let (labels, annotations) = (LabelSet::new(labels.iter().copied()), LabelSet::new(annotations.iter().copied()));
        let end = if *resolved { time(END) } else { None };
        let posted = PostedAlert::new(labels, annotations, "http://g".into(), time(START), end);
        Arc::new(posted.received(now, std::time::Duration::from_secs(300)))
    });
    Data::new(&notify::Data {
        now,
        receiver: "team.x (pager)".into(),
        reason: SendReason::NewAlerts,
        group_labels: LabelSet::new([("job", "x")]),
        route_labels: LabelSet::new(labels.iter().copied()),
        group_key: "{}:{}".into(),
        external_url: "http://am:9093/x".into(),
        alerts: alerts.collect(),
    })
}

#[test]
fn alerts_become_the_same_data() {
    let (mut peer, templates) = (Peer::start(), Templates::builtin());
    for alerts in GROUPS {
        for text in ["{{ toJson . }}", "{{ . }}", "{{ template \"__subject\" . }}", "{{ routeLabels \"team\" }}"] {
            let mut question = question(alerts, ROUTE_LABELS[1]);
            question["text"] = json!(text);
            question["rendered"] = json!(true);
            let theirs = peer.ask("template-data", question).unwrap();
            assert_eq!(templates.text(text, &data(alerts, ROUTE_LABELS[1])).unwrap(), theirs.as_str().unwrap());
        }
    }
}

#[test]
fn labels_of_a_route_come_to_the_same() {
    let (mut peer, templates) = (Peer::start(), Templates::builtin());
    for alerts in GROUPS {
        for labels in ROUTE_LABELS {
            let mut question = question(alerts, labels);
            // what the reference's dispatcher says for labels
            question["reason"] = json!("unknown");
            let theirs = peer.ask("route-labels", question).unwrap();
            let ours = templates.route_labels(data(alerts, labels));
            let rendered: Value = ours.labels.iter().map(|(n, v)| (n.to_owned(), json!(v))).collect();
            let mut failed: Vec<&str> = ours.failed.iter().map(|(name, _)| &**name).collect();
            failed.sort_unstable();
            let mut refused: Vec<&str> = theirs["failed"].as_object().unwrap().keys().map(String::as_str).collect();
            refused.sort_unstable();
            assert_eq!(rendered, theirs["labels"], "{labels:?}");
            assert_eq!(failed, refused, "{labels:?}");
        }
    }
}
