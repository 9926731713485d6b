//! Reads and checks `http_config`, and refuses the parts that this version cannot act on.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::ConfigError;
use super::http::{Authorization, BasicAuth, HeaderValues, HttpConfig, SecretSource, TlsConfig};
use super::node::Node;
use super::out::{Fields, Out};
use super::secret::{HIDDEN, Secret};
use super::section::Section;
use super::{tls_read, url};

const FIELDS: [&str; 13] = [
    "basic_auth",
    "authorization",
    "oauth2",
    "bearer_token",
    "bearer_token_file",
    "tls_config",
    "follow_redirects",
    "enable_http2",
    "proxy_url",
    "no_proxy",
    "proxy_from_environment",
    "proxy_connect_header",
    "http_headers",
];

/// Headers that a config may not set, canonical.
const RESERVED_HEADERS: [&str; 18] = [
    "Authorization",
    "Host",
    "Content-Encoding",
    "Content-Length",
    "Content-Type",
    "User-Agent",
    "Connection",
    "Keep-Alive",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Www-Authenticate",
    "Accept-Encoding",
    "X-Prometheus-Remote-Write-Version",
    "X-Prometheus-Remote-Read-Version",
    "X-Prometheus-Scrape-Timeout-Seconds",
    "X-Amz-Date",
    "X-Amz-Security-Token",
    "X-Amz-Content-Sha256",
];

/// What to say of the parts that are refused.
pub(super) const NOT_READ: &str = "only webhooks with basic_auth, authorization, bearer_token, ca, server_name, \
                        insecure_skip_verify, proxy_url and http_headers are";

/// How an `http_config` that is not given is printed.
pub(super) fn default_printed() -> Out {
    let mut printed = Fields::default();
    printed.put("follow_redirects", Out::Bare("true".into()));
    printed.put("enable_http2", Out::Bare("true".into()));
    printed.done()
}

/// Reads an `http_config`; what it does not say is the default, not what `global` says (reference behaviour).
pub(super) fn read(node: &Node, path: &str) -> Result<(Arc<HttpConfig>, Out), ConfigError> {
    let section = Section::open(node, path, "config.plain", &FIELDS)?;
    let mut printed = Fields::default();
    let basic_auth = read_basic_auth(&section, &mut printed)?;
    let authorization = read_authorization(&section, basic_auth.is_some(), &mut printed)?;
    if section.get("oauth2").is_some() {
        return Err(section.unsupported("oauth2", NOT_READ));
    }
    let mut tls = TlsConfig::default();
    if let Some(node) = section.get("tls_config") {
        let (read, out) = tls_read::read(node, &section.path("tls_config"))?;
        if read != TlsConfig::default() {
            printed.put("tls_config", out);
        }
        tls = read;
    }
    let follow_redirects = section.flag("follow_redirects", true)?;
    let enable_http2 = section.flag("enable_http2", true)?;
    printed.put("follow_redirects", Out::Bare(follow_redirects.to_string()));
    printed.put("enable_http2", Out::Bare(enable_http2.to_string()));
    let proxy_url = read_proxy(&section, &mut printed)?;
    let headers = read_headers(&section, &mut printed)?;
    let config = HttpConfig { basic_auth, authorization, follow_redirects, enable_http2, proxy_url, tls, headers };
    Ok((Arc::new(config), printed.done()))
}

