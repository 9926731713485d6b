//! `/api/v2`.

use super::*;

const ALERTS: &str = r#"[
 {"labels":{"alertname":"A","severity":"critical"},"startsAt":"2026-11-21T12:40:00Z","endsAt":"2026-11-21T13:00:00Z",
  "annotations":{"summary":"<&> \"x\"","empty":""},"generatorURL":"http://prom/graph?a=1&b=2"},
 {"labels":{"alertname":"A","severity":"warning","drop":""},"startsAt":"2026-11-21T12:40:00.5Z"},
 {"labels":{"alertname":"B","team":"y"},"annotations":{"x":"é"}}
]"#;

/// What the reference lists after [`ALERTS`], with the times of the clock here.
const LISTED: &str = concat!(
    r#"[{"annotations":{},"endsAt":"2026-11-21T12:51:01.113Z","fingerprint":"25c2cdb12d31dc50""#,
    r#","receivers":[{"name":"team-x"}],"startsAt":"2026-11-21T12:40:00.500Z""#,
    r#","status":{"inhibitedBy":["b807e636403824b5"],"mutedBy":[],"silencedBy":[],"state":"suppressed"}"#,
    r#","updatedAt":"2026-11-21T12:46:01.113Z","labels":{"alertname":"A","severity":"warning"}},"#,
    r#"{"annotations":{"x":"é"},"endsAt":"2026-11-21T12:51:01.113Z","fingerprint":"9f576eda812cbd7a""#,
    r#","receivers":[{"name":"team-y"}],"startsAt":"2026-11-21T12:46:01.113Z""#,
    r#","status":{"inhibitedBy":[],"mutedBy":[],"silencedBy":[],"state":"active"}"#,
    r#","updatedAt":"2026-11-21T12:46:01.113Z","labels":{"alertname":"B","team":"y"}},"#,
    r#"{"annotations":{"empty":"","summary":"\u003c\u0026\u003e \"x\""},"endsAt":"2026-11-21T13:00:00.000Z","fingerprint":"b807e636403824b5""#,
    r#","receivers":[{"name":"team-x"}],"startsAt":"2026-11-21T12:40:00.000Z""#,
    r#","status":{"inhibitedBy":[],"mutedBy":[],"silencedBy":[],"state":"active"}"#,
    r#","updatedAt":"2026-11-21T12:46:01.113Z","generatorURL":"http://prom/graph?a=1\u0026b=2","labels":{"alertname":"A","severity":"critical"}}]"#,
);

/// The same in groups.
const GROUPED: &str = concat!(
    r#"[{"alerts":[{"annotations":{"x":"é"},"endsAt":"2026-11-21T12:51:01.113Z","fingerprint":"9f576eda812cbd7a""#,
    r#","receivers":[{"name":"team-y"}],"startsAt":"2026-11-21T12:46:01.113Z""#,
    r#","status":{"inhibitedBy":[],"mutedBy":[],"silencedBy":[],"state":"active"}"#,
    r#","updatedAt":"2026-11-21T12:46:01.113Z","labels":{"alertname":"B","team":"y"}}],"labels":{},"receiver":{"name":"team-y"},"routeLabels":{}},"#,
    r#"{"alerts":[{"annotations":{"empty":"","summary":"\u003c\u0026\u003e \"x\""},"endsAt":"2026-11-21T13:00:00.000Z","fingerprint":"b807e636403824b5""#,
    r#","receivers":[{"name":"team-x"}],"startsAt":"2026-11-21T12:40:00.000Z""#,
    r#","status":{"inhibitedBy":[],"mutedBy":[],"silencedBy":[],"state":"active"}"#,
    r#","updatedAt":"2026-11-21T12:46:01.113Z","generatorURL":"http://prom/graph?a=1\u0026b=2","labels":{"alertname":"A","severity":"critical"}},"#,
    r#"{"annotations":{},"endsAt":"2026-11-21T12:51:01.113Z","fingerprint":"25c2cdb12d31dc50""#,
    r#","receivers":[{"name":"team-x"}],"startsAt":"2026-11-21T12:40:00.500Z""#,
    r#","status":{"inhibitedBy":["b807e636403824b5"],"mutedBy":[],"silencedBy":[],"state":"suppressed"}"#,
    r#","updatedAt":"2026-11-21T12:46:01.113Z","labels":{"alertname":"A","severity":"warning"}}],"labels":{"alertname":"A"},"receiver":{"name":"team-x"},"routeLabels":{}}]"#,
);

