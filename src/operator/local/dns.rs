//! The names of the cluster, served on loopback: what CoreDNS does for pods.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use hickory_proto::op::{Metadata, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA};
use hickory_proto::rr::{RData, Record, RecordType};
use hickory_server::Server;
use hickory_server::net::runtime::Time;
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo};
use hickory_server::zone_handler::MessageResponseBuilder;
use tokio::net::{TcpListener, UdpSocket};

/// Seconds that an answer may be kept: members come and go.
const TTL: u32 = 1;
/// How often another port is tried when the one UDP got is taken for TCP.
const ATTEMPTS: usize = 8;

/// Who is called what; shared by the server and by who starts and stops members.
#[derive(Clone, Debug, Default)]
pub(super) struct Names(Arc<RwLock<Table>>);

#[derive(Debug, Default)]
struct Table {
    namespace: String,
    addresses: BTreeMap<String, Vec<Ipv4Addr>>,
}

/// A running server; it ends when this is dropped.
pub(super) struct Dns {
    /// Where it answers, by UDP and by TCP.
    pub address: SocketAddr,
    _server: Server<Handler>,
}

/// Why no DNS server could be started.
#[derive(Debug, thiserror::Error)]
#[error("starting the DNS server of the cluster on {ip}")]
pub struct DnsError {
    ip: Ipv4Addr,
    #[source]
    source: std::io::Error,
}

impl Names {
    /// No names yet; those that end in the namespace's name are its own, not the world's.
    pub(super) fn new(namespace: &str) -> Self {
        let table = Table { namespace: namespace.to_owned(), addresses: BTreeMap::new() };
        Self(Arc::new(RwLock::new(table)))
    }

    /// Replaces all names. A key is what comes before the namespace: `service` or `pod.service`.
    pub(super) fn replace(&self, addresses: BTreeMap<String, Vec<Ipv4Addr>>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).addresses = addresses;
    }

    /// The addresses of a name in any of its forms; `None` when it is none of the cluster's.
    fn find(&self, name: &str) -> Option<Vec<Ipv4Addr>> {
        let table = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let (short, ours) = table.shorten(name);
        match table.addresses.get(short) {
            Some(addresses) => Some(addresses.clone()),
            None if ours => Some(Vec::new()),
            None => None,
        }
    }
}

impl Table {
    /// The name without what Kubernetes appends, and whether anything had been appended.
    fn shorten<'a>(&self, name: &'a str) -> (&'a str, bool) {
        let name = name.strip_suffix('.').unwrap_or(name);
        let (rest, cluster) = strip(name, ".cluster.local");
        let (rest, svc) = strip(rest, ".svc");
        match rest.strip_suffix(&self.namespace).and_then(|rest| rest.strip_suffix('.')) {
            Some(short) => (short, true),
            None => (rest, cluster || svc),
        }
    }
}

fn strip<'a>(name: &'a str, suffix: &str) -> (&'a str, bool) {
    match name.strip_suffix(suffix) {
        Some(rest) => (rest, true),
        None => (name, false),
    }
}

/// Answers for `names` on a free port of `ip`; other names are asked of the system.
///
/// # Errors
/// When no port can be had.
pub(super) async fn serve(ip: Ipv4Addr, names: Names) -> Result<Dns, DnsError> {
    let (udp, tcp) = bind(ip).await.map_err(|source| DnsError { ip, source })?;
    let address = udp.local_addr().map_err(|source| DnsError { ip, source })?;
    let mut server = Server::new(Handler { names });
    server.register_socket(udp);
    server.register_listener(tcp, Duration::from_secs(10), 16);
    Ok(Dns { address, _server: server })
}

/// The same free port for both transports.
async fn bind(ip: Ipv4Addr) -> std::io::Result<(UdpSocket, TcpListener)> {
    let mut attempt = 0;
    loop {
        let udp = UdpSocket::bind((ip, 0)).await?;
        match TcpListener::bind((ip, udp.local_addr()?.port())).await {
            Ok(tcp) => return Ok((udp, tcp)),
            Err(error) if attempt >= ATTEMPTS => return Err(error),
            Err(_) => attempt += 1,
        }
    }
}

struct Handler {
    names: Names,
}

#[async_trait::async_trait]
impl RequestHandler for Handler {
    async fn handle_request<R: ResponseHandler, T: Time>(&self, request: &Request, mut reply: R) -> ResponseInfo {
        let mut metadata = Metadata::response_from_request(&request.metadata);
        metadata.recursion_available = true;
        let mut answers = Vec::new();
        match request.request_info() {
            Ok(info) => {
                let name = info.query.original().name();
                let kind = info.query.query_type();
                let (code, addresses) = self.answer(&info.query.name().to_string(), kind).await;
                metadata.response_code = code;
                answers.extend(addresses.into_iter().map(|data| Record::from_rdata(name.clone(), TTL, data)));
            }
            Err(_) => metadata.response_code = ResponseCode::FormErr,
        }
        let response = MessageResponseBuilder::from_message_request(request).build(metadata, &answers, [], [], []);
        match reply.send_response(response).await {
            Ok(info) => info,
            // Nobody is there to be told; the client asks again.
            Err(error) => {
                tracing::debug!(%error, "sending a DNS answer failed");
                let mut failed = metadata;
                failed.response_code = ResponseCode::ServFail;
                hickory_proto::op::Header { metadata: failed, counts: Default::default() }.into()
            }
        }
    }
}

