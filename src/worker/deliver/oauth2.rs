//! Tokens in use: fetched when there's none, kept while they last, one fetch at a time.

use std::sync::{Arc, Mutex as Lock, PoisonError};
use std::time::Duration;

use alerting::config::{HttpConfig, OAuth2, OAuth2Grant, Secret, SecretSource};
use alerting::notify::oauth2::{self, Style, Token, TokenError};
use alerting::time::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, Url};
use ring::rand::SystemRandom;
use ring::signature::{self, RsaEncoding, RsaKeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::journey::Journey;
use super::{DeliverError, Deliverer, basic, received, sensitive};

/// A token that nobody used for so long belongs to a receiver that's gone.
const UNUSED_MAX: Duration = Duration::from_secs(3600);

/// The tokens in use.
#[derive(Debug, Default)]
pub(super) struct Tokens(Lock<Vec<Kept>>);

#[derive(Debug)]
struct Kept {
    config: OAuth2,
    secret: Secret,
    state: Arc<Mutex<State>>,
    used: Instant,
}

#[derive(Debug, Default)]
struct State {
    /// How the server wants to see the secret, once that's known.
    style: Option<Style>,
    token: Option<(HeaderValue, Option<Instant>)>,
}

impl Tokens {
    fn state(&self, config: &OAuth2, secret: &Secret) -> Arc<Mutex<State>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = all.iter_mut().find(|kept| kept.config == *config && kept.secret == *secret) {
            kept.used = Instant::now();
            return Arc::clone(&kept.state);
        }
        all.retain(|kept| kept.used.elapsed() < UNUSED_MAX);
        let state = Arc::default();
        let kept =
            Kept { config: config.clone(), secret: secret.clone(), state: Arc::clone(&state), used: Instant::now() };
        all.push(kept);
        state
    }
}

impl Deliverer {
    /// The value of `Authorization` for `config`.
    ///
    /// # Errors
    /// When there's no token to be had.
    pub(super) async fn token(&self, config: &OAuth2) -> Result<HeaderValue, DeliverError> {
        let secret = match &config.grant {
            OAuth2Grant::ClientCredentials { secret: source } | OAuth2Grant::JwtBearer { key: source, .. } => source,
        };
        let secret = Secret::new(match secret {
            Some(source @ SecretSource::Inline(_)) => self.secret(source).await?,
            // not where the config is: the reference leaves this path alone
            Some(SecretSource::File(path)) => super::trimmed(path.as_ref()).await?,
            None => String::new(),
        });
        let state = self.tokens.state(config, &secret);
        // whoever comes while a token is fetched waits for it
        let mut state = state.lock().await;
        if let Some((value, until)) = &state.token
            && until.is_none_or(|until| Instant::now() < until)
        {
            return Ok(value.clone());
        }
        let fetched = match &config.grant {
            OAuth2Grant::ClientCredentials { .. } => self.by_credentials(config, &secret, &mut state.style).await?,
            OAuth2Grant::JwtBearer { algorithm, .. } => self.by_assertion(config, &secret, algorithm).await?,
        };
        let value = sensitive(fetched.authorization.expose(), AUTHORIZATION.as_str())?;
        let until = fetched.life.map(|life| Instant::now() + life);
        state.token = Some((value.clone(), until));
        Ok(value)
    }

    async fn by_credentials(
        &self,
        config: &OAuth2,
        secret: &Secret,
        known: &mut Option<Style>,
    ) -> Result<Token, DeliverError> {
        let form = oauth2::credentials_form(config).map_err(DeliverError::Token)?;
        let mut failed = None;
        for style in known.map_or(vec![Style::Header, Style::Form], |style| vec![style]) {
            let (body, authorization) = match style {
                Style::Header => {
                    let (user, password) = oauth2::basic(&config.client_id, secret.expose());
                    (oauth2::encode(&form), Some(basic(&user, &password)?))
                }
                Style::Form => (oauth2::encode_with_credentials(&form, &config.client_id, secret.expose()), None),
            };
            match self.exchange(config, body, authorization).await {
                Ok(token) => {
                    *known = Some(style);
                    return Ok(token);
                }
                Err(error) => failed = Some(error),
            }
        }
        Err(failed.unwrap_or(DeliverError::Token(TokenError::Missing)))
    }

    async fn by_assertion(&self, config: &OAuth2, key: &Secret, algorithm: &str) -> Result<Token, DeliverError> {
        let signed = signed(config, key, algorithm)?;
        let form = oauth2::assertion_form(config, &signed).map_err(DeliverError::Token)?;
        self.exchange(config, oauth2::encode(&form), None).await
    }

    async fn exchange(
        &self,
        config: &OAuth2,
        body: String,
        authorization: Option<HeaderValue>,
    ) -> Result<Token, DeliverError> {
        let http = HttpConfig {
            enable_http2: false,
            tls: config.tls.clone(),
            proxy: config.proxy.clone(),
            ..HttpConfig::default()
        };
        let url = Url::parse(&config.token_url).map_err(|_| DeliverError::TokenUrl)?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        headers.extend(authorization.map(|value| (AUTHORIZATION, value)));
        let journey = Journey::new(Method::POST, url, headers, Bytes::from(body));
        let response = self.send(&Arc::new(http), journey, None).await.map_err(|error| match error {
            DeliverError::Send(source) => DeliverError::TokenSend(source),
            error => error,
        })?;
        let response = received(response, oauth2::REPLY_MAX).await;
        oauth2::token(&config.grant, response.status, &response.content_type, &response.body)
            .map_err(DeliverError::Token)
    }
}

/// A JSON Web Token, signed with the key.
fn signed(config: &OAuth2, key: &Secret, algorithm: &str) -> Result<String, DeliverError> {
    let now = Timestamp::from_secs(unix_secs());
    let assertion = oauth2::assertion(config, now, &new_id()).ok_or(DeliverError::Claims)?;
    let encoded = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let text = format!("{}.{}", encoded(&assertion.header), encoded(&assertion.claims));
    let padding: &'static dyn RsaEncoding = match algorithm {
        "RS384" => &signature::RSA_PKCS1_SHA384,
        "RS512" => &signature::RSA_PKCS1_SHA512,
        _ => &signature::RSA_PKCS1_SHA256,
    };
    let pair = match PrivateKeyDer::from_pem_slice(key.expose().as_bytes()) {
        Ok(PrivateKeyDer::Pkcs1(der)) => RsaKeyPair::from_der(der.secret_pkcs1_der()).ok(),
        Ok(PrivateKeyDer::Pkcs8(der)) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).ok(),
        _ => None,
    };
    let pair = pair.ok_or(DeliverError::SigningKey)?;
    let mut signature = vec![0; pair.public().modulus_len()];
    let done = pair.sign(padding, &SystemRandom::new(), text.as_bytes(), &mut signature);
    done.map_err(|_| DeliverError::SigningKey)?;
    Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

fn unix_secs() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// A random UUID (RFC 9562, version 4).
fn new_id() -> String {
    let random = rand::random::<u128>() & !(0xf << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let text = format!("{random:032x}");
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}
