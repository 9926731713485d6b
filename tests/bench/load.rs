//! The alerts that are posted, as a Prometheus would: 12 labels and 3 annotations, 1.09 kB of JSON each.

use std::fmt::{self, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context, anyhow, ensure};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::http::{self, Connection};

/// Alerts in a POST: what Prometheus sends at most.
const IN_A_POST: usize = 64;
const CONNECTIONS: usize = 8;
/// Their product is the number of groups, as the route groups by both.
const NAMES: usize = 40;
const CLUSTERS: usize = 50;

/// The region of all alerts, unless another is asked for.
pub(crate) const REGION: &str = "eu-west-1";

/// A set of alerts that all fire from now on.
pub(crate) struct Load {
    /// How many they are.
    pub(crate) alerts: usize,
    /// Their label `region`: alerts of two loads differ if their regions do.
    pub(crate) region: &'static str,
}

impl Load {
    /// A number of alerts.
    pub(crate) fn new(alerts: usize) -> Self {
        Self { alerts, region: REGION }
    }

    /// Into how many groups by `alertname` and `cluster` they fall.
    pub(crate) fn groups(&self) -> usize {
        self.alerts.min(NAMES * CLUSTERS)
    }

    /// Posts all of them over several connections at once.
    pub(crate) fn post(&self, address: SocketAddr, times: &Times) -> anyhow::Result<()> {
        post(address, self.alerts, |out, number| Alert(number, self.region).write(out, times))
    }

    /// Looks whether all of them are there, by the metrics.
    pub(crate) fn verify_count(&self, address: SocketAddr, groups: usize) -> anyhow::Result<()> {
        let metrics = http::get(address, "/metrics")?;
        let alerts = sum(&metrics, "alertmanager_alerts");
        ensure!(alerts == self.alerts as f64, "{alerts} alerts are there instead of {}", self.alerts);
        let seen = sum(&metrics, "alertmanager_dispatcher_aggregation_groups");
        ensure!(seen == groups as f64, "{seen} groups are there instead of {groups}");
        Ok(())
    }

    /// Looks whether those of one name are there with these times, by the API.
    pub(crate) fn verify_times(&self, address: SocketAddr, times: &Times) -> anyhow::Result<()> {
        let name = name_of(NAMES - 1);
        let answer = http::get(address, &format!("/api/v2/alerts?filter=alertname%3D%22{name}%22"))?;
        let answer: Value = serde_json::from_str(&answer).context("reading alerts")?;
        let found = answer.as_array().context("alerts aren't an array")?;
        let wanted = (0..self.alerts).filter(|&number| name_of(number) == name).count();
        ensure!(found.len() == wanted, "{} alerts are called {name} instead of {wanted}", found.len());
        for alert in found {
            for (field, wanted) in [("startsAt", times.starts_at), ("endsAt", times.ends_at)] {
                let seen = alert[field].as_str().unwrap_or_default();
                ensure!(seen.parse::<Timestamp>()? == wanted, "{field} is {seen} instead of {wanted}: {alert}");
            }
        }
        Ok(())
    }
}

/// When the alerts start and end.
#[derive(Clone, Copy)]
pub(crate) struct Times {
    /// Of all of them.
    pub(crate) starts_at: Timestamp,
    /// Of all of them.
    pub(crate) ends_at: Timestamp,
}

impl Times {
    /// They start now, and end long after all is measured.
    pub(crate) fn now() -> anyhow::Result<Self> {
        let starts_at = Timestamp::from_millisecond(Timestamp::now().as_millisecond())?;
        Ok(Self { starts_at, ends_at: starts_at + SignedDuration::from_hours(1) })
    }

    /// The same start with a later end.
    pub(crate) fn later(&self) -> Self {
        Self { starts_at: self.starts_at, ends_at: self.ends_at + SignedDuration::from_mins(1) }
    }
}

/// Posts alerts that `write` makes from their numbers, over several connections at once.
pub(crate) fn post(
    address: SocketAddr,
    alerts: usize,
    write: impl Fn(&mut String, usize) -> fmt::Result + Sync,
) -> anyhow::Result<()> {
    let next = AtomicUsize::new(0);
    let one = || -> anyhow::Result<()> {
        let mut connection = Connection::open(address)?;
        let mut body = String::new();
        loop {
            let first = next.fetch_add(IN_A_POST, Ordering::Relaxed);
            if first >= alerts {
                return Ok(());
            }
            body.clear();
            write_batch(&mut body, first..alerts.min(first + IN_A_POST), &write)?;
            connection.post("/api/v2/alerts", &body)?;
        }
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(one)).collect();
        let results = threads.into_iter().map(|thread| thread.join().map_err(|_| anyhow!("a poster panicked"))?);
        results.collect()
    })
}

