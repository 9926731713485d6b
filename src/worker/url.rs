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
    /// When `given` is no http or https URL.
    pub(crate) fn new(given: Option<&str>, port: u16) -> Result<Self, UrlError> {
        let text = given.map_or_else(|| format!("http://{}:{port}/", process::host_name()), str::to_owned);
        let quoted = |c| text.starts_with(c) || text.ends_with(c);
        if quoted('"') || quoted('\'') {
            return Err(UrlError::Quotes(text));
        }
        let mut url = Url::parse(&text).map_err(|_| UrlError::Invalid(text.clone()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(UrlError::Scheme(text));
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        // an empty path is printed as a slash
        let text = url.as_str().strip_suffix('/').filter(|_| path.is_empty()).unwrap_or(url.as_str()).to_owned();
        Ok(Self { text, path })
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
        ];
        for (given, text, prefix) in table {
            let external = ExternalUrl::new(Some(given), 9).unwrap();
            assert_eq!((external.text(), route_prefix(None, &external).as_str()), (text, prefix), "{given}");
        }
        let external = ExternalUrl::new(Some("http://a/x"), 9).unwrap();
        assert_eq!(route_prefix(Some("/"), &external), "");
        assert_eq!(route_prefix(Some("y/"), &external), "/y");
    }

    #[test]
    fn the_default_has_the_port() {
        let external = ExternalUrl::new(None, 1234).unwrap();
        assert!(external.text().starts_with("http://") && external.text().ends_with(":1234"), "{external:?}");
    }

    #[test]
    fn mistakes_are_refused() {
        assert_eq!(ExternalUrl::new(Some("ftp://a"), 9), Err(UrlError::Scheme("ftp://a".into())));
        assert_eq!(ExternalUrl::new(Some("\"http://a\""), 9), Err(UrlError::Quotes("\"http://a\"".into())));
        assert_eq!(ExternalUrl::new(Some("alerts"), 9), Err(UrlError::Invalid("alerts".into())));
    }
}
