//! `send`: posts alerts at a rate, as Prometheus does, to see how a cluster copes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use reqwest::Url;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::Finished;
use crate::chain::chain;
use crate::clock::{duration, now};
use crate::diagnose::{CollectError, client};
use crate::output::Output;
use crate::progress::Progress;

/// Between two batches.
const TICK: Duration = Duration::from_millis(100);

/// Requests under way at most; what would be more is not sent, and counted.
const IN_FLIGHT_MAX: usize = 64;

/// What tells one alert from another.
const SERIES_LABEL: &str = "instance";

/// `alertmanager-operator send`.
#[derive(Clone, Debug, clap::Args)]
pub struct Flags {
    /// The members: each alert is posted to all of them
    #[arg(value_name = "URL", required = true)]
    members: Vec<Url>,

    /// Post each batch to one of them only, in turn, as a load balancer would
    #[arg(long)]
    balanced: bool,

    /// Alerts per second
    #[arg(long, value_name = "N", default_value = "10", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rate: u32,

    /// So many different alerts, which are posted again and again
    #[arg(long, value_name = "N", default_value = "100", value_parser = clap::value_parser!(u32).range(1..))]
    series: u32,

    /// Labels of all alerts, as `name=value,…`; `alertname` is Load unless it is among them
    #[arg(long, value_name = "LABELS", default_value = "", value_parser = labels)]
    labels: BTreeMap<String, String>,

    /// For how long
    #[arg(long = "for", value_name = "DURATION", default_value = "1m", value_parser = duration)]
    lasts: Duration,

    /// Certificates of an authority that members' certificates are from, besides those of the system (PEM)
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,

    /// Say at the end that all of them are resolved
    #[arg(long)]
    resolve: bool,

    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    output: Output,
}

/// Nothing can be sent.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// There is no client.
    #[error(transparent)]
    Client(#[from] CollectError),
}

/// What came of it.
#[derive(Debug, Default, PartialEq)]
struct Summary {
    /// Alerts in requests that were taken, counted once for each member that took them.
    taken: u64,
    /// Those in requests that weren't.
    failed: u64,
    /// Those that were not sent, since too many requests were under way.
    held_back: u64,
    /// Of requests, in seconds.
    latencies: Vec<f64>,
    /// The last thing that went wrong.
    error: Option<String>,
}

/// Sends until the time is over or SIGINT. Fails (exit code 1) if any alert was not taken.
///
/// # Errors
/// When nothing can be sent at all.
pub async fn run(flags: Flags) -> Result<Finished, SendError> {
    let client = client(flags.ca_file.as_deref(), None)?;
    let (mut running, mut summary) = (JoinSet::new(), Summary::default());
    let (started, mut sent, mut turn) = (Instant::now(), 0_u64, 0_usize);
    let mut ticks = tokio::time::interval(TICK);
    let targets: Vec<String> =
        flags.members.iter().map(|url| format!("{}/api/v2/alerts", url.as_str().trim_end_matches('/'))).collect();
    let post = |running: &mut JoinSet<_>, url: String, body: String, count: u64| {
        let request = client.post(url).header("content-type", "application/json").body(body);
        running.spawn(async move {
            let before = Instant::now();
            let answer = request.send().await.and_then(reqwest::Response::error_for_status);
            (count, before.elapsed().as_secs_f64(), answer.map(drop).map_err(|error| chain(&error)))
        });
    };
    let progress = Progress::new(flags.lasts.as_secs());
    loop {
        progress.at(started.elapsed().as_secs(), &format!("seconds, {sent} alerts"));
        tokio::select! {
            _ = ticks.tick() => {}
            _ = tokio::signal::ctrl_c() => break,
        }
        let elapsed = started.elapsed().min(flags.lasts);
        // as many as are due by now: a late tick sends more
        let due = (elapsed.as_secs_f64() * f64::from(flags.rate)) as u64;
        let numbers = sent..due;
        if !numbers.is_empty() {
            let body = batch(&flags, numbers.clone(), false).to_string();
            let count = numbers.end - numbers.start;
            let chosen = if flags.balanced { turn % targets.len()..turn % targets.len() + 1 } else { 0..targets.len() };
            for url in &targets[chosen] {
                match running.len() < IN_FLIGHT_MAX {
                    true => post(&mut running, url.clone(), body.clone(), count),
                    false => summary.held_back += count,
                }
            }
            (sent, turn) = (due, turn + 1);
        }
        while let Some(done) = running.try_join_next() {
            summary.count(done);
        }
        if started.elapsed() >= flags.lasts {
            break;
        }
    }
    drop(progress);
    if flags.resolve {
        let all = 0..sent.min(u64::from(flags.series));
        let body = batch(&flags, all.clone(), true).to_string();
        targets.iter().for_each(|url| post(&mut running, url.clone(), body.clone(), all.end));
    }
    while let Some(done) = running.join_next().await {
        summary.count(done);
    }
    let text = match flags.output {
        Output::Text => summary.text(),
        Output::Json => format!("{:#}\n", summary.json()),
    };
    Ok(Finished { text, warning: summary.error.clone(), success: summary.failed == 0 && summary.held_back == 0 })
}