fn read_basic_auth(section: &Section<'_>, printed: &mut Fields) -> Result<Option<BasicAuth>, ConfigError> {
    let Some(node) = section.get("basic_auth") else { return Ok(None) };
    const NAMES: [&str; 6] = ["username", "username_file", "username_ref", "password", "password_file", "password_ref"];
    let auth = Section::open(node, &section.path("basic_auth"), "config.plain", &NAMES)?;
    for (name, file, reference) in [(NAMES[0], NAMES[1], NAMES[2]), (NAMES[3], NAMES[4], NAMES[5])] {
        at_most_one(
            &auth,
            &[name, file, reference],
            &format!("at most one of basic_auth {name}, {file} & {reference} must be configured"),
        )?;
        if is_set(&auth, reference)? {
            return Err(auth.unsupported(reference, "there is no secret manager"));
        }
    }
    let mut out = Fields::default();
    out.put_some("username", Out::text(auth.text("username")?.unwrap_or_default()));
    out.put_some("username_file", Out::text(auth.text("username_file")?.unwrap_or_default()));
    put_secret(&auth, "password", &mut out)?;
    out.put_some("password_file", Out::text(auth.text("password_file")?.unwrap_or_default()));
    printed.put("basic_auth", out.done());
    let username = source(&auth, "username", "username_file")?;
    let username = username.unwrap_or_else(|| SecretSource::Inline(Secret::default()));
    Ok(Some(BasicAuth { username, password: source(&auth, "password", "password_file")? }))
}

fn read_authorization(
    section: &Section<'_>,
    basic_auth: bool,
    printed: &mut Fields,
) -> Result<Option<Authorization>, ConfigError> {
    let bearer = ["bearer_token", "bearer_token_file"];
    at_most_one(section, &bearer, "at most one of bearer_token & bearer_token_file must be configured")?;
    let bearer = source(section, "bearer_token", "bearer_token_file")?;
    if bearer.is_some() && (basic_auth || section.get("oauth2").is_some()) {
        let message = "at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured";
        return Err(section.error("basic_auth", message));
    }
    let Some(node) = section.get("authorization") else {
        let Some(credentials) = bearer else { return Ok(None) };
        printed.put("authorization", authorization_printed("Bearer", Some(&credentials)));
        return Ok(Some(Authorization { kind: "Bearer".into(), credentials: Some(credentials) }));
    };
    const NAMES: [&str; 4] = ["type", "credentials", "credentials_file", "credentials_ref"];
    let auth = Section::open(node, &section.path("authorization"), "config.Authorization", &NAMES)?;
    if bearer.is_some() {
        let message = "authorization is not compatible with bearer_token & bearer_token_file";
        return Err(section.error("authorization", message));
    }
    let message = "at most one of authorization credentials & credentials_file must be configured";
    at_most_one(&auth, &["credentials", "credentials_file", "credentials_ref"], message)?;
    let kind = match auth.text("type")?.unwrap_or_default().trim() {
        "" => "Bearer",
        kind => kind,
    };
    if kind.eq_ignore_ascii_case("basic") {
        let message = "authorization type cannot be set to \"basic\", use \"basic_auth\" instead";
        return Err(auth.error("type", message));
    }
    if basic_auth || section.get("oauth2").is_some() {
        let message = "at most one of basic_auth, oauth2 & authorization must be configured";
        return Err(section.error("authorization", message));
    }
    if is_set(&auth, "credentials_ref")? {
        return Err(auth.unsupported("credentials_ref", "there is no secret manager"));
    }
    let credentials = source(&auth, "credentials", "credentials_file")?;
    printed.put("authorization", authorization_printed(kind, credentials.as_ref()));
    Ok(Some(Authorization { kind: kind.to_owned(), credentials }))
}

fn authorization_printed(kind: &str, credentials: Option<&SecretSource>) -> Out {
    let mut out = Fields::default();
    out.put("type", Out::text(kind));
    match credentials {
        Some(SecretSource::Inline(_)) => out.put("credentials", Out::text(HIDDEN)),
        Some(SecretSource::File(file)) => out.put("credentials_file", Out::text(file)),
        None => {}
    }
    out.done()
}

