//! The file that turns on TLS and authentication of a member's web interface.

use std::collections::BTreeMap;

use crate::crd::Web;

/// The directory of that file and of the certificate, in a pod.
pub const WEB_DIR: &str = "/etc/alertmanager/web";
/// The name of that file.
pub const WEB_FILE: &str = "web.yml";

/// Beside it, the token with which the operator may post alerts past TLS and passwords.
pub const WEB_TOKEN_FILE: &str = "operator-token";

/// Why the file can't be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebError {
    /// The Secret is not there.
    #[error("spec.web: Secret {0}: there is no such object")]
    Missing(String),
    /// It names nobody.
    #[error(
        "spec.web: Secret {0}: it has no key; each is to be the name of a user, its value a bcrypt hash of the password"
    )]
    NoUsers(String),
    /// A value is not a hash.
    #[error("spec.web: Secret {secret}, key {user}: the value is not a bcrypt hash (`htpasswd -nB {user}` prints one)")]
    NoHash {
        /// The Secret.
        secret: String,
        /// The key.
        user: String,
    },
}

/// The text of the file; `None` where the web interface is open to all. `users` is what the Secret with users holds, if
/// it is there.
///
/// # Errors
/// When it can't protect as it is asked to.
pub fn web_file(web: &Web, users: Option<&BTreeMap<String, Vec<u8>>>) -> Result<Option<String>, WebError> {
    let mut text = String::new();
    if web.tls_secret_name.is_some() {
        text += "tls_server_config: {cert_file: tls.crt, key_file: tls.key}\n";
    }
    if let Some(secret) = &web.basic_auth_secret_name {
        let users = users.ok_or_else(|| WebError::Missing(secret.clone()))?;
        if users.is_empty() {
            return Err(WebError::NoUsers(secret.clone()));
        }
        text += "basic_auth_users:\n";
        for (user, hash) in users {
            let wrong = || WebError::NoHash { secret: secret.clone(), user: user.clone() };
            let hash = std::str::from_utf8(hash).map_err(|_| wrong())?.trim();
            if !is_bcrypt(hash) {
                return Err(wrong());
            }
            text += &format!("  {user:?}: {hash:?}\n");
        }
    }
    Ok((!text.is_empty()).then_some(text))
}

/// `$2b$10$` and 53 characters.
fn is_bcrypt(hash: &str) -> bool {
    let Some(rest) = ["$2a$", "$2b$", "$2y$"].iter().find_map(|version| hash.strip_prefix(version)) else {
        return false;
    };
    let (cost, digest) = rest.split_once('$').unwrap_or_default();
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '/');
    cost.len() == 2
        && cost.parse().is_ok_and(|cost: u32| (4..=31).contains(&cost))
        && digest.len() == 53
        && digest.chars().all(known)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const HASH: &str = "$2y$10$EzBJxrYSJiRkTAaJ4CVcCe9Ql6PFgMPpuBKdYHlZ/fv0Xn2c3cXCi";

    fn web(json: &str) -> Web {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn who_asks_for_protection_gets_it_or_an_error() {
        let users = |pairs: &[(&str, &str)]| -> BTreeMap<String, Vec<u8>> {
            pairs.iter().map(|(user, hash)| ((*user).to_owned(), hash.as_bytes().to_vec())).collect()
        };
        assert_eq!(web_file(&web("{}"), None), Ok(None));
        let both = web(r#"{"tlsSecretName": "cert", "basicAuthSecretName": "users"}"#);
        let text = web_file(&both, Some(&users(&[("ann", HASH)]))).unwrap().unwrap();
        let expected = format!(
            "tls_server_config: {{cert_file: tls.crt, key_file: tls.key}}\nbasic_auth_users:\n  \"ann\": \"{HASH}\"\n"
        );
        assert_eq!(text, expected);
        assert_eq!(web_file(&both, None), Err(WebError::Missing("users".into())));
        assert_eq!(web_file(&both, Some(&users(&[]))), Err(WebError::NoUsers("users".into())));
        let plain = web_file(&both, Some(&users(&[("ann", "secret")])));
        assert_eq!(plain, Err(WebError::NoHash { secret: "users".into(), user: "ann".into() }));
    }
}
