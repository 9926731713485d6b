//! The operator asks members itself: a cut link and a stuck process are told within seconds, and mended.

use std::time::Instant;

use crate::diagnose::diagnose;
use crate::kubectl::{in_node, json, pod_json};
use crate::sample::{NAMESPACE, Sample};
use crate::wait::{same, until};

fn gossip(sample: &Sample, wanted: &str) -> String {
    until(&format!("GossipConverged is {wanted}"), || {
        let (status, told) = sample.condition("GossipConverged")?;
        same(status, &wanted.to_owned()).map(|_| told.clone()).map_err(|seen| format!("{seen}, {told}"))
    })
}

#[test]
fn members_that_do_not_see_each_other_are_named_and_heal() {
    let sample = Sample::ready();
    gossip(&sample, "True");
    let pods = sample.incarnations().unwrap();
    let members = sample.ready_pods().unwrap();
    let lonely = &members["alertmanager-main-2"];
    in_node(&["nft", "add table bridge cut; add chain bridge cut way { type filter hook forward priority 0; }"]);
    let cut = Instant::now();
    for other in ["alertmanager-main-0", "alertmanager-main-1"].map(|pod| &members[pod]) {
        for (from, to) in [(lonely, other), (other, lonely)] {
            in_node(&["nft", &format!("add rule bridge cut way ip saddr {from} ip daddr {to} drop")]);
        }
    }
    let told = gossip(&sample, "False");
    println!("    a cut link is told after {:.1} s: {told}", cut.elapsed().as_secs_f64());
    assert!(told.contains("does not see") && told.contains("alertmanager-main-2"), "{told}");
    let (code, text) = diagnose(&["--cluster", "default/main"]);
    assert!(
        code == Some(1) && text.contains("CRITICAL alertmanager-main-0 does not see alertmanager-main-2"),
        "{text}"
    );
    assert!(text.contains("the operator says of main: GossipConverged False"), "{text}");
    in_node(&["nft", "delete table bridge cut"]);
    gossip(&sample, "True");
    until("all is well", || sample.settled(3));

    // packets get through and connections don't: gossip alone doesn't show that
    in_node(&["nft", "add table bridge cut; add chain bridge cut way { type filter hook forward priority 0; }"]);
    let from = &members["alertmanager-main-0"];
    in_node(&["nft", &format!("add rule bridge cut way ip saddr {from} ip daddr {lonely} tcp dport 9094 drop")]);
    let (code, text) = diagnose(&["--cluster", "default/main"]);
    let sentence =
        "CRITICAL alertmanager-main-0 sees alertmanager-main-2, and no connection gets through to its gossip port: ";
    assert!(code == Some(1) && text.contains(sentence) && !text.contains("[not_seen]"), "{text}");
    in_node(&["nft", "delete table bridge cut"]);
    let healed = Instant::now();
    gossip(&sample, "True");
    println!("    healed after {:.1} s", healed.elapsed().as_secs_f64());
    until("all is well", || sample.settled(3));
    assert_eq!(sample.incarnations().unwrap(), pods, "nobody was restarted for it");
}

#[test]
fn a_stuck_member_is_told_of_and_restarted() {
    let sample = Sample::ready();
    let before = sample.incarnations().unwrap();
    let stuck = "alertmanager-main-1";
    let process = in_node(&["pgrep", "-f", &format!("^/alertmanager-operator worker.*--cluster.peer-name={stuck} ")]);
    in_node(&["kill", "-STOP", process.trim()]);
    let start = Instant::now();
    let alerts = |pod: &str| -> Result<Vec<String>, String> {
        let alerts = pod_json(NAMESPACE, pod, "/api/v2/alerts?filter=alertname=AlertmanagerNodeFailure")?;
        Ok(alerts.as_array().into_iter().flatten().map(|alert| alert["labels"]["pod"].to_string()).collect())
    };
    until("a healthy member has the alert", || same(alerts("alertmanager-main-0")?, &vec![format!("\"{stuck}\"")]));
    println!("    the alert was there after {:.1} s", start.elapsed().as_secs_f64());
    until("another pod has its place", || {
        let now = sample.incarnations()?.remove(stuck).ok_or("none has")?;
        if now.0 == before[stuck].0 { Err("the old one has".to_owned()) } else { Ok(()) }
    });
    until("the cluster is ready again", || sample.settled(3));
    println!("    all was well after {:.1} s", start.elapsed().as_secs_f64());
    until("the alert is over", || same(alerts("alertmanager-main-0")?, &Vec::new()));
    let events = json(&["get", "events", "-n", NAMESPACE, "--field-selector=reason=MemberRestarted"]);
    let events = events["items"].as_array().into_iter().flatten();
    assert!(events.map(|event| event["message"].to_string()).any(|note| note.contains(stuck)));
    let mut after = sample.incarnations().unwrap();
    let mut others = before;
    after.remove(stuck);
    others.remove(stuck);
    assert_eq!(after, others, "nothing happened to the others");
}
