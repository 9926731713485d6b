//! The receiver of all notifications: remembers what it got and answers as it is told.

use std::collections::BTreeSet;

use alerting::time::Timestamp;

/// One request that reached the receiver.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) at: Timestamp,
    pub(crate) from: usize,
    pub(crate) group: String,
    /// `instance` labels.
    pub(crate) firing: BTreeSet<String>,
    pub(crate) resolved: BTreeSet<String>,
    pub(crate) reason: String,
    /// It was answered with 200.
    pub(crate) accepted: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Receiver {
    pub(crate) received: Vec<Received>,
    pub(crate) failing_until: Option<Timestamp>,
}

impl Receiver {
    /// Takes a webhook in; the status code of the answer.
    pub(crate) fn take(&mut self, at: Timestamp, from: usize, body: &[u8]) -> u16 {
        let accepted = self.failing_until.is_none_or(|until| until <= at);
        let body: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let of = |status: &str| -> BTreeSet<String> {
            let alerts = body["alerts"].as_array().map(Vec::as_slice).unwrap_or_default();
            let those = alerts.iter().filter(|a| a["status"] == status);
            those.map(|a| text(&a["labels"]["instance"])).collect()
        };
        self.received.push(Received {
            at,
            from,
            group: text(&body["groupKey"]),
            firing: of("firing"),
            resolved: of("resolved"),
            reason: text(&body["notification_reason"]),
            accepted,
        });
        if accepted { 200 } else { 500 }
    }

    pub(crate) fn accepted(&self) -> impl Iterator<Item = &Received> {
        self.received.iter().filter(|r| r.accepted)
    }
}
