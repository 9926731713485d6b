//! Real sockets: TLS, passwords, limits of heads, the end.
#![allow(clippy::unwrap_used)]

use axum::http::HeaderMap;
use axum::routing::{get, post};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::web_config::tests::{Authority, directory};

struct Rig {
    port: u16,
    servers: Servers,
    http: Arc<HttpStats>,
}

impl Rig {
    async fn start(config: Option<WebConfig>, limits: Limits) -> Self {
        let echo = |headers: HeaderMap| async move { headers.len().to_string() };
        let wait = || async { std::future::pending::<&'static str>().await };
        let router =
            Router::new().route("/", get(echo)).route("/", post(|| async { "posted" })).route("/wait", get(wait));
        let listeners = Listeners::bind(&["127.0.0.1:0".into()]).await.unwrap();
        let port = u16::try_from(listeners.port().unwrap()).unwrap();
        let http = Arc::default();
        let servers = Servers::start(listeners, router, config.map(Arc::new), Arc::clone(&http), limits);
        Self { port, servers, http }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).await.unwrap()
    }

    /// Sends bytes, and reads until the other side ends.
    async fn say(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        // it may have read enough before everything is written
        let _ = stream.write_all(bytes).await;
        rest(&mut stream).await
    }

    fn refused(&self, reason: &str) -> u64 {
        self.http.refused().find(|(label, _)| *label == reason).unwrap().1
    }

    /// Counted when a connection ends, which may be after its answer has been read.
    async fn until_refused(&self, reason: &str, count: u64) {
        while self.refused(reason) != count {
            tokio::task::yield_now().await;
        }
    }

    fn url(&self, user: &str) -> String {
        format!("https://{user}localhost:{}/", self.port)
    }
}

async fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

fn configured(text: &str) -> (WebConfig, Authority, TempDir) {
    let (directory, authority) = directory();
    std::fs::write(directory.path().join("web.yml"), text).unwrap();
    (WebConfig::open(&directory.path().join("web.yml")).unwrap(), authority, directory)
}

fn client(authority: &Authority) -> reqwest::Client {
    let mut tls = authority.client(None);
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    reqwest::Client::builder().tls_backend_preconfigured(tls).build().unwrap()
}

#[tokio::test]
async fn a_taken_port_is_said_with_its_address() {
    let first = Listeners::bind(&["127.0.0.1:0".into()]).await.unwrap();
    let address = format!("127.0.0.1:{}", first.port().unwrap());
    let second = Listeners::bind(&["127.0.0.1:0".into(), address.clone()]).await.unwrap_err();
    assert!(crate::log::chain(&second).starts_with(&format!("listening on `{address}`: ")), "{second}");
    assert!(Listeners::bind(&["9093".into()]).await.is_err());
    assert!(Listeners::bind(&["vsock://nowhere".into()]).await.is_err());
    assert_ne!(Listeners::bind(&[":0".into()]).await.unwrap().port(), Some(0));
    let none = crate::log::chain(&Listeners::inherited().unwrap_err());
    assert!(none.contains("LISTEN_FDS"), "{none}");
}

