//! The Jira integration: the issue of the group is looked for, created or updated, and brought into the right state.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::answer::{by_status, logged};
use super::render::{Fields, Notification, Unsendable, request_of};
use super::value::Rendered;
use super::webhook::go_json;
use super::{REPLY_READ, Response, Step, Then, Verdict, truncate};
use crate::config::{ApiUrl, HttpConfig, JiraApi, JiraConfig, Secret};
use crate::label::GoQuoted;

/// Jira's limits, in characters.
const SUMMARY_MAX: usize = 255;
const DESCRIPTION_MAX: usize = 32767;

/// The category of statuses in which nothing is left to do.
const DONE: &str = "done";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Search<'a> {
    fields: [&'a str; 1],
    jql: &'a str,
    max_results: u8,
}

/// A field of an issue.
#[derive(Serialize)]
#[serde(untagged)]
enum Field {
    Text(String),
    Texts(Vec<String>),
    Key { key: String },
    Name(Named),
    Json(Box<RawValue>),
    Own(Rendered),
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct Named {
    #[serde(skip_serializing_if = "String::is_empty")]
    id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
}

#[derive(Serialize)]
struct Written<'a> {
    fields: &'a BTreeMap<String, Field>,
}

#[derive(Serialize)]
struct Transition<'a> {
    transition: &'a Named,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Found {
    issues: Option<Vec<Issue>>,
}

/// What Jira says of an issue.
#[derive(Deserialize, Debug, Clone, Default)]
#[serde(default)]
struct Issue {
    key: String,
    fields: Option<IssueFields>,
}

#[derive(Deserialize, Debug, Clone, Default)]
#[serde(default)]
struct IssueFields {
    status: Option<Status>,
}

#[derive(Deserialize, Debug, Clone, Default)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    status_category: Category,
}

#[derive(Deserialize, Debug, Clone, Default)]
#[serde(default)]
struct Category {
    key: String,
}

/// What follows the search.
#[derive(Debug, Clone)]
pub struct Plan {
    api_url: ApiUrl,
    http: Arc<HttpConfig>,
    integration: Arc<str>,
    firing: bool,
    /// By which the issue gets into the right state; empty: it is left as it is.
    transition: String,
    /// Bodies that create and that update the issue. Why there are none shows after the search (reference behaviour).
    bodies: Result<(Bytes, Bytes), Unsendable>,
    at: At,
}

/// Of what the answer is awaited.
#[derive(Debug, Clone)]
enum At {
    Search,
    Write(Option<Issue>),
    Transitions(String),
}

/// The request that looks for the issue.
///
/// # Errors
/// When the name of the project can't be rendered.
pub(super) fn request(config: &JiraConfig, of: &Notification<'_>) -> Result<Step, Unsendable> {
    let fields = of.fields();
    let firing = of.firing();
    let label = format!("ALERT{{{}}}", of.key_hash());
    let jql = jql(config, firing, &fields.text("project", &config.project)?, &label);
    let is_cloud = match config.api_type {
        JiraApi::Auto => config.api_url.host().ends_with("atlassian.net"),
        JiraApi::Cloud => true,
        JiraApi::Datacenter => false,
    };
    let url = match is_cloud {
        true => config.api_url.join("/search/jql").to_string().replacen("/rest/api/2/", "/rest/api/3/", 1),
        false => config.api_url.join("/search").to_string(),
    };
    let plan = Plan {
        api_url: config.api_url.clone(),
        http: config.http.clone(),
        integration: of.integration.clone(),
        firing,
        transition: if firing { &config.reopen_transition } else { &config.resolve_transition }.clone(),
        bodies: bodies(config, &fields, label),
        at: At::Search,
    };
    let search = Search { fields: ["status"], jql: &jql, max_results: 2 };
    Ok(plan.then(At::Search, "POST", url, go_json(&search)))
}

fn jql(config: &JiraConfig, firing: bool, project: &str, label: &str) -> String {
    let mut jql = String::new();
    if !config.wont_fix_resolution.is_empty() {
        let resolution = GoQuoted(&config.wont_fix_resolution);
        jql += &format!("(resolution is EMPTY or resolution != {resolution}) and ");
    }
    let minutes = config.reopen_duration.as_secs() / 60;
    jql += &if firing && !config.reopen_transition.is_empty() && minutes > 0 {
        format!("(resolutiondate is EMPTY OR resolutiondate >= -{minutes}m) and ")
    } else {
        "statusCategory != Done and ".to_owned()
    };
    let (project, label) = (GoQuoted(project), GoQuoted(label));
    jql + &format!("project={project} and labels={label} order by status ASC,resolutiondate DESC")
}

