//! The files that a configuration names: who hands it out can see to it that they are there.

use super::ConfigError;
use super::node::{Content, Node, read};

/// A file that a field of the configuration names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedFile {
    /// The line of the value, from 1.
    pub line: usize,
    /// The field, e.g. `url_file`.
    pub field: String,
    /// As written.
    pub path: String,
}

/// All files that fields called `*_file` name, in the order of the text.
///
/// # Errors
/// When the text is no YAML.
pub fn named_files(text: &str) -> Result<Vec<NamedFile>, ConfigError> {
    let mut found = Vec::new();
    if let Some(root) = read(text)? {
        collect(&root, &mut found);
    }
    Ok(found)
}

/// Where an operator mounts Secrets and ConfigMaps that a config names files of: `DIR/<name>/<key>`.
pub const MOUNTED_SECRETS_DIR: &str = "/etc/alertmanager/secrets";
/// The same of ConfigMaps.
pub const MOUNTED_CONFIG_MAPS_DIR: &str = "/etc/alertmanager/configmaps";

/// The named files that belong to the config as an operator gives it, each once, in the order of their paths: their
/// contents count in [`Config::hash`](super::Config::hash). Others, such as tokens that somebody else rotates, don't.
pub(super) fn mounted_files(text: &str) -> Vec<String> {
    let dirs = [MOUNTED_SECRETS_DIR, MOUNTED_CONFIG_MAPS_DIR];
    // most configs name none: no need to read them twice
    if !dirs.iter().any(|dir| text.contains(dir)) {
        return Vec::new();
    }
    let below = |path: &str| dirs.iter().any(|dir| path.strip_prefix(dir).is_some_and(|rest| rest.starts_with('/')));
    let named = named_files(text).unwrap_or_default().into_iter().map(|file| file.path);
    let distinct: std::collections::BTreeSet<String> = named.filter(|path| below(path)).collect();
    distinct.into_iter().collect()
}

fn collect(node: &Node, found: &mut Vec<NamedFile>) {
    match &node.content {
        Content::Scalar { .. } => {}
        Content::Sequence(items) => items.iter().for_each(|item| collect(item, found)),
        Content::Mapping(entries) => {
            for (key, value) in entries {
                match (&key.content, &value.content) {
                    (Content::Scalar { text: field, .. }, Content::Scalar { text: path, .. })
                        if field.ends_with("_file") && !path.is_empty() =>
                    {
                        found.push(NamedFile { line: value.line, field: field.clone(), path: path.clone() });
                    }
                    _ => collect(value, found),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_with_files_wherever_they_are() {
        let text = "global:\n  slack_api_url_file: /a\nreceivers:\n- name: x\n  webhook_configs:\n  - url_file: /b\n    \
                    http_config: {tls_config: {ca_file: ''}}\n  - url: /not_file\n";
        let found: Vec<_> = named_files(text).into_iter().flatten().map(|file| (file.line, file.path)).collect();
        assert_eq!(found, [(2, "/a".to_owned()), (6, "/b".to_owned())]);
    }
    #[test]
    fn only_what_an_operator_mounts_counts() {
        let text = "a_file: /etc/alertmanager/secrets/b/x\nb_file: /etc/alertmanager/configmaps/a/y\n\
                    c_file: /var/run/token\nd_file: /etc/alertmanager/secrets/b/x\ne_file: /etc/alertmanager/secretsx/y\n";
        assert_eq!(mounted_files(text), ["/etc/alertmanager/configmaps/a/y", "/etc/alertmanager/secrets/b/x"]);
        assert!(mounted_files("a_file: /var/run/token\n").is_empty());
    }
}
