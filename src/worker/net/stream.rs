//! Calls between members over TCP: a request, a reply, each behind its length (4 bytes, big endian). Where members speak
//! TLS the highest bit of a length says that a packet follows, to which there is no reply.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use alerting::effects::Input;
use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::{Instant, timeout};
use tracing::debug;

use super::Secured;
use crate::event_loop::{Arrival, Arrivals};

/// Why a call came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// The peer isn't there.
    #[error("connecting to peer {0}")]
    Connect(SocketAddr, #[source] io::Error),
    /// The connection broke.
    #[error("exchanging state with peer {0}")]
    Exchange(SocketAddr, #[source] io::Error),
}

/// A connection, whatever it's made of.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

pub(super) type Connection = Box<dyn Stream>;

/// Connections to peers, kept for the next call.
#[derive(Debug)]
pub(crate) struct Streams {
    timeout: Duration,
    secured: Option<Secured>,
    idle: Mutex<HashMap<SocketAddr, Vec<Idle>>>,
}

struct Idle {
    stream: Connection,
    since: Instant,
}

impl std::fmt::Debug for Idle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Idle").field("since", &self.since).finish_non_exhaustive()
    }
}

/// Of a length: a packet follows.
const PACKET: u32 = 1 << 31;

/// Largest request or reply.
const SIZE_MAX: usize = 64 << 20;

/// What a length that was only claimed may reserve.
const RESERVE_MAX: usize = 64 << 10;

/// Connections kept per peer.
const IDLE_PER_PEER: usize = 2;

/// How long the caller keeps a connection; the other side keeps it longer, so that it seldom ends under a request.
const IDLE_CALLER: Duration = Duration::from_secs(60);

/// How long a connection without requests is kept by who accepted it.
const IDLE_CALLED: Duration = Duration::from_secs(180);

/// Connections from peers at once.
const INBOUND_MAX: usize = 256;

impl Streams {
    /// `timeout` is for connecting and for each message.
    pub(crate) fn new(timeout: Duration, secured: Option<Secured>) -> Self {
        Self { timeout, secured, idle: Mutex::default() }
    }

    /// Sends `data` to a peer and returns its reply.
    ///
    /// # Errors
    /// When the peer can't be reached or doesn't reply in time.
    pub(crate) async fn call(&self, to: SocketAddr, data: Bytes) -> Result<Bytes, CallError> {
        // the peer may have closed a kept connection meanwhile: then a fresh one is worth a try
        if let Some(mut stream) = self.take(to)
            && let Ok(reply) = self.exchange(&mut stream, &data).await
        {
            self.keep(to, stream);
            return Ok(reply);
        }
        let connected = limited(self.timeout, self.connect(to)).await;
        let reply = match connected {
            Ok(mut stream) => match self.exchange(&mut stream, &data).await {
                Ok(reply) => {
                    self.keep(to, stream);
                    Ok(reply)
                }
                Err(error) => Err(CallError::Exchange(to, error)),
            },
            Err(error) => Err(CallError::Connect(to, error)),
        };
        if let Some(secured) = self.secured.as_ref().filter(|_| reply.is_err()) {
            secured.observed.tls(|counts| counts.stream_write_errors += 1);
        }
        reply
    }

    /// Opens a connection.
    pub(super) async fn connect(&self, to: SocketAddr) -> io::Result<Connection> {
        let stream = TcpStream::connect(to).await?;
        // a request is written at once; waiting for more would only delay it
        let _ = stream.set_nodelay(true);
        let Some(secured) = &self.secured else { return Ok(Box::new(stream)) };
        let stream = secured.tls.connect(to, stream).await?;
        secured.observed.tls(|counts| counts.connections_sent += 1);
        Ok(Box::new(stream))
    }

    async fn exchange(&self, stream: &mut Connection, data: &[u8]) -> io::Result<Bytes> {
        limited(self.timeout, write_frame(stream, data)).await?;
        limited(self.timeout, read_frame(stream)).await
    }

