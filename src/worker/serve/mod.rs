//! Listeners for HTTP: bound early, so that the real port is known, served when everything is there.

mod connection;
mod head;
mod listen;

#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tracing::{info, warn};

use crate::api::HttpStats;
use crate::web_config::{self, Gate, WebConfig};
pub(crate) use connection::Limits;
use connection::Shared;
use listen::{Listener, Local};

/// After an error of a listener (most often too many open files): how long until it's tried again.
const PAUSE: Duration = Duration::from_millis(500);

/// An address can't be listened on.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// One that was given.
    #[error("listening on `{address}`")]
    Address {
        /// As given.
        address: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Those of systemd.
    #[error("listening on the sockets of systemd")]
    Inherited(#[source] io::Error),
}

/// Bound, not yet served.
#[derive(Debug)]
pub(crate) struct Listeners {
    bound: Vec<(Listener, Local)>,
}

/// Serving.
#[derive(Debug)]
pub(crate) struct Servers {
    running: JoinSet<()>,
    drain: watch::Sender<bool>,
    /// Ends when all connections have.
    connections: mpsc::Receiver<()>,
}

impl Listeners {
    /// Binds all of `addresses`; `:PORT` is that port of all addresses, `vsock://:PORT` one of the machine's.
    ///
    /// # Errors
    /// At the first one that is taken or makes no sense.
    pub(crate) async fn bind(addresses: &[String]) -> Result<Self, ListenError> {
        let mut bound = Vec::new();
        for address in addresses {
            let listener = Listener::bind(address).await.and_then(with_local);
            bound.push(listener.map_err(|source| ListenError::Address { address: address.clone(), source })?);
        }
        Ok(Self { bound })
    }

    /// Takes what systemd has opened for this process.
    ///
    /// # Errors
    /// When there is nothing, or something that can't be served.
    pub(crate) fn inherited() -> Result<Self, ListenError> {
        let listeners = Listener::inherited().map_err(ListenError::Inherited)?.into_iter();
        let bound = listeners.map(with_local).collect::<io::Result<_>>();
        Ok(Self { bound: bound.map_err(ListenError::Inherited)? })
    }

    /// Port of the first one that TCP has.
    pub(crate) fn tcp_port(&self) -> Option<u16> {
        self.bound.iter().find_map(|(_, local)| match local {
            Local::Tcp(address) => Some(address.port()),
            Local::Vsock(_) | Local::Unix(_) => None,
        })
    }

    /// Port of the first one, if it has one.
    pub(crate) fn port(&self) -> Option<u32> {
        match self.bound.first()?.1 {
            Local::Tcp(address) => Some(address.port().into()),
            Local::Vsock(port) => Some(port),
            Local::Unix(_) => None,
        }
    }
}

fn with_local(listener: Listener) -> io::Result<(Listener, Local)> {
    let local = listener.local()?;
    Ok((listener, local))
}

impl Servers {
    /// Starts to serve, and says where in the log.
    pub(crate) fn start(
        listeners: Listeners,
        router: Router,
        config: Option<Arc<WebConfig>>,
        http: Arc<HttpStats>,
        limits: Limits,
    ) -> Self {
        let router = match &config {
            Some(config) => {
                let gate = Arc::new(Gate::new(Arc::clone(config), Arc::clone(&http)));
                router.layer(middleware::from_fn_with_state(gate, web_config::check))
            }
            None => router,
        };
        let shared = Arc::new(Shared { router, config, http, limits });
        let (drain, draining) = watch::channel(false);
        let (open, connections) = mpsc::channel(1);
        let mut running = JoinSet::new();
        for (listener, address) in listeners.bound {
            info!(%address, "Listening on");
            running.spawn(accept(listener, Arc::clone(&shared), draining.clone(), open.clone()));
        }
        Self { running, drain, connections }
    }

    /// Returns when a listener ends that should not.
    pub(crate) async fn failed(&mut self) -> io::Error {
        match self.running.join_next().await {
            Some(Err(error)) => io::Error::other(error),
            Some(Ok(())) | None => io::Error::other("a listener has ended"),
        }
    }

    /// Accepts nothing new, and gives open requests some time.
    pub(crate) async fn finish(mut self, limit: Duration) {
        self.drain.send_replace(true);
        let all = async {
            while self.running.join_next().await.is_some() {}
            // nobody sends: it's the end of all senders that is waited for
            while self.connections.recv().await.is_some() {}
        };
        if tokio::time::timeout(limit, all).await.is_err() {
            warn!("open HTTP requests are cut off");
        }
    }
}

/// `open` is held by every connection.
async fn accept(
    mut listener: Listener,
    shared: Arc<Shared>,
    mut draining: watch::Receiver<bool>,
    open: mpsc::Sender<()>,
) {
    loop {
        let accepted = tokio::select! {
            _ = draining.wait_for(|drain| *drain) => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok(stream) => {
                let (shared, draining, open) = (Arc::clone(&shared), draining.clone(), open.clone());
                tokio::spawn(async move {
                    shared.serve(stream, draining).await;
                    drop(open);
                });
            }
            Err(error) => {
                warn!(%error, "a connection can't be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
