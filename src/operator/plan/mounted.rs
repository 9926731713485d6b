//! Secrets and ConfigMaps that members find as files, and whether a configuration names only such files of them that are
//! there: a receiver whose secret is missing would be found out by the page that never came.

use std::collections::BTreeMap;

use alerting::config::{
    MOUNTED_CONFIG_MAPS_DIR as CONFIG_MAPS_DIR, MOUNTED_SECRETS_DIR as SECRETS_DIR, mounted_digest, named_files,
};

/// The keys of the Secrets and ConfigMaps with their values, by directory; `None` for one that is not there.
pub type Mounted = BTreeMap<String, Option<BTreeMap<String, Vec<u8>>>>;

/// The digest of the files called `paths`, as a worker has it of those that it can read.
pub fn digest(paths: &[String], mounted: &Mounted) -> Option<String> {
    let content = |path: &str| {
        let (dir, key) = path.rsplit_once('/')?;
        mounted.get(dir)?.as_ref()?.get(key).map(Vec::as_slice)
    };
    let files: Vec<_> = paths.iter().filter_map(|path| Some((path.as_str(), content(path)?))).collect();
    mounted_digest(&files)
}

/// Where a Secret is mounted.
pub fn secret_dir(name: &str) -> String {
    format!("{SECRETS_DIR}/{name}")
}

/// Where a ConfigMap is mounted.
pub fn config_map_dir(name: &str) -> String {
    format!("{CONFIG_MAPS_DIR}/{name}")
}

/// The first thing that is wrong with the files that `text` names: the line, and why. Other places than the mounted ones
/// are left alone: an overlay may put files there.
pub fn first_lack(text: &str, mounted: &Mounted) -> Option<(usize, String)> {
    let ours =
        |path: &str| path.starts_with(&format!("{SECRETS_DIR}/")) || path.starts_with(&format!("{CONFIG_MAPS_DIR}/"));
    let named = named_files(text).unwrap_or_default().into_iter().filter(|file| ours(&file.path));
    named
        .filter_map(|file| Some((file.line, format!("{}: {}: {}", file.field, file.path, lack(&file.path, mounted)?))))
        .next()
}

fn lack(path: &str, mounted: &Mounted) -> Option<String> {
    let (dir, key) = path.rsplit_once('/')?;
    let field = if dir.starts_with(SECRETS_DIR) { "spec.config.secrets" } else { "spec.config.configMaps" };
    let (kind, name) = (if field.ends_with("secrets") { "Secret" } else { "ConfigMap" }, dir.rsplit('/').next()?);
    match mounted.get(dir) {
        None => Some(format!("members don't get that file: add `{name}` to {field}")),
        Some(None) => Some(format!("{kind} {name}: there is no such object")),
        Some(Some(keys)) if !keys.contains_key(key) => Some(format!("{kind} {name}, key {key}: there is no such key")),
        Some(Some(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_there_is_named_with_its_line() {
        let mounted = Mounted::from([
            (secret_dir("slack"), Some(BTreeMap::from([("url".to_owned(), b"https://x".to_vec())]))),
            (secret_dir("gone"), None),
        ]);
        let lack = |path: &str| first_lack(&format!("global:\n  slack_api_url_file: {path}\n"), &mounted);
        assert_eq!(lack("/etc/alertmanager/secrets/slack/url"), None);
        assert_eq!(lack("/var/run/elsewhere"), None);
        let table = [
            ("secrets/slack/link", "Secret slack, key link: there is no such key"),
            ("secrets/gone/url", "Secret gone: there is no such object"),
            ("secrets/other/url", "members don't get that file: add `other` to spec.config.secrets"),
            ("configmaps/ca/ca.crt", "members don't get that file: add `ca` to spec.config.configMaps"),
        ];
        for (path, why) in table {
            let path = format!("/etc/alertmanager/{path}");
            assert_eq!(lack(&path), Some((2, format!("slack_api_url_file: {path}: {why}"))));
        }
    }
}
