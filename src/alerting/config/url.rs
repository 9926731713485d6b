//! URLs as Go's `net/url` reads and prints them: what is one, and which characters are escaped, decides verdicts and
//! printed configs.

use std::fmt;
use std::net::Ipv6Addr;

use super::paths::clean;
use crate::label::GoQuoted;

/// The address of a service's API: http or https with a host. Prints as it is requested; may hold a password.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiUrl(Url);

/// Whether the reference takes a text for a URL, also a relative one.
pub fn is_url(text: &str) -> bool {
    Url::parse(text).is_ok()
}

impl ApiUrl {
    /// Reads one.
    ///
    /// # Errors
    /// The reason, in the reference's words; never repeats the whole text, which may be a secret.
    pub fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text)?;
        if url.scheme != "http" && url.scheme != "https" {
            return Err(format!("unsupported scheme {} for URL", GoQuoted(&url.scheme)));
        }
        if url.host.is_empty() {
            return Err("missing host for URL".into());
        }
        Ok(Self(url))
    }

    /// Host without port.
    pub fn host_name(&self) -> &str {
        let host = &self.0.host;
        match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((inner, _)) => inner,
            None => host.split_once(':').map_or(host, |(name, _)| name),
        }
    }

    /// The unescaped path.
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// The same with `suffix`, unescaped, after its path.
    #[must_use]
    pub fn with_suffix(&self, suffix: &str) -> Self {
        let mut url = self.0.clone();
        url.path.push_str(suffix);
        Self(url)
    }

    /// The same with another, relative path after its own; `.`, `..` and double slashes are resolved.
    #[must_use]
    pub fn join(&self, path: &str) -> Self {
        let mut url = self.0.clone();
        let own = escaped(&url.path, &url.raw_path, Part::Path);
        let joined = clean(&format!("/{own}/{path}"));
        // parts of two valid paths are one
        url.path = unescape(&joined, Part::Path).unwrap_or_default();
        url.raw_path = joined;
        Self(url)
    }

    /// The same with a parameter set in its query, which is written anew.
    #[must_use]
    pub fn with_query(&self, name: &str, value: &str) -> Self {
        let mut url = self.0.clone();
        let mut parameters = read_query(&url.raw_query);
        parameters.retain(|(given, _)| given != name);
        parameters.push((name.to_owned(), value.to_owned()));
        url.raw_query = encode_query(parameters);
        Self(url)
    }

    /// The same with this query.
    #[must_use]
    pub fn with_raw_query(&self, query: String) -> Self {
        let mut url = self.0.clone();
        url.raw_query = query;
        Self(url)
    }

    /// Host with port.
    pub fn host(&self) -> &str {
        &self.0.host
    }

    /// The same with a path that ends in a slash.
    #[must_use]
    pub fn with_slash(&self) -> Self {
        if self.0.path.ends_with('/') { self.clone() } else { self.with_suffix("/") }
    }
}

impl fmt::Display for ApiUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text(self.0.user.as_ref()))
    }
}

impl fmt::Debug for ApiUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.redacted())
    }
}

/// User and maybe a password, both unescaped.
type User = (String, Option<String>);

/// The parts of a URL, unescaped but for those called raw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Url {
    /// Lower-case.
    pub(super) scheme: String,
    opaque: String,
    user: Option<User>,
    /// With port.
    pub(super) host: String,
    omit_host: bool,
    path: String,
    raw_path: String,
    force_query: bool,
    raw_query: String,
    fragment: String,
    raw_fragment: String,
}

/// Where a text stands in a URL.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Path,
    Host,
    Zone,
    User,
    Fragment,
    Query,
}

