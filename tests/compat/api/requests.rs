//! Requests without bodies: parameters, filters, ids, methods, media types, paths.

use super::client::Request;

const LISTS: [&str; 3] = ["alerts", "alerts/groups", "silences"];

/// Percent-encodes all that is not plain.
fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// While there is nothing yet.
pub(super) fn before() -> Vec<Request> {
    let paths = ["status", "receivers", "alerts", "alerts/groups", "silences", "silence/nope", "nope", ""];
    paths.iter().map(|path| Request::get(&format!("/api/v2/{path}"))).collect()
}

/// Over what the bodies have left behind.
pub(super) fn queries() -> Vec<Request> {
    let mut requests = Vec::new();
    let mut get = |path: String| requests.push(Request::get(&format!("/api/v2/{path}")));
    for list in LISTS {
        get(list.to_owned());
        for query in ["?", "?&&", "?x=y", "?filter", "?%zz=1", "?filter=%zz", "?a;b", "?filter=a%3Db;c"] {
            get(format!("{list}{query}"));
        }
    }
    let flags = [
        ("alerts", &["active", "silenced", "inhibited", "unprocessed"][..]),
        ("alerts/groups", &["active", "silenced", "inhibited", "muted"][..]),
        ("silences", &["active", "expired", "pending"][..]),
    ];
    let values = [
        "true", "false", "TRUE", "False", "1", "0", "yes", "no", "ok", "y", "on", "off", "selected", "checked", "t",
        "f", "enabled", "disabled", "", "x", "%20true", "tru%65", "2", "%zz",
    ];
    for (list, names) in flags {
        for name in names {
            values.iter().for_each(|value| get(format!("{list}?{name}={value}")));
            get(format!("{list}?{name}"));
            get(format!("{list}?{name}=false&{name}=true"));
            get(format!("{list}?{name}=true&{name}=false"));
        }
        let none: Vec<String> = names.iter().map(|name| format!("{name}=false")).collect();
        get(format!("{list}?{}", none.join("&")));
    }
    for filter in FILTERS {
        LISTS.iter().for_each(|list| get(format!("{list}?filter={}", encode(filter))));
    }
    for (one, other) in [("alertname=A", "team=y"), ("a=b", "c"), ("severity=~\".+\"", "team=\"\"")] {
        LISTS.iter().for_each(|list| get(format!("{list}?filter={}&filter={}", encode(one), encode(other))));
    }
    for receiver in RECEIVERS {
        ["alerts", "alerts/groups"].iter().for_each(|list| get(format!("{list}?receiver={}", encode(receiver))));
    }
    get("alerts?receiver=team-x&receiver=team-y".to_owned());
    for matcher in RECEIVER_MATCHERS {
        let lists = ["alerts", "alerts/groups", "receivers"];
        lists.iter().for_each(|list| get(format!("{list}?receiver_matchers={}", encode(matcher))));
    }
    get("receivers?receiver_matchers=owner%3Dwhy&receiver_matchers=tier%3D2".to_owned());
    get("alerts?receiver=team-y&receiver_matchers=owner%3Dzed".to_owned());
    for id in IDS {
        requests.push(Request::get(&format!("/api/v2/silence/{id}")));
        requests.push(Request::new(&format!("DELETE /api/v2/silence/{id}")));
    }
    requests
}

