//! Everything outside of `/api/v2`: probes, redirects, limits.

use futures::StreamExt;

use super::*;

#[tokio::test]
async fn paths_and_methods_answer_as_the_references() {
    let rig = Rig::new().await;
    let expected = [
        ("GET /-/healthy", 200, "OK"),
        ("HEAD /-/healthy", 200, ""),
        ("HEAD /-/ready", 200, ""),
        ("GET /nope", 404, "404 page not found\n"),
        ("POST /nope", 404, "404 page not found\n"),
        ("GET /api", 404, "404 page not found\n"),
        ("GET /api/v1", 404, "404 page not found\n"),
        ("GET /api/v1/nope", 404, "404 page not found\n"),
        ("POST /-/healthy", 405, "Method Not Allowed\n"),
        ("GET /-/reload", 405, "Method Not Allowed\n"),
        ("HEAD /metrics", 405, ""),
        ("POST /api/v1/status", 405, "Method Not Allowed\n"),
        ("OPTIONS /-/healthy", 200, ""),
        ("GET /-/healthy/", 301, "<a href=\"/-/healthy\">Moved Permanently</a>.\n\n"),
        ("GET //-/healthy", 307, "<a href=\"/-/healthy\">Temporary Redirect</a>.\n\n"),
        ("POST /-//healthy", 307, ""),
        ("GET /api/v2", 307, "<a href=\"/api/v2/\">Temporary Redirect</a>.\n\n"),
    ];
    for (line, status, body) in expected {
        assert_eq!(rig.ask(line, "").await.brief(), (status, body), "{line}");
    }
    let allow = rig.ask("POST /-/healthy", "").await;
    assert_eq!(allow.header("allow"), Some("GET, HEAD, OPTIONS"));
    let gone = rig.ask("DELETE /api/v1/silence/5", "").await;
    assert_eq!(gone.header("content-type"), Some("application/json"));
    assert_eq!(
        gone.brief(),
        (
            410,
            "{\"status\":\"deprecated\",\"error\":\"The Alertmanager v1 API was deprecated in version 0.16.0 and is \
             removed as of version 0.27.0 - please use the equivalent route in the v2 API\"}\n"
        )
    );
}

#[tokio::test]
async fn a_prefix_moves_everything() {
    let rig = Rig::without_config(|options| options.route_prefix = "/am/".into(), None);
    rig.load_config().await;
    assert_eq!(rig.get("/am/-/healthy").await.brief(), (200, "OK"));
    assert_eq!(rig.get("/-/healthy").await.brief(), (404, "404 page not found\n"));
    assert_eq!(rig.get("/api/v2/status").await.status, 404);
    assert_eq!(rig.get("/am/api/v2/alerts").await.brief(), (200, "[]\n"));
    let unknown = r#"{"code":404,"message":"path /api/v2/nope was not found"}"#;
    assert_eq!(rig.get("/am/api/v2/nope").await.brief(), (404, unknown));
    for (path, status, to) in [("/", 302, "/am"), ("/am", 301, "/am/"), ("/am/api/v2", 307, "/am/api/v2/")] {
        let answer = rig.get(path).await;
        assert_eq!((answer.status, answer.header("location")), (status, Some(to)), "{path}");
    }
    let page = rig.get("/am/").await;
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(page.body.contains("<title>Alertmanager</title>"), "{page:?}");
}

