//! A cluster in Kubernetes by its name: its members through the API server, wherever one is, and what Kubernetes knows of
//! them: restarts, Events, limits, the errors in their logs.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode, Uri, header};
use axum::routing::any;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::events::v1::Event;
use kube::api::{ListParams, LogParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config, ResourceExt};
use operator::plan::{LABEL_CLUSTER, NAME_ALERTMANAGER, Names, WEB_PORT};
use tokio::net::TcpListener;
use tokio::sync::OnceCell;

use super::judge::{Finding, Harm};
use crate::chain::chain;

/// So much of a log is looked at.
const LOG_LINES: i64 = 500;
/// The largest body that is passed on.
const BODY_MAX: usize = 64 << 20;

/// Why the cluster can't be looked at.
#[derive(Debug, thiserror::Error)]
pub enum KubernetesError {
    /// It has no such form.
    #[error("`{0}` names no cluster: NAMESPACE/NAME of an AlertmanagerCluster is expected")]
    Name(String),
    /// There is no way to an API server.
    #[error("finding the Kubernetes API server")]
    Config(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The API server doesn't say.
    #[error("listing the pods of {cluster}")]
    Pods {
        /// Whose.
        cluster: String,
        /// Why not.
        #[source]
        source: kube::Error,
    },
    /// It has no members.
    #[error("{0} has no pods: there is no such AlertmanagerCluster, or it hibernates")]
    None(String),
    /// Questions can't be passed on.
    #[error("listening on loopback, to pass questions on")]
    Listen(#[source] std::io::Error),
}

/// A cluster, and the way there.
pub(super) struct Cluster {
    client: Client,
    namespace: String,
    name: String,
}

/// Where questions to pods are passed on: once for the process, as long as it lives.
static PASSING_ON: OnceCell<SocketAddr> = OnceCell::const_new();

impl Cluster {
    /// By `NAMESPACE/NAME`, with the kubeconfig that `kubectl` would use, or another.
    pub(super) async fn new(name: &str, kubeconfig: Option<&PathBuf>) -> Result<Self, KubernetesError> {
        let (namespace, object) = name.split_once('/').ok_or_else(|| KubernetesError::Name(name.to_owned()))?;
        // whoever came first in this process has decided already
        let _ = rustls::crypto::ring::default_provider().install_default();
        let failed = |error: Box<dyn std::error::Error + Send + Sync>| KubernetesError::Config(error);
        let config = match kubeconfig {
            Some(path) => {
                let given = Kubeconfig::read_from(path).map_err(|error| failed(error.into()))?;
                let options = KubeConfigOptions::default();
                Config::from_custom_kubeconfig(given, &options).await.map_err(|error| failed(error.into()))?
            }
            None => Config::infer().await.map_err(|error| failed(error.into()))?,
        };
        let client = Client::try_from(config).map_err(|error| failed(error.into()))?;
        Ok(Self { client, namespace: namespace.to_owned(), name: object.to_owned() })
    }

    async fn pods(&self) -> Result<Vec<Pod>, KubernetesError> {
        let api = Api::<Pod>::namespaced(self.client.clone(), &self.namespace);
        let listed = api.list(&ListParams::default().labels(&format!("{LABEL_CLUSTER}={}", self.name))).await;
        let cluster = format!("{}/{}", self.namespace, self.name);
        let mut pods = listed.map_err(|source| KubernetesError::Pods { cluster: cluster.clone(), source })?.items;
        pods.sort_by_key(|pod| pod.name_any());
        if pods.is_empty() { Err(KubernetesError::None(cluster)) } else { Ok(pods) }
    }

    /// URLs of its members, through the API server.
    pub(super) async fn urls(&self) -> Result<Vec<String>, KubernetesError> {
        let pods = self.pods().await?;
        let address = PASSING_ON.get_or_try_init(|| pass_on(self.client.clone())).await?;
        let url = |pod: Pod| {
            format!("http://{address}/api/v1/namespaces/{}/pods/{}:{WEB_PORT}/proxy", self.namespace, pod.name_any())
        };
        Ok(pods.into_iter().map(url).collect())
    }

    /// What Kubernetes knows; what it doesn't say is told, too.
    pub(super) async fn findings(&self) -> Result<Vec<Finding>, KubernetesError> {
        let mut found = Vec::new();
        for pod in &self.pods().await? {
            let name = pod.name_any();
            of_pod(pod, &mut found);
            let params = LogParams {
                container: Some(NAME_ALERTMANAGER.to_owned()),
                tail_lines: Some(LOG_LINES),
                ..LogParams::default()
            };
            match Api::<Pod>::namespaced(self.client.clone(), &self.namespace).logs(&name, &params).await {
                Ok(log) => of_log(&name, &log, &mut found),
                Err(error) => found.push(note("no_log", format!("the log of {name} can't be had: {}", chain(&error)))),
            }
        }
        match Api::<Event>::namespaced(self.client.clone(), &self.namespace).list(&ListParams::default()).await {
            Ok(events) => of_events(&self.name, &events.items, &mut found),
            Err(error) => found.push(note("no_events", format!("Events can't be listed: {}", chain(&error)))),
        }
        Ok(found)
    }
}

fn note(code: &'static str, text: String) -> Finding {
    let advice = "the rest of the report is whole; ask who may, for this".to_owned();
    Finding { harm: Harm::Note, code, text, advice }
}

fn of_pod(pod: &Pod, found: &mut Vec<Finding>) {
    let name = pod.name_any();
    let statuses = pod.status.iter().flat_map(|status| status.container_statuses.iter().flatten());
    for status in statuses.filter(|status| status.name == NAME_ALERTMANAGER && status.restart_count > 0) {
        let last = status.last_state.as_ref().and_then(|state| state.terminated.as_ref());
        let reason = last.and_then(|last| last.reason.as_deref()).unwrap_or("for an unknown reason");
        let (count, memory) = (status.restart_count, reason == "OOMKilled");
        found.push(Finding {
            harm: if memory { Harm::Critical } else { Harm::Warning },
            code: "restarted",
            text: format!("{name} was restarted {count} times, last {reason}"),
            advice: match memory {
                true => "give it a higher limit: spec.resources.limits.memory".to_owned(),
                false => format!("see why: kubectl logs --previous {name}"),
            },
        });
    }
}

fn of_log(name: &str, log: &str, found: &mut Vec<Finding>) {
    let error = |line: &&str| {
        line.contains("level=error") || line.contains(r#""level":"ERROR""#) || line.contains(r#""level":"error""#)
    };
    let errors: Vec<&str> = log.lines().filter(error).collect();
    let Some(last) = errors.last() else { return };
    found.push(Finding {
        harm: Harm::Warning,
        code: "errors_logged",
        text: format!("{name} logged {} errors among its last {LOG_LINES} lines, last: {last}", errors.len()),
        advice: format!("kubectl logs {name} shows them"),
    });
}

fn of_events(cluster: &str, events: &[Event], found: &mut Vec<Finding>) {
    let prefix = Names::new(cluster).base();
    for event in events.iter().filter(|event| event.type_.as_deref() == Some("Warning")) {
        let Some(about) = &event.regarding else { continue };
        let (kind, name) = (about.kind.as_deref().unwrap_or_default(), about.name.as_deref().unwrap_or_default());
        let rest = name.strip_prefix(&prefix);
        let member = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
        if !(kind == "AlertmanagerCluster" && name == cluster || member) {
            continue;
        }
        let reason = event.reason.as_deref().unwrap_or_default();
        let words = event.note.as_deref().unwrap_or_default();
        found.push(Finding {
            harm: Harm::Note,
            code: "event",
            text: format!("{kind} {name}: {reason}: {words}"),
            advice: "an Event lasts an hour: it may be over".to_owned(),
        });
    }
}

/// Passes questions on to the API server, as who the kubeconfig says.
async fn pass_on(client: Client) -> Result<SocketAddr, KubernetesError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(KubernetesError::Listen)?;
    let address = listener.local_addr().map_err(KubernetesError::Listen)?;
    let router = Router::new().fallback(any(pass)).with_state(Arc::new(client));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

async fn pass(State(client): State<Arc<Client>>, request: Request) -> Response<Body> {
    let answer = |status, text: String| {
        let mut response = Response::new(Body::from(text));
        *response.status_mut() = status;
        response
    };
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_MAX).await else {
        return answer(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large to be passed on\n".to_owned());
    };
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut passed = axum::http::Request::new(kube::client::Body::from(body.to_vec()));
    *passed.method_mut() = parts.method;
    *passed.uri_mut() = Uri::try_from(path).unwrap_or_default();
    if let Some(kind) = parts.headers.get(header::CONTENT_TYPE) {
        passed.headers_mut().insert(header::CONTENT_TYPE, kind.clone());
    }
    match client.send(passed).await {
        Ok(response) => response.map(Body::new),
        Err(error) => answer(StatusCode::BAD_GATEWAY, chain(&error) + "\n"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn texts(found: &[Finding]) -> Vec<(&'static str, &str)> {
        found.iter().map(|finding| (finding.code, finding.text.as_str())).collect()
    }

    #[test]
    fn a_pod_that_was_restarted_says_why() {
        let pod = |reason: &str| {
            serde_json::from_value::<Pod>(serde_json::json!({
                "metadata": {"name": "am-0"},
                "status": {"containerStatuses": [{
                    "name": "alertmanager", "ready": true, "restartCount": 3, "image": "", "imageID": "",
                    "lastState": {"terminated": {"exitCode": 137, "reason": reason}},
                }]},
            }))
            .unwrap()
        };
        let mut found = Vec::new();
        of_pod(&pod("OOMKilled"), &mut found);
        of_pod(&pod("Error"), &mut found);
        let expected = ["am-0 was restarted 3 times, last OOMKilled", "am-0 was restarted 3 times, last Error"];
        assert_eq!(texts(&found), expected.map(|text| ("restarted", text)));
        assert_eq!((found[0].harm, found[1].harm), (Harm::Critical, Harm::Warning));
    }

    #[test]
    fn errors_and_warnings_of_this_cluster_only() {
        let mut found = Vec::new();
        of_log(
            "am-0",
            "time=1 level=info msg=a\ntime=2 level=error msg=b\n{\"level\":\"ERROR\",\"msg\":\"c\"}\n",
            &mut found,
        );
        let event = |kind: &str, name: &str, type_: &str| {
            serde_json::from_value::<Event>(serde_json::json!({
                "metadata": {}, "eventTime": null, "type": type_, "reason": "Failed", "note": "words",
                "regarding": {"kind": kind, "name": name},
            }))
            .unwrap()
        };
        let events = [
            event("Pod", "alertmanager-main-0", "Warning"),
            event("Pod", "alertmanager-mainframe-0", "Warning"),
            event("AlertmanagerCluster", "main", "Warning"),
            event("StatefulSet", "alertmanager-main", "Normal"),
        ];
        of_events("main", &events, &mut found);
        let expected = [
            (
                "errors_logged",
                "am-0 logged 2 errors among its last 500 lines, last: {\"level\":\"ERROR\",\"msg\":\"c\"}",
            ),
            ("event", "Pod alertmanager-main-0: Failed: words"),
            ("event", "AlertmanagerCluster main: Failed: words"),
        ];
        assert_eq!(texts(&found), expected);
    }
}
