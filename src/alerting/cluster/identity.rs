//! What a member is: a stable name that moves between addresses and starts again.

use std::net::SocketAddr;
use std::sync::Arc;

use foca::Identity;
use serde::{Deserialize, Serialize};

use crate::wire::MemberInfo;

/// A member at one address since one start.
///
/// foca keys members by name: when a pod comes back elsewhere, its greater incarnation replaces the old address at
/// once, and nobody asks the old one any more.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Member {
    pub(crate) name: Arc<str>,
    pub(crate) address: SocketAddr,
    pub(crate) incarnation: u64,
}

impl Identity for Member {
    type Addr = Arc<str>;

    fn renew(&self) -> Option<Self> {
        Some(Self { incarnation: self.incarnation + 1, ..self.clone() })
    }

    fn addr(&self) -> Arc<str> {
        self.name.clone()
    }

    fn win_addr_conflict(&self, adversary: &Self) -> bool {
        (self.incarnation, self.address) > (adversary.incarnation, adversary.address)
    }
}

impl From<&Member> for MemberInfo {
    fn from(member: &Member) -> Self {
        Self { name: member.name.to_string(), address: member.address.to_string(), incarnation: member.incarnation }
    }
}

impl TryFrom<&MemberInfo> for Member {
    type Error = std::net::AddrParseError;

    fn try_from(info: &MemberInfo) -> Result<Self, Self::Error> {
        Ok(Self { name: info.name.as_str().into(), address: info.address.parse()?, incarnation: info.incarnation })
    }
}
