//! JSON with the bytes that Go's encoder would write.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// A JSON response, with the newline at the end that the reference has.
pub(crate) fn response(status: StatusCode, value: &impl Serialize) -> Response {
    let mut body = encode(value);
    body.push(b'\n');
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// The same, encoded where it does not hold up other requests when it's `big`.
pub(super) async fn response_aside(status: StatusCode, big: bool, value: impl Serialize + Send + 'static) -> Response {
    if !big {
        return response(status, &value);
    }
    match tokio::task::spawn_blocking(move || response(status, &value)).await {
        Ok(response) => response,
        // the runtime is shutting down
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// Without the newline.
pub(super) fn encode(value: &impl Serialize) -> Vec<u8> {
    alerting::json::encode(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_gos() {
        let text = "a<b>&\u{2028}\u{2029}\u{2027}é😀\n\t\r\u{8}\u{c}\u{1}\u{7f}\"\\/";
        let expected = r#""a\u003cb\u003e\u0026\u2028\u2029"#.to_owned()
            + "\u{2027}é😀"
            + r"\n\t\r\b\f\u0001"
            + "\u{7f}"
            + r#"\"\\/""#;
        assert_eq!(String::from_utf8_lossy(&encode(&text)), expected);
    }

    #[test]
    fn agrees_with_the_notifications_encoder() {
        let text = "x & y <z> \u{2029} ende";
        assert_eq!([encode(&text), b"\n".to_vec()].concat(), alerting::notify::webhook::go_json(&text));
    }
}