fn bodies(config: &JiraConfig, fields: &Fields<'_>, label: String) -> Result<(Bytes, Bytes), Unsendable> {
    let text = |name, template| fields.text(name, template);
    let summary = truncate::to_chars(text("summary", &config.summary.template)?, SUMMARY_MAX);
    let project = text("project", &config.project)?;
    let issue_type = text("issue_type", &config.issue_type)?;
    let own = Rendered::all(fields, "fields", &config.fields)?;
    let description = truncate::to_chars(text("description", &config.description.template)?, DESCRIPTION_MAX);
    let description = if config.api_url.path().trim_end_matches('/').ends_with("/3") {
        json(description.trim())?.map(Field::Json)
    } else {
        Some(description).filter(|text| !text.is_empty()).map(Field::Text)
    };
    let labels = config.labels.iter().map(|label| text("labels", label));
    let mut labels: Vec<String> = labels.chain([Ok(label)]).collect::<Result<_, _>>()?;
    labels.sort_unstable();
    let priority = text("priority", &config.priority)?;
    let named = |name| Field::Name(Named { name, ..Named::default() });
    let mut issue = BTreeMap::from([
        ("project".to_owned(), Field::Key { key: project }),
        ("issuetype".to_owned(), named(issue_type)),
        ("labels".to_owned(), Field::Texts(labels)),
        ("summary".to_owned(), Field::Text(summary)),
    ]);
    issue.extend(description.map(|description| ("description".to_owned(), description)));
    if !priority.is_empty() {
        issue.insert("priority".to_owned(), named(priority));
    }
    let has_own: Vec<bool> = ["summary", "description"].map(|name| own.contains_key(name)).into();
    issue.extend(own.into_iter().map(|(name, value)| (name, Field::Own(value))));
    let create = go_json(&Written { fields: &issue });
    let once = [("summary", &config.summary), ("description", &config.description)];
    for ((name, field), has_own) in once.into_iter().zip(has_own) {
        if !field.enable_update && !has_own {
            issue.remove(name);
        }
    }
    Ok((create, go_json(&Written { fields: &issue })))
}

/// JSON as it is; nothing of an empty text.
fn json(text: &str) -> Result<Option<Box<RawValue>>, Unsendable> {
    if text.is_empty() {
        return Ok(None);
    }
    RawValue::from_string(text.to_owned()).map(Some).map_err(|_| Unsendable::Json("description"))
}

impl Plan {
    fn then(mut self, at: At, method: &'static str, url: String, body: Bytes) -> Step {
        let mut request = request_of(method, Secret::new(url), body, &self.http, &self.integration);
        request.headers = vec![("Content-Type", "application/json".into()), ("Accept-Language", "en".into())];
        request.reply_max = REPLY_READ;
        self.at = at;
        Step { request: request.into(), then: Then::Jira(Box::new(self)) }
    }

    /// What follows an answer.
    pub(super) fn verdict(self, response: &Response) -> Verdict {
        match by_status(response, logged(&response.body)) {
            Verdict::Done { .. } => {}
            refused => return refused,
        }
        let next = match self.at.clone() {
            At::Search => self.write(&response.body),
            At::Write(issue) => self.transitions(issue),
            At::Transitions(key) => self.transition(&key, &response.body),
        };
        match next {
            Ok(Some(step)) => Verdict::Next(Box::new(step)),
            Ok(None) => Verdict::DONE,
            Err(verdict) => verdict,
        }
    }

    fn write(self, body: &str) -> Result<Option<Step>, Verdict> {
        let found: Found = serde_json::from_str(body).map_err(|error| give_up(format!("reading issues: {error}")))?;
        let issue = found.issues.into_iter().flatten().next();
        if issue.is_none() && !self.firing {
            // what is over needs no issue
            return Ok(None);
        }
        let (create, update) = self.bodies.clone().map_err(|error| error.verdict())?;
        Ok(Some(match &issue {
            None => {
                let url = self.api_url.join("issue").to_string();
                self.then(At::Write(None), "POST", url, create)
            }
            Some(Issue { key, .. }) => {
                let url = self.api_url.join(&format!("issue/{key}")).to_string();
                self.then(At::Write(issue), "PUT", url, update)
            }
        }))
    }

    fn transitions(self, issue: Option<Issue>) -> Result<Option<Step>, Verdict> {
        let Some(Issue { key, fields }) = issue else { return Ok(None) };
        let Some(status) = fields.and_then(|fields| fields.status) else { return Ok(None) };
        let is_done = status.status_category.key == DONE;
        if key.is_empty() || is_done != self.firing || self.transition.is_empty() {
            return Ok(None);
        }
        let url = self.api_url.join(&format!("issue/{key}/transitions")).to_string();
        Ok(Some(self.then(At::Transitions(key), "GET", url, Bytes::new())))
    }

    fn transition(self, key: &str, body: &str) -> Result<Option<Step>, Verdict> {
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct Reply {
            transitions: Option<Vec<Named>>,
        }
        let reply: Reply =
            serde_json::from_str(body).map_err(|error| give_up(format!("reading transitions: {error}")))?;
        let found = reply.transitions.into_iter().flatten().find(|known| known.name == self.transition);
        let Some(Named { id, .. }) = found else {
            return Err(give_up(format!("can't find transition {} for issue {key}", self.transition)));
        };
        let body = go_json(&Transition { transition: &Named { id, ..Named::default() } });
        let url = self.api_url.join(&format!("issue/{key}/transitions")).to_string();
        let mut step = self.then(At::Search, "POST", url, body);
        step.then = Then::Status;
        Ok(Some(step))
    }
}

fn give_up(error: String) -> Verdict {
    Verdict::GiveUp { reason: "other", error }
}
