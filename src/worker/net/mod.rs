//! How members reach each other: packets, streams, and the names under which they're found.

pub(crate) mod address;
pub(crate) mod dns;
pub(crate) mod lookup;
pub(crate) mod stream;
pub(crate) mod tls;
mod tls_packets;
pub(crate) mod udp;
mod watch;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinHandle;

use crate::event_loop::Arrivals;
use crate::observed::Observed;
use stream::Streams;
use tls::GossipTls;
use tls_packets::TlsOut;
use watch::Watches;

/// The sockets of the cluster, bound to the same port; where members speak TLS there are no packets but in streams.
#[derive(Debug)]
pub(crate) struct Sockets {
    packets: Packets,
    streams: TcpListener,
    local: SocketAddr,
}

/// How packets come and go.
#[derive(Debug)]
enum Packets {
    Udp(UdpSocket),
    Tls(Arc<GossipTls>),
}

/// TLS between members, and where it's counted.
#[derive(Debug, Clone)]
pub(crate) struct Secured {
    tls: Arc<GossipTls>,
    observed: Arc<Observed>,
}

/// The running network of a member.
#[derive(Debug)]
pub(crate) struct Net {
    out: Out,
    streams: Arc<Streams>,
    watches: Watches,
    tasks: Vec<JoinHandle<()>>,
}

/// The way out for packets.
#[derive(Debug)]
enum Out {
    Udp(udp::Out),
    Tls(TlsOut),
}

/// For the last packets.
const FINISH_LIMIT: Duration = Duration::from_secs(1);

/// Tries for a port that is free for both kinds, when any port will do.
const PORT_TRIES: usize = 16;

impl Sockets {
    /// Binds both kinds to `listen`, or with `tls` only streams; port 0: to a free one.
    ///
    /// # Errors
    /// When that's impossible.
    pub(crate) async fn bind(listen: SocketAddr, tls: Option<Arc<GossipTls>>) -> std::io::Result<Self> {
        let mut tries = 0;
        loop {
            let streams = TcpListener::bind(listen).await?;
            let local = streams.local_addr()?;
            if let Some(tls) = tls {
                return Ok(Self { packets: Packets::Tls(tls), streams, local });
            }
            match UdpSocket::bind(local).await {
                Ok(packets) => return Ok(Self { packets: Packets::Udp(packets), streams, local }),
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
    pub(crate) fn start(
        sockets: Sockets,
        arrivals: &Arrivals,
        tcp_timeout: Duration,
        observed: &Arc<Observed>,
    ) -> Self {
        let Sockets { packets, streams: listener, local: _ } = sockets;
        let mut tasks = Vec::new();
        let (out, secured) = match packets {
            Packets::Udp(socket) => {
                let socket = Arc::new(socket);
                tasks.push(tokio::spawn(udp::receive(Arc::clone(&socket), arrivals.clone())));
                (Out::Udp(udp::Out::start(socket)), None)
            }
            Packets::Tls(tls) => {
                // its metrics are there from the beginning
                observed.tls(|_| {});
                let secured = Secured { tls, observed: Arc::clone(observed) };
                (Out::Tls(TlsOut::new(secured.clone(), tcp_timeout)), Some(secured))
            }
        };
        tasks.push(tokio::spawn(stream::accept(listener, arrivals.clone(), tcp_timeout, secured.clone())));
        let streams = Arc::new(Streams::new(tcp_timeout, secured));
        let watches = Watches::new(Arc::clone(&streams), arrivals.clone());
        Self { out, streams, watches, tasks }
    }

    /// Sends a datagram, or loses it.
    pub(crate) fn packet(&self, to: SocketAddr, data: Bytes) {
        match &self.out {
            Out::Udp(out) => out.send(to, data),
            Out::Tls(out) => out.send(to, data),
        }
    }

    /// For calls.
    pub(crate) fn streams(&self) -> Arc<Streams> {
        Arc::clone(&self.streams)
    }

    /// Which members are watched.
    pub(crate) fn watches(&mut self) -> &mut Watches {
        &mut self.watches
    }

    /// Sends what is queued and stops to receive.
    pub(crate) async fn finish(self) {
        match self.out {
            Out::Udp(out) => out.finish().await,
            Out::Tls(out) => out.finish().await,
        }
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}
