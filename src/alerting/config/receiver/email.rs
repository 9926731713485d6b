//! Email.

use std::collections::BTreeMap;

use super::super::error::ConfigError;
use super::super::form::Form;
use super::super::global::Global;
use super::super::host_port::HostPort;
use super::super::http::{SecretSource, TlsConfig};
use super::super::http_read::canonical_header;
use super::super::out::{Fields, Out};
use super::super::paths::Directory;
use super::super::tls_read;
use super::Settings;

/// Settings of a mail. Addresses, headers and texts are templates.
#[derive(Clone, Debug)]
pub struct EmailConfig {
    /// Addresses; not empty.
    pub to: String,
    /// Address; not empty.
    pub from: String,
    /// Own name in the dialogue.
    pub hello: String,
    /// The server.
    pub smarthost: HostPort,
    /// Empty: no authentication.
    pub auth_username: String,
    /// For PLAIN and LOGIN.
    pub auth_password: Option<SecretSource>,
    /// For CRAM-MD5; a file is not trimmed.
    pub auth_secret: Option<SecretSource>,
    /// For PLAIN.
    pub auth_identity: String,
    /// Canonical names; `Subject`, `To` and `From` only if given.
    pub headers: BTreeMap<String, String>,
    /// An HTML template.
    pub html: String,
    /// Empty: no such part.
    pub text: String,
    /// Whether a server without STARTTLS is refused.
    pub require_tls: bool,
    /// TLS towards the server; files count from the working directory.
    pub tls: TlsConfig,
    /// Whether TLS begins at once; `None`: on port 465.
    pub force_implicit_tls: Option<bool>,
    /// Whether mails of a group form a thread.
    pub threading: Option<Threading>,
}

/// What belongs to one thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threading {
    /// All mails of a group.
    Always,
    /// Those of a day.
    Daily,
}

pub(super) fn read(form: &mut Form<'_>, global: &mut Global) -> Result<Settings, ConfigError> {
    let smtp = &global.smtp;
    let to = form.text("to", "")?;
    let from = form.text_or("from", &smtp.from)?;
    let hello = form.text_or("hello", &smtp.hello)?;
    let smarthost = HostPort::parse(&form.raw("smarthost")?).map_err(|message| form.error("smarthost", message))?;
    let smarthost = if smarthost.is_empty() { smtp.smarthost.clone() } else { smarthost };
    form.printed().put_some("smarthost", Out::text(smarthost.to_string()));
    let auth_username = form.text_or("auth_username", &smtp.username)?;
    let own = !form.is_set("auth_password") && !form.is_set("auth_password_file");
    let inherited = if own { smtp.password.clone() } else { Default::default() };
    let password = form.secret_or("auth_password", inherited.inline.as_ref())?;
    let password_file = form.file_or("auth_password_file", inherited.file.as_ref())?;
    let secret = form.secret_or("auth_secret", smtp.secret.inline.as_ref())?;
    let secret_file = form.file_or("auth_secret_file", smtp.secret.file.as_ref())?;
    let auth_identity = form.text_or("auth_identity", &smtp.identity)?;
    let written = form.raw_text_map("headers")?;
    let headers: BTreeMap<String, String> =
        written.iter().map(|(name, value)| (canonical_header(name), value.clone())).collect();
    form.printed().put_some("headers", Out::text_map(headers.iter().map(|(k, v)| (&**k, &**v))));
    let html = form.text("html", r#"{{ template "email.default.html" . }}"#)?;
    let text = form.text("text", "")?;
    let require_tls = form.optional_flag("require_tls", Some(smtp.require_tls))?.unwrap_or(smtp.require_tls);
    let (tls, tls_printed) = match form.node("tls_config") {
        Some(node) => {
            let (tls, out) = tls_read::read(node, &form.path("tls_config"), &Directory::default())?;
            (tls, Some(out))
        }
        None => (smtp.tls.clone(), smtp.tls_printed.clone()),
    };
    form.printed().put_some("tls_config", tls_printed.unwrap_or(Out::Null));
    let force_implicit_tls = form.optional_flag("force_implicit_tls", smtp.force_implicit_tls)?;
    let (enabled, by_date) = read_threading(form)?;
    form.complete()?;
    form.refuse_if(to.is_empty(), "to", "missing to address in email config")?;
    let mut seen = std::collections::BTreeSet::new();
    for name in written.keys() {
        let canonical = canonical_header(name);
        let message = format!("duplicate header \"{canonical}\" in email config");
        form.refuse_if(!seen.insert(canonical), "headers", &message)?;
    }
    let threading = check_threading(form, enabled, &by_date, &headers)?;
    form.refuse_if(smarthost.is_empty(), "", "no global SMTP smarthost set")?;
    form.refuse_if(from.is_empty(), "", "no global SMTP from set")?;
    Ok(Settings::Email(EmailConfig {
        to,
        from,
        hello,
        smarthost,
        auth_username,
        auth_password: SecretSource::of(password, password_file),
        auth_secret: SecretSource::of(secret, secret_file),
        auth_identity,
        headers,
        html,
        text,
        require_tls,
        tls,
        force_implicit_tls,
        threading,
    }))
}

fn read_threading(form: &mut Form<'_>) -> Result<(bool, String), ConfigError> {
    let Some(node) = form.node("threading") else { return Ok((false, String::new())) };
    let mut threading = Form::open(node, &form.path("threading"), "config.ThreadingConfig")?;
    let enabled = threading.switch("enabled")?;
    let by_date = threading.text("thread_by_date", "")?;
    let fields = Fields::of(threading.done()?);
    form.printed().put_some("threading", fields.done());
    Ok((enabled, by_date))
}

fn check_threading(
    form: &Form<'_>,
    enabled: bool,
    by_date: &str,
    headers: &BTreeMap<String, String>,
) -> Result<Option<Threading>, ConfigError> {
    if !enabled {
        return Ok(None);
    }
    for name in ["References", "In-Reply-To"] {
        let message = format!("conflicting configuration: threading.enabled conflicts with custom {name} header");
        form.refuse_if(headers.contains_key(name), "headers", &message)?;
    }
    match by_date {
        "none" => Ok(Some(Threading::Always)),
        "daily" => Ok(Some(Threading::Daily)),
        _ => Err(form.error("threading", "threading.thread_by_date must be either 'none' or 'daily'")),
    }
}
