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

/// With the replacement character for halves of surrogate pairs, as Go's decoder reads them; `None` when there are none.
pub(super) fn mend_surrogates(text: &str) -> Option<String> {
    let unit = |at: usize| {
        let hex = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(hex, 16).ok().filter(|_| hex.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    let mut mended = String::new();
    let (mut from, mut at) = (0, 0);
    while let Some(found) = text[at..].find('\\') {
        at += found;
        at += match unit(at) {
            Some(0xd800..0xdc00) if unit(at + 6).is_some_and(|low| (0xdc00..0xe000).contains(&low)) => 12,
            Some(0xd800..0xe000) => {
                mended.push_str(&text[from..at]);
                mended.push_str("\\ufffd");
                from = at + 6;
                6
            }
            // whatever it escapes is no backslash that matters
            _ => 1 + text[at + 1..].chars().next().map_or(0, char::len_utf8),
        };
    }
    (from > 0).then(|| mended + &text[from..])
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
    fn halves_of_pairs_are_replaced() {
        let mended = |text: &str| mend_surrogates(text);
        assert_eq!(mended(r#"["\ud83d\ude00","\u00e9","\\ud83d","\n"]"#), None);
        assert_eq!(
            mended(r#"["a\ud83dé","\ude00\ud83d\ud83d\ude00"]"#).as_deref(),
            Some(r#"["a\ufffdé","\ufffd\ufffd\ud83d\ude00"]"#)
        );
        assert_eq!(mended("\\"), None);
        assert_eq!(mended("\\ud83"), None);
    }

    #[test]
    fn agrees_with_the_notifications_encoder() {
        let text = "x & y <z> \u{2029} ende";
        assert_eq!([encode(&text), b"\n".to_vec()].concat(), alerting::notify::webhook::go_json(&text));
    }
}
