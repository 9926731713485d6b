//! The rules and the dashboard: promtool takes them, they say what they should, and ask only for metrics that there are.

use std::collections::BTreeSet;

use crate::kubectl::{pod_get, run_command};
use crate::sample::{NAMESPACE, Sample};

const RULES: &str = "config/monitoring/rules.yml";

#[test]
fn rules_say_what_they_should() {
    let checked = run_command("promtool", &["check", "rules", RULES]).unwrap();
    assert!(checked.contains("SUCCESS: 10 rules found"), "{checked}");
    run_command("promtool", &["test", "rules", "tests/kube/rules_test.yml"]).unwrap();
}

#[test]
fn rules_and_dashboard_ask_for_metrics_that_members_have() {
    let _sample = Sample::ready();
    let metrics = pod_get(NAMESPACE, "alertmanager-main-0", "/metrics").unwrap();
    let types = metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    // that one is Prometheus's own
    let known: BTreeSet<&str> = types.chain(["up"]).collect();
    for file in [RULES, "config/monitoring/dashboard.json"] {
        let text = std::fs::read_to_string(file).unwrap();
        // a metric stands before its selector
        let parts: Vec<&str> = text.split("{job=").collect();
        let name =
            |before: &&str| before.rsplit(|c: char| !(c.is_alphanumeric() || c == '_')).next().map(str::to_owned);
        let asked: Vec<String> = parts[..parts.len() - 1].iter().filter_map(name).collect();
        assert!(asked.len() >= 10, "{asked:?}");
        for metric in asked {
            let base = metric.strip_suffix("_bucket").unwrap_or(&metric);
            assert!(known.contains(base), "{file}: {metric} is no metric of a member");
        }
    }
}
