//! Requests to AWS: where they go and with whose keys they are signed. Keys are looked for where AWS's programs look:
//! config, environment, files, web identity, container, machine; a role is taken on if the config has one.

use std::sync::{Arc, Mutex as Lock, PoisonError};
use std::time::Duration;

use alerting::config::{HttpConfig, TlsConfig};
use alerting::notify::{Signing, aws_url};
use bytes::Bytes;
use reqsign_aws_v4::{
    AssumeRoleCredentialProvider, AssumeRoleWithWebIdentityCredentialProvider, Credential, ECSCredentialProvider,
    EnvCredentialProvider, IMDSv2CredentialProvider, ProcessCredentialProvider, ProfileCredentialProvider,
    RequestSigner, SSOCredentialProvider, StaticCredentialProvider,
};
use reqsign_core::{
    CommandExecute, CommandOutput, Context, Env, Error, FileRead, HttpSend, ProvideCredentialChain, Signer,
};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use sha2::{Digest, Sha256};

use super::client::Clients;
use super::proxy::Environment;

/// For a question on the way to keys. The machine's own service answers at once, or isn't there.
const QUESTION_MAX: Duration = Duration::from_secs(5);

/// A session of a role is named so.
const SESSION: &str = "alertmanager";

/// Says what the payload is.
const CONTENT_HASH: HeaderName = HeaderName::from_static("x-amz-content-sha256");

/// Why a request isn't signed. No key is in it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AwsError {
    /// Nobody says where.
    #[error("no region: give it as `sigv4.region`, AWS_REGION, or in the shared config of AWS")]
    Region,
    /// The endpoint of config or environment.
    #[error("the endpoint of AWS is not a valid URL")]
    Url,
    /// No keys, or nothing can be signed with them.
    #[error("signing for AWS: {0}")]
    Sign(String),
}

/// Those who sign, with the keys that they have found.
#[derive(Debug, Default)]
pub(super) struct Signers(Lock<Vec<Kept>>);

#[derive(Debug)]
struct Kept {
    signing: Arc<Signing>,
    http: Arc<HttpConfig>,
    region: String,
    signer: Signer<Credential>,
}

/// Signers remembered before those that came first are forgotten.
const SIGNERS: usize = 64;

/// What finds keys.
#[derive(Debug, Clone)]
pub(super) struct Surroundings {
    pub(super) clients: Arc<Clients>,
    pub(super) http: Arc<HttpConfig>,
    pub(super) environment: Environment,
}

/// As the settings say to connect to AWS.
pub(super) fn http(signing: &Signing, http: &Arc<HttpConfig>, environment: Environment) -> Arc<HttpConfig> {
    let bundle = variable(environment, "AWS_CA_BUNDLE");
    if !signing.aws_client && bundle.is_none() {
        return Arc::clone(http);
    }
    let mut tls = http.tls.clone();
    if bundle.is_some() {
        tls = TlsConfig { ca: None, ca_file: bundle, ..tls };
    }
    Arc::new(HttpConfig { tls, proxy: http.proxy.clone(), follow_redirects: false, ..HttpConfig::default() })
}

impl Signers {
    /// The URL, and headers with a signature. `url` is empty if only the region says it.
    ///
    /// # Errors
    /// When there's no region or no key.
    pub(super) async fn signed(
        &self,
        signing: &Arc<Signing>,
        around: &Surroundings,
        url: &str,
        mut headers: HeaderMap,
        body: &Bytes,
    ) -> Result<(Url, HeaderMap), AwsError> {
        let region = region(signing, around.environment).await.ok_or(AwsError::Region)?;
        let url = match url {
            "" => endpoint("SNS", around.environment).unwrap_or_else(|| aws_url("sns", &region)),
            url => url.to_owned(),
        };
        let url = Url::parse(&url).map_err(|_| AwsError::Url)?;
        let hash = Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        headers.insert(CONTENT_HASH, HeaderValue::from_str(&hash).map_err(|_| AwsError::Url)?);
        let mut request = http::Request::post(url.as_str()).body(()).map_err(|_| AwsError::Url)?.into_parts().0;
        request.headers = headers;
        let signer = self.signer(signing, around, region);
        signer.sign(&mut request, None).await.map_err(|error| AwsError::Sign(error.to_string()))?;
        for name in ["authorization", "x-amz-security-token"] {
            if let Some(value) = request.headers.get_mut(name) {
                value.set_sensitive(true);
            }
        }
        Ok((url, request.headers))
    }

