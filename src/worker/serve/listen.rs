//! Where to listen: addresses, vsock ports, sockets that systemd has opened.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;

use rustix::io::FdFlags;
use rustix::net::{AddressFamily, sockopt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio_vsock::{VMADDR_CID_ANY, VsockAddr, VsockListener};

use crate::flags::host_port;

/// A socket that accepts connections.
#[derive(Debug)]
pub(super) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
    Vsock(VsockListener),
}

/// A connection.
pub(super) enum Stream {
    Tcp(TcpStream),
    Other(Box<dyn Io>),
}

/// What a connection does.
pub(super) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// Where a socket listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Local {
    Tcp(SocketAddr),
    /// Path, if it has one.
    Unix(String),
    Vsock(u32),
}

impl fmt::Display for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix://{path}"),
            Self::Vsock(port) => write!(f, "vsock://:{port}"),
        }
    }
}

impl Listener {
    /// Binds what a `--web.listen-address` says.
    ///
    /// # Errors
    /// When it is taken or makes no sense.
    pub(super) async fn bind(address: &str) -> io::Result<Self> {
        let wrong = |wanted: &str| io::Error::new(io::ErrorKind::InvalidInput, wanted.to_owned());
        if let Some(rest) = address.strip_prefix("vsock://") {
            let port = rest.trim_end_matches('/').rsplit_once(':').and_then(|(_, port)| port.parse().ok());
            let port = port.ok_or_else(|| wrong("not vsock://:PORT"))?;
            return VsockListener::bind(VsockAddr::new(VMADDR_CID_ANY, port)).map(Self::Vsock);
        }
        let (host, port) = host_port(address).ok_or_else(|| wrong("not HOST:PORT"))?;
        if !host.is_empty() {
            return TcpListener::bind((host, port)).await.map(Self::Tcp);
        }
        match TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)).await {
            Ok(listener) => Ok(Self::Tcp(listener)),
            // a system without IPv6
            Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
                TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await.map(Self::Tcp)
            }
            Err(error) => Err(error),
        }
    }

    /// Takes what systemd has opened for this process, in its order.
    ///
    /// # Errors
    /// When there is nothing, or something that can't be served.
    pub(super) fn inherited() -> io::Result<Vec<Self>> {
        let given = sd_listen_fds::get().map_err(io::Error::other)?;
        if given.is_empty() {
            return Err(io::Error::other(
                "there is none: LISTEN_PID and LISTEN_FDS, which systemd sets for a socket unit, are not set for this process",
            ));
        }
        given.into_iter().map(|(_, fd)| Self::adopt(fd.into_std())).collect()
    }

    fn adopt(fd: OwnedFd) -> io::Result<Self> {
        rustix::io::fcntl_setfd(&fd, FdFlags::CLOEXEC)?;
        if !sockopt::socket_acceptconn(&fd)? {
            return Err(io::Error::other("it does not listen: ListenStream= is what opens one that does"));
        }
        match sockopt::socket_domain(&fd)? {
            AddressFamily::INET | AddressFamily::INET6 => {
                let listener = std::net::TcpListener::from(fd);
                listener.set_nonblocking(true)?;
                TcpListener::from_std(listener).map(Self::Tcp)
            }
            AddressFamily::UNIX => {
                let listener = std::os::unix::net::UnixListener::from(fd);
                listener.set_nonblocking(true)?;
                UnixListener::from_std(listener).map(Self::Unix)
            }
            other => Err(io::Error::other(format!("its address family {} can't be served", other.as_raw()))),
        }
    }

    /// Where it listens.
    pub(super) fn local(&self) -> io::Result<Local> {
        Ok(match self {
            Self::Tcp(listener) => Local::Tcp(listener.local_addr()?),
            Self::Unix(listener) => {
                let address = listener.local_addr()?;
                Local::Unix(address.as_pathname().map(|path| path.display().to_string()).unwrap_or_default())
            }
            Self::Vsock(listener) => Local::Vsock(listener.local_addr()?.port()),
        })
    }

    /// The next connection.
    pub(super) async fn accept(&mut self) -> io::Result<Stream> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                // answers are small: waiting for more would only delay them
                let _ = stream.set_nodelay(true);
                Ok(Stream::Tcp(stream))
            }
            Self::Unix(listener) => Ok(Stream::Other(Box::new(listener.accept().await?.0))),
            Self::Vsock(listener) => Ok(Stream::Other(Box::new(listener.accept().await?.0))),
        }
    }
}
