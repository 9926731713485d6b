//! Why a config was refused, and where.

use std::fmt;

/// The first thing wrong with a config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// Line of the offending node, from 1.
    pub line: Option<usize>,
    /// Column of the offending node, from 1.
    pub column: Option<usize>,
    /// Where in the document, e.g. `route.routes[0].receiver`; empty for the document as a whole.
    pub path: String,
    /// What is wrong; where the reference has a text for it, that text.
    pub message: String,
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    /// One line: `line 12: route.receiver: undefined receiver "x" used in route`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message.replace('\n', " "))
    }
}
