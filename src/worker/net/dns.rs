//! Keeps looking the peers' names up, so that a cluster that grows needs no new flags.

use std::net::SocketAddr;
use std::time::Duration;

use alerting::effects::Input;
use futures::future::join_all;
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::debug;

use super::lookup::{Lookup, LookupError};
use crate::event_loop::{Arrival, Arrivals};

/// One `--cluster.peer`, with what was last known of it.
#[derive(Debug)]
struct Peer {
    host: String,
    port: u16,
    known: Vec<SocketAddr>,
}

/// The peers' names.
#[derive(Debug)]
pub(crate) struct Peers {
    peers: Vec<Peer>,
    lookup: Lookup,
    ipv4_only: bool,
}

/// Between two rounds while the cluster is forming.
const EAGER: Duration = Duration::from_millis(500);

/// Between two rounds later, at least; up to [`JITTER_MS`] more, so that members don't ask all at once.
const CALM: Duration = Duration::from_secs(2);

const JITTER_MS: u64 = 3000;

impl Peers {
    /// `ipv4_only`: peers of the other family could not be reached from this member's socket.
    pub(crate) fn new(names: Vec<(String, u16)>, lookup: Lookup, ipv4_only: bool) -> Self {
        let peers = names.into_iter().map(|(host, port)| Peer { host, port, known: Vec::new() }).collect();
        Self { peers, lookup, ipv4_only }
    }

    /// Tells the engine after each round what is known: eagerly until `settled` or for `eager`, then calmly.
    pub(crate) async fn watch(mut self, arrivals: Arrivals, settled: watch::Receiver<bool>, eager: Duration) {
        if self.peers.is_empty() {
            // nobody is named, and that's all that will ever be known
            let _ = arrivals.send(Arrival::Input(Input::Peers(Vec::new()))).await;
            return;
        }
        let eager_until = Instant::now() + eager;
        loop {
            let found = self.round().await;
            let anything = !found.is_empty();
            if anything && arrivals.send(Arrival::Input(Input::Peers(found))).await.is_err() {
                return;
            }
            let forming = !anything || (!*settled.borrow() && Instant::now() < eager_until);
            let jitter = Duration::from_millis(rand::random_range(0..JITTER_MS));
            tokio::time::sleep(if forming { EAGER } else { CALM + jitter }).await;
        }
    }

    /// Asks for all names at once; a name about which nobody could tell keeps its addresses.
    async fn round(&mut self) -> Vec<SocketAddr> {
        let answers = join_all(self.peers.iter().map(|peer| self.lookup.addresses(&peer.host))).await;
        for (peer, answer) in self.peers.iter_mut().zip(answers) {
            match answer {
                Ok(addresses) => {
                    let usable = addresses.into_iter().filter(|address| address.is_ipv4() || !self.ipv4_only);
                    peer.known = usable.map(|address| SocketAddr::new(address, peer.port)).collect();
                }
                Err(error) => {
                    debug!(peer = %peer.host, err = crate::log::chain(&error), "looking up a peer failed");
                    if matches!(error, LookupError::Nothing(_)) {
                        peer.known.clear();
                    }
                }
            }
        }
        let mut all: Vec<_> = self.peers.iter().flat_map(|peer| peer.known.iter().copied()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

#[cfg(test)]
mod tests;
