//! A pod that is deleted comes back with what the cluster knows.

use std::collections::BTreeMap;

use crate::kubectl::{amtool, kubectl};
use crate::sample::{Incarnation, NAMESPACE, Sample};
use crate::wait::until;

#[test]
fn a_deleted_pod_comes_back_with_its_silences() {
    let sample = Sample::ready();
    let pods = sample.incarnations().unwrap();
    let first = sample.url("alertmanager-main-0").unwrap();
    let silence = ["silence", "add", "alertname=Heal", "--author=kube", "--comment=kept", "--duration=2h"];
    let silence = amtool(&first, &silence).unwrap().trim().to_owned();
    let known_to = |pod: &str| {
        let known = amtool(&sample.url(pod)?, &["silence", "query", "--quiet"])?;
        if known.lines().any(|id| id == silence) { Ok(()) } else { Err(format!("silences {known:?}")) }
    };
    until("the silence is on the second member", || known_to("alertmanager-main-1"));

    kubectl(&["delete", "pod", "-n", NAMESPACE, "alertmanager-main-1", "--wait=false"]);
    until("another pod has its place", || {
        let now = sample.incarnations()?.remove("alertmanager-main-1").ok_or("none has")?;
        if now.0 == pods["alertmanager-main-1"].0 { Err("the old one has".to_owned()) } else { Ok(()) }
    });
    until("the cluster is ready again", || sample.settled(3));
    until("the new pod has the silence", || known_to("alertmanager-main-1"));
    let others = |mut all: BTreeMap<String, Incarnation>| {
        all.remove("alertmanager-main-1");
        all
    };
    assert_eq!(others(sample.incarnations().unwrap()), others(pods), "nothing happened to the others");
    amtool(&first, &["silence", "expire", &silence]).unwrap();
}
