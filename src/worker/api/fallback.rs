//! Paths that nothing is mounted at: redirects to where it is, or 404 in the shape of its place.

use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use super::refusal::Refusal;
use super::{Api, measure, refusal};

/// Redirects what only misses by slashes, dots, case or the prefix; else there is nothing.
pub(super) async fn elsewhere(State(api): State<Api>, method: Method, uri: Uri) -> Response {
    let (path, prefix) = (uri.path(), &*api.prefix);
    let to = |status, path: &str| {
        let query = uri.query().map(|q| format!("?{q}")).unwrap_or_default();
        refusal::redirect(status, &method, &format!("{path}{query}"))
    };
    if path == "*" && method == Method::OPTIONS {
        return StatusCode::OK.into_response();
    }
    if !path.starts_with('/') {
        return (StatusCode::BAD_REQUEST, "400 Bad Request").into_response();
    }
    let tidy = tidy(path);
    if tidy != path {
        return to(StatusCode::TEMPORARY_REDIRECT, &tidy);
    }
    let Some(inner) = path.strip_prefix(prefix) else {
        return match path {
            "/" => to(StatusCode::FOUND, prefix),
            _ => refusal::not_found(),
        };
    };
    if inner == "/api/v2" {
        return to(StatusCode::TEMPORARY_REDIRECT, &format!("{path}/"));
    }
    if inner.starts_with("/api/v2/") {
        return Refusal::Coded(404, format!("path {inner} was not found")).into_response();
    }
    let moved = if method == Method::GET { StatusCode::MOVED_PERMANENTLY } else { StatusCode::TEMPORARY_REDIRECT };
    if inner.is_empty() && method == Method::GET {
        return to(moved, &format!("{prefix}/"));
    }
    let lower = inner.to_ascii_lowercase();
    let near = lower.strip_suffix('/').unwrap_or(&lower);
    match near != inner && serves(near, &method) {
        true => to(moved, &format!("{prefix}{near}")),
        false => refusal::not_found(),
    }
}

/// Whether something outside of `/api/v2` is mounted there for this method.
fn serves(path: &str, method: &Method) -> bool {
    if path.is_empty() || measure::handler(path).is_none() {
        return false;
    }
    match path {
        "/-/reload" => method == Method::POST,
        "/-/healthy" | "/-/ready" => method == Method::GET || method == Method::HEAD,
        "/api/v1/alerts" | "/api/v1/silences" => method == Method::GET || method == Method::POST,
        _ if path.starts_with("/api/v1/silence/") => method == Method::GET || method == Method::DELETE,
        _ => method == Method::GET,
    }
}

/// Without empty segments, `.` and `..`; a slash at the end stays.
fn tidy(path: &str) -> String {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    let slash = if path.ends_with('/') && !segments.is_empty() { "/" } else { "" };
    format!("/{}{slash}", segments.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_tidied_as_gos() {
        let table = [
            ("/", "/"),
            ("//", "/"),
            ("/a//b/", "/a/b/"),
            ("/a/./b", "/a/b"),
            ("/a/../b/", "/b/"),
            ("/../..", "/"),
            ("/a/..", "/"),
            ("/a/...", "/a/..."),
        ];
        for (path, expected) in table {
            assert_eq!(tidy(path), expected, "{path}");
        }
    }
}
