//! Chats whose answers say more than their status.

use super::*;

#[test]
fn slack() {
    let ok = (200, "ok", "text/plain");
    let mut variants = vec![
        format!(", title: {}", long(2)),
        ", short_fields: true, fields: [{title: '{{ .Status }}', value: v}, {title: t, value: '<v>', short: false}]".into(),
        ", fields: [{title: t, value: '{{ .Nothing }}'}], text: kept, footer: kept, username: lost".into(),
        ", actions: [{type: button, text: '{{ .Status }}', url: 'http://x', style: danger}, \
         {type: button, text: t, name: n, value: v, confirm: {text: sure, title: '{{ .Status }}', ok_text: y, \
         dismiss_text: n}}, {type: button, text: t, name: n, confirm: {text: sure}}]"
            .into(),
        ", mrkdwn_in: [text, title], link_names: true, icon_emoji: ':x:', icon_url: 'http://i', image_url: 'http://j', \
         thumb_url: 'http://k', color: '#fff', callback_id: c, pretext: p, footer: f, message_text: m"
            .into(),
        ", message_text: '{{ .Nothing }}'".into(),
    ];
    variants.extend(texts_of(&["title", "text", "username", "color", "message_text"]));
    let answers = [
        ok,
        (200, "ok\n", ""),
        (200, "no_service", "text/plain"),
        (200, r#"{"ok":true}"#, JSON),
        (200, r#"{"ok":true,"ts":"1.2","channel":"C1"}"#, JSON),
        (200, r#"{"ok":false,"error":"channel_not_found"}"#, JSON),
        (200, "{", JSON),
        (200, r#"{"ok":"yes"}"#, JSON),
        (200, "", JSON),
        (500, r#"{"ok":true}"#, JSON),
        (200, "null", JSON),
    ];
    let base = "api_url: 'http://slack.test/services/T/B/x', channel: '#{{ .GroupLabels.job }}'";
    compare_answers("slack", base, &variants, ok, &answers);
    let url = file(" http://slack.test/file\n");
    let base = format!("api_url_file: {}", url.path().display());
    compare_answers("slack", &base, &texts("channel"), ok, &[]);
}

#[test]
fn slack_changes_its_message() {
    let mut peer = Peer::start();
    let config =
        receiver("slack", "update_message: true, api_url: 'https://slack.com/api/chat.postMessage', channel: c");
    let good = [(200, r#"{"ok":true,"ts":"1.2","channel":"C1"}"#, JSON)];
    let case = Case { config: &config, group: FIRING, replies: &good, stored: &[] };
    let kept: &[(&str, &str)] = &[("threadTs", "9.8"), ("channelId", "C9")];
    for stored in [&[], kept, &kept[..1], &kept[1..], &[("threadTs", ""), ("channelId", "C9")]] {
        for group in GROUPS {
            compare(&mut peer, Case { group, stored, ..case });
        }
        for reply in [
            (200, r#"{"ok":true,"ts":"1.2"}"#, JSON),
            (200, r#"{"ok":false,"error":"x"}"#, JSON),
            (200, "ok", ""),
            (500, "", ""),
        ] {
            compare(&mut peer, Case { stored, replies: &[reply], ..case });
        }
    }
    let config = receiver("slack", "api_url: 'https://slack.com/api/chat.postMessage', channel: c");
    compare(&mut peer, Case { config: &config, stored: kept, ..case });
}

#[test]
fn mattermost() {
    let mut variants = vec![
        format!(", text: {}", long(17)),
        format!(", text: {}, attachments: [{{text: {}}}]", long(17), long(17)),
        ", attachments: [{title: '{{ .Status }}', fields: [{title: t, value: v, short: true}, {title: u, value: v}]}, \
         {fallback: f, color: c, pretext: p, author_name: n, author_link: l, author_icon: i, title_link: x, thumb_url: \
         y, footer: z, footer_icon: a, image_url: b}]"
            .into(),
        ", props: {card: '{{ .Status }}'}".into(),
        ", props: {card: ''}".into(),
        ", props: {}".into(),
        ", priority: {priority: urgent, requested_ack: true, persistent_notifications: true}".into(),
        ", priority: {priority: IMPORTANT, requested_ack: true, persistent_notifications: true}".into(),
        ", priority: {priority: standard, requested_ack: true, persistent_notifications: true}".into(),
        ", priority: {priority: '{{ .Status }}', requested_ack: true}".into(),
        ", priority: {requested_ack: true}".into(),
        ", type: t, icon_url: i, icon_emoji: e, username: u, channel: '{{ .Receiver }}'".into(),
    ];
    variants.extend(texts_of(&["title", "text", "color", "channel", "fallback"]));
    compare_all("mattermost", "webhook_url: 'http://mattermost.test/hooks/x'", &variants);
    let url = file("http://mattermost.test/file\n");
    compare_all("mattermost", &format!("webhook_url_file: {}", url.path().display()), &[]);
}

#[test]
fn rocketchat() {
    let ok = (200, r#"{"success":true}"#, JSON);
    let mut variants = vec![
        format!(", title: {}", long(2)),
        ", short_fields: true, fields: [{title: '{{ .Status }}', value: v}, {title: t, value: w, short: false}]".into(),
        ", fields: [{title: '{{ .Nothing }}', value: v}]".into(),
        ", actions: [{text: '{{ .Status }}', url: 'http://x', msg: m}, {type: x, msg: n}]".into(),
        ", actions: [{text: '{{ .Nothing }}'}]".into(),
        ", emoji: ':x:', icon_url: 'http://i', image_url: 'http://j', thumb_url: 'http://k', link_names: true".into(),
        ", channel: '#{{ .GroupLabels.job }}', title_link: ''".into(),
    ];
    variants.extend(texts_of(&["title", "text", "color", "channel", "emoji"]));
    let answers = [
        (200, r#"{"success":false,"error":"no <channel>"}"#, JSON),
        (200, "{}", JSON),
        (200, "nothing", ""),
        (200, "null", JSON),
        (201, r#"{"success":true}"#, ""),
        (400, r#"{"success":false}"#, JSON),
    ];
    compare_answers("rocketchat", "api_url: 'http://rocket.test/x', token: t, token_id: i", &variants, ok, &answers);
}

#[test]
fn telegram() {
    let ok = (200, r#"{"ok":true,"result":{"message_id":1,"chat":{"id":5}}}"#, JSON);
    let mut variants = vec![
        format!(", message: {}", long(5)),
        format!(", parse_mode: '', message: {}", long(5)),
        ", parse_mode: Markdown".into(),
        ", parse_mode: MarkdownV2, message_thread_id: 7".into(),
        ", parse_mode: '', disable_notifications: true".into(),
        ", message: '<b>{{ .CommonLabels.alertname }}</b>'".into(),
    ];
    variants.extend(texts("message"));
    let answers = [
        (200, r#"{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}"#, JSON),
        (
            429,
            r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 7","parameters":{"retry_after":7}}"#,
            JSON,
        ),
        (500, r#"{"ok":true,"result":{"message_id":1,"chat":{"id":5}}}"#, JSON),
    ];
    compare_answers(
        "telegram",
        "api_url: 'http://telegram.test', bot_token: 'a:b', chat_id: -5",
        &variants,
        ok,
        &answers,
    );
    let (token, chat, bad) = (file(" a:b\n"), file("-77\n"), file("x"));
    let files = |chat: &tempfile::NamedTempFile| {
        let (token, chat) = (token.path().display(), chat.path().display());
        format!("api_url: 'http://telegram.test', bot_token_file: {token}, chat_id_file: {chat}")
    };
    compare_answers("telegram", &files(&chat), &[], ok, &[]);
    let config = receiver("telegram", &files(&bad));
    compare(&mut Peer::start(), Case { config: &config, group: FIRING, replies: &[ok], stored: &[] });
}

#[test]
fn wechat() {
    let (token, ok) =
        ((200, r#"{"errcode":0,"access_token":"a b/c"}"#, JSON), (200, r#"{"errcode":0,"errmsg":"ok"}"#, JSON));
    let base = "api_url: 'http://wechat.test/cgi?x=1', api_secret: 's&{{ .Status }}', corp_id: c";
    let mut variants = vec![
        ", message_type: markdown".to_owned(),
        ", to_user: u, to_party: p, to_tag: t, agent_id: '{{ .GroupLabels.job }}'".into(),
    ];
    variants.extend(texts_of(&["message", "to_user", "agent_id"]));
    let mut peer = Peer::start();
    for more in std::iter::once("").chain(variants.iter().map(String::as_str)) {
        let config = receiver("wechat", &format!("{base}{more}"));
        for group in GROUPS {
            compare(&mut peer, Case { config: &config, group, replies: &[token, ok], stored: &[] });
        }
    }
    let secret = file(" {{ .Status }}-s\n");
    let secret = format!("api_url: 'http://wechat.test/', api_secret_file: {}, corp_id: c", secret.path().display());
    let config = receiver("wechat", &secret);
    let case = Case { config: &config, group: FIRING, replies: &[token, ok], stored: &[] };
    compare(&mut peer, case);
    let tokens = [
        (200, "{}", JSON),
        (200, r#"{"errcode":40001,"errmsg":"invalid credential"}"#, JSON),
        (200, "", ""),
        (400, "no", ""),
        (404, r#"{"access_token":"t"} and more"#, ""),
    ];
    for token in tokens {
        compare(&mut peer, Case { replies: &[token, ok], ..case });
    }
    let answers = [
        (200, r#"{"errcode":42001,"errmsg":"access_token expired"}"#, JSON),
        (200, r#"{"errcode":40014,"errmsg":"bad <token>"}"#, JSON),
        (200, "{", JSON),
        (200, "{} {}", JSON),
        (201, r#"{"errcode":0}"#, JSON),
    ];
    for answer in ANSWERS.iter().chain(&answers) {
        compare(&mut peer, Case { replies: &[token, *answer], ..case });
    }
}
