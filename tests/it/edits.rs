//! Edits of the manifest while the cluster runs.

use crate::running::Cluster;
use crate::wait::{same, until};

#[test]
fn good_edits_reach_all_members_and_broken_ones_none() {
    let (cluster, sample) = Cluster::quick();
    cluster.local.line("Ctrl-C");
    let first = cluster.hash().unwrap();

    sample.edit(|text| text.replace("group_wait: 2s", "group_wait: 1s"));
    let second = until("all members run the edited configuration", || match cluster.hash()? {
        hash if hash == first => Err("still the first".to_owned()),
        hash => Ok(hash),
    });
    cluster.local.line(&format!("configuration {} runs on 3/3 members", &second[..10]));

    sample.edit(|text| text.replace("group_wait: 1s", "group_wait: soon"));
    let refused = cluster.local.line("manifest refused");
    assert!(refused.contains("cluster.yaml:"), "{refused}");
    assert_eq!(cluster.hash().unwrap(), second);

    sample.edit(|text| text.replace("group_wait: soon", "group_wait: 2s"));
    until("all members run the first configuration again", || same(cluster.hash()?, &first));
    cluster.post(&[0, 1, 2], "Works");
    cluster.until_notified("Works");
}

#[test]
fn replicas_come_and_go_and_names_follow() {
    let (cluster, sample) = Cluster::quick();
    cluster.local.line("Ctrl-C");
    let silence = cluster.silence(0, "Hush");
    let before: Vec<_> = (0..3).map(|ordinal| cluster.worker(ordinal).unwrap()).collect();

    sample.edit(|text| text.replace("replicas: 3", "replicas: 5"));
    cluster.all_ready(5);
    cluster.until_silenced(4, &silence);
    let after: Vec<_> = (0..3).map(|ordinal| cluster.worker(ordinal).unwrap()).collect();
    assert_eq!(before, after);

    sample.edit(|text| text.replace("replicas: 5", "replicas: 2"));
    cluster.all_ready(2);
    until("the others are gone", || match (2..5).find_map(|ordinal| cluster.worker(ordinal).ok()) {
        Some(pid) => Err(format!("{pid} runs")),
        None => Ok(()),
    });
    cluster.post(&[0, 1], "Works");
    cluster.until_notified("Works");
}

#[test]
fn the_command_line_says_how_many_members_there_are() {
    let (cluster, sample) = Cluster::quick_with(2);
    cluster.local.line("Ctrl-C");
    let before: Vec<_> = (0..2).map(|ordinal| cluster.worker(ordinal).unwrap()).collect();
    sample.edit(|text| text.replace("replicas: 3", "replicas: 4").replace("group_wait: 2s", "group_wait: 1s"));
    cluster.local.line("runs on 2/2 members");
    let after: Vec<_> = (0..2).map(|ordinal| cluster.worker(ordinal).unwrap()).collect();
    assert_eq!((before, cluster.worker(2).ok()), (after, None), "whatever the manifest says");
}
