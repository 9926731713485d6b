//! One connection, from the TLS handshake to its end.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tracing::debug;

use super::head::{HeadClock, Timed};
use super::listen::{Io, Stream};
use crate::api::{HttpStats, Refused};
use crate::web_config::WebConfig;

/// How long clients may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// From the first byte of a request to the end of its head.
    pub(crate) head: Duration,
    /// From one request to the next. Longer than Go's HTTP clients keep an idle connection (five minutes for
    /// Prometheus), so that it's they who close.
    pub(crate) idle: Duration,
    /// For the TLS handshake.
    pub(crate) handshake: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let secs = Duration::from_secs;
        Self { head: secs(30), idle: secs(360), handshake: secs(10) }
    }
}

/// What all connections share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) router: Router,
    pub(super) config: Option<Arc<WebConfig>>,
    pub(super) http: Arc<HttpStats>,
    pub(super) limits: Limits,
}

/// What a client gets that speaks plainly to a port for TLS; the words are the reference's.
const PLAIN_TO_TLS: &[u8] = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";

const TOO_SLOW: &[u8] = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

impl Shared {
    /// Serves a connection until it ends, or, once `draining`, until its present request is answered.
    pub(super) async fn serve(self: Arc<Self>, stream: Stream, draining: watch::Receiver<bool>) {
        let tls = match &self.config {
            Some(config) => config.current().await.tls().cloned(),
            None => None,
        };
        match (tls, stream) {
            (None, Stream::Tcp(stream)) => self.http1(stream, draining).await,
            (None, Stream::Other(stream)) => self.http1(stream, draining).await,
            (Some(tls), stream) => self.tls(tls, stream, draining).await,
        }
    }

    async fn tls(&self, tls: Arc<ServerConfig>, stream: Stream, draining: watch::Receiver<bool>) {
        let shaken = tokio::time::timeout(self.limits.handshake, self.handshake(tls, stream)).await;
        let Some((stream, is_http2)) = shaken.ok().flatten() else {
            self.http.refuse(Refused::TlsHandshake);
            return;
        };
        match is_http2 {
            true => self.http2(stream, draining).await,
            false => self.http1(stream, draining).await,
        }
    }

    async fn handshake(&self, tls: Arc<ServerConfig>, stream: Stream) -> Option<(Box<dyn Io>, bool)> {
        let stream: Box<dyn Io> = match stream {
            Stream::Tcp(mut stream) => {
                if speaks_plainly(&stream).await {
                    let _ = stream.write_all(PLAIN_TO_TLS).await;
                    let _ = stream.shutdown().await;
                    return None;
                }
                Box::new(stream)
            }
            Stream::Other(stream) => stream,
        };
        match TlsAcceptor::from(tls).accept(stream).await {
            Ok(stream) => {
                let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                Some((Box::new(stream), is_http2))
            }
            Err(error) => {
                debug!(%error, "TLS handshake failed");
                None
            }
        }
    }

    async fn http1<S: Io + 'static>(&self, stream: S, mut draining: watch::Receiver<bool>) {
        let clock = Arc::new(HeadClock::new());
        let timed = Timed { stream, clock: Arc::clone(&clock) };
        let router = TowerToHyperService::new(self.router.clone());
        let service_clock = Arc::clone(&clock);
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            service_clock.complete();
            let answer = router.call(request);
            let clock = Arc::clone(&service_clock);
            async move {
                let answer = answer.await;
                clock.answered();
                answer
            }
        });
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(self.limits.idle);
        let mut connection = builder.serve_connection(TokioIo::new(timed), service);
        let mut told = false;
        loop {
            tokio::select! {
                ended = &mut connection => return self.count(ended),
                () = told_to_end(&mut draining), if !told => {
                    told = true;
                    Pin::new(&mut connection).graceful_shutdown();
                }
                () = clock.late(self.limits.head) => {
                    self.http.refuse(Refused::HeadTooSlow);
                    let mut stream = connection.into_parts().io.into_inner();
                    // maybe nobody is there any more
                    let _ = tokio::time::timeout(self.limits.handshake, stream.write_all(TOO_SLOW)).await;
                    return;
                }
            }
        }
    }

    async fn http2(&self, stream: Box<dyn Io>, mut draining: watch::Receiver<bool>) {
        let service = TowerToHyperService::new(self.router.clone());
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.timer(TokioTimer::new()).keep_alive_interval(self.limits.idle).keep_alive_timeout(self.limits.head);
        let mut connection = builder.serve_connection(TokioIo::new(stream), service);
        let mut told = false;
        loop {
            tokio::select! {
                ended = &mut connection => return self.count(ended),
                () = told_to_end(&mut draining), if !told => {
                    told = true;
                    Pin::new(&mut connection).graceful_shutdown();
                }
            }
        }
    }

    /// hyper has answered by itself already.
    fn count(&self, ended: hyper::Result<()>) {
        let Err(error) = ended else { return };
        if error.is_parse_too_large() {
            self.http.refuse(Refused::HeadTooLarge);
        } else if error.is_parse() {
            self.http.refuse(Refused::HeadMalformed);
        }
        debug!(%error, "an HTTP connection has ended");
    }
}

/// Whether the first byte is one of a method's name, which no TLS record begins with.
async fn speaks_plainly(stream: &TcpStream) -> bool {
    let mut first = [0];
    matches!(stream.peek(&mut first).await, Ok(1)) && first[0].is_ascii_uppercase()
}

async fn told_to_end(draining: &mut watch::Receiver<bool>) {
    // the sender is gone: the same
    let _ = draining.wait_for(|drain| *drain).await;
}
