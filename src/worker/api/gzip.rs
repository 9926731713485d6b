//! Compresses an answer for a client that says that it takes gzip.

use std::io::Write;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::BodyExt;

/// For answers that are held in memory, as all of ours are.
pub(super) async fn compress(request: Request, next: Next) -> Response {
    let wanted = takes(request.headers(), "gzip");
    let response = next.run(request).await;
    if !wanted || !response.status().is_success() {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(body) = body.collect().await else { return axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // into memory: this can't fail
    let _ = encoder.write_all(&body.to_bytes());
    let compressed = encoder.finish().unwrap_or_default();
    parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, compressed.into())
}

/// Whether a coding is named, and not with a weight of zero.
pub(super) fn takes(headers: &HeaderMap, coding: &str) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|named| {
        let mut parts = named.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(coding));
        let zero = |weight: &str| weight.trim().parse::<f32>().is_ok_and(|weight| weight <= 0.0);
        named && !parts.filter_map(|part| part.strip_prefix("q=")).any(zero)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_who_names_gzip_gets_it() {
        let table = [
            ("gzip", true),
            ("deflate, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("identity", false),
            ("gzipped", false),
            ("", false),
        ];
        for (value, expected) in table {
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, value.parse().unwrap())]);
            assert_eq!(takes(&headers, "gzip"), expected, "{value}");
        }
        assert!(!takes(&HeaderMap::new(), "gzip"));
    }
}
