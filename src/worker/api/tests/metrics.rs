//! `/metrics`.

use super::*;

#[tokio::test]
async fn counts_are_exposed_under_the_references_names() {
    let rig = Rig::new().await;
    let alerts = r#"[{"labels":{"alertname":"A"}},{"labels":{"x":""}},
        {"labels":{"alertname":"R"},"startsAt":"2020-01-01T00:00:00Z","endsAt":"2020-01-02T00:00:00Z"}]"#;
    assert_eq!(rig.ask("POST /api/v2/alerts", alerts).await.status, 400);
    assert_eq!(rig.get("/api/v2/silence/nope").await.status, 422);
    let metrics = rig.get("/metrics").await;
    assert_eq!(metrics.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    for line in [
        "# TYPE alertmanager_alerts gauge",
        "alertmanager_alerts{state=\"unprocessed\"} 1",
        "alertmanager_alerts_received_total{status=\"firing\",version=\"v2\"} 2",
        "alertmanager_alerts_received_total{status=\"resolved\",version=\"v2\"} 1",
        "alertmanager_alerts_invalid_total{version=\"v2\"} 1",
        "alertmanager_cluster_enabled 0",
        "alertmanager_config_hash 42",
        "alertmanager_receivers 2",
        "alertmanager_integrations 2",
        "alertmanager_inhibition_rules 1",
        "alertmanager_dispatcher_aggregation_groups 1",
        "alertmanager_notifications_total{integration=\"pagerduty\"} 0",
        "alertmanager_notifications_failed_total{integration=\"wechat\",reason=\"contextDeadlineExceeded\"} 0",
        "alertmanager_notification_latency_seconds_bucket{integration=\"slack\",le=\"20\"} 0",
        "alertmanager_silences{state=\"pending\"} 0",
        "alertmanager_http_requests_in_flight{method=\"get\"} 1",
        "alertmanager_http_request_duration_seconds_count{code=\"400\",handler=\"/api/v2/alerts\",method=\"post\"} 1",
        "alertmanager_http_request_duration_seconds_count{code=\"422\",handler=\"/api/v2/silence/{silenceID}\",method=\"get\"} 1",
    ] {
        assert!(metrics.body.lines().any(|l| l == line), "{line}\n{}", metrics.body);
    }
    assert!(!metrics.body.contains("alertmanager_cluster_members"), "{}", metrics.body);
    let failed = metrics.body.lines().filter(|l| l.starts_with("alertmanager_notifications_failed_total{"));
    assert_eq!(failed.count(), 18 * 7);
}

#[tokio::test]
async fn a_member_of_a_cluster_tells_of_it() {
    let rig = Rig::without_config(|_| {}, Some(lonely()));
    rig.load_config().await;
    let text = rig.get("/metrics").await.body;
    for line in [
        "alertmanager_cluster_enabled 1",
        "alertmanager_cluster_members 1",
        "alertmanager_cluster_failed_peers 0",
        "alertmanager_cluster_peer_info{peer=\"am-0\"} 1",
        "alertmanager_peer_position 0",
        "alertmanager_cluster_messages_sent_total{msg_type=\"full_state\"} 0",
    ] {
        assert!(text.lines().any(|l| l == line), "{line}\n{text}");
    }
}
