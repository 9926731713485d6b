//! How members reach each other: packets, streams, and the names under which they're found.

pub(crate) mod address;
pub(crate) mod dns;
pub(crate) mod lookup;
pub(crate) mod stream;
pub(crate) mod udp;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinHandle;

use crate::event_loop::Arrivals;
use stream::Streams;

/// The sockets of the cluster, bound to the same port.
#[derive(Debug)]
pub(crate) struct Sockets {
    packets: UdpSocket,
    streams: TcpListener,
    local: SocketAddr,
}

/// The running network of a member.
#[derive(Debug)]
pub(crate) struct Net {
    out: udp::Out,
    streams: Arc<Streams>,
    tasks: Vec<JoinHandle<()>>,
}

/// Tries for a port that is free for both kinds, when any port will do.
const PORT_TRIES: usize = 16;

impl Sockets {
    /// Binds both kinds to `listen`; port 0: to a free one.
    ///
    /// # Errors
    /// When that's impossible.
    pub(crate) async fn bind(listen: SocketAddr) -> std::io::Result<Self> {
        let mut tries = 0;
        loop {
            let streams = TcpListener::bind(listen).await?;
            let local = streams.local_addr()?;
            match UdpSocket::bind(local).await {
                Ok(packets) => return Ok(Self { packets, streams, local }),
                Err(_) if listen.port() == 0 && tries < PORT_TRIES => tries += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Where they are.
    pub(crate) const fn local(&self) -> SocketAddr {
        self.local
    }
}

impl Net {
    /// Starts to receive.
    pub(crate) fn start(sockets: Sockets, arrivals: &Arrivals, tcp_timeout: Duration) -> Self {
        let Sockets { packets, streams: listener, local: _ } = sockets;
        let packets = Arc::new(packets);
        let out = udp::Out::start(Arc::clone(&packets));
        let tasks = vec![
            tokio::spawn(udp::receive(packets, arrivals.clone())),
            tokio::spawn(stream::accept(listener, arrivals.clone(), tcp_timeout)),
        ];
        Self { out, streams: Arc::new(Streams::new(tcp_timeout)), tasks }
    }

    /// Sends a datagram, or loses it.
    pub(crate) fn packet(&self, to: SocketAddr, data: Bytes) {
        self.out.send(to, data);
    }

    /// For calls.
    pub(crate) fn streams(&self) -> Arc<Streams> {
        Arc::clone(&self.streams)
    }

    /// Sends what is queued and stops to receive.
    pub(crate) async fn finish(self) {
        self.out.finish().await;
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}
