//! Rules about links, in the network namespace that this program is in: nobody gets through to a port, or from it, while they
//! stand.

use std::net::Ipv4Addr;

use futures::TryStreamExt as _;
use rtnetlink::packet_route::AddressFamily;
use rtnetlink::packet_route::IpProtocol;
use rtnetlink::packet_route::rule::{RuleAction, RuleAttribute, RuleMessage, RulePortRange};
use rtnetlink::{Handle, IpVersion, LinkUnspec};
use tokio::task::JoinHandle;

/// Where rules for links stand, before the one that delivers what is for this host.
const CUT: u32 = 10;
const DELIVER: u32 = 100;
/// `local` in /etc/iproute2/rt_tables.
const TABLE_LOCAL: u32 = 255;
const FAMILIES: [(AddressFamily, IpVersion); 2] =
    [(AddressFamily::Inet, IpVersion::V4), (AddressFamily::Inet6, IpVersion::V6)];

/// Why a link is as it was.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// There is no way to ask the kernel.
    #[error("asking the kernel about links")]
    Socket(#[source] std::io::Error),
    /// The kernel refuses.
    #[error("{doing}")]
    Refused {
        /// What.
        doing: &'static str,
        /// Why.
        #[source]
        source: rtnetlink::Error,
    },
}

/// The kernel's ear.
pub(super) struct Links {
    handle: Handle,
    connection: JoinHandle<()>,
}

impl Links {
    pub(super) fn open() -> Result<Self, LinkError> {
        let (connection, handle, _) = rtnetlink::new_connection().map_err(LinkError::Socket)?;
        Ok(Self { handle, connection: tokio::spawn(connection) })
    }

    /// Makes loopback work in a namespace that is new.
    pub(super) async fn loopback(&self) -> Result<(), LinkError> {
        let refused = |source| LinkError::Refused { doing: "turning loopback on", source };
        let mut found = self.handle.link().get().match_name("lo".to_owned()).execute();
        let Some(lo) = found.try_next().await.map_err(refused)? else { return Ok(()) };
        let up = LinkUnspec::new_with_index(lo.header.index).up().build();
        self.handle.link().set(up).execute().await.map_err(refused)
    }

    /// Makes room for rules about what is for this host. Once is enough, twice does no harm.
    pub(super) async fn settle(&self) -> Result<(), LinkError> {
        let refused = |source| LinkError::Refused { doing: "making room for rules about links", source };
        for (family, version) in FAMILIES {
            let first = self.standing(family, version).await.map_err(refused)?.into_iter().find(|rule| {
                let of_priority = |attribute: &RuleAttribute| matches!(attribute, RuleAttribute::Priority(_));
                u32::from(rule.header.table) == TABLE_LOCAL && !rule.attributes.iter().any(of_priority)
            });
            if let Some(first) = first {
                let mut later =
                    self.handle.rule().add().table_id(TABLE_LOCAL).action(RuleAction::ToTable).priority(DELIVER);
                later.message_mut().header.family = family;
                later.execute().await.map_err(refused)?;
                self.handle.rule().del(first).execute().await.map_err(refused)?;
            }
        }
        Ok(())
    }

    /// From now on nobody gets through to that port, by TCP or UDP: at that address, or here and anywhere.
    pub(super) async fn cut(&self, to: Option<Ipv4Addr>, port: u16) -> Result<(), LinkError> {
        let refused = |source| LinkError::Refused { doing: "cutting links", source };
        for rule in self.rules(to, port).await.map_err(refused)? {
            let mut adding = self.handle.rule().add();
            *adding.message_mut() = rule;
            adding.execute().await.map_err(refused)?;
        }
        Ok(())
    }

    /// And now again.
    pub(super) async fn heal(&self, to: Option<Ipv4Addr>, port: u16) -> Result<(), LinkError> {
        let refused = |source| LinkError::Refused { doing: "mending links", source };
        for rule in self.rules(to, port).await.map_err(refused)? {
            self.handle.rule().del(rule).execute().await.map_err(refused)?;
        }
        Ok(())
    }

    /// Rules of a family that stand now. A host that doesn't have the family has none, though the kernel may answer with
    /// those of another one then.
    async fn standing(&self, family: AddressFamily, version: IpVersion) -> Result<Vec<RuleMessage>, rtnetlink::Error> {
        let found: Result<Vec<RuleMessage>, _> = self.handle.rule().get(version).execute().try_collect().await;
        match found {
            Ok(all) => Ok(all.into_iter().filter(|rule| rule.header.family == family).collect()),
            Err(_) if family == AddressFamily::Inet6 => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Those that cut: for an address, or for all families of this host.
    async fn rules(&self, to: Option<Ipv4Addr>, port: u16) -> Result<Vec<RuleMessage>, rtnetlink::Error> {
        let mut all = Vec::new();
        for (family, version) in FAMILIES {
            let wanted = match to {
                Some(_) => family == AddressFamily::Inet,
                None => !self.standing(family, version).await?.is_empty(),
            };
            if wanted {
                all.extend([IpProtocol::Tcp, IpProtocol::Udp].map(|protocol| rule(family, protocol, to, port)));
            }
        }
        Ok(all)
    }
}

impl Drop for Links {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

fn rule(family: AddressFamily, protocol: IpProtocol, to: Option<Ipv4Addr>, port: u16) -> RuleMessage {
    let mut rule = RuleMessage::default();
    (rule.header.family, rule.header.action) = (family, RuleAction::Blackhole);
    rule.attributes = vec![
        RuleAttribute::Priority(CUT),
        RuleAttribute::IpProtocol(protocol),
        RuleAttribute::DestinationPortRange(RulePortRange { start: port, end: port }),
    ];
    if let Some(to) = to {
        rule.header.dst_len = 32;
        rule.attributes.push(RuleAttribute::Destination(to.into()));
    }
    rule
}
