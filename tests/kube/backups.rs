//! A cluster is backed up into a real S3 server by the operator's CronJob, and another one starts from that.

use std::fs;
use std::net::{IpAddr, TcpListener, TcpStream, UdpSocket};
use std::process::{Child, Stdio};

use serde_json::{Value, json as value};

use crate::kubectl::{command, json, kubectl, kubectl_with, run_command, scratch, try_json, try_kubectl};
use crate::sample::Sample;
use crate::samples::{applied, gone, namespace, pod_address, ready};
use crate::wait::{TIMEOUT, until};

const NAMESPACE: &str = "sample-backup";
const USER: &str = "ann:secret";

/// A real S3 server beside the node, at an address that pods reach.
struct Bucket {
    server: Child,
    endpoint: String,
}

impl Bucket {
    fn serving(address: IpAddr) -> Self {
        let dir = scratch("bucket");
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(dir.join("root/backups")).unwrap();
        fs::create_dir_all(dir.join("meta")).unwrap();
        let port = TcpListener::bind((address, 0)).and_then(|free| free.local_addr()).unwrap().port();
        let log = fs::File::create(dir.join("log")).unwrap();
        let mut server = command("versitygw");
        server.args(["--port", &format!("{address}:{port}"), "--access", "key", "--secret", "secret-key", "posix"]);
        server.args(["--sidecar".as_ref(), dir.join("meta").as_os_str(), dir.join("root").as_os_str()]);
        let server = server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        until("the S3 server answers", || TcpStream::connect((address, port)).map_err(|error| error.to_string()));
        Self { server, endpoint: format!("http://{address}:{port}") }
    }

    fn credentials(&self, key: &str) -> Value {
        value!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "backup-s3", "namespace": NAMESPACE},
            "stringData": {
                "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": key, "AWS_REGION": "us-east-1",
                "AWS_ENDPOINT": self.endpoint, "AWS_ALLOW_HTTP": "true",
            },
        })
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn apply(object: &Value) {
    kubectl_with(&object.to_string(), &["apply", "-f", "-"]);
}

fn silences(pod: &str) -> Result<Vec<Value>, String> {
    let url = format!("http://{}:9093/api/v2/silences", pod_address(NAMESPACE, pod)?);
    let text = run_command("curl", &["--silent", "--noproxy", "*", "--max-time", "20", "--user", USER, &url])?;
    serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))
}

/// The operator's CronJob, out of turn. (kubectl gives the Job the template's labels.)
fn take(job: &str) {
    kubectl(&["create", "job", "-n", NAMESPACE, job, "--from=cronjob/amc-backup-backup"]);
}

fn status() -> Result<Value, String> {
    Ok(try_json(&["get", "amc", "-n", NAMESPACE, "backup"])?["status"].clone())
}

fn healthy(status: &Value) -> Option<&Value> {
    status["conditions"].as_array()?.iter().find(|condition| condition["type"] == "BackupHealthy")
}

#[test]
fn a_cluster_is_backed_up_and_another_starts_from_it() {
    let _operator = Sample::ready();
    let beside = UdpSocket::bind("0.0.0.0:0").unwrap();
    beside.connect((pod_address(crate::sample::NAMESPACE, "alertmanager-main-0").unwrap().as_str(), 9)).unwrap();
    let bucket = Bucket::serving(beside.local_addr().unwrap().ip());
    namespace(NAMESPACE);
    apply(&bucket.credentials("wrong"));
    assert_eq!(applied("backup"), NAMESPACE);

    // without a way to the backups a member doesn't start as if there were none
    until("the operator says why the member doesn't start", || {
        let told = status()?["conditions"].to_string();
        let cause = "alertmanager-backup-0: restore ended: error: listing alertmanager: SignatureDoesNotMatch: ";
        if told.contains(cause) { Ok(()) } else { Err(told) }
    });
    apply(&bucket.credentials("secret-key"));
    // there are none yet: the first cluster of all starts empty
    ready(NAMESPACE, "backup");

    let kept = value!({
        "matchers": [{"name": "instance", "value": "db-1", "isRegex": false}], "createdBy": "ann", "comment": "kept",
        "startsAt": "2020-01-01T00:00:00Z", "endsAt": "2100-01-01T00:00:00Z",
    });
    let url = format!("http://{}:9093/api/v2/silences", pod_address(NAMESPACE, "alertmanager-backup-0").unwrap());
    let header = "content-type: application/json";
    let post = ["--silent", "--fail", "--noproxy", "*", "--user", USER, "-H", header, "-d", &kept.to_string(), &url];
    let made: Value = serde_json::from_str(&run_command("curl", &post).unwrap()).unwrap();

    // one that fails is told of with what it said
    apply(&bucket.credentials("wrong"));
    take("bad");
    until("the operator tells why there is no backup", || {
        let status = status()?;
        let condition = healthy(&status).cloned().unwrap_or_default();
        let message = condition["message"].to_string();
        let told = condition["status"] == "False" && message.contains("writing alertmanager/");
        let told = told && message.contains("SignatureDoesNotMatch: ");
        if told { Ok(()) } else { Err(status.to_string()) }
    });
    let events = kubectl(&["get", "events", "-n", NAMESPACE, "-o", "json"]);
    assert!(events.contains("BackupFailed"), "{events}");

    apply(&bucket.credentials("secret-key"));
    take("good");
    until("the operator knows of the backup", || {
        let status = status()?;
        let good = healthy(&status).is_some_and(|condition| condition["status"] == "True");
        if good && status["backup"]["lastSuccessfulTime"].is_string() { Ok(()) } else { Err(status.to_string()) }
    });
    let log = kubectl(&["logs", "-n", NAMESPACE, "job/good"]);
    assert!(log.contains("silences.json") && log.contains("nflog"), "{log}");

    // all members and their storage are gone: who comes then has it all, and scaling asks those who are there
    kubectl(&["delete", "amc", "-n", NAMESPACE, "backup", TIMEOUT]);
    until("it is gone", || match try_kubectl(&["get", "pod", "-n", NAMESPACE, "alertmanager-backup-0"]) {
        Err(_) => Ok(()),
        Ok(pod) => Err(pod),
    });
    applied("backup");
    ready(NAMESPACE, "backup");
    let restored = silences("alertmanager-backup-0").unwrap();
    assert_eq!((restored.len(), &restored[0]["id"]), (1, &made["silenceID"]), "{restored:?}");
    kubectl(&[
        "patch",
        "amc",
        "-n",
        NAMESPACE,
        "backup",
        "--type=merge",
        "-p",
        r#"{"spec": {"topology": null, "replicas": 3}}"#,
    ]);
    until("a third one has joined", || {
        let third = silences("alertmanager-backup-2")?;
        if third == silences("alertmanager-backup-0")? { Ok(()) } else { Err(format!("{third:?}")) }
    });
    let said = kubectl(&["logs", "-n", NAMESPACE, "alertmanager-backup-2", "-c", "restore"]);
    assert!(said.contains("is alive, and has the state"), "{said}");

    // who doesn't want it any more has no CronJob any more
    kubectl(&["patch", "amc", "-n", NAMESPACE, "backup", "--type=merge", "-p", r#"{"spec": {"backup": null}}"#]);
    until("the CronJob is gone, and with it what is said of backups", || {
        let jobs = json(&["get", "cronjob", "-n", NAMESPACE])["items"].to_string();
        let status = status()?;
        if jobs == "[]" && healthy(&status).is_none() { Ok(()) } else { Err(format!("{jobs} {status}")) }
    });
    gone(NAMESPACE);
}
