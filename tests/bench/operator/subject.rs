//! The two operators, and how each is asked for a cluster.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use super::server::Server;
use crate::contender::{Contender, peer};

const CONFIG: &str = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n";

/// An operator.
pub(crate) enum Subject {
    /// The one of this repository.
    Ours(PathBuf),
    /// prometheus-operator.
    Reference,
}

impl Subject {
    /// Ours, from the program that is measured.
    pub(crate) fn ours(contender: &Contender) -> Self {
        Self::Ours(contender.program().to_owned())
    }

    /// Has the API server know its resources.
    pub(super) fn define(&self, server: &Server) -> anyhow::Result<()> {
        let definitions = match self {
            Self::Ours(program) => {
                let crd = output(Command::new(program).arg("crd"))?;
                let file = server.kubeconfig("crd.yaml");
                std::fs::write(&file, crd)?;
                file
            }
            Self::Reference => {
                let module = "github.com/prometheus-operator/prometheus-operator";
                let dir = output(
                    Command::new("go")
                        .args(["list", "-m", "-f", "{{.Dir}}", module])
                        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../kube/modules/prometheus-operator")),
                )?;
                PathBuf::from(dir.trim()).join("example/prometheus-operator-crd")
            }
        };
        let file = definitions.to_string_lossy().into_owned();
        server.kubectl(&["create", "-f", &file], None)?;
        server.kubectl(&["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"], None).map(drop)
    }

    /// So many clusters, with the configuration of each.
    pub(super) fn objects(&self, clusters: usize) -> Vec<Value> {
        let source = |n: usize| match self {
            Self::Ours(_) => {
                json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": format!("config-{n}")},
                "data": {"alertmanager.yml": CONFIG}})
            }
            Self::Reference => {
                json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": format!("config-{n}")},
                "stringData": {"alertmanager.yaml": CONFIG}})
            }
        };
        let cluster = |n: usize| match self {
            Self::Ours(_) => json!({"apiVersion": "alertmanager.dev/v1alpha1", "kind": "AlertmanagerCluster",
                "metadata": {"name": format!("am-{n}")}, "spec": {"config": {"configMapRef": {"name": format!("config-{n}")}}}}),
            Self::Reference => json!({"apiVersion": "monitoring.coreos.com/v1", "kind": "Alertmanager",
                "metadata": {"name": format!("am-{n}")}, "spec": {"replicas": 3, "configSecret": format!("config-{n}")}}),
        };
        (0..clusters).map(source).chain((0..clusters).map(cluster)).collect()
    }

    /// Runs it.
    pub(super) fn command(&self, server: &Server) -> anyhow::Result<Command> {
        let config = server.kubeconfig("operator");
        Ok(match self {
            Self::Ours(program) => {
                let mut command = Command::new(program);
                command.args(["operator", "--listen-address=127.0.0.1:0"]).env("KUBECONFIG", config);
                command
            }
            Self::Reference => {
                let mut command = Command::new(peer("prometheus-operator")?);
                command.arg("--web.listen-address=127.0.0.1:0").env("KUBECONFIG", config);
                command
            }
        })
    }

    /// How many clusters have their StatefulSet.
    pub(super) fn reconciled(&self, server: &Server) -> anyhow::Result<usize> {
        let sets = server.get("/apis/apps/v1/statefulsets")?;
        Ok(sets["items"].as_array().map_or(0, Vec::len))
    }

    /// The version of the Secret with a cluster's configuration.
    pub(super) fn generated(&self, server: &Server, number: usize) -> anyhow::Result<String> {
        let suffix = match self {
            Self::Ours(_) => "config",
            Self::Reference => "generated",
        };
        let secret = server.get(&format!("/api/v1/namespaces/default/secrets/alertmanager-am-{number}-{suffix}"))?;
        let version = secret["metadata"]["resourceVersion"].as_str();
        Ok(version.context("a Secret without a version")?.to_owned())
    }

    /// Gives a cluster another configuration.
    pub(super) fn edit(&self, server: &Server, number: usize, edit: usize) -> anyhow::Result<()> {
        let name = format!("config-{number}");
        let text = format!("{CONFIG}# {edit}\ntime_intervals: [{{name: edit{edit}}}]\n");
        let (kind, patch) = match self {
            Self::Ours(_) => ("configmap", json!({"data": {"alertmanager.yml": text}})),
            Self::Reference => ("secret", json!({"stringData": {"alertmanager.yaml": text}})),
        };
        server.kubectl(&["patch", kind, &name, "--type=merge", "-p", &patch.to_string()], None).map(drop)
    }
}

fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("running {command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
