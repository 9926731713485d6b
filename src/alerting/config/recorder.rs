//! The `event_recorder` section.

use std::sync::Arc;
use std::time::Duration;

use super::error::ConfigError;
use super::form::{Form, not_null};
use super::http::{HttpConfig, TlsConfig};
use super::node::Node;
use super::out::{Fields, Out};
use super::paths::Directory;
use super::secret::{HIDDEN, Secret};
use super::{http_read, tls_read};
use crate::label::GoQuoted;

/// Where events are recorded; every event goes to all outputs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventRecorderConfig {
    /// Paths of files that lines of JSON are added to.
    pub files: Vec<String>,
    /// Webhooks.
    pub webhooks: Vec<EventWebhook>,
    /// Topics of Kafka.
    pub kafka: Vec<EventKafka>,
    /// How often events are written to standard output.
    pub stdout: usize,
}

/// A webhook for events, defaults filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct EventWebhook {
    /// Where to post.
    pub url: Secret,
    /// How to connect.
    pub http: Arc<HttpConfig>,
    /// Of one attempt.
    pub timeout: Duration,
    /// Requests at a time.
    pub workers: u32,
    /// Attempts for one event.
    pub max_retries: u32,
    /// Before the second attempt; doubles.
    pub retry_backoff: Duration,
    /// `None`: one event a request.
    pub batch: Option<EventBatch>,
}

/// How events are put together in one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventBatch {
    /// At most.
    pub max_events: u32,
    /// Size of a body after which no more are added.
    pub max_bytes: u64,
    /// Longest wait for more.
    pub flush_interval: Duration,
}

/// A topic of Kafka, defaults filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct EventKafka {
    /// `host:port`; not empty.
    pub brokers: Vec<String>,
    /// Not empty.
    pub topic: String,
    /// Said to the brokers.
    pub client_id: String,
    /// Form of a value: JSON, or else protobuf.
    pub json: bool,
    /// Who has to have taken an event.
    pub acks: KafkaAcks,
    /// Of batches of events.
    pub compression: KafkaCompression,
    /// Events that wait at most.
    pub buffer_size: usize,
    /// `None`: no TLS.
    pub tls: Option<TlsConfig>,
}

/// Which brokers have to have taken an event before it counts as delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KafkaAcks {
    /// None: it is enough to have sent it.
    None,
    /// The leader of the partition.
    Leader,
    /// All replicas that are in sync.
    All,
}

/// How batches of events are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KafkaCompression {
    /// Not at all.
    None,
    /// gzip.
    Gzip,
    /// Snappy, without a frame.
    Snappy,
    /// LZ4 frames.
    Lz4,
    /// Zstandard.
    Zstd,
}

/// Reads it; `directory`: from which its files count.
pub(super) fn read(node: &Node, directory: &Directory) -> Result<(EventRecorderConfig, Out), ConfigError> {
    let mut form = Form::open(node, "event_recorder", "eventrecorder.Config")?;
    let files = form.list("file_outputs", "[]eventrecorder.FileOutputConfig", |node, path| {
        not_null(node, path, "file output")?;
        let mut form = Form::open(node, path, "eventrecorder.plain")?;
        let file = directory.join(&form.raw("path")?);
        form.printed().put("path", Out::text(&file));
        form.complete()?;
        form.refuse_if(file.is_empty(), "path", "event_recorder file output requires a path")?;
        Ok((file, form.done()?))
    })?;
    let webhooks = form.list("webhook_outputs", "[]eventrecorder.WebhookOutputConfig", |node, path| {
        read_webhook(node, path, directory)
    })?;
    let kafka = form
        .list("kafka_outputs", "[]eventrecorder.KafkaOutputConfig", |node, path| read_kafka(node, path, directory))?;
    let stdout = form.list("stdout_outputs", "[]eventrecorder.StdoutOutputConfig", |node, path| {
        Form::open(node, path, "eventrecorder.StdoutOutputConfig")?.done().map(|_| ((), Fields::default().done()))
    })?;
    let config = EventRecorderConfig { files, webhooks, kafka, stdout: stdout.len() };
    Ok((config, form.done()?))
}

