//! `kubectl scale` adds members and takes them away, and leaves the others alone.

use crate::kubectl::{kubectl, pod_json};
use crate::sample::{NAMESPACE, Sample};
use crate::wait::{same, until};

#[test]
fn two_more_join_without_a_restart_of_the_three() {
    let sample = Sample::ready();
    let three = sample.incarnations().unwrap();
    let peers = || -> Result<_, String> {
        let status = pod_json(NAMESPACE, "alertmanager-main-0", "/api/v2/status")?;
        Ok(status["cluster"]["peers"].as_array().map(Vec::len))
    };

    kubectl(&["scale", "-n", NAMESPACE, "amc/main", "--replicas=5"]);
    until("5 members are ready", || sample.settled(5));
    until("the first member sees 5", || same(peers()?, &Some(5)));
    let mut five = sample.incarnations().unwrap();
    five.retain(|pod, _| three.contains_key(pod));
    assert_eq!(five, three, "the three were neither replaced nor restarted");

    kubectl(&["scale", "-n", NAMESPACE, "amc/main", "--replicas=3"]);
    until("3 members are left", || sample.settled(3));
    until("the first member sees 3", || same(peers()?, &Some(3)));
    assert_eq!(sample.incarnations().unwrap(), three);
}
