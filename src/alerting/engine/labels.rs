//! Labels of a route, rendered for a group, and the order of its alerts.

use std::cmp::Ordering;
use std::sync::Arc;

use super::Engine;
use crate::alert::Alert;
use crate::effects::Event;
use crate::label::LabelSet;
use crate::nflog::SendReason;
use crate::notify::Data;
use crate::template::{self, RouteLabels};
use crate::time::Timestamp;

impl Engine {
    /// The labels of a group's route as they are with all of the group's alerts, muted ones too (reference behaviour).
    pub(super) fn route_labels(&self, now: Timestamp, number: u32) -> Option<RouteLabels> {
        let running = self.running.as_ref()?;
        let group = self.groups.get(number)?;
        let node = running.routes.node(group.route);
        if !node.templated {
            return Some(RouteLabels { labels: node.labels.clone(), failed: Vec::new() });
        }
        let alerts: Vec<Arc<Alert>> =
            group.alerts.iter().filter_map(|alert| Some(self.alerts.get(*alert)?.alert.clone())).collect();
        let alerts = sorted_for_print(&alerts);
        let data = Data {
            now,
            receiver: running.config.receivers[node.receiver].name.clone(),
            // templates of labels see none
            reason: SendReason::FirstNotification,
            group_labels: group.labels.clone(),
            route_labels: node.labels.clone(),
            group_key: group.key.clone(),
            external_url: self.options.external_url.clone(),
            alerts,
        };
        Some(running.config.template_set.route_labels(template::Data::new(&data)))
    }

    /// Tells which labels could not be rendered.
    pub(super) fn report_labels(&mut self, number: u32, rendered: &RouteLabels) {
        let Some(key) = self.groups.get(number).map(|group| group.key.clone()) else { return };
        for (label, error) in &rendered.failed {
            let (group, label, error) = (key.clone(), label.clone(), error.to_string());
            self.event(Event::RouteLabelFailed { group, label, error });
        }
    }
}

/// By `job`, then `instance`, then all labels (reference behaviour).
pub(super) fn sorted_for_print(alerts: &[Arc<Alert>]) -> Vec<Arc<Alert>> {
    // looked up once for each alert, not once for each comparison
    let mut keyed: Vec<_> = alerts.iter().map(|alert| (first_keys(&alert.labels), alert)).collect();
    keyed.sort_by(|(key, alert), (other_key, other)| key.cmp(other_key).then_with(|| alert.labels.cmp(&other.labels)));
    keyed.into_iter().map(|(_, alert)| alert.clone()).collect()
}

/// `job` and `instance`, each preceded by whether it is missing.
fn first_keys(labels: &LabelSet) -> [(bool, &str); 2] {
    ["job", "instance"].map(|name| labels.get(name).map_or((true, ""), |value| (false, value)))
}

/// The order in which alerts of a group are shown: those that have a `job`, then an `instance`, come first.
pub(super) fn print_order(a: &LabelSet, b: &LabelSet) -> Ordering {
    first_keys(a).cmp(&first_keys(b)).then_with(|| a.cmp(b))
}
