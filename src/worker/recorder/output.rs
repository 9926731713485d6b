//! Where events go.

use std::io;

use bytes::Bytes;
use prost::Message;
use tokio::io::AsyncWriteExt;
use tracing::error;

use super::file::FileOutput;
use super::kafka::KafkaOutput;
use super::schema::Event;
use super::stats::RecorderStats;
use super::webhook::WebhookOutput;

/// An event in the form that outputs write.
#[derive(Debug, Clone)]
pub(super) struct Encoded {
    /// Label of the metrics.
    pub(super) kind: &'static str,
    /// One object, no line break.
    pub(super) json: Bytes,
    /// For those who write it in another form.
    event: Event,
}

/// One output.
#[derive(Debug)]
pub(super) enum Output {
    /// Lines in a file.
    File(FileOutput),
    /// Requests.
    Webhook(WebhookOutput),
    /// Records of a topic.
    Kafka(KafkaOutput),
    /// Lines on standard output.
    Stdout,
}

impl Encoded {
    /// `None` when it can't be encoded, which is counted.
    pub(super) fn new(event: Event, stats: &RecorderStats) -> Option<Self> {
        let kind = event.data.as_ref().and_then(|data| data.kind.as_ref()).map_or("unknown", |kind| kind.name());
        match serde_json::to_vec(&event) {
            Ok(json) => Some(Self { kind, json: json.into(), event }),
            Err(error) => {
                stats.not_serialized(kind);
                error!(component = "eventrecorder", event_type = kind, err = %error, "Failed to encode event");
                None
            }
        }
    }
}

impl Output {
    /// Label of the metrics; no secrets.
    fn name(&self) -> &str {
        match self {
            Self::File(file) => file.name(),
            Self::Webhook(webhook) => webhook.name(),
            Self::Kafka(kafka) => kafka.name(),
            Self::Stdout => "stdout",
        }
    }

    /// Writes a batch, and counts what came of it.
    pub(super) async fn write(&mut self, events: &[Encoded], stats: &RecorderStats) {
        let (written, line_end) = match self {
            Self::File(file) => (file.write(&lines(events)).await, 1),
            Self::Stdout => (print(&lines(events)).await, 1),
            Self::Webhook(webhook) => {
                events.iter().for_each(|event| webhook.put(event.json.clone()));
                (Ok(()), 0)
            }
            Self::Kafka(kafka) => return produce(kafka, events, stats),
        };
        if let Err(error) = &written {
            error!(component = "eventrecorder", output = self.name(), err = %error, "Failed to write event");
        }
        for event in events {
            let bytes = written.is_ok().then_some(event.json.len() + line_end);
            stats.recorded(event.kind, self.name(), bytes);
        }
    }

    /// Finishes what it has taken.
    pub(super) async fn close(self) {
        match self {
            Self::Webhook(webhook) => webhook.close().await,
            Self::Kafka(kafka) => kafka.close().await,
            Self::File(_) | Self::Stdout => {}
        }
    }
}

fn produce(kafka: &KafkaOutput, events: &[Encoded], stats: &RecorderStats) {
    for event in events {
        let value = if kafka.is_json() { event.json.clone() } else { event.event.encode_to_vec().into() };
        stats.recorded(event.kind, kafka.name(), Some(value.len()));
        kafka.put(value);
    }
}

fn lines(events: &[Encoded]) -> Vec<u8> {
    let mut lines = Vec::with_capacity(events.iter().map(|event| event.json.len() + 1).sum());
    for event in events {
        lines.extend_from_slice(&event.json);
        lines.push(b'\n');
    }
    lines
}

async fn print(lines: &[u8]) -> io::Result<()> {
    let mut stdout = tokio::io::stdout();
    stdout.write_all(lines).await?;
    stdout.flush().await
}
