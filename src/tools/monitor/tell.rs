//! Telling others: alerts to the members that are left, members that come and go to a webhook.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use reqwest::{Client, Url};
use serde_json::{Value, json};

use super::Flags;
use super::watch::{Change, Firing};
use crate::chain::chain;
use crate::clock::{from_system, now};
use crate::diagnose::Member;

/// An alert that isn't posted again ends after so many intervals, but not sooner than this.
const INTERVALS: u32 = 4;
const LIFE_MIN: Duration = Duration::from_secs(120);

/// Remembers what it has told.
#[derive(Debug)]
pub(super) struct Teller {
    client: Client,
    life: Duration,
    alerts: bool,
    webhook: Option<Url>,
    /// What fired at the last look, as far as anybody took it.
    fired: BTreeSet<Firing>,
    /// What the webhook has not taken yet, the oldest first.
    owed: Vec<Value>,
}

impl Teller {
    pub(super) fn new(flags: &Flags, client: Client) -> Self {
        Self {
            client,
            life: (flags.interval * INTERVALS).max(LIFE_MIN),
            alerts: !flags.no_alerts,
            webhook: flags.webhook.clone(),
            fired: BTreeSet::new(),
            owed: Vec::new(),
        }
    }

    /// Posts what fires, and the end of what fired; what could not be told is complained about, and tried again.
    pub(super) async fn tell(
        &mut self,
        members: &[Member],
        changes: &[Change],
        firing: &BTreeSet<Firing>,
    ) -> Vec<String> {
        let mut complaints = Vec::new();
        if self.alerts {
            let same = |one: &Firing, other: &Firing| one.labels == other.labels;
            let over = self.fired.iter().filter(|old| !firing.iter().any(|new| same(old, new)));
            let (soon, at_once) = (SystemTime::now() + self.life, SystemTime::now());
            let alerts: Vec<Value> =
                firing.iter().map(|one| alert(one, soon)).chain(over.map(|one| alert(one, at_once))).collect();
            if alerts.is_empty() || self.post(members, &Value::from(alerts), &mut complaints).await {
                self.fired.clone_from(firing);
            }
        }
        let come_and_go =
            |change: &&Change| matches!(change, Change::MemberFailed { .. } | Change::MemberRecovered { .. });
        if let Some(webhook) = &self.webhook {
            self.owed.extend(changes.iter().filter(come_and_go).map(|change| {
                let mut value = serde_json::to_value(change).unwrap_or_default();
                value["at"] = now().rfc3339_millis().into();
                value
            }));
            // in order: the last word about a member must be the last
            while let Some(first) = self.owed.first() {
                let answer = self.client.post(webhook.clone()).header("content-type", "application/json");
                let answer = answer.body(first.to_string()).send().await.and_then(reqwest::Response::error_for_status);
                if let Err(error) = answer {
                    complaints.push(format!("the webhook was not told: {}", chain(&error)));
                    break;
                }
                self.owed.remove(0);
            }
        }
        complaints
    }

    /// Whether anybody took it. All that answer get it: the Go Alertmanager doesn't pass alerts on.
    async fn post(&self, members: &[Member], alerts: &Value, complaints: &mut Vec<String>) -> bool {
        let (body, mut taken) = (alerts.to_string(), false);
        for member in members.iter().filter(|member| member.said.is_some()) {
            let url = format!("{}/api/v2/alerts", member.base);
            let request = self.client.post(&url).header("content-type", "application/json").body(body.clone());
            match request.send().await.and_then(reqwest::Response::error_for_status) {
                Ok(_) => taken = true,
                Err(error) => complaints.push(format!("{} takes no alert: {}", member.name(), chain(&error))),
            }
        }
        if !taken {
            complaints.push("no member takes alerts about the others".to_owned());
        }
        taken
    }
}

fn alert(firing: &Firing, ends: SystemTime) -> Value {
    json!({
        "labels": firing.labels,
        "annotations": {"summary": firing.summary, "description": firing.description},
        "endsAt": from_system(ends).rfc3339_millis(),
    })
}
