//! Reads and checks `http_config` and `tls_config`, and refuses the parts that this version cannot act on.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::ConfigError;
use super::http::{Authorization, BasicAuth, HeaderValues, HttpConfig, SecretSource, TlsConfig};
use super::node::Node;
use super::print::{Fields, Out};
use super::secret::{HIDDEN, Secret};
use super::section::Section;
use super::url;

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

const TLS_FIELDS: [&str; 13] = [
    "ca",
    "cert",
    "key",
    "ca_file",
    "cert_file",
    "key_file",
    "ca_ref",
    "cert_ref",
    "key_ref",
    "server_name",
    "insecure_skip_verify",
    "min_version",
    "max_version",
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

const NOT_READ: &str = "only webhooks with basic_auth, authorization, bearer_token, ca, server_name, \
                        insecure_skip_verify, proxy_url and http_headers are";

/// How an `http_config` that is not given is printed.
pub(super) fn default_printed() -> Out {
    let mut printed = Fields::default();
    printed.put("follow_redirects", Out::Bare("true".into()));
    printed.put("enable_http2", Out::Bare("true".into()));
    printed.done()
}

/// How a `tls_config` that is not given is printed, where it is at all.
pub(super) fn default_tls_printed() -> Out {
    let mut printed = Fields::default();
    printed.put("insecure_skip_verify", Out::Bare("false".into()));
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
        let (read, out) = read_tls(node, &section.path("tls_config"))?;
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

/// Checks a `tls_config` that nothing uses yet, and prints it.
pub(super) fn check_tls(node: &Node, path: &str) -> Result<Out, ConfigError> {
    read_tls(node, path).map(|(_, printed)| printed)
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

fn read_tls(node: &Node, path: &str) -> Result<(TlsConfig, Out), ConfigError> {
    let section = Section::open(node, path, "config.plain", &TLS_FIELDS)?;
    at_most_one(&section, &["ca", "ca_file", "ca_ref"], "at most one of ca, ca_file & ca_ref must be configured")?;
    let certificate = ["cert", "cert_file", "cert_ref"];
    at_most_one(&section, &certificate, "at most one of cert, cert_file & cert_ref must be configured")?;
    let key = ["key", "key_file", "key_ref"];
    at_most_one(&section, &key, "at most one of key and key_file must be configured")?;
    let any = |names: &[&str]| names.iter().try_fold(false, |found, name| Ok(found | is_set(&section, name)?));
    match (any(&certificate)?, any(&key)?) {
        (true, false) => {
            let message = "exactly one of key or key_file must be configured when a client certificate is configured";
            return Err(section.error("cert", message));
        }
        (false, true) => {
            let message = "exactly one of cert or cert_file must be configured when a client key is configured";
            return Err(section.error("key", message));
        }
        _ => {}
    }
    for name in ["cert", "cert_file", "key", "key_file", "min_version", "max_version"] {
        if is_set(&section, name)? {
            return Err(section.unsupported(name, NOT_READ));
        }
    }
    for name in ["ca_ref", "cert_ref", "key_ref"] {
        if is_set(&section, name)? {
            return Err(section.unsupported(name, "there is no secret manager"));
        }
    }
    let text = |name| Ok(section.text(name)?.filter(|text| !text.is_empty()).map(str::to_owned));
    let tls = TlsConfig {
        ca: text("ca")?,
        ca_file: text("ca_file")?,
        server_name: text("server_name")?,
        insecure_skip_verify: section.flag("insecure_skip_verify", false)?,
    };
    let mut out = Fields::default();
    for (name, value) in [("ca", &tls.ca), ("ca_file", &tls.ca_file), ("server_name", &tls.server_name)] {
        out.put_some(name, Out::text(value.as_deref().unwrap_or_default()));
    }
    out.put("insecure_skip_verify", Out::Bare(tls.insecure_skip_verify.to_string()));
    Ok((tls, out.done()))
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

fn is_set(section: &Section<'_>, name: &str) -> Result<bool, ConfigError> {
    Ok(section.text(name)?.is_some_and(|text| !text.is_empty()))
}

fn at_most_one(section: &Section<'_>, names: &[&str], message: &str) -> Result<(), ConfigError> {
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