fn batch(flags: &Flags, numbers: std::ops::Range<u64>, resolved: bool) -> Value {
    let now = now().rfc3339_millis();
    Value::from_iter(numbers.map(|number| {
        let mut labels = flags.labels.clone();
        labels.entry("alertname".to_owned()).or_insert_with(|| "Load".to_owned());
        labels.insert(SERIES_LABEL.to_owned(), format!("load-{}", number % u64::from(flags.series)));
        match resolved {
            true => json!({"labels": labels, "endsAt": now}),
            false => json!({"labels": labels}),
        }
    }))
}

impl Summary {
    fn count(&mut self, done: Result<(u64, f64, Result<(), String>), tokio::task::JoinError>) {
        match done {
            Ok((count, seconds, Ok(()))) => {
                self.taken += count;
                self.latencies.push(seconds);
            }
            Ok((count, _, Err(error))) => {
                self.failed += count;
                self.error = Some(error);
            }
            Err(error) => self.error = Some(error.to_string()),
        }
    }

    /// In milliseconds; `None` without any request that was taken.
    fn percentile(&self, part: f64) -> Option<f64> {
        let mut sorted = self.latencies.clone();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().checked_sub(1)?;
        sorted.get((last as f64 * part).round() as usize).map(|seconds| seconds * 1000.0)
    }

    fn text(&self) -> String {
        let Self { taken, failed, held_back, .. } = self;
        let percentile = |part| self.percentile(part).map_or_else(|| "-".to_owned(), |ms| format!("{ms:.1} ms"));
        let (half, most) = (percentile(0.5), percentile(0.99));
        format!(
            "{taken} alerts taken, {failed} failed, {held_back} held back; a request took {half} (p50), {most} (p99)\n"
        )
    }

    fn json(&self) -> Value {
        json!({
            "taken": self.taken, "failed": self.failed, "heldBack": self.held_back,
            "p50Ms": self.percentile(0.5), "p99Ms": self.percentile(0.99), "error": self.error,
        })
    }
}

fn labels(text: &str) -> Result<BTreeMap<String, String>, String> {
    let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| match pair.split_once('=') {
            Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
            _ => Err(format!("`{pair}` is not name=value")),
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_what_was_taken() {
        let mut summary = Summary::default();
        assert_eq!(summary.percentile(0.5), None);
        (1..=101).for_each(|ms| summary.count(Ok((2, f64::from(ms) / 1000.0, Ok(())))));
        summary.count(Ok((5, 9.0, Err("refused".into()))));
        let said = "202 alerts taken, 5 failed, 0 held back; a request took 51.0 ms (p50), 100.0 ms (p99)\n";
        assert_eq!((summary.text().as_str(), summary.error.as_deref()), (said, Some("refused")));
    }

    #[test]
    fn labels_are_pairs() {
        assert_eq!(
            labels("a=b, c=d=e").unwrap(),
            BTreeMap::from([("a", "b"), ("c", "d=e")].map(|(n, v)| (n.into(), v.into())))
        );
        assert!(labels("").unwrap().is_empty());
        assert_eq!(labels("a").unwrap_err(), "`a` is not name=value");
    }
}
