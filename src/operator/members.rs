//! Speaking to members over HTTP: what they run, and please reload.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use crate::plan::rollout::MemberReport;

const TIMEOUT: Duration = Duration::from_secs(2);
/// A reload may render every template and read every file.
const RELOAD_TIMEOUT: Duration = Duration::from_secs(10);
const ERROR_MAX: usize = 1024;

/// Where a member is spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The address and port.
    pub address: SocketAddr,
    /// The path that everything is below, without a `/` at its end.
    pub prefix: String,
}

/// Speaks to members.
#[derive(Clone, Debug)]
pub struct MemberClient {
    http: reqwest::Client,
}

/// Why a member could not be spoken to, or what it answered.
#[derive(Debug, thiserror::Error)]
pub enum MemberError {
    /// The client could not be made.
    #[error("preparing to speak to members over HTTP")]
    Client(#[source] reqwest::Error),
    /// It did not answer.
    #[error("asking {url}")]
    Http {
        /// What was asked.
        url: String,
        /// Why there was no answer.
        #[source]
        source: reqwest::Error,
    },
    /// It answered something else than expected.
    #[error("reading the answer of {url}")]
    Answer {
        /// What was asked.
        url: String,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// It answered that it did not.
    #[error("{0}")]
    Refused(String),
}

impl MemberClient {
    /// A client that speaks to members directly, whatever proxy the environment names.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new() -> Result<Self, MemberError> {
        let http = reqwest::Client::builder().no_proxy().timeout(TIMEOUT).build().map_err(MemberError::Client)?;
        Ok(Self { http })
    }

    /// What the member at `at` runs and sees.
    ///
    /// # Errors
    /// When it does not answer within two seconds, or not as a worker does.
    pub async fn report(&self, at: &Endpoint) -> Result<MemberReport, MemberError> {
        let url = at.url("/-/config");
        let failed = |source| MemberError::Http { url: url.clone(), source };
        let answer = self.http.get(&url).send().await.map_err(failed)?.error_for_status().map_err(failed)?;
        let body = answer.bytes().await.map_err(failed)?;
        serde_json::from_slice(&body).map_err(|source| MemberError::Answer { url, source })
    }

    /// Asks the member to load its configuration file again.
    ///
    /// # Errors
    /// When it does not answer, or answers that it keeps the old one ([`MemberError::Refused`], with its words).
    pub async fn reload(&self, at: &Endpoint) -> Result<(), MemberError> {
        let url = at.url("/-/reload");
        let failed = |source| MemberError::Http { url: url.clone(), source };
        let answer = self.http.post(&url).timeout(RELOAD_TIMEOUT).send().await.map_err(failed)?;
        if answer.status().is_success() {
            return Ok(());
        }
        let status = answer.status();
        let text = answer.text().await.map_err(failed)?;
        Err(MemberError::Refused(refusal(status, &text)))
    }

    /// Posts alerts, as JSON for API v2; with a token, if the member wants one.
    ///
    /// # Errors
    /// When it does not answer, or does not take them.
    pub async fn post_alerts(
        &self,
        at: &Endpoint,
        token: Option<&str>,
        alerts: &serde_json::Value,
    ) -> Result<(), MemberError> {
        let url = at.url("/api/v2/alerts");
        let failed = |source| MemberError::Http { url: url.clone(), source };
        let body = alerts.to_string();
        let request = self.http.post(&url).header("content-type", "application/json").body(body);
        let request = token.into_iter().fold(request, |request, token| request.bearer_auth(token));
        request.send().await.map_err(failed)?.error_for_status().map_err(failed).map(drop)
    }
}

impl Endpoint {
    fn url(&self, path: &str) -> String {
        format!("http://{}{}{path}", self.address, self.prefix)
    }
}

fn refusal(status: impl fmt::Display, text: &str) -> String {
    let line = text.trim().replace('\n', " ");
    if line.is_empty() { format!("it answered {status}") } else { line.chars().take(ERROR_MAX).collect() }
}

#[cfg(test)]
mod tests {
    use super::refusal;

    #[test]
    fn refusal_is_one_line_of_bounded_length() {
        assert_eq!(refusal(500, "failed:\nline 3\n"), "failed: line 3");
        assert_eq!(refusal(500, " "), "it answered 500");
        assert_eq!(refusal(500, &"ü".repeat(5000)).chars().count(), 1024);
    }
}
