//! Where a member listens for peers, and which address it tells them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use tracing::warn;

use super::lookup::{Lookup, LookupError};

/// A host that can't be listened on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AddressError {
    /// It is a name without addresses.
    #[error("finding the address to listen on")]
    Lookup(#[source] LookupError),
}

/// From the host and port of a flag to an address; no host: all IPv4 addresses.
///
/// # Errors
/// When the host is a name that can't be looked up.
pub(crate) async fn listen(host: &str, port: u16, lookup: &Lookup) -> Result<SocketAddr, AddressError> {
    if host.is_empty() {
        return Ok(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)));
    }
    let found = lookup.addresses(host).await.map_err(AddressError::Lookup)?;
    // never empty: that would have been an error
    let first = found.first().copied().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    Ok(SocketAddr::new(first, port))
}

/// The address to tell peers: as given, or the one listened on, or a private one of an interface.
pub(crate) fn advertise(given: Option<SocketAddr>, bound: SocketAddr, allow_public: bool) -> SocketAddr {
    if let Some(given) = given {
        return given;
    }
    if !bound.ip().is_unspecified() {
        return bound;
    }
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let addresses: Vec<Ipv4Addr> = interfaces
        .iter()
        .filter_map(|interface| match interface.ip() {
            IpAddr::V4(address) if !address.is_loopback() && !address.is_link_local() => Some(address),
            IpAddr::V4(_) | IpAddr::V6(_) => None,
        })
        .collect();
    let found = choose(&addresses, outgoing(), allow_public);
    let address = found.unwrap_or_else(|| {
        warn!("couldn't deduce an advertise address: no private IP found, explicit advertise addr not provided");
        warn!("this node will be unreachable in the cluster");
        Ipv4Addr::LOCALHOST
    });
    SocketAddr::from((address, bound.port()))
}

/// The address that packets to the rest of the world would carry; nothing is sent.
fn outgoing() -> Option<Ipv4Addr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    // an address reserved for documentation: only the choice of the route matters
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    match socket.local_addr().ok()?.ip() {
        IpAddr::V4(address) if !address.is_unspecified() => Some(address),
        IpAddr::V4(_) | IpAddr::V6(_) => None,
    }
}

fn choose(addresses: &[Ipv4Addr], outgoing: Option<Ipv4Addr>, allow_public: bool) -> Option<Ipv4Addr> {
    let usual = outgoing.filter(|address| addresses.contains(address));
    let all = || usual.into_iter().chain(addresses.iter().copied());
    all().find(|address| private(*address)).or_else(|| all().find(|_| allow_public))
}

fn private(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    // the second: shared address space (RFC 6598), which some networks give to pods
    address.is_private() || (first == 100 && second & 0b1100_0000 == 64)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn v4(text: &str) -> Ipv4Addr {
        text.parse().unwrap()
    }

    #[test]
    fn private_before_public_and_the_usual_one_first() {
        let all = [v4("203.0.113.9"), v4("10.0.0.1"), v4("100.64.3.1"), v4("192.168.1.1")];
        assert_eq!(choose(&all, None, false), Some(all[1]));
        assert_eq!(choose(&all, Some(all[3]), true), Some(all[3]));
        assert_eq!(choose(&all, Some(all[0]), true), Some(all[1]));
        assert_eq!(choose(&all[..1], Some(all[0]), false), None);
        assert_eq!(choose(&all[..1], Some(all[0]), true), Some(all[0]));
        assert_eq!(choose(&all[..1], Some(v4("10.9.9.9")), false), None);
    }

    #[test]
    fn what_is_given_or_specific_is_told() {
        let bound = "127.0.0.1:94".parse().unwrap();
        assert_eq!(advertise(None, bound, false), bound);
        let given = "10.1.2.3:1".parse().unwrap();
        assert_eq!(advertise(Some(given), bound, false), given);
        assert_eq!(advertise(None, "0.0.0.0:94".parse().unwrap(), false).port(), 94);
    }

    #[tokio::test]
    async fn a_missing_host_is_any_address() {
        let lookup = Lookup::new(None);
        assert_eq!(listen("", 1, &lookup).await.unwrap().to_string(), "0.0.0.0:1");
        assert_eq!(listen("::1", 1, &lookup).await.unwrap().to_string(), "[::1]:1");
    }
}
