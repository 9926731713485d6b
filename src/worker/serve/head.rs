//! How long the head of a request takes: a client that sends it drop by drop must not keep a connection for ever.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// Between two requests.
const IDLE: u64 = 0;
/// A request is being answered.
const BUSY: u64 = 1;
/// Added to the milliseconds at which a head began.
const BEGUN: u64 = 2;

/// When the present head began, of one connection.
#[derive(Debug)]
pub(super) struct HeadClock {
    opened: Instant,
    state: AtomicU64,
}

impl HeadClock {
    /// The first head is due from now on.
    pub(super) fn new() -> Self {
        Self { opened: Instant::now(), state: AtomicU64::new(BEGUN) }
    }

    /// The head is there.
    pub(super) fn complete(&self) {
        self.state.store(BUSY, Ordering::Relaxed);
    }

    /// The request is answered.
    pub(super) fn answered(&self) {
        self.state.store(IDLE, Ordering::Relaxed);
    }

    fn bytes_came(&self) {
        if self.state.load(Ordering::Relaxed) == IDLE {
            let millis = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX - BEGUN);
            let _ = self.state.compare_exchange(IDLE, millis + BEGUN, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// Returns when a head has taken longer than `limit`.
    pub(super) async fn late(&self, limit: Duration) {
        loop {
            let wait = match self.state.load(Ordering::Relaxed).checked_sub(BEGUN) {
                None => limit,
                Some(begun) => limit.saturating_sub(self.opened.elapsed().saturating_sub(Duration::from_millis(begun))),
            };
            if wait.is_zero() {
                return;
            }
            tokio::time::sleep(wait).await;
        }
    }
}

/// A connection that tells the clock when bytes come.
#[derive(Debug)]
pub(super) struct Timed<S> {
    pub(super) stream: S,
    pub(super) clock: Arc<HeadClock>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Timed<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.clock.bytes_came();
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Timed<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
