//! Families that a member of a cluster has.

use std::net::SocketAddr;

use super::Snapshot;
use super::exposition::Exposition;
use crate::observed::{DURATIONS, Histogram, TlsCounts};

/// All families `alertmanager_cluster_*`, `alertmanager_peer_position` and those of oversized messages.
pub(super) fn write(out: &mut Exposition, seen: &Snapshot) {
    let cluster = &seen.cluster;
    out.gauge("alertmanager_cluster_enabled", "Whether high availability is on.").is(cluster.enabled);
    if !cluster.enabled {
        return;
    }
    out.gauge("alertmanager_cluster_members", "Members that are alive, this one included.").is(cluster.peers.len());
    out.gauge("alertmanager_cluster_failed_peers", "Known peers that don't answer.").is(cluster.failed_peers);
    out.gauge("alertmanager_cluster_health_score", "Always 0: members don't score themselves here.").is(0_u64);
    out.gauge("alertmanager_cluster_messages_queued", "Changes that wait to be told to peers.").is(cluster.queued);
    out.gauge("alertmanager_cluster_peer_info", "Always 1; the label is the name of this member.")
        .with(&[("peer", &cluster.name)], 1_u64);
    out.gauge("alertmanager_peer_position", "Position of this member in the order of notifying.").is(cluster.position);
    out.gauge("alertmanager_cluster_settled", "Whether this member knows what its peers know, and may notify.")
        .is(cluster.settled);
    out.gauge("alertmanager_cluster_peers_awaited", "Peers whose state is waited for until then.").is(cluster.awaited);
    let mut lag = out.gauge(
        "alertmanager_cluster_peer_lag_seconds",
        "For how long a peer has not acknowledged what this member knows.",
    );
    for peer in cluster.peers.iter().filter(|peer| peer.name != cluster.name) {
        lag.with(&[("peer", &peer.name)], peer.lag.as_secs_f64());
    }
    members(out, seen);
    messages(out, seen);
    pings(out, seen);
    if let Some(counts) = &seen.times.tls {
        tls(out, counts);
    }
}

fn tls(out: &mut Exposition, counts: &TlsCounts) {
    let mut count = |name: &str, help: &str, value: u64| {
        out.counter(&format!("alertmanager_tls_transport_{name}_total"), help).is(value);
    };
    count("packet_bytes_sent", "Bytes of packets to peers.", counts.packet_bytes_sent);
    count("packet_bytes_received", "Bytes of packets from peers.", counts.packet_bytes_received);
    count("stream_connections_sent", "Connections to peers for calls.", counts.connections_sent);
    count("stream_connections_received", "Connections of peers.", counts.connections_received);
    count("read_errors", "Connections of peers that ended badly.", counts.read_errors);
    out.counter("alertmanager_tls_transport_write_errors_total", "Packets and calls that could not be sent.")
        .with(&[("connection_type", "packet")], counts.packet_write_errors)
        .with(&[("connection_type", "stream")], counts.stream_write_errors);
}

fn members(out: &mut Exposition, seen: &Snapshot) {
    let stats = &seen.stats;
    // a member joins itself first (reference behaviour)
    let mut alive = out.counter("alertmanager_cluster_alive_messages_total", "Times that a member came to life.");
    alive.with(&[("peer", &seen.cluster.name)], 1_u64);
    for (peer, count) in stats.peers_alive.iter().filter(|(peer, _)| **peer != seen.cluster.name) {
        alive.with(&[("peer", peer)], *count);
    }
    let mut count = |name: &str, help: &str, value: u64| {
        out.counter(&format!("alertmanager_cluster_{name}_total"), help).is(value);
    };
    count("peers_joined", "Members that came, this one included.", stats.peers_joined + 1);
    count("peers_left", "Members that went.", stats.peers_left);
    count("peers_update", "Never rises: members have nothing to change but their address.", 0);
    count("peer_name_conflicts", "Calls of members that have this one's name.", stats.name_conflicts);
    count("reconnections", "Peers that were reached again.", stats.reconnections.0);
    count("reconnections_failed", "Attempts to reach a peer again that failed.", stats.reconnections.1);
    count("refresh_join", "Peers that were found by their names and reached.", stats.joins.0);
    count("refresh_join_failed", "Peers that were found by their names and not reached.", stats.joins.1);
    count(
        "duplicate_notifications",
        "Notifications that a peer had sent too, as its log showed afterwards.",
        stats.duplicates_seen,
    );
}

fn messages(out: &mut Exposition, seen: &Snapshot) {
    let stats = &seen.stats;
    let mut messages = |name: &str, help: &str, count: fn(&(u64, u64)) -> u64, of: &[(u64, u64); 2]| {
        let [update, full] = of;
        out.counter(&format!("alertmanager_cluster_messages_{name}_total"), help)
            .with(&[("msg_type", "full_state")], count(full))
            .with(&[("msg_type", "update")], count(update));
    };
    let count = |of: &(u64, u64)| of.0;
    let size = |of: &(u64, u64)| of.1;
    messages("sent", "Messages to peers.", count, &stats.cluster_sent);
    messages("sent_size", "Bytes to peers.", size, &stats.cluster_sent);
    messages("received", "Messages from peers.", count, &stats.cluster_received);
    messages("received_size", "Bytes from peers.", size, &stats.cluster_received);
    out.counter("alertmanager_cluster_messages_pruned_total", "Never rises: newer changes replace older ones.")
        .is(0_u64);
    // state travels over streams here: no message is too big for a packet
    for what in ["dropped", "failure", "sent"] {
        out.counter(
            &format!("alertmanager_oversized_gossip_message_{what}_total"),
            "Never rises: no message is too big here.",
        )
        .with(&[("key", "nfl")], 0_u64)
        .with(&[("key", "sil")], 0_u64);
    }
    let mut took = out.histogram(
        "alertmanager_oversize_gossip_message_duration_seconds",
        "Without observations: no message is too big here.",
    );
    let none = Histogram::new(DURATIONS);
    took.observed(&[("key", "nfl")], &none);
    took.observed(&[("key", "sil")], &none);
}

/// By the names of the members that are there: an address alone would be a series per pod that ever was.
fn pings(out: &mut Exposition, seen: &Snapshot) {
    let mut pings = out.histogram("alertmanager_cluster_pings_seconds", "Time that a peer takes to answer a call.");
    let address = |address: &SocketAddr| seen.times.pings.get(address);
    for peer in seen.cluster.peers.iter().filter(|peer| peer.name != seen.cluster.name) {
        if let Some(histogram) = address(&peer.address) {
            pings.observed(&[("peer", &peer.name)], histogram);
        }
    }
}
