//! What Prometheus and Grafana are given about a cluster: whom to ask, what to alert about, what to show.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::{Value, json};

use super::{Other, Rendering};
use crate::plan::{PORT_MANAGEMENT, selector};

const NEEDS: &str = "the Prometheus operator";
const GROUP: &str = "monitoring.coreos.com";

/// Alerts about any cluster; [`SELECTOR`] stands for the members.
const RULES: &str = include_str!("../../../config/monitoring/rules.yml");
const DASHBOARD: &str = include_str!("../../../config/monitoring/dashboard.json");
/// What stands for all members of all clusters in those files, for people who use them as they are.
const SELECTOR: &str = r#"job="alertmanager""#;

pub(super) fn render(cluster: &Rendering<'_>) -> [Other; 3] {
    let wanted = &cluster.spec.monitoring;
    let name = || cluster.plan.names.base();
    let labels = |own: Option<&BTreeMap<String, String>>| {
        let own = own.cloned().unwrap_or_default();
        // those that say whose it is can't be changed
        move |metadata: &mut ObjectMeta| {
            let ours = metadata.labels.take().unwrap_or_default();
            metadata.labels = Some(own.into_iter().chain(ours).collect());
        }
    };
    let monitor = wanted.pod_monitor.as_ref();
    let (rules, dashboard) = (wanted.rules.as_ref(), wanted.dashboard.as_ref());
    [
        cluster.other(
            (GROUP, "v1", "PodMonitor"),
            NEEDS,
            name(),
            labels(monitor.map(|monitor| &monitor.labels)),
            monitor.map(|monitor| pod_monitor(cluster, monitor.interval.as_deref())),
        ),
        cluster.other(
            (GROUP, "v1", "PrometheusRule"),
            NEEDS,
            name(),
            labels(rules.map(|rules| &rules.labels)),
            rules.and_then(|_| Some(json!({ "spec": own_rules(cluster)? }))),
        ),
        cluster.other(
            ("", "v1", "ConfigMap"),
            "Kubernetes",
            format!("{}-dashboard", name()),
            labels(dashboard.map(|dashboard| &dashboard.labels)),
            dashboard.map(|_| json!({ "data": { format!("{}.json", name()): own_dashboard(cluster) } })),
        ),
    ]
}

fn pod_monitor(cluster: &Rendering<'_>, interval: Option<&str>) -> Value {
    let mut endpoint = json!({ "port": PORT_MANAGEMENT });
    if let Some(interval) = interval {
        endpoint["interval"] = json!(interval);
    }
    let selected = selector(&cluster.plan.names.object);
    json!({ "spec": { "selector": { "matchLabels": selected }, "podMetricsEndpoints": [endpoint] } })
}

/// As the PodMonitor labels what comes from the members.
fn own_selector(cluster: &Rendering<'_>) -> String {
    format!(r#"namespace="{}",pod=~"{}-[0-9]+""#, cluster.plan.namespace, cluster.plan.names.base())
}

/// `None` never comes: a test reads the rules.
fn own_rules(cluster: &Rendering<'_>) -> Option<Value> {
    serde_saphyr::from_str(&RULES.replace(SELECTOR, &own_selector(cluster))).ok()
}

fn own_dashboard(cluster: &Rendering<'_>) -> String {
    let escaped = |text: &str| text.replace('"', "\\\"");
    let title = format!("Alertmanager {}/{}", cluster.plan.namespace, cluster.plan.names.object);
    let uid = format!("{}-{}", cluster.plan.namespace, cluster.plan.names.base());
    DASHBOARD
        .replace(&escaped(SELECTOR), &escaped(&own_selector(cluster)))
        .replace("Alertmanager clusters", &title)
        .replace("alertmanager-clusters", &uid.chars().take(40).collect::<String>())
}
