//! What receivers take over from `global`, and where it ends up: what a print does not show.

use super::*;

/// The settings of the first integration of a receiver.
fn settings(global: &str, receiver: &str) -> Settings {
    let text = format!("global: {{{global}}}\nroute: {{receiver: a}}\nreceivers: [{{name: a, {receiver}}}]\n");
    load(&text).receivers[0].integrations[0].settings.clone()
}

fn inline(text: &str) -> SecretSource {
    SecretSource::Inline(Secret::new(text))
}

#[test]
fn slack_sends_with_a_token_or_to_a_webhook() {
    let slack = |global, receiver| match settings(global, receiver) {
        Settings::Slack(slack) => *slack,
        other => panic!("{other:?}"),
    };
    let by_token = slack("slack_app_token: t, http_config: {enable_http2: false}", "slack_configs: [{}]");
    assert_eq!(by_token.url, UrlSource::Inline(Secret::new("https://slack.com/api/chat.postMessage")));
    let bearer = Authorization { kind: "Bearer".into(), credentials: Some(inline("t")) };
    assert_eq!((by_token.http.authorization.as_ref(), by_token.http.enable_http2), (Some(&bearer), false));

    let by_url = slack("slack_app_token: t", "slack_configs: [{api_url: 'http://x'}]");
    assert_eq!((by_url.url, &by_url.http.authorization), (UrlSource::Inline(Secret::new("http://x")), &None));
    let by_file = slack("slack_api_url_file: f", "slack_configs: [{}]");
    assert_eq!(by_file.url, UrlSource::File("f".into()));
}

#[test]
fn own_secrets_come_before_those_of_global() {
    let opsgenie = |receiver| match settings("opsgenie_api_key: g, opsgenie_api_url: 'http://h/x?q'", receiver) {
        Settings::Opsgenie(opsgenie) => *opsgenie,
        other => panic!("{other:?}"),
    };
    let inherited = opsgenie("opsgenie_configs: [{}]");
    assert_eq!((inherited.api_key, inherited.api_url.to_string()), (inline("g"), "http://h/x/?q".into()));
    assert_eq!(inherited.api_url.with_suffix("v2/alerts").to_string(), "http://h/x/v2/alerts?q");
    assert_eq!(opsgenie("opsgenie_configs: [{api_key: own}]").api_key, inline("own"));
    // the inline one of global comes before the receiver's file (reference behaviour)
    assert_eq!(opsgenie("opsgenie_configs: [{api_key_file: own}]").api_key, inline("g"));

    let telegram = settings("telegram_bot_token: g", "telegram_configs: [{bot_token_file: own, chat_id: -7}]");
    let Settings::Telegram(telegram) = telegram else { panic!("{telegram:?}") };
    assert_eq!((telegram.bot_token, telegram.chat_id), (SecretSource::File("own".into()), Some(-7)));
}

#[test]
fn mail_takes_over_what_it_does_not_say() {
    let global = "smtp_smarthost: '[::1]:25', smtp_from: g, smtp_require_tls: false, smtp_auth_password: p, \
                  smtp_tls_config: {server_name: s}";
    let email =
        settings(global, "email_configs: [{to: x, from: own, threading: {enabled: true, thread_by_date: none}}]");
    let Settings::Email(email) = email else { panic!("{email:?}") };
    assert_eq!((&*email.from, &*email.hello, email.require_tls), ("own", "localhost", false));
    assert_eq!((&*email.smarthost.host, &*email.smarthost.port), ("::1", "25"));
    assert_eq!((email.auth_password, email.tls.server_name.as_deref()), (Some(inline("p")), Some("s")));
    assert_eq!((email.threading, email.force_implicit_tls), (Some(Threading::Always), None));
}

#[test]
fn teams_take_over_the_proxy_alone() {
    let global = "http_config: {proxy_url: 'http://p', enable_http2: false}";
    let url = "webhook_url: 'http://x', http_config: {follow_redirects: false}";
    let proxy = |settings: &Settings| match settings {
        Settings::MsTeams(teams) => (teams.http.proxy.url.clone(), teams.http.enable_http2),
        Settings::MsTeamsV2(teams) => (teams.http.proxy.url.clone(), teams.http.enable_http2),
        other => panic!("{other:?}"),
    };
    let first = settings(global, &format!("msteams_configs: [{{{url}}}]"));
    let second = settings(global, &format!("msteamsv2_configs: [{{{url}}}]"));
    assert_eq!(proxy(&first), (None, true));
    assert_eq!(proxy(&second), (Some(Secret::new("http://p")), true));
}

#[test]
fn paths_count_from_the_config_where_the_reference_has_them_so() {
    let http = "http_config: {authorization: {credentials_file: f}}";
    let text = format!(
        "templates: [t/*, /x]\nroute: {{receiver: a}}\nreceivers: [{{name: a, webhook_configs: [{{url_file: u, {http}}}], \
         incidentio_configs: [{{url_file: u, {http}}}]}}]\n"
    );
    let config = parse_in(&text, Mode::Fallback, "/etc/am").unwrap();
    assert_eq!(config.templates, ["/etc/am/t/*", "/x"]);
    let credentials = |http: &HttpConfig| http.authorization.as_ref().and_then(|a| a.credentials.clone()).unwrap();
    for integration in &config.receivers[0].integrations {
        match &integration.settings {
            Settings::Webhook(webhook) => {
                assert_eq!(webhook.url, UrlSource::File("u".into()));
                assert_eq!(credentials(&webhook.http), SecretSource::File("/etc/am/f".into()));
            }
            Settings::Incidentio(incidentio) => {
                assert_eq!(credentials(&incidentio.http), SecretSource::File("f".into()));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn integrations_stand_in_the_order_in_which_they_are_built() {
    let config = load(
        "route: {receiver: a}\nreceivers: [{name: a, discord_configs: [{webhook_url_file: x}, {webhook_url_file: y}],\n  \
         webhook_configs: [{url_file: x}]}]\n",
    );
    let all = &config.receivers[0].integrations;
    let seen: Vec<_> = all.iter().map(|i| (i.kind, i.index, i.line)).collect();
    assert_eq!(seen, [("webhook", 0, 3), ("discord", 0, 2), ("discord", 1, 2)]);
}
