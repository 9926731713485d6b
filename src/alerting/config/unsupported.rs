//! What a config may say, but this version does not do yet.

use super::error::ConfigError;
use super::http::{HttpConfig, TlsConfig, TlsVersion};
use super::model::{Config, Integration};
use super::receiver::Settings;
use super::recorder::EventRecorderConfig;

/// Names of [`Use`]s that nobody acts on yet: whoever builds one removes it here, and nowhere else.
const NOT_YET: &[&str] = &["TLS 1.0 and TLS 1.1"];

/// Something that a config makes use of, and where.
struct Use {
    name: &'static str,
    line: Option<usize>,
    path: String,
}

impl Config {
    /// The first thing that this version would silently leave out, as an error that names the place. A config for which
    /// there is one must not be used. Who doesn't record events takes [`Config::event_recorder`] out before.
    pub fn unsupported(&self) -> Option<ConfigError> {
        let used = self.uses().into_iter().find(|used| NOT_YET.contains(&used.name))?;
        let message = format!("{} not supported yet", used.name);
        Some(ConfigError { line: used.line, column: None, path: used.path, message })
    }

    fn uses(&self) -> Vec<Use> {
        let mut uses = Vec::new();
        if let Some(recorder) = &self.event_recorder {
            of_recorder(recorder, &mut uses);
        }
        for (at, receiver) in self.receivers.iter().enumerate() {
            for integration in &receiver.integrations {
                let path = format!("receivers[{at}].{}_configs[{}]", integration.kind, integration.index);
                of_integration(integration, &path, &mut uses);
            }
        }
        uses
    }
}

fn of_recorder(recorder: &EventRecorderConfig, uses: &mut Vec<Use>) {
    let mut add = |path: &str, used: bool, name: &'static str| {
        if used {
            uses.push(Use { name, line: None, path: path.to_owned() });
        }
    };
    for (at, webhook) in recorder.webhooks.iter().enumerate() {
        let path = format!("event_recorder.webhook_outputs[{at}].http_config");
        of_http(&webhook.http, &mut |used, name| add(&path, used, name));
    }
    for (at, kafka) in recorder.kafka.iter().enumerate() {
        let path = format!("event_recorder.kafka_outputs[{at}].tls_config");
        if let Some(tls) = &kafka.tls {
            of_tls(tls, &mut |used, name| add(&path, used, name));
        }
    }
}

fn of_integration(integration: &Integration, path: &str, uses: &mut Vec<Use>) {
    let mut add = |used: bool, name: &'static str| {
        if used {
            uses.push(Use { name, line: Some(integration.line), path: path.to_owned() });
        }
    };
    add(true, integration.kind);
    let http = match &integration.settings {
        Settings::Discord(config) => &config.http,
        Settings::Email(config) => return of_tls(&config.tls, &mut add),
        Settings::Incidentio(config) => &config.http,
        Settings::Jira(config) => &config.http,
        Settings::Mattermost(config) => &config.http,
        Settings::MsTeams(config) => &config.http,
        Settings::MsTeamsV2(config) => &config.http,
        Settings::Opsgenie(config) => &config.http,
        Settings::Pagerduty(config) => &config.http,
        Settings::Pushover(config) => &config.http,
        Settings::Rocketchat(config) => &config.http,
        Settings::Slack(config) => &config.http,
        Settings::Sns(config) => &config.http,
        Settings::Telegram(config) => &config.http,
        Settings::Victorops(config) => &config.http,
        Settings::Webex(config) => &config.http,
        Settings::Webhook(config) => &config.http,
        Settings::Wechat(config) => &config.http,
    };
    of_http(http, &mut add);
}

fn of_http(http: &HttpConfig, add: &mut impl FnMut(bool, &'static str)) {
    let HttpConfig { oauth2, proxy, tls, .. } = http;
    add(oauth2.is_some(), "oauth2");
    add(proxy.no_proxy.is_some(), "no_proxy");
    add(proxy.from_environment, "proxy_from_environment");
    add(!proxy.connect_header.is_empty(), "proxy_connect_header");
    of_tls(tls, add);
}

fn of_tls(tls: &TlsConfig, add: &mut impl FnMut(bool, &'static str)) {
    let old = |version: Option<TlsVersion>| version.is_some_and(|version| version < TlsVersion::Tls12);
    add(old(tls.min_version) || old(tls.max_version), "TLS 1.0 and TLS 1.1");
}
