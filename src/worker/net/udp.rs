//! Packets between members.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use alerting::effects::Input;
use bytes::Bytes;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tracing::debug;

use crate::event_loop::{Arrival, Arrivals};

/// The way out for packets.
#[derive(Debug)]
pub(crate) struct Out {
    queue: mpsc::Sender<(SocketAddr, Bytes)>,
    task: JoinHandle<()>,
}

/// Packets that may wait for the socket.
const QUEUE: usize = 1024;

/// Largest datagram there can be.
const SIZE_MAX: usize = 65_535;

impl Out {
    /// Starts the task that sends.
    pub(crate) fn start(socket: Arc<UdpSocket>) -> Self {
        let (queue, mut packets) = mpsc::channel::<(SocketAddr, Bytes)>(QUEUE);
        let task = tokio::spawn(async move {
            while let Some((to, data)) = packets.recv().await {
                if let Err(error) = socket.send_to(&data, to).await {
                    debug!(addr = %to, err = %error, "sending a packet failed");
                }
            }
        });
        Self { queue, task }
    }

    /// Queues a packet; drops it when the queue is full, as any network may.
    pub(crate) fn send(&self, to: SocketAddr, data: Bytes) {
        if self.queue.try_send((to, data)).is_err() {
            debug!(addr = %to, "packet dropped, too many wait");
        }
    }

    /// Sends what is queued.
    pub(crate) async fn finish(self) {
        drop(self.queue);
        // what can't be sent by then is lost, as packets are
        let _ = tokio::time::timeout(super::FINISH_LIMIT, self.task).await;
    }
}

/// Receives until nobody listens any more.
pub(crate) async fn receive(socket: Arc<UdpSocket>, arrivals: Arrivals) {
    let mut buf = vec![0; SIZE_MAX];
    loop {
        let (size, from) = match socket.recv_from(&mut buf).await {
            Ok(received) => received,
            Err(error) => {
                // e.g. a peer's port was closed; a socket that fails for good must not take the processor
                debug!(err = %error, "receiving a packet failed");
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            }
        };
        let data = Bytes::copy_from_slice(buf.get(..size).unwrap_or_default());
        if arrivals.send(Arrival::Input(Input::Packet { from, data })).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::event_loop::arrivals;

    #[tokio::test]
    async fn a_packet_arrives_with_its_sender() {
        let receiver = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        let sender = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        let (to, from) = (receiver.local_addr().unwrap(), sender.local_addr().unwrap());
        let (tx, mut arrived) = arrivals();
        let task = tokio::spawn(receive(receiver, tx));
        let out = Out::start(sender);
        for text in ["one", "two"] {
            out.send(to, Bytes::from_static(text.as_bytes()));
        }
        out.finish().await;
        for text in ["one", "two"] {
            let arrival = tokio::time::timeout(Duration::from_secs(10), arrived.recv()).await.unwrap();
            let Some(Arrival::Input(Input::Packet { from: seen, data })) = arrival else { panic!("no packet") };
            assert_eq!((seen, data), (from, Bytes::from_static(text.as_bytes())));
        }
        task.abort();
    }
}