    fn signer(&self, signing: &Arc<Signing>, around: &Surroundings, region: String) -> Signer<Credential> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |kept: &&Kept| kept.region == region && kept.signing == *signing && kept.http == around.http;
        if let Some(kept) = all.iter().find(same) {
            return kept.signer.clone();
        }
        let signer = new_signer(signing, around, &region);
        if all.len() >= SIGNERS {
            all.remove(0);
        }
        let (signing, http) = (Arc::clone(signing), Arc::clone(&around.http));
        all.push(Kept { signing, http, region, signer: signer.clone() });
        signer
    }
}

fn new_signer(signing: &Signing, around: &Surroundings, region: &str) -> Signer<Credential> {
    let sigv4 = &signing.sigv4;
    let context = Context::new()
        .with_file_read(around.clone())
        .with_http_send(around.clone())
        .with_command_execute(around.clone())
        .with_env(around.clone());
    let own = chain(signing);
    let for_sns = RequestSigner::new("sns", region);
    if sigv4.role_arn.is_empty() {
        return Signer::new(context, own, for_sns);
    }
    let to_take_on = Signer::new(context.clone(), own, RequestSigner::new("sts", region));
    let mut role = AssumeRoleCredentialProvider::new(sigv4.role_arn.clone(), to_take_on)
        .with_role_session_name(SESSION.to_owned())
        .with_duration_seconds(900)
        .with_region(region.to_owned())
        .with_regional_sts_endpoint();
    if !sigv4.external_id.is_empty() {
        role = role.with_external_id(sigv4.external_id.clone());
    }
    Signer::new(context, role, for_sns)
}

/// Where keys are looked for, in AWS's order; a profile of the config goes before the environment.
fn chain(signing: &Signing) -> ProvideCredentialChain<Credential> {
    let sigv4 = &signing.sigv4;
    let mut chain = ProvideCredentialChain::new();
    if let Some(secret) = sigv4.secret_key.as_ref().filter(|_| !sigv4.access_key.is_empty()) {
        return chain.push(StaticCredentialProvider::new(&sigv4.access_key, secret.expose()));
    }
    let (mut profile, mut sso, mut process) =
        (ProfileCredentialProvider::new(), SSOCredentialProvider::new(), ProcessCredentialProvider::new());
    if sigv4.profile.is_empty() {
        chain = chain.push(EnvCredentialProvider::new()).push(AssumeRoleWithWebIdentityCredentialProvider::new());
    } else {
        profile = profile.with_profile(&sigv4.profile);
        sso = sso.with_profile(&sigv4.profile);
        process = process.with_profile(&sigv4.profile);
    }
    let chain = chain.push(profile).push(sso).push(process);
    chain.push(ECSCredentialProvider::new()).push(IMDSv2CredentialProvider::new())
}

/// A variable that isn't empty.
fn variable(environment: Environment, name: &str) -> Option<String> {
    environment(name).filter(|value| !value.is_empty())
}

