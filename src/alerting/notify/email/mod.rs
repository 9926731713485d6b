//! The e-mail integration: a MIME message with a text and an HTML part, and the dialogue that delivers it.

mod address;
mod dialogue;
mod encode;

use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::render::{Fields, Notification, Unsendable, hex};
use super::{Step, Then};
use crate::config::{EmailConfig, HostPort, Secret, SecretSource, Threading, TlsConfig};

pub use address::{AddressError, addresses};
pub use dialogue::{Act, Dialogue, DialogueError, Reply};
pub use encode::dotted;

/// A mail on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Who takes it.
    pub server: HostPort,
    /// Own name in the dialogue; empty: `localhost`.
    pub hello: String,
    /// TLS from the first byte on.
    pub implicit_tls: bool,
    /// Otherwise no mail goes out before STARTTLS.
    pub require_tls: bool,
    /// TLS towards the server.
    pub tls: TlsConfig,
    /// `None`: without authentication.
    pub login: Option<Login>,
    /// Address.
    pub from: String,
    /// Addresses.
    pub to: Vec<String>,
    /// Headers and body.
    pub message: Bytes,
    /// For log and metrics, e.g. `team-x/email[0]`.
    pub integration: Arc<str>,
}

/// With what the sender proves itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Not empty.
    pub username: String,
    /// For PLAIN; may be empty.
    pub identity: String,
    /// For PLAIN and LOGIN.
    pub password: Option<Secret>,
    /// For CRAM-MD5.
    pub secret: Option<Secret>,
}

/// The files that a mail takes.
pub(super) fn files(config: &EmailConfig) -> [Option<&SecretSource>; 2] {
    match config.auth_username.is_empty() {
        true => [None, None],
        false => [config.auth_password.as_ref(), config.auth_secret.as_ref()],
    }
}

/// The mail for a notification.
///
/// # Errors
/// When a template fails, or an address is none.
pub(super) fn request(config: &EmailConfig, of: &Notification<'_>) -> Result<Step, Unsendable> {
    let fields = of.fields();
    let listed = |field: &'static str, template: &str| {
        let text = fields.text(field, template)?;
        addresses(&text).map_err(|source| Unsendable::Address { field, source })
    };
    let [from] = <[String; 1]>::try_from(listed("from", &config.from)?).map_err(|all| Unsendable::From(all.len()))?;
    let mail = Mail {
        server: config.smarthost.clone(),
        hello: config.hello.clone(),
        implicit_tls: config.force_implicit_tls.unwrap_or(config.smarthost.port == "465"),
        require_tls: config.require_tls,
        tls: config.tls.clone(),
        login: login(config, of)?,
        from,
        to: listed("to", &config.to)?,
        message: message(config, of, &fields)?.into(),
        integration: of.integration.clone(),
    };
    Ok(Step { request: mail.into(), then: Then::Status })
}

fn login(config: &EmailConfig, of: &Notification<'_>) -> Result<Option<Login>, Unsendable> {
    if config.auth_username.is_empty() {
        return Ok(None);
    }
    let password = config.auth_password.as_ref().map(|source| of.secret(source)).transpose()?;
    let secret = config.auth_secret.as_ref().map(|source| of.secret_as_is(source)).transpose()?;
    let some = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(Secret::new);
    Ok(Some(Login {
        username: config.auth_username.clone(),
        identity: config.auth_identity.clone(),
        password: some(password),
        secret: some(secret),
    }))
}

fn message(config: &EmailConfig, of: &Notification<'_>, fields: &Fields<'_>) -> Result<String, Unsendable> {
    let now = of.data.now;
    let text = match config.text.as_str() {
        "" => None,
        template => Some(fields.text("text", template)?),
    };
    let html = match config.html.as_str() {
        "" => None,
        template => Some(fields.html("html", template)?),
    };
    let mut message = String::new();
    let mut put = |name: &str, value: &str| {
        for part in [name, ": ", value, "\r\n"] {
            message.push_str(part);
        }
    };
    let defaults =
        [("Subject", r#"{{ template "email.default.subject" . }}"#), ("To", &config.to), ("From", &config.from)];
    for (name, template) in defaults.into_iter().filter(|(name, _)| !config.headers.contains_key(*name)) {
        put(name, &encode::header(&fields.text("headers", template)?));
    }
    for (name, template) in &config.headers {
        put(name, &encode::header(&fields.text("headers", template)?));
    }
    // of the moment, the group and the integration: no two mails have the same
    let seed = Sha256::new()
        .chain_update(now.as_nanos().to_le_bytes())
        .chain_update(of.data.group_key.as_bytes())
        .chain_update([0])
        .chain_update(of.integration.as_bytes())
        .finalize();
    if !config.headers.contains_key("Message-Id") {
        let number = seed.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        put("Message-Id", &format!("<{}.{number}@{}>", now.as_nanos(), host(&of.data.external_url)));
    }
    if let Some(threading) = config.threading {
        let day = match threading {
            Threading::Always => String::new(),
            Threading::Daily => now.date(),
        };
        let hash = of.key_hash();
        let root = format!("<alert-{}-{day}@alertmanager>", hash.get(..16).unwrap_or(&hash));
        put("References", &root);
        put("In-Reply-To", &root);
    }
    let boundary = hex(seed.get(..30).unwrap_or(&seed));
    put("Date", &now.rfc5322());
    // one space too many, as the reference has it
    put("Content-Type", &format!("multipart/alternative;  boundary={boundary}"));
    put("MIME-Version", "1.0");
    message.push_str("\r\n");
    let mut line_break = "";
    // the last one is preferred (RFC 2046, section 5.1.4)
    for (kind, body) in [("plain", text), ("html", html)] {
        let Some(body) = body else { continue };
        message.push_str(line_break);
        message.push_str("--");
        message.push_str(&boundary);
        message.push_str("\r\nContent-Transfer-Encoding: quoted-printable\r\nContent-Type: text/");
        message.push_str(kind);
        message.push_str("; charset=UTF-8\r\n\r\n");
        encode::quoted_printable(&body, &mut message);
        line_break = "\r\n";
    }
    message.push_str("\r\n--");
    message.push_str(&boundary);
    message.push_str("--\r\n");
    Ok(message)
}

/// Where this program is, as its links say.
fn host(external_url: &str) -> &str {
    let rest = external_url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match host.strip_prefix('[') {
        Some(inner) => inner.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    if host.is_empty() { "localhost.localdomain" } else { host }
}

#[cfg(test)]
mod tests;