#[tokio::test]
async fn alerts_that_were_posted_are_listed() {
    let rig = Rig::new().await;
    let posted = rig.ask("POST /api/v2/alerts", ALERTS).await;
    assert_eq!(posted.brief(), (200, ""));
    assert_eq!(posted.header("cache-control"), Some("no-store"));
    let listed = rig.get("/api/v2/alerts").await;
    assert_eq!(listed.header("content-type"), Some("application/json"));
    assert_eq!(listed.header("cache-control"), Some("no-store"));
    assert_eq!(listed.body, format!("{LISTED}\n"));
    let grouped = rig.get("/api/v2/alerts/groups").await;
    assert_eq!(grouped.body, format!("{GROUPED}\n"));
}

#[tokio::test]
async fn filters_choose_among_alerts() {
    let rig = Rig::new().await;
    rig.ask("POST /api/v2/alerts", ALERTS).await;
    let names = async |query: &str| {
        let answer = rig.get(&format!("/api/v2/alerts?{query}")).await;
        let alerts: Vec<serde_json::Value> = serde_json::from_str(&answer.body).unwrap();
        alerts.iter().map(|a| format!("{}{}", a["labels"]["alertname"], a["labels"]["severity"])).collect::<String>()
    };
    let (critical, warning, b) = (r#""A""critical""#, r#""A""warning""#, r#""B"null"#);
    assert_eq!(names("filter=alertname%3D%22B%22").await, b);
    assert_eq!(names("filter=alertname%3DA&filter=severity!~crit.*").await, warning);
    assert_eq!(names("receiver=team-.").await.len(), critical.len() + warning.len() + b.len());
    assert_eq!(names("receiver=team-y").await, b);
    assert_eq!(names("receiver=team").await, "");
    assert_eq!(names("inhibited=false&receiver=team-x").await, critical);
    assert_eq!(names("active=no").await, warning);
    assert_eq!(names("filter=team%3D%22%22&inhibited=false").await, critical);
}

#[tokio::test]
async fn bad_posts_are_refused_as_the_reference_does() {
    let rig = Rig::new().await;
    let expected = [
        ("[]", 200, ""),
        ("null", 200, ""),
        ("[] trailing", 200, ""),
        ("", 422, r#"{"code":602,"message":"alerts in body is required"}"#),
        ("[{", 400, r#"{"code":400,"message":"parsing alerts body from \"\" failed, because unexpected EOF"}"#),
        ("[{}]", 422, r#"{"code":602,"message":"0.labels in body is required"}"#),
        (r#"[{"labels":{}}]"#, 400, "\"at least one label pair required\"\n"),
        (r#"[{"labels":{"":"x"}}]"#, 400, "\"invalid label set: invalid name \\\"\\\"\"\n"),
        (
            r#"[{"labels":{"a":"b"},"generatorURL":"foo"}]"#,
            422,
            r#"{"code":601,"message":"0.generatorURL in body must be of type uri: \"foo\""}"#,
        ),
        (
            r#"[{"labels":{"a":""}},{"labels":{"ok":"1"}},{"labels":{"b":"1"},"startsAt":"2027-01-02T00:00:00Z","endsAt":"2026-01-01T00:00:00Z"}]"#,
            400,
            "\"at least one label pair required\\nstart time must be before end time\"\n",
        ),
        (
            r#"[{"labels":{"b":"1"},"startsAt":"2200-01-01T00:00:00Z"}]"#,
            400,
            "\"start time must be before end time\"\n",
        ),
    ];
    for (body, status, answer) in expected {
        let got = rig.ask("POST /api/v2/alerts", body).await;
        assert_eq!(got.brief(), (status, answer), "{body}");
        let content_type = if answer.is_empty() { None } else { Some("application/json") };
        assert_eq!(got.header("content-type"), content_type, "{body}");
    }
    let stored = rig.get("/api/v2/alerts").await.body;
    assert!(stored.contains(r#""labels":{"ok":"1"}"#) && !stored.contains(r#""b":"1""#), "{stored}");
}

#[tokio::test]
async fn media_types_and_methods_are_checked() {
    let rig = Rig::new().await;
    let with = async |method: &str, header: (&str, &str), body: &str| {
        let request = Request::builder().method(method).uri("/api/v2/alerts").header(header.0, header.1);
        let answer = rig.send(request.body(Body::from(body.to_owned())).unwrap()).await;
        (answer.status, answer.body)
    };
    let refused =
        r#"{"code":415,"message":"unsupported media type \"text/plain\", only [application/json] are allowed"}"#;
    assert_eq!(with("POST", ("content-type", "text/plain"), "[]").await, (415, refused.into()));
    assert_eq!(with("POST", ("content-type", "application/JSON; charset=utf-8"), "[]").await, (200, String::new()));
    let missing = r#"{"code":602,"message":"alerts in body is required"}"#;
    assert_eq!(with("POST", ("content-type", "text/plain"), "").await, (422, missing.into()));
    let unacceptable =
        r#"{"code":406,"message":"unsupported media type requested, only [application/json] are available"}"#;
    assert_eq!(with("GET", ("accept", "text/html"), "").await, (406, unacceptable.into()));
    assert_eq!(with("GET", ("accept", "application/json;q=0"), "").await, (406, unacceptable.into()));
    assert_eq!(with("GET", ("accept", "text/html, */*;q=0.1"), "").await, (200, "[]\n".into()));

    let put = rig.ask("PUT /api/v2/alerts", "").await;
    assert_eq!(put.brief(), (405, r#"{"code":405,"message":"method PUT is not allowed, but [GET,POST] are"}"#));
    assert_eq!(put.header("allow"), Some("GET,POST"));
    assert_eq!(rig.ask("HEAD /api/v2/status", "").await.brief(), (405, ""));
    let unknown = rig.ask("POST /api/v2/nope", "").await;
    assert_eq!(unknown.brief(), (404, r#"{"code":404,"message":"path /api/v2/nope was not found"}"#));
    assert_eq!(unknown.header("cache-control"), Some("no-store"));
    assert_eq!(rig.get("/api/v2/alerts/").await.brief(), (200, "[]\n"));
}

#[tokio::test]
async fn bad_queries_are_refused_as_the_reference_does() {
    let rig = Rig::new().await;
    let expected = [
        ("alerts?filter=a", "\"bad matcher format: a\"\n"),
        ("alerts?filter=", "\"bad matcher format: \"\n"),
        ("alerts?filter=a%3Db&filter=x", "\"bad matcher format: x\"\n"),
        ("alerts/groups?filter=x", "\"bad matcher format: x\"\n"),
        ("silences?filter=x", "\"bad matcher format: x\"\n"),
        ("alerts?filter=%7Ba%3D%22b%22%7D", "\"unexpected open or close brace: {a=\\\"b\\\"}\"\n"),
        ("alerts?receiver_matchers=x", "\"failed to parse receiver_matchers param: bad matcher format: x\"\n"),
        ("receivers?receiver_matchers=x", "\"failed to parse receiver_matchers param: bad matcher format: x\"\n"),
    ];
    for (path, answer) in expected {
        assert_eq!(rig.get(&format!("/api/v2/{path}")).await.brief(), (400, answer), "{path}");
    }
    let receiver = rig.get("/api/v2/alerts?receiver=(").await;
    assert!(receiver.body.starts_with("\"failed to parse receiver param: error parsing regexp: "), "{receiver:?}");
}

#[tokio::test]
async fn receivers_have_their_names_for_labels() {
    let rig = Rig::new().await;
    let all = "[{\"labels\":{\"name\":\"team-x\"},\"name\":\"team-x\"},{\"labels\":{\"name\":\"team-y\"},\"name\":\"team-y\"}]\n";
    assert_eq!(rig.get("/api/v2/receivers").await.brief(), (200, all));
    let one = "[{\"labels\":{\"name\":\"team-y\"},\"name\":\"team-y\"}]\n";
    assert_eq!(rig.get("/api/v2/receivers?receiver_matchers=name%3Dteam-y").await.brief(), (200, one));
}

#[tokio::test]
async fn status_names_the_cluster_and_the_build() {
    let alone = Rig::new().await.get("/api/v2/status").await.body;
    let (cluster, rest) = alone.split_once(r#""config":"#).unwrap();
    assert_eq!(cluster, r#"{"cluster":{"peers":[],"status":"disabled"},"#);
    let (_, rest) = rest.split_once(r#""},"#).unwrap();
    assert_eq!(
        rest,
        "\"uptime\":\"2026-11-21T12:46:01.113Z\",\"versionInfo\":{\"branch\":\"alertmanager-operator-0.1.0\",\"buildDate\":\"\",\"buildUser\":\"\",\
         \"goVersion\":\"go1.26.8\",\"revision\":\"\",\"version\":\"0.34.2\"}}\n"
    );
    let rig = Rig::without_config(|_| {}, Some(lonely()));
    rig.load_config().await;
    let body = rig.get("/api/v2/status").await.body;
    let expected =
        r#"{"cluster":{"name":"am-0","peers":[{"address":"127.0.0.1:9094","name":"am-0"}],"status":"settling"},"#;
    assert!(body.starts_with(expected), "{body}");
}

fn silence(matchers: &str, rest: &str) -> String {
    format!(
        r#"{{"matchers":[{matchers}],"startsAt":"2200-01-01T00:00:00Z","endsAt":"2201-01-01T00:00:00+01:00","createdBy":"me","comment":"<c>"{rest}}}"#
    )
}

const MATCHER: &str = r#"{"name":"a","value":"b","isRegex":true,"isEqual":false}"#;

#[tokio::test]
async fn a_silence_comes_and_goes() {
    let rig = Rig::new().await;
    let made = rig.ask("POST /api/v2/silences", &silence(MATCHER, r#","annotations":{"z":"1","b":"2"}"#)).await;
    let id = made.body.strip_prefix("{\"silenceID\":\"").and_then(|rest| rest.strip_suffix("\"}\n")).unwrap();
    assert_eq!((made.status, made.header("content-type")), (200, Some("application/json")));
    let expected = |state: &str, start: &str, end: &str| {
        format!(
            "{{\"id\":\"{id}\",\"status\":{{\"state\":\"{state}\"}},\"updatedAt\":\"2026-11-21T12:46:01.113Z\",\
             \"annotations\":{{\"b\":\"2\",\"z\":\"1\"}},\"comment\":\"\\u003cc\\u003e\",\"createdBy\":\"me\",\
             \"endsAt\":\"{end}\",\"matchers\":[{{\"isEqual\":false,\"isRegex\":true,\"name\":\"a\",\"value\":\"b\"}}],\
             \"startsAt\":\"{start}\"}}"
        )
    };
    let pending = expected("pending", "2200-01-01T00:00:00.000Z", "2200-12-31T23:00:00.000Z");
    assert_eq!(rig.get(&format!("/api/v2/silence/{id}")).await.brief(), (200, format!("{pending}\n").as_str()));
    let list = format!("[{pending}]\n");
    assert_eq!(rig.get("/api/v2/silences").await.brief(), (200, list.as_str()));
    assert_eq!(rig.get("/api/v2/silences?filter=a!~b").await.brief(), (200, list.as_str()));
    for other in ["filter=a%3Db", "filter=a!~b&filter=c%3Dd", "pending=false"] {
        assert_eq!(rig.get(&format!("/api/v2/silences?{other}")).await.brief(), (200, "[]\n"), "{other}");
    }
    let path = format!("/api/v2/silence/{id}");
    for _ in 0..2 {
        let ended = rig.ask(&format!("DELETE {path}"), "").await;
        assert_eq!((ended.brief(), ended.header("content-type")), ((200, ""), None));
    }
    let now = "2026-11-21T12:46:01.113Z";
    let shown = rig.get(&path).await.body;
    // the clock stands still, so that the end is now and now is still active
    assert_eq!(shown, format!("{}\n", expected("active", now, now)));
    assert_eq!(rig.get(&path.to_uppercase().replace("/API/V2/SILENCE", "/api/v2/silence")).await.brief(), (404, ""));
}

#[tokio::test]
async fn bad_silences_are_refused_as_the_reference_does() {
    let rig = Rig::new().await;
    let required = |field: &str| format!(r#"{{"code":602,"message":"{field} in body is required"}}"#);
    let said = |text: &str| format!("{}\n", serde_json::to_string(text).unwrap());
    let expected = [
        (String::new(), 422, required("silence")),
        ("null".into(), 422, required("comment")),
        ("{}".into(), 422, required("comment")),
        (r#"{"comment":""}"#.into(), 422, required("createdBy")),
        (r#"{"comment":"","createdBy":""}"#.into(), 422, required("endsAt")),
        (silence("", ""), 422, r#"{"code":612,"message":"matchers in body should have at least 1 items"}"#.into()),
        (silence("{}", ""), 422, required("matchers.0.isRegex")),
        (silence(r#"{"isRegex":false}"#, ""), 422, required("matchers.0.name")),
        (
            silence(r#"{"name":"","value":"b","isRegex":false}"#, ""),
            400,
            said(r#"invalid silence: invalid label matcher 0 in set 0: invalid label name """#),
        ),
        (
            silence(r#"{"name":"a","value":".*","isRegex":true}"#, ""),
            400,
            said("invalid silence: matcher set 0: at least one matcher must not match the empty string"),
        ),
        (silence(MATCHER, r#","id":"nope""#), 404, said("silence not found")),
        (
            silence(MATCHER, "").replace("2200", "2202"),
            400,
            said("Failed to create silence: start time must be before end time"),
        ),
        (
            silence(MATCHER, "").replace("2200", "2001").replace("2201", "2002"),
            400,
            said("Failed to create silence: end time can't be in the past"),
        ),
    ];
    for (body, status, answer) in expected {
        assert_eq!(rig.ask("POST /api/v2/silences", &body).await.brief(), (status, answer.as_str()), "{body}");
    }
    let array = rig.ask("POST /api/v2/silences", "[]").await;
    assert!(
        array.body.starts_with(r#"{"code":400,"message":"parsing silence body from \"\" failed, because "#),
        "{array:?}"
    );
    let regex = rig.ask("POST /api/v2/silences", &silence(&MATCHER.replace("\"b\"", "\"(\""), "")).await;
    let begin =
        r#""invalid silence: invalid label matcher 0 in set 0: invalid regular expression \"(\": error parsing"#;
    assert!(regex.body.starts_with(begin), "{regex:?}");
    let nope = r#"{"code":601,"message":"silenceID in path must be of type uuid: \"nope\""}"#;
    assert_eq!(rig.get("/api/v2/silence/nope").await.brief(), (422, nope));
    let unknown = "/api/v2/silence/11111111-1111-4111-8111-111111111111";
    assert_eq!(rig.get(unknown).await.brief(), (404, ""));
    assert_eq!(rig.ask(&format!("DELETE {unknown}"), "").await.brief(), (404, ""));
}