impl Handler {
    async fn answer(&self, name: &str, kind: RecordType) -> (ResponseCode, Vec<RData>) {
        let addresses: Vec<IpAddr> = match self.names.find(name) {
            Some(found) if found.is_empty() => return (ResponseCode::NXDomain, Vec::new()),
            Some(found) => found.into_iter().map(IpAddr::V4).collect(),
            None => match tokio::net::lookup_host((name.trim_end_matches('.'), 0)).await {
                Ok(found) => found.map(|address| address.ip()).collect(),
                Err(_) => return (ResponseCode::NXDomain, Vec::new()),
            },
        };
        let data = addresses.into_iter().filter_map(|address| match (kind, address) {
            (RecordType::A, IpAddr::V4(ip)) => Some(RData::A(A(ip))),
            (RecordType::AAAA, IpAddr::V6(ip)) => Some(RData::AAAA(AAAA(ip))),
            _ => None,
        });
        (ResponseCode::NoError, data.collect())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use hickory_proto::op::{Message, Query};
    use hickory_proto::rr::Name;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    fn names() -> Names {
        let names = Names::new("default");
        let members = vec![Ipv4Addr::new(127, 0, 0, 1), Ipv4Addr::new(127, 0, 0, 2)];
        names.replace(BTreeMap::from([
            ("alertmanager-main-peers".to_owned(), members),
            ("alertmanager-main-0.alertmanager-main-peers".to_owned(), vec![Ipv4Addr::new(127, 0, 0, 1)]),
            ("webhook-sink".to_owned(), vec![Ipv4Addr::new(127, 0, 0, 9)]),
        ]));
        names
    }

    fn question(name: &str, kind: RecordType) -> Vec<u8> {
        let mut message = Message::query();
        message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
        message.to_vec().unwrap()
    }

    async fn ask(server: SocketAddr, name: &str, kind: RecordType) -> Message {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.send_to(&question(name, kind), server).await.unwrap();
        let mut buffer = [0; 2048];
        let read = socket.recv(&mut buffer).await.unwrap();
        Message::from_vec(&buffer[..read]).unwrap()
    }

    fn ips(message: &Message) -> Vec<String> {
        message.answers.iter().map(|record| record.data.to_string()).collect()
    }

    #[tokio::test]
    async fn answers_every_form_of_a_name() {
        let dns = serve(Ipv4Addr::LOCALHOST, names()).await.unwrap();
        for name in [
            "alertmanager-main-peers",
            "alertmanager-main-peers.default",
            "alertmanager-main-peers.default.svc",
            "Alertmanager-Main-Peers.default.svc.cluster.local.",
        ] {
            let reply = ask(dns.address, name, RecordType::A).await;
            assert_eq!(ips(&reply), ["127.0.0.1", "127.0.0.2"], "{name}");
        }
        let pod = "alertmanager-main-0.alertmanager-main-peers.default.svc";
        assert_eq!(ips(&ask(dns.address, pod, RecordType::A).await), ["127.0.0.1"]);
        let none = ask(dns.address, "webhook-sink", RecordType::AAAA).await;
        assert_eq!((ips(&none).len(), none.metadata.response_code), (0, ResponseCode::NoError));
    }

    #[tokio::test]
    async fn names_change_while_it_runs_and_strangers_are_unknown() {
        let names = names();
        let dns = serve(Ipv4Addr::LOCALHOST, names.clone()).await.unwrap();
        let stranger = ask(dns.address, "nobody.default.svc", RecordType::A).await;
        assert_eq!(stranger.metadata.response_code, ResponseCode::NXDomain);
        names.replace(BTreeMap::from([("nobody".to_owned(), vec![Ipv4Addr::new(127, 0, 0, 7)])]));
        assert_eq!(ips(&ask(dns.address, "nobody.default.svc", RecordType::A).await), ["127.0.0.7"]);
        let gone = ask(dns.address, "webhook-sink.default.svc", RecordType::A).await;
        assert_eq!(gone.metadata.response_code, ResponseCode::NXDomain);
    }

    #[tokio::test]
    async fn asks_the_system_for_other_names_and_answers_by_tcp() {
        let dns = serve(Ipv4Addr::LOCALHOST, names()).await.unwrap();
        assert_eq!(ips(&ask(dns.address, "localhost", RecordType::A).await), ["127.0.0.1"]);

        let mut stream = tokio::net::TcpStream::connect(dns.address).await.unwrap();
        let message = question("webhook-sink.default.svc", RecordType::A);
        stream.write_u16(u16::try_from(message.len()).unwrap()).await.unwrap();
        stream.write_all(&message).await.unwrap();
        let mut reply = vec![0; usize::from(stream.read_u16().await.unwrap())];
        stream.read_exact(&mut reply).await.unwrap();
        assert_eq!(ips(&Message::from_vec(&reply).unwrap()), ["127.0.0.9"]);
    }
}
