//! A connection to each member that carries nothing: it ends with the process at its other end, and if nobody listens
//! there any more the member is gone. Probes would take seconds to find that.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use alerting::effects::Input;
use tokio::io::AsyncReadExt;
use tokio::task::AbortHandle;
use tokio::time::sleep;

use super::stream::Streams;
use crate::event_loop::{Arrival, Arrivals};

/// Before another attempt to connect to a member that can't be reached.
const PAUSE: Duration = Duration::from_secs(2);

/// Between the two attempts that must both be refused: a process that was replaced listens again by then.
const ONCE_MORE: Duration = Duration::from_millis(200);

/// The members that are watched.
#[derive(Debug)]
pub(crate) struct Watches {
    streams: Arc<Streams>,
    arrivals: Arrivals,
    tasks: HashMap<SocketAddr, AbortHandle>,
}

impl Watches {
    pub(super) fn new(streams: Arc<Streams>, arrivals: Arrivals) -> Self {
        Self { streams, arrivals, tasks: HashMap::new() }
    }

    /// A member is there.
    pub(crate) fn begin(&mut self, member: SocketAddr) {
        let watch = watch(Arc::clone(&self.streams), member, self.arrivals.clone());
        if let Some(old) = self.tasks.insert(member, tokio::spawn(watch).abort_handle()) {
            old.abort();
        }
    }

    /// It isn't any more.
    pub(crate) fn end(&mut self, member: SocketAddr) {
        if let Some(task) = self.tasks.remove(&member) {
            task.abort();
        }
    }
}

impl Drop for Watches {
    fn drop(&mut self) {
        self.tasks.values().for_each(AbortHandle::abort);
    }
}

async fn watch(streams: Arc<Streams>, member: SocketAddr, arrivals: Arrivals) {
    loop {
        // a way that never was open says nothing when it's closed
        let Ok(mut connection) = streams.connect(member).await else {
            sleep(PAUSE).await;
            continue;
        };
        // nothing is ever said here; the other side ends it from time to time
        let _ = connection.read_u8().await;
        if !(refuses(&streams, member).await && {
            sleep(ONCE_MORE).await;
            refuses(&streams, member).await
        }) {
            continue;
        }
        if arrivals.send(Arrival::Input(Input::PeerGone(member))).await.is_err() {
            return;
        }
        sleep(PAUSE).await;
    }
}

async fn refuses(streams: &Streams, member: SocketAddr) -> bool {
    matches!(streams.connect(member).await, Err(error) if error.kind() == io::ErrorKind::ConnectionRefused)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tokio::net::TcpListener;
    use tokio::time::timeout;

    use super::*;
    use crate::event_loop::arrivals;

    const LIMIT: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn a_process_that_ends_is_noticed_and_one_that_only_hangs_up_is_not() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let member = listener.local_addr().unwrap();
        let (tx, mut arrived) = arrivals();
        let mut watches = Watches::new(Arc::new(Streams::new(LIMIT, None)), tx);
        watches.begin(member);
        // hung up on, it comes again
        drop(timeout(LIMIT, listener.accept()).await.unwrap().unwrap());
        let (watching, _) = loop {
            let (stream, from) = timeout(LIMIT, listener.accept()).await.unwrap().unwrap();
            // the one that stays is the watch, the other one has only looked
            let mut byte = [0];
            match timeout(Duration::from_millis(300), stream.peek(&mut byte)).await {
                Err(_) => break (stream, from),
                Ok(_) => continue,
            }
        };
        assert!(arrived.try_recv().is_err());
        drop(listener);
        drop(watching);
        let arrival = timeout(LIMIT, arrived.recv()).await.unwrap();
        assert!(matches!(arrival, Some(Arrival::Input(Input::PeerGone(gone))) if gone == member));
    }
}