fn read_proxy(section: &Section<'_>, printed: &mut Fields) -> Result<Option<Secret>, ConfigError> {
    for name in ["no_proxy", "proxy_connect_header"] {
        if section.get(name).is_some() {
            return Err(section.unsupported(name, NOT_READ));
        }
    }
    if section.flag("proxy_from_environment", false)? {
        return Err(section.unsupported("proxy_from_environment", NOT_READ));
    }
    let Some(text) = section.text("proxy_url")? else { return Ok(None) };
    if text.is_empty() {
        printed.put("proxy_url", Out::text(""));
        return Ok(None);
    }
    let parts = url::split(text).map_err(|message| section.error("proxy_url", message))?;
    if !["http", "https", "socks5"].contains(&parts.scheme.as_str()) || parts.host.is_empty() {
        return Err(section.error("proxy_url", "proxy_url must be an http, https or socks5 URL with a host"));
    }
    printed.put("proxy_url", Out::text(parts.redacted()));
    Ok(Some(Secret::new(text)))
}

fn read_headers(section: &Section<'_>, printed: &mut Fields) -> Result<BTreeMap<Arc<str>, HeaderValues>, ConfigError> {
    let (mut headers, mut out) = (BTreeMap::new(), Vec::new());
    for (name, node, path) in section.map("http_headers", "config.Headers")? {
        let canonical = canonical_header(name);
        if RESERVED_HEADERS.contains(&canonical.as_str()) {
            return Err(node.error(&path, format!("setting header \"{canonical}\" is not allowed")));
        }
        let header = Section::open(node, &path, "config.Header", &["values", "secrets", "files"])?;
        let texts = |name| Ok(header.texts(name)?.unwrap_or_default().into_iter().map(|(t, _, _)| t.to_owned()));
        let values = HeaderValues {
            values: texts("values")?.collect(),
            secrets: texts("secrets")?.map(Secret::new).collect(),
            files: texts("files")?.collect(),
        };
        let hidden = |s: &Secret| if s.is_empty() { Out::Null } else { Out::text(HIDDEN) };
        let mut fields = Fields::default();
        fields.put_some("values", Out::texts(&values.values));
        fields.put_some("secrets", Out::List(values.secrets.iter().map(hidden).collect()));
        fields.put_some("files", Out::texts(&values.files));
        out.push((name.to_owned(), fields.done()));
        headers.insert(Arc::from(name), values);
    }
    if section.get("http_headers").is_some() {
        printed.put("http_headers", Out::Map(out));
    }
    Ok(headers)
}

/// `x-foo` as `X-Foo`; names with other characters than those of a token stay as they are.
fn canonical_header(name: &str) -> String {
    if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)) {
        return name.to_owned();
    }
    let mut upper = true;
    let turn = |c: char| {
        let turned = if upper { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
        upper = c == '-';
        turned
    };
    name.chars().map(turn).collect()
}

/// Whether a text is given and not empty.
pub(super) fn is_set(section: &Section<'_>, name: &str) -> Result<bool, ConfigError> {
    Ok(section.text(name)?.is_some_and(|text| !text.is_empty()))
}

/// Refuses a second one of some texts.
pub(super) fn at_most_one(section: &Section<'_>, names: &[&str], message: &str) -> Result<(), ConfigError> {
    let mut found = false;
    for name in names {
        if is_set(section, name)? {
            if found {
                return Err(section.error(name, message));
            }
            found = true;
        }
    }
    Ok(())
}

fn source(section: &Section<'_>, inline: &str, file: &str) -> Result<Option<SecretSource>, ConfigError> {
    if is_set(section, inline)? {
        return Ok(section.text(inline)?.map(|text| SecretSource::Inline(Secret::new(text))));
    }
    if is_set(section, file)? {
        return Ok(section.text(file)?.map(|file| SecretSource::File(file.to_owned())));
    }
    Ok(None)
}

fn put_secret(section: &Section<'_>, name: &'static str, out: &mut Fields) -> Result<(), ConfigError> {
    if is_set(section, name)? {
        out.put(name, Out::text(HIDDEN));
    }
    Ok(())
}
