//! What can be wrong with a template, with the reference's texts.

use std::fmt;

use super::ast::Source;

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// Name of the file; empty for a field of the config.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// The line that it is in.
    pub source_line: String,
}

impl ParseError {
    pub(super) fn new(source: &Source, at: usize, message: String) -> Self {
        let at = at.min(source.text.len());
        let (line, _) = source.line_column(at);
        let before = source.text.get(..at).unwrap_or_default();
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let source_line = source.text.lines().nth(line - 1).unwrap_or_default().to_owned();
        Self { file: source.file.to_string(), line, column, message, source_line }
    }

    /// The place, the line and a caret below the column, for people:
    ///
    /// ```text
    /// a.tmpl:3:9: function "upper" not defined
    ///   | {{ .X | upper }}
    ///   |         ^
    /// ```
    pub fn picture(&self) -> String {
        let name = if self.file.is_empty() { "template" } else { &self.file };
        // a tab stays one, so that the caret stands below what it means
        let before = self.source_line.chars().take(self.column - 1).map(|c| if c == '\t' { '\t' } else { ' ' });
        let indent: String = before.collect();
        format!("{name}:{}:{}: {}\n  | {}\n  | {indent}^", self.line, self.column, self.message, self.source_line)
    }
}

impl fmt::Display for ParseError {
    /// As the reference says it, on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "template: {}:{}: {}", self.file, self.line, self.message)
    }
}

impl std::error::Error for ParseError {}

/// Why a template has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// It's no template.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// It can't be carried out with this data.
    #[error("{text}")]
    Execute {
        /// As the reference says it, with the place.
        text: String,
        /// Where, and the part of the text after the place; none when it is about no place.
        at: Option<Box<ParseError>>,
    },
    /// Its HTML is such that values can't be escaped safely.
    #[error("{0}")]
    Escape(String),
}

impl TemplateError {
    /// What can't be carried out, and is about no place.
    pub(super) fn anywhere(text: String) -> Self {
        Self::Execute { text, at: None }
    }

    /// With the line and a caret where the place is known, as [`ParseError::picture`] shows it; else the text.
    pub fn picture(&self) -> String {
        match self {
            Self::Parse(error) => error.picture(),
            Self::Execute { at: Some(place), .. } => place.picture(),
            Self::Execute { .. } | Self::Escape(_) => self.to_string(),
        }
    }
}
