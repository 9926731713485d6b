//! An Ingress as the operator makes it, carried out by a real nginx. The controllers for it can't be built from what test
//! machines get, so the nginx configuration is made here, of nothing but the object and what it refers to.

use std::collections::BTreeMap;
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::kubectl::{command, json, kubectl, run_command, scratch};
use crate::wait::until;

const ANNOTATIONS: &str = "nginx.ingress.kubernetes.io/";

/// nginx, and how one gets to it.
struct Front {
    nginx: Child,
    host: String,
    address: SocketAddr,
}

impl Front {
    fn of(namespace: &str, ingress: &str) -> Self {
        let dir = scratch("ingress");
        let object = json(&["get", "ingress", "-n", namespace, ingress]);
        let spec = &object["spec"];
        assert_eq!(spec["ingressClassName"], "nginx");
        let host = text(&spec["rules"][0]["host"]);
        let path = &spec["rules"][0]["http"]["paths"][0];
        assert_eq!((&path["pathType"], &spec["tls"][0]["hosts"][0]), (&"Prefix".into(), &host.as_str().into()));
        let secret = text(&spec["tls"][0]["secretName"]);
        for name in ["tls.crt", "tls.key"] {
            let template = format!("--template={{{{index .data \"{name}\" | base64decode}}}}");
            fs::write(dir.join(name), kubectl(&["get", "secret", "-n", namespace, &secret, &template])).unwrap();
        }
        let address: SocketAddr = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).unwrap();
        let config = config(&dir, &object, &address, &endpoints(namespace, &path["backend"]["service"]));
        fs::write(dir.join("nginx.conf"), config).unwrap();
        let mut nginx = command("nginx");
        nginx.arg("-p").arg(&dir).arg("-c").arg(dir.join("nginx.conf")).args(["-e", "stderr"]);
        let log = fs::File::create(dir.join("log")).unwrap();
        let nginx = nginx.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        until("nginx listens", || TcpStream::connect(address).map_err(|error| error.to_string()));
        Self { nginx, host, address }
    }

    /// As from outside: by the public name, with its certificate checked.
    fn ask(&self, certificate: &str, more: &[&str], path: &str) -> Result<String, String> {
        let connect = format!("{}:443:{}", self.host, self.address);
        let common = ["--silent", "--show-error", "--fail-with-body", "--max-time", "20", "--noproxy", "*"];
        let to = ["--cacert", certificate, "--connect-to", &connect];
        let url = format!("https://{}{path}", self.host);
        run_command(
            "curl",
            &[&common[..], &to, &["--header", "Content-Type: application/json"], more, &[&url]].concat(),
        )
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        let _ = self.nginx.kill();
        let _ = self.nginx.wait();
    }
}

/// What a controller makes of it.
fn config(dir: &Path, object: &Value, listen: &SocketAddr, endpoints: &[String]) -> String {
    let given: BTreeMap<String, Value> = serde_json::from_value(object["metadata"]["annotations"].clone()).unwrap();
    let annotation = |name: &str| given.get(&format!("{ANNOTATIONS}{name}")).map(text).unwrap_or_default();
    let (host, path) = (&object["spec"]["rules"][0]["host"], &object["spec"]["rules"][0]["http"]["paths"][0]["path"]);
    let servers: String = endpoints.iter().map(|endpoint| format!("server {endpoint};\n")).collect();
    let scheme = annotation("backend-protocol").to_lowercase();
    let own = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary = own.map(|name| format!("{name}_temp_path {};\n", dir.join(name).display())).concat();
    let (hash, rate, dir) = (annotation("upstream-hash-by"), annotation("limit-rps"), dir.display());
    let (host, path) = (text(host), text(path));
    format!(
        "daemon off;\nmaster_process off;\npid {dir}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}\
         limit_req_zone $binary_remote_addr zone=rate:1m rate={rate}r/s;\n\
         upstream members {{\nhash {hash} consistent;\n{servers}}}\n\
         server {{\nlisten {listen} ssl;\nserver_name {host};\nssl_certificate {dir}/tls.crt;\nssl_certificate_key {dir}/tls.key;\n\
         location {path} {{\nlimit_req zone=rate burst=100 nodelay;\nproxy_pass {scheme}://members;\nproxy_http_version 1.1;\n\
         proxy_set_header Host $host;\nproxy_set_header X-Forwarded-For $remote_addr;\nproxy_set_header X-Forwarded-Proto $scheme;\n\
         proxy_set_header Connection '';\n}}\n}}\n}}\n"
    )
}

/// Addresses of the ready pods behind a port of a Service.
fn endpoints(namespace: &str, service: &Value) -> Vec<String> {
    let (name, port) = (text(&service["name"]), &service["port"]["name"]);
    let slices = json(&["get", "endpointslices", "-n", namespace, "-l", &format!("kubernetes.io/service-name={name}")]);
    let mut all = Vec::new();
    for slice in slices["items"].as_array().unwrap() {
        let found = slice["ports"].as_array().unwrap().iter().find(|known| known["name"] == *port);
        let number = &found.unwrap_or_else(|| panic!("no port {port} in {slice:#}"))["port"];
        let ready =
            slice["endpoints"].as_array().unwrap().iter().filter(|endpoint| endpoint["conditions"]["ready"] == true);
        all.extend(ready.map(|endpoint| format!("{}:{number}", text(&endpoint["addresses"][0]))));
    }
    all
}

/// Through it a cluster behaves as one Alertmanager does.
pub(crate) fn is_one_alertmanager(namespace: &str, ingress: &str, certificate: &str) {
    let front = Front::of(namespace, ingress);
    let user = ["--user", "ann:secret"];
    for wrong in [&["--user", "ann:guess"][..], &[]] {
        let refused = front.ask(certificate, wrong, "/api/v2/status").unwrap_err();
        assert!(refused.contains("401"), "who has no password stays out: {refused}");
    }
    assert!(front.ask(certificate, &user, "/").unwrap().contains("<!doctype html>"), "the page");
    for number in 0..5 {
        let silence = serde_json::json!({
            "matchers": [{"name": "number", "value": number.to_string(), "isRegex": false}],
            "startsAt": "2020-01-01T00:00:00Z", "endsAt": "2099-01-01T00:00:00Z", "createdBy": "ann", "comment": "c",
        });
        let made = front.ask(certificate, &[&user[..], &["--data", &silence.to_string()]].concat(), "/api/v2/silences");
        let id = text(&serde_json::from_str::<Value>(&made.unwrap()).unwrap()["silenceID"]);
        let listed = front.ask(certificate, &user, "/api/v2/silences").unwrap();
        assert!(listed.contains(&id), "who made it sees it at once: {listed}");
        let alert = format!(r#"[{{"labels": {{"alertname": "Through", "number": "{number}"}}}}]"#);
        front.ask(certificate, &[&user[..], &["--data", &alert]].concat(), "/api/v2/alerts").unwrap();
        let alerts = front.ask(certificate, &user, &format!("/api/v2/alerts?filter=number=%22{number}%22")).unwrap();
        assert!(alerts.contains(&id), "and the alert silenced by it: {alerts}");
        front
            .ask(certificate, &[&user[..], &["--request", "DELETE"]].concat(), &format!("/api/v2/silence/{id}"))
            .unwrap();
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
