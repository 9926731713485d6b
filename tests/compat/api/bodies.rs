//! Bodies, good and bad: alerts, silences, times.

use serde_json::json;

use super::client::Request;

/// Times as senders write them, well and badly.
const TIMES: [&str; 34] = [
    "2199-01-02T03:04:05Z",
    "2199-01-02T03:04:05.678Z",
    "2199-01-02T03:04:05.123456789Z",
    "2199-01-02T03:04:05.1234567891Z",
    "2199-01-02T03:04:05+01:30",
    "2199-01-02T03:04:05-0700",
    "2199-01-02T03:04:05.5+02:00",
    "2199-01-02T03:04:05",
    "2199-01-02T03:04",
    "2199-01-02T03:04Z",
    "2199-01-02 03:04:05",
    "2199-01-02",
    "2199-01-02T",
    "2199-01-02T03",
    "2199-1-2T03:04:05Z",
    "2199-02-29T03:04:05Z",
    "2199-13-01T03:04:05Z",
    "2199-01-02T24:00:00Z",
    "2199-01-02T03:60:00Z",
    "2199-01-02T03:04:60Z",
    "2199-01-02t03:04:05z",
    "2199-01-02T03:04:05,5Z",
    " 2199-01-02T03:04:05Z",
    "2199-01-02T03:04:05Z ",
    "2199-01-02T03:04:05+25:00",
    "2199-01-02T03:04:05 UTC",
    "Mon Jan  2 15:04:05 2199",
    "7226582645",
    "0001-01-01T00:00:00.000Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "1969-12-31T23:59:59Z",
    "tomorrow",
    "",
];

fn alert(body: &str) -> Request {
    Request::post("/api/v2/alerts", body)
}

