//! The files of `templates`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use alerting::config::{Config, glob_pattern};
use alerting::template::Templates;

use super::LoadError;

/// A template file: its path as the pattern gives it, and its text.
pub(super) type File = (PathBuf, String);

/// Reads the files that `patterns` match, in their order. A pattern that matches nothing is fine (reference
/// behaviour).
pub(super) fn read(patterns: &[String]) -> Result<Vec<File>, LoadError> {
    let mut files = Vec::new();
    for pattern in patterns {
        for path in matches(pattern)? {
            let text = std::fs::read_to_string(&path)
                .map_err(|source| LoadError::TemplateRead { path: path.clone(), source })?;
            files.push((path, text));
        }
    }
    Ok(files)
}

/// Puts the templates of `files` into the config.
pub(super) fn put(config: &mut Config, files: &[File]) -> Result<(), LoadError> {
    if files.is_empty() {
        return Ok(());
    }
    let named = files.iter().map(|(path, text)| (path.to_string_lossy(), text));
    config.template_set = Templates::new(named).map_err(|error| LoadError::Template { error })?;
    Ok(())
}

/// Where files that match may come and go: the directories of those that are there, and the one in front of the first
/// wildcard of each pattern.
pub(super) fn directories(patterns: &[String]) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for pattern in patterns {
        let names = Path::new(pattern).parent().into_iter().flat_map(Path::components);
        found.insert(names.take_while(|name| !is_wild(&name.as_os_str().to_string_lossy())).collect());
        let files = matches(pattern).unwrap_or_default();
        found.extend(files.iter().filter_map(|file| file.parent()).map(Path::to_owned));
    }
    found
}

fn is_wild(name: &str) -> bool {
    name.contains(['*', '?', '['])
}

/// Paths that match a pattern of Go's `filepath.Glob`, sorted.
fn matches(pattern: &str) -> Result<Vec<PathBuf>, LoadError> {
    let paths = glob::glob(&glob_pattern(pattern))
        .map_err(|source| LoadError::TemplatePattern { pattern: pattern.to_owned(), source })?;
    // directories that can't be read match nothing
    Ok(paths.filter_map(Result::ok).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_are_those_in_front_of_wildcards() {
        let of = |pattern: &str| {
            let found = directories(&[pattern.to_owned()]);
            found.iter().map(|path| path.to_string_lossy().into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(of("/none/a.tmpl"), ["/none"]);
        assert_eq!(of("/none/*.tmpl"), ["/none"]);
        assert_eq!(of("/none/t[ab]/x/*.tmpl"), ["/none"]);
        assert_eq!(of("*.tmpl"), [""]);
    }
}
