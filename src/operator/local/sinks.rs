//! The built-in sink in the place of the Services that ask for it: the same names, the same ports.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::addresses::{AddressError, SINK_REMEDY};
use super::sink::Sink;

/// One sink, on the ports of all Services that it stands for.
pub(super) struct Sinks {
    ip: Ipv4Addr,
    sink: Sink,
    listening: BTreeMap<u16, (String, JoinHandle<()>)>,
}

impl Sinks {
    /// Listens nowhere yet.
    pub(super) fn new(ip: Ipv4Addr, sink: Sink) -> Self {
        Self { ip, sink, listening: BTreeMap::new() }
    }

    /// The address that the Services' names lead to.
    pub(super) fn ip(&self) -> Ipv4Addr {
        self.ip
    }

    /// How many notifications came.
    pub(super) fn total(&self) -> u64 {
        self.sink.total()
    }

    /// Each Service with its address.
    pub(super) fn addresses(&self) -> impl Iterator<Item = (&str, SocketAddr)> {
        self.listening.iter().map(|(port, (service, _))| (service.as_str(), self.address(*port)))
    }

    /// Listens on the ports of these Services, and no longer on others.
    ///
    /// # Errors
    /// At the first port that cannot be listened on; those before it are.
    pub(super) async fn follow(&mut self, services: &[(String, u16)]) -> Result<(), AddressError> {
        self.listening.retain(|port, (_, task)| {
            let kept = services.iter().any(|(_, wanted)| wanted == port);
            if !kept {
                task.abort();
            }
            kept
        });
        for (service, port) in services {
            if self.listening.contains_key(port) {
                continue;
            }
            let address = self.address(*port);
            let listener = TcpListener::bind(address).await.map_err(|source| AddressError::Unusable {
                address,
                purpose: format!("Service {service}"),
                remedy: SINK_REMEDY,
                source,
            })?;
            let task = tokio::spawn(self.sink.clone().serve(listener));
            self.listening.insert(*port, (service.clone(), task));
        }
        Ok(())
    }

    fn address(&self, port: u16) -> SocketAddr {
        SocketAddrV4::new(self.ip, port).into()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn follows_the_services() {
        let mut sinks = Sinks::new(Ipv4Addr::new(127, 9, 7, 1), Sink::new(|_| {}));
        sinks.follow(&[("a".to_owned(), 40080), ("b".to_owned(), 40081)]).await.unwrap();
        sinks.follow(&[("b".to_owned(), 40081)]).await.unwrap();
        let listening: Vec<String> = sinks.addresses().map(|(name, at)| format!("{name} {at}")).collect();
        assert_eq!(listening, ["b 127.9.7.1:40081"]);

        let _taken = TcpListener::bind("127.9.7.1:40082").await.unwrap();
        let error = sinks.follow(&[("c".to_owned(), 40082)]).await.unwrap_err().to_string();
        assert!(error.starts_with("listening on 127.9.7.1:40082 for Service c ("), "{error}");
    }
}
