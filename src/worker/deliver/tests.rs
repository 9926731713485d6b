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
            url: UrlSource::Inline(Secret::new(format!("{}{path}", self.url))),
            headers: vec![("Content-Type", "application/json".into())],
            body: Bytes::from_static(b"{}"),
            http: Arc::new(http),
            integration: "team/webhook[0]".into(),
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
    assert_eq!(response.body.len(), BODY_KEPT);
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
    gone.url = UrlSource::Inline(Secret::new(format!("http://127.0.0.1:{port}/s3cr3t?key=hidden")));
    let error = deliverer().deliver(&gone, LIMIT).await.unwrap_err();
    assert!(!error.timed_out && error.message.contains("refused"), "{error:?}");
    gone.url = UrlSource::Inline(Secret::new("s3cr3t hidden"));
    let invalid = deliverer().deliver(&gone, LIMIT).await.unwrap_err();
    for error in [error, invalid] {
        assert!(!error.message.contains("s3cr3t") && !error.message.contains("hidden"), "{error:?}");
    }
}

#[tokio::test]
async fn the_url_file_is_read_at_each_attempt() {
    let receiver = Receiver::start().await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("url");
    let mut request = receiver.request("/hook", HttpConfig::default());
    request.url = UrlSource::File(path.to_str().unwrap().into());
    let missing = deliverer().deliver(&request, LIMIT).await.unwrap_err();
    assert!(missing.message.starts_with("reading `"), "{missing:?}");
    for (at, status) in [("/hook", 200), ("/busy", 429)] {
        std::fs::write(&path, format!("{}{at}\n", receiver.url)).unwrap();
        assert_eq!(deliverer().deliver(&request, LIMIT).await.unwrap().status, status);
    }
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
