//! Where on loopback everything listens, and whether it can.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, UdpSocket};

/// The addresses of all members: one IP for each, the same ports on all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Addresses {
    /// The IP of the first member; the next ones follow it.
    pub first: Ipv4Addr,
    /// The port of the web interface and API.
    pub web_port: u16,
    /// The port of gossip, TCP and UDP.
    pub gossip_port: u16,
}

/// Why an address cannot be listened on.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// Something else listens there, or the system does not have it.
    #[error("listening on {address} for {purpose} ({remedy})")]
    Unusable {
        /// The address.
        address: SocketAddr,
        /// What would have listened there.
        purpose: String,
        /// What the user can do.
        remedy: &'static str,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// Members must not be reachable from outside.
    #[error("--address: {0} is not on loopback for all members; take one in 127.0.0.0/8")]
    NotLoopback(Ipv4Addr),
}

const WEB_REMEDY: &str = "--web-port takes another port, --address another address";
/// Linux has all of 127.0.0.0/8 by itself.
const ABSENT_REMEDY: &str = "on macOS, `sudo ifconfig lo0 alias` with this address adds it";
const GOSSIP_REMEDY: &str = "--cluster-port takes another port, --address another address";
/// A name carries an address but no port, and the port is written in the configuration.
pub(super) const SINK_REMEDY: &str =
    "--address takes another address; another port must be changed in the Service and in the receiver's URL";

impl Addresses {
    /// The IP of the member with this ordinal.
    pub(super) fn ip(&self, ordinal: u32) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.first.to_bits().saturating_add(ordinal))
    }

    /// Where this member's API is.
    pub(super) fn web(&self, ordinal: u32) -> SocketAddr {
        SocketAddrV4::new(self.ip(ordinal), self.web_port).into()
    }

    /// Where this member gossips.
    pub(super) fn gossip(&self, ordinal: u32) -> SocketAddr {
        SocketAddrV4::new(self.ip(ordinal), self.gossip_port).into()
    }

    /// Whether the member called `name` could listen on all its addresses now.
    ///
    /// # Errors
    /// At the first that it could not listen on.
    pub(super) fn check(&self, ordinal: u32, name: &str) -> Result<(), AddressError> {
        if !self.first.is_loopback() || !self.ip(ordinal).is_loopback() {
            return Err(AddressError::NotLoopback(self.first));
        }
        let (web, gossip) = (self.web(ordinal), self.gossip(ordinal));
        unusable(TcpListener::bind(web).err(), web, || format!("the API of {name}"), WEB_REMEDY)?;
        let purpose = || format!("the gossip of {name}");
        unusable(TcpListener::bind(gossip).err(), gossip, purpose, GOSSIP_REMEDY)?;
        unusable(UdpSocket::bind(gossip).err(), gossip, purpose, GOSSIP_REMEDY)
    }
}

fn unusable(
    error: Option<io::Error>,
    address: SocketAddr,
    purpose: impl Fn() -> String,
    remedy: &'static str,
) -> Result<(), AddressError> {
    match error {
        None => Ok(()),
        Some(source) => {
            let absent = source.kind() == io::ErrorKind::AddrNotAvailable;
            let remedy = if absent { ABSENT_REMEDY } else { remedy };
            Err(AddressError::Unusable { address, purpose: purpose(), remedy, source })
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn addresses() -> Addresses {
        Addresses { first: Ipv4Addr::new(127, 9, 8, 255), web_port: 40093, gossip_port: 40094 }
    }

    #[test]
    fn members_follow_each_other() {
        assert_eq!(addresses().web(0).to_string(), "127.9.8.255:40093");
        assert_eq!(addresses().gossip(2).to_string(), "127.9.9.1:40094");
    }

    #[test]
    fn names_what_is_taken_and_which_flag_moves_it() {
        assert!(addresses().check(0, "m-0").is_ok());
        let web = TcpListener::bind(addresses().web(1)).unwrap();
        let error = addresses().check(1, "m-1").unwrap_err().to_string();
        assert!(error.starts_with("listening on 127.9.9.0:40093 for the API of m-1 (--web-port "), "{error}");
        drop(web);
        let _gossip = UdpSocket::bind(addresses().gossip(1)).unwrap();
        let error = addresses().check(1, "m-1").unwrap_err().to_string();
        assert!(error.starts_with("listening on 127.9.9.0:40094 for the gossip of m-1 (--cluster-port "), "{error}");
    }

    #[test]
    fn refuses_to_leave_loopback() {
        let outside = Addresses { first: Ipv4Addr::new(127, 255, 255, 255), ..addresses() };
        assert!(outside.check(1, "m-1").is_err());
    }
}
