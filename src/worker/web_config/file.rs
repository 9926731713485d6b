//! The text of `--web.config.file`: read strictly, checked as far as that goes without other files.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue};
use serde::Deserialize;

/// What is wrong with the text, in one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FileError {
    /// No YAML, or not of this shape.
    #[error("{0}")]
    Yaml(String),
    /// A header that this file may not set.
    #[error(
        "http_server_config.headers: `{0}` can't be set here; those that can: Content-Security-Policy, \
         Strict-Transport-Security, X-Content-Type-Options, X-Frame-Options, X-XSS-Protection"
    )]
    Header(String),
    /// A header whose value isn't one of a few.
    #[error("http_server_config.headers.{name}: {value:?} is not {wanted}")]
    HeaderValue {
        /// The header.
        name: String,
        /// What was given.
        value: String,
        /// What it must be.
        wanted: &'static str,
    },
    /// A hash that bcrypt did not make.
    #[error("basic_auth_users.{user}: not a bcrypt hash: {reason}")]
    Hash {
        /// Whose.
        user: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Not a duration.
    #[error("rate_limit.interval: `{0}` is not a duration like 1s")]
    Interval(String),
}

/// The whole file; everything may be absent, and so may the whole.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Text {
    tls_server_config: Option<TlsSection>,
    http_server_config: Option<HttpSection>,
    rate_limit: Option<RateSection>,
    basic_auth_users: Option<BTreeMap<String, Option<String>>>,
}

/// `tls_server_config`, as written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TlsSection {
    pub(crate) cert: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) client_ca: Option<String>,
    pub(crate) cert_file: Option<String>,
    pub(crate) key_file: Option<String>,
    pub(crate) client_ca_file: Option<String>,
    pub(crate) client_auth_type: Option<String>,
    pub(crate) cipher_suites: Option<Vec<String>>,
    pub(crate) curve_preferences: Option<Vec<String>>,
    pub(crate) min_version: Option<String>,
    pub(crate) max_version: Option<String>,
    pub(crate) prefer_server_cipher_suites: Option<bool>,
    pub(crate) client_allowed_sans: Option<Vec<String>>,
}