fn read_webhook(node: &Node, path: &str, directory: &Directory) -> Result<(EventWebhook, Out), ConfigError> {
    not_null(node, path, "webhook output")?;
    let mut form = Form::open(node, path, "eventrecorder.plain")?;
    let url = form.raw_secret_url("url")?;
    form.put_secret("url", url.is_some());
    let mut http = Arc::default();
    if let Some(node) = form.node("http_config") {
        let (config, out) = http_read::read(node, &form.path("http_config"), directory)?;
        form.printed().put("http_config", out);
        http = Arc::new(config);
    }
    let timeout = form.duration("timeout")?;
    let workers = form.int("workers", "int")?;
    let max_retries = form.int("max_retries", "int")?;
    let retry_backoff = form.duration("retry_backoff")?;
    let batch = form.switch("batch")?;
    let max_events = form.int("batch_max_events", "int")?;
    let max_bytes = form.int("batch_max_bytes", "int")?;
    let flush_interval = form.duration("batch_flush_interval")?;
    form.complete()?;
    let Some(url) = url else { return Err(form.error("", "event_recorder webhook output requires a url")) };
    let message = "event_recorder webhook output requires an absolute http(s) url";
    form.refuse_if(url.expose() == HIDDEN, "url", message)?;
    let message = "event_recorder webhook batch settings cannot be negative";
    form.refuse_if(max_events < 0, "batch_max_events", message)?;
    form.refuse_if(max_bytes < 0, "batch_max_bytes", message)?;
    let given = max_events != 0 || max_bytes != 0 || !flush_interval.is_zero();
    form.refuse_if(given && !batch, "", "event_recorder webhook batch settings require batch: true")?;
    let positive = |value: i64, default: u32| u32::try_from(value).ok().filter(|v| *v > 0).unwrap_or(default);
    let or = |value: Duration, default: u64| if value.is_zero() { Duration::from_millis(default) } else { value };
    let batch = batch.then(|| EventBatch {
        max_events: positive(max_events, 100),
        max_bytes: u64::try_from(max_bytes).ok().filter(|v| *v > 0).unwrap_or(1 << 20),
        flush_interval: or(flush_interval, 100),
    });
    let webhook = EventWebhook {
        url,
        http,
        timeout: or(timeout, 10_000),
        workers: positive(workers, 4),
        max_retries: positive(max_retries, 3),
        retry_backoff: or(retry_backoff, 500),
        batch,
    };
    Ok((webhook, form.done()?))
}

const ACKS: [(&str, KafkaAcks); 4] =
    [("", KafkaAcks::Leader), ("leader", KafkaAcks::Leader), ("none", KafkaAcks::None), ("all", KafkaAcks::All)];

/// Without one it is what the reference's library takes by itself.
const COMPRESSIONS: [(&str, KafkaCompression); 6] = [
    ("", KafkaCompression::Snappy),
    ("none", KafkaCompression::None),
    ("gzip", KafkaCompression::Gzip),
    ("snappy", KafkaCompression::Snappy),
    ("lz4", KafkaCompression::Lz4),
    ("zstd", KafkaCompression::Zstd),
];

fn known<T: Copy>(table: &[(&str, T)], text: &str) -> Option<T> {
    table.iter().find(|(name, _)| *name == text).map(|(_, value)| *value)
}

fn read_kafka(node: &Node, path: &str, directory: &Directory) -> Result<(EventKafka, Out), ConfigError> {
    not_null(node, path, "kafka output")?;
    let mut form = Form::open(node, path, "eventrecorder.plain")?;
    let brokers = form.raw_texts("brokers")?;
    form.printed().put("brokers", Out::texts(&brokers));
    let topic = form.text_shown("topic", "")?;
    let client_id = form.text("client_id", "")?;
    let format =
        Some(form.raw_of("format", "kafka.Format")?).filter(|text| !text.is_empty()).unwrap_or_else(|| "json".into());
    form.printed().put("format", Out::text(&format));
    let acks = form.raw_of("acks", "kafka.Acks")?;
    form.printed().put_some("acks", Out::text(&acks));
    let compression = form.raw_of("compression", "kafka.Compression")?;
    form.printed().put_some("compression", Out::text(&compression));
    let buffer_size = form.int("buffer_size", "int")?;
    let mut tls = None;
    if let Some(node) = form.node("tls_config") {
        let (read, out) = tls_read::read(node, &form.path("tls_config"), directory)?;
        form.printed().put("tls_config", out);
        tls = Some(read);
    }
    form.complete()?;
    let message = "event_recorder kafka: at least one broker is required";
    form.refuse_if(brokers.is_empty(), "brokers", message)?;
    let message = "event_recorder kafka: broker entries must be non-empty";
    form.refuse_if(brokers.iter().any(String::is_empty), "brokers", message)?;
    let Some(acks) = known(&ACKS, &acks) else {
        let message =
            format!("event_recorder kafka: unknown acks {}, must be \"none\", \"leader\", or \"all\"", GoQuoted(&acks));
        return Err(form.error("acks", message));
    };
    let Some(compression) = known(&COMPRESSIONS, &compression) else {
        let message = format!("event_recorder kafka: unknown compression {}", GoQuoted(&compression));
        return Err(form.error("compression", message));
    };
    form.refuse_if(topic.is_empty(), "topic", "event_recorder kafka output requires a topic")?;
    let shown = GoQuoted(&format);
    let message = format!("event_recorder kafka: unknown format {shown}, must be \"json\" or \"protobuf\"");
    form.refuse_if(!matches!(format.as_str(), "json" | "protobuf"), "format", &message)?;
    let kafka = EventKafka {
        brokers,
        topic,
        client_id: if client_id.is_empty() { "alertmanager".into() } else { client_id },
        json: format == "json",
        acks,
        compression,
        buffer_size: usize::try_from(buffer_size).ok().filter(|size| *size > 0).unwrap_or(1024),
        tls,
    };
    Ok((kafka, form.done()?))
}
