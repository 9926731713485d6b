//! A connection to one broker.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;

use super::error::KafkaError;
use super::wire::{self, Api, Malformed, Versions};
use crate::net::lookup::Lookup;

/// For the connection, its handshake, and the first question.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// For an answer; brokers get half of it to have a batch replicated.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);

/// Brokers hang up on who says nothing, and that shows too late.
const IDLE_MAX: Duration = Duration::from_secs(30);

/// An answer names the brokers of a cluster at most.
const ANSWER_MAX: i64 = 1 << 24;

/// The port when none is given.
const PORT: u16 = 9092;

/// Where a broker is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
}

/// How to connect.
#[derive(Clone)]
pub(super) struct Way {
    /// Said to the brokers.
    pub(super) client: String,
    pub(super) tls: Option<Arc<ClientConfig>>,
    /// To expect and to ask for instead of the broker's host.
    pub(super) server_name: Option<String>,
    /// Instead of the system's way to look names up.
    pub(super) lookup: Option<Arc<Lookup>>,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// One request at a time.
pub(super) struct Connection {
    address: Address,
    client: String,
    stream: Box<dyn Stream>,
    versions: Versions,
    correlation: i32,
    used: Instant,
}

impl Address {
    /// `host:port`, `host`, `[address]:port` or an address.
    pub(super) fn parse(text: &str) -> Result<Self, KafkaError> {
        let at = |host: &str, port: &str| match port.parse() {
            Ok(port) => Ok(Self { host: host.to_owned(), port }),
            Err(_) => Err(KafkaError::Broker(text.to_owned())),
        };
        let alone = |host: &str| Ok(Self { host: host.to_owned(), port: PORT });
        if let Some((host, rest)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            return match rest.strip_prefix(':') {
                Some(port) => at(host, port),
                None if rest.is_empty() => alone(host),
                None => Err(KafkaError::Broker(text.to_owned())),
            };
        }
        match text.rsplit_once(':') {
            // an IPv6 address
            Some((host, _)) if host.contains(':') => alone(text),
            Some((host, port)) => at(host, port),
            None => alone(text),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Way").field("client", &self.client).field("tls", &self.tls.is_some()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Connection {
    /// Connects and asks which versions of requests there are.
    ///
    /// # Errors
    /// When there's no broker.
    pub(super) async fn open(address: &Address, way: &Way) -> Result<Self, KafkaError> {
        let opening = async {
            let stream = stream(address, way).await?;
            let mut connection = Self {
                address: address.clone(),
                client: way.client.clone(),
                stream,
                versions: vec![(wire::API_VERSIONS.key, 0, 0)],
                correlation: 0,
                used: Instant::now(),
            };
            let (code, versions) = connection.call(&wire::API_VERSIONS, |_| (), wire::read_versions).await?;
            code.check()?;
            connection.versions = versions;
            Ok(connection)
        };
        let late = || KafkaError::Timeout { doing: "connecting to", to: address.to_string() };
        timeout(CONNECT_LIMIT, opening).await.unwrap_or_else(|_| Err(late()))
    }

    /// Whether it leads there, and can be believed to be open.
    pub(super) fn serves(&self, address: &Address) -> bool {
        self.address == *address && self.used.elapsed() < IDLE_MAX
    }

    /// Asks and reads the answer; after an error it must not be used again.
    ///
    /// # Errors
    /// When there's no answer, or none that makes sense.
    pub(super) async fn call<T>(
        &mut self,
        api: &Api,
        write: impl FnOnce(&mut BytesMut),
        read: impl FnOnce(&mut Bytes) -> Result<T, Malformed>,
    ) -> Result<T, KafkaError> {
        let to = self.address.to_string();
        let asking = async {
            self.send(api, write).await?;
            let mut answer = self.receive().await?;
            let malformed = |source| KafkaError::Malformed { to: to.clone(), source };
            let correlation = answer.try_get_i32().map_err(|_| malformed(Malformed::Short))?;
            if correlation != self.correlation {
                return Err(malformed(Malformed::Foreign));
            }
            read(&mut answer).map_err(malformed)
        };
        let late = || KafkaError::Timeout { doing: "asking", to: to.clone() };
        timeout(ANSWER_LIMIT, asking).await.unwrap_or_else(|_| Err(late()))
    }

    /// Sends what has no answer.
    ///
    /// # Errors
    /// When it can't be sent.
    pub(super) async fn tell(&mut self, api: &Api, write: impl FnOnce(&mut BytesMut)) -> Result<(), KafkaError> {
        let late = KafkaError::Timeout { doing: "telling", to: self.address.to_string() };
        timeout(ANSWER_LIMIT, self.send(api, write)).await.unwrap_or(Err(late))
    }

    async fn send(&mut self, api: &Api, write: impl FnOnce(&mut BytesMut)) -> Result<(), KafkaError> {
        let offered = |version: &i16| {
            self.versions.iter().any(|(key, first, last)| *key == api.key && (*first..=*last).contains(version))
        };
        let version = api.versions.iter().copied().find(offered);
        let version = version.ok_or_else(|| KafkaError::Versions { to: self.address.to_string() })?;
        self.correlation = self.correlation.wrapping_add(1);
        let mut request = wire::request(api.key, version, self.correlation, &self.client);
        write(&mut request);
        let mut framed = BytesMut::with_capacity(request.len() + 4);
        framed.put_i32(i32::try_from(request.len()).unwrap_or(i32::MAX));
        framed.put_slice(&request);
        self.used = Instant::now();
        let sending = async {
            self.stream.write_all(&framed).await?;
            self.stream.flush().await
        };
        sending.await.map_err(|source| self.broken("writing to", source))
    }

    async fn receive(&mut self) -> Result<Bytes, KafkaError> {
        let length = self.stream.read_i32().await.map_err(|source| self.broken("reading from", source))?;
        if !(0..=ANSWER_MAX).contains(&i64::from(length)) {
            let source = Malformed::Long(i64::from(length));
            return Err(KafkaError::Malformed { to: self.address.to_string(), source });
        }
        let mut answer = Vec::new();
        // what comes takes memory, not what is claimed
        let read = (&mut self.stream).take(length as u64).read_to_end(&mut answer).await;
        match read {
            Ok(count) if count == length as usize => Ok(answer.into()),
            Ok(_) => Err(self.broken("reading from", std::io::ErrorKind::UnexpectedEof.into())),
            Err(source) => Err(self.broken("reading from", source)),
        }
    }

    fn broken(&self, doing: &'static str, source: std::io::Error) -> KafkaError {
        KafkaError::Network { doing, to: self.address.to_string(), source }
    }
}

async fn stream(address: &Address, way: &Way) -> Result<Box<dyn Stream>, KafkaError> {
    let failed = |source| KafkaError::Network { doing: "connecting to", to: address.to_string(), source };
    let connecting = match &way.lookup {
        Some(lookup) => {
            let found = lookup.addresses(&address.host).await.map_err(KafkaError::Lookup)?;
            let all: Vec<SocketAddr> = found.into_iter().map(|ip| SocketAddr::new(ip, address.port)).collect();
            TcpStream::connect(&*all).await
        }
        None => TcpStream::connect((&*address.host, address.port)).await,
    };
    let tcp = connecting.map_err(failed)?;
    tcp.set_nodelay(true).map_err(failed)?;
    let Some(tls) = &way.tls else { return Ok(Box::new(tcp)) };
    let name = way.server_name.as_ref().unwrap_or(&address.host).clone();
    let name = ServerName::try_from(name).map_err(KafkaError::ServerName)?;
    Ok(Box::new(TlsConnector::from(Arc::clone(tls)).connect(name, tcp).await.map_err(failed)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brokers_are_read_as_by_the_reference() {
        let rows = [
            ("a:1", Some("a 1")),
            ("a", Some("a 9092")),
            ("[::1]:7", Some("::1 7")),
            ("[::1]", Some("::1 9092")),
            ("::1", Some("::1 9092")),
            ("a:b", None),
            ("a:70000", None),
            ("[::1]x", None),
        ];
        for (text, wanted) in rows {
            let read = Address::parse(text).ok().map(|address| format!("{} {}", address.host, address.port));
            assert_eq!(read.as_deref(), wanted, "{text}");
        }
    }
}