    fn take(&self, to: SocketAddr) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle.get_mut(&to)?;
        kept.retain(|connection| connection.since.elapsed() < IDLE_CALLER);
        kept.pop().map(|connection| connection.stream)
    }

    fn keep(&self, to: SocketAddr, stream: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|_, kept| {
            kept.retain(|connection| connection.since.elapsed() < IDLE_CALLER);
            !kept.is_empty()
        });
        let kept = idle.entry(to).or_default();
        if kept.len() < IDLE_PER_PEER {
            kept.push(Idle { stream, since: Instant::now() });
        }
    }
}

/// Accepts peers until nobody listens any more.
pub(super) async fn accept(
    listener: TcpListener,
    arrivals: Arrivals,
    message_timeout: Duration,
    secured: Option<Secured>,
) {
    let slots = Arc::new(Semaphore::new(INBOUND_MAX));
    while !arrivals.is_closed() {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, from)) => {
                let (arrivals, secured) = (arrivals.clone(), secured.clone());
                tokio::spawn(async move {
                    if let Err(error) = greet(stream, from, arrivals, message_timeout, secured.as_ref()).await {
                        if let Some(secured) = secured {
                            secured.observed.tls(|counts| counts.read_errors += 1);
                        }
                        debug!(addr = %from, err = %error, "connection of a peer ended");
                    }
                    drop(slot);
                });
            }
            Err(error) => {
                // out of descriptors, perhaps: they come back
                debug!(err = %error, "accepting a peer failed");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn greet(
    stream: TcpStream,
    from: SocketAddr,
    arrivals: Arrivals,
    limit: Duration,
    secured: Option<&Secured>,
) -> io::Result<()> {
    let _ = stream.set_nodelay(true);
    let Some(secured) = secured else { return serve(stream, from, arrivals, limit, None).await };
    let stream = limited(limit, secured.tls.accept(stream)).await?;
    secured.observed.tls(|counts| counts.connections_received += 1);
    serve(stream, from, arrivals, limit, Some(secured)).await
}

async fn serve(
    mut stream: impl Stream,
    from: SocketAddr,
    arrivals: Arrivals,
    limit: Duration,
    secured: Option<&Secured>,
) -> io::Result<()> {
    loop {
        // one that says nothing at all loses its slot sooner or later
        let Ok(begun) = timeout(IDLE_CALLED, stream.read_u8()).await else { return Ok(()) };
        let first = match begun {
            Ok(first) => first,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        };
        let (packet, data) = limited(limit, read_rest(&mut stream, first)).await?;
        if packet {
            let Some(secured) = secured else { return Err(io::Error::other("a packet in a stream")) };
            secured.observed.tls(|counts| counts.packet_bytes_received += data.len() as u64);
            if arrivals.send(Arrival::Input(Input::Packet { from, data })).await.is_err() {
                return Ok(());
            }
            continue;
        }
        let (reply, answer) = oneshot::channel();
        if arrivals.send(Arrival::Called { from, data, reply }).await.is_err() {
            return Ok(());
        }
        // no reply: the engine had nothing to say to this one
        let Ok(Ok(answer)) = timeout(limit, answer).await else { return Ok(()) };
        limited(limit, write_frame(&mut stream, &answer)).await?;
    }
}

pub(super) async fn limited<T>(limit: Duration, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(limit, work).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

async fn write_frame(stream: &mut impl Stream, data: &[u8]) -> io::Result<()> {
    write_kind(stream, data, 0).await
}

/// Writes a packet, to which there won't be a reply.
pub(super) async fn write_packet(stream: &mut impl Stream, data: &[u8]) -> io::Result<()> {
    write_kind(stream, data, PACKET).await
}

async fn write_kind(stream: &mut impl Stream, data: &[u8], kind: u32) -> io::Result<()> {
    let size = u32::try_from(data.len()).ok().filter(|_| data.len() <= SIZE_MAX).ok_or_else(too_big)? | kind;
    if data.len() <= RESERVE_MAX {
        // one segment rather than two
        let mut frame = Vec::with_capacity(data.len() + 4);
        frame.extend_from_slice(&size.to_be_bytes());
        frame.extend_from_slice(data);
        stream.write_all(&frame).await?;
    } else {
        stream.write_all(&size.to_be_bytes()).await?;
        stream.write_all(data).await?;
    }
    // TLS keeps what it could not send at once
    stream.flush().await
}

async fn read_frame(stream: &mut impl Stream) -> io::Result<Bytes> {
    let first = stream.read_u8().await?;
    match read_rest(stream, first).await? {
        (false, data) => Ok(data),
        (true, _) => Err(io::Error::new(io::ErrorKind::InvalidData, "a packet instead of a reply")),
    }
}

/// The rest of a frame whose first byte is `first`, and whether it is a packet.
async fn read_rest(stream: &mut impl Stream, first: u8) -> io::Result<(bool, Bytes)> {
    let mut size = [first, 0, 0, 0];
    stream.read_exact(&mut size[1..]).await?;
    let size = u32::from_be_bytes(size);
    let (packet, size) = (size & PACKET != 0, (size & !PACKET) as usize);
    if size > SIZE_MAX {
        return Err(too_big());
    }
    // memory is taken for what came, not for what was claimed
    let mut data = BytesMut::with_capacity(size.min(RESERVE_MAX));
    let mut rest = stream.take(size as u64);
    while data.len() < size {
        data.reserve((size - data.len()).min(data.len().max(RESERVE_MAX)));
        if rest.read_buf(&mut data).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok((packet, data.freeze()))
}

fn too_big() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a message of more than 64 MiB")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::event_loop::arrivals;

    const LIMIT: Duration = Duration::from_secs(20);

    /// A peer that replies with what it got, backwards; says how many connections it saw.
    async fn echo() -> (SocketAddr, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (tx, mut arrived) = arrivals();
        let task = tokio::spawn(async move {
            let replying = async {
                while let Some(Arrival::Called { data, reply, .. }) = arrived.recv().await {
                    let _ = reply.send(data.iter().rev().copied().collect());
                }
            };
            tokio::join!(accept(listener, tx, LIMIT, None), replying);
        });
        (address, task)
    }

    #[tokio::test]
    async fn a_call_brings_the_reply_whatever_its_size() {
        let (address, task) = echo().await;
        let streams = Streams::new(LIMIT, None);
        for size in [0, 1, RESERVE_MAX + 1, 5 << 20] {
            let data: Bytes = (0..size).map(|n| n as u8).collect();
            let reply = streams.call(address, data.clone()).await.unwrap();
            assert!(reply.iter().rev().eq(data.iter()), "{size}");
        }
        task.abort();
    }

    #[tokio::test]
    async fn a_connection_is_kept_and_replaced_when_the_peer_closed_it() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            let mut connections = 0u8;
            // two calls per connection, then it's closed
            while let Ok((mut stream, _)) = listener.accept().await {
                connections += 1;
                for _ in 0..2 {
                    if read_frame(&mut stream).await.is_ok() {
                        write_frame(&mut stream, &[connections]).await.unwrap();
                    }
                }
            }
        });
        let streams = Streams::new(LIMIT, None);
        let mut replies = Vec::new();
        for _ in 0..4 {
            replies.push(streams.call(address, Bytes::from_static(b"x")).await.unwrap()[0]);
        }
        assert_eq!(replies, [1, 1, 2, 2]);
        task.abort();
    }

    #[tokio::test]
    async fn nobody_there_is_said_and_a_huge_claim_is_refused() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(&(u32::MAX >> 1).to_be_bytes()).await.unwrap();
            // until the other side gives up
            let _ = stream.read_to_end(&mut Vec::new()).await;
        });
        let streams = Streams::new(LIMIT, None);
        let refused = streams.call(address, Bytes::new()).await.unwrap_err();
        assert!(crate::log::chain(&refused).contains("64 MiB"), "{refused:?}");
        task.await.unwrap();
        let gone = streams.call(address, Bytes::new()).await.unwrap_err();
        assert!(matches!(gone, CallError::Connect(to, _) if to == address));
    }
}