/// Posted alerts; what is taken stays.
pub(super) fn alerts() -> Vec<Request> {
    let mut requests: Vec<Request> = [
        // syntax
        "",
        " ",
        "null",
        "[]",
        "[ ]",
        "{}",
        "0",
        "\"x\"",
        "true",
        "[",
        "[{",
        "[{]",
        "[{}",
        "[}",
        "[{}]",
        "[{},{}]",
        "[null]",
        "[[]]",
        "[1]",
        "[\"x\"]",
        "[{\"labels\"}]",
        "[{\"labels\":}]",
        "[{'labels':{}}]",
        "[{\"labels\":{\"a\":\"b\",}}]",
        "[{\"labels\":{\"a\":\"b\"}},]",
        "[] []",
        "[]x",
        "[{\"labels\":{\"a\":\"\\x\"}}]",
        "[{\"labels\":{\"a\":\"\t\"}}]",
        "\u{feff}[]",
        "// x\n[]",
        // labels
        r#"[{"labels":{}}]"#,
        r#"[{"labels":null}]"#,
        r#"[{"labels":[]}]"#,
        r#"[{"labels":"a"}]"#,
        r#"[{"labels":{"a":1}}]"#,
        r#"[{"labels":{"a":true}}]"#,
        r#"[{"labels":{"a":null}}]"#,
        r#"[{"labels":{"a":{}}}]"#,
        r#"[{"labels":{"a":""}}]"#,
        r#"[{"labels":{"":"x"}}]"#,
        r#"[{"labels":{"":""}}]"#,
        r#"[{"labels":{"alertname":"A","a b":"c"}}]"#,
        r#"[{"labels":{"alertname":"A","0":"c"}}]"#,
        r#"[{"labels":{"alertname":"A","é":"ü😀"}}]"#,
        r#"[{"labels":{"alertname":"A","a-b":"c"}}]"#,
        r#"[{"labels":{"alertname":"A","__name__":"up"}}]"#,
        r#"[{"labels":{"alertname":"\u0000\u001f\u007f"}}]"#,
        r#"[{"labels":{"alertname":"\ud83d\ude00"}}]"#,
        r#"[{"labels":{"alertname":"\ud83d"}}]"#,
        r#"[{"labels":{"alertname":"\ude00x"}}]"#,
        r#"[{"labels":{"alertname":"<&>\u2028\u2029\"\\/"}}]"#,
        r#"[{"labels":{"alertname":"twice","alertname":"thrice"}}]"#,
        r#"[{"LABELS":{"alertname":"case"}}]"#,
        // annotations
        r#"[{"labels":{"alertname":"N"},"annotations":{}}]"#,
        r#"[{"labels":{"alertname":"N"},"annotations":null}]"#,
        r#"[{"labels":{"alertname":"N"},"annotations":{"a":""}}]"#,
        r#"[{"labels":{"alertname":"N"},"annotations":{"":"a"}}]"#,
        r#"[{"labels":{"alertname":"N"},"annotations":{"a b":"c"}}]"#,
        r#"[{"labels":{"alertname":"N"},"annotations":{"a":1}}]"#,
        r#"[{"labels":{"alertname":"N"},"annotations":[]}]"#,
        // links
        r#"[{"labels":{"alertname":"U"},"generatorURL":"http://prom/graph?a=1&b=2#x"}]"#,
        r#"[{"labels":{"alertname":"U"},"generatorURL":""}]"#,
        r#"[{"labels":{"alertname":"U"},"generatorURL":null}]"#,
        r#"[{"labels":{"alertname":"U"},"generatorURL":"nope"}]"#,
        r#"[{"labels":{"alertname":"U"},"generatorURL":"/path"}]"#,
        r#"[{"labels":{"alertname":"U"},"generatorURL":"http://[::1]:x/"}]"#,
        r#"[{"labels":{"alertname":"U"},"generatorURL":"http://a b/"}]"#,
        r#"[{"labels":{"alertname":"U"},"generatorURL":"mailto:x"}]"#,
        r#"[{"labels":{"alertname":"U"},"generatorURL":1}]"#,
        // times
        r#"[{"labels":{"alertname":"T0"},"startsAt":"2199-01-01T00:00:00Z","endsAt":"2198-01-01T00:00:00Z"}]"#,
        r#"[{"labels":{"alertname":"T0"},"startsAt":"2199-01-01T00:00:00Z","endsAt":"2199-01-01T00:00:00Z"}]"#,
        r#"[{"labels":{"alertname":"T1"},"startsAt":"2199-01-01T00:00:00Z"}]"#,
        r#"[{"labels":{"alertname":"T2"},"startsAt":"2001-01-01T00:00:00Z"}]"#,
        r#"[{"labels":{"alertname":"T3"},"endsAt":"2001-01-01T00:00:00Z"}]"#,
        r#"[{"labels":{"alertname":"T4"},"endsAt":"2199-01-01T00:00:00Z"}]"#,
        r#"[{"labels":{"alertname":"T5"},"startsAt":null,"endsAt":null}]"#,
        r#"[{"labels":{"alertname":"T6"},"startsAt":1,"endsAt":2}]"#,
        r#"[{"labels":{"alertname":"T7"},"startsAt":{}}]"#,
        // others
        r#"[{"labels":{"alertname":"X"},"status":{"state":"x"},"unknown":[[{}]],"fingerprint":1}]"#,
        r#"[{"labels":{"ok":"1"}},{"labels":{"bad":""}},{"labels":{"ok":"2"},"annotations":{"":""}},{"labels":{"ok":"3"}}]"#,
        r#"[{"labels":{"ok":"4"}},{}]"#,
        r#"[{"labels":{"ok":"5"}},{"labels":{"a":1}}]"#,
        // routed, inhibited
        r#"[{"labels":{"alertname":"A","severity":"critical","team":"y","cluster":"c"}},
            {"labels":{"alertname":"A","severity":"warning","team":"y"},"annotations":{"summary":"é <&>"}},
            {"labels":{"alertname":"B","severity":"page","instance":"i","job":"j"}},
            {"labels":{"alertname":"B","severity":"page","instance":"h","job":"k"}},
            {"labels":{"alertname":"C","team":"y"}},{"labels":{"alertname":"D"}}]"#,
    ]
    .map(alert)
    .to_vec();
    for (at, time) in TIMES.iter().enumerate() {
        let body = json!([{"labels": {"alertname": format!("starts{at}")}, "startsAt": time, "endsAt": "2250-01-01T00:00:00Z"}]);
        requests.push(alert(&body.to_string()));
        let body =
            json!([{"labels": {"alertname": format!("ends{at}")}, "startsAt": "1969-01-01T00:00:00Z", "endsAt": time}]);
        requests.push(alert(&body.to_string()));
    }
    let mut invalid = alert("");
    invalid.body = b"[{\"labels\":{\"alertname\":\"\xff\xc3\"}}]".to_vec();
    requests.push(invalid);
    let deep =
        format!("[{{\"labels\":{{\"alertname\":\"deep\"}},\"unknown\":{}1{}}}]", "[".repeat(5000), "]".repeat(5000));
    requests.push(alert(&deep));
    requests.push(alert(&format!("{}{}", "[".repeat(20_000), "]".repeat(20_000))));
    requests.push(alert(&format!("{}1{}", "{\"a\":".repeat(20_000), "}".repeat(20_000))));
    requests.push(Request::get("/api/v2/alerts"));
    requests.push(Request::get("/api/v2/alerts/groups"));
    requests
}