/// Where the environment wants a service to be.
fn endpoint(service: &str, environment: Environment) -> Option<String> {
    let ignored = variable(environment, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").is_some_and(|value| value == "true");
    let own = variable(environment, &format!("AWS_ENDPOINT_URL_{service}"));
    own.or_else(|| variable(environment, "AWS_ENDPOINT_URL")).filter(|_| !ignored)
}

/// Of the config, the environment, or the profile in AWS's files.
async fn region(signing: &Signing, environment: Environment) -> Option<String> {
    if !signing.sigv4.region.is_empty() {
        return Some(signing.sigv4.region.clone());
    }
    let names = ["AWS_REGION", "AWS_DEFAULT_REGION"];
    if let Some(region) = names.into_iter().find_map(|name| variable(environment, name)) {
        return Some(region);
    }
    let own = Some(signing.sigv4.profile.clone()).filter(|name| !name.is_empty());
    let profile = own.or_else(|| variable(environment, "AWS_PROFILE")).unwrap_or_else(|| "default".into());
    for (variable_name, usual, section) in [
        ("AWS_CONFIG_FILE", ".aws/config", format!("profile {profile}")),
        ("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials", profile.clone()),
    ] {
        let home = || variable(environment, "HOME").map(|home| format!("{home}/{usual}"));
        let Some(path) = variable(environment, variable_name).or_else(home) else { continue };
        let Ok(text) = tokio::fs::read_to_string(&path).await else { continue };
        if let Some(region) = setting(&text, &[&section, &profile], "region") {
            return Some(region);
        }
    }
    None
}

/// A setting of the first section that has one of these names and the setting.
fn setting(text: &str, sections: &[&str], name: &str) -> Option<String> {
    let mut within = false;
    for line in text.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            within = sections.contains(&section.trim());
        } else if let Some((key, value)) = line.split_once('=')
            && within
            && key.trim() == name
        {
            return Some(value.trim().to_owned());
        }
    }
    None
}

impl FileRead for Surroundings {
    async fn file_read(&self, path: &str) -> reqsign_core::Result<Vec<u8>> {
        tokio::fs::read(path).await.map_err(|error| Error::unexpected(format!("reading `{path}`: {error}")))
    }
}

impl HttpSend for Surroundings {
    async fn http_send(&self, request: http::Request<Bytes>) -> reqsign_core::Result<http::Response<Bytes>> {
        let failed = |error: reqwest::Error| Error::unexpected(crate::log::chain(&error.without_url()));
        let (head, body) = request.into_parts();
        let mut url = Url::parse(&head.uri.to_string()).map_err(|_| Error::unexpected("not a URL"))?;
        if let Some(other) = endpoint("STS", self.environment).filter(|_| is_sts(&url)) {
            let other = Url::parse(&other).map_err(|_| Error::unexpected("the endpoint of STS is not a URL"))?;
            let moved = url.set_scheme(other.scheme()).is_ok() && url.set_host(other.host_str()).is_ok();
            let _ = url.set_port(other.port());
            if !moved {
                return Err(Error::unexpected("the endpoint of STS can't be used"));
            }
        }
        let client = self.clients.client(&self.http, std::path::Path::new("")).await;
        let client = client.map_err(|error| Error::unexpected(crate::log::chain(&error)))?;
        let method = Method::from_bytes(head.method.as_str().as_bytes()).unwrap_or(Method::GET);
        let sending = client.request(method, url).headers(head.headers).body(body).timeout(QUESTION_MAX);
        let response = sending.send().await.map_err(failed)?;
        let mut answer = http::Response::new(Bytes::new());
        *answer.status_mut() = response.status();
        *answer.headers_mut() = response.headers().clone();
        *answer.body_mut() = response.bytes().await.map_err(failed)?;
        Ok(answer)
    }
}

fn is_sts(url: &Url) -> bool {
    url.host_str().is_some_and(|host| host.starts_with("sts.") || host.starts_with("sts-"))
}

impl CommandExecute for Surroundings {
    async fn command_execute(&self, program: &str, args: &[&str]) -> reqsign_core::Result<CommandOutput> {
        let run = tokio::process::Command::new(program).args(args).kill_on_drop(true).output();
        let output = run.await.map_err(|error| Error::unexpected(format!("running `{program}`: {error}")))?;
        let status = output.status.code().unwrap_or(-1);
        Ok(CommandOutput { status, stdout: output.stdout, stderr: output.stderr })
    }
}

impl Env for Surroundings {
    fn var(&self, key: &str) -> Option<String> {
        variable(self.environment, key)
    }

    fn vars(&self) -> std::collections::HashMap<String, String> {
        let known = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        known.filter_map(|name| Some((name.clone(), variable(self.environment, &name)?))).collect()
    }

    fn home_dir(&self) -> Option<std::path::PathBuf> {
        variable(self.environment, "HOME").map(Into::into)
    }
}

#[cfg(test)]
mod tests;
