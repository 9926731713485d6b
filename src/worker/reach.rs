//! `/-/reach`: whether connections from here get through to peers. Packets that do say nothing of those: what is too large
//! for a packet, and the state for who starts, goes by TCP.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::api::{Api, json_response, text_response};

/// How long connecting may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reach {
    /// Where this member serves its API, for who wonders whether `web` of another one says anything about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    web_port: Option<u16>,
    /// The peers that it sees, by name.
    peers: BTreeMap<String, Peer>,
}

/// Nothing where connections are taken; else why not.
#[derive(Serialize)]
struct Peer {
    /// Where it gossips.
    #[serde(skip_serializing_if = "Option::is_none")]
    gossip: Option<String>,
    /// At the port at which this member serves its API.
    #[serde(skip_serializing_if = "Option::is_none")]
    web: Option<String>,
}

/// `GET`. Connects to peers and nobody else, for one who asks at a time.
pub(crate) async fn show(State(api): State<Api>) -> Response {
    let _turn = api.knocking.lock().await;
    let Ok(cluster) = api.state.handle.view(|view| view.cluster()).await else {
        return text_response(StatusCode::SERVICE_UNAVAILABLE, "the process is stopping");
    };
    let web_port = api.state.options.web_port;
    let others = cluster.peers.into_iter().filter(|peer| peer.name != cluster.name);
    let asked = others.map(async |peer| {
        let web = async |ip: IpAddr| match web_port {
            Some(port) => refusal(SocketAddr::new(ip, port)).await,
            None => None,
        };
        let (gossip, web) = tokio::join!(refusal(peer.address), web(peer.address.ip()));
        (peer.name, Peer { gossip, web })
    });
    let peers = futures::future::join_all(asked).await.into_iter().collect();
    json_response(StatusCode::OK, &Reach { web_port, peers })
}

/// Why nobody takes a connection there, if nobody does.
async fn refusal(address: SocketAddr) -> Option<String> {
    match timeout(CONNECT_LIMIT, TcpStream::connect(address)).await {
        Ok(connected) => connected.err().map(|error| format!("connecting to {address}: {error}")),
        Err(_) => Some(format!("connecting to {address}: no answer within {} s", CONNECT_LIMIT.as_secs())),
    }
}
