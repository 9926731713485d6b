//! JSON with the bytes that Go's encoder would write.

use std::io::{self, Write};

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::ser::Formatter;

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
    let mut out = Vec::with_capacity(256);
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, GoFormatter);
    // into memory, and maps have strings for keys: this can't fail
    let _ = value.serialize(&mut serializer);
    out
}

/// `<`, `>`, `&` and the two line separators of Unicode are escaped, so that the text may stand in HTML and scripts.
struct GoFormatter;

impl Formatter for GoFormatter {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let bytes = fragment.as_bytes();
        let mut from = 0;
        while let Some(found) = bytes[from..].iter().position(|b| matches!(b, b'<' | b'>' | b'&' | 0xe2)) {
            let at = from + found;
            let (escape, len): (&[u8], usize) = match &bytes[at..] {
                [b'<', ..] => (b"\\u003c", 1),
                [b'>', ..] => (b"\\u003e", 1),
                [b'&', ..] => (b"\\u0026", 1),
                [0xe2, 0x80, 0xa8, ..] => (b"\\u2028", 3),
                [0xe2, 0x80, 0xa9, ..] => (b"\\u2029", 3),
                _ => (&bytes[at..=at], 1),
            };
            writer.write_all(&bytes[from..at])?;
            writer.write_all(escape)?;
            from = at + len;
        }
        writer.write_all(&bytes[from..])
    }
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