impl Url {
    /// Reads any URL, also a relative one.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
        let mut url = Self::without_fragment(text)?;
        url.fragment = unescape(fragment, Part::Fragment)?;
        if escape(&url.fragment, Part::Fragment) != fragment {
            url.raw_fragment = fragment.to_owned();
        }
        Ok(url)
    }

    fn without_fragment(text: &str) -> Result<Self, String> {
        if text.bytes().any(|b| b < b' ' || b == 0x7f) {
            return Err("net/url: invalid control character in URL".into());
        }
        let mut url = Self::default();
        let (scheme, rest) = split_scheme(text)?;
        url.scheme = scheme.to_ascii_lowercase();
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        url.force_query = text.ends_with('?') && query.is_empty();
        url.raw_query = query.to_owned();
        if !rest.starts_with('/') {
            if !url.scheme.is_empty() {
                url.opaque = rest.to_owned();
                return Ok(url);
            }
            if rest.split('/').next().is_some_and(|segment| segment.contains(':')) {
                return Err("first path segment in URL cannot contain colon".into());
            }
        }
        let mut path = rest;
        let has_authority = !url.scheme.is_empty() || !rest.starts_with("///");
        if let Some(rest) = rest.strip_prefix("//").filter(|_| has_authority) {
            let (authority, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            (url.user, url.host) = read_authority(&url.scheme, authority)?;
            path = rest;
        } else if !url.scheme.is_empty() {
            url.omit_host = true;
        }
        url.path = unescape(path, Part::Path)?;
        if escape(&url.path, Part::Path) != path {
            url.raw_path = path.to_owned();
        }
        Ok(url)
    }

    /// Prints it with a password replaced.
    pub(super) fn redacted(&self) -> String {
        let user = self.user.as_ref().map(|(name, password)| (name.clone(), password.as_ref().map(|_| "xxxxx".into())));
        self.text(user.as_ref())
    }

    /// Prints it, its password as well.
    pub(super) fn exposed(&self) -> String {
        self.text(self.user.as_ref())
    }

    fn text(&self, user: Option<&User>) -> String {
        let mut text = String::new();
        if !self.scheme.is_empty() {
            text.push_str(&self.scheme);
            text.push(':');
        }
        if self.opaque.is_empty() {
            let authority = !self.scheme.is_empty() || !self.host.is_empty() || user.is_some();
            if authority && !(self.omit_host && self.host.is_empty() && user.is_none()) {
                if !self.host.is_empty() || !self.path.is_empty() || user.is_some() {
                    text.push_str("//");
                }
                if let Some((name, password)) = user {
                    text.push_str(&escape(name, Part::User));
                    if let Some(password) = password {
                        text.push(':');
                        text.push_str(&escape(password, Part::User));
                    }
                    text.push('@');
                }
                text.push_str(&escape(&self.host, Part::Host));
            }
            let path = escaped(&self.path, &self.raw_path, Part::Path);
            if !path.is_empty() && !path.starts_with('/') && !self.host.is_empty() {
                text.push('/');
            }
            if text.is_empty() && path.split('/').next().is_some_and(|segment| segment.contains(':')) {
                text.push_str("./");
            }
            text.push_str(&path);
        } else {
            text.push_str(&self.opaque);
        }
        if self.force_query || !self.raw_query.is_empty() {
            text.push('?');
            text.push_str(&self.raw_query);
        }
        if !self.fragment.is_empty() {
            text.push('#');
            text.push_str(&escaped(&self.fragment, &self.raw_fragment, Part::Fragment));
        }
        text
    }
}

/// A query with these parameters, sorted by name.
pub fn encode_query<N: AsRef<str>, V: AsRef<str>>(parameters: impl IntoIterator<Item = (N, V)>) -> String {
    let mut parameters: Vec<(N, V)> = parameters.into_iter().collect();
    parameters.sort_by(|(a, _), (b, _)| a.as_ref().cmp(b.as_ref()));
    let escape = |text: &str| escape(text, Part::Query).replace("%20", "+");
    let pairs = parameters.iter().map(|(name, value)| format!("{}={}", escape(name.as_ref()), escape(value.as_ref())));
    pairs.collect::<Vec<_>>().join("&")
}

/// The parameters of a query that can be read.
pub fn read_query(raw: &str) -> Vec<(String, String)> {
    let pairs = raw.split('&').filter(|pair| !pair.is_empty() && !pair.contains(';'));
    let read = |text: &str| unescape(&text.replace('+', "%20"), Part::Query).ok();
    pairs
        .filter_map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((read(name)?, read(value)?))
        })
        .collect()
}

