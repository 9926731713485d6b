//! The event recorder (`--enable-feature=event-recorder`): writes what happened to files, webhooks,
//! topics of Kafka and standard output.
//!
//! Nobody waits for it: events go into a bounded queue, and what finds it full is dropped and counted.

mod convert;
mod file;
mod kafka;
mod output;
mod schema;
mod stats;
mod webhook;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use alerting::config::EventRecorderConfig;
use alerting::record::Record;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tracing::{error, info};

use crate::clock;
use crate::deliver::Deliverer;
use output::{Encoded, Output};
use schema::{Event, Kind, Shutdown, Startup};
pub(crate) use stats::{Counts, RecorderStats};

/// Events that may wait.
const QUEUE: usize = 8192;

/// Events written in one go.
const BATCH: usize = 256;

/// Gives events to the recorder; does nothing when there is none. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recorder(Option<Arc<Inner>>);

#[derive(Debug)]
struct Inner {
    events: mpsc::Sender<Event>,
    configs: mpsc::Sender<NewConfig>,
    stats: Arc<RecorderStats>,
    instance: String,
    /// Of this process only.
    process: String,
}

/// The task that writes, until [`Self::finish`].
#[derive(Debug)]
pub(crate) struct RecorderTask {
    task: JoinHandle<()>,
    stop: oneshot::Sender<()>,
}

#[derive(Debug)]
struct NewConfig {
    config: EventRecorderConfig,
    done: oneshot::Sender<()>,
}

impl Recorder {
    /// Starts to write; outputs that can't be opened are left out, which the log says (reference behaviour).
    /// `instance` names this process in the events.
    pub(crate) fn start(
        config: &EventRecorderConfig,
        instance: String,
        deliverer: Arc<Deliverer>,
    ) -> (Self, RecorderTask) {
        let stats = Arc::<RecorderStats>::default();
        let (events, waiting) = mpsc::channel(QUEUE);
        let (configs, updates) = mpsc::channel(1);
        let (stop, stopped) = oneshot::channel();
        let loop_ = Loop {
            outputs: Vec::new(),
            config: config.clone(),
            instance: instance.clone(),
            stats: Arc::clone(&stats),
            deliverer,
        };
        let task = tokio::spawn(loop_.run(waiting, updates, stopped));
        let process = format!("{:032x}", rand::random::<u128>());
        (Self(Some(Arc::new(Inner { events, configs, stats, instance, process }))), RecorderTask { task, stop })
    }

    /// Counts and the present length of the queue; `None` without a recorder.
    pub(crate) fn counts(&self) -> Option<(Counts, usize)> {
        let inner = self.0.as_ref()?;
        Some((inner.stats.counts(), inner.events.max_capacity() - inner.events.capacity()))
    }

    /// Something happened; `position` is this member's in its cluster.
    pub(crate) fn record(&self, position: u32, record: &Record) {
        if let Some(inner) = &self.0 {
            inner.put(convert::kind(record, clock::now(), &inner.process), position);
        }
    }

    /// The process has started.
    pub(crate) fn started(&self, version: &str, build_context: &str) {
        if let Some(inner) = &self.0 {
            let (version, build_context) = (version.to_owned(), build_context.to_owned());
            inner.put(Kind::AlertmanagerStartupEvent(Startup { version, build_context }), 0);
        }
    }

    /// The process is about to end.
    pub(crate) fn stopping(&self) {
        if let Some(inner) = &self.0 {
            inner.put(Kind::AlertmanagerShutdownEvent(Shutdown {}), 0);
        }
    }

    /// Takes a new config into use and returns when that is done; the old outputs stay if a new one can't be opened.
    pub(crate) async fn apply(&self, config: EventRecorderConfig) {
        let Some(inner) = &self.0 else { return };
        let (done, is_done) = oneshot::channel();
        // the task has ended: so does the process
        if inner.configs.send(NewConfig { config, done }).await.is_ok() {
            let _ = is_done.await;
        }
    }
}

