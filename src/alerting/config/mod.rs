//! The config file: text in, validated and immutable [`Config`] out, or the line that is wrong.

mod applied;
mod error;
mod form;
mod global;
mod hash;
mod host_port;
mod http;
mod http_read;
mod inhibit_read;
mod interval_read;
mod load;
mod matchers;
mod model;
mod named;
mod node;
mod oauth2;
mod out;
mod paths;
mod print;
mod proxy;
mod quote;
mod receiver;
mod recorder;
mod route_read;
mod scalar;
mod secret;
mod section;
mod template;
#[cfg(test)]
mod tests;
mod tls_read;
mod tracing;
mod unsupported;
mod url;
mod value;

pub use applied::AppliedFile;
pub use error::ConfigError;
pub use hash::{ConfigHash, MOUNTED_NAME, content_hash, metric_hash, mounted_digest};
pub use host_port::HostPort;
pub use http::{
    Authorization, BasicAuth, ClientCertificate, HeaderValues, HttpConfig, OAuth2, OAuth2Grant, ProxyConfig,
    SecretSource, TlsConfig, TlsVersion,
};
pub use load::{parse, parse_in};
pub use model::{Config, GroupBy, InhibitRule, Integration, Receiver, Route, UrlSource};
pub use named::{MOUNTED_CONFIG_MAPS_DIR, MOUNTED_SECRETS_DIR, NamedFile, named_files};
pub use paths::glob_pattern;
pub use receiver::{
    AttachmentField, DiscordConfig, EmailConfig, IncidentioConfig, JiraApi, JiraConfig, JiraField,
    MattermostAttachment, MattermostConfig, MattermostPriority, MsTeamsConfig, MsTeamsV2Config, OpsgenieConfig,
    PagerdutyConfig, PagerdutyImage, PagerdutyLink, ParseMode, PushoverConfig, Responder, RocketchatAction,
    RocketchatConfig, Settings, Sigv4, SlackAction, SlackConfig, SlackConfirmation, SnsConfig, TelegramConfig,
    Threading, VictoropsConfig, WebexConfig, WebhookConfig, WechatConfig, WechatMessageType,
};
pub use recorder::{EventBatch, EventKafka, EventRecorderConfig, EventWebhook, KafkaAcks, KafkaCompression};
pub use secret::{HIDDEN, Secret};
pub use tracing::{TracingClient, TracingConfig};
pub use url::{ApiUrl, encode_query, is_url, read_query};
pub use value::Value;
