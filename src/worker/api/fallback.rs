//! Paths that nothing is mounted at: redirects to where it is, or 404 in the shape of its place.

use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use super::refusal::Refusal;
use super::{Api, measure, refusal};

/// Redirects what only misses by slashes or by the prefix; else there is nothing.
pub(super) async fn elsewhere(State(api): State<Api>, method: Method, uri: Uri) -> Response {
    let (path, prefix) = (uri.path(), &*api.prefix);
    let to = |status, path: &str| {
        let query = uri.query().map(|q| format!("?{q}")).unwrap_or_default();
        refusal::redirect(status, &method, &format!("{path}{query}"))
    };
    if path.contains("//") {
        return to(StatusCode::TEMPORARY_REDIRECT, &without_empty_segments(path));
    }
    let Some(inner) = path.strip_prefix(prefix) else {
        return match path {
            "/" => to(StatusCode::FOUND, prefix),
            _ => refusal::not_found(),
        };
    };
    if inner.is_empty() {
        return to(StatusCode::MOVED_PERMANENTLY, &format!("{prefix}/"));
    }
    if inner == "/api/v2" {
        return to(StatusCode::TEMPORARY_REDIRECT, &format!("{path}/"));
    }
    if inner.starts_with("/api/v2/") {
        return Refusal::Coded(404, format!("path {inner} was not found")).into_response();
    }
    match path.strip_suffix('/') {
        Some(path) if measure::handler(&path[prefix.len()..]).is_some() => {
            to(if method == Method::GET { StatusCode::MOVED_PERMANENTLY } else { StatusCode::TEMPORARY_REDIRECT }, path)
        }
        _ => refusal::not_found(),
    }
}

fn without_empty_segments(path: &str) -> String {
    let mut clean = String::with_capacity(path.len());
    for c in path.chars() {
        if c != '/' || !clean.ends_with('/') {
            clean.push(c);
        }
    }
    clean
}
