//! The external URL of this member, and the prefix of its paths.

use reqwest::Url;

use crate::process;

/// Why a URL can't be the external one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// As a shell leaves it behind.
    #[error("`{0}` must not begin or end with quotes")]
    Quotes(String),
    /// No URL at all.
    #[error("`{0}` is not a URL")]
    Invalid(String),
    /// Another scheme.
    #[error("`{0}` is neither http nor https")]
    Scheme(String),
    /// None can be made up.
    #[error("the first listener has no port to make a URL of: give one with --web.external-url")]
    NoPort,
}

/// Where links lead; without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExternalUrl {
    text: String,
    path: String,
}

impl ExternalUrl {
    /// As `given`, or made of the host's name and the port that is listened on.
    ///
    /// # Errors
    /// When `given` is no http or https URL, or neither it nor the port is there.
    pub(crate) fn new(given: Option<&str>, port: Option<u32>) -> Result<Self, UrlError> {
        let text = match (given, port) {
            (Some(given), _) => given.to_owned(),
            (None, Some(port)) => format!("http://{}:{port}/", process::host_name()),
            (None, None) => return Err(UrlError::NoPort),
        };
        let quoted = |c| text.starts_with(c) || text.ends_with(c);
        if quoted('"') || quoted('\'') {
            return Err(UrlError::Quotes(text));
        }
        let parsed = Url::parse(&text).map_err(|_| UrlError::Invalid(text.clone()))?;
        if !matches!(parsed.scheme(), "http" | "https") {
            return Err(UrlError::Scheme(text));
        }
        // as it was written, but for slashes at the end of the path: links and webhooks show it
        let (head, tail) = text.split_at(text.find(['?', '#']).unwrap_or(text.len()));
        let head = head.trim_end_matches('/');
        let (scheme, rest) = head.split_once("://").ok_or_else(|| UrlError::Invalid(text.clone()))?;
        let path = rest.find('/').map(|at| rest[at..].to_owned()).unwrap_or_default();
        Ok(Self { text: format!("{}://{rest}{tail}", scheme.to_lowercase()), path })
    }

    /// For links.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

/// `""`, or the path below which everything is mounted: as given, or that of the external URL.
pub(crate) fn route_prefix(given: Option<&str>, external: &ExternalUrl) -> String {
    let trimmed = given.unwrap_or(&external.path).trim_matches('/');
    if trimmed.is_empty() { String::new() } else { format!("/{trimmed}") }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_path_loses_its_slash_and_is_the_prefix() {
        let table = [
            ("http://a.example", "http://a.example", ""),
            ("https://a.example:1/", "https://a.example:1", ""),
            ("http://a.example/x/y//", "http://a.example/x/y", "/x/y"),
            ("HTTP://A.example:80/x/?q=1/#f", "http://A.example:80/x?q=1/#f", "/x"),
        ];
        for (given, text, prefix) in table {
            let external = ExternalUrl::new(Some(given), None).unwrap();
            assert_eq!((external.text(), route_prefix(None, &external).as_str()), (text, prefix), "{given}");
        }
        let external = ExternalUrl::new(Some("http://a/x"), None).unwrap();
        assert_eq!(route_prefix(Some("/"), &external), "");
        assert_eq!(route_prefix(Some("y/"), &external), "/y");
    }

    #[test]
    fn the_default_has_the_port() {
        let external = ExternalUrl::new(None, Some(1234)).unwrap();
        assert!(external.text().starts_with("http://") && external.text().ends_with(":1234"), "{external:?}");
        assert_eq!(ExternalUrl::new(None, None), Err(UrlError::NoPort));
    }

    #[test]
    fn mistakes_are_refused() {
        let refused = |text| ExternalUrl::new(Some(text), None).unwrap_err();
        assert_eq!(refused("ftp://a"), UrlError::Scheme("ftp://a".into()));
        assert_eq!(refused("\"http://a\""), UrlError::Quotes("\"http://a\"".into()));
        assert_eq!(refused("alerts"), UrlError::Invalid("alerts".into()));
    }
}
