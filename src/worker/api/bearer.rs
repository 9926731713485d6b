//! Who bears the token of a file is let in.

use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

/// The file is read each time: it may be replaced at any time, and requests are rare.
pub(super) async fn check(State(file): State<Arc<PathBuf>>, request: Request, next: Next) -> Response {
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    let token = match tokio::fs::read_to_string(&*file).await {
        Ok(token) => token,
        Err(error) => {
            tracing::warn!(file = %file.display(), %error, "the token can't be read: none is taken");
            String::new()
        }
    };
    // of hashes, so that the time it takes tells nothing
    let same = Sha256::digest(given) == Sha256::digest(token.trim());
    if token.trim().is_empty() || !same {
        return (StatusCode::UNAUTHORIZED, "the token is missing or wrong\n").into_response();
    }
    next.run(request).await
}
