//! Amazon SNS.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::error::ConfigError;
use super::super::form::Form;
use super::super::global::Global;
use super::super::http::HttpConfig;
use super::super::node::Node;
use super::super::out::Out;
use super::super::secret::Secret;
use super::{Settings, http};

/// Settings of an SNS topic, phone number or target. All texts outside of `sigv4` are templates.
#[derive(Clone, Debug)]
pub struct SnsConfig {
    /// How to connect.
    pub http: Arc<HttpConfig>,
    /// Empty: the region's.
    pub api_url: String,
    /// How requests are signed.
    pub sigv4: Sigv4,
    /// Empty or a topic.
    pub topic_arn: String,
    /// Empty or a number.
    pub phone_number: String,
    /// Empty or a target. One of these three, or all.
    pub target_arn: String,
    /// Subject.
    pub subject: String,
    /// Text.
    pub message: String,
    /// Keys are templates as well.
    pub attributes: BTreeMap<String, String>,
    /// Not to use `http` but what AWS's environment says.
    pub use_aws_http_client: bool,
}

/// How requests to AWS are signed; what is empty comes from AWS's environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sigv4 {
    /// Region.
    pub region: String,
    /// Given together with `secret_key`.
    pub access_key: String,
    /// Given together with `access_key`.
    pub secret_key: Option<Secret>,
    /// Of the shared config.
    pub profile: String,
    /// To take on.
    pub role_arn: String,
    /// Only with `role_arn`.
    pub external_id: String,
    /// For taking on a role.
    pub use_fips_sts_endpoint: bool,
    /// In the signature.
    pub service_name: String,
}

pub(super) fn read(form: &mut Form<'_>, global: &mut Global) -> Result<Settings, ConfigError> {
    let http = http(form, global)?;
    let api_url = form.text("api_url", "")?;
    let nothing = Node::empty_mapping();
    let (sigv4, printed) = read_sigv4(form.node("sigv4").unwrap_or(&nothing), &form.path("sigv4"))?;
    form.printed().put("sigv4", printed);
    let topic_arn = form.text("topic_arn", "")?;
    let phone_number = form.text("phone_number", "")?;
    let target_arn = form.text("target_arn", "")?;
    let subject = form.text("subject", r#"{{ template "sns.default.subject" . }}"#)?;
    let message = form.text("message", r#"{{ template "sns.default.message" . }}"#)?;
    let attributes = form.text_map("attributes")?;
    let use_aws_http_client = form.switch("use_aws_http_client")?;
    form.complete()?;
    // none or two are refused, one or all three taken (reference behaviour)
    let missing = [&target_arn, &topic_arn, &phone_number].map(|text| text.is_empty());
    let error = "must provide either a Target ARN, Topic ARN, or Phone Number for SNS config";
    form.refuse_if(missing[0] ^ missing[1] ^ missing[2], "", error)?;
    Ok(Settings::Sns(SnsConfig {
        http,
        api_url,
        sigv4,
        topic_arn,
        phone_number,
        target_arn,
        subject,
        message,
        attributes,
        use_aws_http_client,
    }))
}

fn read_sigv4(node: &Node, path: &str) -> Result<(Sigv4, Out), ConfigError> {
    let mut form = Form::open(node, path, "sigv4.plain")?;
    let sigv4 = Sigv4 {
        region: form.text("region", "")?,
        access_key: form.text("access_key", "")?,
        secret_key: form.secret("secret_key")?,
        profile: form.text("profile", "")?,
        role_arn: form.text("role_arn", "")?,
        external_id: form.text("external_id", "")?,
        use_fips_sts_endpoint: form.switch("use_fips_sts_endpoint")?,
        service_name: form.text("service_name", "")?,
    };
    form.complete()?;
    let message = "must provide a AWS SigV4 Access key and Secret Key if credentials are specified in the SigV4 config";
    form.refuse_if(sigv4.access_key.is_empty() != sigv4.secret_key.is_none(), "access_key", message)?;
    let message = "external_id can only be used with role_arn";
    form.refuse_if(!sigv4.external_id.is_empty() && sigv4.role_arn.is_empty(), "external_id", message)?;
    Ok((sigv4, form.done()?))
}
