//! Families of the event recorder; there are none without one.

use super::exposition::Exposition;
use crate::recorder::Counts;

/// All families `alertmanager_event*`.
pub(super) fn write(out: &mut Exposition, counts: &Counts, waiting: usize) {
    let mut recorded =
        out.counter("alertmanager_events_recorded_total", "Events given to an output, and how that went.");
    for ((kind, output, good), count) in &counts.recorded {
        let result = if *good { "success" } else { "error" };
        recorded.with(&[("event_type", kind), ("output", output), ("result", result)], *count);
    }
    let mut bytes = out.counter("alertmanager_event_recorder_bytes_written_total", "Bytes given to an output.");
    for ((kind, output), count) in &counts.bytes {
        bytes.with(&[("event_type", kind), ("output", output)], *count);
    }
    let mut dropped = out.counter("alertmanager_events_dropped_total", "Events dropped since the queue was full.");
    for (kind, count) in &counts.dropped {
        dropped.with(&[("event_type", kind)], *count);
    }
    let mut broken = out.counter("alertmanager_event_serialize_errors_total", "Events that could not be encoded.");
    for (kind, count) in &counts.not_serialized {
        broken.with(&[("event_type", kind)], *count);
    }
    let mut drops = out.counter("alertmanager_event_output_drops_total", "Events dropped by an output's full queue.");
    for (output, count) in &counts.output_drops {
        drops.with(&[("output", output)], *count);
    }
    let mut failed = out.counter("alertmanager_event_kafka_produce_errors_total", "Events that Kafka did not take.");
    for ((output, kind), count) in &counts.not_produced {
        failed.with(&[("error_type", kind), ("output", output)], *count);
    }
    out.gauge("alertmanager_event_recorder_queue_length", "Events that wait to be given to the outputs.").is(waiting);
}
