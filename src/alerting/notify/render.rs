//! What a request is made from: the data of a notification and the templates that show it.

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::email::AddressError;
use super::webhook::go_json;
use super::{Data, Files, REPLY_LOGGED, Request, Step, Then, Verdict};
use crate::config::{HttpConfig, Secret, SecretSource, UrlSource};
use crate::label::LabelSet;
use crate::nflog::ReceiverData;
use crate::template::{self, TemplateError, Templates};

/// A notification on its way to one integration.
#[derive(Debug, Clone, Copy)]
pub struct Notification<'a> {
    /// What it is about.
    pub data: &'a Data,
    /// Those of the config.
    pub templates: &'a Templates,
    /// For log and metrics, e.g. `team-x/webhook[0]`.
    pub integration: &'a Arc<str>,
    /// What the last one for the same incident left behind.
    pub stored: &'a ReceiverData,
    /// What the integration has learned in the last [`super::TOKEN_LIFE`].
    pub token: Option<&'a Secret>,
    /// Contents of [`super::files`].
    pub files: &'a Files,
}

/// Why no request can be made; another attempt would be in vain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsendable {
    /// A text of the config can't be rendered with this data.
    #[error("rendering `{field}`")]
    Template {
        /// Name of the field in the config.
        field: &'static str,
        /// Why.
        #[source]
        source: TemplateError,
    },
    /// A file that it takes was not read.
    #[error("the file `{0}` was not read")]
    File(String),
    /// A file that should hold a number doesn't.
    #[error("the file `{0}` holds no whole number")]
    NoNumber(String),
    /// JSON has no such number.
    #[error("a number of `{0}` is infinite or none")]
    Number(&'static str),
    /// A text is not the JSON that it should be.
    #[error("`{0}` is no JSON after rendering")]
    Json(&'static str),
    /// A text that must not be empty is, after rendering.
    #[error("`{0}` is empty after rendering")]
    Empty(&'static str),
    /// A text is not the list of mail addresses that it should be.
    #[error("`{field}` after rendering")]
    Address {
        /// Name of the field in the config.
        field: &'static str,
        /// Why.
        #[source]
        source: AddressError,
    },
    /// One of these which counts as the client's mistake: so it does for SNS (reference behaviour).
    #[error(transparent)]
    Client(Box<Self>),
    /// A mail has one sender.
    #[error("`from` after rendering must be exactly one address, not {0}")]
    From(usize),
}

impl Unsendable {
    /// Label of the failure metric.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Client(_) => "clientError",
            _ => "other",
        }
    }

    /// The end of an attempt.
    pub(super) fn verdict(&self) -> Verdict {
        Verdict::GiveUp { reason: self.reason(), error: self.text() }
    }

    /// With the cause, for the log.
    pub fn text(&self) -> String {
        match self {
            Self::Template { source, .. } => format!("{self}: {source}"),
            Self::Client(inner) => inner.text(),
            Self::Address { source, .. } => format!("{self}: {source}"),
            _ => self.to_string(),
        }
    }
}

/// Renders the fields of one integration.
pub(super) struct Fields<'a> {
    templates: &'a Templates,
    data: template::Data,
}

impl<'a> Fields<'a> {
    pub(super) fn new(templates: &'a Templates, data: &Data) -> Self {
        Self { templates, data: template::Data::new(data) }
    }

    pub(super) fn text(&self, field: &'static str, template: &str) -> Result<String, Unsendable> {
        self.templates.text(template, &self.data).map_err(|source| Unsendable::Template { field, source })
    }

    /// The text of a field that is HTML.
    pub(super) fn html(&self, field: &'static str, template: &str) -> Result<String, Unsendable> {
        self.templates.html(template, &self.data).map_err(|source| Unsendable::Template { field, source })
    }

    /// Those that all alerts share.
    pub(super) fn common_labels(&self) -> &LabelSet {
        self.data.common_labels()
    }

    /// Nothing where it can't be rendered.
    pub(super) fn text_or_nothing(&self, template: &str) -> String {
        self.templates.text(template, &self.data).unwrap_or_default()
    }
}

/// In lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl<'a> Notification<'a> {
    pub(super) fn fields(&self) -> Fields<'a> {
        Fields::new(self.templates, self.data)
    }

    /// Whether one of the alerts fires.
    pub(super) fn firing(&self) -> bool {
        self.data.alerts.iter().any(|alert| !alert.resolved_at(self.data.now))
    }

    /// The URL itself; that of a file trimmed.
    pub(super) fn url(&self, source: &UrlSource) -> Result<Secret, Unsendable> {
        match source {
            UrlSource::Inline(url) => Ok(url.clone()),
            UrlSource::File(path) => Ok(Secret::new(self.file(path)?.trim())),
        }
    }

    /// The secret itself; that of a file trimmed.
    pub(super) fn secret<'b>(&'b self, source: &'b SecretSource) -> Result<&'b str, Unsendable> {
        match source {
            SecretSource::Inline(secret) => Ok(secret.expose()),
            SecretSource::File(path) => Ok(self.file(path)?.trim()),
        }
    }

    /// The secret itself; that of a file as it is.
    pub(super) fn secret_as_is<'b>(&'b self, source: &'b SecretSource) -> Result<&'b str, Unsendable> {
        match source {
            SecretSource::Inline(secret) => Ok(secret.expose()),
            SecretSource::File(path) => self.file(path),
        }
    }

    /// SHA-256 of the group key in hexadecimal digits: what receivers tell incidents apart by.
    pub(super) fn key_hash(&self) -> String {
        hex(&Sha256::digest(self.data.group_key.as_bytes()))
    }

    /// What is in a file.
    pub(super) fn file(&self, path: &str) -> Result<&str, Unsendable> {
        self.files.get(path).map(String::as_str).ok_or_else(|| Unsendable::File(path.to_owned()))
    }

    /// A `POST` of JSON to which nothing is added.
    pub(super) fn post(&self, url: Secret, http: &Arc<HttpConfig>, message: &impl Serialize) -> Step {
        Step { request: self.json("POST", url, http, message).into(), then: Then::Status }
    }

    /// A request with JSON, of whose response the status counts.
    pub(super) fn json(
        &self,
        method: &'static str,
        url: Secret,
        http: &Arc<HttpConfig>,
        message: &impl Serialize,
    ) -> Request {
        let request = request_of(method, url, go_json(message), http, self.integration);
        Request { headers: vec![("Content-Type", "application/json".into())], ..request }
    }
}

/// A request without headers.
pub(super) fn request_of(
    method: &'static str,
    url: Secret,
    body: Bytes,
    http: &Arc<HttpConfig>,
    integration: &Arc<str>,
) -> Request {
    Request {
        method,
        url,
        headers: Vec::new(),
        secret_headers: Vec::new(),
        body,
        http: http.clone(),
        sign: None,
        integration: integration.clone(),
        reply_max: REPLY_LOGGED,
    }
}
