//! A webhook that takes everything, counts it, and remembers when the first and the last came. It does as little as
//! possible, since it runs on the processors of the program that is measured.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::oneshot;

use crate::process::LIMIT;

/// A program may open a connection for each group at once.
const BACKLOG: u32 = 16_384;

/// What Slack answers, and what a webhook may.
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok";

/// A running webhook; ends when dropped.
pub(crate) struct Sink {
    address: SocketAddr,
    seen: Arc<Seen>,
    _stop: oneshot::Sender<()>,
}

struct Seen {
    start: Instant,
    requests: AtomicU64,
    bytes: AtomicU64,
    connections: AtomicU64,
    /// Since the start, in nanoseconds.
    first: AtomicU64,
    last: AtomicU64,
}

impl Sink {
    /// Starts it on a port of loopback.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let seen = Arc::new(Seen {
            start: Instant::now(),
            requests: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            first: AtomicU64::new(u64::MAX),
            last: AtomicU64::new(0),
        });
        let listener = {
            let _guard = runtime.enter();
            let socket = TcpSocket::new_v4()?;
            socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
            socket.listen(BACKLOG).context("listening as a webhook")?
        };
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let counting = Arc::clone(&seen);
        let accepting = async move {
            while let Ok((stream, _)) = listener.accept().await {
                let seen = Arc::clone(&counting);
                seen.connections.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(async move {
                    // a connection that breaks off is seen by who counts the requests
                    let _ = serve(stream, &seen).await;
                });
            }
        };
        thread::spawn(move || {
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

    /// Requests so far.
    pub(crate) fn requests(&self) -> u64 {
        self.seen.requests.load(Ordering::Relaxed)
    }

    /// Bytes of their bodies.
    pub(crate) fn bytes(&self) -> u64 {
        self.seen.bytes.load(Ordering::Relaxed)
    }

    /// Connections so far.
    pub(crate) fn connections(&self) -> u64 {
        self.seen.connections.load(Ordering::Relaxed)
    }

    /// Between the first and the last request.
    pub(crate) fn span(&self) -> Duration {
        let (first, last) = (self.seen.first.load(Ordering::Relaxed), self.seen.last.load(Ordering::Relaxed));
        Duration::from_nanos(last.saturating_sub(first))
    }

    /// Waits for that many requests.
    pub(crate) fn wait_for(&self, requests: u64) -> anyhow::Result<()> {
        let start = Instant::now();
        while self.requests() < requests {
            ensure!(start.elapsed() < LIMIT, "{} of {requests} notifications came within {LIMIT:?}", self.requests());
            sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Seen {
    fn count(&self, bytes: usize) {
        let now = u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.first.fetch_min(now, Ordering::Relaxed);
        self.last.fetch_max(now, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        self.requests.fetch_add(1, Ordering::Relaxed);
    }
}

async fn serve(mut stream: TcpStream, seen: &Seen) -> anyhow::Result<()> {
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
        let length = content_length(&buf[..body]).context("the request doesn't say its length")?;
        let mut rest = (body + length).saturating_sub(buf.len());
        buf.drain(..buf.len().min(body + length));
        // only counted: bodies may be long
        let mut chunk = [0; 16 << 10];
        while rest > 0 {
            let most = rest.min(chunk.len());
            let read = stream.read(&mut chunk[..most]).await?;
            ensure!(read > 0, "the body is cut off");
            rest -= read;
        }
        seen.count(length);
        stream.write_all(ANSWER).await?;
    }
}

pub(crate) fn content_length(head: &[u8]) -> Option<usize> {
    let head = std::str::from_utf8(head).ok()?;
    let pairs = head.lines().filter_map(|line| line.split_once(':'));
    let mut lengths = pairs.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    lengths.next()?.1.trim().parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::http::Connection;

    #[test]
    fn requests_are_counted() {
        let sink = Sink::start().unwrap();
        let mut connection = Connection::open(sink.address).unwrap();
        connection.post("/", "{}").unwrap();
        connection.post("/", &"x".repeat(100_000)).unwrap();
        assert_eq!((sink.requests(), sink.bytes(), sink.connections()), (2, 100_002, 1));
    }
}
