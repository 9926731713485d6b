//! Reads and checks `http_config`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::ConfigError;
use super::form::Form;
use super::http::{Authorization, BasicAuth, HeaderValues, HttpConfig, SecretSource};
use super::node::Node;
use super::out::{Fields, Out};
use super::paths::Directory;
use super::secret::{HIDDEN, Secret};
use super::section::{Section, texts_in};
use super::tls_read::{NO_SECRET_MANAGER, file};
use super::{oauth2, proxy, tls_read};

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

/// How an `http_config` that is not given is printed.
pub(super) fn default_printed() -> Out {
    let mut printed = Fields::default();
    printed.put("follow_redirects", Out::Bare("true".into()));
    printed.put("enable_http2", Out::Bare("true".into()));
    printed.done()
}

/// Reads an `http_config`; what it does not say is the default, not what `global` says (reference behaviour).
/// `directory`: from which its files count.
pub(super) fn read(node: &Node, path: &str, directory: &Directory) -> Result<(HttpConfig, Out), ConfigError> {
    let mut form = Form::open(node, path, "config.plain")?;
    let basic_auth = read_basic_auth(&mut form, directory)?;
    let authorization = read_authorization(&mut form, directory)?;
    let mut token = None;
    if let Some(node) = form.node("oauth2") {
        let (read, out) = oauth2::read(node, &form.path("oauth2"), directory)?;
        form.printed().put("oauth2", out);
        token = Some(read);
    }
    let bearer = (Some(form.raw("bearer_token")?), Some(directory.join(&form.raw("bearer_token_file")?)));
    let bearer = (bearer.0.filter(|text| !text.is_empty()), bearer.1.filter(|text| !text.is_empty()));
    let tls = tls_read::field(&mut form, directory)?;
    let follow_redirects = form.flag("follow_redirects", true)?;
    let enable_http2 = form.flag("enable_http2", true)?;
    let proxy = proxy::read(&mut form)?;
    let headers = read_headers(&mut form, directory)?;
    form.complete()?;

    let message = "at most one of bearer_token & bearer_token_file must be configured";
    form.refuse_if(bearer.0.is_some() && bearer.1.is_some(), "bearer_token_file", message)?;
    let has_bearer = bearer.0.is_some() || bearer.1.is_some();
    let message = "at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured";
    form.refuse_if(has_bearer && (basic_auth.is_some() || token.is_some()), "basic_auth", message)?;
    let message = "authorization is not compatible with bearer_token & bearer_token_file";
    form.refuse_if(has_bearer && authorization.is_some(), "authorization", message)?;
    let others =
        [(basic_auth.is_some(), "basic_auth"), (authorization.is_some(), "authorization"), (token.is_some(), "oauth2")];
    let message = "at most one of basic_auth, oauth2 & authorization must be configured";
    form.at_most_one(others, message)?;
    let authorization = match SecretSource::of(bearer.0.map(Secret::new), bearer.1) {
        Some(credentials) => {
            let authorization = Authorization { kind: "Bearer".into(), credentials: Some(credentials) };
            form.printed().insert_after(&["basic_auth"], "authorization", authorization_printed(&authorization));
            Some(authorization)
        }
        None => authorization,
    };
    let proxy = proxy.checked(&form)?;
    for name in headers.keys() {
        let canonical = canonical_header(name);
        let message = format!("setting header \"{canonical}\" is not allowed");
        form.refuse_if(RESERVED_HEADERS.contains(&canonical.as_str()), "http_headers", &message)?;
    }
    let config =
        HttpConfig { basic_auth, authorization, oauth2: token, follow_redirects, enable_http2, proxy, tls, headers };
    Ok((config, form.done()?))
}

fn read_basic_auth(form: &mut Form<'_>, directory: &Directory) -> Result<Option<BasicAuth>, ConfigError> {
    let Some(node) = form.node("basic_auth") else { return Ok(None) };
    let mut auth = Form::open(node, &form.path("basic_auth"), "config.plain")?;
    let username = auth.text("username", "")?;
    let username_file = file(&mut auth, "username_file", directory)?;
    let username_reference = auth.raw("username_ref")?;
    let password = auth.secret("password")?;
    let password_file = file(&mut auth, "password_file", directory)?;
    let password_reference = auth.raw("password_ref")?;
    auth.complete()?;

    let users = [
        (!username.is_empty(), "username"),
        (username_file.is_some(), "username_file"),
        (!username_reference.is_empty(), "username_ref"),
    ];
    let message = "at most one of basic_auth username, username_file & username_ref must be configured";
    auth.at_most_one(users, message)?;
    let passwords = [
        (password.is_some(), "password"),
        (password_file.is_some(), "password_file"),
        (!password_reference.is_empty(), "password_ref"),
    ];
    let message = "at most one of basic_auth password, password_file & password_ref must be configured";
    auth.at_most_one(passwords, message)?;
    auth.refuse_if(users[2].0, "username_ref", NO_SECRET_MANAGER)?;
    auth.refuse_if(passwords[2].0, "password_ref", NO_SECRET_MANAGER)?;
    let username = match username_file {
        Some(path) => SecretSource::File(path),
        None => SecretSource::Inline(Secret::new(username)),
    };
    let printed = auth.done()?;
    form.printed().put("basic_auth", printed);
    Ok(Some(BasicAuth { username, password: SecretSource::of(password, password_file) }))
}

