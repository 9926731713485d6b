//! All members are replaced while alerts come in through the Service: none is refused, and each group is told of once.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::kubectl::{json, kubectl};
use crate::sample::{NAMESPACE, Sample};
use crate::sink::deliveries;
use crate::wait::{same, stays, until};

/// Groups that are told of while members come and go.
const GROUPS: usize = 60;

/// The third member looks at the log after twice the peer timeout (15 s); what is told twice would have come by then.
const OTHERS_TURNS: Duration = Duration::from_secs(35);

fn post(address: &str, alertname: &str) -> Result<(), String> {
    let body = format!(r#"[{{"labels": {{"alertname": "{alertname}"}}, "endsAt": "2100-01-01T00:00:00Z"}}]"#);
    let failed = |what: &str, error: std::io::Error| format!("{what}: {error}");
    let mut stream = TcpStream::connect(address).map_err(|error| failed("connecting", error))?;
    let limit = Some(Duration::from_secs(30));
    stream
        .set_read_timeout(limit)
        .and_then(|()| stream.set_write_timeout(limit))
        .map_err(|error| failed("limits", error))?;
    let head = format!("POST /api/v2/alerts HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n");
    let request = format!("{head}Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).map_err(|error| failed("sending", error))?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(|error| failed("reading", error))?;
    if answer.starts_with("HTTP/1.1 200 ") { Ok(()) } else { Err(format!("answered {answer:?}")) }
}

/// Webhooks by group, for the groups of this test.
fn told(prefix: &str) -> Result<BTreeMap<String, usize>, String> {
    let mut counts = BTreeMap::new();
    for body in deliveries()? {
        let name = body["groupLabels"]["alertname"].as_str().unwrap_or_default();
        if name.starts_with(prefix) {
            *counts.entry(name.to_owned()).or_default() += 1;
        }
    }
    Ok(counts)
}

#[test]
fn no_post_is_lost_and_no_group_is_told_of_twice_while_all_members_are_replaced() {
    let sample = Sample::ready();
    let pods = sample.incarnations().unwrap();
    let service = json(&["get", "service", "-n", NAMESPACE, "alertmanager-main"]);
    let address = format!("{}:9093", service["spec"]["clusterIP"].as_str().unwrap());
    let prefix = format!("Load{}x", std::process::id());
    let names: Vec<String> = (0..GROUPS).map(|n| format!("{prefix}{n}")).collect();

    let stop = AtomicBool::new(false);
    let (posts, refused) = thread::scope(|scope| {
        let poster = scope.spawn(|| {
            let (mut posts, mut refused) = (0, Vec::new());
            // a new group joins with each round until all are there; all are said again and again
            while !stop.load(Ordering::Relaxed) || posts < GROUPS * GROUPS {
                for name in names.iter().take(1 + posts / GROUPS) {
                    posts += 1;
                    refused.extend(post(&address, name).err());
                    // as a sender that has other things to do; nothing is waited for
                    thread::sleep(Duration::from_millis(5));
                }
            }
            (posts, refused)
        });
        let patch = r#"{"spec": {"restartedAt": "under load"}}"#;
        kubectl(&["patch", "-n", NAMESPACE, "amc", "main", "--type=merge", "-p", patch]);
        let rolled = std::panic::catch_unwind(|| {
            until("all members are new ones", || {
                sample.settled(3)?;
                let now = sample.incarnations()?;
                same(pods.iter().filter(|(pod, old)| now.get(*pod) == Some(*old)).count(), &0)
            });
        });
        stop.store(true, Ordering::Relaxed);
        let done = poster.join().unwrap();
        rolled.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        done
    });
    println!("    {posts} posts meanwhile, {} of them refused", refused.len());
    assert_eq!(refused, Vec::<String>::new());
    let once: BTreeMap<String, usize> = names.iter().map(|name| (name.clone(), 1)).collect();
    until("each group is told of", || same(told(&prefix)?, &once));
    stays("each group told of once", &Ok(once.clone()), OTHERS_TURNS, || told(&prefix));
    let patch = r#"[{"op": "remove", "path": "/spec/restartedAt"}]"#;
    kubectl(&["patch", "-n", NAMESPACE, "amc", "main", "--type=json", "-p", patch]);
    until("all is well", || sample.settled(3));
}
