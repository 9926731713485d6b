//! Deliveries to servers on loopback.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use alerting::config::{Authorization, BasicAuth, HeaderValues, Secret, TlsConfig};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect};
use axum::routing::{any, post};
use bytes::Bytes;

use super::*;

type Seen = Arc<Mutex<Vec<(HeaderMap, String)>>>;

const LIMIT: Duration = Duration::from_secs(20);

struct Receiver {
    url: String,
    seen: Seen,
    task: tokio::task::JoinHandle<()>,
}

impl Receiver {
    async fn start() -> Self {
        let seen = Seen::default();
        let record = |State(seen): State<Seen>, headers: HeaderMap, body: String| async move {
            seen.lock().unwrap().push((headers, body));
            "thanks"
        };
        let busy =
            || async { (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, "17")], "x".repeat(3000)).into_response() };
        let router = Router::new()
            .route("/hook", post(record))
            .route("/busy", any(busy))
            .route("/moved", any(|| async { Redirect::temporary("/hook") }))
            .route("/slow", any(std::future::pending::<&'static str>))
            .with_state(Arc::clone(&seen));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, seen, task }
    }

    fn request(&self, path: &str, http: HttpConfig) -> Request {
        Request {
            method: "POST",
            url: Secret::new(format!("{}{path}", self.url)),
            headers: vec![("Content-Type", "application/json".into())],
            secret_headers: Vec::new(),
            body: Bytes::from_static(b"{}"),
            http: Arc::new(http),
            sign: None,
            integration: "team/webhook[0]".into(),
            reply_max: 1024,
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn deliverer() -> Deliverer {
    Deliverer::new(PathBuf::new(), None)
}

#[tokio::test]
async fn headers_and_credentials_arrive() {
    let receiver = Receiver::start().await;
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("password"), "pass\n").unwrap();
    std::fs::write(directory.path().join("extra"), " three\n").unwrap();
    let inline = |text: &str| SecretSource::Inline(Secret::new(text));
    let values =
        HeaderValues { values: vec!["one".into()], secrets: vec![Secret::new("two")], files: vec!["extra".into()] };
    let basic = HttpConfig {
        basic_auth: Some(BasicAuth { username: inline("user"), password: Some(SecretSource::File("password".into())) }),
        headers: BTreeMap::from([("X-Team".into(), values)]),
        ..HttpConfig::default()
    };
    let bearer = HttpConfig {
        authorization: Some(Authorization { kind: "Bearer".into(), credentials: Some(inline("token")) }),
        enable_http2: false,
        ..HttpConfig::default()
    };
    let deliverer = Deliverer::new(directory.path().to_owned(), None);
    for http in [basic, bearer] {
        let response = deliverer.deliver(&receiver.request("/hook", http), LIMIT).await.unwrap();
        assert_eq!((response.status, response.body.as_str()), (200, "thanks"));
    }
    let seen = receiver.seen.lock().unwrap();
    let (first, body) = &seen[0];
    assert_eq!(body, "{}");
    assert_eq!(first["content-type"], "application/json");
    assert_eq!(first["authorization"], "Basic dXNlcjpwYXNz");
    assert_eq!(first["user-agent"], "Alertmanager/0.34.2");
    assert!(first.get_all("x-team").iter().eq(["one", "two", "three"]));
    assert_eq!(seen[1].0["authorization"], "Bearer token");
}

#[tokio::test]
async fn a_refusal_is_a_response_with_the_wish_and_the_start_of_the_body() {
    let receiver = Receiver::start().await;
    let response = deliverer().deliver(&receiver.request("/busy", HttpConfig::default()), LIMIT).await.unwrap();
    assert_eq!((response.status, response.retry_after), (429, Some(Duration::from_secs(17))));
    assert_eq!(response.body.len(), 1024);
}

#[tokio::test]
async fn redirects_are_followed_only_if_wanted() {
    let receiver = Receiver::start().await;
    for (follow_redirects, status, arrived) in [(false, 307, 0), (true, 200, 1)] {
        let http = HttpConfig { follow_redirects, ..HttpConfig::default() };
        let response = deliverer().deliver(&receiver.request("/moved", http), LIMIT).await.unwrap();
        assert_eq!((response.status, receiver.seen.lock().unwrap().len()), (status, arrived));
    }
}

#[tokio::test]
async fn silence_times_out_and_absence_fails_without_telling_the_url() {
    let receiver = Receiver::start().await;
    let slow = receiver.request("/slow", HttpConfig::default());
    let error = deliverer().deliver(&slow, Duration::from_millis(50)).await.unwrap_err();
    assert!(error.timed_out, "{error:?}");

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let mut gone = receiver.request("/hook", HttpConfig::default());
    gone.url = Secret::new(format!("http://127.0.0.1:{port}/s3cr3t?key=hidden"));
    let error = deliverer().deliver(&gone, LIMIT).await.unwrap_err();
    assert!(!error.timed_out && error.message.contains("refused"), "{error:?}");
    gone.url = Secret::new("s3cr3t hidden");
    let invalid = deliverer().deliver(&gone, LIMIT).await.unwrap_err();
    for error in [error, invalid] {
        assert!(!error.message.contains("s3cr3t") && !error.message.contains("hidden"), "{error:?}");
    }
}

#[tokio::test]
async fn files_are_read_as_they_are() {
    let directory = tempfile::tempdir().unwrap();
    let paths: Vec<String> = ["key", "url"].map(|name| directory.path().join(name).to_str().unwrap().into()).into();
    std::fs::write(&paths[0], " k \n").unwrap();
    let missing = read_files(paths.clone(), LIMIT).await.unwrap_err();
    assert!(missing.starts_with("reading `") && missing.contains(&paths[1]), "{missing}");
    std::fs::write(&paths[1], "u").unwrap();
    let read = read_files(paths.clone(), LIMIT).await.unwrap();
    assert_eq!(read, [(paths[0].clone(), " k \n".into()), (paths[1].clone(), "u".into())].into());
}

#[tokio::test]
async fn an_authorization_of_the_request_goes_first_and_the_reply_is_kept_as_wished() {
    let receiver = Receiver::start().await;
    let authorization =
        Authorization { kind: "Bearer".into(), credentials: Some(SecretSource::Inline(Secret::new("config"))) };
    let http = HttpConfig { authorization: Some(authorization), ..HttpConfig::default() };
    let mut request = receiver.request("/hook", http);
    request.secret_headers = vec![("Authorization", Secret::new("GenieKey k"))];
    request.reply_max = 3;
    let response = deliverer().deliver(&request, LIMIT).await.unwrap();
    assert_eq!((response.body.as_str(), response.content_type.as_str()), ("tha", "text/plain; charset=utf-8"));
    let seen = receiver.seen.lock().unwrap();
    let all: Vec<_> = seen[0].0.get_all("authorization").iter().collect();
    assert_eq!(all, ["GenieKey k"]);
}

#[tokio::test]
async fn equal_ways_to_connect_share_a_client() {
    let receiver = Receiver::start().await;
    let deliverer = deliverer();
    for _ in 0..3 {
        deliverer.deliver(&receiver.request("/hook", HttpConfig::default()), LIMIT).await.unwrap();
    }
    assert_eq!(deliverer.clients.len(), 1);
    let other = HttpConfig { follow_redirects: false, ..HttpConfig::default() };
    deliverer.deliver(&receiver.request("/hook", other), LIMIT).await.unwrap();
    assert_eq!(deliverer.clients.len(), 2);
}

#[tokio::test]
async fn unusable_certificates_are_said() {
    let receiver = Receiver::start().await;
    let tls = TlsConfig { ca: Some("no PEM".into()), ..TlsConfig::default() };
    let http = HttpConfig { tls, ..HttpConfig::default() };
    let error = deliverer().deliver(&receiver.request("/hook", http), LIMIT).await.unwrap_err();
    assert!(error.message.contains("no usable PEM certificate"), "{error:?}");
}

#[test]
fn retry_after_is_a_number_or_a_date() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777 - 60);
    let wish = |text| retry_after(&HeaderValue::from_static(text), now);
    assert_eq!(wish("120"), Some(Duration::from_secs(120)));
    assert_eq!(wish("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::from_secs(60)));
    assert_eq!(wish("Sun, 06 Nov 1983 08:49:37 GMT"), None);
    assert_eq!(wish("soon"), None);
}
