//! Reads and checks the fields about proxies, which stand among the others of `http_config` and `oauth2`.

use std::collections::BTreeMap;

use super::error::ConfigError;
use super::form::Form;
use super::http::ProxyConfig;
use super::out::Out;
use super::secret::{HIDDEN, Secret};
use super::section::texts_in;
use super::url::Url;

/// A proxy as written; to be checked when all fields have been read.
pub(super) struct Written {
    pub(super) proxy: ProxyConfig,
    /// An empty URL is one as well.
    url_given: bool,
}

/// Reads the fields.
pub(super) fn read(form: &mut Form<'_>) -> Result<Written, ConfigError> {
    let url_given = form.node("proxy_url").is_some();
    let mut url = None;
    if url_given {
        let text = form.raw("proxy_url")?;
        let parsed = Url::parse(&text).map_err(|message| form.error("proxy_url", message))?;
        form.printed().put("proxy_url", Out::text(parsed.redacted()));
        url = Some(parsed.exposed()).filter(|url| !url.is_empty()).map(Secret::new);
    }
    let no_proxy = form.text("no_proxy", "")?;
    let from_environment = form.switch("proxy_from_environment")?;
    let (mut connect_header, mut printed) = (BTreeMap::new(), Vec::new());
    for (name, node, path) in form.entries("proxy_connect_header", "config.ProxyHeader")? {
        let values = texts_in(node, &path, "[]config.Secret", "config.plain")?;
        let values: Vec<Secret> = values.into_iter().map(|(text, _, _)| Secret::new(text)).collect();
        printed.push((name.to_owned(), hidden(&values)));
        connect_header.insert(name.to_owned(), values);
    }
    form.printed().put_some("proxy_connect_header", Out::Map(printed));
    let no_proxy = Some(no_proxy).filter(|text| !text.is_empty());
    Ok(Written { proxy: ProxyConfig { url, no_proxy, from_environment, connect_header }, url_given })
}

impl Written {
    /// Refuses what does not go together.
    pub(super) fn checked(self, form: &Form<'_>) -> Result<ProxyConfig, ConfigError> {
        let proxy = self.proxy;
        let header_alone = !proxy.connect_header.is_empty() && !proxy.from_environment && proxy.url.is_none();
        let message =
            "if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be configured";
        form.refuse_if(header_alone, "proxy_connect_header", message)?;
        let message = "if proxy_from_environment is configured, proxy_url must not be configured";
        form.refuse_if(proxy.from_environment && proxy.url.is_some(), "proxy_url", message)?;
        let message = "if proxy_from_environment is configured, no_proxy must not be configured";
        form.refuse_if(proxy.from_environment && proxy.no_proxy.is_some(), "no_proxy", message)?;
        let message = "if no_proxy is configured, proxy_url must also be configured";
        form.refuse_if(!self.url_given && proxy.no_proxy.is_some(), "no_proxy", message)?;
        Ok(proxy)
    }
}

/// How a list of secrets is printed.
pub(super) fn hidden(secrets: &[Secret]) -> Out {
    let print = |secret: &Secret| if secret.is_empty() { Out::Null } else { Out::text(HIDDEN) };
    Out::List(secrets.iter().map(print).collect())
}
