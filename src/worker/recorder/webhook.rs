//! Events posted to a URL, one or several in a request, by a bounded number of requests at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use alerting::config::{EventBatch, EventWebhook};
use alerting::notify::{REPLY_LOGGED, Request};
use bytes::{Bytes, BytesMut};
use tokio::sync::Semaphore;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, timeout_at};
use tracing::{error, warn};

use super::stats::RecorderStats;
use crate::deliver::Deliverer;

/// Events that may wait.
const QUEUE: usize = 1024;

/// Longest wait before another attempt.
const BACKOFF_MAX: Duration = Duration::from_secs(30);

/// How long what waits may take at the end.
const CLOSE_LIMIT: Duration = Duration::from_secs(30);

/// The sending end.
#[derive(Debug)]
pub(super) struct WebhookOutput {
    name: Arc<str>,
    queue: mpsc::Sender<Bytes>,
    task: JoinHandle<()>,
    stats: Arc<RecorderStats>,
    /// What was last said of the queue, so that a storm doesn't fill the log.
    full: AtomicBool,
}

/// How to post.
#[derive(Debug)]
struct Poster {
    name: Arc<str>,
    request: Request,
    timeout: Duration,
    attempts: u32,
    backoff: Duration,
    deliverer: Arc<Deliverer>,
}

impl WebhookOutput {
    /// Starts to post what it is given; needs a tokio runtime.
    pub(super) fn start(config: &EventWebhook, stats: Arc<RecorderStats>, deliverer: Arc<Deliverer>) -> Self {
        let name: Arc<str> = format!("webhook:{}", without_secrets(config.url.expose())).into();
        let poster = Poster {
            name: Arc::clone(&name),
            request: Request {
                method: "POST",
                url: config.url.clone(),
                headers: vec![("Content-Type", "application/json".to_owned())],
                secret_headers: Vec::new(),
                body: Bytes::new(),
                http: Arc::clone(&config.http),
                sign: None,
                integration: "eventrecorder".into(),
                reply_max: REPLY_LOGGED,
            },
            timeout: config.timeout,
            attempts: config.max_retries,
            backoff: config.retry_backoff,
            deliverer,
        };
        stats.may_drop(&name);
        let (queue, waiting) = mpsc::channel(QUEUE);
        let task = tokio::spawn(post_all(waiting, Arc::new(poster), config.workers as usize, config.batch));
        Self { name, queue, task, stats, full: AtomicBool::new(false) }
    }

    /// Label of the metrics: the URL without user, password and query.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Takes an event, or drops it when too many wait.
    pub(super) fn put(&self, event: Bytes) {
        let full = self.queue.try_send(event).is_err();
        if full {
            self.stats.output_dropped(&self.name);
        }
        if self.full.swap(full, Ordering::Relaxed) != full && full {
            warn!(
                component = "eventrecorder",
                output = &*self.name,
                "Event recorder HTTP output queue full, dropping event"
            );
        }
    }

    /// Posts what waits, within a limit.
    pub(super) async fn close(self) {
        drop(self.queue);
        let abort = self.task.abort_handle();
        if tokio::time::timeout(CLOSE_LIMIT, self.task).await.is_err() {
            abort.abort();
            warn!(component = "eventrecorder", output = &*self.name, "events are dropped at the end");
        }
    }
}

async fn post_all(mut waiting: mpsc::Receiver<Bytes>, poster: Arc<Poster>, workers: usize, batch: Option<EventBatch>) {
    let free = Arc::new(Semaphore::new(workers.max(1)));
    let mut posting = JoinSet::new();
    let mut left_over = None;
    // the semaphore is never closed
    while let Ok(permit) = Arc::clone(&free).acquire_owned().await {
        let body = match batch {
            Some(limits) => collect(&mut waiting, &mut left_over, limits).await,
            None => waiting.recv().await,
        };
        let Some(body) = body else { break };
        let poster = Arc::clone(&poster);
        posting.spawn(async move {
            poster.post(body).await;
            drop(permit);
        });
        while posting.try_join_next().is_some() {}
    }
    while posting.join_next().await.is_some() {}
}

