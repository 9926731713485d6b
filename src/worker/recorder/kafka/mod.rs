//! Events produced to a topic of Kafka, in batches, in the order in which they happened.

mod batch;
mod connection;
mod error;
mod producer;
mod wire;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use alerting::config::EventKafka;
use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};
use tracing::warn;

use super::stats::RecorderStats;
use crate::clock;
use crate::deliver::material::Material;
use crate::deliver::{Deliverer, tls};
use batch::{BATCH_MAX, Record};
use connection::{Address, Way};
pub(super) use error::KafkaError;
use producer::{Order, Producer};

/// Events that may wait besides those of the config's `buffer_size`: as many as the reference's library keeps.
const PRODUCING: usize = 10_000;

/// More than memory holds.
const QUEUE_MAX: usize = 1 << 24;

/// How long the first event of a batch waits for others.
const LINGER: Duration = Duration::from_millis(5);

/// For the first sign of a broker.
const PING_LIMIT: Duration = Duration::from_secs(5);

/// How long what waits may take at the end.
const CLOSE_LIMIT: Duration = Duration::from_secs(30);

/// The sending end.
#[derive(Debug)]
pub(super) struct KafkaOutput {
    topic: Arc<Topic>,
    json: bool,
    queue: mpsc::Sender<Record>,
    task: JoinHandle<()>,
    ping: JoinHandle<()>,
}

/// What the tasks of an output share.
#[derive(Debug)]
struct Topic {
    /// Label of the metrics.
    name: String,
    stats: Arc<RecorderStats>,
    /// Events taken and neither delivered nor lost.
    open: AtomicUsize,
    /// What was last said of the queue, so that a storm doesn't fill the log.
    full: AtomicBool,
}

impl KafkaOutput {
    /// Starts to produce what it is given under the key `instance`, whether or not there is a broker; needs a tokio
    /// runtime.
    ///
    /// # Errors
    /// When the settings can't work.
    pub(super) async fn start(
        config: &EventKafka,
        instance: &str,
        stats: Arc<RecorderStats>,
        deliverer: &Deliverer,
    ) -> Result<Self, KafkaError> {
        let order = Order {
            seeds: config.brokers.iter().map(|broker| Address::parse(broker)).collect::<Result<_, _>>()?,
            way: way(config, deliverer).await?,
            topic: config.topic.clone(),
            key: instance.to_owned().into(),
            acks: config.acks,
            compression: config.compression,
        };
        let name = name(config);
        stats.may_drop(&name);
        let topic = Arc::new(Topic { name, stats, open: AtomicUsize::new(0), full: AtomicBool::new(false) });
        let (queue, waiting) = mpsc::channel(config.buffer_size.saturating_add(PRODUCING).min(QUEUE_MAX));
        let ping = tokio::spawn(ping(order.seeds.clone(), order.way.clone()));
        let task = tokio::spawn(produce(waiting, Producer::new(order), Arc::clone(&topic)));
        Ok(Self { topic, json: config.json, queue, task, ping })
    }

    /// Label of the metrics: the brokers and the topic.
    pub(super) fn name(&self) -> &str {
        &self.topic.name
    }

    /// Whether it wants JSON, or else protobuf.
    pub(super) const fn is_json(&self) -> bool {
        self.json
    }

    /// Takes an event, or drops it when too many wait.
    pub(super) fn put(&self, value: Bytes) {
        let Topic { name, stats, open, full: was_full } = &*self.topic;
        let at = clock::now().as_nanos() / 1_000_000;
        open.fetch_add(1, Ordering::Relaxed);
        let full = self.queue.try_send(Record { at, value }).is_err();
        if full {
            open.fetch_sub(1, Ordering::Relaxed);
            stats.output_dropped(name);
        }
        if was_full.swap(full, Ordering::Relaxed) != full && full {
            let message = "Kafka event recorder buffer full, dropping event";
            warn!(component = "eventrecorder", output = name, "{message}");
        }
    }

    /// Delivers what waits, within a limit.
    pub(super) async fn close(self) {
        self.close_within(CLOSE_LIMIT).await;
    }

    async fn close_within(self, limit: Duration) {
        self.ping.abort();
        drop(self.queue);
        let abort = self.task.abort_handle();
        if timeout(limit, self.task).await.is_ok() {
            return;
        }
        abort.abort();
        let Topic { name, stats, open, .. } = &*self.topic;
        let lost = open.load(Ordering::Relaxed);
        stats.not_produced(name, "unknown", lost);
        let message = "Kafka event recorder flush did not complete within budget; remaining records will be dropped";
        warn!(component = "eventrecorder", output = name, events = lost, "{message}");
    }
}

fn name(config: &EventKafka) -> String {
    let mut brokers = config.brokers.clone();
    brokers.sort_unstable();
    format!("kafka:{}/{}", brokers.join(","), config.topic)
}

async fn way(config: &EventKafka, deliverer: &Deliverer) -> Result<Way, KafkaError> {
    let tls = match &config.tls {
        Some(settings) => {
            let material = Material::read(settings, Path::new("")).await.map_err(KafkaError::Material)?;
            let mut tls = tls::config(settings, &material, false).map_err(KafkaError::Tls)?;
            // those are HTTP's
            tls.alpn_protocols.clear();
            Some(Arc::new(tls))
        }
        None => None,
    };
    let server_name = config.tls.as_ref().and_then(|tls| tls.server_name.clone());
    Ok(Way { client: config.client_id.clone(), tls, server_name, lookup: deliverer.lookup() })
}

/// Says if there is nobody; that changes nothing.
async fn ping(seeds: Vec<Address>, way: Way) {
    let any = async {
        let mut last = None;
        for seed in &seeds {
            match producer::ask(seed, &way, None).await {
                Ok(_) => return None,
                Err(error) => last = Some(crate::log::chain(&error)),
            }
        }
        last
    };
    let late = || Some("no answer in time".to_owned());
    if let Some(err) = timeout(PING_LIMIT, any).await.unwrap_or_else(|_| late()) {
        let message = "Kafka client could not reach brokers at startup; will retry in background";
        warn!(component = "eventrecorder", err, "{message}");
    }
}

async fn produce(mut waiting: mpsc::Receiver<Record>, mut producer: Producer, topic: Arc<Topic>) {
    let mut left_over = None;
    while let Some(batch) = collect(&mut waiting, &mut left_over).await {
        if let Err(error) = producer.deliver(&batch).await {
            topic.stats.not_produced(&topic.name, error.kind(), batch.len());
            let err = crate::log::chain(&error);
            let (output, events) = (&*topic.name, batch.len());
            warn!(component = "eventrecorder", output, events, err, "Kafka event recorder produce failed");
        }
        topic.open.fetch_sub(batch.len(), Ordering::Relaxed);
    }
}

/// A batch: until it is long enough, or the first of it has waited long enough. What would have made it too long is left
/// over for the next.
async fn collect(waiting: &mut mpsc::Receiver<Record>, left_over: &mut Option<Record>) -> Option<Vec<Record>> {
    let first = match left_over.take() {
        Some(record) => record,
        None => waiting.recv().await?,
    };
    let until = Instant::now() + LINGER;
    // each record's share of the key is the instance's name
    let share = |record: &Record| batch::size(&[0; 256], record.value.len());
    let mut length = share(&first);
    let mut batch = vec![first];
    while length < BATCH_MAX {
        let Ok(Some(record)) = timeout_at(until, waiting.recv()).await else { break };
        length += share(&record);
        if length > BATCH_MAX {
            *left_over = Some(record);
            break;
        }
        batch.push(record);
    }
    Some(batch)
}

#[cfg(test)]
mod tests;
