//! `cluster`: this member and its peers, as this one sees them.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;

use super::super::refusal::Refusal;
use super::super::{Api, json};
use super::board::Board;
use super::show;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Cluster {
    version: String,
    at: String,
    enabled: bool,
    /// This member may notify.
    settled: bool,
    /// Peers whose state it waits for.
    awaited: usize,
    /// Known peers that don't answer.
    failed: usize,
    /// This member's name.
    member: String,
    /// In the order in which they notify.
    members: Vec<Member>,
    config_hash: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Member {
    name: String,
    address: String,
    /// 1 notifies first.
    position: usize,
    this: bool,
    /// For so many seconds it hasn't acknowledged what this member knows.
    lag_seconds: f64,
    /// What it sees, as far as it has told.
    #[serde(skip_serializing_if = "Option::is_none")]
    outlook: Option<Outlook>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outlook {
    at: String,
    /// The first 16 digits of its config's hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<String>,
    sees: Vec<String>,
}

/// `GET`.
pub(super) async fn show(State(api): State<Api>, headers: HeaderMap) -> Result<Response, Refusal> {
    super::answer(&api, &headers, ("cluster", String::new()), |board| Ok(json::encode(&cluster(board)))).await
}

fn cluster(board: &Board) -> Cluster {
    let view = &board.cluster;
    let member = |(place, peer): (usize, &alerting::view::PeerRow)| Member {
        name: peer.name.clone(),
        address: peer.address.to_string(),
        position: place + 1,
        this: place == view.position,
        lag_seconds: peer.lag.as_secs_f64(),
        outlook: peer.outlook.as_ref().map(|outlook| Outlook {
            at: outlook.at.rfc3339_millis(),
            config: (outlook.config != 0).then(|| format!("{:016x}", outlook.config)),
            sees: outlook.sees.clone(),
        }),
    };
    Cluster {
        version: show::version(board),
        at: board.at.rfc3339_millis(),
        enabled: view.enabled,
        settled: view.settled,
        awaited: view.awaited,
        failed: view.failed_peers,
        member: view.name.clone(),
        members: view.peers.iter().enumerate().map(member).collect(),
        config_hash: board.config.as_ref().map(|config| config.hash.to_string()),
    }
}
