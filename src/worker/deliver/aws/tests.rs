//! Where regions and keys come from, and what is signed with them.
#![allow(clippy::unwrap_used)]

use alerting::config::{Secret, Sigv4};

use super::*;

fn signing(region: &str, keys: bool) -> Arc<Signing> {
    let secret_key = keys.then(|| Secret::new("s3cret"));
    let access_key = if keys { "AKIAEXAMPLE" } else { "" }.to_owned();
    let sigv4 = Sigv4 { region: region.to_owned(), access_key, secret_key, ..Sigv4::default() };
    Arc::new(Signing { sigv4, aws_client: false })
}

fn around(environment: Environment) -> Surroundings {
    let clients = Arc::new(Clients::new(None, environment));
    Surroundings { clients, http: Arc::default(), environment }
}

async fn sign(signing: &Arc<Signing>, environment: Environment, url: &str) -> Result<(Url, HeaderMap), AwsError> {
    let body = Bytes::from_static(b"Action=Publish");
    Signers::default().signed(signing, &around(environment), url, HeaderMap::new(), &body).await
}

#[tokio::test]
async fn keys_of_the_config_sign_for_its_region() {
    let (url, headers) = sign(&signing("eu-central-1", true), |_| None, "").await.unwrap();
    assert_eq!(url.as_str(), "https://sns.eu-central-1.amazonaws.com/");
    let value = &headers["authorization"];
    let text = value.to_str().unwrap();
    assert!(text.starts_with("AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/") && value.is_sensitive(), "{text}");
    assert!(text.contains("/eu-central-1/sns/aws4_request") && text.contains("SignedHeaders=host;"), "{text}");
    // SHA-256 of the body
    assert_eq!(headers["x-amz-content-sha256"].len(), 64);
}

#[tokio::test]
async fn the_environment_has_keys_region_and_endpoint() {
    fn environment(name: &str) -> Option<String> {
        let value = match name {
            "AWS_ACCESS_KEY_ID" => "AKIAOFENV",
            "AWS_SECRET_ACCESS_KEY" => "x",
            "AWS_SESSION_TOKEN" => "token",
            "AWS_REGION" => "us-east-1",
            "AWS_ENDPOINT_URL_SNS" => "http://sns.test:4566/",
            _ => return None,
        };
        Some(value.to_owned())
    }
    // the library asks for all variables at once: those that it finds are the process's, with the values from here
    let around = around(environment);
    assert_eq!(around.var("AWS_ACCESS_KEY_ID").as_deref(), Some("AKIAOFENV"));
    assert_eq!(region(&signing("", false), environment).await.as_deref(), Some("us-east-1"));
    let (url, headers) = sign(&signing("", true), environment, "").await.unwrap();
    assert_eq!(url.as_str(), "http://sns.test:4566/");
    assert!(headers["authorization"].to_str().unwrap().contains("/us-east-1/sns/"));
}

#[tokio::test]
async fn what_is_missing_is_said() {
    let error = sign(&signing("", true), |_| None, "").await.unwrap_err();
    assert!(error.to_string().contains("no region"), "{error}");
    fn no_machine(name: &str) -> Option<String> {
        (name == "AWS_EC2_METADATA_DISABLED").then(|| "true".to_owned())
    }
    let error = sign(&signing("eu-central-1", false), no_machine, "").await.unwrap_err();
    assert!(error.to_string().starts_with("signing for AWS: "), "{error}");
}

#[test]
fn settings_are_found_in_their_section() {
    let text = "[default]\nregion = a\n[profile x]\nrole=y\n region=b \n[z]\nregion=c";
    for (sections, found) in [(&["default"][..], Some("a")), (&["profile x", "x"], Some("b")), (&["nothing"], None)] {
        assert_eq!(setting(text, sections, "region").as_deref(), found);
    }
}