fn silence(body: &str) -> Request {
    Request::post("/api/v2/silences", body)
}

/// A silence with these fields instead.
fn changed(fields: serde_json::Value) -> Request {
    let mut body = json!({
        "matchers": [{"name": "alertname", "value": "A", "isRegex": false, "isEqual": true}],
        "startsAt": "2198-01-01T00:00:00Z", "endsAt": "2199-01-01T00:00:00Z", "createdBy": "me", "comment": "why",
    });
    for (name, value) in fields.as_object().unwrap() {
        match value.as_str() {
            Some("<none>") => body.as_object_mut().unwrap().remove(name).map(drop).unwrap_or_default(),
            _ => body[name] = value.clone(),
        }
    }
    silence(&body.to_string())
}

/// Silences, each looked at after it was made.
pub(super) fn silences() -> Vec<Request> {
    let mut requests: Vec<Request> = [
        "", " ", "null", "{}", "[]", "0", "\"x\"", "{", "{]", "{\"comment\"}", "{} x", "{\"comment\":1}",
        r#"{"matchers":{}}"#, r#"{"matchers":[[]]}"#, r#"{"matchers":["a"]}"#, r#"{"comment":"","createdBy":""}"#,
        r#"{"comment":"","createdBy":"","endsAt":"x"}"#,
        r#"{"comment":"","createdBy":"","endsAt":"2199-01-01T00:00:00Z"}"#,
        r#"{"comment":"","createdBy":"","endsAt":"2199-01-01T00:00:00Z","matchers":[]}"#,
        r#"{"comment":"","createdBy":"","endsAt":"2199-01-01T00:00:00Z","matchers":[{}]}"#,
        r#"{"comment":"","createdBy":"","endsAt":"2199-01-01T00:00:00Z","matchers":[null]}"#,
        r#"{"comment":"","createdBy":"","endsAt":"2199-01-01T00:00:00Z","matchers":[{"isRegex":null}]}"#,
        r#"{"comment":"","createdBy":"","endsAt":"2199-01-01T00:00:00Z","matchers":[{"isRegex":false,"name":"a","value":"b"}]}"#,
    ]
    .map(silence)
    .to_vec();
    let matcher = |name: &str, value: &str, regex: bool, equal: bool| json!({"matchers": [{"name": name, "value": value, "isRegex": regex, "isEqual": equal}]});
    let matchers = [
        ("a", "b", false, true),
        ("a", "b", false, false),
        ("a", "b.*", true, true),
        ("a", "b.*", true, false),
        ("a", "", false, true),
        ("a", "", false, false),
        ("a", "", true, true),
        ("a", "", true, false),
        ("a", ".*", true, true),
        ("a", ".+", true, true),
        ("a", ".+", true, false),
        ("a", "b", false, false),
        ("", "b", false, true),
        ("a b", "c", false, true),
        ("é", "ü", false, true),
        ("0", "c", false, true),
        ("a-b", "c", false, true),
        ("a", "(", true, true),
        ("a", "[", true, false),
        ("a", "*", true, true),
        ("a", "x{1001}", true, true),
        ("a", "a)|(b", true, true),
        ("a", "\\d+", true, true),
        ("a", "\\", true, true),
        ("a", "(?P<n>x)", true, true),
        ("a", "(?=x)", true, true),
        ("a", "\u{0}", false, true),
        ("a", "é😀\n\"", false, true),
        ("alertname", "A|B", true, true),
        ("__name__", "x", false, true),
    ];
    requests.extend(matchers.map(|(name, value, regex, equal)| changed(matcher(name, value, regex, equal))));
    for fields in [
        json!({"matchers": [{"name": "a", "value": "b", "isRegex": false}]}),
        json!({"matchers": [{"name": "a", "value": "b", "isEqual": true}]}),
        json!({"matchers": [{"name": "a", "isRegex": false}]}),
        json!({"matchers": [{"value": "b", "isRegex": false}]}),
        json!({"matchers": [{"name": 1, "value": "b", "isRegex": false}]}),
        json!({"matchers": [{"name": "a", "value": "b", "isRegex": "false"}]}),
        json!({"matchers": [{"name": "a", "value": "b", "isRegex": 0}]}),
        json!({"matchers": [{"name": "a", "value": "b", "isRegex": false, "isEqual": null}]}),
        json!({"matchers": [{"name": "a", "value": "b", "isRegex": false, "extra": []}]}),
        json!({"matchers": [{"name": "b", "value": "", "isRegex": false}, {"name": "a", "value": "x", "isRegex": false}]}),
        json!({"matchers": [{"name": "a", "value": "", "isRegex": false}, {"name": "b", "value": ".*", "isRegex": true}]}),
        json!({"matchers": [{"name": "a", "value": "x", "isRegex": false}, {"name": "a", "value": "x", "isRegex": false}]}),
        json!({"matchers": [{"name": "a", "value": "x", "isRegex": false}, {"name": "é b", "value": "(", "isRegex": true}]}),
        json!({"matchers": "<none>"}),
        json!({"matchers": null}),
        json!({"startsAt": "<none>"}),
        json!({"endsAt": "<none>"}),
        json!({"createdBy": "<none>"}),
        json!({"comment": "<none>"}),
        json!({"comment": ""}),
        json!({"createdBy": ""}),
        json!({"comment": null}),
        json!({"comment": "é😀<&>\u{2028}\u{0}", "createdBy": "\"\\"}),
        json!({"annotations": {}}),
        json!({"annotations": null}),
        json!({"annotations": {"b": "1", "a": "2", "": "3", "é x": ""}}),
        json!({"annotations": {"a": null}}),
        json!({"annotations": {"a": 1}}),
        json!({"annotations": []}),
        json!({"id": ""}),
        json!({"id": null}),
        json!({"id": "nope"}),
        json!({"id": "11111111-1111-4111-8111-111111111111"}),
        json!({"id": 1}),
        json!({"id": "{id:0}", "comment": "changed in place"}),
        json!({"id": "{id:1}", "matchers": [{"name": "other", "value": "x", "isRegex": false}]}),
        json!({"status": {"state": "expired"}, "updatedAt": "x"}),
        json!({"startsAt": "2199-01-01T00:00:00Z"}),
        json!({"startsAt": "2199-01-01T00:00:01Z"}),
        json!({"startsAt": "2001-01-01T00:00:00Z", "endsAt": "2002-01-01T00:00:00Z"}),
        json!({"startsAt": "2001-01-01T00:00:00Z", "endsAt": "2190-01-01T00:00:00Z"}),
        json!({"startsAt": null}),
        json!({"endsAt": null}),
        json!({"endsAt": "0001-01-01T00:00:00.000Z"}),
        json!({"startsAt": "0001-01-01T00:00:00.000Z", "endsAt": "2191-01-01T00:00:00Z"}),
        json!({"startsAt": 5}),
    ] {
        requests.push(changed(fields));
    }
    for (at, time) in TIMES.iter().enumerate() {
        let end = format!("2251-01-{:02}T00:00:00Z", 1 + at % 28);
        requests.push(changed(json!({"startsAt": time, "endsAt": end, "comment": format!("starts {at}")})));
        requests.push(changed(json!({"startsAt": "1970-01-01T00:00:00Z", "endsAt": time})));
    }
    let looks: Vec<Request> = (0..12).map(|id| Request::get(&format!("/api/v2/silence/{{id:{id}}}"))).collect();
    requests.extend(looks.clone());
    requests.extend((3..6).map(|id| Request::new(&format!("DELETE /api/v2/silence/{{id:{id}}}"))));
    requests.extend(looks);
    requests.push(changed(json!({"id": "{id:4}", "comment": "after its end"})));
    requests.push(Request::get("/api/v2/silences?pending=false"));
    requests
}

