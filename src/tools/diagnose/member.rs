//! What a member said of itself.

use std::collections::{BTreeMap, BTreeSet};

use alerting::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A member, or what should have been one.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Member {
    /// Where it was asked, without a password.
    pub(crate) url: String,
    /// The same, as it is asked.
    #[serde(skip)]
    pub(crate) base: String,
    /// What it said; `None` if it didn't answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) said: Option<Said>,
    /// Why it didn't.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

/// The answers of one member.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Said {
    /// Its name in the cluster; empty without one.
    pub(crate) name: String,
    pub(crate) version: String,
    /// Names of the members that it sees, itself included, and where.
    pub(crate) peers: BTreeMap<String, String>,
    /// Why it isn't ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) not_ready: Option<String>,
    /// The configuration as it prints it, without secrets.
    #[serde(skip)]
    pub(crate) config: String,
    /// Ids of silences that haven't ended, with when they were changed.
    #[serde(skip)]
    pub(crate) silences: BTreeSet<(String, String)>,
    /// How many they are.
    pub(crate) silence_count: usize,
    /// The entries of its notification log, by whom they are about; `None` where it doesn't hand it over.
    #[serde(skip)]
    pub(crate) log: Option<BTreeMap<String, LogEntry>>,
    /// How many they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) log_entries: Option<usize>,
    /// By how much its clock is ahead of the one here.
    pub(crate) clock_ahead_ms: i64,
    /// How exactly that is known.
    pub(crate) clock_within_ms: i64,
    /// In so many days the certificate that it shows ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) certificate_days: Option<i64>,
    /// Its metrics.
    #[serde(skip)]
    pub(crate) metrics: Metrics,
    /// Peers whose gossip port can't be reached from here, with the reason; not tried where members say it of each other.
    pub(crate) unreachable_gossip: BTreeMap<String, String>,
    /// Whether connections from it get through to its peers; `None` where it doesn't say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reach: Option<Reach>,
}

/// What a member says of connections to its peers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reach {
    /// Where its own API is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) web_port: Option<u16>,
    /// By name.
    pub(crate) peers: BTreeMap<String, Reached>,
}

/// Nothing where a connection was taken; else why not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reached {
    /// Where it gossips.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) gossip: Option<String>,
    /// At the port at which the one that tries has its own API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) web: Option<String>,
}

/// When something was told, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogEntry {
    pub(crate) at: Timestamp,
    /// Whether that was so long ago that all members must know, and it isn't about to be forgotten.
    pub(crate) settled: bool,
}

/// Samples by name, with their labels as they are written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metrics(BTreeMap<String, Vec<(String, f64)>>);

/// What `GET /api/v2/status` says, as far as it matters here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Status {
    pub(crate) cluster: StatusCluster,
    pub(crate) config: StatusConfig,
    pub(crate) version_info: VersionInfo,
}

#[derive(Debug, Deserialize)]
pub(crate) struct StatusCluster {
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) peers: Vec<StatusPeer>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct StatusPeer {
    pub(crate) name: String,
    pub(crate) address: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct StatusConfig {
    pub(crate) original: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct VersionInfo {
    pub(crate) version: String,
    pub(crate) branch: String,
}

/// A silence, as far as it matters here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Silence {
    pub(crate) id: String,
    pub(crate) updated_at: String,
}

impl Member {
    /// What it's called in sentences.
    pub(crate) fn name(&self) -> &str {
        match &self.said {
            Some(said) if !said.name.is_empty() => &said.name,
            _ => &self.url,
        }
    }
}

impl Metrics {
    /// From the text format; lines that make no sense are passed over.
    pub(crate) fn read(text: &str) -> Self {
        let mut all = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let Some((series, value)) = line.rsplit_once(' ') else { continue };
            let Ok(value) = value.parse() else { continue };
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            let labels = labels.trim_end_matches('}').to_owned();
            all.0.entry(name.to_owned()).or_default().push((labels, value));
        }
        all
    }

    /// All samples of a name.
    pub(crate) fn samples(&self, name: &str) -> &[(String, f64)] {
        self.0.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// The only sample of a name.
    pub(crate) fn value(&self, name: &str) -> Option<f64> {
        self.samples(name).first().map(|(_, value)| *value)
    }

    /// The sum over all samples of a name.
    pub(crate) fn sum(&self, name: &str) -> f64 {
        self.samples(name).iter().map(|(_, value)| value).sum()
    }
}

/// The value of a label among those of a sample.
pub(crate) fn label<'a>(labels: &'a str, name: &str) -> Option<&'a str> {
    let start = labels.find(&format!("{name}=\""))? + name.len() + 2;
    labels[start..].split('"').next()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_read_as_they_are_written() {
        let text = "# HELP a b\n# TYPE a counter\na{x=\"1\",y=\"p q\"} 3\na{x=\"2\"} 4.5\nb 1e+06\nnonsense\n";
        let metrics = Metrics::read(text);
        assert_eq!(metrics.sum("a"), 7.5);
        assert_eq!(metrics.value("b"), Some(1e6));
        assert_eq!(metrics.value("c"), None);
        let (labels, _) = &metrics.samples("a")[0];
        assert_eq!((label(labels, "y"), label(labels, "z")), (Some("p q"), None));
    }
}
