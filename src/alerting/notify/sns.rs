//! Amazon SNS: one `Publish` as a form. The shell signs it, with keys that only it can find.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::answer::{by_status, logged, unexpected};
use super::render::{Notification, Unsendable, request_of};
use super::{Request, Response, Step, Then, Verdict};
use crate::config::{Secret, Sigv4, SnsConfig, encode_query};

/// How a request to AWS is signed (Signature Version 4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signing {
    /// Region, keys, profile, role: what is empty is looked for where AWS's programs look.
    pub sigv4: Sigv4,
    /// Of `http_config` only TLS and proxy count.
    pub aws_client: bool,
}

/// Bytes of a message.
const MESSAGE_MAX: usize = 256 << 10;

/// Bytes of a message that goes to a telephone.
const SMS_MAX: usize = 1600;

/// Where a service of AWS is in a region, as a URL.
pub fn aws_url(service: &str, region: &str) -> String {
    let domain = match region.split('-').collect::<Vec<_>>()[..] {
        ["cn", ..] => "amazonaws.com.cn",
        ["us", "iso", ..] => "c2s.ic.gov",
        ["us", "isob", ..] => "sc2s.sgov.gov",
        ["us", "isof", ..] | ["eu", "isof", ..] => "csp.hci.ic.gov",
        ["eu", "isoe", ..] => "cloud.adc-e.uk",
        ["eusc", ..] => "amazonaws.eu",
        _ => "amazonaws.com",
    };
    format!("https://{service}.{region}.{domain}/")
}

/// The request for a notification. Its URL is empty if the config has neither one nor a region.
///
/// # Errors
/// When a template fails.
pub(super) fn request(config: &SnsConfig, of: &Notification<'_>) -> Result<Step, Unsendable> {
    publish(config, of).map_err(|error| Unsendable::Client(Box::new(error)))
}

fn publish(config: &SnsConfig, of: &Notification<'_>) -> Result<Step, Unsendable> {
    let fields = of.fields();
    let url = fields.text("api_url", &config.api_url)?;
    let mut attributes = BTreeMap::new();
    for (name, value) in &config.attributes {
        attributes.insert(fields.text("attributes", name)?, fields.text("attributes", value)?);
    }
    let mut form: Vec<(String, String)> =
        vec![("Action".into(), "Publish".into()), ("Version".into(), "2010-03-31".into())];
    let mut put = |name: &str, value: String| form.push((name.to_owned(), value));
    let mut max = MESSAGE_MAX;
    if !config.topic_arn.is_empty() {
        let topic = fields.text("topic_arn", &config.topic_arn)?;
        if topic.ends_with(".fifo") {
            put("MessageDeduplicationId", of.key_hash());
            put("MessageGroupId", of.key_hash());
        }
        put("TopicArn", topic);
    }
    if !config.phone_number.is_empty() {
        put("PhoneNumber", fields.text("phone_number", &config.phone_number)?);
        max = SMS_MAX;
    }
    if !config.target_arn.is_empty() {
        put("TargetArn", fields.text("target_arn", &config.target_arn)?);
    }
    let mut message = fields.text("message", &config.message)?;
    if message.len() > max {
        message.truncate(message.floor_char_boundary(max));
        attributes.insert("truncated".into(), "true".into());
    }
    put("Message", message);
    if !config.subject.is_empty() {
        put("Subject", fields.text("subject", &config.subject)?);
    }
    for (at, (name, value)) in attributes.into_iter().enumerate() {
        let entry = format!("MessageAttributes.entry.{}", at + 1);
        put(&format!("{entry}.Name"), name);
        put(&format!("{entry}.Value.DataType"), "String".into());
        put(&format!("{entry}.Value.StringValue"), value);
    }
    let url = match (url.is_empty(), config.sigv4.region.as_str()) {
        (false, _) => url,
        (true, "") => String::new(),
        (true, region) => aws_url("sns", region),
    };
    let signing = Signing { sigv4: config.sigv4.clone(), aws_client: config.use_aws_http_client };
    let request = request_of("POST", Secret::new(url), encode_query(form).into(), &config.http, of.integration);
    let headers = vec![("Content-Type", "application/x-www-form-urlencoded".into())];
    let request = Request { headers, sign: Some(Arc::new(signing)), ..request };
    Ok(Step { request: request.into(), then: Then::Sns })
}

/// What an answer comes to. XML that breaks off says nothing: the next one may be whole (reference behaviour).
pub(super) fn verdict(response: &Response) -> Verdict {
    let Response { status, body, .. } = response;
    let broken = body.contains('<') && !body.contains("</") && !body.contains("/>");
    if (200..300).contains(status) || !broken {
        return by_status(response, &details(body));
    }
    let error = unexpected(*status, logged(body));
    Verdict::Retry { after: response.retry_after, reason: "other", error }
}

/// The service's words: `<Message>` of an error.
fn details(body: &str) -> String {
    let text = body.split_once("<Message>").and_then(|(_, rest)| rest.split_once("</Message>"));
    let text = text.map_or("", |(text, _)| text);
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#39;", "'"), ("&amp;", "&")];
    entities.iter().fold(text.to_owned(), |text, (entity, character)| text.replace(entity, character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_have_their_domains() {
        for (region, url) in [
            ("eu-central-1", "https://sns.eu-central-1.amazonaws.com/"),
            ("us-gov-west-1", "https://sns.us-gov-west-1.amazonaws.com/"),
            ("cn-north-1", "https://sns.cn-north-1.amazonaws.com.cn/"),
            ("us-iso-east-1", "https://sns.us-iso-east-1.c2s.ic.gov/"),
            ("us-isob-east-1", "https://sns.us-isob-east-1.sc2s.sgov.gov/"),
        ] {
            assert_eq!(aws_url("sns", region), url);
        }
    }

    #[test]
    fn errors_are_read() {
        let body =
            "<ErrorResponse><Error><Code>X</Code><Message>no &lt;topic&gt; &amp;amp;</Message></Error></ErrorResponse>";
        assert_eq!(details(body), "no <topic> &amp;");
        assert_eq!(details("{}"), "");
    }
}