fn read_authorization(form: &mut Form<'_>, directory: &Directory) -> Result<Option<Authorization>, ConfigError> {
    let Some(node) = form.node("authorization") else { return Ok(None) };
    let mut auth = Form::open(node, &form.path("authorization"), "config.Authorization")?;
    let kind = auth.raw("type")?;
    let inline = auth.secret("credentials")?;
    let in_file = file(&mut auth, "credentials_file", directory)?;
    let reference = auth.raw("credentials_ref")?;
    auth.complete()?;

    let given = [
        (inline.is_some(), "credentials"),
        (in_file.is_some(), "credentials_file"),
        (!reference.is_empty(), "credentials_ref"),
    ];
    let message = "at most one of authorization credentials & credentials_file must be configured";
    auth.at_most_one(given, message)?;
    let kind = Some(kind.trim()).filter(|kind| !kind.is_empty()).unwrap_or("Bearer").to_owned();
    let message = "authorization type cannot be set to \"basic\", use \"basic_auth\" instead";
    auth.refuse_if(kind.to_lowercase() == "basic", "type", message)?;
    auth.refuse_if(given[2].0, "credentials_ref", NO_SECRET_MANAGER)?;
    let authorization = Authorization { kind, credentials: SecretSource::of(inline, in_file) };
    form.printed().put("authorization", authorization_printed(&authorization));
    Ok(Some(authorization))
}

/// How it is printed.
pub(super) fn authorization_printed(authorization: &Authorization) -> Out {
    let mut out = Fields::default();
    out.put("type", Out::text(&authorization.kind));
    match &authorization.credentials {
        Some(SecretSource::Inline(_)) => out.put("credentials", Out::text(HIDDEN)),
        Some(SecretSource::File(file)) => out.put("credentials_file", Out::text(file)),
        None => {}
    }
    out.done()
}

/// Reads `http_headers`, not yet judging their names.
fn read_headers(form: &mut Form<'_>, directory: &Directory) -> Result<BTreeMap<Arc<str>, HeaderValues>, ConfigError> {
    let given = form.node("http_headers").is_some();
    let entries = form.entries("http_headers", "config.Headers")?;
    let (headers, out) = headers(entries, directory)?;
    if given {
        form.printed().put("http_headers", out);
    }
    Ok(headers)
}

/// Headers by name, and how they are printed.
type Headers = (BTreeMap<Arc<str>, HeaderValues>, Out);

/// Reads the entries of a map of headers.
pub(super) fn headers(entries: Vec<(&str, &Node, String)>, directory: &Directory) -> Result<Headers, ConfigError> {
    let (mut headers, mut out) = (BTreeMap::new(), Vec::new());
    for (name, node, path) in entries {
        let header = Section::open(node, &path, "config.Header", &["values", "secrets", "files"])?;
        let texts = |name: &str, kind: &str, item: &str| -> Result<Vec<String>, ConfigError> {
            let Some(node) = header.get(name) else { return Ok(Vec::new()) };
            let texts = texts_in(node, &header.path(name), kind, item)?;
            Ok(texts.into_iter().map(|(text, _, _)| text.to_owned()).collect())
        };
        let values = HeaderValues {
            values: texts("values", "[]string", "string")?,
            secrets: texts("secrets", "[]config.Secret", "config.plain")?.into_iter().map(Secret::new).collect(),
            files: texts("files", "[]string", "string")?.iter().map(|path| directory.join(path)).collect(),
        };
        let mut fields = Fields::default();
        fields.put_some("values", Out::texts(&values.values));
        fields.put_some("secrets", proxy::hidden(&values.secrets));
        fields.put_some("files", Out::texts(&values.files));
        out.push((name.to_owned(), fields.done()));
        headers.insert(Arc::from(name), values);
    }
    Ok((headers, Out::Map(out)))
}

/// `x-foo` as `X-Foo`; names with other characters than those of a token stay as they are.
pub(super) fn canonical_header(name: &str) -> String {
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
