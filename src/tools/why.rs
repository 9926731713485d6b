//! `why`: why an alert notifies, or doesn't, asked of a running worker.

use std::fmt::Write as _;
use std::time::Duration;

use reqwest::{Client, StatusCode, Url};
use serde_json::Value;

use crate::Finished;
use crate::output::Output;

/// How long the worker may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);
/// So many of the last notifications are printed; `--output json` has all that are known.
const HISTORY_MAX: usize = 3;

/// So many alerts are explained at most.
const ALERTS_MAX: usize = 50;

/// `alertmanager-operator why`.
#[derive(Clone, Debug, clap::Args)]
pub struct Flags {
    /// The worker, or a Service in front of several
    #[arg(
        long = "url",
        visible_alias = "alertmanager.url",
        value_name = "URL",
        default_value = "http://localhost:9093"
    )]
    url: String,

    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    output: Output,

    /// The alert's fingerprint, or matchers that alerts must meet: `alertname=Down`, `instance=~"db.*"`
    #[arg(value_name = "FINGERPRINT|MATCHER", required = true)]
    of: Vec<String>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum WhyError {
    /// The URL is none.
    #[error("reading the URL `{0}`: {1}")]
    Url(String, String),
    /// It does not answer.
    #[error("asking {url}")]
    Ask {
        /// What was asked.
        url: Url,
        /// What went wrong.
        #[source]
        source: reqwest::Error,
    },
    /// It refuses.
    #[error("asking {url}: it answered {status}: {text}")]
    Refused {
        /// What was asked.
        url: Url,
        /// The status.
        status: StatusCode,
        /// Its words.
        text: String,
    },
    /// It is another program.
    #[error("asking {0}: this Alertmanager does not explain alerts; an alertmanager-operator worker does")]
    Unable(Url),
}

/// Asks, and writes the answer down. Fails (exit code 1) if there is no such alert.
///
/// # Errors
/// When there is no worker, or it refuses.
pub async fn run(flags: Flags) -> Result<Finished, WhyError> {
    // whoever came first in this process has decided already
    let _ = rustls::crypto::ring::default_provider().install_default();
    let address = if flags.url.contains("://") { flags.url.clone() } else { format!("http://{}", flags.url) };
    let base = format!("{}/", address.trim_end_matches('/'));
    let base = Url::parse(&base).map_err(|error| WhyError::Url(flags.url.clone(), error.to_string()))?;
    let worker = Worker { client: Client::new(), base };
    let fingerprints = match &flags.of[..] {
        [one] if is_fingerprint(one) => vec![one.to_lowercase()],
        matchers => worker.matching(matchers).await?,
    };
    let mut all = Vec::new();
    for fingerprint in fingerprints.iter().take(ALERTS_MAX) {
        all.extend(worker.explained(fingerprint).await?);
    }
    let more = fingerprints.len().saturating_sub(ALERTS_MAX);
    let warning = (more > 0).then(|| format!("{more} more alerts match; name them more closely"));
    if all.is_empty() {
        return Ok(Finished { text: "no such alert\n".to_owned(), warning, success: false });
    }
    let text = match flags.output {
        Output::Json => format!("{:#}\n", Value::from(all)),
        Output::Text => all.iter().map(written).collect::<Vec<_>>().join("\n"),
    };
    Ok(Finished { text, warning, success: true })
}

fn is_fingerprint(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

struct Worker {
    client: Client,
    base: Url,
}

impl Worker {
    async fn matching(&self, matchers: &[String]) -> Result<Vec<String>, WhyError> {
        let mut url = self.url("api/v2/alerts")?;
        url.query_pairs_mut().extend_pairs(matchers.iter().map(|matcher| ("filter", matcher)));
        let found = self.ask(url).await?.unwrap_or_default();
        let fingerprint = |alert: &Value| alert["fingerprint"].as_str().map(str::to_owned);
        Ok(found.as_array().into_iter().flatten().filter_map(fingerprint).collect())
    }

    /// `None`: it isn't known there.
    async fn explained(&self, fingerprint: &str) -> Result<Option<Value>, WhyError> {
        self.ask(self.url(&format!("api/ui/v1/alerts/{fingerprint}"))?).await
    }

    fn url(&self, path: &str) -> Result<Url, WhyError> {
        self.base.join(path).map_err(|error| WhyError::Url(path.to_owned(), error.to_string()))
    }

    async fn ask(&self, url: Url) -> Result<Option<Value>, WhyError> {
        let failed = |source| WhyError::Ask { url: url.clone(), source };
        let answer = self.client.get(url.clone()).timeout(ANSWER_LIMIT).send().await.map_err(failed)?;
        let status = answer.status();
        let text = answer.text().await.map_err(failed)?;
        let json: Option<Value> = serde_json::from_str(&text).ok();
        match (status, json) {
            (StatusCode::OK, Some(json)) => Ok(Some(json)),
            // its words are JSON; those of a program that doesn't know the path are not
            (StatusCode::NOT_FOUND, Some(_)) => Ok(None),
            (StatusCode::NOT_FOUND | StatusCode::OK, None) => Err(WhyError::Unable(url)),
            (status, _) => Err(WhyError::Refused { url, status, text: text.trim().to_owned() }),
        }
    }
}

/// One alert, as people read it.
fn written(alert: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let labels = |labels: &Value| {
        let pairs = labels.as_object().into_iter().flatten().map(|(name, value)| format!("{name}={value}"));
        format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
    };
    let mut out = format!("{} {}\n", text(&alert["fingerprint"]), labels(&alert["labels"]));
    // writing to a string can't fail
    let _ = match text(&alert["state"]).as_str() {
        "resolved" => writeln!(out, "  resolved since {}", text(&alert["endsAt"])),
        state => writeln!(out, "  {state} since {}", text(&alert["startsAt"])),
    };
    let groups: Vec<&Value> = alert["groups"].as_array().into_iter().flatten().collect();
    if groups.is_empty() {
        out += "  in no group: its end has been told, or nobody was to be told\n";
    }
    for group in groups {
        let _ = writeln!(out, "  receiver {}, group {}", text(&group["receiver"]), text(&group["key"]));
        let integrations: Vec<&Value> = group["integrations"].as_array().into_iter().flatten().collect();
        if integrations.is_empty() {
            out += "    nobody: the receiver has no integrations\n";
        }
        for one in integrations {
            let (name, code) = (text(&one["integration"]), text(&one["code"]));
            let _ = writeln!(out, "    {name}[{}]: {} [{code}]", one["index"], text(&one["text"]));
            for line in one["history"].as_array().into_iter().flatten().take(HISTORY_MAX) {
                let _ = writeln!(out, "      {} {}", text(&line["at"]), text(&line["text"]));
            }
        }
    }
    out
}
