//! What a request is made from: the data of a notification and the templates that show it.

use std::sync::Arc;

use serde::Serialize;

use super::webhook::go_json;
use super::{Data, Request};
use crate::config::{HttpConfig, UrlSource};
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
    /// The rendered URL is empty.
    #[error("the URL is empty after rendering")]
    EmptyUrl,
    /// Nothing sends this kind yet; `Config::unsupported` keeps such a config away.
    #[error("sending is not supported yet for this kind of integration")]
    Unsupported,
}

impl Unsendable {
    /// Label of the failure metric.
    pub fn reason(&self) -> &'static str {
        "other"
    }

    /// With the cause, for the log.
    pub fn text(&self) -> String {
        match self {
            Self::Template { source, .. } => format!("{self}: {source}"),
            Self::EmptyUrl | Self::Unsupported => self.to_string(),
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
}

impl<'a> Notification<'a> {
    pub(super) fn fields(&self) -> Fields<'a> {
        Fields::new(self.templates, self.data)
    }

    /// Whether one of the alerts fires.
    pub(super) fn firing(&self) -> bool {
        self.data.alerts.iter().any(|alert| !alert.resolved_at(self.data.now))
    }

    /// A `POST` of JSON.
    pub(super) fn post(&self, url: UrlSource, http: &Arc<HttpConfig>, message: &impl Serialize) -> Request {
        Request {
            method: "POST",
            url,
            headers: vec![("Content-Type", "application/json".into())],
            body: go_json(message),
            http: http.clone(),
            integration: self.integration.clone(),
        }
    }
}
