//! The little that a config has to know of templates.

/// Whether a text parses as a template that knows only the language's own functions: where the reference checks that
/// while it reads a config.
///
/// # Errors
/// What is wrong with it, without the text.
// The template engine takes this over; until then only unbalanced marks are found.
pub(super) fn check_builtin(text: &str) -> Result<(), String> {
    let mut rest = text;
    while let Some((_, inside)) = rest.split_once("{{") {
        let Some((_, after)) = inside.split_once("}}") else { return Err("template: :1: unclosed action".into()) };
        rest = after;
    }
    Ok(())
}
