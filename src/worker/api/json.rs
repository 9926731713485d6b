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
