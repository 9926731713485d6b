//! Families of the notification log and of the silences.

use alerting::effects::StateFile;

use super::Snapshot;
use super::exposition::{Exposition, Family};
use crate::observed::{DURATIONS, Summary};

/// All families `alertmanager_nflog_*`.
pub(super) fn log(out: &mut Exposition, seen: &Snapshot) {
    let stats = &seen.stats;
    out.gauge("alertmanager_nflog_entries", "Entries of the notification log.").is(seen.log_entries);
    out.counter("alertmanager_nflog_queries_total", "Look-ups in the notification log.").is(stats.nflog_queries);
    out.counter("alertmanager_nflog_query_errors_total", "Look-ups that found nothing.").is(stats.nflog_misses);
    let durations = out.histogram(
        "alertmanager_nflog_query_duration_seconds",
        "Look-ups in the notification log: one in a table, which takes no time worth measuring.",
    );
    unmeasured(durations, stats.nflog_queries);
    out.counter("alertmanager_nflog_gossip_messages_propagated_total", "Entries told to peers.")
        .is(stats.nflog_propagated);
    file(out, seen, StateFile::NotificationLog, stats.nflog_maintenance, stats.nflog_snapshot_bytes);
}

/// All families `alertmanager_silences*`.
pub(super) fn silences(out: &mut Exposition, seen: &Snapshot) {
    let stats = &seen.stats;
    let [active, pending, expired] = seen.silences;
    out.gauge("alertmanager_silences", "Silences by state.")
        .with(&[("state", "active")], active)
        .with(&[("state", "expired")], expired)
        .with(&[("state", "pending")], pending);
    for (name, help) in [
        ("state", "Silences that are kept."),
        ("version_index", "Silences that are kept; they are found by their ids."),
    ] {
        out.gauge(&format!("alertmanager_silences_{name}_size"), help).is(active + pending + expired);
    }
    out.gauge("alertmanager_silences_matcher_index_size", "Silences that alerts are matched with.")
        .is(active + pending);
    out.counter("alertmanager_silences_queries_total", "Queries for silences.").is(stats.silences_queries);
    out.counter("alertmanager_silences_query_errors_total", "Never rises: a query can't fail.").is(0_u64);
    let durations = out.histogram(
        "alertmanager_silences_query_duration_seconds",
        "Queries for silences: they take handles, which takes no time worth measuring.",
    );
    unmeasured(durations, stats.silences_queries);
    out.counter("alertmanager_silences_query_silences_scanned_total", "Silences that alerts were matched with.")
        .is(stats.silences_scanned);
    out.counter("alertmanager_silences_query_silences_skipped_total", "Never rises: an index finds the candidates.")
        .is(0_u64);
    out.counter(
        "alertmanager_silences_matcher_compile_errors_total",
        "Silences with matchers that make no sense here.",
    )
    .with(&[("stage", "index")], stats.silences_unusable)
    .with(&[("stage", "load_snapshot")], stats.silences_unusable_at_start);
    out.counter("alertmanager_silences_gc_errors_total", "Never rises: forgetting can't fail.").is(0_u64);
    out.counter("alertmanager_silences_gossip_messages_propagated_total", "Silences told to peers.")
        .is(stats.silences_propagated);
    file(out, seen, StateFile::Silences, stats.silences_maintenance, stats.silences_snapshot_bytes);
}

/// What both files have.
fn file(out: &mut Exposition, seen: &Snapshot, file: StateFile, rounds: u64, bytes: u64) {
    let name = |what: &str| format!("alertmanager_{}_{what}", file.name());
    let times = &seen.times;
    let written = times.snapshots.get(&file).copied().unwrap_or_default();
    let errors = times.snapshot_errors.get(&file).copied().unwrap_or_default();
    out.counter(&name("maintenance_total"), "Rounds of maintenance.").is(rounds);
    out.counter(&name("maintenance_errors_total"), "Rounds of maintenance whose file could not be written.").is(errors);
    out.gauge(&name("snapshot_size_bytes"), "Size of the last snapshot.").is(bytes);
    out.summary(&name("snapshot_duration_seconds"), "Time to write a snapshot.", written);
    // both are done in one go
    let half = Summary { sum: times.maintenance.sum / 2.0, ..times.maintenance };
    out.summary(&name("gc_duration_seconds"), "Time to forget what has expired and to pack the rest.", half);
}

/// Observations that took no time.
fn unmeasured(mut family: Family<'_>, count: u64) {
    let mut counts = vec![0; DURATIONS.len() + 1];
    counts[0] = count;
    family.buckets(&[], DURATIONS, &counts, 0.0);
}
