//! Packets where members speak TLS: over one connection to each peer, made when there is something to say.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::debug;

use super::Secured;
use super::stream::{Connection, limited, write_packet};

/// Packets that may wait for one peer.
const QUEUE: usize = 256;

/// How long a connection is kept that has nothing to carry.
const IDLE: Duration = Duration::from_secs(60);

/// The way out for packets.
#[derive(Debug)]
pub(crate) struct TlsOut {
    secured: Secured,
    limit: Duration,
    peers: Mutex<Peers>,
}

#[derive(Debug, Default)]
struct Peers {
    queues: HashMap<SocketAddr, mpsc::Sender<Bytes>>,
    tasks: JoinSet<()>,
}

impl TlsOut {
    /// `limit` is for connecting and for each packet.
    pub(crate) fn new(secured: Secured, limit: Duration) -> Self {
        Self { secured, limit, peers: Mutex::default() }
    }

    /// Queues a packet; drops it when the queue is full, as any network may.
    pub(crate) fn send(&self, to: SocketAddr, data: Bytes) {
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        while peers.tasks.try_join_next().is_some() {}
        let data = match peers.queues.get(&to).map(|queue| queue.try_send(data.clone())) {
            Some(Ok(())) => return,
            Some(Err(mpsc::error::TrySendError::Full(_))) => {
                debug!(addr = %to, "packet dropped, too many wait");
                return;
            }
            Some(Err(mpsc::error::TrySendError::Closed(data))) => data,
            None => data,
        };
        peers.queues.retain(|_, queue| !queue.is_closed());
        let (queue, packets) = mpsc::channel(QUEUE);
        // there is room in a new one
        let _ = queue.try_send(data);
        peers.queues.insert(to, queue);
        let peer = Peer { to, secured: self.secured.clone(), limit: self.limit };
        peers.tasks.spawn(peer.run(packets));
    }

    /// Sends what is queued.
    pub(crate) async fn finish(self) {
        let Peers { queues, mut tasks } = self.peers.into_inner().unwrap_or_else(PoisonError::into_inner);
        drop(queues);
        // what can't be sent by then is lost, as packets are
        let _ = timeout(super::FINISH_LIMIT, async { while tasks.join_next().await.is_some() {} }).await;
    }
}

struct Peer {
    to: SocketAddr,
    secured: Secured,
    limit: Duration,
}

impl Peer {
    async fn run(self, mut packets: mpsc::Receiver<Bytes>) {
        let mut kept: Option<Connection> = None;
        while let Ok(Some(data)) = timeout(IDLE, packets.recv()).await {
            // the peer may have closed a kept connection meanwhile: then a fresh one is worth a try
            if let Some(connection) = &mut kept
                && limited(self.limit, write_packet(connection, &data)).await.is_ok()
            {
                self.secured.observed.tls(|counts| counts.packet_bytes_sent += data.len() as u64);
                continue;
            }
            kept = match self.send(&data).await {
                Ok(connection) => {
                    self.secured.observed.tls(|counts| counts.packet_bytes_sent += data.len() as u64);
                    Some(connection)
                }
                Err(error) => {
                    self.secured.observed.tls(|counts| counts.packet_write_errors += 1);
                    debug!(addr = %self.to, err = %error, "sending a packet failed");
                    None
                }
            };
        }
    }

    async fn send(&self, data: &[u8]) -> io::Result<Connection> {
        let connecting = async {
            let stream = TcpStream::connect(self.to).await?;
            let _ = stream.set_nodelay(true);
            self.secured.tls.connect(self.to, stream).await
        };
        let mut connection: Connection = Box::new(limited(self.limit, connecting).await?);
        limited(self.limit, write_packet(&mut connection, data)).await?;
        Ok(connection)
    }
}
