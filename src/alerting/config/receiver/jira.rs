//! Jira.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::super::error::ConfigError;
use super::super::form::Form;
use super::super::global::Global;
use super::super::http::HttpConfig;
use super::super::node::Content;
use super::super::out::{Fields, Out};
use super::super::url::ApiUrl;
use super::super::value::Value;
use super::{Settings, http};

/// Settings of a Jira project. Texts are templates, but for transitions and resolutions.
#[derive(Clone, Debug)]
pub struct JiraConfig {
    /// How to connect.
    pub http: Arc<HttpConfig>,
    /// With the version of the API.
    pub api_url: ApiUrl,
    /// Which kind of Jira it is.
    pub api_type: JiraApi,
    /// Not empty.
    pub project: String,
    /// Title.
    pub summary: JiraField,
    /// Text.
    pub description: JiraField,
    /// Of the issue.
    pub labels: Vec<String>,
    /// Of the issue.
    pub priority: String,
    /// Not empty.
    pub issue_type: String,
    /// Empty: closed issues stay closed.
    pub reopen_transition: String,
    /// Empty: issues stay open.
    pub resolve_transition: String,
    /// Issues with it are left alone; empty: none.
    pub wont_fix_resolution: String,
    /// For how long after its end an issue is opened again; 0: always.
    pub reopen_duration: Duration,
    /// Custom fields.
    pub fields: BTreeMap<String, Value>,
}

/// The kinds of Jira.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JiraApi {
    /// By the host.
    Auto,
    /// Atlassian's.
    Cloud,
    /// One's own.
    Datacenter,
}

/// A field that may be written once only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JiraField {
    /// Template.
    pub template: String,
    /// Whether it is written again when the issue is updated.
    pub enable_update: bool,
}

pub(super) fn read(form: &mut Form<'_>, global: &mut Global) -> Result<Settings, ConfigError> {
    let http = http(form, global)?;
    let api_url = form.url_or("api_url", global.jira_api_url.as_ref())?;
    let api_type = form.text("api_type", "auto")?;
    let project = form.text("project", "")?;
    let summary = field(form, "summary")?;
    let description = field(form, "description")?;
    let labels = form.texts("labels")?;
    let priority = form.text("priority", r#"{{ template "jira.default.priority" . }}"#)?;
    let issue_type = form.text("issue_type", "")?;
    let reopen_transition = form.text("reopen_transition", "")?;
    let resolve_transition = form.text("resolve_transition", "")?;
    let wont_fix_resolution = form.text("wont_fix_resolution", "")?;
    let reopen_duration = form.duration("reopen_duration")?;
    let fields = form.values("fields")?;
    form.complete()?;
    form.refuse_if(project.is_empty(), "project", "missing project in jira_config")?;
    form.refuse_if(issue_type.is_empty(), "issue_type", "missing issue_type in jira_config")?;
    let api_type = match api_type.as_str() {
        "auto" => JiraApi::Auto,
        "cloud" => JiraApi::Cloud,
        "datacenter" => JiraApi::Datacenter,
        _ => {
            let message = "unknown api_type on jira_config, must be auto, cloud or datacenter";
            return Err(form.error("api_type", message));
        }
    };
    let Some(api_url) = api_url else { return Err(form.error("", "no global Jira Cloud URL set")) };
    Ok(Settings::Jira(JiraConfig {
        http,
        api_url,
        api_type,
        project,
        summary,
        description,
        labels,
        priority,
        issue_type,
        reopen_transition,
        resolve_transition,
        wont_fix_resolution,
        reopen_duration,
        fields,
    }))
}

/// A template, or a mapping with one.
fn field(form: &mut Form<'_>, name: &'static str) -> Result<JiraField, ConfigError> {
    let default = format!(r#"{{{{ template "jira.default.{name}" . }}}}"#);
    let (template, update, out) = match form.node(name) {
        None if form.has(name) => (String::new(), None, Out::Null),
        None => (default.clone(), None, printed(&default)),
        Some(node) if matches!(node.content, Content::Scalar { .. }) => {
            let text = form.raw(name)?;
            let out = printed(&text);
            (text, None, out)
        }
        Some(node) => {
            let mut fields = Form::open(node, &form.path(name), "jira.plain")?;
            let template = fields.text("template", &default)?;
            let update = fields.optional_flag("enable_update", None)?;
            (template, update, fields.done()?)
        }
    };
    form.printed().put_some(name, out);
    Ok(JiraField { template, enable_update: update.unwrap_or(true) })
}

fn printed(template: &str) -> Out {
    let mut fields = Fields::default();
    fields.put_some("template", Out::text(template));
    fields.done()
}
