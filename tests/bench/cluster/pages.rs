//! A webhook that remembers who was told what, and when.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::lab::HUB;
use super::{LIMIT, PAUSE};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// A notification.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Page {
    pub(crate) at: Instant,
    /// `alertname` of the group.
    pub(crate) group: String,
    /// `instance` labels.
    pub(crate) firing: BTreeSet<String>,
    pub(crate) resolved: BTreeSet<String>,
}

/// A running webhook; ends when dropped.
pub(crate) struct Pages {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Page>>>,
    _stop: oneshot::Sender<()>,
}

impl Pages {
    /// Starts it on the bridge.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let listener =
            runtime.block_on(TcpListener::bind(SocketAddr::from((HUB, 0)))).context("listening as a webhook")?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let sink = Arc::clone(&seen);
        std::thread::spawn(move || {
            let accepting = async {
                while let Ok((stream, _)) = listener.accept().await {
                    let sink = Arc::clone(&sink);
                    // a connection that breaks off has told nothing
                    tokio::spawn(async move { serve(stream, &sink).await });
                }
            };
            runtime.block_on(async {
                tokio::select! {
                    () = accepting => {}
                    _ = stopped => {}
                }
            });
        });
        Ok(Self { address, seen, _stop: stop })
    }

    /// Where to send to.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// All that has come, in order.
    pub(crate) fn all(&self) -> Vec<Page> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many have come.
    pub(crate) fn count(&self) -> usize {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Forgets what has come.
    pub(crate) fn forget(&self) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Waits until so many groups were told of, for `limit` at most; how many were.
    pub(crate) fn wait_for_groups(&self, groups: usize, limit: Duration) -> usize {
        let start = Instant::now();
        loop {
            let told = self.all().into_iter().map(|page| page.group).collect::<BTreeSet<_>>().len();
            if told >= groups || start.elapsed() > limit {
                return told;
            }
            sleep(PAUSE);
        }
    }

    /// Waits for so many pages.
    pub(crate) fn wait_for(&self, pages: usize) -> anyhow::Result<()> {
        let start = Instant::now();
        while self.count() < pages {
            ensure!(start.elapsed() < LIMIT, "{} of {pages} notifications came within {LIMIT:?}", self.count());
            sleep(PAUSE / 10);
        }
        Ok(())
    }
}

/// Pages that say the same as the one before them about their group.
pub(crate) fn repeated(pages: &[Page]) -> usize {
    let mut last: BTreeMap<&str, &Page> = BTreeMap::new();
    let mut again = 0;
    for page in pages {
        let before = last.insert(&page.group, page);
        let same = |before: &Page| (&before.firing, &before.resolved) == (&page.firing, &page.resolved);
        again += usize::from(before.is_some_and(same));
    }
    again
}

async fn serve(mut stream: TcpStream, seen: &Mutex<Vec<Page>>) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let mut buf: Vec<u8> = Vec::with_capacity(4 << 10);
    loop {
        let body = loop {
            if let Some(at) = buf.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            if stream.read_buf(&mut buf).await? == 0 {
                return Ok(());
            }
        };
        let end = body + crate::sink::content_length(&buf[..body]).context("the request doesn't say its length")?;
        while buf.len() < end {
            ensure!(stream.read_buf(&mut buf).await? > 0, "the body is cut off");
        }
        let page = page(&buf[body..end])?;
        buf.drain(..end);
        seen.lock().unwrap_or_else(PoisonError::into_inner).push(page);
        stream.write_all(ANSWER).await?;
    }
}

fn page(body: &[u8]) -> anyhow::Result<Page> {
    let body: serde_json::Value = serde_json::from_slice(body).context("reading a notification")?;
    let of = |status: &str| {
        let alerts = body["alerts"].as_array().map(Vec::as_slice).unwrap_or_default();
        let those = alerts.iter().filter(|alert| alert["status"] == status);
        those.map(|alert| alert["labels"]["instance"].as_str().unwrap_or_default().to_owned()).collect()
    };
    let group = body["groupLabels"]["alertname"].as_str().unwrap_or_default().to_owned();
    Ok(Page { at: Instant::now(), group, firing: of("firing"), resolved: of("resolved") })
}