fn name_of(number: usize) -> String {
    format!("KubePodNotReadyForTooLong{:02}", number % NAMES)
}

/// An alert by its number, and its region.
struct Alert(usize, &'static str);

impl Alert {
    fn write(&self, out: &mut String, times: &Times) -> fmt::Result {
        let (name, n, region) = (name_of(self.0), self.0, self.1);
        // An alerting rule has one URL for all of its alerts.
        let rule = n % NAMES;
        let cluster = n / NAMES % CLUSTERS;
        let (namespace, node, host) = (n % 97, n % 1_009, n % 251);
        write!(
            out,
            r#"{{"labels":{{"alertname":"{name}","cluster":"production-eu-west-1-{cluster:02}","container":"checkout-server","#
        )?;
        write!(
            out,
            r#""instance":"10.32.{host}.17:8443","job":"kubernetes-pods/checkout","namespace":"payments-{namespace:02}","#
        )?;
        write!(
            out,
            r#""node":"ip-10-32-{node:04}.eu-west-1.compute.internal","pod":"checkout-7d9f8b6c5d-{n:06}","prometheus":"monitoring/k8s","#
        )?;
        write!(out, r#""region":"{region}","severity":"critical","team":"payments-platform"}},"#)?;
        write!(
            out,
            r#""annotations":{{"description":"Pod payments-{namespace:02}/checkout-7d9f8b6c5d-{n:06} on node ip-10-32-{node:04} has been in a state that is not ready for longer than fifteen minutes, so that requests go to fewer replicas; see the logs of this pod and all events of it.","#
        )?;
        write!(
            out,
            r#""runbook_url":"https://runbooks.example.com/runbooks/kubernetes/{name}","summary":"Pod checkout-7d9f8b6c5d-{n:06} is not ready for too long"}},"#
        )?;
        // always three digits: an alert must not be shorter at some moments than at others
        write!(out, r#""startsAt":"{:.3}","endsAt":"{:.3}","#, times.starts_at, times.ends_at)?;
        write!(
            out,
            r#""generatorURL":"https://prometheus.example.com/graph?g0.expr=sum+by+%28cluster%2C+namespace%2C+node%2C+pod%29+%28kube_pod_status_ready%7Bcondition%3D%22false%22%2Crule%3D%22{rule:02}%22%7D%29+%3E+0&g0.tab=1"}}"#
        )
    }
}

fn write_batch(
    out: &mut String,
    numbers: std::ops::Range<usize>,
    write: impl Fn(&mut String, usize) -> fmt::Result,
) -> fmt::Result {
    let mut separator = '[';
    for number in numbers {
        out.push(separator);
        write(out, number)?;
        separator = ',';
    }
    out.push(']');
    Ok(())
}

/// The sum of all series of a metric in the text format.
fn sum(metrics: &str, name: &str) -> f64 {
    let samples =
        metrics.lines().filter_map(|line| line.strip_prefix(name)?.split_once(' ').map(|sample| (line, sample)));
    let own = samples.filter(|(_, (labels, _))| labels.is_empty() || labels.starts_with('{'));
    own.filter_map(|(_, (_, value))| value.parse::<f64>().ok()).sum()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn batch(numbers: std::ops::Range<usize>) -> (usize, Vec<Value>) {
        let mut text = String::new();
        let times = Times::now().unwrap();
        write_batch(&mut text, numbers, |out, number| Alert(number, REGION).write(out, &times)).unwrap();
        (text.len(), serde_json::from_str(&text).unwrap())
    }

    #[test]
    fn alerts_have_the_size_that_they_are_said_to_have() {
        let (length, alerts) = batch(0..64);
        assert_eq!(alerts.len(), 64);
        assert!((1_084..1_096).contains(&(length / 64)), "{}", length / 64);
        for alert in alerts {
            assert_eq!(alert["labels"].as_object().unwrap().len(), 12);
            assert_eq!(alert["annotations"].as_object().unwrap().len(), 3);
        }
    }

    #[test]
    fn alerts_differ_and_fall_into_the_groups() {
        let (_, alerts) = batch(0..6_000);
        let of = |keys: &[&str]| {
            let values = |alert: &Value| keys.iter().map(|&key| alert["labels"][key].to_string()).collect::<Vec<_>>();
            alerts.iter().map(values).collect::<BTreeSet<_>>().len()
        };
        assert_eq!(of(&["alertname", "cluster"]), Load::new(6_000).groups());
        assert_eq!(of(&["pod"]), 6_000);
    }

    #[test]
    fn a_metric_is_the_sum_of_its_own_series() {
        let text = "# TYPE a gauge\na{state=\"x\"} 3\na{state=\"y\"} 4e2\na_total 5\nb 6\n";
        assert_eq!((sum(text, "a"), sum(text, "b")), (403.0, 6.0));
    }
}
