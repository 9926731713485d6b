//! Reads and checks `tls_config`, and refuses the parts that this version cannot act on.

use super::error::ConfigError;
use super::http::TlsConfig;
use super::http_read::{NOT_READ, at_most_one, is_set};
use super::node::Node;
use super::out::{Fields, Out};
use super::section::Section;

const FIELDS: [&str; 13] = [
    "ca",
    "cert",
    "key",
    "ca_file",
    "cert_file",
    "key_file",
    "ca_ref",
    "cert_ref",
    "key_ref",
    "server_name",
    "insecure_skip_verify",
    "min_version",
    "max_version",
];

/// How a `tls_config` that is not given is printed, where it is at all.
pub(super) fn default_printed() -> Out {
    let mut printed = Fields::default();
    printed.put("insecure_skip_verify", Out::Bare("false".into()));
    printed.done()
}

/// Reads a `tls_config` and prints it.
pub(super) fn read(node: &Node, path: &str) -> Result<(TlsConfig, Out), ConfigError> {
    let section = Section::open(node, path, "config.plain", &FIELDS)?;
    at_most_one(&section, &["ca", "ca_file", "ca_ref"], "at most one of ca, ca_file & ca_ref must be configured")?;
    let certificate = ["cert", "cert_file", "cert_ref"];
    at_most_one(&section, &certificate, "at most one of cert, cert_file & cert_ref must be configured")?;
    let key = ["key", "key_file", "key_ref"];
    at_most_one(&section, &key, "at most one of key and key_file must be configured")?;
    let any = |names: &[&str]| names.iter().try_fold(false, |found, name| Ok(found | is_set(&section, name)?));
    match (any(&certificate)?, any(&key)?) {
        (true, false) => {
            let message = "exactly one of key or key_file must be configured when a client certificate is configured";
            return Err(section.error("cert", message));
        }
        (false, true) => {
            let message = "exactly one of cert or cert_file must be configured when a client key is configured";
            return Err(section.error("key", message));
        }
        _ => {}
    }
    for name in ["cert", "cert_file", "key", "key_file", "min_version", "max_version"] {
        if is_set(&section, name)? {
            return Err(section.unsupported(name, NOT_READ));
        }
    }
    for name in ["ca_ref", "cert_ref", "key_ref"] {
        if is_set(&section, name)? {
            return Err(section.unsupported(name, "there is no secret manager"));
        }
    }
    let text = |name| Ok(section.text(name)?.filter(|text| !text.is_empty()).map(str::to_owned));
    let tls = TlsConfig {
        ca: text("ca")?,
        ca_file: text("ca_file")?,
        server_name: text("server_name")?,
        insecure_skip_verify: section.flag("insecure_skip_verify", false)?,
    };
    let mut out = Fields::default();
    for (name, value) in [("ca", &tls.ca), ("ca_file", &tls.ca_file), ("server_name", &tls.server_name)] {
        out.put_some(name, Out::text(value.as_deref().unwrap_or_default()));
    }
    out.put("insecure_skip_verify", Out::Bare(tls.insecure_skip_verify.to_string()));
    Ok((tls, out.done()))
}
