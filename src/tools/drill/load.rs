//! The load of a rehearsal: a new alert each second, posted to all members as Prometheus does; and what became of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use alerting::time::{Timestamp, parse_rfc3339};
use reqwest::Client;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::stage::Stage;
use crate::chain::chain;
use crate::clock::now;

const BETWEEN: Duration = Duration::from_secs(1);
/// Longer than any rehearsal.
const LASTING: Duration = Duration::from_secs(3600);

/// Alerts that are being posted.
pub(super) struct Load {
    posted: Arc<Mutex<Vec<Posted>>>,
    over: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

/// One alert.
#[derive(Clone, Debug)]
pub(super) struct Posted {
    name: String,
    at: Timestamp,
    /// Whether any member took it.
    taken: bool,
}

/// What became of the alerts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tally {
    /// Alerts that a member took.
    pub(super) posted: usize,
    /// Alerts that no member took; who sends them would try again.
    pub(super) refused: usize,
    /// Alerts that were taken, and nobody told of.
    pub(super) lost: Vec<String>,
    /// Notifications, by group, that came more than once.
    pub(super) doubled: Vec<String>,
    /// From posting to telling, at most, in milliseconds.
    pub(super) slowest_ms: u64,
}

impl Load {
    /// Begins, with alerts whose names begin with `label`.
    pub(super) fn begin(client: Client, urls: Vec<String>, label: String) -> Self {
        let (posted, over) = (Arc::<Mutex<Vec<Posted>>>::default(), Arc::new(AtomicBool::new(false)));
        let (list, end) = (Arc::clone(&posted), Arc::clone(&over));
        let task = tokio::spawn(async move {
            for number in 0.. {
                if end.load(Ordering::Relaxed) {
                    break;
                }
                let posted = post(&client, &urls, format!("{label}-{number}")).await;
                list.lock().unwrap_or_else(PoisonError::into_inner).push(posted);
                tokio::time::sleep(BETWEEN).await;
            }
        });
        Self { posted, over, task }
    }

    /// Ends; what was posted.
    pub(super) async fn end(self) -> Vec<Posted> {
        self.over.store(true, Ordering::Relaxed);
        // a panic in there was told of already
        let _ = self.task.await;
        self.posted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Says to all members that all that was posted is over.
pub(super) async fn resolve(stage: &Stage) -> Result<(), String> {
    let at = now();
    let over = |alert: &Posted| body_of(&alert.name, alert.at, at);
    let body = Value::from_iter(stage.posted.iter().map(over)).to_string();
    let mut trouble = Ok(());
    for member in &stage.members {
        let request = stage.client.post(format!("{}/api/v2/alerts", member.url));
        let answer = request.header("content-type", "application/json").body(body.clone()).send().await;
        match answer.and_then(reqwest::Response::error_for_status) {
            Ok(_) => {}
            Err(error) => trouble = Err(format!("resolving the drill's alerts: {}", chain(&error))),
        }
    }
    trouble
}

/// Posts one to all members.
pub(super) async fn post(client: &Client, urls: &[String], name: String) -> Posted {
    let at = now();
    let body = json!([body_of(&name, at, at + LASTING)]).to_string();
    let each = urls.iter().map(|url| {
        let request = client.post(format!("{url}/api/v2/alerts")).header("content-type", "application/json");
        let sent = request.body(body.clone()).send();
        async move { sent.await.is_ok_and(|answer| answer.status().is_success()) }
    });
    let taken = futures::future::join_all(each).await.contains(&true);
    Posted { name, at, taken }
}

fn body_of(name: &str, from: Timestamp, until: Timestamp) -> Value {
    json!({
        "labels": {"alertname": name, "severity": "drill"}, "annotations": {"summary": "a rehearsal"},
        "startsAt": from.rfc3339_millis(), "endsAt": until.rfc3339_millis(),
    })
}

impl Tally {
    /// From what the receiver got: `[{receivedAt, body}, …]`, as `GET /received` of the sink has it.
    pub(super) fn of(posted: &[Posted], received: &Value) -> Self {
        let names: BTreeSet<&str> = posted.iter().map(|alert| alert.name.as_str()).collect();
        let (mut told, mut counted) = (BTreeMap::<&str, Timestamp>::new(), BTreeMap::<String, usize>::new());
        for entry in received.as_array().into_iter().flatten() {
            let body = &entry["body"];
            let alerts: Vec<&Value> = body["alerts"].as_array().into_iter().flatten().collect();
            let ours = |alert: &&&Value| alert["labels"]["alertname"].as_str().is_some_and(|name| names.contains(name));
            if alerts.iter().find(ours).is_none() {
                continue;
            }
            let mut content: Vec<String> =
                alerts.iter().map(|alert| format!("{} {}", alert["fingerprint"], alert["status"])).collect();
            content.sort();
            let key = format!("{} {} {}", body["receiver"], body["groupKey"], content.join(","));
            *counted.entry(key).or_default() += 1;
            let at = entry["receivedAt"].as_str().and_then(|text| parse_rfc3339(text).ok().flatten());
            for alert in alerts.iter().filter(|alert| alert["status"] == "firing") {
                if let (Some(name), Some(at)) = (alert["labels"]["alertname"].as_str(), at) {
                    told.entry(name).or_insert(at);
                }
            }
        }
        let taken: Vec<&Posted> = posted.iter().filter(|alert| alert.taken).collect();
        let lost = taken.iter().filter(|alert| !told.contains_key(alert.name.as_str()));
        let took = taken.iter().filter_map(|alert| Some(told.get(alert.name.as_str())?.since(alert.at)));
        Self {
            posted: taken.len(),
            refused: posted.len() - taken.len(),
            lost: lost.map(|alert| alert.name.clone()).collect(),
            doubled: counted.into_iter().filter(|(_, count)| *count > 1).map(|(key, _)| key).collect(),
            slowest_ms: took.max().unwrap_or_default().as_millis() as u64,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_was_lost_doubled_and_slow() {
        let at = Timestamp::from_secs(1_800_000_000);
        let posted = |name: &str, taken| Posted { name: name.to_owned(), at, taken };
        let posted = [posted("a", true), posted("b", true), posted("c", true), posted("d", false)];
        let entry = |millis: u64, names: &[&str]| {
            let alert = |name: &&str| json!({"labels": {"alertname": name}, "fingerprint": name, "status": "firing"});
            let alerts: Vec<Value> = names.iter().map(alert).collect();
            let at = (at + Duration::from_millis(millis)).rfc3339_millis();
            json!({"receivedAt": at, "body": {"receiver": "r", "groupKey": "g", "alerts": alerts}})
        };
        let received = json!([
            entry(500, &["a"]),
            entry(900, &["a", "b"]),
            entry(950, &["b", "a"]),
            entry(1, &["other"]),
            entry(2, &["other"]),
        ]);
        let tally = Tally::of(&posted, &received);
        assert_eq!((tally.posted, tally.refused, tally.slowest_ms), (3, 1, 900));
        assert_eq!(tally.lost, ["c"]);
        assert_eq!(tally.doubled, [r#""r" "g" "a" "firing","b" "firing""#], "the order says nothing");
    }
}
