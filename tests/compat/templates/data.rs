//! Data to render templates with.

use serde_json::{Value, json};

/// Names of the reference's built-in templates.
pub(super) const BUILTIN: &str = "
    __alertmanager __alertmanagerURL __subject __description __text_alert_list __text_alert_list_markdown
    slack.default.title slack.default.username slack.default.fallback slack.default.callbackid slack.default.pretext
    slack.default.titlelink slack.default.iconemoji slack.default.iconurl slack.default.text slack.default.footer
    slack.default.color pagerduty.default.description pagerduty.default.client pagerduty.default.clientURL
    pagerduty.default.instances opsgenie.default.message opsgenie.default.description opsgenie.default.source
    wechat.default.message wechat.default.to_user wechat.default.to_party wechat.default.to_tag wechat.default.agent_id
    victorops.default.state_message victorops.default.entity_display_name victorops.default.monitoring_tool
    pushover.default.title pushover.default.message pushover.default.url sns.default.subject sns.default.message
    telegram.default.message discord.default.content discord.default.title discord.default.message
    webex.default.message msteams.default.summary msteams.default.title msteams.default.text msteamsv2.default.title
    msteamsv2.default.text jira.default.summary jira.default.description jira.default.priority
    rocketchat.default.title rocketchat.default.alias rocketchat.default.titlelink rocketchat.default.emoji
    rocketchat.default.iconurl rocketchat.default.text mattermost.default.color mattermost.default.username
    mattermost.default.title mattermost.default.titlelink mattermost.default.fallback mattermost.default.text
    email.default.subject email.default.html";

fn alert(status: &str, labels: Value, annotations: Value) -> Value {
    json!({
        "status": status,
        "labels": labels,
        "annotations": annotations,
        "startsAt": "2025-10-09T08:53:20.126Z",
        "endsAt": if status == "firing" { "0001-01-01T00:00:00Z" } else { "2025-10-09T09:03:20Z" },
        "generatorURL": "http://prometheus:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1",
        "fingerprint": "c6b4b8d3f7a1e059",
    })
}

fn data(status: &str, alerts: Vec<Value>, group: Value, common: Value, annotations: Value) -> Value {
    json!({
        "receiver": "team-x\\.pager",
        "status": status,
        "alerts": alerts,
        "notification_reason": "new alerts added",
        "groupLabels": group,
        "commonLabels": common,
        "commonAnnotations": annotations,
        "routeLabels": { "team": "x", "hello": "hi {{ .Status }}" },
        "externalURL": "http://alertmanager.example:9093/am",
    })
}

/// Firing and resolved alerts of several severities.
pub(super) fn mixed() -> Value {
    let labels = |n: u32, severity: &str| json!({ "alertname": "InstanceDown", "instance": format!("node-{n}:9100"), "job": "node", "severity": severity });
    let text = json!({ "summary": "An instance is down", "runbook_url": "https://runbooks/x?a=b&c=d" });
    data(
        "firing",
        vec![
            alert("firing", labels(1, "warning"), text.clone()),
            alert("firing", labels(2, "critical"), text.clone()),
            alert("resolved", labels(3, "info"), text.clone()),
        ],
        json!({ "alertname": "InstanceDown" }),
        json!({ "alertname": "InstanceDown", "job": "node" }),
        text,
    )
}

/// What HTML, URLs and scripts treat in their own way.
pub(super) fn special() -> Value {
    let labels =
        json!({ "alertname": "<b>\"A\" & 'B'</b>", "path": "/a b?c=d&e=f#g", "script": "</script><script>alert(1)" });
    let text =
        json!({ "url": "javascript:alert(1)", "markup": "<i>x</i>", "quotes": "\"'`\\", "nul": "a\u{0}b\u{2028}c" });
    data("firing", vec![alert("firing", labels.clone(), text.clone())], labels.clone(), labels, text)
}

