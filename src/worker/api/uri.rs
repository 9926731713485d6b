//! Which texts the reference takes for a URI: the check of `generatorURL`.

/// Whether `text` is an absolute URI or an absolute path; a fragment doesn't count. The rules are those of Go's
/// `url.ParseRequestURI`.
pub(super) fn is_request_uri(text: &str) -> bool {
    let text = text.split_once('#').map_or(text, |(before, _)| before);
    if text.is_empty() || text.bytes().any(|b| b < 0x20 || b == 0x7f) {
        return false;
    }
    if text == "*" {
        return true;
    }
    let Some((scheme, rest)) = split_scheme(text) else { return false };
    let rest = rest.split_once('?').map_or(rest, |(before, _)| before);
    if !rest.starts_with('/') {
        return !scheme.is_empty();
    }
    let path = match rest.strip_prefix("//").filter(|_| !scheme.is_empty()) {
        None => rest,
        Some(rest) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            if !is_authority(scheme, authority) {
                return false;
            }
            path
        }
    };
    escapes_are_whole(path)
}

/// Scheme, maybe empty, and the rest; `None` for an empty scheme before a colon.
fn split_scheme(text: &str) -> Option<(&str, &str)> {
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at > 0 => {}
            b':' if at == 0 => return None,
            b':' => return Some((&text[..at], &text[at + 1..])),
            _ => return Some(("", text)),
        }
    }
    Some(("", text))
}

fn is_authority(scheme: &str, authority: &str) -> bool {
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (user, host),
        None => ("", authority),
    };
    let user_is_valid = user.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&b));
    user_is_valid && escapes_are_whole(user) && is_host(scheme, host)
}

fn is_host(scheme: &str, host: &str) -> bool {
    if let Some(literal) = host.strip_prefix('[') {
        let Some((address, port)) = literal.rsplit_once(']') else { return false };
        let address = address.split_once("%25").map_or(address, |(before, _)| before);
        return is_port(port) && address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    if host.contains('[') {
        return false;
    }
    let strict = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let colon = if strict { host.find(':') } else { host.rfind(':') };
    if colon.is_some_and(|at| !is_port(&host[at..])) {
        return false;
    }
    let bytes = host.as_bytes();
    bytes.iter().enumerate().all(|(at, b)| match b {
        // only what isn't ASCII may be escaped, and the percent sign itself
        b'%' => match bytes.get(at + 1..at + 3) {
            Some(b"25") => true,
            Some([high @ (b'8' | b'9' | b'a'..=b'f' | b'A'..=b'F'), low]) => {
                high.is_ascii_hexdigit() && low.is_ascii_hexdigit()
            }
            _ => false,
        },
        b if b.is_ascii_alphanumeric() || *b >= 0x80 => true,
        b => b"-_.~!$&'()*+,;=:<>\"[]".contains(b),
    })
}

fn is_port(text: &str) -> bool {
    text.is_empty() || text.strip_prefix(':').is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_digit()))
}

fn escapes_are_whole(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes
        .iter()
        .enumerate()
        .filter(|(_, b)| **b == b'%')
        .all(|(at, _)| bytes.get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_reference() {
        for good in [
            "http://prom:9090/graph?g0.expr=up%20%3D%3D+0&x=%zz",
            "/a/b",
            "foo:bar",
            "*",
            "http://x#y z",
            "http://user:pw@x/",
            "http://[::1]:80/",
            "http://é/",
            "//anything goes",
            "http:///path",
        ] {
            assert!(is_request_uri(good), "{good}");
        }
        for bad in [
            "",
            "foo",
            "http://x y",
            ":x",
            "#x",
            "http://a:b/",
            "http://a:1:2/",
            "/a%zz",
            "http://%41/",
            "a\nb",
            "http://[1.2.3.4]/",
        ] {
            assert!(!is_request_uri(bad), "{bad}");
        }
    }
}