/// Scheme and the rest; no scheme when the text does not begin with one.
fn split_scheme(text: &str) -> Result<(&str, &str), String> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '-' | '.'));
    match end.map(|at| text.split_at(at)) {
        Some(("", rest)) if rest.starts_with(':') => Err("missing protocol scheme".into()),
        Some((scheme, rest)) if scheme.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            Ok(rest.strip_prefix(':').map_or(("", text), |rest| (scheme, rest)))
        }
        _ => Ok(("", text)),
    }
}

fn read_authority(scheme: &str, authority: &str) -> Result<(Option<User>, String), String> {
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    let host = read_host(scheme, host)?;
    let Some(user) = user else { return Ok((None, host)) };
    if !user.chars().all(|c| c.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(c)) {
        return Err("net/url: invalid userinfo".into());
    }
    let (name, password) = match user.split_once(':') {
        Some((name, password)) => (name, Some(unescape(password, Part::User)?)),
        None => (user, None),
    };
    Ok((Some((unescape(name, Part::User)?, password)), host))
}

fn read_host(scheme: &str, host: &str) -> Result<String, String> {
    match host.rfind('[') {
        Some(0) => return read_ip_literal(host),
        Some(_) => return Err("invalid IP-literal".into()),
        None => {}
    }
    // http and https may have one colon only
    let colon = if matches!(scheme, "http" | "https") { host.find(':') } else { host.rfind(':') };
    if let Some(at) = colon {
        check_port(host.get(at..).unwrap_or_default())?;
    }
    unescape(host, Part::Host)
}

fn read_ip_literal(host: &str) -> Result<String, String> {
    let inner = host.get(1..).unwrap_or_default();
    let (name, port) = inner.rsplit_once(']').ok_or_else(|| "missing ']' in host".to_owned())?;
    check_port(port)?;
    let name = match name.find("%25") {
        Some(at) => {
            let (host, zone) = name.split_at(at);
            unescape(host, Part::Host)? + &unescape(zone, Part::Zone)?
        }
        None => unescape(name, Part::Host)?,
    };
    let address = name.split_once('%').map_or(name.as_str(), |(address, _)| address);
    if address.parse::<std::net::Ipv4Addr>().is_ok() {
        return Err("invalid IP-literal".into());
    }
    if address.parse::<Ipv6Addr>().is_err() {
        return Err(format!("invalid host: ParseAddr({}): unable to parse IP", GoQuoted(&name)));
    }
    Ok(format!("[{name}]{port}"))
}

fn check_port(port: &str) -> Result<(), String> {
    let digits = port.strip_prefix(':');
    if port.is_empty() || digits.is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_digit())) {
        return Ok(());
    }
    Err(format!("invalid port {} after host", GoQuoted(port)))
}

/// Whether a byte stands for itself.
fn is_plain(byte: u8, part: Part) -> bool {
    let others: &[u8] = match part {
        Part::Path => b"$&+,-./:;=@_~",
        Part::Host | Part::Zone => b"!\"$&'()*+,-.:;<=>[]_~",
        Part::User => b"$&+,-.;=_~",
        Part::Fragment => b"!$&()*+,-./:;=?@_~",
        Part::Query => b"-._~",
    };
    byte.is_ascii_alphanumeric() || others.contains(&byte)
}

fn escape(text: &str, part: Part) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if is_plain(byte, part) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// `raw` if it still stands for `text`, else an escaped `text`.
fn escaped(text: &str, raw: &str, part: Part) -> String {
    let valid = |b: u8| b"!$&'()*+,;=:@[]%".contains(&b) || is_plain(b, part);
    if !raw.is_empty() && raw.bytes().all(valid) && unescape(raw, part).is_ok_and(|plain| plain == text) {
        return raw.to_owned();
    }
    if text == "*" && part == Part::Path { text.to_owned() } else { escape(text, part) }
}

