//! What a template is told: the reference's `template.Data`.

use std::sync::Arc;

use super::gotime::GoTime;
use crate::alert::Alert;
use crate::label::LabelSet;
use crate::notify;

/// What a template is rendered with; made once for a notification, shared by all its fields.
#[derive(Debug, Clone)]
pub struct Data {
    /// What `now` tells and `since` counts from.
    pub(super) now: GoTime,
    /// Quoted for a regular expression.
    pub(super) receiver: Arc<str>,
    pub(super) status: Arc<str>,
    pub(super) alerts: Arc<[Arc<AlertData>]>,
    pub(super) notification_reason: Arc<str>,
    pub(super) group_labels: LabelSet,
    pub(super) common_labels: LabelSet,
    pub(super) common_annotations: LabelSet,
    pub(super) route_labels: LabelSet,
    pub(super) external_url: Arc<str>,
    /// Whether `route_labels` hold results rather than templates.
    pub(super) labels_rendered: bool,
}

/// One alert as templates see it.
#[derive(Debug, Clone)]
pub(super) struct AlertData {
    pub(super) status: Arc<str>,
    pub(super) labels: LabelSet,
    pub(super) annotations: LabelSet,
    pub(super) starts_at: GoTime,
    pub(super) ends_at: GoTime,
    pub(super) generator_url: Arc<str>,
    pub(super) fingerprint: Arc<str>,
}

impl Data {
    /// Of a notification, whose route labels are rendered already.
    pub fn new(data: &notify::Data) -> Self {
        let firing = data.alerts.iter().any(|alert| !alert.resolved_at(data.now));
        let statuses: [Arc<str>; 2] = ["firing".into(), "resolved".into()];
        let alerts = data.alerts.iter().map(|alert| {
            let resolved = alert.resolved_at(data.now);
            Arc::new(AlertData {
                status: statuses[usize::from(resolved)].clone(),
                labels: alert.labels.clone(),
                annotations: alert.annotations.clone(),
                starts_at: GoTime::utc(alert.starts_at),
                ends_at: if resolved { GoTime::utc(alert.ends_at) } else { GoTime::UNSET },
                generator_url: alert.generator_url.clone(),
                fingerprint: alert.fingerprint.to_string().into(),
            })
        });
        Self {
            now: GoTime::utc(data.now),
            receiver: quote_regex(&data.receiver).into(),
            status: statuses[usize::from(!firing)].clone(),
            alerts: alerts.collect(),
            notification_reason: data.reason.text().into(),
            group_labels: data.group_labels.clone(),
            common_labels: common(&data.alerts, |alert| &alert.labels),
            common_annotations: common(&data.alerts, |alert| &alert.annotations),
            route_labels: data.route_labels.clone(),
            external_url: data.external_url.as_str().into(),
            labels_rendered: true,
        }
    }

    /// Those that all alerts share.
    pub(crate) fn common_labels(&self) -> &LabelSet {
        &self.common_labels
    }

    /// The route labels are templates still, and no reason is known yet: what [`super::Templates::route_labels`] needs.
    pub(super) fn with_raw_labels(mut self) -> Self {
        self.labels_rendered = false;
        self.notification_reason = "unknown".into();
        self
    }
}

/// The pairs that all alerts share.
fn common(alerts: &[Arc<Alert>], set: impl Fn(&Alert) -> &LabelSet) -> LabelSet {
    let Some((first, rest)) = alerts.split_first() else { return LabelSet::empty() };
    let first = set(first);
    if rest.iter().all(|alert| set(alert) == first) {
        return first.clone();
    }
    LabelSet::new(first.iter().filter(|(name, value)| rest.iter().all(|a| set(a).get(name) == Some(*value))))
}

/// Templates see the receiver's name as a regular expression that matches it only (reference behaviour).
fn quote_regex(name: &str) -> String {
    let mut quoted = String::with_capacity(name.len());
    for c in name.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted
}
