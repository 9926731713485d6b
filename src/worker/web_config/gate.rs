//! What every request passes first when there is a web config.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::WebConfig;
use super::rate::Bucket;
use super::users::{Login, Logins};
use crate::api::{HttpStats, Refused, text_response};

/// State of the gate.
#[derive(Debug)]
pub(crate) struct Gate {
    config: Arc<WebConfig>,
    bucket: Option<Bucket>,
    logins: Logins,
    http: Arc<HttpStats>,
}

impl Gate {
    /// The rate limit is the one that the file has now: the reference doesn't change it later either.
    pub(crate) fn new(config: Arc<WebConfig>, http: Arc<HttpStats>) -> Self {
        let limit = config.lock().loaded.rate_limit;
        let bucket = limit.map(|limit| Bucket::new(limit, Instant::now()));
        Self { config, bucket, logins: Logins::default(), http }
    }
}

/// Rate limit, then headers, then passwords: the reference's order.
pub(crate) async fn check(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let config = gate.config.current().await;
    if gate.bucket.as_ref().is_some_and(|bucket| !bucket.take(Instant::now())) {
        gate.http.refuse(Refused::RateLimit);
        return text_response(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests");
    }
    let login = match config.users.is_empty() {
        true => Login::Right,
        false => gate.logins.judge(&config.users, request.headers()).await,
    };
    let mut response = match login {
        Login::Right => next.run(request).await,
        Login::Wrong => {
            gate.http.refuse(Refused::LoginWrong);
            let mut response = text_response(StatusCode::UNAUTHORIZED, "Unauthorized");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic"));
            response
        }
        Login::Busy => {
            gate.http.refuse(Refused::LoginsTooMany);
            text_response(StatusCode::TOO_MANY_REQUESTS, "Too many passwords are waiting to be checked")
        }
    };
    for (name, value) in &config.headers {
        response.headers_mut().entry(name).or_insert_with(|| value.clone());
    }
    response
}
