//! Messages of which only the status of the answer counts.

use super::*;

#[test]
fn webhook() {
    let mut variants = vec![", max_alerts: 1".to_owned(), ", max_alerts: 2".into(), ", max_alerts: 9".into()];
    let payloads = [
        "{}",
        "{a: '{{ .Status }}', b: [1, 2.5, true, ~, '{{ len .Alerts }}'], '{{ .Receiver }}': {x: '<>'}}",
        "{a: '[1, {b: c}]', b: '3', c: '', d: 'x: y', e: '{{ range .Alerts }}- {{ .Annotations.summary }}\\n{{ end }}'}",
        "{a: '{{ .Nothing }}'}",
        "{a: 1e400}",
        "{a: .inf}",
        "{a: 1e21, b: 1e-7, c: 123456789.0, d: 0.1, e: -0.0}",
        "{a: '2020-01-02', b: '0x10', c: '0o7', d: 'yes', e: 'null', f: '1_000'}",
    ];
    variants.extend(payloads.map(|payload| format!(", payload: {payload}")));
    variants.push(", max_alerts: 1, payload: {n: '{{ len .Alerts }}'}".into());
    compare_all("webhook", "url: 'http://hook.test/a?b=c'", &variants);
    variants.push(String::new());
    compare_all("webhook", "url: 'http://hook.test/{{ .GroupLabels.job }}/{{ len .Alerts }}'", &variants);
    compare_all("webhook", "url: '{{ .Nothing }}'", &[]);
    let file = file("http://hook.test/{{ .GroupLabels.job }}/from-file\n");
    compare_all("webhook", &format!("url_file: {}", file.path().display()), &variants);
    compare_all("webhook", "url: '{{ if false }}x{{ end }}'", &[]);
}

#[test]
fn discord() {
    let mut variants = vec![
        ", username: '{{ .Status }}', avatar_url: 'http://a/b.png'".to_owned(),
        ", avatar_url: 'http://[bad'".into(),
        format!(", title: {}", long(1)),
        format!(", content: {}", long(3)),
        format!(", message: {}", long(5)),
    ];
    variants.extend(texts_of(&["title", "message", "content"]));
    compare_all("discord", "webhook_url: 'http://discord.test/api/webhooks/1/secret'", &variants);
}

#[test]
fn msteams() {
    let mut variants = vec![format!(", text: {}", long(30))];
    variants.extend(texts_of(&["title", "summary", "text"]));
    compare_all("msteams", "webhook_url: 'http://teams.test/webhook/x'", &variants);
}

#[test]
fn msteamsv2() {
    let mut variants = vec![format!(", text: {}", long(30))];
    variants.extend(texts_of(&["title", "text"]));
    compare_all("msteamsv2", "webhook_url: 'http://teams.test/workflows/x?sig=y'", &variants);
}

#[test]
fn webex() {
    let mut variants =
        vec![format!(", message: {}", "x".repeat(7440)), format!(", message: {}{}", "x".repeat(7430), "ä".repeat(5))];
    variants.extend(texts("message"));
    let base = "api_url: 'http://webex.test/v1/messages', room_id: 'room-{{ .GroupLabels.job }}', \
                http_config: {authorization: {credentials: t}}";
    compare_all("webex", base, &variants);
    // it is sent without a room, and the failure is nobody's (reference behaviour)
    compare_all("webex", &base.replace("room-{{ .GroupLabels.job }}", "{{ .Nothing }}"), &[]);
}
