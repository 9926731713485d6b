//! From the words of the command line to [`Flags`]: `@file`, help, version, errors with the reference's exit codes.

use std::error::Error;
use std::ffi::OsString;
use std::{fs, io};

use alerting::label::GoQuoted;
use clap::error::{ContextKind, ContextValue, ErrorKind};
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
        let matches = match Self::command().try_get_matches_from(&words) {
            Ok(matches) => matches,
            Err(_) if version_comes_first(&words) => return Err(Exit { text: version(), code: 0 }),
            // help is given to those who make no mistake besides (reference behaviour)
            Err(error) if error.kind() == ErrorKind::DisplayHelp => {
                let others: Vec<_> = words.into_iter().filter(|word| word != "--help" && word != "-h").collect();
                let mistake = Self::command().try_get_matches_from(&others).err();
                return Err(clap_exit(mistake.as_ref().unwrap_or(&error), &others));
            }
            Err(error) => return Err(clap_exit(&error, &words)),
        };
        let mut flags = Self::from_arg_matches(&matches).map_err(|error| clap_exit(&error, &words))?;
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
    if path.is_empty() {
        return Err(mistake("expected @ file to expand arguments from"));
    }
    let content = fs::read_to_string(path).map_err(|error| {
        let reason = if error.kind() == io::ErrorKind::NotFound {
            format!("open {path}: no such file or directory")
        } else {
            error.to_string()
        };
        mistake(&format!("failed to open arguments file {}: {reason}", GoQuoted(path)))
    })?;
    for line in content.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        expand(line.into(), words, depth + 1)?;
    }
    Ok(())
}

/// Whether `--version` stands before the first mistake: then it is obeyed (reference behaviour).
fn version_comes_first(words: &[OsString]) -> bool {
    let Some(at) = words.iter().position(|word| word == "--version") else { return false };
    Flags::command().try_get_matches_from(&words[..=at]).is_ok()
}

fn clap_exit(error: &clap::Error, words: &[OsString]) -> Exit {
    let text = error.to_string();
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return Exit { text: text.trim_end().to_owned(), code: 0 };
    }
    // the first line says it; the rest is the usage, which is long
    let first = || text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    mistake(&in_their_words(error, words).unwrap_or_else(first))
}

/// The mistake as the reference words it, for those who look for that.
fn in_their_words(error: &clap::Error, words: &[OsString]) -> Option<String> {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let flag = context(ContextKind::InvalidArg).unwrap_or_default();
    // without the name of its value
    let flag = flag.split([' ', '=', '<']).next().unwrap_or_default();
    let value = context(ContextKind::InvalidValue);
    match error.kind() {
        ErrorKind::UnknownArgument => {
            let whole = context(ContextKind::InvalidArg).unwrap_or_default();
            // of `-xyz` and `-1h` only the first letter is named
            let named = |word: &OsString| word.to_str().is_some_and(|word| word.starts_with(whole));
            let at = words.iter().position(named).unwrap_or_default();
            let before = at.checked_sub(1).and_then(|at| words[at].to_str()).and_then(|word| word.strip_prefix("--"));
            let needy = before.filter(|name| takes_value(name)).filter(|_| whole.starts_with('-'));
            let ended = words[..at].iter().any(|word| word == "--");
            Some(match whole {
                _ if ended => format!("unexpected {whole}"),
                _ if needy.is_some() => format!("expected argument for flag '--{}'", needy.unwrap_or_default()),
                _ if whole.starts_with("--") => format!("unknown long flag '{flag}'"),
                _ if whole.starts_with('-') => format!("unknown short flag '{whole}'"),
                _ => format!("unexpected {whole}"),
            })
        }
        ErrorKind::TooManyValues => Some(format!("unexpected {}", value?)),
        ErrorKind::ArgumentConflict => {
            let flag = flag.trim_start_matches('-');
            Some(format!("flag '{}' cannot be repeated", flag.strip_prefix("no-").unwrap_or(flag)))
        }
        ErrorKind::InvalidValue => match (flag, value.filter(|value| !value.is_empty())) {
            ("--log.level", Some(level)) => Some(format!("unrecognized log level {level}")),
            ("--log.format", Some(format)) => Some(format!("unrecognized log format {format}")),
            _ => Some(format!("expected argument for flag '{flag}'")),
        },
        ErrorKind::ValueValidation => error.source().map(ToString::to_string),
        _ => None,
    }
}

fn takes_value(name: &str) -> bool {
    let command = Flags::command();
    command.get_arguments().any(|arg| arg.get_long() == Some(name) && arg.get_action().takes_values())
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
