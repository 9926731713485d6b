//! An API server alone: etcd and kube-apiserver on loopback, without nodes or controllers. It writes down who asked what.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::Value;
use tempfile::TempDir;

use super::LIMIT;
use crate::contender::peer;
use crate::http;

const POLICY: &str = "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules:\n\
    - {level: Metadata, users: [operator]}\n- {level: None}\n";

/// A running API server; ends when dropped.
pub(crate) struct Server {
    dir: TempDir,
    children: Vec<Child>,
    /// Where the API can be used without credentials.
    pub(crate) proxy: SocketAddr,
}

/// What the operator has asked for so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Requests {
    /// All.
    pub(crate) all: usize,
    /// Those that change something of the clusters: not of the operator's own Lease.
    pub(crate) writes: usize,
    /// All by verb and resource.
    pub(crate) by_kind: BTreeMap<String, usize>,
}

impl Server {
    /// Starts one.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let dir = tempfile::Builder::new().prefix("alertmanager-server-").tempdir()?;
        let [client, peer_port, api, proxy] = [(); 4].map(|()| free_port());
        let (client, peer_port, api, proxy) = (client?, peer_port?, api?, proxy?);
        let mut server = Self { dir, children: Vec::new(), proxy: SocketAddr::from((Ipv4Addr::LOCALHOST, proxy)) };
        let path = |name: &str| server.dir.path().join(name);
        fs::write(path("policy.yaml"), POLICY)?;
        fs::write(path("tokens.csv"), "admin,admin,1,system:masters\noperator,operator,2,system:masters\n")?;
        for user in ["admin", "operator"] {
            fs::write(path(user), kubeconfig(api, user))?;
        }
        let openssl = |args: &[&str]| run(Command::new("openssl").args(args).current_dir(server.dir.path()));
        openssl(&["genrsa", "-out", "sa.key", "2048"])?;
        openssl(&["rsa", "-in", "sa.key", "-pubout", "-out", "sa.pub"])?;

