//! The files of `templates`.

use std::path::PathBuf;

use alerting::config::Config;
use alerting::template::Templates;

use super::LoadError;

/// Reads the files that the config's patterns match and puts their templates into the config. A pattern that matches
/// nothing is fine (reference behaviour).
pub(super) fn read(config: &mut Config) -> Result<(), LoadError> {
    if config.templates.is_empty() {
        return Ok(());
    }
    let mut files = Vec::new();
    for pattern in &config.templates {
        for path in matches(pattern)? {
            let text = std::fs::read_to_string(&path)
                .map_err(|source| LoadError::TemplateRead { path: path.clone(), source })?;
            files.push((path, text));
        }
    }
    let named = files.iter().map(|(path, text)| (path.to_string_lossy(), text));
    config.template_set = Templates::new(named).map_err(|error| LoadError::Template { error })?;
    Ok(())
}

/// Paths that match a pattern of Go's `filepath.Glob`, sorted.
fn matches(pattern: &str) -> Result<Vec<PathBuf>, LoadError> {
    // `**` is no more than `*` there, and classes are negated with `^`
    let mut translated = pattern.replace("[^", "[!");
    while translated.contains("**") {
        translated = translated.replace("**", "*");
    }
    let paths =
        glob::glob(&translated).map_err(|source| LoadError::TemplatePattern { pattern: pattern.to_owned(), source })?;
    // directories that can't be read match nothing
    Ok(paths.filter_map(Result::ok).collect())
}
