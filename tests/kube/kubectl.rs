//! kubectl and the test bed's other programs, run as a user runs them.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// The image that the manifests of `config/` name.
const IMAGE: &str = "localhost/alertmanager-operator:dev";

struct TestBed {
    bin: PathBuf,
    kubeconfig: PathBuf,
}

/// Runs kubectl and returns what it prints; panics with its complaint.
pub(crate) fn kubectl(args: &[&str]) -> String {
    try_kubectl(args).unwrap_or_else(|complaint| panic!("{complaint}"))
}

/// Runs kubectl; its complaint is the error.
pub(crate) fn try_kubectl(args: &[&str]) -> Result<String, String> {
    run(command("kubectl").args(args), None)
}

/// Runs kubectl with `stdin`, as `kubectl apply -f -` wants it.
pub(crate) fn kubectl_with(stdin: &str, args: &[&str]) -> String {
    run(command("kubectl").args(args), Some(stdin)).unwrap_or_else(|complaint| panic!("{complaint}"))
}

/// What `kubectl … -o json` says.
pub(crate) fn json(args: &[&str]) -> Value {
    try_json(args).unwrap_or_else(|complaint| panic!("{complaint}"))
}

/// What `kubectl … -o json` says; the complaint of kubectl is the error.
pub(crate) fn try_json(args: &[&str]) -> Result<Value, String> {
    let text = try_kubectl(&[args, &["-o", "json"]].concat())?;
    serde_json::from_str(&text).map_err(|e| format!("kubectl {args:?}: {e}: {text}"))
}

/// GET of `path` from a pod's web port, by way of the API server.
pub(crate) fn pod_get(namespace: &str, pod: &str, path: &str) -> Result<String, String> {
    try_kubectl(&["get", "--raw", &format!("/api/v1/namespaces/{namespace}/pods/{pod}:9093/proxy{path}")])
}

/// [`pod_get`], read as JSON.
pub(crate) fn pod_json(namespace: &str, pod: &str, path: &str) -> Result<Value, String> {
    let text = pod_get(namespace, pod, path)?;
    serde_json::from_str(&text).map_err(|e| format!("{pod}{path}: {e}: {text}"))
}

/// Runs the Go amtool against `url`; its complaint is the error.
pub(crate) fn amtool(url: &str, args: &[&str]) -> Result<String, String> {
    run(command("amtool").arg(format!("--alertmanager.url={url}")).args(args), None)
}

/// Runs a program of the test bed; its complaint is the error.
pub(crate) fn run_command(program: &str, args: &[&str]) -> Result<String, String> {
    run(command(program).args(args), None)
}

/// Runs a program in the namespaces of the node.
pub(crate) fn in_node(args: &[&str]) -> String {
    let _ = test_bed();
    let output = run(Command::new("tests/kube/node/nse.sh").args(args).current_dir(repository()), None);
    output.unwrap_or_else(|complaint| panic!("{complaint}"))
}

/// Stops, starts or kills a component of the node.
pub(crate) fn node_ctl(args: &[&str]) {
    let _ = test_bed();
    let output = run(Command::new("tests/kube/node/ctl.sh").args(args).current_dir(repository()), None);
    output.map(drop).unwrap_or_else(|complaint| panic!("{complaint}"));
}

/// A program of the test bed, or one in PATH, told where the node is.
pub(crate) fn command(program: &str) -> Command {
    let bed = test_bed();
    let ours = bed.bin.join(program);
    let mut command = Command::new(if ours.exists() { &ours } else { Path::new(program) });
    command.env("KUBECONFIG", &bed.kubeconfig).current_dir(repository());
    command
}

/// A file of the test bed, as `tests/kube/build.sh` makes them.
pub(crate) fn test_bed_file(name: &str) -> PathBuf {
    test_bed().bin.join(name)
}

/// Where the tests' files may go; outlives the run.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&dir).unwrap_or_else(|e| panic!("making {}: {e}", dir.display()));
    dir
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn run(command: &mut Command, stdin: Option<&str>) -> Result<String, String> {
    command.stdin(if stdin.is_some() { Stdio::piped() } else { Stdio::null() });
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| format!("starting {command:?}: {e}"))?;
    if let (Some(text), Some(mut pipe)) = (stdin, child.stdin.take()) {
        pipe.write_all(text.as_bytes()).map_err(|e| format!("writing to {command:?}: {e}"))?;
    }
    let output = child.wait_with_output().map_err(|e| format!("waiting for {command:?}: {e}"))?;
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    if output.status.success() { Ok(out) } else { Err(format!("{command:?}: {}: {err}{out}", output.status)) }
}

/// Finds the test bed by its own settings, and fails when the node is down or lacks our image.
fn test_bed() -> &'static TestBed {
    static BED: OnceLock<TestBed> = OnceLock::new();
    BED.get_or_init(|| {
        let settings = r#". tests/kube/node/env.sh; printf '%s\n' "$TESTBED_BIN" "$KUBECONFIG_OUT""#;
        let settings = run(Command::new("bash").args(["-c", settings]).current_dir(repository()), None)
            .unwrap_or_else(|complaint| panic!("{complaint}"));
        let [bin, kubeconfig] = settings.lines().collect::<Vec<_>>()[..] else {
            panic!("two lines expected of env.sh: {settings}");
        };
        let bed = TestBed { bin: bin.into(), kubeconfig: kubeconfig.into() };
        // without its kubeconfig the node is down, and its addresses must not be talked to
        assert!(
            bed.kubeconfig.exists(),
            "no Kubernetes node is up: `make kube-test` brings one up, `make kube-up` too"
        );
        let images = Command::new("tests/kube/node/nse.sh")
            .args(["ctr", "-n", "k8s.io", "images", "ls", "-q"])
            .current_dir(repository())
            .output();
        let images = images.map(|o| String::from_utf8_lossy(&o.stdout).into_owned()).unwrap_or_default();
        assert!(
            images.lines().any(|image| image == IMAGE),
            "the node does not have {IMAGE}: run `make image` and `tests/kube/node/load.sh \
             target/image/alertmanager-operator.tar`, or `make kube-test`, which does both"
        );
        bed
    })
}
