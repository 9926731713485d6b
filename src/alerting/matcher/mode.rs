//! Which of the two matcher syntaxes holds, and what happens when they disagree.

use super::{Matcher, MatcherError, classic, utf8};

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

/// The two syntaxes do not agree on a text, and what the older one makes of it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// What to tell the user, one line.
    pub message: String,
    /// The same matchers in a form in which both agree.
    pub suggestion: String,
}

/// Why a text is no list of matchers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    /// What is wrong, in the reference's words where it has some.
    pub message: String,
}

/// Reads a list such as `{a="b",c=~"d"}`; the braces may be missing.
///
/// # Errors
/// When the text is not in the syntax of `mode`, or a regex does not compile.
pub fn parse_list(mode: Mode, text: &str) -> Result<(Vec<Matcher>, Option<Warning>), ParseError> {
    let newer = || utf8::parse_list(text);
    let older = || classic::parse_list(text);
    match mode {
        Mode::Classic => Ok((older()?, None)),
        Mode::Utf8Strict => Ok((newer()?, None)),
        Mode::Fallback => fall_back(text, newer(), older),
    }
}

/// Reads exactly one matcher without braces, as API filters are.
///
/// # Errors
/// As [`parse_list`], and for anything but one matcher.
pub fn parse_one(mode: Mode, text: &str) -> Result<(Matcher, Option<Warning>), ParseError> {
    let older = || Ok(vec![classic::parse_one(text)?]);
    if mode != Mode::Classic && (text.starts_with('{') || text.ends_with('}')) {
        return Err(ParseError::new(format!("unexpected open or close brace: {text}")));
    }
    let newer = || Ok(vec![utf8::parse_one(text)?]);
    let (matchers, warning) = match mode {
        Mode::Classic => (older()?, None),
        Mode::Utf8Strict => (newer()?, None),
        Mode::Fallback => fall_back(text, newer(), older)?,
    };
    let first = matchers.into_iter().next();
    Ok((first.ok_or_else(|| ParseError::new("no matchers".into()))?, warning))
}

/// Whether a label may have this name.
pub fn valid_label_name(mode: Mode, name: &str) -> bool {
    match mode {
        Mode::Classic => valid_classic_name(name),
        Mode::Utf8Strict | Mode::Fallback => !name.is_empty(),
    }
}

/// Whether it is `[a-zA-Z_][a-zA-Z0-9_]*`.
pub fn valid_classic_name(name: &str) -> bool {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    starts && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

impl ParseError {
    pub(super) const fn new(message: String) -> Self {
        Self { message }
    }

    /// Adds what had been expected instead.
    pub(super) fn followed_by(mut self, expected: &str) -> Self {
        self.message = format!("{}: {expected}", self.message);
        self
    }
}

impl From<MatcherError> for ParseError {
    fn from(error: MatcherError) -> Self {
        Self::new(error.to_string())
    }
}

/// The older syntax wins where the two differ: what a config meant before must not change unnoticed.
fn fall_back(
    text: &str,
    newer: Result<Vec<Matcher>, ParseError>,
    older: impl Fn() -> Result<Vec<Matcher>, ParseError>,
) -> Result<(Vec<Matcher>, Option<Warning>), ParseError> {
    let warn = |why: &str, matchers: &[Matcher]| {
        let suggestion = matchers.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let message = format!("matchers `{text}` {why}; write them as `{suggestion}`");
        Some(Warning { message, suggestion })
    };
    match (newer, older()) {
        (Err(_), Err(older)) => Err(older),
        (Err(newer), Ok(older)) => {
            let why = format!("are not in the UTF-8 syntax ({newer}) and were read in the classic one");
            let warning = warn(&why, &older);
            Ok((older, warning))
        }
        (Ok(newer), Ok(older)) if newer != older => {
            let warning = warn("mean something else in the UTF-8 syntax; the classic meaning holds", &older);
            Ok((older, warning))
        }
        (Ok(newer), _) => Ok((newer, None)),
    }
}
