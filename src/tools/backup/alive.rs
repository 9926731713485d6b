//! Whether any member of a cluster is up.

use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use reqwest::Client;

/// How long a member may take to say that it's there.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// A name that is just being made isn't known everywhere at once.
const LOOKUPS: u32 = 5;
const BETWEEN: Duration = Duration::from_secs(1);

/// The first address of the name (`host:port`) at which a member answers. A name without addresses has none.
pub(super) async fn at(name: &str) -> Option<SocketAddr> {
    // whoever came first in this process has decided already
    let _ = rustls::crypto::ring::default_provider().install_default();
    // a proxy would answer for anybody
    let client = Client::builder().no_proxy().timeout(ANSWER_LIMIT).build().ok()?;
    for address in addresses(name).await {
        // whatever it says, it's up
        if client.get(format!("http://{address}/-/healthy")).send().await.is_ok() {
            return Some(address);
        }
    }
    None
}

async fn addresses(name: &str) -> Vec<SocketAddr> {
    for round in 0..LOOKUPS {
        if round > 0 {
            tokio::time::sleep(BETWEEN).await;
        }
        let looked = name.to_owned();
        let found = tokio::task::spawn_blocking(move || looked.to_socket_addrs().map(Vec::from_iter)).await;
        if let Ok(Ok(found)) = found
            && !found.is_empty()
        {
            return found;
        }
    }
    Vec::new()
}
