//! The page, and what it asks for.

use std::collections::BTreeSet;

use axum::http::Request;
use serde_json::{Value, json};

use super::*;

const OPENAPI: &str = include_str!("../ui/openapi.json");

/// Ten alerts for `team-x`, of which one inhibits another, and one that goes to `team-y`; one silence.
async fn filled() -> (Rig, String) {
    let rig = Rig::new().await;
    let mut alerts: Vec<Value> = (0..8)
        .map(|n| {
            let severity = if n == 0 { "critical" } else { "info" };
            let start = format!("2026-11-21T12:00:0{n}Z");
            json!({"labels": {"alertname": "Lag", "n": n.to_string(), "severity": severity}, "startsAt": start,
                "annotations": {"summary": format!("Lag of {n}")}, "generatorURL": "http://p/g"})
        })
        .collect();
    alerts.push(json!({"labels": {"alertname": "Lag", "severity": "warning"}}));
    alerts.push(json!({"labels": {"alertname": "Disk", "severity": "page"}}));
    alerts.push(json!({"labels": {"alertname": "Link", "team": "y", "cluster": "eu"}}));
    assert_eq!(rig.ask("POST /api/v2/alerts", &Value::from(alerts).to_string()).await.status, 200);
    let id = rig.silence("[12]").await;
    (rig, id)
}

impl Rig {
    /// Makes a silence for alerts with that `n`; its id.
    async fn silence(&self, n: &str) -> String {
        let silence = json!({"matchers": [{"name": "n", "value": n, "isRegex": true}], "createdBy": "ann",
            "comment": "INC-1", "startsAt": "2026-11-21T12:46:01.113Z", "endsAt": "2099-11-21T13:46:01Z"});
        let answer = self.ask("POST /api/v2/silences", &silence.to_string()).await;
        serde_json::from_str::<Value>(&answer.body).unwrap()["silenceID"].as_str().unwrap().to_owned()
    }

    /// The answer below `/api/ui/v1`, which must be as its document says.
    async fn ui(&self, path: &str) -> Value {
        let answer = self.get(&format!("/api/ui/v1{path}")).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        let value: Value = serde_json::from_str(&answer.body).unwrap();
        documented(path, "get", &value);
        value
    }
}

/// Fails unless `value` is what the document says about that path.
fn documented(path: &str, method: &str, value: &Value) {
    let document: Value = serde_json::from_str(OPENAPI).unwrap();
    let path = path.split('?').next().unwrap();
    let place = if path.starts_with("/alerts/") { "/alerts/{fingerprint}" } else { path };
    let schema = &document["paths"][place][method]["responses"]["200"]["content"]["application/json"]["schema"];
    assert!(schema.is_object(), "{place} isn't documented");
    check(&document, schema, value, path);
}

fn check(document: &Value, schema: &Value, value: &Value, at: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.strip_prefix("#/components/schemas/").unwrap();
        let named = &document["components"]["schemas"][name];
        assert!(named.is_object(), "{name} isn't there");
        return check(document, named, value, at);
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let of_type = |choice: &&Value| choice["type"] == "null" && value.is_null() || !value.is_null();
        return check(document, choices.iter().find(of_type).unwrap(), value, at);
    }
    let fits = match schema["type"].as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("{other} is no type"),
    };
    assert!(fits, "{at}: {value} is no {}", schema["type"]);
    if let Some(values) = schema["enum"].as_array() {
        assert!(values.contains(value), "{at}: {value} is none of {values:?}");
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        check(document, &schema["items"], item, &format!("{at}[{index}]"));
    }
    let Some(object) = value.as_object() else { return };
    for name in schema["required"].as_array().into_iter().flatten() {
        assert!(object.contains_key(name.as_str().unwrap()), "{at}: no {name}");
    }
    for (name, field) in object {
        let at = format!("{at}.{name}");
        match &schema["additionalProperties"] {
            Value::Bool(false) => {
                let property = &schema["properties"][name];
                assert!(property.is_object(), "{at} isn't documented");
                check(document, property, field, &at);
            }
            any => check(document, any, field, &at),
        }
    }
}

/// Receiver, alerts and labels of each group.
fn brief(groups: &Value) -> Vec<(String, u64, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let groups = groups["groups"].as_array().unwrap().iter();
    groups.map(|g| (text(&g["receiver"]), g["alerts"].as_u64().unwrap(), g["labels"].to_string())).collect()
}