#[tokio::test]
async fn ready_means_config_and_state() {
    let rig = Rig::without_config(|_| {}, Some(lonely()));
    let early = rig.get("/-/ready").await;
    assert_eq!(early.brief(), (503, "waiting for the configuration\n"));
    rig.load_config().await;
    let settling = rig.get("/-/ready").await;
    assert_eq!(settling.status, 503, "{settling:?}");
    assert_eq!(rig.get("/-/healthy").await.status, 200);
    assert!(rig.get("/-/config").await.body.contains(r#""ready":false,"#));

    let alone = Rig::new().await;
    assert_eq!(alone.get("/-/ready").await.brief(), (200, "OK"));
    let config = alone.get("/-/config").await.body;
    let hash = alerting::config::parse(CONFIG, Mode::default()).unwrap().hash;
    let expected =
        format!("{{\"hash\":\"{hash}\",\"ready\":true,\"lastReloadSuccessful\":true,\"error\":null,\"peers\":[]}}\n");
    assert_eq!(config, expected);
}

#[tokio::test]
async fn reload_waits_for_what_came_of_it() {
    let mut rig = Rig::new().await;
    for (outcome, expected) in
        [(Ok(()), (200, "")), (Err("line 1: x".to_owned()), (500, "failed to reload config: line 1: x\n"))]
    {
        let router = rig.router.clone();
        let request = Request::post("/-/reload").body(Body::empty()).unwrap();
        let asked = tokio::spawn(async move { router.oneshot(request).await.unwrap() });
        rig.reload.recv().await.unwrap().send(outcome).unwrap();
        let response = asked.await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!((status, &*String::from_utf8_lossy(&body)), expected);
    }
    drop(rig.reload);
    let response = rig.router.oneshot(Request::post("/-/reload").body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status().as_u16(), 503);
}

#[tokio::test]
async fn too_many_gets_are_refused_but_probes_and_posts_are_not() {
    // nobody serves the commands: what asks the engine waits for ever
    let (handle, mut commands) = Handle::new();
    let rig = Rig::over(handle, |options| options.get_concurrency = Some(2));
    for _ in 0..2 {
        let request = Request::get("/api/v2/alerts").body(Body::empty()).unwrap();
        tokio::spawn(rig.router.clone().oneshot(request));
    }
    let (_first, _second) = (commands.recv().await, commands.recv().await);
    let refused = rig.get("/metrics").await;
    assert_eq!(refused.brief(), (503, "Limit of concurrent GET requests reached (2), try again later.\n\n"));
    assert_eq!(rig.get("/-/healthy").await.brief(), (200, "OK"));
    assert_eq!(rig.ask("POST /api/v2/alerts", "[]").await.status, 200);
    drop((_first, _second));
    // the two were let go when their commands were dropped
    let text = loop {
        tokio::task::yield_now().await;
        let answer = rig.get("/api/v1/status").await;
        if answer.status != 503 {
            break answer;
        }
    };
    assert_eq!(text.status, 410);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_takes_too_long_is_given_up() {
    let (handle, _commands) = Handle::new();
    let rig = Rig::over(handle, |options| options.timeout = Some(Duration::from_millis(1500)));
    assert_eq!(rig.get("/api/v2/alerts").await.brief(), (503, "Exceeded configured timeout of 1.5s.\n"));
}

#[tokio::test]
async fn a_stopped_engine_is_no_answer() {
    let (handle, commands) = Handle::new();
    drop(commands);
    let rig = Rig::over(handle, |_| {});
    assert_eq!(rig.get("/api/v2/alerts").await.brief(), (503, "\"asking the engine: it has stopped\"\n"));
    assert_eq!(rig.get("/-/ready").await.status, 503);
    assert_eq!(rig.get("/-/healthy").await.status, 200);
}

#[tokio::test]
async fn absurd_bodies_are_refused() {
    let rig = Rig::new().await;
    let chunk = bytes::Bytes::from(vec![b' '; 1 << 20]);
    let chunks = futures::stream::iter((0..65).map(move |_| Ok::<_, std::io::Error>(chunk.clone())));
    let request = Request::post("/api/v2/alerts").header("content-type", "application/json");
    let answer = rig.send(request.body(Body::from_stream(chunks)).unwrap()).await;
    assert_eq!(answer.brief(), (413, r#"{"code":413,"message":"body is longer than 67108864 bytes"}"#));
}

#[tokio::test]
async fn bodies_that_are_too_long_by_their_own_word_are_not_read() {
    let rig = Rig::new().await;
    let request = Request::post("/api/v2/silences").body(http_body_util::Full::from(vec![b' '; (64 << 20) + 1]));
    let answer = rig.send(request.unwrap().map(Body::new)).await;
    assert_eq!(answer.brief(), (413, r#"{"code":413,"message":"body is longer than 67108864 bytes"}"#));
    assert!(rig.metric(r#"alertmanager_http_requests_refused_total{reason="body_too_large"}"#).await == "1");
}

#[tokio::test]
async fn absurd_labels_are_refused_and_counted_but_not_the_others() {
    let rig = Rig::new().await;
    let long = "x".repeat(1 << 20);
    let body = format!(
        r#"[{{"labels":{{"alertname":"{long}"}}}},{{"labels":{{"{long}":"y"}}}},{{"labels":{{"alertname":"good"}}}},
            {{"labels":{{"alertname":"n"}},"annotations":{{"a":"{long}"}}}}]"#
    );
    let answer = rig.ask("POST /api/v2/alerts", &body).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.body.matches("is longer than").count(), 3, "{}", answer.body);
    assert!(
        answer.body.starts_with(r#""invalid label set: \"alertname\" is longer than 65536 bytes"#),
        "{}",
        answer.body
    );
    assert!(answer.body.len() < 1000);
    let listed = rig.get("/api/v2/alerts").await.body;
    assert!(listed.contains("good") && listed.len() < 1000);
    assert_eq!(rig.metric(r#"alertmanager_alerts_invalid_total{version="v2"}"#).await, "3");
}

#[tokio::test]
async fn a_hundred_thousand_matchers_are_refused_and_counted() {
    let rig = Rig::new().await;
    let matchers = vec![r#"{"name":"a","value":"b","isRegex":false}"#; 100_000].join(",");
    let body = format!(
        r#"{{"matchers":[{matchers}],"startsAt":"2200-01-01T00:00:00Z","endsAt":"2201-01-01T00:00:00Z","createdBy":"","comment":""}}"#
    );
    let answer = rig.ask("POST /api/v2/silences", &body).await;
    let expected = "\"invalid silence: 100000 matchers, at most 1000 are allowed\"\n";
    assert_eq!(answer.brief(), (400, expected));
    assert_eq!(rig.metric(r#"alertmanager_http_requests_refused_total{reason="matchers_too_many"}"#).await, "1");
}

#[tokio::test]
async fn a_hundred_thousand_alerts_are_not_too_many() {
    let rig = Rig::new().await;
    let alerts: Vec<_> = (0..100_000).map(|n| format!(r#"{{"labels":{{"alertname":"A{n}"}}}}"#)).collect();
    let answer = rig.ask("POST /api/v2/alerts", &format!("[{}]", alerts.join(","))).await;
    assert_eq!(answer.brief(), (200, ""));
    assert_eq!(rig.metric(r#"alertmanager_alerts_received_total{status="firing",version="v2"}"#).await, "100000");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stops_coming_is_given_up() {
    let rig = Rig::new().await;
    let stuck = futures::stream::iter([Ok::<_, std::io::Error>("[")]).chain(futures::stream::pending());
    let request = Request::post("/api/v2/alerts").header("content-type", "application/json");
    let answer = rig.send(request.body(Body::from_stream(stuck)).unwrap()).await;
    assert_eq!(answer.brief(), (408, r#"{"code":408,"message":"nothing of the body came for 30 seconds"}"#));
}

#[tokio::test]
async fn bodies_are_bounded_together() {
    let rig = Rig::new().await;
    // eight times the most that one may have are held; the ninth is one too many
    let chunk = bytes::Bytes::from(vec![b' '; 64 << 20]);
    let held: Vec<_> = (0..8)
        .map(|_| {
            let body =
                futures::stream::iter([Ok::<_, std::io::Error>(chunk.clone())]).chain(futures::stream::pending());
            let request = Request::post("/api/v2/alerts").body(Body::from_stream(body)).unwrap();
            tokio::spawn(rig.router.clone().oneshot(request))
        })
        .collect();
    let small = rig.ask("POST /api/v2/alerts", "[]").await;
    assert_eq!(small.status, 200);
    let more = " ".repeat(65 << 10);
    loop {
        tokio::task::yield_now().await;
        let answer = rig.ask("POST /api/v2/alerts", &format!("[]{more}")).await;
        if answer.status == 503 {
            let text = r#"{"code":503,"message":"too many bytes of other bodies are being read; try again"}"#;
            assert_eq!(answer.body, text);
            break;
        }
    }
    held.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn metrics_are_compressed_for_those_who_ask() {
    let rig = Rig::new().await;
    let request = Request::get("/metrics").header("accept-encoding", "gzip").body(Body::empty()).unwrap();
    let response = rig.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.headers()["content-encoding"], "gzip");
    assert_eq!(response.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&*body), &mut text).unwrap();
    assert!(text.contains("alertmanager_build_info{"));
    assert_eq!(rig.get("/metrics").await.header("content-encoding"), None);
}

#[tokio::test]
async fn there_are_no_go_profiles() {
    let rig = Rig::new().await;
    for line in ["GET /debug/pprof/", "GET /debug/pprof/heap?debug=1", "POST /debug/pprof/symbol"] {
        let answer = rig.ask(line, "").await;
        assert!(answer.status == 501 && answer.body.contains("not written in Go"), "{answer:?}");
    }
}
