//! OAuth2 without IO: what is posted to a token's server, and what its answer means (RFC 6749, RFC 7523; where they leave
//! it open, what the reference's library does).

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value};

use super::answer::{first_json, logged};
use super::value::json;
use crate::config::{OAuth2, OAuth2Grant, Secret, encode_query, read_query};
use crate::time::Timestamp;

/// How much of an answer is read, in bytes.
pub const REPLY_MAX: usize = 1 << 20;

/// A token is not used in the last moments of its life.
const MARGIN: Duration = Duration::from_secs(10);

/// How long what proves the client is good for.
const ASSERTION_LIFE_SECS: i64 = 600;

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// How the client's ID and secret are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// As basic authentication.
    Header,
    /// Among the form's fields.
    Form,
}

/// What a client proves itself with: two parts of a JSON Web Token that are yet to be encoded and signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertion {
    /// JSON.
    pub header: String,
    /// JSON.
    pub claims: String,
}

/// A token as it's used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The value of `Authorization`.
    pub authorization: Secret,
    /// How long it can be used from the answer on; `None`: for ever.
    pub life: Option<Duration>,
}

/// Why there's no token. Nothing in it is secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// A parameter of the config takes the place of one that must be.
    #[error("`endpoint_params` can't replace `{0}`: remove it from there")]
    Overwritten(String),
    /// The server refused.
    #[error("the token's server answered with status {status}{details}")]
    Refused {
        /// HTTP status code.
        status: u16,
        /// What the server says of it, after a colon.
        details: String,
    },
    /// The answer can't be read.
    #[error("the token's server answered something else than a token")]
    Unreadable,
    /// There's no token in the answer.
    #[error("the token's server answered without an access_token")]
    Missing,
}

/// The form that asks for a token by `client_credentials`; the client's own name and secret come by [`Style`].
///
/// # Errors
/// When the config's parameters contradict the form.
pub fn credentials_form(config: &OAuth2) -> Result<Vec<(String, String)>, TokenError> {
    form(config, [("grant_type", "client_credentials")], !config.scopes.is_empty())
}

/// The form that asks for a token with a signed [`Assertion`].
///
/// # Errors
/// When the config's parameters contradict the form.
pub fn assertion_form(config: &OAuth2, signed: &str) -> Result<Vec<(String, String)>, TokenError> {
    let scoped = config.scopes.len() > 1 || config.scopes.iter().any(|scope| !scope.is_empty());
    form(config, [("grant_type", JWT_BEARER), ("assertion", signed)], scoped)
}

fn form<const N: usize>(
    config: &OAuth2,
    fixed: [(&str, &str); N],
    scoped: bool,
) -> Result<Vec<(String, String)>, TokenError> {
    let mut form: BTreeMap<String, String> =
        fixed.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    if scoped {
        form.insert("scope".into(), config.scopes.join(" "));
    }
    for (name, value) in &config.endpoint_params {
        // servers that want another grant_type exist
        if form.contains_key(name) && name != "grant_type" {
            return Err(TokenError::Overwritten(name.clone()));
        }
        form.insert(name.clone(), value.clone());
    }
    Ok(form.into_iter().collect())
}

