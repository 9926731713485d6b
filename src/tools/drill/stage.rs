//! The cluster that is rehearsed with, and the receiver that counts: what one can ask of them.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::{Value, json};

use super::load::Posted;
use super::place::Place;
use crate::chain::chain;
use crate::clock::now;
use crate::diagnose::{CollectError, client_of_cluster};
use crate::stopped::Stop;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);

/// One member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) name: String,
    /// Of its API, without a slash at the end.
    pub(super) url: String,
}

/// The cluster, and what is around it.
pub(super) struct Stage {
    pub(super) members: Vec<Member>,
    /// The receiver's URL.
    pub(super) sink: String,
    /// Who asks members, and may.
    pub(super) client: Client,
    /// Who asks the receiver, to whom nothing of that is told.
    stranger: Client,
    /// How the names of its alerts begin: those of an earlier rehearsal are others.
    pub(super) series: String,
    /// Alerts that are firing.
    pub(super) posted: Vec<Posted>,
    pub(super) stop: Stop,
}

impl Stage {
    /// Before anything was posted.
    pub(super) fn new(members: Vec<Member>, sink: String, client: Client, stop: Stop) -> Result<Self, CollectError> {
        let stranger = client_of_cluster(None)?;
        Ok(Self {
            members,
            sink,
            client,
            stranger,
            series: format!("Drill-{:06x}", rand::random::<u32>() >> 8),
            posted: Vec::new(),
            stop,
        })
    }

    /// Looks until it is so; how long that took. `None`: it never was, or nobody wants to know any more.
    pub(super) async fn until(
        &self,
        limit: Duration,
        mut so: impl AsyncFnMut(&Self) -> Result<(), String>,
    ) -> Option<Duration> {
        let start = Instant::now();
        while start.elapsed() < limit && !self.stop.came() {
            if so(self).await.is_ok() {
                return Some(start.elapsed());
            }
            tokio::time::sleep(LOOK).await;
        }
        None
    }

    /// Whether all members are ready, run the same, and see each other.
    pub(super) async fn well(&self) -> Result<(), String> {
        let all: BTreeSet<String> = self.members.iter().map(|member| member.name.clone()).collect();
        let mut hashes = BTreeSet::new();
        for member in &self.members {
            if self.peers(member).await? != all {
                return Err(format!("{} doesn't see all members", member.name));
            }
            let config = self.get(&format!("{}/-/config", member.url)).await?;
            if config["ready"] != true {
                return Err(format!("{} isn't ready", member.name));
            }
            hashes.insert(config["hash"].to_string());
        }
        if hashes.len() == 1 { Ok(()) } else { Err("members run different configs".to_owned()) }
    }

    /// The names of those that a member sees, itself included.
    pub(super) async fn peers(&self, member: &Member) -> Result<BTreeSet<String>, String> {
        let status = self.get(&format!("{}/api/v2/status", member.url)).await?;
        let peers = status["cluster"]["peers"].as_array().into_iter().flatten();
        Ok(peers.filter_map(|peer| peer["name"].as_str()).map(str::to_owned).collect())
    }

    /// What all members run.
    pub(super) async fn hashes(&self) -> Vec<String> {
        let mut all = Vec::new();
        for member in &self.members {
            let config = self.get(&format!("{}/-/config", member.url)).await.unwrap_or_default();
            all.push(config["hash"].to_string());
        }
        all
    }

    /// Seconds that all notifications took, and how many they were.
    pub(super) async fn latency(&self) -> Result<(f64, f64), String> {
        let mut all = (0.0, 0.0);
        for member in &self.members {
            let answer = self.client.get(format!("{}/metrics", member.url)).send().await;
            let text = answer.map_err(|error| chain(&error))?.text().await.map_err(|error| chain(&error))?;
            let metrics = crate::diagnose::Metrics::read(&text);
            all.0 += metrics.sum("alertmanager_notification_latency_seconds_sum");
            all.1 += metrics.sum("alertmanager_notification_latency_seconds_count");
        }
        Ok(all)
    }

    /// Whether a member takes a silence, of something that there isn't, for that long.
    pub(super) async fn silence(&self, member: &Member, lasts: Duration) -> Result<bool, String> {
        let at = now();
        let body = json!({
            "matchers": [{"name": "drill", "value": "nothing", "isRegex": false}],
            "startsAt": at.rfc3339_millis(), "endsAt": (at + lasts).rfc3339_millis(),
            "createdBy": "drill", "comment": "a rehearsal",
        });
        let request = self.client.post(format!("{}/api/v2/silences", member.url));
        let request = request.header("content-type", "application/json").body(body.to_string());
        let answer = request.send().await.map_err(|error| chain(&error))?;
        Ok(answer.status().is_success())
    }

    /// Tells the receiver how to answer.
    pub(super) async fn behave(&self, how: &str) -> Result<(), String> {
        let answer = self.stranger.put(format!("{}/behaviour{how}", self.sink)).send().await;
        let answer = answer.map_err(|error| chain(&error))?;
        if answer.status().is_success() { Ok(()) } else { Err(format!("the receiver answers {}", answer.status())) }
    }

    /// What the receiver got so far.
    pub(super) async fn received(&self) -> Result<Value, String> {
        get(&self.stranger, &format!("{}/received", self.sink)).await
    }

    /// Takes everything away, the firing alerts first where the cluster goes on.
    pub(super) async fn strike(&self, place: &mut dyn Place) -> Result<(), String> {
        let resolved = match place.stays() {
            true => super::load::resolve(self).await,
            false => Ok(()),
        };
        place.strike(self).await.and(resolved)
    }

    /// The JSON at a URL.
    async fn get(&self, url: &str) -> Result<Value, String> {
        get(&self.client, url).await
    }
}

async fn get(client: &Client, url: &str) -> Result<Value, String> {
    let answer = client.get(url).send().await.map_err(|error| chain(&error))?;
    let body = answer.error_for_status().map_err(|error| chain(&error))?.bytes().await;
    serde_json::from_slice(&body.map_err(|error| chain(&error))?).map_err(|error| error.to_string())
}
