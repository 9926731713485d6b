//! Errors with their causes, on one line: what is at the end is what helps.

use std::error::Error;

/// The whole chain.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
