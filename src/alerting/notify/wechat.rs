//! The WeChat integration: a token is asked for first, which is good for several messages.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::answer::{first_json, logged};
use super::render::{Fields, Notification, Unsendable, request_of};
use super::webhook::go_json;
use super::{REPLY_READ, Response, Step, Then, Verdict, failure_reason};
use crate::config::{ApiUrl, HttpConfig, Secret, WechatConfig, WechatMessageType, encode_query};

/// How long a token is used.
pub const TOKEN_LIFE: Duration = Duration::from_hours(2);

/// What the service says of a token that it doesn't take any more.
const EXPIRED: i64 = 42001;

#[derive(Serialize, Default)]
struct Message<'a> {
    text: Content,
    #[serde(skip_serializing_if = "String::is_empty")]
    touser: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    toparty: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    totag: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    agentid: String,
    safe: &'a str,
    msgtype: &'a str,
    markdown: Content,
}

#[derive(Serialize, Default)]
struct Content {
    content: String,
}

/// The message that waits for a token.
#[derive(Debug, Clone)]
pub struct Waiting {
    api_url: ApiUrl,
    http: Arc<HttpConfig>,
    integration: Arc<str>,
    /// Why there is none shows after the token was asked for (reference behaviour).
    message: Result<Bytes, Unsendable>,
}

/// The request for a token, or for the message if there is one.
///
/// # Errors
/// When a template fails.
pub(super) fn request(config: &WechatConfig, of: &Notification<'_>) -> Result<Step, Unsendable> {
    let fields = of.fields();
    let waiting = Waiting {
        api_url: config.api_url.clone(),
        http: config.http.clone(),
        integration: of.integration.clone(),
        message: message(config, &fields),
    };
    if let Some(token) = of.token {
        return waiting.send(token.expose());
    }
    let query = encode_query([
        ("corpsecret", fields.text("api_secret", of.secret(&config.api_secret)?)?),
        ("corpid", fields.text("corp_id", &config.corp_id)?),
    ]);
    let url = Secret::new(config.api_url.with_suffix("gettoken").with_raw_query(query).to_string());
    let mut request = request_of("GET", url, Bytes::new(), &config.http, of.integration);
    request.reply_max = REPLY_READ;
    Ok(Step { request: request.into(), then: Then::WechatToken(Box::new(waiting)) })
}

fn message(config: &WechatConfig, fields: &Fields<'_>) -> Result<Bytes, Unsendable> {
    let mut message = Message {
        touser: fields.text("to_user", &config.to_user)?,
        toparty: fields.text("to_party", &config.to_party)?,
        totag: fields.text("to_tag", &config.to_tag)?,
        agentid: fields.text("agent_id", &config.agent_id)?,
        safe: "0",
        ..Message::default()
    };
    let content = Content { content: fields.text("message", &config.message)? };
    match config.message_type {
        WechatMessageType::Text => (message.msgtype, message.text) = ("text", content),
        WechatMessageType::Markdown => (message.msgtype, message.markdown) = ("markdown", content),
    }
    Ok(go_json(&message))
}

impl Waiting {
    fn send(self, token: &str) -> Result<Step, Unsendable> {
        let url = self.api_url.with_suffix("message/send").with_query("access_token", token);
        let url = Secret::new(url.to_string());
        let mut request = request_of("POST", url, self.message?, &self.http, &self.integration);
        request.headers.push(("Content-Type", "application/json".into()));
        request.reply_max = REPLY_READ;
        Ok(Step { request: request.into(), then: Then::Wechat })
    }

    /// Whether there is a token in the answer; the status does not count (reference behaviour).
    pub(super) fn verdict(self, response: &Response) -> Verdict {
        #[derive(Deserialize)]
        struct Reply {
            #[serde(default)]
            access_token: String,
        }
        let give_up = |error: String| Verdict::GiveUp { reason: "other", error };
        if response.status == 429 || response.status == 503 {
            let error = format!("asking for a token: status code {}", response.status);
            let reason = failure_reason(response.status);
            return Verdict::Retry { after: response.retry_after, reason, error };
        }
        let token = match first_json(&response.body) {
            Ok(Reply { access_token }) => access_token,
            Err(error) => return give_up(format!("reading the answer to the request for a token: {error}")),
        };
        if token.is_empty() {
            return give_up("there is no token for this api_secret and corp_id".into());
        }
        match self.send(&token) {
            Ok(step) => Verdict::Learned { token: Secret::new(token), step: Box::new(step) },
            Err(error) => error.verdict(),
        }
    }
}

/// What is said of a message: the status must be 200, and the code in the body 0.
pub(super) fn verdict(response: &Response) -> Verdict {
    #[derive(Deserialize)]
    struct Reply {
        #[serde(default)]
        errcode: i64,
        #[serde(default)]
        errmsg: String,
    }
    let after = response.retry_after;
    if response.status != 200 {
        let error = format!("unexpected status code {}", response.status);
        return Verdict::Retry { after, reason: failure_reason(response.status), error };
    }
    let reply: Reply = match serde_json::from_str(&response.body) {
        Ok(reply) => reply,
        Err(error) => {
            let error = format!("could not unmarshal JSON response {:?}: {error}", logged(&response.body));
            return Verdict::Retry { after, reason: "other", error };
        }
    };
    let error = logged(&reply.errmsg).to_owned();
    match reply.errcode {
        0 => Verdict::DONE,
        EXPIRED => Verdict::Expired { error },
        _ => Verdict::GiveUp { reason: "other", error },
    }
}
