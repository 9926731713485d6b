//! Tokens: one fetch for all who wait, and a new one when the old one's time is over or the secret is another one.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alerting::config::{HttpConfig, OAuth2, OAuth2Grant, ProxyConfig, Secret, SecretSource, TlsConfig};
use alerting::notify::Request;
use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use bytes::Bytes;

use super::Deliverer;

const LIMIT: Duration = Duration::from_secs(20);

/// What receiver and token server saw: the values of `Authorization`.
#[derive(Default)]
struct Seen {
    tokens: Vec<String>,
    hooks: Vec<String>,
}

type Shared = Arc<Mutex<Seen>>;

fn authorization(headers: &HeaderMap) -> String {
    headers["authorization"].to_str().unwrap().to_owned()
}

/// A receiver and a token server, which numbers its tokens.
async fn start() -> (String, Shared, tokio::task::JoinHandle<()>) {
    let seen = Shared::default();
    let answer = |seen: &Shared, headers: &HeaderMap, life: &str| {
        let mut seen = seen.lock().unwrap();
        seen.tokens.push(authorization(headers));
        ([("content-type", "application/json")], format!(r#"{{"access_token":"t{}"{life}}}"#, seen.tokens.len()))
    };
    let router = Router::new()
        .route(
            "/hook",
            post(|State(seen): State<Shared>, headers: HeaderMap| async move {
                seen.lock().unwrap().hooks.push(authorization(&headers));
            }),
        )
        .route(
            "/long",
            post(move |State(seen): State<Shared>, headers: HeaderMap| async move {
                // time for others to come
                tokio::task::yield_now().await;
                answer(&seen, &headers, r#","expires_in":3600"#)
            }),
        )
        .route(
            "/short",
            post(move |State(seen): State<Shared>, headers: HeaderMap| async move {
                answer(&seen, &headers, r#","expires_in":10"#)
            }),
        )
        .route("/broken", post(|| async { ([("content-type", "application/json")], "s3cret tok3n") }))
        .with_state(Arc::clone(&seen));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (url, seen, tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }))
}

fn request(url: &str, grant: OAuth2Grant, token_url: String) -> Request {
    let oauth2 = OAuth2 {
        client_id: "id".into(),
        grant,
        scopes: Vec::new(),
        token_url,
        endpoint_params: BTreeMap::new(),
        tls: TlsConfig::default(),
        proxy: ProxyConfig::default(),
    };
    Request {
        method: "POST",
        url: Secret::new(format!("{url}/hook")),
        headers: Vec::new(),
        secret_headers: Vec::new(),
        body: Bytes::new(),
        http: Arc::new(HttpConfig { oauth2: Some(oauth2), ..HttpConfig::default() }),
        sign: None,
        integration: "team/webhook[0]".into(),
        reply_max: 0,
    }
}

fn credentials(source: SecretSource) -> OAuth2Grant {
    OAuth2Grant::ClientCredentials { secret: Some(source) }
}

#[tokio::test]
async fn who_comes_meanwhile_waits_for_the_same_token() {
    let (url, seen, task) = start().await;
    let deliverer = Deliverer::new(PathBuf::new(), None);
    let secret = SecretSource::Inline(Secret::new("x"));
    // equal configs share a token, as after a reload
    let requests: Vec<_> = (0..8).map(|_| request(&url, credentials(secret.clone()), format!("{url}/long"))).collect();
    let told = futures::future::join_all(requests.iter().map(|request| deliverer.deliver(request, LIMIT))).await;
    assert!(told.iter().all(|response| response.as_ref().unwrap().status == 200));
    let seen = seen.lock().unwrap();
    assert_eq!((seen.tokens.len(), seen.hooks.clone()), (1, vec!["Bearer t1".to_owned(); 8]));
    task.abort();
}

#[tokio::test]
async fn a_token_about_to_end_is_not_used_again_and_a_secret_that_changes_counts_at_once() {
    let (url, seen, task) = start().await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secret");
    let deliverer = Deliverer::new(PathBuf::new(), None);
    std::fs::write(&path, "one\n").unwrap();
    let source = SecretSource::File(path.to_str().unwrap().to_owned());
    let short = request(&url, credentials(source.clone()), format!("{url}/short"));
    let long = request(&url, credentials(source), format!("{url}/long"));
    for request in [&short, &short, &long, &long] {
        deliverer.deliver(request, LIMIT).await.unwrap();
    }
    std::fs::write(&path, "two").unwrap();
    deliverer.deliver(&long, LIMIT).await.unwrap();
    let seen = seen.lock().unwrap();
    // `id:one` and `id:two`
    let (one, two) = ("Basic aWQ6b25l", "Basic aWQ6dHdv");
    assert_eq!(seen.tokens, [one, one, one, two]);
    assert_eq!(seen.hooks, ["t1", "t2", "t3", "t3", "t4"].map(|token| format!("Bearer {token}")));
    task.abort();
}

#[tokio::test]
async fn why_there_is_no_token_is_said_without_secrets() {
    let (url, _, task) = start().await;
    let deliverer = Deliverer::new(PathBuf::new(), None);
    let inline = |text: &str| SecretSource::Inline(Secret::new(text));
    let key = |text: &str| OAuth2Grant::JwtBearer {
        key: Some(inline(text)),
        key_id: String::new(),
        algorithm: "RS256",
        issuer: None,
        audience: None,
        claims: BTreeMap::new(),
    };
    for (grant, token_url, words) in [
        (credentials(inline("s3cret")), format!("{url}/broken"), "something else than a token"),
        (credentials(inline("s3cret")), format!("{url}/none?tok3n"), "answered with status 404"),
        (credentials(inline("s3cret")), "http://127.0.0.1:1/tok3n".into(), "fetching the OAuth2 token: "),
        (credentials(inline("s3cret")), "tok3n".into(), "`token_url` is not valid"),
        (
            key("-----BEGIN PRIVATE KEY-----\ns3cret\n-----END PRIVATE KEY-----"),
            format!("{url}/long"),
            "no usable RSA key",
        ),
    ] {
        let error = deliverer.deliver(&request(&url, grant, token_url), LIMIT).await.unwrap_err().message;
        assert!(error.contains(words) && !error.contains("s3cret") && !error.contains("tok3n"), "{error}");
    }
    task.abort();
}