const FILTERS: [&str; 56] = [
    "alertname=A",
    "alertname=\"A\"",
    "alertname!=A",
    "alertname!=\"A\"",
    "alertname=~A|B",
    "alertname=~\"A|B\"",
    "alertname!~\"A.*\"",
    "alertname=~\"^A$\"",
    "alertname=~\"(?i)a\"",
    "severity=\"\"",
    "severity!=\"\"",
    "severity=~\"\"",
    "severity!~\"\"",
    "severity=~\".*\"",
    "severity=~\".+\"",
    "nope=\"\"",
    "nope=",
    "nope!=",
    " alertname = A ",
    "alertname = \"A\"",
    "{alertname=\"A\"}",
    "{alertname=\"A\"",
    "alertname=\"A\"}",
    "alertname=A}",
    "alertname=\"A\",team=\"y\"",
    "alertname=\"A\",",
    ",alertname=\"A\"",
    "",
    " ",
    "a",
    "=",
    "=a",
    "\"=a",
    "a=\"",
    "a=\"b",
    "a=b\"",
    "a=\"b\"c",
    "a==b",
    "a=~",
    "a=~[",
    "a=~\"(\"",
    "a=~\"*\"",
    "a=~\"a{1001}\"",
    "a=~\"\\\\d\"",
    "a=\"\\n\"",
    "a=\"\\q\"",
    "a=é",
    "a=\"é😀\"",
    "é=\"a\"",
    "\"é ü\"=\"a\"",
    "\"a b\"=c",
    "a b=c",
    "0a=b",
    "a:b=c",
    "a-b=c",
    "a=b=c",
];

const RECEIVERS: [&str; 14] = [
    "team-x",
    "team",
    "team-.",
    "team.*",
    "",
    "team-x|team-y",
    "^team-x$",
    "(",
    "[a",
    "a{1001}",
    "*",
    "team.z/é",
    "(?i)TEAM-X",
    "unused",
];

const RECEIVER_MATCHERS: [&str; 12] = [
    "owner=why",
    "owner=\"zed\"",
    "owner=~\".+\"",
    "owner=\"\"",
    "owner!=why",
    "name=team-x",
    "name=~\"team.*\"",
    "tier=1",
    "nope",
    "",
    "owner=~\"(\"",
    "{owner=\"why\"}",
];

const IDS: [&str; 14] = [
    "{id:0}",
    "{id:0}",
    "{id:1}",
    "11111111-1111-4111-8111-111111111111",
    "11111111-1111-1111-1111-111111111111",
    "1111111111114111811111111111111",
    "11111111111141118111111111111111",
    "11111111-1111-4111-8111-11111111111",
    "11111111-1111-4111-8111-11111111111g",
    "11111111-1111-4111-8111-111111111111/",
    "11111111-1111-4111-8111-111111111111/x",
    "nope",
    "%20",
    "n%C3%A9%22pe",
];

/// Methods, media types and paths.
pub(super) fn around() -> Vec<Request> {
    let mut requests = Vec::new();
    let paths = [
        "/api/v2/status",
        "/api/v2/receivers",
        "/api/v2/alerts",
        "/api/v2/alerts/groups",
        "/api/v2/silences",
        "/api/v2/silence/11111111-1111-4111-8111-111111111111",
        "/api/v2/nope",
        "/api/v1/status",
        "/api/v1/receivers",
        "/api/v1/alerts",
        "/api/v1/silences",
        "/api/v1/silence/x",
        "/api/v1/alerts/groups",
        "/api/v1/nope",
        "/-/healthy",
        "/-/nope",
        "/nope",
    ];
    for path in paths {
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"] {
            requests.push(Request::new(&format!("{method} {path}")));
        }
    }
    let odd = [
        "/-/healthy/",
        "/-/ready/",
        "/-/reload/",
        "/metrics/",
        "//-/healthy",
        "/-//healthy",
        "/-/../-/healthy",
        "/./-/healthy",
        "/-/healthy?x=y",
        "/-/healthy/?x=y",
        "/-",
        "/-/",
        "/-/HEALTHY",
        "/api",
        "/api/",
        "/api/v1",
        "/api/v1/",
        "/api/v1/alerts/",
        "/api/v1/silence/",
        "/api/v1/silence/a/b",
        "/api/v2",
        "/api/v2/",
        "/api/v2?x=y",
        "/api/v2/alerts/",
        "/api/v2/alerts//",
        "/api/v2//alerts",
        "/api/v2/alerts/groups/",
        "/api/v2/silences/",
        "/api/v2/silence",
        "/api/v2/silence/",
        "/api/v2/Alerts",
        "/api/v2/%61lerts",
        "/api/v2/n%C3%A9",
        "/api/v2/../v2/alerts",
        "/api/v2/swagger.json",
        "/swagger.json",
        "/api/v3/alerts",
        "/%2d/healthy",
    ];
    requests.extend(odd.map(Request::get));
    requests.extend(["POST /-/healthy/", "POST /api/v2", "HEAD /-/ready", "HEAD /metrics"].map(Request::new));
    for accept in [
        "application/json",
        "application/JSON",
        "*/*",
        "application/*",
        "text/html",
        "text/html, application/json;q=0.1",
        "text/html,*/*;q=0.8",
        "application/json;q=0",
        "application/json; charset=utf-8",
        "text/*",
        "json",
        "",
        ",",
        "application/xml, text/plain",
    ] {
        requests.push(Request::get("/api/v2/receivers").with("Accept", accept));
        requests.push(Request::post("/api/v2/alerts", "[]").with("Accept", accept));
        requests.push(Request::get("/-/healthy").with("Accept", accept));
    }
    for content_type in [
        "application/json",
        "application/JSON;charset=UTF-8",
        "application/json; x",
        "application/json;",
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "application/xml",
        "application/vnd.api+json",
        "nonsense",
        "",
        "a/b/c",
    ] {
        for body in ["", "[]"] {
            let mut request = Request::new("POST /api/v2/alerts").with("Content-Type", content_type);
            request.body = body.into();
            requests.push(request);
        }
    }
    let mut bare = Request::new("POST /api/v2/silences");
    bare.body = b"{}".to_vec();
    requests.push(bare);
    requests
}