/// An array of events: until it is full, too long, or the first of them has waited long enough. What would have made it
/// too long is left over for the next.
async fn collect(
    waiting: &mut mpsc::Receiver<Bytes>,
    left_over: &mut Option<Bytes>,
    limits: EventBatch,
) -> Option<Bytes> {
    let first = match left_over.take() {
        Some(event) => event,
        None => waiting.recv().await?,
    };
    let until = Instant::now() + limits.flush_interval;
    let mut array = BytesMut::from(&b"["[..]);
    array.extend_from_slice(&first);
    let mut count = 1;
    // with the bracket at the end
    while count < limits.max_events && (array.len() as u64) + 1 < limits.max_bytes {
        let Ok(Some(event)) = timeout_at(until, waiting.recv()).await else { break };
        if (array.len() + event.len()) as u64 + 2 > limits.max_bytes {
            *left_over = Some(event);
            break;
        }
        array.extend_from_slice(b",");
        array.extend_from_slice(&event);
        count += 1;
    }
    array.extend_from_slice(b"]");
    Some(array.freeze())
}

impl Poster {
    async fn post(&self, body: Bytes) {
        let request = Request { body, ..self.request.clone() };
        for attempt in 1..=self.attempts {
            let err = match self.deliverer.deliver(&request, self.timeout).await {
                Ok(response) if (200..300).contains(&response.status) => return,
                Ok(response) => format!("event recorder webhook returned HTTP {}", response.status),
                Err(error) => format!("event recorder webhook POST failed: {}", error.message),
            };
            warn!(
                component = "eventrecorder",
                output = &*self.name,
                attempt,
                err,
                "Event recorder HTTP output POST failed"
            );
            if attempt < self.attempts {
                tokio::time::sleep(backoff(self.backoff, attempt)).await;
            }
        }
        error!(
            component = "eventrecorder",
            output = &*self.name,
            retries = self.attempts,
            "Event recorder HTTP output POST failed after retries, dropping event"
        );
    }
}

/// The wait after an attempt, counted from 1.
fn backoff(first: Duration, attempt: u32) -> Duration {
    first.saturating_mul(1_u32.checked_shl(attempt - 1).unwrap_or(u32::MAX)).min(BACKOFF_MAX)
}

fn without_secrets(url: &str) -> String {
    let Ok(mut url) = reqwest::Url::parse(url) else { return "<invalid>".to_owned() };
    // only URLs without a host refuse these, and they have neither
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_hold_no_secrets() {
        assert_eq!(without_secrets("https://me:pw@example.com/hook?token=x#y"), "https://example.com/hook");
        assert_eq!(without_secrets("no url"), "<invalid>");
    }

    #[test]
    fn waits_double_up_to_a_bound() {
        let waits = [1, 2, 3, 40].map(|attempt| backoff(Duration::from_millis(500), attempt).as_millis());
        assert_eq!(waits, [500, 1000, 2000, 30_000]);
    }

    #[tokio::test]
    async fn a_batch_ends_by_count_by_size_and_by_time() {
        let (queue, mut waiting) = mpsc::channel(16);
        let mut left_over = None;
        for event in ["1", "2", "3", "4444444444", "5"] {
            queue.try_send(Bytes::from_static(event.as_bytes())).unwrap_or_default();
        }
        drop(queue);
        let limits = EventBatch { max_events: 2, max_bytes: 12, flush_interval: Duration::from_secs(60) };
        let mut all = Vec::new();
        while let Some(body) = collect(&mut waiting, &mut left_over, limits).await {
            all.push(String::from_utf8_lossy(&body).into_owned());
        }
        assert_eq!(all, ["[1,2]", "[3]", "[4444444444]", "[5]"]);
    }
}