impl Inner {
    fn put(&self, kind: Kind, position: u32) {
        let name = kind.name();
        let event = convert::event(kind, clock::now(), &self.instance, position);
        if self.events.try_send(event).is_err() {
            self.stats.dropped(name);
        }
    }
}

impl RecorderTask {
    /// Writes what waits, closes the outputs and ends.
    pub(crate) async fn finish(self) {
        // a task that has ended by itself has nothing to write
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

struct Loop {
    outputs: Vec<Output>,
    config: EventRecorderConfig,
    instance: String,
    stats: Arc<RecorderStats>,
    deliverer: Arc<Deliverer>,
}

impl Loop {
    async fn run(
        mut self,
        mut events: mpsc::Receiver<Event>,
        mut configs: mpsc::Receiver<NewConfig>,
        mut stop: oneshot::Receiver<()>,
    ) {
        self.outputs = self.open(&self.config.clone()).await;
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                count = events.recv_many(&mut batch, BATCH) => {
                    self.write(&mut batch).await;
                    if count == 0 {
                        break;
                    }
                }
                Some(NewConfig { config, done }) = configs.recv() => {
                    self.reconfigure(config).await;
                    // who asked may be gone
                    let _ = done.send(());
                }
                _ = &mut stop => {
                    events.close();
                    while events.recv_many(&mut batch, BATCH).await > 0 {
                        self.write(&mut batch).await;
                    }
                    break;
                }
            }
        }
        for output in self.outputs {
            output.close().await;
        }
    }

    /// Opens what can be opened.
    async fn open(&self, config: &EventRecorderConfig) -> Vec<Output> {
        let mut outputs = Vec::new();
        for path in &config.files {
            match file::FileOutput::open(Path::new(path)).await {
                Ok(file) => outputs.push(Output::File(file)),
                Err(err) => error!(
                    component = "eventrecorder",
                    path,
                    err = %err,
                    "Failed to create file event recorder output"
                ),
            }
        }
        for webhook in &config.webhooks {
            let (stats, deliverer) = (Arc::clone(&self.stats), Arc::clone(&self.deliverer));
            outputs.push(Output::Webhook(webhook::WebhookOutput::start(webhook, stats, deliverer)));
        }
        for kafka in &config.kafka {
            match kafka::KafkaOutput::start(kafka, &self.instance, Arc::clone(&self.stats), &self.deliverer).await {
                Ok(kafka) => outputs.push(Output::Kafka(kafka)),
                Err(error) => error!(
                    component = "eventrecorder",
                    brokers = kafka.brokers.join(","),
                    topic = kafka.topic,
                    err = crate::log::chain(&error),
                    "Failed to create kafka event recorder output"
                ),
            }
        }
        outputs.extend((0..config.stdout).map(|_| Output::Stdout));
        outputs
    }

    async fn reconfigure(&mut self, config: EventRecorderConfig) {
        if config == self.config {
            return;
        }
        let outputs = self.open(&config).await;
        let wanted = config.files.len() + config.webhooks.len() + config.kafka.len() + config.stdout;
        if outputs.len() != wanted {
            error!(component = "eventrecorder", "Failed to reload event recorder outputs; keeping existing outputs");
            for output in outputs {
                output.close().await;
            }
            return;
        }
        self.config = config;
        for old in std::mem::replace(&mut self.outputs, outputs) {
            old.close().await;
        }
        info!(component = "eventrecorder", outputs = self.outputs.len(), "Event recorder configuration reloaded");
    }

    async fn write(&mut self, batch: &mut Vec<Event>) {
        let encoded: Vec<Encoded> = batch.drain(..).filter_map(|event| Encoded::new(event, &self.stats)).collect();
        if encoded.is_empty() {
            return;
        }
        for output in &mut self.outputs {
            output.write(&encoded, &self.stats).await;
        }
    }
}
