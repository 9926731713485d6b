//! The little that a config has to know of templates.

/// Whether a text parses as a template that knows only the language's own functions: where the reference checks that
/// while it reads a config.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check_builtin(text: &str) -> Result<(), String> {
    crate::template::check_builtin(text).map_err(|error| error.to_string())
}
