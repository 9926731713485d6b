//! Answers that are meant to differ; the reasons are explained in `differences.md`.

use super::client::Request;
use super::pair::Pair;

/// Why the answers to this request differ, if they are meant to.
pub(super) fn reason(pair: &Pair, request: &Request) -> Option<&'static str> {
    let body = String::from_utf8_lossy(&request.body);
    let path = request.path.as_str();
    if body == "[null]" || body.contains(r#""matchers":[null]"#) {
        return Some("null in a list makes the reference's handler panic, or is skipped");
    }
    // where nothing is mounted there is nothing to differ
    let mounted = pair.name != "prefix" || !pair.prefix.is_empty();
    if path == "/api/v1/silence/" && mounted {
        return Some("the reference redirects to a path that it doesn't have");
    }
    if path == "/%2d/healthy" && mounted {
        return Some("paths are compared as they are, not decoded");
    }
    None
}