/// The body of a form.
pub fn encode(form: &[(String, String)]) -> String {
    encode_query(form.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}

/// The same with the client's ID and secret in it; what is empty is left out.
pub fn encode_with_credentials(form: &[(String, String)], id: &str, secret: &str) -> String {
    let mut all: BTreeMap<&str, &str> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    all.extend([("client_id", id), ("client_secret", secret)].into_iter().filter(|(_, value)| !value.is_empty()));
    encode_query(all)
}

/// User and password of the basic authentication: both are encoded as in a form (RFC 6749, section 2.3.1).
pub fn basic(id: &str, secret: &str) -> (String, String) {
    // a parameter without a name is encoded as `=value`
    let encoded = |text: &str| encode_query([("", text)]).split_off(1);
    (encoded(id), encoded(secret))
}

/// What is to be signed at `now`; `id` must be new each time. `None` if the grant is another one, or a claim is
/// a number that JSON doesn't have.
pub fn assertion(config: &OAuth2, now: Timestamp, id: &str) -> Option<Assertion> {
    let OAuth2Grant::JwtBearer { key_id, algorithm, issuer, audience, claims: own, .. } = &config.grant else {
        return None;
    };
    let mut header = Map::new();
    header.insert("alg".into(), Value::from(*algorithm));
    header.insert("typ".into(), Value::from("JWT"));
    if !key_id.is_empty() {
        header.insert("kid".into(), Value::from(key_id.as_str()));
    }
    let now = now.as_secs();
    let mut claims = Map::new();
    claims.insert("iss".into(), Value::from(issuer.as_ref().unwrap_or(&config.client_id).as_str()));
    claims.insert("sub".into(), Value::from(config.client_id.as_str()));
    claims.insert("jti".into(), Value::from(id));
    claims.insert("aud".into(), Value::from(audience.as_ref().unwrap_or(&config.token_url).as_str()));
    claims.insert("iat".into(), Value::from(now));
    claims.insert("exp".into(), Value::from(now.saturating_add(ASSERTION_LIFE_SECS)));
    let scope = config.scopes.join(" ");
    if !scope.is_empty() {
        claims.insert("scope".into(), Value::from(scope));
    }
    for (name, value) in own {
        claims.insert(name.clone(), json(value)?);
    }
    Some(Assertion { header: Value::Object(header).to_string(), claims: Value::Object(claims).to_string() })
}

/// Reads the answer of a token's server.
///
/// # Errors
/// When there's no token in it.
pub fn token(grant: &OAuth2Grant, status: u16, content_type: &str, body: &str) -> Result<Token, TokenError> {
    let media = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let credentials = matches!(grant, OAuth2Grant::ClientCredentials { .. });
    let as_form = credentials && matches!(media.as_str(), "application/x-www-form-urlencoded" | "text/plain");
    let refused = |details: String| TokenError::Refused { status, details };
    let failed = !(200..300).contains(&status);
    let reply = match if as_form { Some(Reply::from_form(body)) } else { Reply::from_json(body, credentials) } {
        Some(reply) => reply,
        None if failed => return Err(refused(String::new())),
        None => return Err(TokenError::Unreadable),
    };
    if failed || credentials && !reply.error.is_empty() {
        let said = [reply.error, reply.error_description].into_iter().filter(|text| !text.is_empty());
        return Err(refused(said.map(|text| format!(": {}", logged(&text))).collect()));
    }
    if reply.access_token.is_empty() {
        return Err(TokenError::Missing);
    }
    let kind = match reply.token_type.to_ascii_lowercase().as_str() {
        "" | "bearer" => "Bearer",
        "mac" => "MAC",
        "basic" => "Basic",
        _ => &reply.token_type,
    };
    let life = match reply.expires_in {
        0 => None,
        secs if !credentials && secs < 0 => None,
        secs => Some(Duration::from_secs(u64::try_from(secs).unwrap_or(0)).saturating_sub(MARGIN)),
    };
    Ok(Token { authorization: Secret::new(format!("{kind} {}", reply.access_token)), life })
}

#[derive(Default)]
struct Reply {
    access_token: String,
    token_type: String,
    /// Seconds; 0: not said.
    expires_in: i64,
    error: String,
    error_description: String,
}

impl Reply {
    fn from_form(body: &str) -> Self {
        let fields = read_query(body);
        let of = |wanted: &str| fields.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
        Self {
            access_token: of("access_token").unwrap_or_default(),
            token_type: of("token_type").unwrap_or_default(),
            expires_in: of("expires_in").and_then(|secs| secs.parse().ok()).unwrap_or(0),
            error: of("error").unwrap_or_default(),
            error_description: of("error_description").unwrap_or_default(),
        }
    }

    /// Names in any case. Some servers give the seconds as a text.
    fn from_json(body: &str, lenient: bool) -> Option<Self> {
        let Value::Object(fields) = first_json::<Value>(body).ok()? else { return None };
        let mut reply = Self::default();
        for (name, value) in fields.into_iter().filter(|(_, value)| !value.is_null()) {
            let field = match name.to_ascii_lowercase().as_str() {
                "access_token" => &mut reply.access_token,
                "token_type" => &mut reply.token_type,
                "error" if lenient => &mut reply.error,
                "error_description" if lenient => &mut reply.error_description,
                "expires_in" => {
                    reply.expires_in = match value {
                        Value::Number(number) => number.as_i64()?,
                        Value::String(text) if lenient => text.parse().ok()?,
                        _ => return None,
                    };
                    if lenient {
                        reply.expires_in = reply.expires_in.min(i64::from(i32::MAX));
                    }
                    continue;
                }
                _ => continue,
            };
            let Value::String(text) = value else { return None };
            *field = text;
        }
        Some(reply)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::config::{ProxyConfig, TlsConfig};

    fn config(grant: OAuth2Grant) -> OAuth2 {
        OAuth2 {
            client_id: "me & you".into(),
            grant,
            scopes: vec!["a".into(), "b".into()],
            token_url: "https://token.example/".into(),
            endpoint_params: BTreeMap::from([("audience".into(), "x".into())]),
            tls: TlsConfig::default(),
            proxy: ProxyConfig::default(),
        }
    }

    fn credentials() -> OAuth2Grant {
        OAuth2Grant::ClientCredentials { secret: None }
    }

    fn bearer() -> OAuth2Grant {
        OAuth2Grant::JwtBearer {
            key: None,
            key_id: "k1".into(),
            algorithm: "RS384",
            issuer: None,
            audience: None,
            claims: BTreeMap::from([("sub".into(), crate::config::Value::Text("other".into()))]),
        }
    }

    #[test]
    fn forms_are_sorted_and_keep_what_must_be() {
        let mut config = config(credentials());
        let form = credentials_form(&config).unwrap();
        assert_eq!(encode(&form), "audience=x&grant_type=client_credentials&scope=a+b");
        assert_eq!(
            encode_with_credentials(&form, "me & you", ""),
            "audience=x&client_id=me+%26+you&grant_type=client_credentials&scope=a+b"
        );
        assert_eq!(basic("me & you", "é"), ("me+%26+you".into(), "%C3%A9".into()));
        config.endpoint_params.insert("grant_type".into(), "password".into());
        assert_eq!(encode(&credentials_form(&config).unwrap()), "audience=x&grant_type=password&scope=a+b");
        config.endpoint_params.insert("scope".into(), "c".into());
        assert_eq!(credentials_form(&config), Err(TokenError::Overwritten("scope".into())));
    }

    #[test]
    fn assertions_say_who_asks_whom() {
        let config = config(bearer());
        let assertion = assertion(&config, Timestamp::from_secs(1_000), "id").unwrap();
        assert_eq!(assertion.header, r#"{"alg":"RS384","kid":"k1","typ":"JWT"}"#);
        assert_eq!(
            assertion.claims,
            r#"{"aud":"https://token.example/","exp":1600,"iat":1000,"iss":"me & you","jti":"id","scope":"a b","sub":"other"}"#
        );
        let form = encode(&assertion_form(&config, "a.b.c").unwrap());
        assert!(form.starts_with("assertion=a.b.c&audience=x&grant_type=urn%3Aietf%3Aparams%3Aoauth%3A"), "{form}");
    }

    #[test]
    fn answers_are_read_as_they_come() {
        let json = "application/json; charset=utf-8";
        let read = |grant: &OAuth2Grant, status, kind: &str, body: &str| {
            token(grant, status, kind, body)
                .map(|token| (token.authorization.expose().to_owned(), token.life.map(|life| life.as_secs())))
        };
        let good = [
            (json, r#"{"access_token":"t"}"#, "Bearer t", None),
            (json, r#"{"Access_Token":"t","token_type":"BEARER","expires_in":3600}"#, "Bearer t", Some(3590)),
            ("", r#"{"access_token":"t","token_type":"mac","expires_in":"60"}"#, "MAC t", Some(50)),
            ("", r#"{"access_token":"t","token_type":"DPoP","expires_in":5,"error":null}"#, "DPoP t", Some(0)),
            ("text/plain", "access_token=a+b&expires_in=20&token_type=basic", "Basic a b", Some(10)),
            ("", r#"{"access_token":"t","expires_in":99999999999}"#, "Bearer t", Some(2_147_483_637)),
        ];
        for (kind, body, authorization, life) in good {
            assert_eq!(read(&credentials(), 200, kind, body), Ok((authorization.to_owned(), life)), "{body}");
        }
        let bad = [
            (200, "{}", "without an access_token"),
            (200, "[]", "something else"),
            (200, r#"{"access_token":7}"#, "something else"),
            (200, r#"{"access_token":"t","expires_in":1.5}"#, "something else"),
            (200, r#"{"access_token":"t","error":"nope"}"#, "status 200: nope"),
            (401, r#"{"error":"invalid_client","error_description":"who?"}"#, "status 401: invalid_client: who?"),
            (503, "busy", "status 503"),
        ];
        for (status, body, wanted) in bad {
            let error = read(&credentials(), status, json, body).unwrap_err().to_string();
            assert!(error.contains(wanted), "{body}: {error}");
        }
        // the other grant's answer is JSON, and seconds are numbers
        assert_eq!(read(&bearer(), 200, "text/plain", r#"{"access_token":"t","expires_in":-1}"#).unwrap().1, None);
        assert!(read(&bearer(), 200, json, r#"{"access_token":"t","expires_in":"60"}"#).is_err());
    }
}
