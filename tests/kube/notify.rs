//! A real Prometheus fires at all members; the receiver hears of it once, and once that it is over.

use std::time::Duration;

use crate::kubectl::pod_json;
use crate::prometheus::Prometheus;
use crate::sample::{NAMESPACE, Sample};
use crate::sink::{deliveries_of, logged, receivers_of};
use crate::wait::{same, stays, until};

/// The third member looks at the log after twice the peer timeout (15 s); a second webhook would have come by then.
const OTHERS_TURNS: Duration = Duration::from_secs(35);

#[test]
fn a_rule_of_a_real_prometheus_is_one_webhook_and_later_one_resolved() {
    let sample = Sample::ready();
    let alertname = &format!("Story{}", std::process::id());
    let firing = || vec![("firing".to_owned(), "firing".to_owned())];
    let over = || [firing(), vec![("resolved".to_owned(), "resolved".to_owned())]].concat();

    let members = sample.ready_pods().unwrap();
    let prometheus = Prometheus::firing(alertname, members.values().cloned());
    for pod in members.keys() {
        until(&format!("{pod} has the alert from Prometheus"), || {
            let alerts = pod_json(NAMESPACE, pod, &format!("/api/v2/alerts?filter=alertname={alertname}"))?;
            same(alerts.as_array().map(Vec::len), &Some(1))
        });
    }
    until("the sink has one webhook", || same(deliveries_of(alertname)?, &firing()));
    stays("one webhook", &Ok(firing()), OTHERS_TURNS, || deliveries_of(alertname));

    prometheus.resolve();
    until("the sink has one resolved", || same(deliveries_of(alertname)?, &over()));
    stays("one webhook and one resolved", &Ok(over()), OTHERS_TURNS, || deliveries_of(alertname));

    assert_eq!(receivers_of(alertname).len(), 1, "one receiver of the sample gets it");
    let lines = logged();
    assert_eq!(
        lines.lines().filter(|line| line.contains(alertname)).count(),
        2,
        "two lines in the sink's log: {lines}"
    );
}
