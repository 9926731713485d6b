//! Listeners for HTTP: bound early, so that the real port is known, served when everything is there.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{info, warn};

use crate::flags::host_port;

/// An address can't be listened on.
#[derive(Debug, thiserror::Error)]
#[error("listening on `{address}`")]
pub struct ListenError {
    address: String,
    source: io::Error,
}

/// Bound, not yet served.
#[derive(Debug)]
pub(crate) struct Listeners {
    bound: Vec<(TcpListener, SocketAddr)>,
}

/// Serving.
#[derive(Debug)]
pub(crate) struct Servers {
    running: JoinSet<io::Result<()>>,
    drain: watch::Sender<bool>,
}

impl Listeners {
    /// Binds all of `addresses`; `:PORT` is that port of all addresses.
    ///
    /// # Errors
    /// At the first one that is taken or makes no sense.
    pub(crate) async fn bind(addresses: &[String]) -> Result<Self, ListenError> {
        let mut bound = Vec::new();
        for address in addresses {
            let listener = bind(address).await;
            let listener = listener.and_then(|listener| {
                let local = listener.local_addr()?;
                Ok((listener, local))
            });
            bound.push(listener.map_err(|source| ListenError { address: address.clone(), source })?);
        }
        Ok(Self { bound })
    }

    /// Port of the first one.
    pub(crate) fn port(&self) -> u16 {
        self.bound.first().map_or(0, |(_, local)| local.port())
    }
}

impl Servers {
    /// Starts to serve, and says where in the log.
    pub(crate) fn start(listeners: Listeners, router: &Router) -> Self {
        let (drain, draining) = watch::channel(false);
        let mut running = JoinSet::new();
        for (listener, address) in listeners.bound {
            info!(%address, "Listening on");
            let mut draining = draining.clone();
            let told = async move {
                // the sender is gone: the same
                let _ = draining.wait_for(|drain| *drain).await;
            };
            let listener = listener.tap_io(|stream| {
                // answers are small: waiting for more would only delay them
                let _ = stream.set_nodelay(true);
            });
            let server = axum::serve(listener, router.clone()).with_graceful_shutdown(told);
            running.spawn(async move { server.await });
        }
        Self { running, drain }
    }

    /// Returns when a listener ends that should not.
    pub(crate) async fn failed(&mut self) -> io::Error {
        match self.running.join_next().await {
            Some(Ok(Err(error))) => error,
            Some(Err(error)) => io::Error::other(error),
            Some(Ok(Ok(()))) | None => io::Error::other("a listener has ended"),
        }
    }

    /// Accepts nothing new, and gives open requests some time.
    pub(crate) async fn finish(mut self, limit: Duration) {
        self.drain.send_replace(true);
        let all = async { while self.running.join_next().await.is_some() {} };
        if tokio::time::timeout(limit, all).await.is_err() {
            warn!("open HTTP requests are cut off");
        }
    }
}

async fn bind(address: &str) -> io::Result<TcpListener> {
    let wrong = || io::Error::new(io::ErrorKind::InvalidInput, "not HOST:PORT");
    let (host, port) = host_port(address).ok_or_else(wrong)?;
    if !host.is_empty() {
        return TcpListener::bind((host, port)).await;
    }
    match TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)).await {
        Ok(listener) => Ok(listener),
        // a system without IPv6
        Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_taken_port_is_said_with_its_address() {
        let first = Listeners::bind(&["127.0.0.1:0".into()]).await.unwrap();
        let address = format!("127.0.0.1:{}", first.port());
        let second = Listeners::bind(&["127.0.0.1:0".into(), address.clone()]).await.unwrap_err();
        assert!(crate::log::chain(&second).starts_with(&format!("listening on `{address}`: ")), "{second}");
        assert!(Listeners::bind(&["9093".into()]).await.is_err());
        assert_ne!(Listeners::bind(&[":0".into()]).await.unwrap().port(), 0);
    }
}