/// As browsers ask for pages of other origins.
pub(super) fn origins() -> Vec<Request> {
    let mut requests = Vec::new();
    let origins =
        ["http://a.example", "https://b.example:8080", "http://c.example", "http://a.example.org", "null", ""];
    for origin in origins {
        for line in
            ["GET /api/v2/alerts", "POST /api/v2/alerts", "PUT /api/v2/alerts", "GET /api/v2/nope", "GET /-/healthy"]
        {
            requests.push(Request::new(line).with("Origin", origin));
        }
        for path in ["/api/v2/silences", "/api/v2/nope", "/-/reload"] {
            let preflight = Request::new(&format!("OPTIONS {path}")).with("Origin", origin);
            requests.push(preflight.clone());
            for method in ["GET", "POST", "DELETE", "PUT", "OPTIONS", "get", ""] {
                let asked = preflight.clone().with("Access-Control-Request-Method", method);
                requests.push(asked.clone());
                requests.push(asked.with("Access-Control-Request-Headers", "content-type,x-other"));
            }
        }
    }
    requests.push(Request::get("/api/v2/alerts"));
    requests
}

/// Of silences that only other members' versions can make.
pub(super) fn sets() -> Vec<Request> {
    let two = "22222222-2222-4222-8222-222222222222";
    let one = "33333333-3333-4333-8333-333333333333";
    let mut requests: Vec<_> = [
        format!("silence/{two}"),
        format!("silence/{one}"),
        "silences".to_owned(),
        "silences?expired=false".to_owned(),
        "silences?active=false".to_owned(),
        "silences?filter=b%3D%222%22".to_owned(),
        "silences?filter=c%3D%223%22".to_owned(),
        "silences?filter=d%3D%224%22".to_owned(),
    ]
    .iter()
    .map(|path| Request::get(&format!("/api/v2/{path}")))
    .collect();
    requests.push(Request::post(
        "/api/v2/alerts",
        r#"[{"labels":{"alertname":"S","c":"3"}},{"labels":{"alertname":"T"}}]"#,
    ));
    requests.push(Request::get("/api/v2/alerts"));
    requests.push(Request::new(&format!("DELETE /api/v2/silence/{two}")));
    requests.push(Request::get("/api/v2/silences?active=false"));
    requests
}
