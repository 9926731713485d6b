//! Reads and checks `oauth2`.

use super::error::ConfigError;
use super::form::Form;
use super::http::{OAuth2, OAuth2Grant, SecretSource};
use super::node::Node;
use super::out::Out;
use super::paths::Directory;
use super::tls_read::{NO_SECRET_MANAGER, file};
use super::{proxy, tls_read};

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// Reads it and prints it.
pub(super) fn read(node: &Node, path: &str, directory: &Directory) -> Result<(OAuth2, Out), ConfigError> {
    let mut form = Form::open(node, path, "config.plain")?;
    let client_id = form.text("client_id", "")?;
    let secret = form.secret("client_secret")?;
    let secret_file = file(&mut form, "client_secret_file", directory)?;
    let secret_reference = form.raw("client_secret_ref")?;
    let key_id = form.text("client_certificate_key_id", "")?;
    let key = form.secret("client_certificate_key")?;
    let key_file = form.file("client_certificate_key_file")?;
    let key_reference = form.raw("client_certificate_key_ref")?;
    let grant_type = form.text("grant_type", "")?;
    let algorithm = form.text("signature_algorithm", "")?;
    let issuer = Some(form.text("iss", "")?).filter(|text| !text.is_empty());
    let audience = Some(form.text("audience", "")?).filter(|text| !text.is_empty());
    let claims = form.values("claims")?;
    let scopes = form.texts("scopes")?;
    let token_url = form.text("token_url", "")?;
    let endpoint_params = form.text_map("endpoint_params")?;
    let tls = tls_read::field(&mut form, directory)?;
    let proxy = proxy::read(&mut form)?;
    form.complete()?;

    let proxy = proxy.checked(&form)?;
    form.refuse_if(client_id.is_empty(), "client_id", "oauth2 client_id must be configured")?;
    form.refuse_if(token_url.is_empty(), "token_url", "oauth2 token_url must be configured")?;
    let grant = if grant_type == JWT_BEARER {
        let message = "at most one of oauth2 client_certificate_key, client_certificate_key_file & \
                       client_certificate_key_ref must be configured using \
                       grant-type=urn:ietf:params:oauth:grant-type:jwt-bearer";
        let keys = [
            (key.is_some(), "client_certificate_key"),
            (key_file.is_some(), "client_certificate_key_file"),
            (!key_reference.is_empty(), "client_certificate_key_ref"),
        ];
        form.at_most_one(keys, message)?;
        form.refuse_if(keys[2].0, "client_certificate_key_ref", NO_SECRET_MANAGER)?;
        let algorithm = match algorithm.as_str() {
            "" | "RS256" => "RS256",
            "RS384" => "RS384",
            "RS512" => "RS512",
            _ => return Err(form.error("signature_algorithm", "valid signature algorithms are RS256, RS384 and RS512")),
        };
        OAuth2Grant::JwtBearer { key: SecretSource::of(key, key_file), key_id, algorithm, issuer, audience, claims }
    } else {
        let message = "at most one of oauth2 client_secret, client_secret_file & client_secret_ref must be configured \
                       using grant-type=client_credentials";
        let secrets = [
            (secret.is_some(), "client_secret"),
            (secret_file.is_some(), "client_secret_file"),
            (!secret_reference.is_empty(), "client_secret_ref"),
        ];
        form.at_most_one(secrets, message)?;
        form.refuse_if(secrets[2].0, "client_secret_ref", NO_SECRET_MANAGER)?;
        OAuth2Grant::ClientCredentials { secret: SecretSource::of(secret, secret_file) }
    };
    let oauth2 = OAuth2 { client_id, grant, scopes, token_url, endpoint_params, tls, proxy };
    Ok((oauth2, form.done()?))
}
