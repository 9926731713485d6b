//! From host names to addresses: as the system does it, or through one server that was named.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::config::{
    ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::{ResolverBuilder, TokioResolver};

/// A name could not be looked up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LookupError {
    /// It has no addresses: the servers agree on that.
    #[error("looking up `{0}`: no addresses")]
    Nothing(String),
    /// Nobody could tell.
    #[error("looking up `{name}`")]
    Failed {
        /// The name.
        name: String,
        /// Why.
        #[source]
        source: NetError,
    },
    /// Nobody could tell; by the C library.
    #[error("looking up `{name}`")]
    System {
        /// The name.
        name: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// Looks names up; cheap to clone. Answers are kept for a few seconds at most: pods come and go.
#[derive(Clone)]
pub(crate) struct Lookup {
    resolver: Option<Arc<TokioResolver>>,
}

/// Longest that an answer is believed without asking again.
const TTL_MAX: Duration = Duration::from_secs(1);

/// For one question to one server.
const QUESTION_LIMIT: Duration = Duration::from_secs(2);

impl std::fmt::Debug for Lookup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lookup").field("own", &self.resolver.is_some()).finish()
    }
}

impl Lookup {
    /// With the system's servers and search domains, or only with `server`.
    pub(crate) fn new(server: Option<SocketAddr>) -> Self {
        let builder = match server {
            Some(server) => Ok(own(only(server))),
            None => TokioResolver::builder_tokio(),
        };
        Self::build(builder)
    }

    /// As a pod looks names up: with search domains, and names with less than five dots are tried below them first.
    #[cfg(test)]
    pub(crate) fn of_pod(server: SocketAddr, search: &[&str]) -> Self {
        let mut config = only(server);
        for domain in search {
            config.add_search(domain.parse().unwrap_or_default());
        }
        let mut builder = own(config);
        builder.options_mut().ndots = 5;
        Self::build(Ok(builder))
    }

    fn build(builder: Result<ResolverBuilder<TokioRuntimeProvider>, NetError>) -> Self {
        let built = builder.map(tuned).and_then(ResolverBuilder::build);
        if let Err(error) = &built {
            // no /etc/resolv.conf, say: the C library has its own way to cope
            tracing::debug!(err = %error, "names are looked up by the C library");
        }
        Self { resolver: built.ok().map(Arc::new) }
    }

    /// All addresses of a name, sorted; an address is its own.
    ///
    /// # Errors
    /// When there are none, or nobody can tell.
    pub(crate) async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, LookupError> {
        if let Ok(address) = name.parse() {
            return Ok(vec![address]);
        }
        let mut addresses: Vec<IpAddr> = match &self.resolver {
            Some(resolver) => match resolver.lookup_ip(name).await {
                Ok(found) => found.iter().collect(),
                Err(error) if error.is_no_records_found() => return Err(LookupError::Nothing(name.to_owned())),
                Err(source) => return Err(LookupError::Failed { name: name.to_owned(), source }),
            },
            None => match tokio::net::lookup_host((name, 0)).await {
                Ok(found) => found.map(|address| address.ip()).collect(),
                Err(source) => return Err(LookupError::System { name: name.to_owned(), source }),
            },
        };
        addresses.sort_unstable();
        addresses.dedup();
        if addresses.is_empty() { Err(LookupError::Nothing(name.to_owned())) } else { Ok(addresses) }
    }
}

impl reqwest::dns::Resolve for Lookup {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let lookup = self.clone();
        Box::pin(async move {
            let found = lookup.addresses(name.as_str()).await?;
            // port 0: that of the URL
            let addresses = found.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as reqwest::dns::Addrs)
        })
    }
}

fn only(server: SocketAddr) -> ResolverConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = server.port();
        connection
    });
    ResolverConfig::from_name_servers(vec![NameServerConfig::new(server.ip(), true, connections.into())])
}

fn own(config: ResolverConfig) -> ResolverBuilder<TokioRuntimeProvider> {
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    builder.options_mut().use_hosts_file = ResolveHosts::Never;
    builder
}

fn tuned(mut builder: ResolverBuilder<TokioRuntimeProvider>) -> ResolverBuilder<TokioRuntimeProvider> {
    let options: &mut ResolverOpts = builder.options_mut();
    options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    options.positive_max_ttl = Some(TTL_MAX);
    options.negative_max_ttl = Some(Duration::ZERO);
    options.timeout = options.timeout.min(QUESTION_LIMIT);
    builder
}
