//! Through which proxy a request goes: as the config says, or the environment.

use std::sync::Arc;

use alerting::config::ProxyConfig;
use alerting::notify::NoProxy;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Proxy, Url};

/// A variable of the environment by its name.
pub(crate) type Environment = fn(&str) -> Option<String>;

/// The process's own.
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Why there's no proxy.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProxyError {
    /// The URL is none, or of a kind that can't be used. It's not shown: it may hold a password.
    #[error("`proxy_url` is not a URL of an http, https or socks5 proxy")]
    Url,
    /// A header for the proxy.
    #[error("the header `{0}` for the proxy is not valid")]
    Header(String),
}

/// The proxies of one way to connect.
#[derive(Debug, Clone)]
struct Proxies {
    http: Option<Url>,
    https: Option<Url>,
    /// `None`: every request goes through them, even to this machine.
    except: Option<NoProxy>,
}

/// For a client, what `config` says.
///
/// # Errors
/// When it can't be done.
pub(super) fn proxies(config: &ProxyConfig, environment: Environment) -> Result<Vec<Proxy>, ProxyError> {
    let Some(proxies) = Proxies::of(config, environment)? else { return Ok(Vec::new()) };
    let proxies = Arc::new(proxies);
    let of = |scheme: &'static str| {
        let proxies = Arc::clone(&proxies);
        Proxy::custom(move |url| if url.scheme() == scheme { proxies.of_request(url).cloned() } else { None })
    };
    // its headers are for who opens a tunnel, and only what is encrypted goes through one
    Ok(vec![of("http"), of("https").headers(headers(config)?)])
}

fn headers(config: &ProxyConfig) -> Result<HeaderMap, ProxyError> {
    let mut headers = HeaderMap::new();
    for (name, values) in &config.connect_header {
        let invalid = || ProxyError::Header(name.clone());
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid())?;
        for value in values {
            let mut value = HeaderValue::from_str(value.expose()).map_err(|_| invalid())?;
            value.set_sensitive(true);
            headers.append(&header, value);
        }
    }
    Ok(headers)
}

impl Proxies {
    fn of(config: &ProxyConfig, environment: Environment) -> Result<Option<Self>, ProxyError> {
        if config.from_environment {
            // of an empty variable nothing is known either
            let first =
                |names: [&str; 2]| names.iter().find_map(|name| environment(name).filter(|text| !text.is_empty()));
            let url = |names| {
                let text = first(names)?;
                if Url::parse(&text).is_ok_and(|url| url.has_host()) {
                    usable(&text)
                } else {
                    usable(&format!("http://{text}"))
                }
            };
            return Ok(Some(Self {
                http: url(["http_proxy", "HTTP_PROXY"]),
                https: url(["https_proxy", "HTTPS_PROXY"]),
                except: Some(NoProxy::parse(&first(["no_proxy", "NO_PROXY"]).unwrap_or_default())),
            }));
        }
        let Some(url) = &config.url else { return Ok(None) };
        let url = usable(url.expose()).ok_or(ProxyError::Url)?;
        let except = config.no_proxy.as_deref().map(NoProxy::parse);
        Ok(Some(Self { http: Some(url.clone()), https: Some(url), except }))
    }

    fn of_request(&self, url: &Url) -> Option<&Url> {
        let proxy = if url.scheme() == "https" { &self.https } else { &self.http };
        let host = url.host_str()?.trim_start_matches('[').trim_end_matches(']');
        let excepted =
            self.except.as_ref().is_some_and(|list| list.excepts(host, url.port_or_known_default().unwrap_or(0)));
        proxy.as_ref().filter(|_| !excepted)
    }
}

/// The URL of a proxy that can be used; names are always looked up by the proxy itself.
fn usable(text: &str) -> Option<Url> {
    let text = text.strip_prefix("socks5://").map_or(text.to_owned(), |rest| format!("socks5h://{rest}"));
    let url = Url::parse(&text).ok()?;
    (matches!(url.scheme(), "http" | "https" | "socks5h") && url.has_host()).then_some(url)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use alerting::config::Secret;

    use super::*;

    fn chosen(proxies: Option<&Proxies>, url: &str) -> Option<String> {
        proxies?.of_request(&Url::parse(url).unwrap()).map(|url| url.as_str().to_owned())
    }

    #[test]
    fn a_proxy_of_the_config_is_for_all_but_those_excepted() {
        let config = |url: &str, no_proxy: Option<&str>| ProxyConfig {
            url: Some(Secret::new(url)),
            no_proxy: no_proxy.map(Into::into),
            ..ProxyConfig::default()
        };
        let none = |_: &str| None;
        let all = Proxies::of(&config("http://p:1", None), none).unwrap();
        let some = Proxies::of(&config("socks5://p:1", Some("b.example:443,10.0.0.0/8")), none).unwrap();
        for (url, by_all, by_some) in [
            ("http://a.example/", Some("http://p:1/"), Some("socks5h://p:1")),
            ("http://127.0.0.1:9/", Some("http://p:1/"), None),
            ("http://[::1]:9/", Some("http://p:1/"), None),
            ("https://b.example/", Some("http://p:1/"), None),
            ("http://b.example/", Some("http://p:1/"), Some("socks5h://p:1")),
            ("http://10.1.1.1/", Some("http://p:1/"), None),
        ] {
            assert_eq!(chosen(all.as_ref(), url).as_deref(), by_all, "{url}");
            assert_eq!(chosen(some.as_ref(), url).as_deref(), by_some, "{url}");
        }
        for wrong in ["p", "ftp://p:1", "http://"] {
            assert!(matches!(Proxies::of(&config(wrong, None), none), Err(ProxyError::Url)), "{wrong}");
        }
        assert!(Proxies::of(&ProxyConfig::default(), none).unwrap().is_none());
    }

    #[test]
    fn the_environment_names_proxies_by_scheme() {
        let config = ProxyConfig { from_environment: true, ..ProxyConfig::default() };
        let proxies = Proxies::of(&config, |name| match name {
            "http_proxy" => Some("p.example:3128".into()),
            "HTTP_PROXY" => Some("http://other:1".into()),
            "https_proxy" => Some(String::new()),
            "HTTPS_PROXY" => Some("https://user:pw@q.example".into()),
            "NO_PROXY" => Some(".in.example".into()),
            _ => None,
        });
        let proxies = proxies.unwrap();
        for (url, proxy) in [
            ("http://a.example/", Some("http://p.example:3128/")),
            ("https://a.example/", Some("https://user:pw@q.example/")),
            ("https://a.in.example/", None),
            ("http://localhost/", None),
        ] {
            assert_eq!(chosen(proxies.as_ref(), url).as_deref(), proxy, "{url}");
        }
        let bogus = Proxies::of(&config, |name| (name == "http_proxy").then(|| "ftp://p".into())).unwrap();
        assert_eq!(chosen(bogus.as_ref(), "http://a.example/"), None);
    }
}
