//! The port for those who keep a worker running, and its last seconds.

use rustix::process::Signal;

use crate::http::{request, request_with};
use crate::process::{PROGRAM, Running, at, free_port, own_address};
use crate::wait::until;

const CONFIG: &str = "route: {receiver: team}\nreceivers: [{name: team}]\n";

#[test]
fn probes_pass_where_clients_need_a_password_and_clients_are_served_until_they_know() {
    let (dir, ip) = (tempfile::tempdir().unwrap(), own_address());
    std::fs::write(dir.path().join("alertmanager.yml"), CONFIG).unwrap();
    // of "secret"
    let users = "basic_auth_users: {ann: $2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW}\n";
    std::fs::write(dir.path().join("web.yml"), users).unwrap();
    std::fs::write(dir.path().join("token"), "t0ken\n").unwrap();
    let (web, management) = (at(ip, free_port(ip)), at(ip, free_port(ip)));
    let args = [
        "worker",
        &format!("--web.listen-address={web}"),
        &format!("--web.management-address={management}"),
        "--web.management-token-file=token",
        "--web.config.file=web.yml",
        "--web.route-prefix=/am",
        "--web.drain-delay=1h",
        "--cluster.listen-address=",
    ];
    let mut worker = Running::start(PROGRAM, dir.path(), &args.map(str::to_owned));
    until("it is ready", || request(management, "GET", "/-/ready", ""));
    for path in ["/am/-/ready", "/am/metrics"] {
        assert!(request(web, "GET", path, "").unwrap_err().contains(" 401 "), "{path}");
    }
    assert!(request(management, "GET", "/metrics", "").unwrap().contains("alertmanager_build_info"));
    assert!(request(management, "GET", "/-/config", "").unwrap().contains("\"ready\":true"));
    assert!(request(management, "GET", "/-/reach", "").unwrap().contains("\"peers\":{}"), "it has none");
    request(management, "POST", "/-/reload", "").unwrap();
    for path in ["/api/v2/alerts/groups", "/api/ui/v1/groups", "/"] {
        assert!(request(management, "GET", path, "").unwrap_err().contains(" 404 "), "{path} is for clients");
    }

    // the operator's own token opens the door for alerts and backups, and for nothing else
    let alert = r#"[{"labels": {"alertname": "AlertmanagerNodeFailure"}}]"#;
    let post =
        |token: &str| request_with(management, &format!("Authorization: {token}\r\n"), "POST", "/api/v2/alerts", alert);
    for wrong in ["", "Bearer ", "Bearer guess", "Basic t0ken"] {
        assert!(post(wrong).unwrap_err().contains(" 401 "), "{wrong:?}");
    }
    post("Bearer t0ken").unwrap();
    for path in ["/api/v2/alerts", "/api/v2/silences", "/api/v2/status"] {
        assert!(request(management, "GET", path, "").unwrap_err().contains(" 401 "), "{path} needs it");
        request_with(management, "Authorization: Bearer t0ken\r\n", "GET", path, "").unwrap();
    }
    let silence = request_with(management, "Authorization: Bearer t0ken\r\n", "POST", "/api/v2/silences", "{}");
    assert!(silence.unwrap_err().contains(" 405 "));
    let metrics = request(management, "GET", "/metrics", "").unwrap();
    assert!(metrics.contains("alertmanager_alerts_received_total{status=\"firing\",version=\"v2\"} 1\n"), "{metrics}");
    std::fs::write(dir.path().join("token"), "").unwrap();
    assert!(post("Bearer ").unwrap_err().contains(" 401 "), "an empty token is none");

    worker.signal(Signal::TERM);
    until("it says that it is about to end", || match request(management, "GET", "/-/ready", "") {
        Err(answer) if answer.contains("about to end") => Ok(()),
        other => Err(format!("{other:?}")),
    });
    assert!(request(web, "GET", "/am/api/v2/status", "").unwrap_err().contains(" 401 "), "clients are answered");
    assert!(request(management, "GET", "/-/healthy", "").is_ok());
    // whoever asks twice means it
    worker.signal(Signal::TERM);
    assert_eq!(worker.wait().code(), Some(0));
}
