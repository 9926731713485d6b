//! Gossip is encrypted from the start, and its authority is replaced without anybody noticing.

use std::time::Instant;

use crate::kubectl::{json, kubectl, pod_json, try_json};
use crate::sample::{NAMESPACE, Sample};
use crate::wait::{LIMIT, TIMEOUT, same, until};

fn secret(name: &str, key: &str) -> Result<String, String> {
    let secret = try_json(&["get", "secret", "-n", NAMESPACE, name])?;
    secret["data"][key].as_str().map(str::to_owned).ok_or_else(|| format!("{name} has no {key}"))
}

fn overlap(duration: &str) {
    let operator = ["-n", "alertmanager-operator", "deployment/alertmanager-operator"];
    kubectl(&[&["set", "env"], &operator[..], &[&format!("CERTIFICATE_OVERLAP={duration}")]].concat());
    kubectl(&["rollout", "status", operator[0], operator[1], operator[2], TIMEOUT]);
}

#[test]
fn a_new_authority_takes_over_and_members_see_each_other_all_the_time() {
    let sample = Sample::ready();
    let (status, told) = sample.condition("CertificatesReady").unwrap();
    assert_eq!(status, "True", "{told}");
    let arguments = json(&["get", "sts", "-n", NAMESPACE, "alertmanager-main"]);
    assert!(arguments.to_string().contains("--cluster.tls-config="), "gossip is encrypted");
    overlap("15s");
    until("all is well", || sample.settled(3));
    let pods = sample.incarnations().unwrap();
    let (authority, certificate) = ("alertmanager-main-gossip-ca", "alertmanager-main-gossip");
    let (old_authority, old) = (secret(authority, "tls.crt").unwrap(), secret(certificate, "tls.crt").unwrap());

    kubectl(&["delete", "secret", "-n", NAMESPACE, authority]);
    let start = Instant::now();
    let mut looks = 0;
    loop {
        for pod in pods.keys() {
            let seen = pod_json(NAMESPACE, pod, "/-/config").unwrap()["peers"].as_array().map(Vec::len);
            assert_eq!(seen, Some(3), "{pod} sees all, {:?} after the authority was deleted", start.elapsed());
            looks += 1;
        }
        let trusted = secret(certificate, "ca.crt").unwrap();
        let new = secret(authority, "tls.crt").unwrap_or_else(|_| old_authority.clone());
        if new != old_authority && secret(certificate, "tls.crt").unwrap() != old && trusted == new {
            break;
        }
        assert!(start.elapsed() < LIMIT, "no new authority has taken over within {LIMIT:?}");
    }
    println!("    a new authority took over in {:.1} s; {looks} looks", start.elapsed().as_secs_f64());
    // what members speak of now goes over connections of the new certificates
    kubectl(&["delete", "pod", "-n", NAMESPACE, "alertmanager-main-2", TIMEOUT]);
    until("one that starts now is let in", || sample.settled(3));
    until("GossipConverged", || same(sample.condition("GossipConverged")?.0, &"True".to_owned()));
    let mut after = sample.incarnations().unwrap();
    let mut before = pods;
    after.remove("alertmanager-main-2");
    before.remove("alertmanager-main-2");
    assert_eq!(after, before, "no other pod was replaced or restarted");
    overlap("10m");
}