impl TlsSection {
    /// Whether only clients with a certificate get through that an authority vouches for.
    pub(crate) fn verifies_clients(&self) -> bool {
        self.client_auth_type.as_deref() == Some("RequireAndVerifyClientCert")
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct HttpSection {
    http2: Option<bool>,
    headers: Option<BTreeMap<String, Option<String>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RateSection {
    burst: Option<i64>,
    interval: Option<String>,
}

/// At most `burst` requests at once, then one every `interval`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RateLimit {
    pub(super) burst: u64,
    pub(super) interval: Duration,
}

/// The file, checked.
#[derive(Debug)]
pub(super) struct WebFile {
    pub(super) tls: TlsSection,
    pub(super) http2: bool,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) rate_limit: Option<RateLimit>,
    /// Bcrypt hashes by name.
    pub(super) users: BTreeMap<String, String>,
}

/// Reads the file's text.
///
/// # Errors
/// At the first mistake.
pub(super) fn parse(text: &str) -> Result<WebFile, FileError> {
    let nothing = text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'));
    let read = if nothing { Ok(None) } else { serde_saphyr::from_str::<Option<Text>>(text) };
    let text = read.map_err(|error| FileError::Yaml(one_line(&error)))?.unwrap_or_default();
    let http = text.http_server_config.unwrap_or_default();
    let headers = http.headers.unwrap_or_default().into_iter();
    let users = text.basic_auth_users.unwrap_or_default().into_iter();
    Ok(WebFile {
        tls: text.tls_server_config.unwrap_or_default(),
        http2: http.http2.unwrap_or(true),
        headers: headers.map(|(name, value)| header(name, value.unwrap_or_default())).collect::<Result<_, _>>()?,
        rate_limit: rate_limit(text.rate_limit.unwrap_or_default())?,
        users: users.map(|(user, hash)| checked(user, hash.unwrap_or_default())).collect::<Result<_, _>>()?,
    })
}

fn one_line(error: &serde_saphyr::Error) -> String {
    let line = error.location().map(|location| format!("line {}: ", location.line())).unwrap_or_default();
    let text = error.without_snippet().to_string();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("{line}{}", text.split(" at line ").next().unwrap_or(&text))
}

/// The names are compared letter by letter, as the reference does.
fn header(name: String, value: String) -> Result<(HeaderName, HeaderValue), FileError> {
    let wanted = match name.as_str() {
        "X-Content-Type-Options" if value != "nosniff" => Some("nosniff"),
        "X-Frame-Options" if value != "deny" && value != "sameorigin" => Some("deny or sameorigin"),
        "Content-Security-Policy"
        | "Strict-Transport-Security"
        | "X-Content-Type-Options"
        | "X-Frame-Options"
        | "X-XSS-Protection" => None,
        _ => return Err(FileError::Header(name)),
    };
    if let Some(wanted) = wanted {
        return Err(FileError::HeaderValue { name, value, wanted });
    }
    match (HeaderName::try_from(&name), HeaderValue::try_from(&value)) {
        (Ok(known), Ok(valid)) => Ok((known, valid)),
        _ => Err(FileError::HeaderValue { name, value, wanted: "a text that a header may have" }),
    }
}

/// No interval, or none at all between requests: no limit.
fn rate_limit(section: RateSection) -> Result<Option<RateLimit>, FileError> {
    let Some(text) = section.interval else { return Ok(None) };
    let positive = text.strip_prefix('-').unwrap_or(&text);
    // a number without a unit is nanoseconds, as in any duration of Go's YAML
    let interval = match positive.parse::<u64>() {
        Ok(nanos) => Duration::from_nanos(nanos),
        Err(_) => alerting::duration::parse_go(positive).map_err(|_| FileError::Interval(text.clone()))?,
    };
    let burst = u64::try_from(section.burst.unwrap_or(0)).unwrap_or(0);
    Ok((positive == text && !interval.is_zero()).then_some(RateLimit { burst, interval }))
}

fn checked(user: String, hash: String) -> Result<(String, String), FileError> {
    match hash.parse::<bcrypt::HashParts>() {
        Ok(parts) if (4..=31).contains(&parts.get_cost()) => Ok((user, hash)),
        Ok(_) => Err(FileError::Hash { user, reason: "its cost is not between 4 and 31".to_owned() }),
        Err(error) => Err(FileError::Hash { user, reason: error.to_string() }),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn hash() -> String {
        bcrypt::hash("secret", 4).unwrap()
    }

    #[test]
    fn nothing_is_a_file_too() {
        for text in ["", "\n# a comment\n", "null", "{}", "tls_server_config:\nhttp_server_config: {headers: }"] {
            let file = parse(text).unwrap();
            assert!(file.http2 && file.headers.is_empty() && file.users.is_empty(), "{text}");
            assert_eq!(file.rate_limit, None);
        }
    }

    #[test]
    fn a_file_in_full() {
        let hash = hash();
        let text = format!(
            "tls_server_config: {{cert_file: a, key_file: b, client_auth_type: RequestClientCert, min_version: TLS13}}\n\
             http_server_config:\n  http2: false\n  headers: {{X-Frame-Options: deny, X-XSS-Protection: 1}}\n\
             rate_limit: {{burst: 5, interval: 1m30s}}\nbasic_auth_users: {{alice: {hash}, 17: {hash}}}\n"
        );
        let file = parse(&text).unwrap();
        assert_eq!(file.tls.min_version.as_deref(), Some("TLS13"));
        assert!(!file.http2);
        let shown: Vec<_> = file.headers.iter().map(|(n, v)| format!("{n}: {}", v.to_str().unwrap())).collect();
        assert_eq!(shown, ["x-frame-options: deny", "x-xss-protection: 1"]);
        assert_eq!(file.rate_limit, Some(RateLimit { burst: 5, interval: Duration::from_secs(90) }));
        assert_eq!(file.users.keys().collect::<Vec<_>>(), ["17", "alice"]);
        assert_eq!(parse("rate_limit: {burst: 5}").unwrap().rate_limit, None);
        assert_eq!(parse("rate_limit: {burst: 5, interval: -1s}").unwrap().rate_limit, None);
        let nanos = parse("rate_limit: {interval: 1000}").unwrap().rate_limit;
        assert_eq!(nanos, Some(RateLimit { burst: 0, interval: Duration::from_micros(1) }));
    }

    #[test]
    fn mistakes_name_their_place() {
        let table = [
            ("tls_server: {}", "tls_server"),
            ("\n\ntls_server_config: {certfile: a}", "line 3: "),
            ("tls_server_config: {cert: a, cert: b}", "line 1: "),
            ("tls_server_config: [", "line "),
            ("http_server_config: {http2: maybe}", "line 1: "),
            ("http_server_config: {headers: {Server: x}}", "`Server` can't be set here"),
            ("http_server_config: {headers: {x-frame-options: deny}}", "`x-frame-options` can't be set here"),
            ("http_server_config: {headers: {X-Frame-Options: no}}", "is not deny or sameorigin"),
            ("http_server_config: {headers: {X-Content-Type-Options: sniff}}", "is not nosniff"),
            ("http_server_config: {headers: {X-XSS-Protection: \"a\\nb\"}}", "a text that a header may have"),
            ("rate_limit: {interval: often}", "`often` is not a duration"),
            ("basic_auth_users: {bob: secret}", "basic_auth_users.bob: not a bcrypt hash"),
            ("basic_auth_users: {bob: }", "basic_auth_users.bob: not a bcrypt hash"),
        ];
        for (text, part) in table {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(part) && !error.contains('\n'), "{text}: {error}");
        }
        let dear = hash().replace("$04$", "$32$");
        assert!(parse(&format!("basic_auth_users: {{bob: {dear}}}")).unwrap_err().to_string().contains("cost"));
    }
}