/// Data of many kinds.
pub(super) fn sets() -> Vec<Value> {
    let labels = json!({ "alertname": "A", "severity": "warning", "zone": "b" });
    let text = json!({ "summary": "s" });
    let empty = json!({});
    let unicode = json!({ "alertname": "Überlast", "地区": "東京", "emoji": "🔥 down", "combining": "e\u{301}" });
    let many: Vec<Value> = (0..200)
        .map(|n| {
            let status = if n % 3 == 0 { "resolved" } else { "firing" };
            alert(
                status,
                json!({ "alertname": "Many", "n": n.to_string(), "severity": "info" }),
                json!({ "n": n.to_string() }),
            )
        })
        .collect();
    let lines = json!({ "alertname": "Lines", "text": "one\ntwo\r\n\tthree  ", "empty": "" });
    let deep: Vec<Value> = (0..30)
        .map(|n| alert("firing", json!({ "alertname": format!("A{}", n % 7), "severity": (["critical", "warning", "none"][n % 3]), "instance": format!("h{n}:80") }), json!({ "summary": "s".repeat(n * 10) })))
        .collect();
    let long = json!({ "summary": "word ".repeat(200), "description": "ü".repeat(300) });
    let odd = json!({ "alertname": "a.b-c/d", "severity": "\u{7f}\u{1}", "with space": "x y", "0": "digit", "ключ": "значение", "job": "a\u{fffd}b\u{200b}" });
    vec![
        mixed(),
        special(),
        // a notification always has maps and a list, be they empty
        data("", vec![], json!({}), json!({}), json!({})),
        data(
            "firing",
            vec![alert("firing", labels.clone(), text.clone())],
            labels.clone(),
            labels.clone(),
            text.clone(),
        ),
        data(
            "resolved",
            vec![alert("resolved", labels.clone(), text.clone())],
            empty.clone(),
            labels.clone(),
            empty.clone(),
        ),
        data(
            "resolved",
            vec![alert("resolved", labels.clone(), empty.clone()); 3],
            empty.clone(),
            empty.clone(),
            empty.clone(),
        ),
        data(
            "firing",
            vec![alert("firing", empty.clone(), empty.clone())],
            empty.clone(),
            empty.clone(),
            empty.clone(),
        ),
        data(
            "firing",
            vec![alert("firing", unicode.clone(), unicode.clone())],
            unicode.clone(),
            unicode.clone(),
            unicode,
        ),
        data(
            "firing",
            many,
            json!({ "alertname": "Many" }),
            json!({ "alertname": "Many", "severity": "info" }),
            empty.clone(),
        ),
        data(
            "firing",
            vec![alert("firing", lines.clone(), lines.clone())],
            json!({ "text": "one\ntwo" }),
            lines.clone(),
            lines,
        ),
        data(
            "firing",
            vec![
                alert("firing", json!({ "alertname": "S", "severity": "info" }), empty.clone()),
                alert("firing", json!({ "alertname": "S", "severity": "warning" }), empty.clone()),
            ],
            empty.clone(),
            json!({ "alertname": "S" }),
            empty.clone(),
        ),
        data(
            "resolved",
            vec![
                alert("resolved", json!({ "severity": "critical" }), empty.clone()),
                alert("resolved", json!({ "severity": "none" }), empty.clone()),
            ],
            empty.clone(),
            empty.clone(),
            empty.clone(),
        ),
        data(
            "firing",
            vec![
                alert("firing", json!({ "severity": "none" }), empty.clone()),
                alert("resolved", json!({ "severity": "critical" }), empty.clone()),
            ],
            empty.clone(),
            empty.clone(),
            json!({ "a": "{{ not a template }}" }),
        ),
        data(
            "firing",
            vec![alert("", json!({}), json!({})), alert("firing", json!({ "alertname": "bare" }), json!({}))],
            json!({}),
            json!({}),
            json!({}),
        ),
        data("resolved", vec![], json!({ "alertname": "Gone" }), json!({ "alertname": "Gone" }), json!({})),
        data(
            "firing",
            vec![alert(
                "firing",
                json!({ "alertname": "", "severity": "critical", "instance": "[::1]:9100" }),
                empty.clone(),
            )],
            json!({ "alertname": "" }),
            json!({ "severity": "critical" }),
            json!({ "summary": "  spaces  ", "runbook_url": "https://x/%zz?a=%20" }),
        ),
        elsewhere(),
        data("firing", deep, json!({ "a": "1" }), json!({ "a": "1", "b": "2" }), long),
        data(
            "firing",
            vec![alert("firing", odd.clone(), odd.clone()), alert("resolved", odd.clone(), odd.clone())],
            odd.clone(),
            odd.clone(),
            odd,
        ),
        data(
            "unknown",
            vec![
                alert(
                    "suppressed",
                    json!({ "alertname": "X", "severity": "page", "zone": "z" }),
                    json!({ "summary": "1 < 2" }),
                ),
                alert("resolved", json!({ "alertname": "Y", "severity": "warning" }), json!({ "summary": "a & b" })),
                alert("firing", json!({ "alertname": "Z", "severity": "critical" }), json!({ "summary": "\"q\"" })),
            ],
            json!({ "zone": "z" }),
            empty.clone(),
            json!({ "summary": "x", "description": "line 1\nline 2", "runbook_url": "javascript:x" }),
        ),
    ]
}

/// Times of other zones, with fractions, far away.
fn elsewhere() -> Value {
    let times = [
        ("2025-03-30T02:30:00.5+01:00", "2025-03-30T03:30:00+02:00"),
        ("1969-12-31T23:59:59.999999999Z", "1970-01-01T00:00:00Z"),
        ("2024-02-29T12:00:00-05:45", "2400-02-29T12:00:00Z"),
    ];
    let alerts: Vec<Value> = times
        .iter()
        .map(|(start, end)| {
            let mut alert = alert("resolved", json!({ "alertname": "Time", "severity": "warning" }), json!({}));
            alert["startsAt"] = json!(start);
            alert["endsAt"] = json!(end);
            alert
        })
        .collect();
    data("resolved", alerts, json!({}), json!({ "alertname": "Time", "severity": "warning" }), json!({}))
}
