//! `/api/v2/status`: cluster, config and build.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use super::refusal::Refusal;
use super::request::TakesJson;
use super::time::Millis;
use super::{Api, VersionInfo, json};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Status<'a> {
    cluster: Cluster,
    config: Config<'a>,
    uptime: Millis,
    version_info: Version<'a>,
}

#[derive(Serialize)]
struct Cluster {
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    peers: Vec<Peer>,
    status: &'static str,
}

#[derive(Serialize)]
struct Peer {
    address: String,
    name: String,
}

#[derive(Serialize)]
struct Config<'a> {
    original: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Version<'a> {
    branch: &'a str,
    build_date: &'a str,
    build_user: &'a str,
    go_version: &'a str,
    revision: &'a str,
    version: &'a str,
}

/// `GET`: the whole of it; `uptime` is the time of the start.
pub(super) async fn show(State(api): State<Api>, _: TakesJson) -> Result<Response, Refusal> {
    let look = api.state.handle.view(|view| (view.cluster(), view.config().map(|c| c.original.clone())));
    let (cluster, original) = look.await?;
    let status = match (cluster.enabled, cluster.settled) {
        (false, _) => "disabled",
        (true, false) => "settling",
        (true, true) => "ready",
    };
    let peers = cluster.peers.into_iter().map(|p| Peer { address: p.address.to_string(), name: p.name });
    let options = &api.state.options;
    let status = Status {
        cluster: Cluster { name: cluster.name, peers: peers.collect(), status },
        config: Config { original: original.as_deref().unwrap_or_default() },
        uptime: Millis(options.started_at),
        version_info: version(&options.version),
    };
    Ok(json::response(StatusCode::OK, &status))
}

fn version(info: &VersionInfo) -> Version<'_> {
    Version {
        branch: &info.branch,
        build_date: &info.build_date,
        build_user: &info.build_user,
        go_version: &info.go_version,
        revision: &info.revision,
        version: &info.version,
    }
}