fn unescape(text: &str, part: Part) -> Result<String, String> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if *byte == b'%' {
            let wrong = || {
                let shown = bytes.get(at..(at + 3).min(bytes.len())).unwrap_or_default();
                format!("invalid URL escape {}", GoQuoted(&String::from_utf8_lossy(shown)))
            };
            let digits = text.get(at + 1..at + 3).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
            let value = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).ok_or_else(wrong)?;
            let escaped_percent = value == b'%';
            if part == Part::Host && value < 0x80 && !escaped_percent {
                return Err(wrong());
            }
            if part == Part::Zone && !escaped_percent && value != b' ' && !is_plain(value, Part::Host) {
                return Err(wrong());
            }
            out.push(value);
            at += 3;
        } else {
            if matches!(part, Part::Host | Part::Zone) && byte.is_ascii() && !is_plain(*byte, part) {
                let shown = char::from(*byte).to_string();
                return Err(format!("invalid character {} in host name", GoQuoted(&shown)));
            }
            out.push(*byte);
            at += 1;
        }
    }
    // what is escaped need not be UTF-8 in the reference; such a URL is of no use
    String::from_utf8(out).map_err(|_| "invalid UTF-8 behind URL escapes".to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn accepts_what_go_accepts() {
        for text in ["http://a", "HTTPS://a:1/b?c#d", "http://u:p@[::1]:80/", "http://a:/x", "http://a?x"] {
            assert!(ApiUrl::parse(text).is_ok(), "{text}");
        }
        let wrong = [
            ("", "unsupported scheme \"\" for URL"),
            ("/home", "unsupported scheme \"\" for URL"),
            ("telnet://a", "unsupported scheme \"telnet\" for URL"),
            ("http:a", "missing host for URL"),
            ("http:///x", "missing host for URL"),
            ("://a", "missing protocol scheme"),
            ("1http://a", "first path segment in URL cannot contain colon"),
            ("http://a:b", "invalid port \":b\" after host"),
            ("http://a:1:2", "invalid port \":1:2\" after host"),
            ("http://a b", "invalid character \" \" in host name"),
            ("http://a b@c", "net/url: invalid userinfo"),
            ("http://[1.2.3.4]", "invalid IP-literal"),
            ("http://[::1", "missing ']' in host"),
            ("http://a/%zz", "invalid URL escape \"%zz\""),
            ("http://a/\n", "net/url: invalid control character in URL"),
        ];
        for (text, message) in wrong {
            assert_eq!(ApiUrl::parse(text).unwrap_err(), message, "{text}");
        }
    }

    #[test]
    fn prints_as_go() {
        let printed = |text| ApiUrl::parse(text).unwrap().to_string();
        assert_eq!(printed("HTTP://Host/a b?c d"), "http://Host/a%20b?c d");
        assert_eq!(printed("http://h/a%2Fb(c)"), "http://h/a%2Fb(c)");
        assert_eq!(printed("http://u:p%40@h?#"), "http://u:p%40@h?");
        assert_eq!(Url::parse("http://u:secret@h/").unwrap().redacted(), "http://u:xxxxx@h/");
        assert_eq!(ApiUrl::parse("http://h/a%2Fb?q").unwrap().with_slash().to_string(), "http://h/a/b/?q");
        let joined = |text, path| ApiUrl::parse(text).unwrap().join(path).to_string();
        assert_eq!(joined("http://h", "a/b"), "http://h/a/b");
        assert_eq!(joined("http://h/x%2Fy/../z//?q", "a"), "http://h/z/a?q");
        let query = |text| ApiUrl::parse(text).unwrap().with_query("n", "a b&ü*").to_string();
        assert_eq!(query("http://h/?z=1&n=2&b=%2F+;&%zz"), "http://h/?n=a+b%26%C3%BC%2A&z=1");
        assert_eq!(ApiUrl::parse("http://[::1]:80/x/").unwrap().with_suffix("v2").to_string(), "http://[::1]:80/x/v2");
    }
}
