//! A request on its way: where it goes next when a server says that what it wants is elsewhere, and what it may still
//! show there. The rules are those of Go's HTTP client, which the reference uses.

use reqwest::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LOCATION, CONTENT_TYPE, COOKIE, HeaderMap, HeaderName,
    HeaderValue, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, WWW_AUTHENTICATE,
};
use reqwest::{Method, Url};

/// Requests until somebody must have the answer.
const REQUESTS_MAX: usize = 10;

/// What is of no use without a body.
const OF_BODY: [HeaderName; 4] = [CONTENT_TYPE, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LOCATION];

/// What strangers must not see.
const SENSITIVE: [HeaderName; 6] = [
    AUTHORIZATION,
    WWW_AUTHENTICATE,
    COOKIE,
    HeaderName::from_static("cookie2"),
    PROXY_AUTHORIZATION,
    PROXY_AUTHENTICATE,
];

/// Why a request doesn't go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RedirectError {
    /// The servers send it round and round.
    #[error("following redirects: no answer after {REQUESTS_MAX} requests")]
    TooMany,
    /// The place makes no sense. It's not shown: it may hold a secret.
    #[error("following a redirect: its location is no URL")]
    Location,
}

/// A request, and where it has been.
#[derive(Debug)]
pub(super) struct Journey<B> {
    /// As it's sent next.
    pub(super) method: Method,
    /// Where it's sent next.
    pub(super) url: Url,
    /// Its own headers, without those that the way to connect adds.
    pub(super) headers: HeaderMap,
    /// `None`: without a body.
    pub(super) body: Option<B>,
    /// Host of the first URL.
    start: Option<String>,
    /// It has left that host and what belongs to it, for good.
    strayed: bool,
    sent: usize,
}

impl<B> Journey<B> {
    /// Before it's sent.
    pub(super) fn new(method: Method, url: Url, headers: HeaderMap, body: B) -> Self {
        let start = url.host_str().map(str::to_owned);
        Self { method, url, headers, body: Some(body), start, strayed: false, sent: 1 }
    }

    /// Whether it has been led to strangers: then no credentials go with it.
    pub(super) fn strayed(&self) -> bool {
        self.strayed
    }

    /// Whether a response of `status` with this `Location` sends it on; then it's made up for the next place.
    ///
    /// # Errors
    /// When it should go on and can't.
    pub(super) fn goes_on(&mut self, status: u16, location: Option<&HeaderValue>) -> Result<bool, RedirectError> {
        let (true, Some(location)) = (matches!(status, 301 | 302 | 303 | 307 | 308), location) else {
            return Ok(false);
        };
        let location = String::from_utf8_lossy(location.as_bytes());
        if location.is_empty() {
            return Ok(false);
        }
        let next = self.url.join(&location).map_err(|_| RedirectError::Location)?;
        if self.sent >= REQUESTS_MAX {
            return Err(RedirectError::TooMany);
        }
        self.sent += 1;
        if !matches!(status, 307 | 308) {
            if !matches!(self.method, Method::GET | Method::HEAD) {
                self.method = Method::GET;
            }
            self.body = None;
        }
        if self.body.is_none() {
            OF_BODY.iter().for_each(|name| drop(self.headers.remove(name)));
        }
        self.strayed |= !belongs(next.host_str().unwrap_or_default(), self.start.as_deref().unwrap_or_default());
        self.url = next;
        if self.strayed {
            without_secrets(&mut self.headers);
        }
        Ok(true)
    }
}

/// Takes out what strangers must not see.
pub(super) fn without_secrets(headers: &mut HeaderMap) {
    SENSITIVE.iter().for_each(|name| drop(headers.remove(name)));
}

/// Whether a host is `start`, whatever its port, or below it.
fn belongs(host: &str, start: &str) -> bool {
    if start.is_empty() {
        return false;
    }
    // addresses have nothing below them
    host == start || !host.contains([':', '%']) && host.strip_suffix(start).is_some_and(|before| before.ends_with('.'))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn start() -> Journey<&'static str> {
        let headers = [(CONTENT_TYPE, "application/json"), (AUTHORIZATION, "Bearer x")];
        let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value))).into_iter().collect();
        Journey::new(Method::POST, Url::parse("https://example.com/a/b?c=d").unwrap(), headers, "{}")
    }

    fn on(journey: &mut Journey<&'static str>, status: u16, location: &str) -> Result<bool, RedirectError> {
        journey.goes_on(status, Some(&HeaderValue::from_str(location).unwrap()))
    }

    #[test]
    fn the_status_says_what_becomes_of_method_and_body() {
        for (status, method, body) in [
            (301, Method::GET, None),
            (302, Method::GET, None),
            (303, Method::GET, None),
            (307, Method::POST, Some("{}")),
            (308, Method::POST, Some("{}")),
        ] {
            let mut journey = start();
            assert!(on(&mut journey, status, "../z").unwrap(), "{status}");
            assert_eq!((&journey.method, journey.body), (&method, body), "{status}");
            assert_eq!(journey.headers.contains_key(CONTENT_TYPE), body.is_some(), "{status}");
            assert_eq!(journey.url.as_str(), "https://example.com/z");
        }
        let mut journey = start();
        assert!(on(&mut journey, 303, "/x").unwrap() && on(&mut journey, 307, "/y").unwrap());
        assert_eq!((journey.method.as_str(), journey.body), ("GET", None));
        for status in [200, 300, 304, 305, 400] {
            assert!(!on(&mut start(), status, "/x").unwrap(), "{status}");
        }
        assert!(!start().goes_on(302, None).unwrap() && !on(&mut start(), 302, "").unwrap());
        assert!(matches!(on(&mut start(), 302, "http://[x"), Err(RedirectError::Location)));
    }

    #[test]
    fn credentials_stay_with_the_host_and_what_is_below_it() {
        for (location, kept) in [
            ("/x", true),
            ("http://example.com:81/", true),
            ("https://a.EXAMPLE.com/", true),
            ("https://notexample.com/", false),
            ("https://com/", false),
            ("https://[::1]/", false),
        ] {
            let mut journey = start();
            on(&mut journey, 307, location).unwrap();
            assert_eq!((journey.headers.contains_key(AUTHORIZATION), journey.strayed()), (kept, !kept), "{location}");
        }
        let mut journey = start();
        on(&mut journey, 307, "https://elsewhere.example/").unwrap();
        on(&mut journey, 307, "https://example.com/").unwrap();
        assert!(journey.strayed() && !journey.headers.contains_key(AUTHORIZATION));
    }

    #[test]
    fn nobody_is_sent_round_for_ever() {
        let mut journey = start();
        for _ in 1..REQUESTS_MAX {
            assert!(on(&mut journey, 302, "/a").unwrap());
        }
        assert!(matches!(on(&mut journey, 302, "/a"), Err(RedirectError::TooMany)));
    }
}
