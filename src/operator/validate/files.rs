//! The template files that a configuration names, out of those that its cluster gets.

use std::collections::BTreeMap;

use alerting::config::{Config, ConfigError, MOUNTED_NAME, content_hash, glob_pattern, parse};
use alerting::matcher::Mode;
use alerting::template::Templates;

use crate::plan::{CONFIG_DIR, CONFIG_FILE};

/// Template files: name and content.
pub type Files = BTreeMap<String, String>;

/// Those of `given` that `config` names, in the order in which a worker reads them; one named twice is there twice. They
/// parse.
///
/// # Errors
/// When a pattern names none of them, or a template doesn't parse.
pub fn template_files(config: &Config, given: &Files) -> Result<Vec<(String, String)>, ConfigError> {
    let files = matching(&config.templates, given).map_err(error)?;
    Templates::new(files.iter().map(|(name, text)| (name, text))).map_err(|bad| {
        let at = format!("template file `{}`, line {}, column {}", bad.file, bad.line, bad.column);
        error(format!("{at}: {}: `{}`", bad.message, bad.source_line.trim()))
    })?;
    Ok(files)
}

/// The hash that a worker reports for this text with these files beside it, and with mounted files of that digest; `None`
/// if it could not run that.
pub fn hash(text: &str, given: &Files, mounted: Option<&str>) -> Option<String> {
    let config = parse(text, Mode::Fallback).ok()?;
    Some(hash_of(text, &matching(&config.templates, given).ok()?, mounted))
}

pub(super) fn hash_of(text: &str, files: &[(String, String)], mounted: Option<&str>) -> String {
    let named = files.iter().map(|(name, text)| (name.as_str(), text.as_bytes()));
    let mounted = mounted.map(|digest| (MOUNTED_NAME, digest.as_bytes()));
    let all: Vec<_> = named.chain([(CONFIG_FILE, text.as_bytes())]).chain(mounted).collect();
    content_hash(&all).to_string()
}

fn matching(patterns: &[String], given: &Files) -> Result<Vec<(String, String)>, String> {
    let mut files = Vec::new();
    for pattern in patterns {
        let name = pattern.strip_prefix(CONFIG_DIR).map_or(pattern.as_str(), |rest| rest.trim_start_matches('/'));
        if name.contains('/') {
            return Err(format!(
                "`{pattern}`: the files of spec.config.templates lie beside the configuration: name them without a directory"
            ));
        }
        let glob = glob::Pattern::new(&glob_pattern(name)).map_err(|bad| format!("`{pattern}`: {}", bad.msg))?;
        let before = files.len();
        let found = given.iter().filter(|(name, _)| glob.matches(name));
        files.extend(found.map(|(name, text)| (name.clone(), text.clone())));
        if files.len() == before {
            return Err(format!("`{pattern}` names none of the files of spec.config.templates"));
        }
    }
    Ok(files)
}

fn error(message: String) -> ConfigError {
    ConfigError { line: None, column: None, path: "templates".to_owned(), message }
}
