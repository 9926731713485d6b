//! Reads and checks `tls_config`.

use super::error::ConfigError;
use super::form::Form;
use super::http::{ClientCertificate, SecretSource, TlsConfig, TlsVersion};
use super::node::Node;
use super::out::{Fields, Out};
use super::paths::Directory;
use super::secret::Secret;

/// What to say of secrets that somebody else keeps.
pub(super) const NO_SECRET_MANAGER: &str = "there is no secret manager to look this up: use the field without _ref";

/// How a `tls_config` that is not given is printed, where it is at all.
pub(super) fn default_printed() -> Out {
    let mut printed = Fields::default();
    printed.put("insecure_skip_verify", Out::Bare("false".into()));
    printed.done()
}

/// Reads a `tls_config` and prints it. `directory`: from which its files count.
pub(super) fn read(node: &Node, path: &str, directory: &Directory) -> Result<(TlsConfig, Out), ConfigError> {
    let mut form = Form::open(node, path, "config.plain")?;
    let ca = form.text("ca", "")?;
    let cert = form.text("cert", "")?;
    let key = form.secret("key")?;
    let ca_file = file(&mut form, "ca_file", directory)?;
    let cert_file = file(&mut form, "cert_file", directory)?;
    let key_file = file(&mut form, "key_file", directory)?;
    let references = [form.raw("ca_ref")?, form.raw("cert_ref")?, form.raw("key_ref")?];
    let server_name = form.text("server_name", "")?;
    let insecure_skip_verify = form.flag("insecure_skip_verify", false)?;
    let min_version = version(&mut form, "min_version")?;
    let max_version = version(&mut form, "max_version")?;
    form.complete()?;

    let given = references.each_ref().map(|reference| !reference.is_empty());
    let cas = [(!ca.is_empty(), "ca"), (ca_file.is_some(), "ca_file"), (given[0], "ca_ref")];
    form.at_most_one(cas, "at most one of ca, ca_file & ca_ref must be configured")?;
    let certs = [(!cert.is_empty(), "cert"), (cert_file.is_some(), "cert_file"), (given[1], "cert_ref")];
    form.at_most_one(certs, "at most one of cert, cert_file & cert_ref must be configured")?;
    let keys = [(key.is_some(), "key"), (key_file.is_some(), "key_file"), (given[2], "key_ref")];
    form.at_most_one(keys, "at most one of key and key_file must be configured")?;
    let (certificate, private) = (certs.iter().any(|(given, _)| *given), keys.iter().any(|(given, _)| *given));
    let message = "exactly one of key or key_file must be configured when a client certificate is configured";
    form.refuse_if(certificate && !private, "cert", message)?;
    let message = "exactly one of cert or cert_file must be configured when a client key is configured";
    form.refuse_if(private && !certificate, "key", message)?;
    for (given, name) in given.into_iter().zip(["ca_ref", "cert_ref", "key_ref"]) {
        form.refuse_if(given, name, NO_SECRET_MANAGER)?;
    }
    let filled = |text: String| Some(text).filter(|text| !text.is_empty());
    let certificate = SecretSource::of(filled(cert).map(Secret::new), cert_file);
    let client = certificate.zip(SecretSource::of(key, key_file));
    let tls = TlsConfig {
        ca: filled(ca),
        ca_file,
        client: client.map(|(certificate, key)| ClientCertificate { certificate, key }),
        server_name: filled(server_name),
        insecure_skip_verify,
        min_version,
        max_version,
    };
    Ok((tls, form.done()?))
}

/// Reads the `tls_config` of a form, printed if it says anything.
pub(super) fn field(form: &mut Form<'_>, directory: &Directory) -> Result<TlsConfig, ConfigError> {
    let Some(node) = form.node("tls_config") else { return Ok(TlsConfig::default()) };
    let (tls, printed) = read(node, &form.path("tls_config"), directory)?;
    if tls != TlsConfig::default() {
        form.printed().put("tls_config", printed);
    }
    Ok(tls)
}

/// Reads a path that counts from `directory`.
pub(super) fn file(
    form: &mut Form<'_>,
    name: &'static str,
    directory: &Directory,
) -> Result<Option<String>, ConfigError> {
    let path = directory.join(&form.raw(name)?);
    form.printed().put_some(name, Out::text(&path));
    Ok(Some(path).filter(|path| !path.is_empty()))
}

fn version(form: &mut Form<'_>, name: &'static str) -> Result<Option<TlsVersion>, ConfigError> {
    if form.node(name).is_none() {
        return Ok(None);
    }
    let text = form.text(name, "")?;
    match text.as_str() {
        "TLS10" => Ok(Some(TlsVersion::Tls10)),
        "TLS11" => Ok(Some(TlsVersion::Tls11)),
        "TLS12" => Ok(Some(TlsVersion::Tls12)),
        "TLS13" => Ok(Some(TlsVersion::Tls13)),
        _ => Err(form.error(name, format!("unknown TLS version: {text}"))),
    }
}