/// Alerts and silences beyond the limits of flags.
pub(super) fn over_limits() -> Vec<Request> {
    let named = |instance: &str| alert(&json!([{"labels": {"alertname": "L", "instance": instance}}]).to_string());
    let mut requests = vec![named("a"), named("b"), named("c"), named("a")];
    requests.push(Request::get("/api/v2/alerts?filter=instance%3D~%22a%7Cb%22"));
    let kept = |value: &str| changed(json!({"matchers": [{"name": "a", "value": value, "isRegex": false}]}));
    requests.push(kept(&"x".repeat(500)));
    requests.extend(["1", "2", "3"].map(kept));
    requests.push(Request::get("/api/v2/silences"));
    requests.push(Request::new("DELETE /api/v2/silence/{id:0}"));
    requests.push(kept("4"));
    requests
}

/// A file `silences` with one silence of two matcher sets, and one of one set.
pub(super) fn two_sets() -> Vec<u8> {
    let text = |tag: u8, text: &str| field(tag, text.as_bytes());
    let matcher = |name: &str, value: &str| [text(2, name), text(3, value)].concat();
    let set = |name: &str, value: &str| field(11, &field(1, &matcher(name, value)));
    let time = |tag: u8, seconds: u64| field(tag, &[vec![0x08], varint(seconds)].concat());
    let (start, end) = (1_000_000_000, 7_000_000_000);
    let record = |id: &str, first: (&str, &str), sets: Vec<u8>| {
        let head =
            [text(1, id), field(2, &matcher(first.0, first.1)), time(3, start), time(4, end), time(5, start)].concat();
        let silence = [head, text(8, "me"), text(9, "why"), sets].concat();
        let mesh = [field(1, &silence), time(2, end + 1000)].concat();
        [varint(mesh.len() as u64), mesh].concat()
    };
    let two = [set("b", "2"), set("c", "3")].concat();
    [
        record("22222222-2222-4222-8222-222222222222", ("b", "2"), two),
        record("33333333-3333-4333-8333-333333333333", ("d", "4"), set("d", "4")),
    ]
    .concat()
}

/// A field of protobuf with a length.
fn field(tag: u8, content: &[u8]) -> Vec<u8> {
    [vec![tag << 3 | 2], varint(content.len() as u64), content.to_vec()].concat()
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}
