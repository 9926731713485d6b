//! From the words of the command line to [`Flags`]: `@file`, help, version, errors with the reference's exit codes.

use std::ffi::OsString;
use std::fs;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{CommandFactory, FromArgMatches};

use super::Flags;

/// The command line says to end at once: help, version, or a mistake.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Exit {
    /// What to print, without a newline at the end: to standard output if `code` is 0, else to standard error.
    pub text: String,
    /// Exit code of the process.
    pub code: u8,
}

/// Files in files in files: more is a loop.
const NESTING_MAX: usize = 8;

impl Flags {
    /// Reads the arguments that follow the program's name (and the subcommand).
    ///
    /// # Errors
    /// For `--help`, `--version` (code 0) and mistakes (code 1).
    pub fn parse_args(args: impl IntoIterator<Item = OsString>) -> Result<Self, Exit> {
        let mut words = vec![OsString::from("alertmanager")];
        for word in args {
            expand(word, &mut words, 0)?;
        }
        let matches = Self::command().try_get_matches_from(words).map_err(|error| clap_exit(&error))?;
        let mut flags = Self::from_arg_matches(&matches).map_err(|error| clap_exit(&error))?;
        if flags.version {
            return Err(Exit { text: version(), code: 0 });
        }
        let command = Self::command();
        let given = command.get_arguments().filter(|arg| {
            matches.try_contains_id(arg.get_id().as_str()).is_ok()
                && matches.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine)
        });
        flags.given = given.filter_map(|arg| arg.get_long().map(str::to_owned)).collect();
        flags.given.sort_unstable();
        Ok(flags)
    }
}

/// Replaces `@file` by the lines of the file.
fn expand(word: OsString, words: &mut Vec<OsString>, depth: usize) -> Result<(), Exit> {
    let Some(path) = word.to_str().and_then(|text| text.strip_prefix('@')) else {
        words.push(word);
        return Ok(());
    };
    if depth == NESTING_MAX {
        return Err(mistake(&format!("reading arguments from `{path}`: too many files that name each other")));
    }
    let content =
        fs::read_to_string(path).map_err(|error| mistake(&format!("reading arguments from `{path}`: {error}")))?;
    for line in content.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        expand(line.into(), words, depth + 1)?;
    }
    Ok(())
}

fn clap_exit(error: &clap::Error) -> Exit {
    let text = error.to_string();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit { text: text.trim_end().to_owned(), code: 0 },
        // the first line says it; the rest is the usage, which is long
        _ => mistake(text.lines().next().unwrap_or_default().trim_start_matches("error: ")),
    }
}

fn mistake(text: &str) -> Exit {
    Exit { text: format!("alertmanager: error: {text}, try --help"), code: 1 }
}

/// In the form of the reference, whose parsers look for `version X` in the first line.
fn version() -> String {
    let fixed = |name: Option<&'static str>| name.filter(|text| !text.is_empty()).unwrap_or("unknown").to_owned();
    format!(
        "alertmanager, version {} (branch: {}, revision: {})\n  build user:       {}\n  build date:       {}\n  \
         go version:       none (alertmanager-operator, Rust)\n  platform:         {}/{}\n  tags:             unknown",
        crate::COMPATIBLE_VERSION,
        concat!("alertmanager-operator-", env!("CARGO_PKG_VERSION")),
        fixed(option_env!("BUILD_REVISION")),
        fixed(option_env!("BUILD_USER")),
        fixed(option_env!("BUILD_DATE")),
        std::env::consts::OS,
        std::env::consts::ARCH,
    )
}