#[tokio::test]
async fn heads_that_are_wrong_or_too_long_are_refused_and_counted() {
    let rig = Rig::start(None, Limits::default()).await;
    let headers: String = (0..101).map(|n| format!("X-{n}: y\r\n")).collect();
    let too_large = [
        (format!("GET / HTTP/1.1\r\nHost: x\r\n{headers}\r\n"), "431"),
        (format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "y".repeat(1 << 20)), "431"),
        (format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "y".repeat(70_000)), "414"),
    ];
    for (head, status) in &too_large {
        let answer = rig.say(head.as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    }
    for head in ["nonsense\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n"] {
        let answer = rig.say(head.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{head}: {answer}");
    }
    rig.until_refused("head_malformed", 2).await;
    rig.until_refused("head_too_large", 3).await;
}

#[tokio::test]
async fn a_head_that_comes_drop_by_drop_is_given_up() {
    let limits = Limits { head: Duration::from_millis(300), ..Limits::default() };
    let rig = Rig::start(None, limits).await;
    // nothing at all, a part of the first head, a part of the second
    let mut second = rig.connect().await;
    second.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut first_answer = [0; 12];
    second.read_exact(&mut first_answer).await.unwrap();
    second.write_all(b"GET / HT").await.unwrap();
    let (nothing, part, second) = tokio::join!(rig.say(b""), rig.say(b"GET / HTTP/1.1\r\n"), rest(&mut second));
    for answer in [nothing, part, second] {
        assert!(answer.contains("HTTP/1.1 408 "), "{answer}");
    }
    assert_eq!(rig.refused("head_too_slow"), 3);
}

#[tokio::test]
async fn a_request_that_takes_long_is_not_a_slow_head() {
    let limits = Limits { head: Duration::from_millis(100), ..Limits::default() };
    let rig = Rig::start(None, limits).await;
    let waiting = rig.say(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    // the one without a request is given up, time and again, while the other waits
    let slow = async {
        for _ in 0..5 {
            rig.say(b"").await;
        }
    };
    tokio::select! {
        answer = waiting => panic!("{answer}"),
        () = slow => {}
    }
}

#[tokio::test]
async fn tls_speaks_both_versions_of_http_unless_told_otherwise() {
    let tls = "tls_server_config: {cert_file: server.crt, key_file: server.key}\n";
    for (more, version) in
        [("", reqwest::Version::HTTP_2), ("http_server_config: {http2: false}", reqwest::Version::HTTP_11)]
    {
        let (config, authority, _directory) = configured(&format!("{tls}{more}\n"));
        let rig = Rig::start(Some(config), Limits::default()).await;
        let answer = client(&authority).get(rig.url("")).send().await.unwrap();
        assert_eq!((answer.version(), answer.status().as_u16()), (version, 200));
        let posted = client(&authority).post(rig.url("")).body("x").send().await.unwrap();
        assert_eq!(posted.text().await.unwrap(), "posted");
        let plain = rig.say(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert_eq!(plain, "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n");
        let stranger = client(&Authority::new()).get(rig.url("")).send().await;
        assert!(stranger.is_err());
        rig.until_refused("tls_handshake", 2).await;
        rig.servers.finish(Duration::from_secs(60)).await;
    }
}

#[tokio::test]
async fn passwords_headers_and_rates() {
    let hash = bcrypt::hash("s:cret", 4).unwrap();
    let text = format!(
        "basic_auth_users: {{alice: {hash}}}\nhttp_server_config: {{headers: {{X-Frame-Options: deny}}}}\n\
         rate_limit: {{burst: 3, interval: 24h}}\n"
    );
    let (config, _, directory) = configured(&text);
    let rig = Rig::start(Some(config), Limits::default()).await;
    let ask = async |credentials: &str| {
        let authorization = match credentials {
            "" => String::new(),
            text => format!("Authorization: Basic {text}\r\n"),
        };
        rig.say(format!("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{authorization}\r\n").as_bytes()).await
    };
    let refused = ask("").await;
    assert!(refused.starts_with("HTTP/1.1 401 ") && refused.ends_with("\r\n\r\nUnauthorized\n"), "{refused}");
    assert!(refused.contains("\r\nwww-authenticate: Basic\r\n") && refused.contains("\r\nx-frame-options: deny\r\n"));
    // alice:s:cret, alice:wrong
    assert!(ask("YWxpY2U6czpjcmV0").await.starts_with("HTTP/1.1 200 "));
    assert!(ask("YWxpY2U6d3Jvbmc=").await.starts_with("HTTP/1.1 401 "));
    let too_many = ask("YWxpY2U6czpjcmV0").await;
    assert!(too_many.starts_with("HTTP/1.1 429 ") && too_many.ends_with("\r\n\r\nToo Many Requests\n"), "{too_many}");
    assert_eq!((rig.refused("login_wrong"), rig.refused("rate_limit")), (2, 1));
    drop(directory);
}

#[tokio::test]
async fn the_end_waits_for_answers_and_closes_what_is_idle() {
    let rig = Rig::start(None, Limits::default()).await;
    let mut idle = rig.connect().await;
    idle.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut seen = [0; 12];
    idle.read_exact(&mut seen).await.unwrap();
    assert_eq!(&seen, b"HTTP/1.1 200");
    let address = ("127.0.0.1", rig.port);
    rig.servers.finish(Duration::from_secs(60)).await;
    assert!(rest(&mut idle).await.ends_with("\r\n\r\n1"));
    assert!(TcpStream::connect(address).await.is_err());
}
