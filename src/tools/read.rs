//! Files, directories and standard input as texts.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Stands for standard input.
pub(crate) const STDIN: &str = "-";

/// A file cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("reading {}", path.display())]
pub struct ReadError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// A pattern of file names is none.
#[derive(Debug, thiserror::Error)]
#[error("reading the pattern `{pattern}`")]
pub struct PatternError {
    pattern: String,
    #[source]
    source: glob::PatternError,
}

/// The files that a pattern matches, sorted; no file is no mistake (reference behaviour).
pub(crate) fn matches(pattern: &str) -> Result<Vec<PathBuf>, PatternError> {
    // as Go has it: `*` ends at `/`, `**` is nothing special, names that begin with `.` are like others
    let options = glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::new() };
    let mut plain = pattern.to_owned();
    while plain.contains("**") {
        plain = plain.replace("**", "*");
    }
    let failed = |source| PatternError { pattern: pattern.to_owned(), source };
    let mut paths: Vec<PathBuf> = glob::glob_with(&plain, options).map_err(failed)?.filter_map(Result::ok).collect();
    paths.sort();
    Ok(paths)
}

/// The text of one file; `-` is standard input.
pub(crate) fn text(path: &Path) -> Result<String, ReadError> {
    let read = || {
        if path.as_os_str() != STDIN {
            return std::fs::read_to_string(path);
        }
        let mut text = String::new();
        io::stdin().read_to_string(&mut text)?;
        Ok(text)
    };
    read().map_err(|source| ReadError { path: path.to_owned(), source })
}

/// The texts of files; of directories, those whose names end in `.yaml`, `.yml` or `.json`.
pub(crate) fn texts(paths: &[PathBuf]) -> Result<Vec<(PathBuf, String)>, ReadError> {
    let mut texts = Vec::new();
    for path in paths {
        let files = if path.is_dir() { list(path)? } else { vec![path.clone()] };
        for file in files {
            let text = text(&file)?;
            texts.push((file, text));
        }
    }
    Ok(texts)
}

fn list(directory: &Path) -> Result<Vec<PathBuf>, ReadError> {
    let failed = |source| ReadError { path: directory.to_owned(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|ext| ext == "yaml" || ext == "yml" || ext == "json") && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
