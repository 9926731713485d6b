//! Which of the two matcher syntaxes holds, and what happens when they disagree.

use super::Matcher;

/// The matcher syntax in force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Only the older syntax; label names are `[a-zA-Z_][a-zA-Z0-9_]*`.
    Classic,
    /// Only the newer syntax; label names are any UTF-8.
    Utf8Strict,
    /// Both are tried; label names are any UTF-8. The default.
    #[default]
    Fallback,
}

/// The two syntaxes do not agree on a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// What to tell the user, one line.
    pub message: String,
    /// The same matchers in a form in which both agree.
    pub suggestion: String,
}

/// Why a text is no list of matchers.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    /// What is wrong, in the reference's words where it has some.
    pub message: String,
}

/// Reads a list such as `{a="b",c=~"d"}`; the braces may be missing.
///
/// # Errors
/// When the text is not in the syntax of `mode`, or a regex does not compile.
pub fn parse_list(_mode: Mode, _text: &str) -> Result<(Vec<Matcher>, Option<Warning>), ParseError> {
    Err(ParseError { message: "being written".into() })
}

/// Reads exactly one matcher without braces, as API filters are.
///
/// # Errors
/// As [`parse_list`], and for anything but one matcher.
pub fn parse_one(_mode: Mode, _text: &str) -> Result<(Matcher, Option<Warning>), ParseError> {
    Err(ParseError { message: "being written".into() })
}

/// Whether a label may have this name.
pub fn valid_label_name(mode: Mode, name: &str) -> bool {
    match mode {
        Mode::Classic => {
            let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            starts && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        }
        Mode::Utf8Strict | Mode::Fallback => !name.is_empty(),
    }
}
