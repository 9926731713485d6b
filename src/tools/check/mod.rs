//! `check`: whether a worker or operator will take a config or manifest, and if not, which line is wrong.

mod examine;
mod report;

use std::path::PathBuf;

use crate::read::{self, ReadError};
use crate::{Finished, Syntax};

/// `alertmanager-operator check`.
#[derive(Clone, Debug, clap::Args)]
pub struct Flags {
    /// Alertmanager configs, and manifests with AlertmanagerClusters and what they refer to; directories of them; `-`
    /// for standard input
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,

    /// How to print what was found
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,

    /// How matchers are read
    #[command(flatten)]
    pub syntax: Syntax,
}

/// How to print what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object.
    Json,
}

/// Checks all files and tells about all of them.
///
/// # Errors
/// When a file cannot be read.
pub fn run(flags: &Flags) -> Result<Finished, ReadError> {
    let texts = read::texts(&flags.files)?;
    let checked = examine::all(&texts, &flags.syntax, &template_files);
    let success = checked.iter().all(|one| one.faults.is_empty());
    let text = match flags.format {
        Format::Text => report::text(&checked),
        Format::Json => report::json(&checked),
    };
    Ok(Finished { text, warning: None, success })
}

/// The files that hold a config's templates: path and text.
fn template_files(pattern: &str) -> Result<Vec<(PathBuf, String)>, String> {
    let paths = read::matches(pattern).map_err(|error| error.to_string())?;
    let read = paths.into_iter().map(|path| {
        let text = read::text(&path)?;
        Ok((path, text))
    });
    read.collect::<Result<_, ReadError>>().map_err(|error| error.to_string())
}