#[tokio::test]
async fn groups_are_counted_and_the_worst_comes_first() {
    let (rig, _) = filled().await;
    let groups = rig.ui("/groups").await;
    let expected = [
        ("team-x", 9, r#"{"alertname":"Lag"}"#),
        ("team-x", 1, r#"{"alertname":"Disk"}"#),
        ("team-y", 1, r#"{"cluster":"eu"}"#),
    ];
    let expected = expected.map(|(receiver, alerts, labels)| (receiver.to_owned(), alerts, labels.to_owned()));
    let mut found = brief(&groups);
    // both have an alert of the worst kind: the newer one is first
    found[..2].sort();
    found[..2].reverse();
    assert_eq!(found, expected);
    assert_eq!(groups["states"], json!({"active": 8, "silenced": 2, "inhibited": 1, "muted": 0}));
    assert_eq!((&groups["alerts"], &groups["all"], &groups["total"]), (&json!(11), &json!(11), &json!(3)));
    let by_name = rig.ui("/groups?sort=name&offset=1&limit=1").await;
    assert_eq!(by_name["groups"].as_array().unwrap().len(), 1);
    let lag = rig.ui("/groups?filter=alertname%3DLag").await;
    assert_eq!(lag["groups"][0]["severities"], json!({"critical": 1, "info": 7, "warning": 1}));
}

#[tokio::test]
async fn severities_are_ordered_as_they_are_known_or_as_wished() {
    let (rig, _) = filled().await;
    let of = rig.ui("/groups?group=none").await["groups"][0]["id"].as_str().unwrap().to_owned();
    let order = async |wish: &str| {
        let rows = rig.ui(&format!("/rows?group=none&of={of}{wish}")).await;
        let rows = rows["rows"].as_array().unwrap().iter();
        let mut order: Vec<String> =
            rows.map(|row| row["labels"]["severity"].as_str().unwrap_or_default().to_owned()).collect();
        order.dedup();
        order.join(" ")
    };
    let known = order("").await;
    assert_eq!(known, "page critical warning info ");
    let wished = order("&severities=info,%20Warning").await;
    assert_eq!(wished, "info warning page critical ");
}

#[tokio::test]
async fn alerts_are_filtered_and_grouped_as_asked() {
    let (rig, _) = filled().await;
    for (query, alerts, total) in [
        ("silenced=false", 9, 3),
        ("silenced=false&inhibited=false", 8, 3),
        ("active=false", 3, 1),
        ("receiver=team-y", 1, 1),
        ("receiver=team-x&receiver=team-y", 11, 3),
        ("receiver=team-.", 11, 3),
        ("receiver=nobody", 0, 0),
        ("q=LAG+OF+3", 1, 1),
        ("filter=n%3D~%220%7C1%22", 2, 1),
        ("group=labels&group_by=severity", 11, 5),
        ("group=none", 11, 1),
        ("group=none&filter=alertname%3DNothing", 0, 0),
    ] {
        let groups = rig.ui(&format!("/groups?{query}")).await;
        assert_eq!((&groups["alerts"], &groups["total"]), (&json!(alerts), &json!(total)), "{query}");
    }
}

#[tokio::test]
async fn rows_come_in_windows_that_may_begin_with_an_alert() {
    let (rig, silence) = filled().await;
    let groups = rig.ui("/groups?filter=alertname%3DLag").await;
    let of = groups["groups"][0]["id"].as_str().unwrap();
    let rows = rig.ui(&format!("/rows?filter=alertname%3DLag&of={of}&limit=3")).await;
    let n = |rows: &Value| -> Vec<String> {
        let rows = rows["rows"].as_array().unwrap().iter();
        rows.map(|row| row["labels"]["n"].as_str().unwrap_or("-").to_owned()).collect()
    };
    // by severity, then the newest
    assert_eq!((n(&rows), &rows["total"]), (vec!["0".to_owned(), "-".into(), "7".into()], &json!(9)));
    assert_eq!(rows["common"], json!({"alertname": "Lag"}));
    let inhibited = &rows["rows"][1];
    assert_eq!(inhibited["inhibitedBy"][0]["labels"]["n"], "0");
    let anchor = rows["rows"][2]["fingerprint"].as_str().unwrap();
    let later = rig.ui(&format!("/rows?filter=alertname%3DLag&of={of}&limit=2&anchor={anchor}")).await;
    assert_eq!((n(&later), &later["offset"]), (vec!["7".to_owned(), "6".into()], &json!(2)));
    let oldest = rig.ui(&format!("/rows?filter=alertname%3DLag&of={of}&sort=oldest&limit=4")).await;
    let quiet: Vec<_> = oldest["rows"].as_array().unwrap().iter().map(|row| row["silencedBy"].clone()).collect();
    let by = json!([{"id": silence, "createdBy": "ann", "comment": "INC-1", "endsAt": "2099-11-21T13:46:01.000Z"}]);
    assert_eq!(n(&oldest), ["0", "1", "2", "3"]);
    assert_eq!(quiet, [json!([]), by.clone(), by, json!([])]);
    assert_eq!(rig.get("/api/ui/v1/rows?of=0123456789abcdef").await.status, 404);
    assert_eq!(rig.get("/api/ui/v1/rows?of=nonsense").await.status, 400);
    assert_eq!(rig.get("/api/ui/v1/rows").await.status, 400);
}

#[tokio::test]
async fn facets_count_values_and_complete_them() {
    let (rig, _) = filled().await;
    let facets = rig.ui("/facets?limit=2").await;
    let label = |name: &str| facets["labels"].as_array().unwrap().iter().find(|l| l["name"] == name).unwrap().clone();
    assert_eq!(label("alertname")["values"], json!([{"value": "Lag", "alerts": 9}, {"value": "Disk", "alerts": 1}]));
    assert_eq!((&label("n")["distinct"], &label("n")["alerts"]), (&json!(8), &json!(8)));
    assert_eq!(facets["receivers"], json!({"team-x": 10, "team-y": 1}));
    let values = rig.ui("/facets?label=severity&prefix=CRIT").await;
    assert_eq!(values["labels"][0]["values"], json!([{"value": "critical", "alerts": 1}]));
    let names = rig.ui("/facets?prefix=clus").await;
    assert_eq!(names["labels"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn silences_tell_what_they_hit_and_a_change_is_seen_at_once() {
    let (rig, id) = filled().await;
    let list = rig.ui("/silences").await;
    assert_eq!(list["states"], json!({"active": 1, "pending": 0, "expired": 0}));
    assert_eq!(
        (&list["silences"][0]["hits"], &list["silences"][0]["matchers"][0]["text"]),
        (&json!(2), &json!("n=~\"[12]\""))
    );
    for (query, found) in
        [("q=inc-1", 1), ("q=nope", 0), ("by=ann", 1), ("by=bob", 0), ("state=expired", 0), (&*format!("q={id}"), 1)]
    {
        assert_eq!(rig.ui(&format!("/silences?{query}")).await["total"], found, "{query}");
    }
    rig.silence("3").await;
    assert_eq!(rig.ui("/silences").await["states"], json!({"active": 2, "pending": 0, "expired": 0}));
    assert_eq!(rig.ui("/groups").await["states"]["silenced"], 3);
}

#[tokio::test]
async fn a_preview_counts_per_matcher_and_warns() {
    let (rig, _) = filled().await;
    let body = json!({"matchers": [
        {"name": "alertname", "value": "Lag", "isRegex": false}, {"name": "n", "value": "1|2|3", "isRegex": true}]});
    let answer = rig.ask("POST /api/ui/v1/silences/preview", &body.to_string()).await;
    let preview: Value = serde_json::from_str(&answer.body).unwrap();
    documented("/silences/preview", "post", &preview);
    assert_eq!((&preview["alerts"], &preview["all"], &preview["alreadySilenced"]), (&json!(3), &json!(11), &json!(2)));
    let counts: Vec<_> = preview["matchers"].as_array().unwrap().iter().map(|m| m["alerts"].clone()).collect();
    assert_eq!(counts, [json!(9), json!(3)]);
    assert_eq!((&preview["receivers"], &preview["warnings"]), (&json!({"team-x": 3}), &json!([])));
    let refused = json!({"matchers": [{"name": "a", "value": "(", "isRegex": true}]});
    let answer = rig.ask("POST /api/ui/v1/silences/preview", &refused.to_string()).await;
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert!(answer.body.contains("invalid regular expression"), "{}", answer.body);
}

#[tokio::test]
async fn the_other_answers_are_as_documented() {
    let (rig, id) = filled().await;
    let tree = rig.ui("/routes").await;
    let counts: Vec<_> =
        tree["routes"].as_array().unwrap().iter().map(|r| (r["alerts"].clone(), r["groups"].clone())).collect();
    assert_eq!(counts, [(json!(10), json!(2)), (json!(1), json!(1))]);
    let tested = rig.ui("/routes/test?label=team%3Dy&label=cluster%3D%22a%20b%22").await;
    assert_eq!(tested["matches"][0]["groupLabels"], json!({"cluster": "a b"}));
    assert_eq!(rig.get("/api/ui/v1/routes/test?label=a!%3Db").await.status, 400);
    assert_eq!(rig.get("/api/ui/v1/routes/test?label=a%3Db&at=noon").await.status, 400);
    assert_eq!(rig.ui("/cluster").await["enabled"], false);
    let system = rig.ui("/system").await;
    assert_eq!((&system["receivers"][0]["name"], &system["config"]["error"]), (&json!("team-x"), &Value::Null));
    let quiet = rig.ui("/groups?active=false&inhibited=false").await;
    let of = quiet["groups"][0]["id"].as_str().unwrap();
    let rows = rig.ui(&format!("/rows?active=false&inhibited=false&of={of}")).await;
    let fingerprint = rows["rows"][0]["fingerprint"].as_str().unwrap();
    let alert = rig.ui(&format!("/alerts/{fingerprint}")).await;
    assert_eq!(alert["groups"][0]["integrations"][0]["code"], "silenced");
    assert_eq!((&alert["silences"][0]["id"], &alert["generatorURL"]), (&json!(id), &json!("http://p/g")));
    let document: Value = serde_json::from_str(OPENAPI).unwrap();
    let all: BTreeSet<_> = crate::api::ui::paths().iter().map(|(path, _)| path.to_string()).collect();
    let documented: BTreeSet<_> =
        document["paths"].as_object().unwrap().keys().map(|path| format!("/api/ui/v1{path}")).collect();
    let not = all.symmetric_difference(&documented).collect::<Vec<_>>();
    assert_eq!(not, ["/api/ui/v1/openapi.json"]);
}

#[tokio::test]
async fn who_has_an_answer_is_told_so() {
    let (rig, _) = filled().await;
    let first = rig.get("/api/ui/v1/groups").await;
    let tag = first.header("etag").unwrap().to_owned();
    let again =
        |tag: String| Request::builder().uri("/api/ui/v1/groups").header("if-none-match", tag).body(Body::empty());
    let answer = rig.send(again(tag.clone()).unwrap()).await;
    assert_eq!(answer.brief(), (304, ""));
    let alert = r#"[{"labels": {"alertname": "New"}}]"#;
    assert_eq!(rig.ask("POST /api/v2/alerts", alert).await.status, 200);
    until_changed(&rig, &tag).await;
    assert_eq!(rig.send(again(tag).unwrap()).await.status, 200);
}

/// Alerts are seen once the picture is taken anew.
async fn until_changed(rig: &Rig, tag: &str) {
    for _ in 0..600 {
        if rig.get("/api/ui/v1/groups").await.header("etag") != Some(tag) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nothing changes");
}

#[tokio::test]
async fn events_tell_at_once_how_it_is_and_then_what_changed() {
    let (rig, _) = filled().await;
    let request = Request::builder().uri("/api/ui/v1/events").body(Body::empty()).unwrap();
    let response: Response = rig.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(response.headers()["x-accel-buffering"], "no");
    let mut body = response.into_body();
    let mut next = async || {
        let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
        let text = String::from_utf8(frame.to_vec()).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("data: ")).unwrap_or_else(|| panic!("{text}"));
        (text.contains("event: changed"), serde_json::from_str::<Value>(line).unwrap())
    };
    let (named, told) = next().await;
    assert!(named && told["states"]["silenced"] == 2, "{told}");
    let document: Value = serde_json::from_str(OPENAPI).unwrap();
    check(&document, &document["components"]["schemas"]["Changed"], &told, "event");
    rig.silence("3").await;
    let (_, later) = next().await;
    assert!(later["states"]["silenced"] == 3 && later["version"] != told["version"], "{later}");
}

#[tokio::test]
async fn the_page_is_served_strictly_and_compressed() {
    let rig = Rig::new().await;
    let page = rig.get("/").await;
    assert!(page.status == 200 && page.body.contains("assets/app.js"), "{}", page.body);
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    for (name, kind) in [
        ("app.js", "text/javascript; charset=utf-8"),
        ("app.css", "text/css; charset=utf-8"),
        ("favicon.svg", "image/svg+xml"),
    ] {
        let asset = rig.get(&format!("/assets/{name}")).await;
        assert_eq!((asset.status, asset.header("content-type")), (200, Some(kind)));
        let tag = asset.header("etag").unwrap().to_owned();
        let request = Request::builder().uri(format!("/assets/{name}")).header("if-none-match", tag);
        assert_eq!(rig.send(request.body(Body::empty()).unwrap()).await.brief(), (304, ""));
    }
    for (accepted, coding) in [("gzip, br", Some("br")), ("gzip", Some("gzip")), ("br;q=0", None)] {
        let request = Request::builder().uri("/assets/app.js").header("accept-encoding", accepted).body(Body::empty());
        let response: Response = rig.router.clone().oneshot(request.unwrap()).await.unwrap();
        let found = response.headers().get("content-encoding").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(found.as_deref(), coding, "{accepted}");
    }
    assert_eq!(rig.get("/assets/index.html").await.status, 404);
    assert_eq!(rig.get("/assets/nope").await.status, 404);
    assert_eq!(rig.get("/favicon.ico").await.header("content-type"), Some("image/svg+xml"));
    for path in ["/ui", "/ui/"] {
        let moved = rig.get(path).await;
        assert_eq!((moved.status, moved.header("location")), (302, Some("/")));
    }
    let prefixed = Rig::over(rig.handle.clone(), |options| options.route_prefix = "/am".into());
    assert_eq!(prefixed.get("/am/ui/").await.header("location"), Some("/am/"));
    assert_eq!(prefixed.get("/am/assets/app.js").await.status, 200);
}