        let (client, peers) = (format!("http://127.0.0.1:{client}"), format!("http://127.0.0.1:{peer_port}"));
        server.spawn(
            "etcd",
            &[
                ("--data-dir", "etcd"),
                ("--listen-client-urls", &client),
                ("--advertise-client-urls", &client),
                ("--listen-peer-urls", &peers),
                ("--initial-advertise-peer-urls", &peers),
                ("--initial-cluster", &format!("default={peers}")),
                ("--unsafe-no-fsync", "true"),
                ("--log-level", "error"),
            ],
        )?;
        server.spawn(
            "kube-apiserver",
            &[
                ("--etcd-servers", &client),
                ("--bind-address", "127.0.0.1"),
                ("--secure-port", &api.to_string()),
                ("--cert-dir", "certs"),
                ("--token-auth-file", "tokens.csv"),
                ("--authorization-mode", "AlwaysAllow"),
                ("--service-account-issuer", "https://kubernetes.default.svc"),
                ("--service-account-key-file", "sa.pub"),
                ("--service-account-signing-key-file", "sa.key"),
                ("--service-cluster-ip-range", "10.0.0.0/16"),
                ("--disable-admission-plugins", "ServiceAccount"),
                ("--audit-policy-file", "policy.yaml"),
                ("--audit-log-path", "audit.log"),
                ("--audit-log-mode", "blocking"),
                ("--profiling", "false"),
            ],
        )?;
        server.until("ready", |server| server.kubectl(&["get", "--raw", "/readyz"], None).map(drop))?;
        let config = server.kubeconfig("admin");
        let port = proxy.to_string();
        let args = ["proxy", "--port", &port, "--disable-filter", "--kubeconfig"];
        server.children.push(started(Command::new(peer("kubectl")?).args(args).arg(config), None)?);
        server.until("behind its proxy", |server| http::get(server.proxy, "/readyz").map(drop))?;
        Ok(server)
    }

    /// Credentials of a user.
    pub(crate) fn kubeconfig(&self, user: &str) -> PathBuf {
        self.dir.path().join(user)
    }

    /// The end of a log.
    pub(crate) fn log(&self, name: &str) -> String {
        let text = fs::read_to_string(self.dir.path().join(name)).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(10)..].join("\n")
    }

    /// What kubectl answers.
    pub(crate) fn kubectl(&self, args: &[&str], stdin: Option<&Path>) -> anyhow::Result<String> {
        let mut command = Command::new(peer("kubectl")?);
        command.args(args).arg("--kubeconfig").arg(self.kubeconfig("admin"));
        command.stdin(stdin.map(File::open).transpose()?.map_or_else(Stdio::null, Stdio::from));
        run(&mut command)
    }

    /// Creates all objects of a list.
    pub(crate) fn create(&self, objects: &[Value]) -> anyhow::Result<()> {
        let file = self.dir.path().join("objects.json");
        let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": objects});
        fs::write(&file, list.to_string())?;
        self.kubectl(&["create", "-f", "-"], Some(&file)).map(drop)
    }

    /// The answer to a GET, as JSON.
    pub(crate) fn get(&self, path: &str) -> anyhow::Result<Value> {
        serde_json::from_str(&http::get(self.proxy, path)?).with_context(|| format!("reading {path}"))
    }

    /// What the operator has asked for so far.
    pub(crate) fn requests(&self) -> anyhow::Result<Requests> {
        let text = fs::read_to_string(self.dir.path().join("audit.log")).unwrap_or_default();
        let mut requests = Requests::default();
        for line in text.lines() {
            let event: Value = serde_json::from_str(line).context("reading what the API server wrote down")?;
            // a watch is told of at its start and at its end
            if event["stage"] == "ResponseComplete" && event["verb"] == "watch" {
                continue;
            }
            requests.all += 1;
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let what = [&event["verb"], &event["objectRef"]["resource"], &event["objectRef"]["subresource"]].map(text);
            *requests.by_kind.entry(what.join(" ")).or_default() += 1;
            let reads = ["get", "list", "watch"].iter().any(|verb| event["verb"] == *verb);
            requests.writes += usize::from(!reads && event["objectRef"]["resource"] != "leases");
        }
        Ok(requests)
    }

    /// Waits until it is as `look` wants it.
    pub(crate) fn until(&self, what: &str, look: impl Fn(&Self) -> anyhow::Result<()>) -> anyhow::Result<()> {
        let start = Instant::now();
        while let Err(instead) = look(self) {
            ensure!(start.elapsed() < LIMIT, "the API server wasn't {what}: {instead:#}");
            sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    fn spawn(&mut self, name: &str, flags: &[(&str, &str)]) -> anyhow::Result<()> {
        let mut command = Command::new(peer(name)?);
        command.args(flags.iter().map(|(flag, value)| format!("{flag}={value}"))).current_dir(self.dir.path());
        let log = self.dir.path().join(format!("{name}.log"));
        self.children.push(started(&mut command, Some(&log))?);
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for child in self.children.iter_mut().rev() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A process that ends with this one.
pub(crate) fn started(command: &mut Command, log: Option<&Path>) -> anyhow::Result<Child> {
    let mut held = Command::new("setpriv");
    held.args(["--pdeathsig", "KILL"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        held.env(name, value.unwrap_or_default());
    }
    if let Some(dir) = command.get_current_dir() {
        held.current_dir(dir);
    }
    let log = log.map(File::create).transpose()?;
    let out = || {
        Ok::<_, std::io::Error>(log.as_ref().map(File::try_clone).transpose()?.map_or_else(Stdio::null, Stdio::from))
    };
    held.stdin(Stdio::null()).stdout(out()?).stderr(out()?);
    held.spawn().with_context(|| format!("starting {:?}", command.get_program()))
}

fn run(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("running {command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn kubeconfig(port: u16, user: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{{name: c, context: {{cluster: c, user: u, namespace: default}}}}]\n\
         clusters: [{{name: c, cluster: {{server: \"https://127.0.0.1:{port}\", insecure-skip-tls-verify: true}}}}]\n\
         users: [{{name: u, user: {{token: {user}}}}}]\n"
    )
}
